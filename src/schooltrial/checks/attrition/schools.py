"""Which assigned schools have no published value, counted as pupils are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from schooltrial.checks.attrition.analyses import Analysis, PrimaryModels
from schooltrial.checks.attrition.rates import COLUMNS, Counted, lost_rows
from schooltrial.checks.attrition.roster import assigned_units, describe_units
from schooltrial.data.panel.bounded_cells import with_bounded_cells
from schooltrial.data.rows.filters import known_truth
from schooltrial.models.missing_outcomes.attrition_bias import Assumption
from schooltrial.protocol.content.sections import Arm, Outcome, Years, first_year


def school_attrition(
    assignment: pd.DataFrame,
    panel: pd.DataFrame,
    bounded: pd.DataFrame,
    *,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    years: Years,
    unit: str,
    boundary: Assumption = "cautious",
    no_data: Mapping[str, int] | None = None,
    primary: PrimaryModels | None = None,
    schools: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Count the schools that are lost to an outcome that is published by school.

    Where a primary model analyses the outcome, a school is lost in a year of which the model has
    no cell of it; see `find_informative_cells` for models of changes. Elsewhere it is lost where no
    value was published.

    Parameters
    ----------
    assignment : DataFrame
        The assignment table.
    panel : DataFrame
        School × year × outcome.
    bounded : DataFrame
        Cells published as a bound or a range; such a school is lost, unless the model takes its
        cells, and the note tells of it.
    outcomes, arms, years, boundary, no_data, primary, schools
        As for `attrition`; outcomes of schools are counted.
    unit : str
        What was assigned; only where it was schools can they be lost.

    Returns
    -------
    DataFrame
        Columns of `attrition`; a row per outcome, year from the programme's first on, and arm.
    """
    rows: list[list[Any]] = []
    mine = {name: part for name, part in outcomes.items() if part["measured_on"] == "school"}
    if unit != "school" or not mine:
        return pd.DataFrame(rows, columns=COLUMNS)
    judge, units = primary or PrimaryModels(), assigned_units(assignment, unit)
    found = {name: list(_analyses(name, mine, judge, panel, bounded, arms, years)) for name in mine}
    for year in sorted([*years["programme"], *years["follow_up"]]):
        described = describe_units(assignment, unit, year, schools)
        for name, parts in found.items():
            partly = _schools(bounded, name, year)
            for analysis, cells in _in_year(name, parts, panel, arms, year, mine):
                _, outside = known_truth(described, analysis.population, judge.since)
                kept = units[~units["unit"].isin(described.loc[outside, "unit"])]
                known = _schools(cells[analysis.rows], name, year)
                counted = _counted(kept, known, partly - known, no_data or {})
                unused = kept["unit"].isin(_schools(panel, name, year) - known).sum()
                if unused:
                    told = f"with a value, and not analysed: {unused}"
                    note = "; ".join(filter(None, (told, counted.note)))
                    counted = replace(counted, note=note)
                shown = [arms[0], *(arm for arm in arms if arm["name"] in analysis.arms)]
                rows += lost_rows(analysis, year, "schools", counted, shown, boundary)
    return pd.DataFrame(rows, columns=COLUMNS)


Found = tuple[frozenset[int], Analysis, pd.DataFrame]
"""The years that a primary model analyses, the analysis, and the cells whose rows it tells of."""


def _analyses(
    name: str,
    outcomes: Mapping[str, Outcome],
    judge: PrimaryModels,
    panel: pd.DataFrame,
    bounded: pd.DataFrame,
    arms: Sequence[Arm],
    years: Years,
) -> Iterator[Found]:
    """Yield the analyses of an outcome by primary models, in the cells that each model takes."""
    own, partly = (frame[frame["outcome"] == name] for frame in (panel, bounded))
    for label, model in judge.models.items():
        if name not in model["outcomes"]:
            continue
        cells = with_bounded_cells(own, partly, model["bounded_cells"], first_year(years))
        cells = cells.rename(columns={"mean": name}).reset_index(drop=True)
        alone = replace(judge, models={label: model})
        for at, analysis in alone.analyses(cells, outcomes, arms, years).of(name):
            yield at, analysis, cells


def _in_year(
    name: str,
    found: Sequence[Found],
    panel: pd.DataFrame,
    arms: Sequence[Arm],
    year: int,
    outcomes: Mapping[str, Outcome],
) -> Iterator[tuple[Analysis, pd.DataFrame]]:
    """Yield the analyses of a year; in groups that none of them compares, what was published."""
    mine = [(analysis, cells) for years, analysis, cells in found if year in years]
    yield from mine
    compared = {arm for analysis, _ in mine for arm in analysis.arms}
    others = tuple(str(arm["name"]) for arm in arms[1:] if arm["name"] not in compared)
    if others:
        rows = pd.Series(True, index=panel.index)
        yield Analysis("", name, outcomes[name]["population"], others, rows), panel


def _schools(cells: pd.DataFrame, outcome: str, year: int) -> set[str]:
    there = cells[(cells["outcome"] == outcome) & (cells["year"] == year)]
    return set(there["school"].astype("str"))


def _counted(
    units: pd.DataFrame, known: set[str], partly: set[str], no_data: Mapping[str, int]
) -> Counted:
    unseen = [arm for arm, count in no_data.items() for _ in range(count)]
    arm = pd.Series([*units["arm"], *unseen], dtype="str")
    lost = pd.Series([*~units["unit"].isin(known), *[True] * len(unseen)], dtype=bool)
    of_bounds = int(units["unit"].astype("str").isin(partly).sum())
    notes = (
        f"published as a bound or a range, counted as lost: {of_bounds:,}" if of_bounds else "",
        f"no data received: {len(unseen):,}" if unseen else "",
    )
    return Counted(arm, lost, "; ".join(filter(None, notes)))
