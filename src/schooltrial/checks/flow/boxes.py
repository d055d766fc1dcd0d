"""The flow of schools and people through the trial, box by box, as CONSORT draws it.

The boxes are those of CONSORT 2025 with its extension to cluster trials (2012): units and people
at assignment, allocation, follow-up and analysis, by group, with the losses at each level and their
reasons, zeros shown. Every number comes from the ledger's flow, the rosters or the sample, and
within a box what came in, less those lost, and those who joined, is what the next line holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.checks.flow.analysed import count_analysed
from schooltrial.checks.flow.follow_up import PLURAL, FollowUp, followed_up

COLUMNS = [
    "stage", "arm", "outcome", "year", "level", "kind", "text", "n", "step", "reason", "model",
]  # fmt: skip


ALL = "all"
"""Arm of the boxes before allocation."""


RECEIVED = "of them received the programme"


NOT_RECEIVED = "of them did not receive it"


NOT_KNOWN = "of them not known to have received it or not"


SIGNS = {"lost": "− ", "joined": "+ ", "in": "", "had": ""}


def flow_boxes(
    flow: pd.DataFrame,
    *,
    samples: Mapping[str, pd.DataFrame],
    assignment: pd.DataFrame,
    n_schools: int,
    unit: str,
    arms: Sequence[Mapping[str, Any]],
    models: Mapping[str, Any],
    outcomes: Mapping[str, Any],
    baseline: int,
    years: Sequence[int],
    take_up: str | None = None,
    no_data: Mapping[str, int] | None = None,
    in_schools: bool = True,
    attrition: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return every line of every box of the diagram.

    Parameters
    ----------
    flow : DataFrame
        The ledger's flow.
    samples : mapping of str to DataFrame
        Level (pupil, teacher) → sample; ``school`` → cells of schools and years, one row per
        ``model`` and ``outcome``, where primary outcomes are of schools.
    assignment : DataFrame
        The assignment table.
    n_schools : int
        Schools that the files name.
    unit : str
        What was assigned.
    arms, models, outcomes : mapping
        Sections of the protocol.
    baseline : int
        Baseline year.
    years : sequence of int
        Years of the primary analysis.
    take_up : str, optional
        Variable that is 1 where the programme was taken up, 0 where not, missing where not known.
    no_data : mapping of str to int, optional
        Group → units that were assigned and sent no data.
    in_schools : bool
        Whether the trial has schools; no line speaks of them otherwise.
    attrition : DataFrame, optional
        From the check of attrition: the analyses say how many of those it counts are analysed.

    Returns
    -------
    DataFrame
        One row per line: ``stage`` (files, assigned, allocated, followed up, analysed), arm,
        outcome, year, level, kind, text and count; where the ledger counted it, its ``step`` and
        ``reason``; and the ``model`` of an analysis. Kinds: ``in`` (who is there), ``lost`` and
        ``joined`` (who left and who came between two such lines) and ``had`` (a part of them, or
        the schools that they are in).
    """
    assigned = assignment.assign(arm=assignment["arm"].astype("str")).drop_duplicates(unit)
    gone = {str(arm["name"]): int((no_data or {}).get(arm["name"], 0)) for arm in arms}
    rows = _files(assigned, n_schools if in_schools else None, unit, sum(gone.values()),
                  bool(no_data))  # fmt: skip
    take_up_lines = _take_up(assigned, gone, unit, take_up)
    for arm in gone:
        rows += _allocated(arm, assigned, unit, gone[arm])
        rows += take_up_lines.get(arm, [])
        rows += _rosters(arm, samples, unit, baseline)
        mine = assigned[assigned["arm"] == arm]
        told = FollowUp(
            arm, flow[flow["arm"] == arm], unit, baseline, gone[arm] if no_data else None,
            in_schools, arm == str(arms[0]["name"]),
        )  # fmt: skip
        for year in years:
            of_year = mine[mine["year"] == year] if "year" in mine else mine
            rows += followed_up(told, samples, year, len(of_year) + gone[arm])
        rows += count_analysed(
            told, samples, models, outcomes, len(mine) + gone[arm], take_up, attrition
        )
    blank = {"step": "", "reason": "", "model": ""}
    return pd.DataFrame(rows).reindex(columns=COLUMNS).fillna(blank)


def heading(boxes: pd.DataFrame, labels: Mapping[str, str], analysis: tuple[str, str, str]) -> str:
    """Return the heading over the lines of an analysis; empty for other lines.

    Parameters
    ----------
    boxes : DataFrame
        From `flow_boxes`.
    labels : mapping
        Outcome → its name.
    analysis : tuple of str
        Outcome, years and model.
    """
    outcome, year, model = analysis
    if not outcome:
        return ""
    several = boxes.loc[boxes["outcome"] == outcome, "model"].nunique() > 1
    return f"{labels.get(outcome, outcome)}, {year}{f' ({model})' if several else ''}"


