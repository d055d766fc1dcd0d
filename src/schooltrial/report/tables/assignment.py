"""The checks of the assignment as the report shows them: every test, and its units."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from schooltrial.checks.assignment.chance_tests import OWN
from schooltrial.checks.assignment.criterion import ACCEPTED, DRAWN, OWN_DISTANCE
from schooltrial.document.numbers import number, significant
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.wording import exact, listed, percent, plural, plural_of

TESTS = [
    Column("Check", key="check"),
    Column("Finding", key="finding"),
    Column("Value", "significant", 4, key="value"),
    Column("Threshold", "significant", 4, key="threshold"),
    Column("p", "p", key="p_value"),
    Column("Verdict", key="verdict"),
    Column("Reason", key="reason"),
]

UNITS = [
    Column("Unit", key="unit"),
    Column("Block", optional=True, key="block"),
    Column("Group", optional=True, key="arm"),
    Column("Drawn group", optional=True, key="drawn_arm"),
    Column("Verdict", key="verdict"),
    Column("Reason", optional=True, key="reason"),
]


COUNTED = [
    Column("Group", optional=True, key="arm"),
    Column("Verdict", key="verdict"),
    Column("Remark", key="reason"),
    Column("Number", "count", key="n"),
]

LISTED = re.compile(r"(?P<before>^|: )(?P<names>[^\s,;:]+(?:, [^\s,;:]+)*)(?: and [\d,]+ more)?")
"""Units by name, as a reason begins with them or ends in them."""


MOST = 40
"""Units, and blocks, that a report lists; all are in the files of the check."""


WITHOUT_REMARK = ("both groups present", "all groups present")
"""Verdicts on blocks of which there is nothing more to say."""


REMARKS = {"noted": "with a remark", "passed": "without remark"}
"""Verdict on a unit → what a sentence calls it."""

KINDS, LONGEST = 5, 120
"""Kinds of remark that are counted by name, and letters of each."""


def tests_shown(tests: pd.DataFrame) -> Table:
    """Return every test, counts as counts, and levels with the digits that they have."""
    return tabulate("Every check of the assignment", tests, TESTS)


def without_names(tests: pd.DataFrame, people: Collection[str]) -> pd.DataFrame:
    """Return the tests with reasons that name nobody: a report is passed on.

    Parameters
    ----------
    tests : DataFrame
        With ``reason``.
    people : collection of str
        Identifiers of those who were assigned.
    """
    known = frozenset(people)

    def hidden(found: re.Match[str]) -> str:
        names = found["names"].split(", ")
        if not known.issuperset(names):
            return found[0]
        return f"{found['before']}who they are is in the data file"

    reasons = tests["reason"].astype("object").fillna("")
    return tests.assign(reason=[LISTED.sub(hidden, str(reason)) for reason in reasons])


def remarks_counted(units: pd.DataFrame) -> Table | None:
    """Return how many units have each remark, the commonest first; None if none has any.

    Counts of pupils within a remark are left out, so that they identify nobody.
    """
    rows = units[units["verdict"] != "passed"]
    if rows.empty:
        return None
    reasons = rows["reason"].astype("object").fillna("").astype("str")
    kinds = reasons.str.replace(r"\b[\d,]+ (pupil)s?\b", r"\1s", regex=True)
    by = [rows["arm"], rows["verdict"], kinds.rename("reason")]
    counts = rows.groupby(by, sort=True, dropna=False).size().rename("n").reset_index()
    ordered = counts.sort_values("n", ascending=False, kind="stable").head(MOST)
    return tabulate("Remarks", ordered, COUNTED)


def blocks_shown(blocks: pd.DataFrame, groups: Mapping[str, str], word: str = "block") -> Table:
    """Return how many units each block holds in each group; of many, those with a remark first.

    Parameters
    ----------
    blocks : DataFrame
        As ``checks/assignment.csv`` has them.
    groups : mapping
        Group → its label.
    word : str
        What a block is called.
    """
    if len(blocks) > MOST:
        plain = blocks["verdict"].isin(WITHOUT_REMARK)
        blocks = pd.concat([blocks[~plain], blocks[plain]]).head(MOST)
    arms = [name for name in blocks if name not in ("block", "treated_share", "verdict")]
    columns = [
        Column(word.capitalize(), key="block"),
        *(Column(_heading(str(name), groups), "quantity", key=str(name)) for name in arms),
        Column("Share in intervention", "quantity", 2, key="treated_share"),
        Column("Verdict", key="verdict"),
    ]
    return tabulate(f"Units in each group, by {word}", blocks, columns)


def blocks_left_out(blocks: pd.DataFrame) -> str:
    """Return how many blocks `blocks_shown` leaves out; empty if there are none."""
    more = len(blocks) - MOST
    if more <= 0:
        return ""
    remarks = int((~blocks["verdict"].isin(WITHOUT_REMARK)).sum())
    told = f"{max(remarks - MOST, 0):,}" if remarks > MOST else "none"
    return f"{plural(more, 'block')} more in checks/assignment.csv, {told} of them with a remark."


def _heading(column: str, groups: Mapping[str, str]) -> str:
    """Return the heading of a count: the group's label, or ``Units`` of ``n_units``."""
    name = column.removeprefix("n_")
    label = groups.get(name, name.replace("_", " "))
    return label[:1].upper() + label[1:]


