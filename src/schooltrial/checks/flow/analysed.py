"""Who is in each primary analysis, in how many schools, and who leaves it and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.checks.attrition.analyses import analysing_models
from schooltrial.checks.attrition.informative_cells import find_informative_cells
from schooltrial.checks.flow.follow_up import PLURAL, FollowUp
from schooltrial.data.ledger.analyses import indicated_step
from schooltrial.data.panel.bounded_cells import with_bounded_cells
from schooltrial.data.rows.analysed import complete_rows, is_analysed
from schooltrial.protocol.content.sections import Model, Years, first_year

COVARIATE = "a covariate was not observed"


CELLS = "cells of schools and years"


def count_analysed(
    told: FollowUp,
    samples: Mapping[str, pd.DataFrame],
    models: Mapping[str, Any],
    outcomes: Mapping[str, Any],
    allocated: int,
    take_up: str | None,
    attrition: pd.DataFrame | None = None,
) -> list[dict[str, Any]]:
    """Return the lines of a group for each primary analysis of a primary outcome.

    Parameters
    ----------
    told : FollowUp
        Data behind the lines of a group.
    samples, models, outcomes, take_up
        As for ``flow_boxes``.
    allocated : int
        Units allocated to the group.
    attrition : DataFrame, optional
        From the check of attrition: how many of those who were assigned are analysed.
    """
    rows: list[dict[str, Any]] = []
    for name, model in models.items():
        for outcome in model["outcomes"] if model["role"] == "primary" else []:
            step = told.flow[told.flow["step"] == f"analysed: {name}, {outcome}"]
            if not outcomes[outcome]["primary"] or step.empty:
                continue
            level = outcomes[outcome]["measured_on"]
            sample = samples[level]
            if level == "school":
                sample = sample[(sample["model"] == name) & (sample["outcome"] == outcome)]
            every = sorted({int(year) for year in step["year"]})
            head = {"stage": "analysed", "arm": told.arm, "outcome": outcome,
                    "year": span(every), "level": level, "model": name}  # fmt: skip
            there = sample[sample["year"].isin(every) & (sample["arm"] == told.arm)]
            start = allocated * len(every) if level == "school" else len(there)
            kept = told.flow[told.flow["step"] == indicated_step(name, outcome)]
            lines = [
                *_chain(step, level, start),
                *_indicated(kept, level),
                *_clusters(there, told, level, model, outcome, take_up),
                *_of_assigned(attrition, told, name, outcome, every),
            ]
            rows += [{**head, **line} for line in lines]
    return rows


def _chain(step: pd.DataFrame, level: str, start: int) -> list[dict[str, Any]]:
    """Return the lines from those who were there to those who are analysed."""
    people = CELLS if level == "school" else PLURAL[level]
    name = str(step["step"].iloc[0])
    parts = step.groupby("reason", sort=False)[["entered", "left", "remained"]].sum()
    entered = int(parts["entered"].iloc[0])
    rows: list[dict[str, Any]] = []
    if level == "school":
        rows.append({"kind": "in", "text": CELLS, "n": start})
        rows.append({"kind": "lost", "text": "no value in the panel", "n": start - entered})
    elif start != entered:
        text = f"{people} outside the population of the analysis"
        rows.append({"kind": "lost", "text": text, "n": start - entered})
    rows.append({"kind": "in", "text": f"{people} to be analysed", "n": entered})
    for reason, left in parts["left"].items():
        # The heading of these lines names the outcome.
        text = _lacked(str(reason), name.rsplit(", ", 1)[-1])
        rows.append({"kind": "lost", "text": text, "n": int(left), "step": name, "reason": reason})
    remained = int(parts["remained"].iloc[-1])
    return [*rows, {"kind": "in", "text": f"{people} analysed", "n": remained}]


def _lacked(reason: str, outcome: str) -> str:
    """Return what those lacked who are not analysed."""
    if reason == COVARIATE:
        return "a covariate not observed"
    lacked = reason.removesuffix(" was not observed")
    return f"{'outcome' if lacked == outcome else lacked} not observed"


def _indicated(step: pd.DataFrame, level: str) -> list[dict[str, Any]]:
    """Return how many are analysed though they lack a covariate, if there are any."""
    if step.empty:
        return []
    people = CELLS if level == "school" else PLURAL[level]
    text = f"{people} without a covariate, kept with an indicator"
    return [{"level": level, "kind": "had", "text": text, "n": int(step["entered"].sum())}]


def _clusters(
    there: pd.DataFrame, told: FollowUp, level: str, model: Any, outcome: str, take_up: str | None
) -> list[dict[str, Any]]:
    """Return in how many units of assignment, and schools, those analysed are."""
    rows, unit = complete_rows(there, level, model, outcome, take_up), told.unit
    if level == "school":
        rows = rows[there.loc[rows.index, "informs"]]
    found: list[dict[str, Any]] = []
    if unit not in ("school", level):
        n = rows["cluster"].nunique()
        found.append({"level": unit, "kind": "had", "text": f"{PLURAL[unit]} analysed", "n": n})
    if not told.in_schools:
        return found
    place = "cluster" if unit == "school" and "cluster" in rows else "school"
    text = "schools analysed" if unit == "school" else "in schools"
    return [*found, {"level": "school", "kind": "had", "text": text, "n": rows[place].nunique()}]


def _of_assigned(
    attrition: pd.DataFrame | None,
    told: FollowUp,
    model: str,
    outcome: str,
    years: Sequence[int],
) -> list[dict[str, Any]]:
    """Return how many of those who were assigned are analysed, as attrition counts them.

    Those who are analysed hold joiners too, and are counted in the group where they are; these are
    the units and people of the assignment, in its group. Where several years are analysed, it is of
    the last one.
    """
    if attrition is None:
        return []
    lost = attrition[
        (attrition["kind"] == "lost")
        & (attrition["outcome"] == outcome)
        & (analysing_models(attrition) == model)
    ]
    side = "control" if told.is_control else "treated"
    lost = lost if told.is_control else lost[lost["arm"] == told.arm]
    lost = lost[lost["year"] == lost["year"].max()]
    found = []
    for unit in dict.fromkeys((told.unit, *PLURAL)):
        of_level = lost[lost["level"] == PLURAL[unit]]
        if of_level.empty:
            continue
        counted, gone = (int(of_level[f"{what}_{side}"].iloc[0]) for what in ("n", "count"))
        when = f"in {int(of_level['year'].iloc[0])}, " if len(years) > 1 else ""
        text = f"{when}of the {counted:,} {PLURAL[unit]} counted for attrition, analysed"
        found.append({"level": unit, "kind": "had", "text": text, "n": counted - gone})
    return found


def span(years: Sequence[int]) -> str:
    """Return years as a reader says them: ``2010 to 2019``, or ``2015, 2017``.

    Parameters
    ----------
    years : sequence of int
        In their order.
    """
    if len(years) > 2 and list(years) == list(range(years[0], years[-1] + 1)):
        return f"{years[0]} to {years[-1]}"
    return ", ".join(str(year) for year in years)


def primary_cells(
    panel: pd.DataFrame,
    bounded: pd.DataFrame,
    models: Mapping[str, Any],
    outcomes: Mapping[str, Any],
    *,
    years: Years,
) -> pd.DataFrame:
    """Return a row per cell, primary model and outcome of schools.

    Parameters
    ----------
    panel, bounded : DataFrame
        Published cells, and those published as a bound or a range.
    models, outcomes : mapping
        Sections of the protocol.
    years : Years
        The protocol's section: schools without a ``cohort`` begin in its first programme year.

    Returns
    -------
    DataFrame
        The panel's columns, ``model``, ``outcome`` and ``informs``: whether any effect rests on the
        school. The value is in the outcome's column.
    """
    found = []
    for name, model in models.items():
        for outcome in model["outcomes"] if model["role"] == "primary" else []:
            if outcomes[outcome]["measured_on"] != "school":
                continue
            cells = with_bounded_cells(panel, bounded, model["bounded_cells"], first_year(years))
            mine = cells[cells["outcome"] == outcome].rename(columns={"mean": outcome})
            informs = _in_informing_schools(mine, model, outcome, years)
            found.append(mine.assign(model=name, informs=informs))
    empty = panel.iloc[:0].assign(model="", informs=False)
    return pd.concat(found, ignore_index=True) if found else empty


def _in_informing_schools(
    cells: pd.DataFrame, model: Model, outcome: str, years: Years
) -> pd.Series:
    """Return which cells are of schools that an effect of staggered adoption uses."""
    complete = is_analysed(cells, model, outcome)
    if model["estimator"] != "staggered_adoption":
        return complete
    informs = find_informative_cells(cells, complete, model, years)
    return cells["school"].isin(cells.loc[informs, "school"])
