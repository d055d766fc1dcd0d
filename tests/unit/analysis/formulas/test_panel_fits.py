"""Claims about fits to a panel for an analyst with a data frame."""

import numpy as np
import pandas as pd
import pytest

import schooltrial
from unit.models.group_time.test_adjusted_cells import YEARS, a_panel


def _frame() -> pd.DataFrame:
    panel, covariates = a_panel()
    n = len(panel.cohort)
    rng = np.random.default_rng(10)
    return pd.DataFrame({
        "school": np.repeat(panel.schools, len(YEARS)), "year": np.tile(YEARS, n),
        "mean": panel.outcome.ravel(), "need": covariates.values[:, :, 0].ravel(),
        "cohort": np.repeat(np.where(panel.cohort > 0, panel.cohort, np.nan), len(YEARS)),
        "sector": np.repeat(rng.choice(["charter", "public"], n), len(YEARS)),
        "pupils": np.repeat(rng.integers(20, 90, n), len(YEARS)),
        "district": np.repeat(np.arange(n) // 3, len(YEARS)),
    })  # fmt: skip


def test_a_staggered_roll_out_takes_covariates_weights_and_clusters_from_columns() -> None:
    fit = schooltrial.fit_staggered_adoption(
        _frame(), covariates=["need", "sector"], weights="pupils", cluster="district"
    )
    assert "adjusted for need and sector=public by a regression" in fit.overall.method
    assert "weighted by pupils, clustered on district" in fit.overall.method
    assert fit.overall.std_error > 0
    other = schooltrial.fit_staggered_adoption(
        _frame(), covariates=["need"], adjustment="doubly_robust", base_period="universal"
    )
    assert "universal base, adjusted for need by a regression and a propensity" in (
        other.overall.method
    )


def test_schools_never_treated_are_missing_or_zero_and_another_code_is_told() -> None:
    frame = _frame()
    zero = frame.fillna({"cohort": 0})
    for events in (False, True):
        fits = [
            schooltrial.fit_difference_in_differences(one, cohort="cohort", events=events)
            for one in (frame, zero)
        ]
        assert fits[0].names == fits[1].names
        np.testing.assert_allclose(fits[0].coefficients, fits[1].coefficients, rtol=1e-9)
    told = r"have 9999 in 'cohort'.*write 0: panel.replace\({'cohort': {9999: 0}}\)"
    with pytest.raises(ValueError, match=told):
        schooltrial.fit_staggered_adoption(frame.fillna({"cohort": 9999}))


def test_clusters_too_few_for_a_t_leave_the_interval_out_and_say_so() -> None:
    frame = _frame()
    district = frame["district"] % 6
    heavy = frame.assign(district=district, size=np.where(district == 0, 1000.0, 1.0))
    fit = schooltrial.fit_staggered_adoption(heavy, cluster="district", weights="size")
    few = [row for row in fit.estimates() if row.df < 1]
    assert few
    assert all(np.isnan([row.p_value, row.conf_low, row.conf_high]).all() for row in few)
    assert {row.note.partition(":")[0] for row in few} == {"too few clusters for p or interval"}


def test_pupils_seen_once_are_compared_by_school() -> None:
    rng = np.random.default_rng(1)
    school = rng.integers(0, 40, 2000)
    rows = pd.DataFrame({
        "school": school, "treated": (school < 12).astype(float),
        "after": rng.integers(0, 2, 2000).astype(float), "need": rng.normal(size=2000),
        "girl": rng.choice(["yes", "no"], 2000),
    })  # fmt: skip
    drift = rng.normal(0, 0.2, 40)[school] * rows["after"]
    rows["score"] = 0.5 * rows["need"] + 0.6 * rows["treated"] * rows["after"] + drift
    rows["score"] += rng.normal(size=2000)
    for adjustment in ("doubly_robust", "regression", "inverse_probability"):
        found = schooltrial.fit_cross_sections(
            rows, outcome="score", treated="treated", after="after", covariates=["need", "girl"],
            adjustment=adjustment,
        )  # fmt: skip
        assert (found.n_individuals, found.n_schools) == (2000, 40)
        assert found.conf_low < 0.6 < found.conf_high
        assert 11 <= found.df <= 38
    with pytest.raises(ValueError, match="no column 'taught'"):
        schooltrial.fit_cross_sections(rows, outcome="score", treated="taught", after="after")


def test_a_group_of_one_school_has_no_error_and_a_note() -> None:
    rows = pd.DataFrame({
        "school": [1, 1, 2, 2, 3, 3], "treated": [1, 1, 0, 0, 0, 0], "after": [0, 1] * 3,
        "score": [1.0, 3.0, 1.0, 1.5, 2.0, 3.0],
    })  # fmt: skip
    found = schooltrial.fit_cross_sections(
        rows, outcome="score", treated="treated", after="after", adjustment="regression"
    )
    assert found.estimate == pytest.approx(1.25)
    assert np.isnan(found.std_error)
    assert "a group lies in one school" in found.note
