"""Whom attrition counts: those whose outcome should be there, in the arm they were assigned to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from schooltrial.data.rows.filters import among


@dataclass(frozen=True)
class Roster:
    """The pupils whose outcome of a year should be there.

    Attributes
    ----------
    people : DataFrame
        One row per pupil, with the unit of assignment (column ``unit``), its block and arm, and
        what the sample holds of the pupil in the year of the roster.
    unit : {"school", "teacher", "pupil"}
        What was assigned.
    year : int
        Year of the outcome.
    drawn_up : int
        Year of the roster.
    beyond : int
        Pupils of the roster who are not counted, being past the highest grade of the study by then.
    without : int
        Units that were assigned and have no pupil on the roster.
    """

    people: pd.DataFrame
    unit: str
    year: int
    drawn_up: int
    beyond: int
    without: int

    @property
    def followed(self) -> bool:
        """Whether the same pupils are followed from the roster to the outcome."""
        return self.drawn_up != self.year

    def of(self, arms: Sequence[str]) -> Roster:
        """Return the part of the roster that is in some of the arms."""
        kept = self.people["arm"].isin(list(arms))
        return replace(self, people=self.people[kept].reset_index(drop=True))

    def outcome(self, pupils: pd.DataFrame, name: str) -> pd.Series:
        """Return the outcome of everybody on the roster, wherever in the study it was measured.

        Parameters
        ----------
        pupils : DataFrame
            The sample, one row per pupil and year.
        name : str
            Column of the outcome.
        """
        if name not in pupils:
            return pd.Series(float("nan"), index=self.people.index)
        then = pupils.loc[pupils["year"] == self.year].set_index("pupil")[name]
        return self.people["pupil"].map(then).astype("float64")


def draw_up_roster(
    assignment: pd.DataFrame, pupils: pd.DataFrame, *, unit: str, year: int, baseline: int
) -> Roster:
    """Draw up the roster that attrition in a year is measured from.

    Schools were assigned: the baseline year's roster, in the school of that year; where pupils
    differ from year to year (nobody of the baseline year is there in any later year), the roster of
    the year itself. Teachers were assigned: the pupils whom they teach in the year itself. Pupils
    were assigned: everybody on the list. Pupils who by the year are beyond the highest grade of the
    sample could have no outcome, and are not counted.

    Parameters
    ----------
    assignment : DataFrame
        One row per unit: the column named by ``unit``, ``arm``, and ``block`` where there are any.
    pupils : DataFrame
        The sample, one row per pupil and year.
    unit : {"school", "teacher", "pupil"}
    year, baseline : int
    """
    assigned = assigned_units(assignment, unit)
    drawn_up = _drawn_up(pupils, unit, year, baseline)
    there = pupils[pupils["year"] == drawn_up].drop(
        columns=["arm", "block", "unit"], errors="ignore"
    )
    how = "left" if unit == "pupil" else "inner"
    people = assigned.rename(columns={"unit": unit}).merge(there, on=unit, how=how)
    people.insert(0, "unit", people[unit])
    beyond = pd.Series(False, index=people.index)
    if drawn_up != year and "grade" in people:
        expected = people["grade"] + (year - drawn_up)
        beyond = (expected > pupils["grade"].max()).fillna(False).astype(bool)
    kept = people[~beyond].reset_index(drop=True)
    without = int((~among(assigned["unit"], people["unit"])).sum())
    return Roster(kept, unit, year, drawn_up, int(beyond.sum()), without)


def assigned_units(assignment: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return ``unit``, ``block`` and ``arm`` of everything that was assigned, as text."""
    block = assignment["block"].astype("str") if "block" in assignment else "all"
    columns = {"unit": assignment[unit], "block": block, "arm": assignment["arm"].astype("str")}
    return pd.DataFrame(columns)


def _drawn_up(pupils: pd.DataFrame, unit: str, year: int, baseline: int) -> int:
    if unit == "pupil":
        return baseline
    then = pupils.loc[pupils["year"] == baseline, "pupil"]
    later = pupils.loc[pupils["year"] > baseline, "pupil"]
    follows = unit == "school" and year > baseline and among(then, later).any()
    return baseline if follows else year
