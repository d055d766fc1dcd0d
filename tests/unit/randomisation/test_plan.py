"""Simple randomisation, and numbers by group that are near their shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.assignment.findings import FAILED, NOTED, PASSED
from schooltrial.checks.assignment.listed_units import check_blocks
from schooltrial.models.assignment.draws import draw_assignments, enumerate_assignments
from schooltrial.randomisation.plan import LotteryPlan, block_faults, lottery_plan, planned_design
from support.sections import design

THREE = [
    {"name": name, "label": name, "share": share}
    for name, share in (("control", 0.5), ("text", 0.3), ("letter", 0.2))
]


def _plan(kind: str, arms: Any = THREE, **draw: Any) -> LotteryPlan:
    return lottery_plan(design(kind=kind, unit="pupil", arms=arms, randomisation=draw))


def _units(counts: Sequence[int], block: str = "a") -> pd.DataFrame:
    names = [arm["name"] for arm in THREE]
    arms = [name for name, n in zip(names, counts, strict=True) for _ in range(n)]
    return pd.DataFrame(
        {"unit": [f"U{at}" for at in range(len(arms))], "block": block, "arm": arms}
    )


def _numbers(units: pd.DataFrame, plan: LotteryPlan) -> str | None:
    tests = {test.check: test.verdict for test in check_blocks(units, plan, "pupil").tests}
    return tests.get("numbers by group as planned")


def test_each_unit_of_simple_randomisation_is_drawn_by_the_shares_and_alone() -> None:
    made = planned_design(_plan("simple"), ["A", "B"], ["x", "x"])
    assert made.possible == 9
    assert made.probabilities() == pytest.approx(np.array([[0.5, 0.3, 0.2]] * 2))
    codes, chance = next(iter(enumerate_assignments(made)))
    share = np.array([0.5, 0.3, 0.2])
    assert chance == pytest.approx(share[codes].prod(axis=1))
    assert chance.sum() == pytest.approx(1)


def test_the_number_treated_of_simple_randomisation_is_binomial() -> None:
    arms = [{**THREE[0], "share": 0.6}, {**THREE[1], "share": 0.4}]
    made = planned_design(_plan("simple", arms), [f"U{at}" for at in range(10)], ["x"] * 10)
    treated = draw_assignments(made, 40_000, np.random.default_rng(1)).sum(axis=1)
    assert treated.mean() == pytest.approx(4, abs=4 * np.sqrt(2.4 / 40_000))
    assert treated.var() == pytest.approx(2.4, rel=0.04)


def test_an_arm_that_simple_randomisation_may_leave_empty_is_a_fault() -> None:
    plan = _plan("simple")  # 0.8 to the power of 20 is 0.012; of 40, 0.00013
    assert [fault.found for fault in block_faults(plan, {"all": 20}, "f")] == [
        "group 'letter' can easily get no units of 20"
    ]
    assert not list(block_faults(plan, {"all": 40}, "f"))


def test_simple_randomisation_has_no_numbers_that_a_list_could_miss() -> None:
    assert _numbers(_units([2, 5, 3]), _plan("simple")) is None


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((5, 3, 2), PASSED), ((6, 2, 2), NOTED), ((4, 4, 2), NOTED), ((7, 2, 1), FAILED),
        ((5, 5, 0), FAILED), ((3, 2, 2), PASSED),
    ],
)  # fmt: skip
def test_numbers_one_off_their_shares_are_noted_and_others_contradict_the_plan(
    counts: tuple[int, ...], verdict: str
) -> None:
    assert _numbers(_units(counts), _plan("blocked")) == verdict


def test_numbers_that_are_planned_one_by_one_are_exact() -> None:
    plan = _plan("blocked", allocation={"a": [5, 3, 2]})
    assert _numbers(_units([6, 2, 2]), plan) == FAILED
