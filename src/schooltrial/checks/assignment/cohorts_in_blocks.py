"""Cohorts that were randomised: how each block is divided among them.

A list that draws when schools begin, and not only whether they do, is tested by its cohorts: a
re-draw exchanges the first years within blocks, the control group being one more of them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from schooltrial.checks.assignment.findings import NOTED, PASSED, Finding, Findings
from schooltrial.models.assignment.design import arrangement_count
from schooltrial.randomisation.plan import LotteryPlan
from schooltrial.wording import listed, named, plural

CHECK = "cohorts within blocks"

_COUNTED_UP_TO = 1e6  # more assignments than this are not listed one by one, and not counted here


def labelled_by_cohort(
    units: pd.DataFrame, plan: LotteryPlan
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the units with their cohort in the place of their group, and these labels in order.

    Parameters
    ----------
    units : DataFrame
        ``unit, block, arm`` and, where it was drawn, ``cohort`` (missing: never).
    plan : LotteryPlan
        With several programmes the label names the group too. Draws that were repeated until arms
        were balanced are re-drawn by group: the criterion knows nothing of cohorts.
    """
    if "cohort" not in units or plan.rerandomised:
        return units, plan.arms
    began = units["cohort"].notna()
    year = units["cohort"].where(began, 0).astype("int64").astype("str")
    label = year if len(plan.arms) == 2 else units["arm"] + " " + year
    found = units.assign(arm=label.where(began, units["arm"]))
    control = plan.arms[0]
    others = sorted(set(found["arm"]) - {control})
    return found, (control, *others) if (found["arm"] == control).any() else tuple(others)


def check_cohorts(units: pd.DataFrame, plan: LotteryPlan, noun: str) -> Findings:
    """Name the blocks in which a cohort has more or fewer units than its share of all units.

    Shares of cohorts are not declared, so that numbers that differ are noted and contradict
    nothing: a block that lacks a cohort cannot be re-drawn into it, and informs nothing of it
    within blocks.
    """
    if "cohort" not in units or not len(units):
        return Findings()
    found, labels = labelled_by_cohort(units, plan)
    counts = pd.crosstab(found["block"], found["arm"]).reindex(columns=list(labels), fill_value=0)
    numbers = counts.to_numpy()
    expected = np.outer(numbers.sum(axis=1), numbers.sum(axis=0) / numbers.sum())
    odd = np.abs(numbers - expected) >= 1 + 1e-9
    uneven = counts.index[odd.any(axis=1)]
    many = np.prod([float(arrangement_count(tuple(row))) for row in numbers.tolist()])
    draws = f"{many:,.0f}" if many <= _COUNTED_UP_TO else "more than a million"
    told = (
        f"{plural(len(labels), 'group')} ({', '.join(labels)}) in {plural(len(counts), 'block')}: "
        f"{draws} assignments with the same numbers"
    )
    by_block = (
        f"{block} has {listed([f'{n} of {label}' for label, n in zip(labels, row, strict=True)])}"
        for block, row in zip(uneven, numbers[odd.any(axis=1)].tolist(), strict=True)
    )
    reason = (
        f"other numbers than the shares of all {noun}s would give: {named(by_block)}; no shares of "
        "cohorts are declared"
    )
    return Findings([
        Finding(
            CHECK, told, NOTED if len(uneven) else PASSED, len(uneven), 0,
            reason=reason if len(uneven) else "",
        )
    ])  # fmt: skip
