"""Whom attrition counts: those whose outcome should be there, in the arm they were assigned to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from schooltrial.data.rows.filters import among, matches
from schooltrial.protocol.filters import named_variables
from schooltrial.protocol.levels import CLASSES


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
    outside : frozenset of str
        Units of whose pupils none is in the population of the outcome.
    unknown : int
        Pupils of whom it is not known whether they are in that population; they are not counted.
    """

    people: pd.DataFrame
    unit: str
    year: int
    drawn_up: int
    beyond: int
    without: int
    outside: frozenset[str] = frozenset()
    unknown: int = 0

    @property
    def followed(self) -> bool:
        """Whether the same pupils are followed from the roster to the outcome."""
        return self.drawn_up != self.year

    def of(self, arms: Sequence[str]) -> Roster:
        """Return the part of the roster that is in some of the arms."""
        kept = self.people["arm"].isin(list(arms))
        return replace(self, people=self.people[kept].reset_index(drop=True))

    def of_population(self, pupils: pd.DataFrame, population: Mapping[str, Any]) -> Roster:
        """Return the part of the roster whose outcome it is.

        What a filter asks of a pupil is taken from the year of the outcome, and for those who were
        lost by then from the roster, a grade with the years that passed.

        Parameters
        ----------
        pupils : DataFrame
            The sample, one row per pupil and year.
        population : mapping
            The filter; one that keeps everybody returns the roster as it is.
        """
        if not population:
            return self
        known = pd.DataFrame(
            {name: self._as_of_year(pupils, name) for name in named_variables(population)},
            index=self.people.index,
        )
        inside = matches(known, population)
        # Of whom a filter can neither be said to hold nor not to hold, nothing is known.
        unknown = ~inside & ~matches(known, {"none_of": [dict(population)]})
        there = self.people.loc[inside, "unit"]
        outside = set(self.people["unit"].astype("str")) - set(there.astype("str"))
        return replace(
            self,
            people=self.people[inside].reset_index(drop=True),
            outside=frozenset(outside),
            unknown=int(unknown.sum()),
        )

    def _as_of_year(self, pupils: pd.DataFrame, name: str) -> pd.Series:
        """Return a variable of everybody on the roster, as of the year of the outcome."""
        if name == "year":
            return pd.Series(self.year, index=self.people.index)
        values = self.people.get(name, pd.Series(float("nan"), index=self.people.index))
        if name == "grade":
            values = values + (self.year - self.drawn_up)
        if name not in pupils or name in ("unit", "arm", "block"):
            return values
        then = pupils.loc[pupils["year"] == self.year].set_index("pupil")[name]
        now = self.people["pupil"].map(then)
        if pd.api.types.is_numeric_dtype(then):
            return now.astype("float64").fillna(values.astype("float64"))
        return now.astype("str").fillna(values.astype("str"))

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

    Schools or classes were assigned: the baseline year's roster, in the school of that year; where
    pupils differ from year to year (nobody of the baseline year is there in any later year), the
    roster of the year itself. Teachers were assigned: the pupils whom they teach in the year
    itself. Pupils were assigned: everybody on the list. Pupils who by the year are beyond the
    highest grade of the sample could have no outcome, and are not counted.

    Parameters
    ----------
    assignment : DataFrame
        One row per unit: the column named by ``unit``, ``arm``, and ``block`` where there are any.
    pupils : DataFrame
        The sample, one row per pupil and year.
    unit : {"school", "teacher", "pupil"}
    year, baseline : int
    """
    assigned = assigned_units(of_year(assignment, year), unit, pupils)
    drawn_up = year if "year" in assignment else _drawn_up(pupils, unit, year, baseline)
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


def of_year(assignment: pd.DataFrame, year: int) -> pd.DataFrame:
    """Return the units that are in an arm in a year: all, unless the list gives each a year."""
    return assignment[assignment["year"] == year] if "year" in assignment else assignment


def assigned_units(
    assignment: pd.DataFrame, unit: str, pupils: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return ``unit``, ``block`` and ``arm`` of everything that was assigned, as text.

    Units inside schools, whose block the list does not tell, were drawn in their school: that of
    the list, else the block that the sample of ``pupils`` has.
    """
    block: pd.Series | str = "all"
    if "block" in assignment:
        block = assignment["block"].astype("str")
    elif unit != "school" and "school" in assignment:
        block = assignment["school"].astype("str")
    elif pupils is not None and {unit, "block"} <= set(pupils.columns):
        known = pupils.dropna(subset=[unit]).drop_duplicates(unit).set_index(unit)["block"]
        block = assignment[unit].map(known.astype("str")).astype("object").fillna("all")
    columns = {"unit": assignment[unit], "block": block, "arm": assignment["arm"].astype("str")}
    return pd.DataFrame(columns)


def _drawn_up(pupils: pd.DataFrame, unit: str, year: int, baseline: int) -> int:
    if unit == "pupil":
        return baseline
    then = pupils.loc[pupils["year"] == baseline, "pupil"]
    later = pupils.loc[pupils["year"] > baseline, "pupil"]
    follows = unit in ("school", *CLASSES) and year > baseline and among(then, later).any()
    return baseline if follows else year
