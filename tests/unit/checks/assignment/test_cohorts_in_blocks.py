"""Lists that draw when schools begin: tested by cohort, and uneven blocks are named."""

from __future__ import annotations

import numpy as np
import pandas as pd

from schooltrial.checks.assignment.chance_tests import Redraws
from schooltrial.checks.assignment.cohorts_in_blocks import CHECK
from schooltrial.checks.assignment.unit_attributes import KnownOfUnits
from schooltrial.checks.assignment.verdict import AssignmentVerdict, verify_assignment
from support.sections import design

ARMS = [{"name": "later"}, {"name": "programme"}]


def _list(by_block: dict[str, list[int]]) -> pd.DataFrame:
    """Return a list with so many schools of each first year (0: never) in each block."""
    rows = [(block, year) for block, years in by_block.items() for year in years]
    cohort = pd.array([year or None for _, year in rows], "Int64")
    return pd.DataFrame({
        "school": [f"S{at:02d}" for at in range(len(rows))],
        "block": [block for block, _ in rows],
        "arm": np.where(cohort.isna(), "later", "programme"),
        "cohort": cohort,
    })  # fmt: skip


def _verify(listed: pd.DataFrame, scores: np.ndarray | None = None) -> AssignmentVerdict:
    known = KnownOfUnits()
    if scores is not None:
        baselines = pd.DataFrame({"score": scores}, index=listed["school"])
        known = KnownOfUnits(covariates=baselines, baselines=baselines)
    stated = design(kind="staggered", arms=[{**design()["arms"][at], **arm}
                                            for at, arm in enumerate(ARMS)])  # fmt: skip
    return verify_assignment(listed, stated, known=known, redraws=Redraws(draws=999))


def _row(found: AssignmentVerdict, check: str) -> pd.Series:
    rows = found.tests.set_index("check")
    return rows.loc[check]


def _mixed(year: int) -> list[int]:
    return [year, 0, 0, year, 0, year, year, 0]


EVEN = [2023, 0, 2024, 0]


def test_even_blocks_pass_and_the_assignments_that_a_redraw_could_give_are_counted() -> None:
    found = _row(_verify(_list({"north": EVEN, "south": EVEN, "west": EVEN})), CHECK)
    assert found["verdict"] == "passed"
    assert "3 groups (later, 2023, 2024) in 3 blocks: 1,728 assignments" in found["finding"]


def test_a_block_with_other_numbers_of_a_cohort_is_named_and_contradicts_nothing() -> None:
    listed = _list({"north": _mixed(2023), "south": _mixed(2024)})
    verdict = _verify(listed)
    found = _row(verdict, CHECK)
    assert found["verdict"] == "noted"
    assert "north has 4 of later, 4 of 2023 and 0 of 2024" in found["reason"]
    assert verdict.verdict == "consistent with the planned randomisation"


def test_a_list_whose_first_cohort_was_chosen_by_its_scores_is_in_doubt() -> None:
    """By arm nothing shows: the highest began first, the lowest last, the middle never."""
    years = [2023] * 8 + [0] * 16 + [2024] * 8
    order = np.random.default_rng(4).permutation(32)
    listed = _list({"all": [years[at] for at in order]})
    scores = np.array([32.0 - at for at in order])
    by_cohort = _row(_verify(listed, scores), "baseline of score")
    assert by_cohort["verdict"] == "in doubt"
    assert by_cohort["p_value"] <= 0.001
    alike = _row(_verify(listed.drop(columns="cohort"), scores), "baseline of score")
    assert alike["verdict"] == "passed"


def test_a_design_without_cohorts_says_nothing_of_them() -> None:
    listed = _list({"north": EVEN}).drop(columns="cohort")
    assert CHECK not in set(_verify(listed).tests["check"])


def test_a_list_on_which_everyone_begins_is_tested_by_its_cohorts_and_no_arm_is_missed() -> None:
    years = [2023, 2024, 2025, 2024] * 3
    found = _verify(_list({"north": years, "south": years}))
    assert "3 groups (2023, 2024, 2025) in 2 blocks" in _row(found, CHECK)["finding"]
    assert _row(found, "blocks with two groups")["verdict"] == "not tested"
    assert "numbers by group as planned" not in set(found.tests["check"])
    assert set(found.units["verdict"]) == {"passed"}
