"""The list of assignments as it stands: units twice, arms and blocks that the design does not know.

Nothing here needs chance: each finding is a fact about the list, which is named with its units.
What is left after the faulty rows are set aside can still be tested.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from schooltrial.checks.assignment.findings import (
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
    """Check that each unit stands once, in an arm of the design."""
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
            reason=named(twice.index) and f"{named(twice.index)}; those in two arms are set aside",
        )
    )  # fmt: skip
    unknown = units[~units["arm"].isin(plan.arms)]
    for name, arm in zip(unknown["unit"], unknown["arm"], strict=True):
        found.about([name], FAILED, f"arm {arm!r} is not of the design")
    found.tests.append(
        Finding(
            "arms of the design", f"{plural(len(unknown), noun)} in an unknown arm",
            FAILED if len(unknown) else PASSED, len(unknown), 0,
            reason=f"{named(unknown['unit'])}; the design has {', '.join(plan.arms)}"
            if len(unknown) else "",
        )
    )  # fmt: skip
    return found


def check_blocks(
    units: pd.DataFrame, plan: LotteryPlan, noun: str, *, by_lot: bool = True
) -> Findings:
    """Check the numbers by arm of every block against the plan, and name blocks of one arm.

    Without a lottery there is no plan: blocks that lack an arm are named, and that is all.
    """
    found = Findings()
    impossible = list(plan_faults(plan)) if by_lot else []
    for fault in impossible:
        found.tests.append(Finding("planned shares", fault.found, FAILED, reason=fault.remedy))
    counts = pd.crosstab(units["block"], units["arm"]).reindex(
        columns=list(plan.arms), fill_value=0
    )
    lone = counts.index[(counts > 0).sum(axis=1) < 2]
    inside = _by_block(units)
    for block in lone:
        found.about(
            inside[block], NOTED, f"block {block} has one arm only: it informs no comparison"
        )
    found.tests.append(
        Finding(
            "blocks with two arms", f"{plural(len(lone), 'block')} with one arm only",
            NOTED if len(lone) else PASSED, len(lone), 0,
            reason=f"{named(lone)}: left out of comparisons within blocks" if len(lone) else "",
        )
    )  # fmt: skip
    if by_lot and plan.kind == "paired":
        found.add(_check_sets(units, counts, plan, noun))
    found.add(_check_arms_of_blocks(counts, plan))
    if by_lot and not impossible:
        if not plan.simple:
            found.add(_check_counts(units, counts, plan, noun))
        found.tests.append(_ratio(counts, plan))
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
        found.about(inside[block], NOTED, f"set {block} holds {n}, not {len(plan.arms)}")
    told = ", ".join(f"{block} ({n})" for block, n in list(odd.items())[:6])
    found.tests.append(
        Finding(
            "sets of one unit per arm", f"{plural(len(odd), 'set')} of another size",
            NOTED if len(odd) else PASSED, len(odd), 0,
            reason=f"{told}: analysed as blocks, with the numbers by arm that were drawn"
            if len(odd) else "",
        )
    )  # fmt: skip
    return found


def _check_arms_of_blocks(counts: pd.DataFrame, plan: LotteryPlan) -> Findings:
    """Name the arms that have no unit in a block that holds at least two others."""
    lacking = [
        f"{block} lacks {arm}"
        for block, row in zip(counts.index, counts.to_numpy(), strict=True)
        if (row > 0).sum() >= 2
        for arm, n in zip(plan.arms, row, strict=True)
        if n == 0
    ]
    verdict = NOTED if lacking else PASSED
    told = "each arm is in each block" if not lacking else f"{len(lacking)} arms are absent"
    reason = f"{named(lacking)}: such a block informs the other comparisons" if lacking else ""
    return Findings([Finding("arms in blocks", told, verdict, len(lacking), 0, reason=reason)])


def _check_counts(
    units: pd.DataFrame, counts: pd.DataFrame, plan: LotteryPlan, noun: str
) -> Findings:
    found, inside = Findings(), _by_block(units)
    other: list[str] = []
    near: list[str] = []
    for block, row in zip(counts.index, counts.to_numpy(), strict=True):
        n, drawn = int(row.sum()), tuple(row.tolist())
        planned = [numbers for numbers, _ in plan.options(str(block), n)]
        if n and drawn not in planned:
            rounded = _is_rounded(drawn, plan, str(block))
            (near if rounded else other).append(str(block))
            expected = " or ".join("/".join(map(str, numbers)) for numbers in planned)
            told = f"block {block} has {'/'.join(map(str, drawn))}, planned {expected}"
            found.about(inside[block], FAILED if plan.declared and not rounded else NOTED, told)
    unplanned = "" if plan.declared else " (no shares are declared: all arms are taken alike)"
    found.tests.append(
        Finding(
            "numbers by arm as planned", f"{plural(len(other), 'block')} with other numbers",
            (FAILED if plan.declared else DOUBT) if other else NOTED if near else PASSED,
            len(other), 0,
            reason=f"{named(other)}, in the order {', '.join(plan.arms)}{unplanned}"
            if other else f"within one unit of the shares: {named(near)}" if near else "",
        )
    )  # fmt: skip
    return found


def _is_rounded(drawn: Sequence[int], plan: LotteryPlan, block: str) -> bool:
    """Return whether numbers by arm are those of the shares, but for one unit more or less.

    A share of a block is seldom a whole number of units, and what is left over is given to arms in
    one way or another. Sets, and blocks whose numbers are planned one by one, are exact; so is an
    arm that was to have units and has none.
    """
    if plan.kind not in ("complete", "blocked") or block in plan.planned:
        return False
    expected = plan.expected(block, sum(drawn))
    off = np.abs(np.array(drawn) - expected)
    return bool((off <= 1 + 1e-9).all()) and all(
        k > 0 for k, e in zip(drawn, expected, strict=True) if e >= 1
    )


def _ratio(counts: pd.DataFrame, plan: LotteryPlan) -> Finding:
    """Return the sample-ratio test of all units; the level is set when all tests are known."""
    total = [int(counts[arm].sum()) for arm in plan.arms]
    if sum(total) == 0:
        return Finding("sample ratio", "no unit is in an arm of the design", UNTESTED)
    planned = np.zeros(len(plan.arms))
    for block, n in counts.sum(axis=1).items():
        planned += plan.expected(str(block), int(n))
    if min(planned) <= 0:
        return Finding("sample ratio", "an arm is planned no units", UNTESTED)
    test = sample_ratio_test(total, planned / planned.sum())
    return Finding(
        "sample ratio",
        f"{'/'.join(map(str, total))}, expected {'/'.join(f'{k:g}' for k in planned.round(2))}",
        UNTESTED, total[0] / sum(total), p=test.p_value,
        reason=f"{test.method}; each unit drawn on its own"
        + ("" if plan.simple else ", which is conservative here"),
    )  # fmt: skip


def check_frame(units: pd.DataFrame, frame: Iterable[str] | None, what: str, noun: str) -> Findings:
    """Name the units of the list that are not in the frame, and those of the frame not assigned."""
    if frame is None:
        told = f"no {what} was given"
        return Findings([Finding(f"{plural_of(noun)} of the {what}", told, UNTESTED)])
    found = Findings()
    known, listed = {str(unit) for unit in frame}, set(units["unit"])
    outside, left = sorted(listed - known), sorted(known - listed)
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


def check_dates(
    units: pd.DataFrame, date: str, first_outcome: Mapping[str, pd.Timestamp] | None, noun: str
) -> Findings:
    """Name the units that were drawn after the first day on which their outcome was measured."""
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
        found.about([units.loc[at, "unit"]], FAILED, told)
    known = int((drawn.notna() & tested.notna()).sum())
    found.tests.append(
        Finding(
            check, f"{plural(len(late), noun)} drawn later, of {known} with both dates",
            FAILED if len(late) else PASSED if known else UNTESTED, len(late), 0,
            reason=named(late["unit"]),
        )
    )  # fmt: skip
    return found
