"""Claims about the effects of a programme that schools enter in different years."""

from math import inf

import numpy as np
import pytest
from scipy import stats

from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption

YEARS = np.arange(2010, 2017)


def _panel(seed: int, growth: float = 1.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    cohort = np.repeat([np.nan, 2013, 2015], [30, 15, 15])
    school = np.arange(60)
    since = YEARS[None, :] - cohort[:, None]
    effect = np.where(since >= 0, 1 + growth * np.nan_to_num(since), 0.0)
    mean = rng.normal(0, 3, 60)[:, None] + rng.normal(0, 2, len(YEARS))[None, :] + effect
    return {
        "outcome": (mean + rng.normal(0, 0.5, mean.shape)).ravel(),
        "school": np.repeat(school, len(YEARS)),
        "year": np.tile(YEARS, 60),
        "cohort": np.repeat(cohort, len(YEARS)),
    }


def _fit(panel: dict[str, np.ndarray], **options: str) -> StaggeredFit:
    columns = {key: panel[key] for key in ("school", "year", "cohort")}
    return fit_staggered_adoption(panel["outcome"], **columns, **options)  # type: ignore[arg-type]


def test_one_cohort_and_two_years_give_the_difference_in_differences() -> None:
    panel = _panel(1)
    kept = np.isin(panel["year"], [2012, 2013]) & (panel["cohort"] != 2015)
    panel = {key: values[kept] for key, values in panel.items()}
    change = panel["outcome"][panel["year"] == 2013] - panel["outcome"][panel["year"] == 2012]
    treated = panel["cohort"][panel["year"] == 2013] == 2013
    assert _fit(panel).overall.estimate == pytest.approx(
        change[treated].mean() - change[~treated].mean(), rel=1e-12
    )


def test_growing_effects_are_recovered_at_every_event_time() -> None:
    found = [_fit(_panel(seed)) for seed in range(20)]
    for term, truth in (("since=0", 1.0), ("since=1", 2.0), ("since=3", 4.0), ("since=-2", 0.0)):
        points = [e.estimate for fit in found for e in fit.since if e.term == f"treated[{term}]"]
        error = np.std(points, ddof=1) / np.sqrt(len(points))
        assert abs(np.mean(points) - truth) < 3.5 * error


def test_labels_and_the_order_of_rows_do_not_matter() -> None:
    panel = _panel(2)
    order = np.random.default_rng(3).permutation(len(panel["outcome"]))
    shuffled = {key: values[order] for key, values in panel.items()}
    shuffled["school"] = np.array([f"school {n}" for n in shuffled["school"]])
    assert _fit(shuffled).overall.estimate == pytest.approx(_fit(panel).overall.estimate, rel=1e-12)


def test_the_pre_trend_test_is_a_chi_square_over_its_number_of_event_times() -> None:
    test = _fit(_panel(4)).pretrend
    assert test is not None
    assert test.df == inf
    numerator = int(test.note.split("(")[1].split(")")[0])
    assert test.p_value == pytest.approx(stats.chi2.sf(numerator * test.statistic, numerator))


def test_a_school_that_lacks_a_year_is_told() -> None:
    panel = _panel(5)
    panel["outcome"][3] = np.nan
    assert "lack years" in _fit(panel).notes[0]


def test_a_cohort_without_a_year_before_is_left_out_and_named() -> None:
    panel = _panel(6)
    kept = panel["year"] >= 2013
    fit = _fit({key: values[kept] for key, values in panel.items()})
    assert fit.notes == ("cohort 2013 has no year before treatment and is left out",)
    assert [effect.term for effect in fit.cohorts] == ["treated[cohort=2015]"]


def test_without_a_treated_or_a_never_treated_school_there_is_no_effect() -> None:
    panel = _panel(7)
    with pytest.raises(ValueError, match="first treated year"):
        _fit({**panel, "cohort": np.full_like(panel["cohort"], np.nan)})
    treated = panel["cohort"] > 0
    with pytest.raises(ValueError, match="not_yet_treated"):
        _fit({key: values[treated] for key, values in panel.items()})
