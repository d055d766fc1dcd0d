"""Leavers, movers and joiners of each group between assignment and the year of the analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schooltrial.data.ledger.log_texts import (
    CLOSED,
    MERGED,
    NO_VALUE,
    NOT_ENROLLED,
    SCHOOLS_WITH_SCORES,
    WITHHELD,
    follow_up_step,
    no_pupil_of,
    not_enrolled_in,
    units_seen,
)
from schooltrial.protocol.content.levels import CLASSES, ROSTER_OF
from schooltrial.wording import plural_of

PLURAL = {unit: plural_of(unit) for unit in ROSTER_OF}


UNIT_STEPS = {
    "school": {
        units_seen("school"): "with pupils",
        SCHOOLS_WITH_SCORES: "with published values",
    },
    "teacher": {units_seen("teacher"): "on the rosters"},
    **{unit: {units_seen(unit): "with pupils"} for unit in CLASSES},
}
"""What was assigned → step of the log at which a year's absent units leave → those who stay.

Pupils who were themselves assigned leave at a step of each year, see `_steps`.
"""


IN_A_BOX = {
    **{no_pupil_of(unit): "with no pupil in the sample of {year}" for unit in ("school", *CLASSES)},
    NO_VALUE: "with no published value in {year}",
    WITHHELD: "with suppressed values only in {year}",
    CLOSED: "that had closed by {year}",
    MERGED: "merged by {year} with another school of the study",
    NOT_ENROLLED: "without an enrolment record in the study in {year}",
}
"""Reason in the log, where the year is a column → how a box of the flow says it."""


@dataclass(frozen=True)
class FollowUp:
    """The data behind the lines of a group.

    Attributes
    ----------
    arm : str
        Name of the group.
    flow : DataFrame
        The ledger's flow of the group.
    unit : str
        What was assigned.
    baseline : int
        Baseline year.
    gone : int or None
        Units of the group without any data; None where the protocol names none in any group.
    in_schools : bool
        Whether the trial has schools; no line mentions them if not.
    is_control : bool
        Whether it is the control group.
    """

    arm: str
    flow: pd.DataFrame
    unit: str
    baseline: int
    gone: int | None
    in_schools: bool = True
    is_control: bool = False

    def line(
        self, year: int, level: str, kind: str, text: str, n: int, step: str = "", reason: str = ""
    ) -> dict[str, Any]:
        """Return a line of the box of those followed up."""
        return {
            "stage": "followed up", "arm": self.arm, "outcome": "", "year": year, "level": level,
            "kind": kind, "text": text, "n": int(n), "step": step, "reason": reason,
        }  # fmt: skip


def followed_up(
    told: FollowUp, samples: Mapping[str, pd.DataFrame], year: int, allocated: int
) -> list[dict[str, Any]]:
    """Return the lines of a group and year: units first, then the people in them.

    Parameters
    ----------
    told : FollowUp
        Data behind the lines of a group.
    samples : mapping of str to DataFrame
        As for ``flow_boxes``.
    year : int
        Year of the analysis.
    allocated : int
        Units allocated to the group.
    """
    rows = _units(told, samples, year, allocated)
    for level in ("pupil", "teacher"):
        sample = samples.get(level)
        if level != told.unit and sample is not None and len(sample):
            rows += _people(told, sample, level, year)
    return rows


def _units(
    told: FollowUp, samples: Mapping[str, pd.DataFrame], year: int, allocated: int
) -> list[dict[str, Any]]:
    unit, rows = told.unit, []
    for step, who in _steps(unit, year).items():
        steps = told.flow[(told.flow["step"] == step) & (told.flow["year"] == year)]
        if steps.empty:
            continue
        left = allocated
        if told.gone is not None:
            text = f"{PLURAL[unit]} with no data received"
            rows.append(told.line(year, unit, "lost", text, told.gone))
            left -= told.gone
        for row in steps.itertuples():
            text = IN_A_BOX.get(str(row.reason), str(row.reason)).format(year=year)
            left -= int(row.left)
            text = f"{PLURAL[unit]} {text}"
            rows.append(told.line(year, unit, "lost", text, row.left, step, row.reason))
        when = f"of {year}" if who == "on the rosters" else f"in {year}"
        rows.append(told.line(year, unit, "in", f"{PLURAL[unit]} {who} {when}", left))
        sample = samples.get("pupil" if unit in CLASSES else unit)
        if unit != "school" and told.in_schools and sample is not None and len(sample):
            there = sample[(sample["year"] == year) & (sample["arm"] == told.arm)]
            schools = there["school"].nunique()
            rows.append(told.line(year, "school", "had", "in schools", schools))
    return rows


def _steps(unit: str, year: int) -> dict[str, str]:
    """Return the steps at which units leave → those who stay."""
    if unit == "pupil":
        return {follow_up_step(None, year): "on the rosters"}
    return UNIT_STEPS[unit]


def _people(told: FollowUp, sample: pd.DataFrame, level: str, year: int) -> list[dict[str, Any]]:
    """Return who left, moved and came since the baseline year, and who is on the year's rosters."""
    arm, whom, since = told.arm, PLURAL[level], told.baseline
    then, now = (
        sample.loc[sample["year"] == at, [level, "arm"]].set_index(level)["arm"].astype("str")
        for at in (since, year)
    )
    there = told.line(
        year, level, "in", f"{whom} on the rosters of {year}", int((now == arm).sum())
    )
    if year == since:
        return [there]
    mine = then[then == arm]
    if year < since or not then.index.isin(now.index).any():
        text = f"{whom} of {since}, who are not followed"
        came = f"other {whom}, on the rosters of {year}"
        return [
            told.line(year, level, "lost", text, len(mine)),
            told.line(year, level, "joined", came, there["n"]),
            there,
        ]
    later = now.reindex(mine.index)
    rows = _left(told, level, year, int(later.isna().sum()))
    before = then.reindex(now.index[now == arm])
    moved = f"a {told.unit} of another group"
    for kind, text, n in (
        ("lost", f"{whom} who moved to {moved}", (later.notna() & (later != arm)).sum()),
        ("joined", f"{whom} who came from {moved}", (before.notna() & (before != arm)).sum()),
        ("joined", f"{whom} who joined since {since}", before.isna().sum()),
    ):
        rows.append(told.line(year, level, kind, text, n))
    return [*rows, there]


def _left(told: FollowUp, level: str, year: int, absent: int) -> list[dict[str, Any]]:
    """Return individuals that the exclusions log lost between the years, else absent ones."""
    step = follow_up_step(told.baseline, year)
    mine = told.flow[(told.flow["step"] == step) & (told.flow["level"] == level)]
    if mine.empty:
        text = f"{PLURAL[level]} {not_enrolled_in(year)}"
        return [told.line(year, level, "lost", text, absent)]
    return [
        told.line(
            year, level, "lost", f"{PLURAL[level]} {row.reason}", row.left, step, str(row.reason)
        )
        for row in mine.itertuples()
    ]
