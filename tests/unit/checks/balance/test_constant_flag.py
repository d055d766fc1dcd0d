"""Balance of a flag that is the same for everyone in a group, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan, sqrt
from typing import Any

import pandas as pd
import pytest

from schooltrial.checks.balance.adjusted_differences import Redrawing
from schooltrial.checks.balance.omnibus import balance_omnibus
from schooltrial.checks.balance.standardised_differences import balance_rows, balance_table
from schooltrial.checks.rating.clearinghouse import NOT, clearinghouse_rating
from schooltrial.checks.rating.padlocks import padlocks_of
from schooltrial.checks.rating.terms import BaselineDifference, LevelAttrition, RatingInputs

SETTINGS: dict[str, Any] = {
    "where": {}, "pupil_variables": ["flag"], "school_variables": ["flag"],
    "equivalent_to": 0.05, "adjust_to": 0.25,
}  # fmt: skip
SOME = [1, 0, 0, 0, 1, 1, 0, 0] * 2
"""Of sixteen pupils six: a quarter in the first and third school, half in the others."""
NONE, ALL = [0] * 16, [1] * 16


def _frame(control: Sequence[int], treated: Sequence[int], blocks: int = 1) -> pd.DataFrame:
    """Return sixteen pupils of a group in four schools of four."""
    rows = [
        (f"{arm}{at // 4}", f"B{at // 4 % blocks}", float(arm == "t"), 2019, float(value))
        for arm, values in (("c", control), ("t", treated))
        for at, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["school", "block", "treated", "year", "flag"])


def _rows(control: Sequence[int], treated: Sequence[int], blocks: int = 1) -> pd.DataFrame:
    """Return the row of pupils and that of schools, by level."""
    rows = balance_rows(_frame(control, treated, blocks), SETTINGS, 2019)
    return balance_table(rows, SETTINGS, {}).set_index("level")


SHARE = 6 / 16
SD = sqrt(16 * SHARE * (1 - SHARE) / 15)
"""Of the indicator in the group that varies, 0.5; the other group adds nothing to the pooled SD."""


@pytest.mark.parametrize(
    ("control", "treated", "difference"),
    [
        (SOME, NONE, -SHARE), (NONE, SOME, SHARE), (SOME, ALL, 1 - SHARE), (ALL, SOME, SHARE - 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("blocks", [1, 2])
def test_a_flag_that_is_constant_in_one_arm_is_held_to_the_pooled_sd_of_both(
    control: list[int], treated: list[int], difference: float, blocks: int
) -> None:
    pooled = sqrt((15 * SD**2 + 15 * 0) / 30)
    row = _rows(control, treated, blocks).loc["pupil"]
    assert (row["kind"], row["n_control"], row["n_treated"], row["missing"]) == ("flag", 16, 16, 0)
    assert sorted([row["sd_control"], row["sd_treated"]]) == pytest.approx([0, SD])
    assert row["difference"] == pytest.approx(difference)
    assert row["sd_used"] == pytest.approx(pooled)
    assert row["standardised_difference"] == pytest.approx(difference / pooled)
    assert (row["band"], row["wwc_band"]) == ("not satisfied", "not satisfied")
    assert row["distribution_distance"] == pytest.approx(abs(difference))
    assert row["adjusted_difference"] == pytest.approx(difference)
    assert row["adjusted_standardised"] == pytest.approx(difference / pooled)
    assert row["adjusted_std_error"] > 0
    assert 0 < row["adjusted_p_value"] < 1


def test_where_a_share_is_nought_or_one_no_cox_index_is_made_and_the_measure_says_so() -> None:
    for control, treated in ((SOME, NONE), (NONE, SOME), (SOME, ALL), (ALL, SOME)):
        row = _rows(control, treated).loc["pupil"]
        assert row["wwc_measure"] == "standardised difference"
        assert row["wwc_effect_size"] == row["standardised_difference"]
        assert row["note"].startswith("Cox index infinite, as a share is 0 or 1")
    both = _rows(SOME, [0, 1] * 8).loc["pupil"]
    assert (both["wwc_measure"], both["note"]) == ("Cox index", "")


def test_a_ratio_of_variances_is_nought_or_over_nothing_not_defined() -> None:
    assert _rows(SOME, NONE)["variance_ratio"].tolist() == [0, 0]
    assert _rows(NONE, SOME)["variance_ratio"].isna().all()
    assert _rows(NONE, ALL)["variance_ratio"].isna().all()


def test_means_of_schools_are_compared_as_numbers_and_have_no_band() -> None:
    # Means of the four schools with some: 1/4, 1/2, 1/4, 1/2.
    sd = sqrt(4 * 0.125**2 / 3)
    row = _rows(SOME, NONE).loc["school"]
    assert row["sd_control"] == pytest.approx(sd)
    assert row["standardised_difference"] == pytest.approx(-SHARE / sqrt(3 * sd**2 / 6))
    assert row["wwc_effect_size"] == pytest.approx(
        row["standardised_difference"] * (1 - 3 / (4 * 8 - 9))
    )
    assert (row["band"], row["wwc_band"]) == ("", "")


@pytest.mark.parametrize(("control", "treated", "sign"), [(NONE, ALL, 1), (ALL, NONE, -1)])
@pytest.mark.parametrize("blocks", [1, 2])
def test_a_flag_that_differs_and_varies_in_neither_arm_is_infinitely_apart_without_a_test(
    control: list[int], treated: list[int], sign: int, blocks: int
) -> None:
    rows = _rows(control, treated, blocks)
    assert list(rows.index) == ["pupil", "school"]
    for _, row in rows.iterrows():
        assert (row["difference"], row["sd_used"]) == (sign, 0)
        assert row["standardised_difference"] == row["wwc_effect_size"] == sign * inf
        assert row["adjusted_difference"] == pytest.approx(sign)
        assert row["adjusted_standardised"] == sign * inf
        assert row["adjusted_std_error"] == 0
        assert isnan(row["adjusted_p_value"])
        assert row["note"] == (
            "infinite: each group has one value, and they differ; varies in neither group: no test"
        )
        assert row["distribution_distance"] == 1
    assert rows.loc["pupil", "band"] == rows.loc["pupil", "wwc_band"] == "not satisfied"


@pytest.mark.parametrize("values", [NONE, ALL])
def test_a_flag_that_is_the_same_for_all_is_balanced(values: list[int]) -> None:
    row = _rows(values, values).loc["pupil"]
    assert (row["difference"], row["standardised_difference"]) == (0, 0)
    assert (row["band"], row["wwc_band"]) == ("satisfied", "satisfied")
    assert row["note"] == "the same for all"


def test_a_flag_that_nobody_of_an_arm_has_is_not_defined() -> None:
    frame = _frame(SOME, NONE)
    frame["flag"] = frame["flag"].where(frame["treated"] == 0)
    row = balance_table(balance_rows(frame, SETTINGS, 2019), SETTINGS, {}).iloc[0]
    assert (row["n_control"], row["n_treated"], row["missing_treated"]) == (16, 0, 16)
    assert isnan(row["standardised_difference"])
    assert (row["band"], row["wwc_band"]) == ("not defined", "not defined")
    assert row["note"] == "not known: no pupil of the intervention group has a value"


def test_one_value_in_each_arm_has_no_sd_and_is_said_to_have_none() -> None:
    frame = _frame(SOME, NONE)
    frame["flag"] = frame["flag"].where(frame.index.isin([0, 16]))
    row = balance_table(balance_rows(frame, SETTINGS, 2019), SETTINGS, {}).iloc[0]
    assert isnan(row["standardised_difference"])
    assert row["note"].startswith("not known: one pupil in each group, so there is no SD")


def test_all_covariates_together_are_tested_by_redrawing_and_the_exact_fit_is_named() -> None:
    rows = balance_rows(_frame(NONE, ALL), SETTINGS, 2019)
    found = balance_omnibus(rows, SETTINGS, {})
    # Of the 70 ways to draw four of eight schools, this one and its mirror are as far apart.
    assert found["rerandomisation_p_value"].tolist() == pytest.approx([2 / 70] * 2)
    assert found["f_p_value"].isna().all()
    assert set(found["note"]) == {"F: the covariates predict the group without error"}


def test_covariates_that_do_not_vary_within_blocks_are_said_not_to() -> None:
    rows = balance_rows(_frame(ALL, ALL), SETTINGS, 2019)
    found = balance_omnibus(rows, SETTINGS, {}, redrawing=Redrawing(impossible="not randomised"))
    assert set(found["note"]) == {"not randomised; F: no covariate varies within blocks"}
    assert found["f_p_value"].isna().all()


def test_an_infinite_difference_fails_equivalence_and_takes_two_padlocks() -> None:
    own = BaselineDifference("pupil", "maths", "Maths", -inf, True, True, 16, 0)
    inputs = RatingInputs(
        outcome="maths", randomised=True, assignment_verdict="reproduced from its seed",
        compromised=False, attrition=(LevelAttrition("pupils", 0.3, 0.09, 0.041, "high"),),
        people_attrition=0.0, baseline=(own,), mdes=0.1, satisfied=0.05, adjustable=0.25,
        joined=0.0, changed_arm=0.0,
    )  # fmt: skip
    assert clearinghouse_rating(inputs).rating == NOT
    assert padlocks_of(inputs) == 3


def test_the_joint_test_names_a_covariate_that_nobody_of_an_arm_has() -> None:
    frame = _frame(SOME, SOME)
    settings = {**SETTINGS, "pupil_variables": ["flag", "score"], "school_variables": []}
    frame["score"] = [*range(16), *[float("nan")] * 16]
    found = balance_omnibus(balance_rows(frame, settings, 2019), settings, {}).iloc[0]
    assert "score: not known for anyone in a group, so its balance is not known" in found["note"]
    assert "flag" not in found["note"]


@pytest.mark.parametrize(("treated", "size"), [(0.1, 0.0), (0.3, inf)])
def test_means_of_equal_numbers_are_equal_despite_their_rounding(
    treated: float, size: float
) -> None:
    # Three tenths make a sum of 0.30000000000000004, and a mean that is not a tenth.
    frame = pd.DataFrame({
        "school": [*"AAABCCCD"], "block": "all", "treated": [0.0] * 4 + [1.0] * 4, "year": 2019,
        "flag": [0.1] * 4 + [treated] * 4,
    })  # fmt: skip
    assert frame.groupby("school")["flag"].mean().nunique() > (1 if size == 0 else 2)
    row = balance_table(balance_rows(frame, SETTINGS, 2019), SETTINGS, {}).set_index("level")
    assert row.loc["school", "standardised_difference"] == size
    assert row.loc["school", "sd_used"] == 0
