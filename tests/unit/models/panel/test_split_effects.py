"""Effects by level and by a number: those of the level alone, and of a regression by hand."""

from __future__ import annotations

import numpy as np
import pytest

from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.panel.split_effects import slope_of_effect, split_by_level
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption

YEARS = np.arange(2012, 2018)
COHORT = np.tile(np.array([0] * 24 + [2015] * 12 + [2016] * 12), 2)
N = len(COHORT)
REGION: np.ndarray = np.repeat(np.array(["East", "West"], dtype=object), N // 2)
SIZE = np.random.default_rng(1).normal(3, 1, N)


def _outcome(
    seed: int, east: float = 2.0, west: float = 2.0, slope: float = 0.0, own_years: float = 3.0
) -> np.ndarray:
    """Return schools by year; West has years of its own, and schools drift by their size."""
    rng = np.random.default_rng(seed)
    y = rng.normal(50, 8, N)[:, None] + rng.normal(0, 2, (N, len(YEARS)))
    y += own_years * (REGION == "West")[:, None] * (YEARS - 2012) + 0.5 * SIZE[:, None] * (
        YEARS - 2012
    )
    effect = np.where(REGION == "East", east, west) + slope * (SIZE - 3)
    return y + effect[:, None] * ((COHORT[:, None] > 0) & (COHORT[:, None] <= YEARS))


def _fit(y: np.ndarray, kept: np.ndarray | None = None) -> StaggeredFit:
    inside = np.arange(N) if kept is None else np.flatnonzero(kept)
    rows = np.repeat(inside, len(YEARS))
    return fit_staggered_adoption(
        y[inside].ravel(), school=np.array([f"s{at:02d}" for at in rows]),
        year=np.tile(YEARS, len(inside)), draws=0,
        cohort=np.where(COHORT[rows] > 0, COHORT[rows], np.nan),
    )  # fmt: skip


def test_the_effect_of_a_level_is_that_of_its_schools_alone() -> None:
    y = _outcome(1)
    found = split_by_level(_fit(y), REGION, "region")
    assert [one.term for one in found.effects] == ["treated[region=East]", "treated[region=West]"]
    for one, name in zip(found.effects, ("East", "West"), strict=True):
        alone = _fit(y, np.array([one == name for one in REGION])).overall
        assert one.estimate == pytest.approx(alone.estimate, abs=1e-9)
        assert one.std_error == pytest.approx(alone.std_error, rel=1e-9)
        assert (one.n_schools, one.n_treated_schools) == (48, 24)


def test_levels_are_independent_and_of_two_the_joint_test_is_the_square_of_their_difference() -> (
    None
):
    found = split_by_level(_fit(_outcome(2, west=5.0)), REGION, "region")
    (gap,) = found.differences
    east, west = found.effects
    assert gap.estimate == pytest.approx(west.estimate - east.estimate)
    assert gap.std_error == pytest.approx(np.hypot(west.std_error, east.std_error))
    assert found.equal is not None
    assert found.equal.statistic == pytest.approx(gap.statistic**2)
    assert found.equal.p_value == pytest.approx(gap.p_value)
    assert found.equal.p_value < 0.01


def test_where_schools_lack_years_the_level_is_still_that_of_its_schools_alone() -> None:
    y = _outcome(3)
    y[5, 4] = y[60, 2] = np.nan
    found = split_by_level(_fit(y), REGION, "region")
    for one, name in zip(found.effects, ("East", "West"), strict=True):
        alone = _fit(y, np.array([one == name for one in REGION])).overall
        assert one.estimate == pytest.approx(alone.estimate, abs=1e-9)
        assert one.std_error == pytest.approx(alone.std_error, rel=1e-9)


def test_a_level_without_cohorts_or_without_comparison_schools_is_named_and_has_no_row() -> None:
    levels = REGION.copy()
    levels[:4] = "North"  # never treated
    levels[24:27] = "South"  # of the first cohort
    levels[50] = None
    found = split_by_level(_fit(_outcome(4)), levels, "region")
    assert [one.term for one in found.effects] == ["treated[region=East]", "treated[region=West]"]
    told = "; ".join(found.notes)
    assert "region=North has no effect of its own: it has no treated school" in told
    assert "region=South has no effect of its own: it has no school that is never treated" in told
    assert "1 school without a known region left out" in told
    alone = REGION.copy()
    alone[REGION == "West"] = None
    with pytest.raises(ValueError, match=r"cannot be split by 'region': region=East has treated"):
        split_by_level(_fit(_outcome(4)), alone, "region")


def test_with_one_cohort_and_year_the_slope_is_the_interaction_of_a_regression() -> None:
    y = _outcome(5, slope=1.5)
    kept = (COHORT == 0) | (COHORT == 2016)
    years = YEARS <= 2016
    rows = np.repeat(np.flatnonzero(kept), years.sum())
    fitted = fit_staggered_adoption(
        y[kept][:, years].ravel(), school=np.array([f"s{at:02d}" for at in rows]),
        year=np.tile(YEARS[years], kept.sum()), draws=0,
        cohort=np.where(COHORT[rows] > 0, COHORT[rows], np.nan),
    )  # fmt: skip
    found = slope_of_effect(fitted, SIZE[kept], "size")
    change, treated, m = y[kept, 4] - y[kept, 3], COHORT[kept] > 0, SIZE[kept]
    design = np.column_stack([np.ones(kept.sum()), treated, m, treated * m])
    coefficients = np.linalg.lstsq(design, change, rcond=None)[0]
    (row,) = found.differences
    assert row.term == "treated[per size]"
    assert row.estimate == pytest.approx(coefficients[3], abs=1e-9)
    left = change - design @ coefficients
    variance = sum(
        float(((m - m[g].mean())[g] ** 2) @ left[g] ** 2) / ((m[g] - m[g].mean()) ** 2).sum() ** 2
        * g.sum() / (g.sum() - 2)
        for g in (treated, ~treated)
    )  # fmt: skip
    assert row.std_error == pytest.approx(np.sqrt(variance))


def test_a_slope_of_the_effect_is_found_and_a_drift_by_that_number_is_not_taken_for_it() -> None:
    def rows(slope: float, trials: int) -> list[Estimate]:
        fits = [_fit(_outcome(s, slope=slope, own_years=0)) for s in range(trials)]
        return [slope_of_effect(one, SIZE, "size").differences[0] for one in fits]

    assert np.mean([row.estimate for row in rows(1.5, 20)]) == pytest.approx(1.5, abs=0.25)
    none = rows(0.0, 60)
    assert np.mean([row.estimate for row in none]) == pytest.approx(0, abs=0.2)
    assert sum(row.p_value < 0.05 for row in none) <= 8


def test_equal_effects_are_rejected_about_as_often_as_they_should() -> None:
    found = [split_by_level(_fit(_outcome(s)), REGION, "region").equal for s in range(60)]
    assert sum(one is not None and one.p_value < 0.05 for one in found) <= 8


def test_a_number_that_does_not_vary_within_cohorts_has_no_slope() -> None:
    with pytest.raises(ValueError, match="the effect cannot depend on 'size': it does not vary"):
        slope_of_effect(_fit(_outcome(6)), (COHORT > 0).astype(float), "size")


def test_of_small_cohorts_a_slope_is_no_part_of_the_variance_that_it_is_judged_by() -> None:
    kept = np.isin(np.arange(N) % 12, (0, 1, 2, 3)) | (COHORT == 0)
    made = [
        slope_of_effect(_fit(_outcome(5, slope=slope), kept), SIZE[kept], "size").differences[0]
        for slope in (0.0, 40.0)
    ]
    assert "one variance of treated" in made[0].method
    assert made[1].estimate == pytest.approx(made[0].estimate + 40.0)
    assert made[1].std_error == pytest.approx(made[0].std_error, rel=1e-9)
    assert made[1].df == pytest.approx(made[0].df, rel=1e-9)
