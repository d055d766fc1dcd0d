"""Claims about rows of a roll-out after its programme ended."""

from __future__ import annotations

from math import isnan, nan
from typing import Any

import numpy as np
import pytest

from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.panel.persistence import (
    NO_ERROR,
    NONE_AFTER,
    RATIO,
    average_persistence,
    persistence_rows,
)
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption

YEARS = np.arange(2012, 2020)


def fitted(
    cohorts: dict[int, int],
    never: int,
    *,
    seed: int = 1,
    noise: float = 1.0,
    during: float = 0.0,
    after: float = 0.0,
    missing: float = 0.0,
    **how: Any,
) -> StaggeredFit:
    """Fit a roll-out whose programme lasts two years."""
    rng = np.random.default_rng(seed)
    cohort = np.repeat([*cohorts, 0], [*cohorts.values(), never])
    since = YEARS - cohort[:, None]
    y = rng.normal(0, 5, len(cohort))[:, None] + rng.normal(0, noise, (len(cohort), len(YEARS)))
    y += (cohort[:, None] > 0) * (during * ((since >= 0) & (since < 2)) + after * (since >= 2))
    y[rng.uniform(size=y.shape) < missing] = nan
    n, t = y.shape
    return fit_staggered_adoption(
        y.ravel(), school=np.repeat(np.arange(n), t), year=np.tile(YEARS, n),
        cohort=np.repeat(cohort, t).astype(float),
        draws=0, **how,
    )  # fmt: skip


def rows_of(fit: StaggeredFit) -> dict[str, Estimate]:
    return {row.term: row for row in persistence_rows(fit, 2)}


@pytest.mark.parametrize("missing", [0.0, 0.08])
def test_what_is_left_of_the_effect_is_found_where_schools_hardly_vary(missing: float) -> None:
    rows = rows_of(
        fitted({2015: 8, 2016: 5}, 40, noise=1e-3, during=6.0, after=3.0, missing=missing)
    )
    for k in (1, 2):
        assert rows[f"treated[after={k}]"].estimate == pytest.approx(3.0, abs=0.01)
        ratio = rows[f"treated[after={k}] / treated[during]"]
        assert ratio.conf_low < 0.5 < ratio.conf_high
        assert ratio.conf_high - ratio.conf_low < 0.01


@pytest.mark.parametrize("missing", [0.0, 0.08])
@pytest.mark.parametrize("during", [0.3, 1.5, 6.0])
def test_the_interval_of_the_ratio_agrees_with_the_tests_of_the_rows_beside_it(
    during: float, missing: float
) -> None:
    fit = fitted({2015: 6, 2016: 4}, 25, seed=4, during=during, after=0.9, missing=missing)
    rows = rows_of(fit)
    for k in (1, 2, 3):
        after, change = (rows[f"treated[after={k}]{end}"] for end in ("", " - treated[during]"))
        ratio = rows[f"treated[after={k}] / treated[during]"]
        before = average_persistence(fit, 2).contrast({after.term: 1.0, change.term: -1.0})
        assert ratio.estimate == pytest.approx(after.estimate / before.estimate)
        if before.p_value < 0.05:
            assert (ratio.conf_low <= 0 <= ratio.conf_high) == (after.p_value >= 0.05)
            assert (ratio.conf_low <= 1 <= ratio.conf_high) == (change.p_value >= 0.05)
        else:
            assert isnan(ratio.conf_low)
            assert "programme includes zero" in ratio.note


@pytest.mark.parametrize("method", ["sun_abraham", "imputation", "stacked"])
def test_persistence_is_that_of_the_method(method: Any) -> None:
    """On cohorts that do not differ in their effects all methods find about the same."""
    how: dict[str, Any] = {"noise": 1e-3, "during": 6.0, "after": 3.0}
    fit = fitted({2015: 8, 2016: 5}, 40, **how, method=method)
    rows = rows_of(fit)
    assert rows["treated[after=2]"].estimate == pytest.approx(3.0, abs=0.01)
    assert rows["treated[after=2]"].method == fit.overall.method
    assert rows["treated[after=2] / treated[during]"].estimate == pytest.approx(0.5, abs=0.01)


def test_clusters_and_weights_of_the_model_are_those_of_persistence() -> None:
    rng = np.random.default_rng(3)
    n, t = 53, len(YEARS)
    district = np.repeat([f"D{at % 16}" for at in range(n)], t)
    weights = np.repeat(rng.uniform(1, 3, n), t)
    plain = fitted({2015: 8, 2016: 5}, 40, during=6.0)
    heavy = fitted({2015: 8, 2016: 5}, 40, during=6.0, weights=weights, cluster=district)
    one, other = (rows_of(fit)["treated[after=3]"] for fit in (plain, heavy))
    cell = heavy.estimates(["treated[cohort=2015, year=2019]"])[0]
    assert other.estimate == pytest.approx(cell.estimate)
    assert other.std_error == pytest.approx(cell.std_error)
    assert other.df == pytest.approx(cell.df)
    assert one.std_error != pytest.approx(other.std_error)


def test_rows_name_the_cohorts_that_carry_them_and_count_their_schools() -> None:
    rows = rows_of(fitted({2015: 6, 2017: 4}, 25, during=5.0))
    assert rows["treated[after=1]"].note == "based on cohorts 2015 and 2017, 10 schools"
    last = rows["treated[after=3]"]
    assert last.note == "based on cohort 2015, 6 schools"
    assert (last.n_schools, last.n_treated_schools) == (31, 6)


def test_a_share_says_in_its_method_how_its_interval_was_found_and_not_on_every_row() -> None:
    rows = rows_of(fitted({2015: 6, 2017: 4}, 25, during=9.0))
    ratio = rows["treated[after=1] / treated[during]"]
    assert ratio.method == f"{rows['treated[after=1]'].method}; {RATIO}"
    assert ratio.note == f"{rows['treated[after=1] - treated[during]'].note}; {NO_ERROR}"


def test_a_panel_that_ends_with_the_programme_says_so() -> None:
    (row,) = persistence_rows(fitted({2018: 6, 2019: 4}, 25), 2)
    assert (row.term, row.note) == ("treated[during]", NONE_AFTER)


def test_cohorts_of_one_school_have_effects_after_and_say_why_there_is_no_error() -> None:
    rows = rows_of(fitted({2015: 1, 2016: 1}, 30, during=5.0))
    for row in rows.values():
        assert np.isfinite(row.estimate)
        assert isnan(row.std_error)
        assert "no standard error" in row.note


def test_with_seven_treated_schools_gone_and_as_before_are_rejected_as_often_as_they_should() -> (
    None
):
    """200 trials in which nothing changes: five in a hundred, within 2.5 standard errors."""
    gone, as_before = 0, 0
    for seed in range(200):
        fit = average_persistence(fitted({2015: 4, 2016: 3}, 60, seed=seed), 2)
        after, change = fit.estimates(["treated[after=2]", "treated[after=2] - treated[during]"])
        gone += after.p_value < 0.05
        as_before += change.p_value < 0.05
    assert 3 <= gone <= 17
    assert 3 <= as_before <= 17
