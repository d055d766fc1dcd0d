"""The places of each block in the list itself: the plan that its numbers must match."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from schooltrial.checks.assignment.findings import FAILED, PASSED, UNTESTED, Finding
from schooltrial.randomisation.plan import LotteryPlan
from schooltrial.wording import named, plural

CHECK = "places of each block"


def plan_with_places(
    plan: LotteryPlan, listed: pd.DataFrame, places: pd.Series
) -> tuple[LotteryPlan, Finding]:
    """Return the plan with the numbers by group that the places of a list make, and what was found.

    Parameters
    ----------
    plan : LotteryPlan
        The design's plan, of two groups.
    listed : DataFrame
        One row per row of the list: ``unit, block, arm``.
    places : Series
        The number of units of the block that were to have the second group, a row for each of
        ``listed``.

    Notes
    -----
    A block whose rows disagree, lack a number or name more places than it has units has no plan.
    """
    rows = listed[["unit", "block"]].assign(places=places.to_numpy())
    blocks = rows.groupby("block", sort=True).agg(
        units=("unit", "nunique"), told=("places", "nunique"),
        empty=("places", lambda column: column.isna().any()),
        least=("places", "min"), most=("places", "max"),
    )  # fmt: skip
    wrong = {
        "with more than one number": blocks["told"] > 1,
        "without a number in some rows": blocks["empty"].astype(bool) & (blocks["told"] <= 1),
        "with fewer places than 0 or more than units": (blocks["told"] == 1)
        & ((blocks["least"] < 0) | (blocks["most"] > blocks["units"])),
    }
    bad = pd.Series(False, index=blocks.index)
    faults = []
    for what, which in wrong.items():
        if which.any():
            faults.append(
                f"{plural(int(which.sum()), 'block')} {what} ({named(which[which].index)})"
            )
        bad |= which
    planned = {
        str(row.Index): (int(row.units - row.most), int(row.most))
        for row in blocks[~bad].itertuples()
    }
    if not len(blocks):
        return plan, Finding(CHECK, "the list has no units", UNTESTED)
    found = Finding(
        CHECK,
        "; ".join(faults) or f"{plural(len(blocks), 'block')}, each with one number of places",
        FAILED if faults else PASSED,
        reason="every row of a block names the same number of places, none of them more than units"
        if faults else "",
    )  # fmt: skip
    return replace(plan, declared=True, planned=planned), found
