"""The flow of schools and people through the trial, box by box, as CONSORT draws it.

The boxes are those of CONSORT 2025 with its extension to cluster trials (2012): units and people
at assignment, allocation, follow-up and analysis, by arm, with the losses at each level and their
reasons, zeros shown. Every number comes from the ledger's flow, the rosters or the sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

COLUMNS = ["stage", "arm", "outcome", "year", "level", "kind", "text", "n"]
ALL = "all"
"""Arm of the boxes before the arms part."""
PLURAL = {"school": "schools", "pupil": "pupils", "teacher": "teachers"}


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
) -> pd.DataFrame:
    """Return every line of every box of the diagram.

    Parameters
    ----------
    flow : DataFrame
        The ledger's flow.
    samples : mapping of str to DataFrame
        Level (pupil, teacher) → analysed sample.
    assignment : DataFrame
        The assignment table.
    n_schools : int
        Schools that the files describe.
    unit : str
        What was assigned.
    arms, models, outcomes : mapping
        Sections of the protocol.
    baseline : int
        Baseline year.
    years : sequence of int
        Years of the primary analysis.
    take_up : str, optional
        Variable that is 1 where the programme was taken up.

    Returns
    -------
    DataFrame
        One row per line: ``stage`` (files, assigned, allocated, followed up, analysed), arm,
        outcome, year, level, kind (``in``, ``lost``, ``joined`` or ``had``), text and count.
    """
    assigned = assignment.assign(arm=assignment["arm"].astype("str")).drop_duplicates(unit)
    rows = _files(flow, assigned, n_schools, unit)
    for arm in [str(part["name"]) for part in arms]:
        rows += _allocated(arm, assigned, samples, unit, baseline, take_up)
        rows += _followed(arm, flow, years)
        rows += _analysed(arm, flow, samples, models, outcomes)
    return pd.DataFrame(rows, columns=COLUMNS)


def _files(
    flow: pd.DataFrame, assigned: pd.DataFrame, n_schools: int, unit: str
) -> list[list[Any]]:
    schools = assigned["school"].nunique() if "school" in assigned else 0
    rows: list[list[Any]] = [
        ["files", ALL, "", "", "school", "in", "schools in the files", n_schools]
    ]
    if "school" in assigned:
        rows.append(["files", ALL, "", "", "school", "lost", "not in the assignment list",
                     n_schools - schools])  # fmt: skip
    rows.append(["assigned", ALL, "", "", unit, "in", f"{PLURAL[unit]} assigned", len(assigned)])
    if unit != "school" and schools:
        rows.append(["assigned", ALL, "", "", "school", "had", "in schools", schools])
    return rows


def _allocated(
    arm: str,
    assigned: pd.DataFrame,
    samples: Mapping[str, pd.DataFrame],
    unit: str,
    baseline: int,
    take_up: str | None,
) -> list[list[Any]]:
    mine = assigned[assigned["arm"] == arm]
    rows: list[list[Any]] = [
        ["allocated", arm, "", "", unit, "in", f"{PLURAL[unit]} allocated", len(mine)]
    ]
    if take_up and take_up in mine:
        had = int((mine[take_up] == 1).sum())
        rows.append(["allocated", arm, "", "", unit, "had", "received the programme", had])
        rows.append(["allocated", arm, "", "", unit, "lost", "did not receive it", len(mine) - had])
    for level, sample in samples.items():
        there = sample[(sample["year"] == baseline) & (sample["arm"] == arm)]
        if level != unit and len(sample):
            text = f"{PLURAL[level]} on the rosters of {baseline}"
            rows.append(["allocated", arm, "", baseline, level, "in", text, len(there)])
    return rows


def _followed(arm: str, flow: pd.DataFrame, years: Sequence[int]) -> list[list[Any]]:
    """Return the losses of schools in the years analysed, and of people from the baseline year."""
    rows: list[list[Any]] = []
    mine = flow[flow["arm"] == arm]
    for year in years:
        schools = mine[(mine["step"] == "schools with pupils") & (mine["year"] == year)]
        if len(schools):
            lost = int(schools["left"].sum())
            text = f"with no pupil in the sample of {year}"
            rows.append(["followed up", arm, "", year, "school", "lost", text, lost])
        steps = mine[mine["step"].str.startswith("followed up:")]
        for row in steps[steps["step"].str.endswith(f"to {year}")].itertuples():
            rows.append(
                ["followed up", arm, "", year, row.level, "lost", row.reason, int(row.left)]
            )
    return rows


def _analysed(
    arm: str,
    flow: pd.DataFrame,
    samples: Mapping[str, pd.DataFrame],
    models: Mapping[str, Any],
    outcomes: Mapping[str, Any],
) -> list[list[Any]]:
    """Return who is in each primary analysis of a primary outcome, and who leaves it and why."""
    rows: list[list[Any]] = []
    mine = flow[flow["arm"] == arm]
    for name, model in models.items():
        for outcome in model["outcomes"] if model["role"] == "primary" else []:
            if not outcomes[outcome]["primary"]:
                continue
            step = mine[mine["step"] == f"analysed: {name}, {outcome}"]
            level = outcomes[outcome]["level"]
            totals = step.groupby(["reason"], sort=False)[["entered", "left", "remained"]].sum()
            if totals.empty:
                continue
            year = ", ".join(str(y) for y in sorted(step["year"].unique()))
            told = ["analysed", arm, outcome, year, level]
            people = "cells of schools and years" if level == "school" else PLURAL[level]
            rows.append([*told, "in", f"{people} to be analysed", int(totals["entered"].iloc[0])])
            rows += [[*told, "lost", why, int(lost)] for why, lost in totals["left"].items()]
            rows.append([*told, "in", f"{people} analysed", int(totals["remained"].iloc[-1])])
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
        The arms, with their labels.
    labels : mapping
        Outcome → its name.
    """
    lines: list[str] = []
    for arm, label in ((ALL, "Before the arms part"), *((a["name"], a["label"]) for a in arms)):
        lines.append(f"{label}:")
        mine = boxes[boxes["arm"] == arm]
        for stage, rows in mine.groupby("stage", sort=False):
            lines.append(f"  {stage}:")
            for row in rows.itertuples():
                of = f"{labels.get(row.outcome, row.outcome)}, {row.year}: " if row.outcome else ""
                sign = "− " if row.kind == "lost" else ""
                lines.append(f"    {sign}{of}{row.text}: {row.n:,}")
    return "\n".join(lines) + "\n"
