"""The allocation list as given: repeated units, unknown groups and blocks.

Nothing here needs chance: each finding is a fact about the list, which is named with its units.
What is left after the faulty rows are set aside can still be tested.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from schooltrial.checks.assignment.findings import (
    ALL_ENTER,
    DOUBT,
    FAILED,
    NOTED,
    PASSED,
    UNTESTED,
    Finding,
    Findings,
)
from schooltrial.models.assignment.sample_ratio import sample_ratio_test
from schooltrial.randomisation.plan import LotteryPlan, plan_faults
from schooltrial.wording import named, plural, plural_of


def check_list(units: pd.DataFrame, plan: LotteryPlan, noun: str) -> Findings:
    """Check that each unit is listed once, in a group of the design."""
    found = Findings()
    rows = units.groupby("unit").agg(
        rows=("arm", "size"),
        arms=("arm", lambda arms: " and ".join(sorted(set(arms)))),
        differ=("arm", "nunique"),
    )
    twice = rows[rows["rows"] > 1]
    for name, row in twice.iterrows():
        told = f"assigned {row['rows']} times, to {row['arms']}"
        found.about([str(name)], FAILED, told)
    found.tests.append(
        Finding(
            "assigned once", f"{plural(len(twice), noun)} assigned more than once",
            FAILED if len(twice) else PASSED, len(twice), 0,
            reason=named(twice.index)
            and f"{named(twice.index)}; those in two groups are set aside",
        )
    )  # fmt: skip
    unknown = units[~units["arm"].isin(plan.arms)]
    for name, arm in zip(unknown["unit"], unknown["arm"], strict=True):
        found.about([name], FAILED, f"group {arm!r} is not of the design")
    found.tests.append(
        Finding(
            "groups of the design", f"{plural(len(unknown), noun)} in an unknown group",
            FAILED if len(unknown) else PASSED, len(unknown), 0,
            reason=f"{named(unknown['unit'])}; the design has {', '.join(plan.arms)}"
            if len(unknown) else "",
        )
    )  # fmt: skip
    return found


def check_blocks(
    units: pd.DataFrame, plan: LotteryPlan, noun: str, *, by_lot: bool = True
) -> Findings:
    """Check the numbers by group of every block against the plan, and name blocks of one group.

    Without a lottery there is no plan: blocks that lack a group are named, and that is all.
    """
    found = Findings()
    impossible = list(plan_faults(plan)) if by_lot else []
    for fault in impossible:
        found.tests.append(Finding("planned shares", fault.found, FAILED, reason=fault.remedy))
    counts = pd.crosstab(units["block"], units["arm"]).reindex(
        columns=list(plan.arms), fill_value=0
    )
    if plan.kind == "staggered" and not counts[plan.arms[0]].any():
        found.tests.append(Finding("blocks with two groups", ALL_ENTER, UNTESTED))
        return found
    found.add(_check_lone(units, counts))
    if by_lot and plan.kind == "paired":
        found.add(_check_sets(units, counts, plan, noun))
    found.add(_check_arms_of_blocks(counts, plan))
    if by_lot and not impossible:
        if not plan.simple:
            found.add(_check_counts(units, counts, plan, noun))
        found.tests.append(_ratio(counts, plan))
    return found


def _check_lone(units: pd.DataFrame, counts: pd.DataFrame) -> Findings:
    """Name the blocks of one group, and their units."""
    found, inside = Findings(), _by_block(units)
    lone = counts.index[(counts > 0).sum(axis=1) < 2]
    for block in lone:
        found.about(
            inside[block],
            NOTED,
            f"block {block} has one group only and does not contribute to the estimate",
        )
    found.tests.append(
        Finding(
            "blocks with two groups", f"{plural(len(lone), 'block')} with one group only",
            NOTED if len(lone) else PASSED, len(lone), 0,
            reason=f"{named(lone)}: left out of comparisons within blocks" if len(lone) else "",
        )
    )  # fmt: skip
    return found


def _by_block(units: pd.DataFrame) -> dict[str, list[str]]:
    """Return block → its units, in the order of the list."""
    inside: dict[str, list[str]] = {}
    for block, unit in zip(units["block"], units["unit"], strict=True):
        inside.setdefault(block, []).append(unit)
    return inside


def _check_sets(
    units: pd.DataFrame, counts: pd.DataFrame, plan: LotteryPlan, noun: str
) -> Findings:
    found = Findings()
    size = counts.sum(axis=1)
    planned = [block in plan.planned for block in counts.index]
    odd = size[(size != len(plan.arms)) & ~np.array(planned, dtype=bool)]
    inside = _by_block(units)
    for block, n in odd.items():
        found.about(inside[block], NOTED, f"set {block} has {n} units, not {len(plan.arms)}")
    told = named(f"{block} ({n})" for block, n in odd.items())
    found.tests.append(
        Finding(
            "sets of one unit per group", f"{plural(len(odd), 'set')} of another size",
            NOTED if len(odd) else PASSED, len(odd), 0,
            reason=f"{told}: analysed as blocks, with their own numbers by group"
            if len(odd) else "",
        )
    )  # fmt: skip
    return found


def _check_arms_of_blocks(counts: pd.DataFrame, plan: LotteryPlan) -> Findings:
    """Name the groups that have no unit in a block that holds at least two others."""
    lacking = [
        f"{block} lacks {arm}"
        for block, row in zip(counts.index, counts.to_numpy(), strict=True)
        if (row > 0).sum() >= 2
        for arm, n in zip(plan.arms, row, strict=True)
        if n == 0
    ]
    verdict = NOTED if lacking else PASSED
    told = "each group is in each block" if not lacking else f"{len(lacking)} groups are absent"
    reason = (
        f"{named(lacking)}: such a block contributes to the other comparisons only"
        if lacking
        else ""
    )
    return Findings([Finding("groups in blocks", told, verdict, len(lacking), 0, reason=reason)])


def _check_counts(
    units: pd.DataFrame, counts: pd.DataFrame, plan: LotteryPlan, noun: str
) -> Findings:
    found, inside, rounds = Findings(), _by_block(units), _rounds(units)
    other: list[str] = []
    near: list[str] = []
    for block, row in zip(counts.index, counts.to_numpy(), strict=True):
        n, drawn = int(row.sum()), tuple(row.tolist())
        planned = [numbers for numbers, _ in plan.options(str(block), n)]
        if n and drawn not in planned:
            rounded = _is_rounded(drawn, plan, str(block), rounds.get(str(block), 1))
            (near if rounded else other).append(str(block))
            expected = " or ".join("/".join(map(str, numbers)) for numbers in planned)
            told = f"block {block} has {'/'.join(map(str, drawn))}, planned {expected}"
            firm = plan.declared and not rounded
            found.about(inside[block], FAILED if firm else NOTED, told)
    unplanned = (
        ""
        if plan.declared
        else "; no shares are declared (`share` under `design.arms`), so that "
        "no other numbers were planned"
    )
    paired = plan.kind == "paired"  # a pair has one unit of each arm, whatever is declared
    verdict = FAILED if plan.declared else DOUBT if paired else NOTED
    found.tests.append(
        Finding(
            "numbers by group as planned", f"{plural(len(other), 'block')} with other numbers",
            verdict if other else NOTED if near else PASSED, len(other), 0,
            reason=f"{named(other)}, in the order {', '.join(plan.arms)}"
            f"{'' if paired else unplanned}"
            if other else f"within one unit of the shares: {named(near)}" if near else "",
        )
    )  # fmt: skip
    return found


def _rounds(units: pd.DataFrame) -> dict[str, int]:
    """Return in how many rounds, on different days, the units of each block were drawn."""
    if "drawn" not in units:
        return {}
    days = units.groupby("block")["drawn"].nunique()
    return {str(block): max(int(n), 1) for block, n in days.items()}


def _is_rounded(drawn: Sequence[int], plan: LotteryPlan, block: str, rounds: int) -> bool:
    """Return whether numbers by group are those of the shares, but for one unit more or less.

    A share of a block is seldom a whole number of units, and what is left over is given to arms in
    one way or another, in each round of the draw; where it is given across small blocks, a block of
    two may have both its units in one group. Shares may be rounded themselves: .33 is a third.
    Pairs, and blocks whose numbers are planned one by one, are exact.
    """
    n = sum(drawn)
    if block in plan.planned or (plan.kind == "paired" and n == len(plan.arms)):
        return False
    return any(
        bool((np.abs(np.array(drawn) - expected) <= rounds + 1e-9).all())
        for expected in (plan.expected(block, n), plan.expected_as_fractions(block, n))
    )


def _ratio(counts: pd.DataFrame, plan: LotteryPlan) -> Finding:
    """Return the sample-ratio test of all units; the level is set when all tests are known."""
    total = [int(counts[arm].sum()) for arm in plan.arms]
    if sum(total) == 0:
        return Finding("sample ratio", "no unit is in a group of the design", UNTESTED)
    sizes = counts.sum(axis=1)
    planned, fractions = np.zeros(len(plan.arms)), np.zeros(len(plan.arms))
    for block, n in sizes.items():
        planned += plan.expected(str(block), int(n))
        fractions += plan.expected_as_fractions(str(block), int(n))
    if min(planned) <= 0:
        return Finding("sample ratio", "a group is planned no units", UNTESTED)
    tests = [sample_ratio_test(total, each / each.sum()) for each in (planned, fractions)]
    test = max(tests, key=lambda one: one.p_value)
    return Finding(
        "sample ratio",
        f"{'/'.join(map(str, total))}, expected {'/'.join(f'{k:g}' for k in planned.round(2))}",
        UNTESTED, total[0] / sum(total), p_value=test.p_value,
        reason=f"{test.method}; each unit drawn on its own"
        + ("" if plan.simple else ", which is conservative here"),
    )  # fmt: skip


def check_frame(
    units: pd.DataFrame, frame: Iterable[str] | None, what: str, noun: str,
    late: Collection[str] = (),
) -> Findings:  # fmt: skip
    """Name the units of the list that are not in the frame, and those of the frame not assigned.

    Units that were drawn ``late``, in a round after that of the frame, are not expected in it.
    """
    if frame is None:
        told = f"no {what} was given"
        return Findings([Finding(f"{plural_of(noun)} of the {what}", told, UNTESTED)])
    found = Findings()
    known, listed = {str(unit) for unit in frame}, set(units["unit"])
    outside, left = sorted(listed - known - set(late)), sorted(known - listed)
    found.about(outside, FAILED, f"not in the {what}")
    found.about(left, NOTED, f"in the {what}, and not assigned")
    told = f"{plural(len(outside), noun)} outside it, {len(left)} not assigned"
    verdict = FAILED if outside else NOTED if left else PASSED
    reason = "; ".join(
        f"{word}: {named(names)}" for word, names in (("outside", outside), ("not assigned", left))
        if names
    )  # fmt: skip
    found.tests.append(
        Finding(f"{plural_of(noun)} of the {what}", told, verdict, len(outside), 0, reason=reason)
    )
    return found


def drawn_late(units: pd.DataFrame, date: str) -> list[str]:
    """Return the units that the list says were drawn after a day, in a later round."""
    if "drawn" not in units or not date:
        return []
    return list(units["unit"][units["drawn"] > pd.Timestamp(date)])


def check_dates(
    units: pd.DataFrame, date: str, first_outcome: Mapping[str, pd.Timestamp] | None, noun: str,
    *, in_rounds: bool = False,
) -> Findings:  # fmt: skip
    """Name the units that were drawn after the first day on which their outcome was measured.

    Where units are drawn in rounds, as in a staggered design, those of a later round have outcomes
    of the years before it: they are named, and contradict nothing.
    """
    check = "drawn before the first outcome"
    if not first_outcome or ("drawn" not in units and not date):
        lacking = "dates of outcomes" if not first_outcome else "a date of the draw"
        return Findings([Finding(check, f"there are no {lacking}", UNTESTED)])
    found = Findings()
    drawn = units["drawn"] if "drawn" in units else pd.Series(pd.NaT, index=units.index)
    drawn = drawn.fillna(pd.Timestamp(date)) if date else drawn
    tested = units["unit"].map(dict(first_outcome))
    late = units[(drawn > pd.to_datetime(tested)).to_numpy()]
    for at in late.index:
        told = f"drawn {drawn[at]:%Y-%m-%d}, after the outcome of {tested[at]:%Y-%m-%d}"
        found.about([units.loc[at, "unit"]], NOTED if in_rounds else FAILED, told)
    known = int((drawn.notna() & tested.notna()).sum())
    found.tests.append(
        Finding(
            check, f"{plural(len(late), noun)} drawn later, of {known} with both dates",
            (NOTED if in_rounds else FAILED) if len(late) else PASSED if known else UNTESTED,
            len(late), 0, reason=named(late["unit"]),
        )
    )  # fmt: skip
    return found