def units_told(verdict: Mapping[str, Any], noun: str) -> str:
    """Return in one sentence how many units were found to be what."""
    counts = {name: n for name, n in verdict["units"].items() if n}
    failed = counts.pop("failed", 0)
    every = failed + sum(counts.values())
    head = f"{failed:,} of {every:,}" if failed else f"None of {every:,}"
    told = "".join(f"; {n:,} {REMARKS.get(name, name)}" for name, n in counts.items())
    return f"{head} {plural_of(noun)} failed a check{told}."


def units_shown(units: pd.DataFrame, word: str = "block") -> Table | None:
    """Return the units with a remark, the worst first, up to ``MOST``; None if there is none."""
    rows = units[units["verdict"] != "passed"].head(MOST)
    columns = [replace(one, name=word.capitalize()) if one.key == "block" else one for one in UNITS]
    return tabulate("Units with a remark", rows, columns) if len(rows) else None


def units_left_out(units: pd.DataFrame) -> str:
    """Return how many units with a remark `units_shown` leaves out, by reason; empty if none."""
    rows = units[units["verdict"] != "passed"].iloc[MOST:]
    if rows.empty:
        return ""
    reasons = rows["reason"].astype("object").fillna("")
    counts = (rows["verdict"].astype("str") + reasons.where(reasons == "", ": " + reasons)).map(
        lambda words: words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
    )
    common = counts.value_counts().head(KINDS)
    told = "; ".join(f"{count:,} {words}" for words, count in common.items())
    others = len(rows) - int(common.sum())
    told += f"; {others:,} with other remarks" if others else ""
    return f"{len(rows):,} more have a remark, and are not listed here: {told}."


DISTANCES = [
    Column("Allocation", key="what"),
    Column("Mahalanobis distance", "number", 2, key="distance"),
    Column("As balanced or better (%)", "percent", 1, key="share"),
]

SHOWN_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of draws whose largest distance the report shows."""

DISTANCE_WORDS = {
    DRAWN: "drawn without the criterion",
    ACCEPTED: "the least balanced that was acceptable",
    OWN_DISTANCE: "the allocation of this study",
}
"""What a distance of ``assignment_distances.csv`` is of, in words."""


def distances_shown(distances: pd.DataFrame) -> Table:
    """Return how far apart the groups are in draws, in the worst accepted, and in this study."""
    kept = (distances["what"] != DRAWN) | distances["share"].isin(SHOWN_SHARES)
    told = distances[kept].sort_values(["share", "distance"], kind="stable")
    return tabulate(
        "Balance of allocations", told.assign(what=told["what"].map(DISTANCE_WORDS)), DISTANCES
    )


def distances_sentence(distances: pd.DataFrame, variables: Sequence[str]) -> str:
    """Return which draws were acceptable, and how balanced the one that was used is.

    Parameters
    ----------
    distances : DataFrame
        ``checks/assignment_distances.csv``.
    variables : sequence of str
        Names of what draws were balanced on.
    """
    rows = distances.set_index("what")[["share", "distance"]]
    accepted, this = rows.loc[ACCEPTED], rows.loc[OWN_DISTANCE]
    return (
        f"Re-randomisation: the {percent(accepted['share'])} of allocations that were most "
        f"balanced on {listed(list(variables))} were acceptable, those with a Mahalanobis distance "
        f"between the groups of at most {number(accepted['distance'], 2)}. The distance of this "
        f"allocation is {number(this['distance'], 2)}; {percent(this['share'])} of those "
        "drawn without the criterion are as balanced or better."
    )


def levels_note(tests: pd.DataFrame, alpha: float) -> str:
    """Return what the thresholds of p-values are, and how they share one level; empty without any.

    Parameters
    ----------
    tests : DataFrame
        ``checks/assignment_tests.csv``.
    alpha : float
        The level that they share.
    """
    drawn = tests[tests["p_value"].notna() & tests["threshold"].notna()]
    if drawn.empty:
        return ""
    own = drawn["check"].astype("str").str.startswith(OWN)
    shared = 2 if own.any() and not own.all() else 1
    half = f"{exact(alpha)} / {shared}" if shared > 1 else exact(alpha)
    parts = [
        f"{half} / {len(rows)} = {significant(rows['threshold'].iloc[0])} for {which}"
        for which, rows in (
            (_each(int(own.sum()), "baseline of a primary outcome"), drawn[own]),
            (_each(int((~own).sum()), f"{'other ' if own.any() else ''}test"), drawn[~own]),
        )
        if len(rows)
    ]
    return (
        "Threshold of a check with a p-value: a smaller p-value puts the allocation in doubt. All "
        f"{len(drawn)} such tests together have the level {exact(alpha)}, which is shared out "
        f"among them (Bonferroni): {'; '.join(parts)}."
    )


def _each(n: int, what: str) -> str:
    """Return whose share of a level it is: that of one test, or of each of several."""
    return f"the {what}" if n == 1 else f"each {what}"
