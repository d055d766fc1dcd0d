"""Claims about data that a fit by formula cannot use: the message names the user's column."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.formulas.fits import (
    fit_cluster_robust,
    fit_complier_effect,
    fit_multilevel,
    fit_randomisation_inference,
    fit_wild_bootstrap,
)

FITS: dict[str, Callable[..., Any]] = {
    "multilevel": lambda formula, data, **more: fit_multilevel(
        formula, data, school="site", **more
    ),
    "cluster_robust": lambda formula, data, **more: fit_cluster_robust(
        formula, data, cluster="site", **more
    ),
    "randomisation_inference": lambda formula, data, **more: fit_randomisation_inference(
        formula, data, unit="site", draws=50, **more
    ),
    "wild_bootstrap": lambda formula, data, **more: fit_wild_bootstrap(
        formula, data, cluster="site", draws=50, **more
    ),
    "complier_effect": lambda formula, data, **more: fit_complier_effect(
        f"{formula.replace(' ~ treated', ' ~ 1')} | came ~ treated", data, cluster="site", **more
    ),
}  # fmt: skip


def _pupils() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    site = np.repeat(np.arange(20), 12)
    data = pd.DataFrame({"site": site, "block": site // 4, "treated": site % 2})
    data["age"] = rng.normal(12, 1, len(site))
    data["sex"] = np.where(rng.random(len(site)) < 0.5, "girl", "boy")
    data["weight"] = rng.uniform(0.5, 1.5, len(site))
    data["came"] = data["treated"] * (rng.random(len(site)) < 0.8)
    data["score"] = (
        0.3 * data["treated"] + rng.normal(0, 0.3, 20)[site] + rng.normal(size=len(site))
    )
    return data


@pytest.fixture
def pupils() -> pd.DataFrame:
    return _pupils()


@pytest.fixture(autouse=True)
def _no_warning() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("column", ["age", "score"])
def test_an_infinite_value_is_refused_by_the_name_of_its_column(
    pupils: pd.DataFrame, fit: str, column: str
) -> None:
    pupils.loc[[3, 5], column] = np.inf
    with pytest.raises(ValueError, match=f"column '{column}' is not finite in 2 of 240 rows"):
        FITS[fit]("score ~ treated + age", pupils)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("weight", [-1.0, 0.0])
def test_a_weight_that_is_not_above_zero_is_refused_by_the_name_of_its_column(
    pupils: pd.DataFrame, fit: str, weight: float
) -> None:
    pupils.loc[[3, 5, 8], "weight"] = weight
    with pytest.raises(ValueError, match="the weights 'weight' are not above zero in 3 of 240"):
        FITS[fit]("score ~ treated + age", pupils, weights="weight")


@pytest.mark.parametrize("fit", ["multilevel", "cluster_robust"])
def test_a_row_without_a_weight_is_left_out_and_counted_by_its_column(
    pupils: pd.DataFrame, fit: str
) -> None:
    pupils.loc[[3, 5], "weight"] = np.nan
    found = FITS[fit]("score ~ treated + age", pupils, weights="weight")
    assert found.n_rows == 238
    assert found.notes[0] == "2 of 240 rows are left out for missing values: weight 2"


@pytest.mark.parametrize("fit", FITS)
def test_a_function_that_has_no_value_is_refused_by_its_name(
    pupils: pd.DataFrame, fit: str
) -> None:
    pupils.loc[3, "age"] = -1.0
    with pytest.raises(ValueError, match=r"the term 'np.log\(age\)' is not finite in 1 of 240"):
        FITS[fit]("score ~ treated + np.log(age)", pupils)


def test_an_outcome_that_a_function_makes_is_refused_by_its_name(pupils: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"the outcome 'np.log\(score\)' is not finite"):
        fit_multilevel("np.log(score) ~ treated", pupils, school="site")


@pytest.mark.parametrize("as_type", ["object", "category"])
def test_a_category_that_the_fit_has_not_seen_is_no_reference_level(
    pupils: pd.DataFrame, as_type: str
) -> None:
    pupils["sex"] = pupils["sex"].astype(as_type)
    found = fit_cluster_robust("score ~ treated + sex", pupils, cluster="site")
    with pytest.raises(
        ValueError, match="column 'sex' has the value 'other', which the fit has not"
    ):
        found.predict(pupils.assign(sex="other"))
    assert found.predict(pupils.head(3)).tolist() == found.fitted()[:3].tolist()


def test_a_block_that_the_fit_has_not_seen_is_no_reference_level(pupils: pd.DataFrame) -> None:
    found = fit_multilevel("score ~ treated", pupils, school="site", blocks="block")
    with pytest.raises(ValueError, match="column 'block' has the value '99'"):
        found.predict(pupils.assign(block=99))
    absorbed = fit_cluster_robust("score ~ treated | block", pupils, cluster="site")
    assert np.isnan(absorbed.predict(pupils.assign(block=99))).all()


def test_a_fit_has_the_names_of_linearmodels_and_a_plot(pupils: pd.DataFrame) -> None:
    found = fit_cluster_robust("score ~ treated + sex", pupils, cluster="site")
    assert found.params.equals(found.coef())
    assert found.std_errors.equals(found.std_error())
    plot = found.plot()
    low, high = found.conf_int("treated").loc["treated"]
    assert plot.words == (
        f"treated {found.params['treated']:.3f} ({low:.3f} to {high:.3f})."
    ).replace("-", "−")
    assert "sex=girl" in found.plot(["treated", "sex=girl"]).words
    assert len(repr(found).splitlines()) <= 12
