"""Two-level models of small and odd trials, and the trials and questions that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from schooltrial.models.moments.school_moments import from_frame
from schooltrial.models.multilevel.result import MultilevelFit
from schooltrial.models.multilevel.two_level import fit_two_level_frame
from schooltrial.models.reml.centred_regressors import centre


def trial(schools: int = 20, sizes: tuple[int, int] = (3, 25)) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    school = np.repeat(np.arange(schools), rng.integers(*sizes, schools, endpoint=True))
    z = (school % 2).astype(float)
    x = rng.normal(0, 1, schools)[school] + rng.normal(0, 1, len(school))
    y = 50 + 2 * z + 3 * x + rng.normal(0, 4, schools)[school] + rng.normal(0, 8, len(school))
    return pd.DataFrame({"school": school, "z": z, "x": x, "y": y})


def fit(frame: pd.DataFrame, fixed: tuple[str, ...] = ("z", "x"), **options: Any) -> MultilevelFit:
    return fit_two_level_frame(frame, outcome="y", fixed=fixed, school="school", **options)


def test_schools_of_one_pupil_may_stand_among_larger_ones() -> None:
    assert fit(trial(sizes=(1, 3), schools=40)).converged


def test_more_regressors_than_schools_are_fine_when_they_vary_within_schools() -> None:
    frame = trial(schools=6, sizes=(20, 30))
    rng = np.random.default_rng(0)
    extra = {f"x{k}": rng.normal(size=len(frame)) for k in range(8)}
    fitted = fit(frame.assign(**extra), ("z", "x", *extra))
    assert fitted.converged
    assert len(fitted.names) > 6
    assert fitted.estimates(["z"])[0].df < 8


def test_an_outcome_in_millions_is_fitted_to_the_same_digits() -> None:
    frame = trial().assign(y=lambda f: np.round(f["y"], 3))
    one, two = fit(frame), fit(frame.assign(y=frame["y"] + 1e6))
    assert_allclose(two.coefficients[1:], one.coefficients[1:], rtol=1e-8)
    assert_allclose(two.ratio, one.ratio, rtol=1e-7)


@pytest.mark.parametrize(
    ("change", "fixed", "message"),
    [
        ({"twice": lambda f: 2 * f["x"] - f["z"]}, ("z", "x", "twice"),
         "'twice' is, up to a constant, a linear combination of z, x"),
        ({"block": lambda f: f["z"] + 1}, ("z", "block"),
         "'block' is, up to a constant, a linear combination of z"),
        ({"z": 1.0}, ("z", "x"), r"without variation: \(Intercept\), z"),
        ({"z": 0.0}, ("z", "x"), "without variation"),
        ({"y": 7.0}, ("z", "x"), "outcome 'y' is constant"),
        ({"y": lambda f: 2 * f["x"] + 1}, ("z", "x"), "exact combination of the regressors"),
        ({"school": lambda f: f["z"].astype(int)}, ("z", "x"), "one school in each group"),
        ({"school": lambda f: np.arange(len(f))}, ("z", "x"), "more than one pupil"),
        ({"school": 1}, ("x",), "has one school"),
        ({"x": lambda f: f["x"].where(f["school"] != 3)}, ("z", "x"), "'x' of school 3"),
        ({"y": lambda f: f["y"].where(f["school"] != 3, np.inf)}, ("z", "x"), "'y' of school 3"),
    ],
)  # fmt: skip
def test_trials_that_cannot_be_told_are_refused_with_the_reason(
    change: dict[str, Any], fixed: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit(trial().assign(**change), fixed)


def test_more_regressors_than_pupils_are_refused() -> None:
    frame = trial(schools=3, sizes=(2, 2))
    rng = np.random.default_rng(0)
    extra = {f"x{k}": rng.normal(size=len(frame)) for k in range(6)}
    with pytest.raises(ValueError, match="more pupils than coefficients"):
        fit(frame.assign(**extra), tuple(extra))


def test_a_model_without_any_regressor_is_refused() -> None:
    moments = from_frame(trial(), outcome="y", fixed=[], school="school", intercept=False)
    with pytest.raises(ValueError, match="no regressors"):
        centre(moments)


def test_questions_that_a_fit_cannot_answer_are_refused() -> None:
    fitted = fit(trial())
    with pytest.raises(ValueError, match="no coefficient 'age'"):
        fitted.estimates(["age"])
    with pytest.raises(ValueError, match="'bootstrap' are not known"):
        fitted.estimates(df="bootstrap")
    with pytest.raises(ValueError, match="each contrast needs 3 weights"):
        fitted.contrast([1.0, 0.0])
    with pytest.raises(ValueError, match="no level 'district'"):
        fitted.variance("district")
    with pytest.raises(ValueError, match="no effects of level 'district'"):
        fitted.random_effects("district")
    with pytest.raises(ValueError, match="denominator degrees of freedom"):
        fitted.test(np.eye(3), df="normal")
    with pytest.raises(ValueError, match="needs a REML fit"):
        fit(trial(), reml=False).estimates(df="kenward-roger")


def test_centring_is_left_out_where_there_is_no_intercept() -> None:
    moments = from_frame(trial(), outcome="y", fixed=["x"], school="school", intercept=False)
    assert centre(moments).moments is moments