def not_in_lists(linking: pd.DataFrame) -> set[str]:
    """Return the schools of rosters that are in no list of schools.

    Parameters
    ----------
    linking : DataFrame
        Which identifiers were looked up where, with those not found as JSON.
    """
    told = linking.loc[linking["identifier"] == "school", "not_found"].dropna()
    return {str(name) for text in told if text for name in json.loads(text)}


def _line(stage: str, arm: str, level: str, kind: str, text: str, n: int) -> dict[str, Any]:
    return {
        "stage": stage, "arm": arm, "outcome": "", "year": "", "level": level, "kind": kind,
        "text": text, "n": n, "step": "", "reason": "", "model": "",
    }  # fmt: skip


def _files(
    assigned: pd.DataFrame, n_schools: int | None, unit: str, gone: int, told: bool
) -> list[dict[str, Any]]:
    schools = assigned["school"].nunique() if "school" in assigned else 0
    rows = []
    if n_schools is not None:
        rows.append(_line("files", ALL, "school", "in", "schools in the files", n_schools))
    if n_schools is not None and "school" in assigned:
        text = "schools not in the allocation list"
        rows.append(_line("files", ALL, "school", "lost", text, n_schools - schools))
    if told and unit == "school":
        text = "assigned schools with no data received"
        rows.append(_line("files", ALL, "school", "joined", text, gone))
    text = f"{PLURAL[unit]} assigned"
    rows.append(_line("assigned", ALL, unit, "in", text, len(assigned) + gone))
    if unit != "school" and schools:
        rows.append(_line("assigned", ALL, "school", "had", "in schools", schools))
    return rows


def _allocated(arm: str, assigned: pd.DataFrame, unit: str, gone: int) -> list[dict[str, Any]]:
    mine = assigned[assigned["arm"] == arm]
    text = f"{PLURAL[unit]} allocated"
    rows = [_line("allocated", arm, unit, "in", text, len(mine) + gone)]
    if unit != "school" and "school" in mine:
        rows.append(
            _line("allocated", arm, "school", "had", "in schools", mine["school"].nunique())
        )
    return rows


def _take_up(
    assigned: pd.DataFrame, gone: Mapping[str, int], unit: str, take_up: str | None
) -> dict[str, list[dict[str, Any]]]:
    """Return group → how many units received the programme, did not, or are not known to have.

    Take-up of a unit without any data is not known. Where all is known in every group, no group
    has a line of what is not.
    """
    if not take_up or take_up not in assigned:
        return {}
    taken = {arm: assigned.loc[assigned["arm"] == arm, take_up] for arm in gone}
    unknown = {arm: int(taken[arm].isna().sum()) + gone[arm] for arm in gone}
    found = {}
    for arm, values in taken.items():
        had = int((values == 1).sum())
        told = {RECEIVED: had, NOT_RECEIVED: int(values.notna().sum()) - had}
        if any(unknown.values()):
            told[NOT_KNOWN] = unknown[arm]
        found[arm] = [_line("allocated", arm, unit, "had", text, n) for text, n in told.items()]
    return found


def _rosters(
    arm: str, samples: Mapping[str, pd.DataFrame], unit: str, baseline: int
) -> list[dict[str, Any]]:
    rows = []
    for level in ("pupil", "teacher"):
        sample = samples.get(level)
        if level == unit or sample is None or sample.empty:
            continue
        there = sample[(sample["year"] == baseline) & (sample["arm"] == arm)]
        text = f"{PLURAL[level]} on the rosters of {baseline}"
        rows.append({**_line("allocated", arm, level, "in", text, len(there)), "year": baseline})
    return rows


def as_text(
    boxes: pd.DataFrame, arms: Sequence[Mapping[str, Any]], labels: Mapping[str, str]
) -> str:
    """Return the diagram as an indented list that a screen reader can read.

    Parameters
    ----------
    boxes : DataFrame
        From ``flow_boxes``.
    arms : sequence of mapping
        The groups, with their labels.
    labels : mapping
        Outcome → its name.
    """
    lines: list[str] = []
    for arm, label in ((ALL, "Before allocation"), *((a["name"], a["label"]) for a in arms)):
        lines.append(f"{label}:")
        mine = boxes[boxes["arm"] == arm]
        for stage, rows in mine.groupby("stage", sort=False):
            lines.append(f"  {stage}:")
            for analysis, part in rows.groupby(["outcome", "year", "model"], sort=False):
                over, indent = heading(boxes, labels, analysis), "    "
                if over:
                    lines.append(f"{indent}{over}:")
                    indent = "      "
                lines += [
                    f"{indent}{SIGNS[row.kind]}{row.text}: {row.n:,}" for row in part.itertuples()
                ]
    return "\n".join(lines) + "\n"
