"""The individuals that attrition counts: due an outcome, in the group they were assigned to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from schooltrial.data.rows.coding import is_flag
from schooltrial.data.rows.filters import among, known_truth
from schooltrial.data.rows.grade_progress import grades_passed
from schooltrial.protocol.content.filters import named_variables
from schooltrial.protocol.content.levels import CLASSES


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
    without : frozenset of str
        Units that were assigned and have no pupil on the roster.
    units : DataFrame
        What is known of every unit that was assigned, by the list and the table of schools: column
        ``unit``, and what else there is.
    outside : frozenset of str
        Units that are not in the population, or of whose pupils none is.
    unknown : int
        Pupils of whom it is not known whether they are in the population; they are counted, and
        where they are not analysed they are lost.
    """

    people: pd.DataFrame
    unit: str
    year: int
    drawn_up: int
    beyond: int
    without: frozenset[str]
    units: pd.DataFrame
    outside: frozenset[str] = frozenset()
    unknown: int = 0

    @property
    def followed(self) -> bool:
        """Whether the same pupils are followed from the roster to the outcome."""
        return self.drawn_up != self.year

    def of(self, arms: Sequence[str]) -> Roster:
        """Return the part of the roster that is in some of the groups."""
        kept = self.people["arm"].isin(list(arms))
        return replace(self, people=self.people[kept].reset_index(drop=True))

    def of_population(
        self, pupils: pd.DataFrame, population: Mapping[str, Any], since: Collection[str] = ()
    ) -> Roster:
        """Return the part of the roster that belongs to a population, by what was known before.

        What a filter asks is taken from the roster, else from the list and the table of schools,
        else from the pupil's earliest row; a grade moves on with the years that passed. What is
        known only since the assignment puts nobody outside: whom a model leaves out for it is
        lost. So is who lacks a value that the filter asks for.

        Parameters
        ----------
        pupils : DataFrame
            The sample, one row per pupil and year.
        population : mapping
            The filter; one that keeps everybody returns the roster as it is.
        since : collection of str
            Variables that are known only since the assignment. A number of the roster that was
            measured again, with another result, counts among them.
        """
        named = [name for name in named_variables(population) if name not in since]
        if not population:
            return self
        known = {name: self._at_assignment(pupils, name) for name in named}
        frame = pd.DataFrame(
            {name: values for name, values in known.items() if values is not None},
            index=self.people.index,
        )
        inside, gone = known_truth(frame, population)
        kept = self.people[~gone]
        lacking = frame.isna().any(axis=1) & ~gone & ~inside
        there = set(kept["unit"].astype("str"))
        outside = set(self.people["unit"].astype("str")) - there
        described = self.units.drop(columns="grade", errors="ignore")  # it is not of this year
        _, ruled_out = known_truth(described, population, since)
        outside |= set(self.units.loc[ruled_out, "unit"]) - there
        return replace(
            self,
            people=kept.reset_index(drop=True),
            outside=frozenset(outside),
            unknown=int(lacking.sum()),
        )

    def _at_assignment(self, pupils: pd.DataFrame, name: str) -> pd.Series | None:
        """Return a baseline variable of everybody enrolled; None if no table has it."""
        people = self.people
        if name == "year":
            return pd.Series(self.year, index=people.index)
        if name in ("cluster", self.unit):
            return people["unit"]
        if self.followed and self._was_measured_again(pupils, name):
            return None
        parts = [people[name]] if name in people else []
        if name in self.units:
            listed = self.units.set_index("unit")[name]
            parts.append(people["unit"].astype("str").map(listed))
        graded = name == "grade" and counts_grades(pupils)
        if name == "grade" and counts_grades(people):
            passed = grades_passed(pupils, self.drawn_up, self.year) if graded else 0
            numbers = pd.api.types.is_numeric_dtype
            parts = [part + passed if numbers(part) else part for part in parts]
        if name in pupils:
            rows = pupils.loc[pupils[name].notna(), ["pupil", "year", name]].sort_values("year")
            first = rows.drop_duplicates("pupil").set_index("pupil")
            values = first[name]
            if graded:
                years = {then: grades_passed(pupils, then, self.year)
                         for then in map(int, first["year"].unique())}  # fmt: skip
                values = values + first["year"].map(years)
            parts.append(people["pupil"].map(values))
        if f"{name}_missing" in people and parts:
            # A sample holds 0 for a baseline that is not known.
            parts = [part.mask(people[f"{name}_missing"] == 1) for part in parts]
        return _first_known(parts) if parts else None

    def _was_measured_again(self, pupils: pd.DataFrame, name: str) -> bool:
        """Return whether a number of the roster is another one later, and not for the years."""
        if name == "grade" or name not in self.people or name not in pupils:
            return False
        before = self.people[name]
        if not pd.api.types.is_numeric_dtype(before) or is_flag(before):
            return False
        then = pupils.loc[pupils["year"] == self.year].drop_duplicates("pupil")
        after = self.people["pupil"].map(then.set_index("pupil")[name])
        change = (after.astype("float64") - before.astype("float64")).dropna()
        return not ((change == 0).all() or (change == self.year - self.drawn_up).all())

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

    def analysed_outcome(self, pupils: pd.DataFrame, name: str, rows: pd.Series) -> pd.Series:
        """Return the outcome of those who are analysed; it is missing for everybody else.

        Parameters
        ----------
        pupils, name
            As for `outcome`.
        rows : Series of bool
            Of each row of the sample, whether it is analysed.
        """
        return self.outcome(pupils[rows], name)


def draw_up_roster(
    assignment: pd.DataFrame,
    pupils: pd.DataFrame,
    *,
    unit: str,
    year: int,
    baseline: int,
    schools: pd.DataFrame | None = None,
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
    schools : DataFrame, optional
        What is known of schools.
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
    if drawn_up != year and counts_grades(people):
        expected = people["grade"] + grades_passed(pupils, drawn_up, year)
        beyond = (expected > pupils["grade"].max()).fillna(False).astype(bool)
    kept = people[~beyond].reset_index(drop=True)
    without = frozenset(assigned["unit"][~among(assigned["unit"], people["unit"])].astype("str"))
    described = describe_units(assignment, unit, year, schools)
    return Roster(kept, unit, year, drawn_up, int(beyond.sum()), without, described)


def describe_units(
    assignment: pd.DataFrame, unit: str, year: int, schools: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return what the list, and the table of schools, say of every unit that was assigned.

    Parameters
    ----------
    assignment, unit, year, schools
        As for `draw_up_roster`.

    Returns
    -------
    DataFrame
        ``unit``, under the names ``cluster`` and that of its kind too; ``year``, and what is known.
    """
    of_list = of_year(assignment, year)
    name = of_list[unit].astype("str")
    named = {"unit": name, "cluster": name, unit: name, "year": year}
    units = of_list.assign(**named).drop_duplicates("unit").reset_index(drop=True)
    if schools is None or "school" not in units or "school" not in schools:
        return units
    known = schools.drop_duplicates("school").set_index(schools["school"].astype("str"))
    new = [name for name in known if name not in units]
    return units.join(known[new], on=units["school"].astype("str"))


def _first_known(parts: Sequence[pd.Series]) -> pd.Series:
    """Return the first value that is known of each row, as numbers, days or texts."""
    if all(pd.api.types.is_numeric_dtype(part) for part in parts):
        plain = [part.astype("float64") for part in parts]
    elif all(pd.api.types.is_datetime64_any_dtype(part) for part in parts):
        plain = list(parts)
    else:
        plain = [part.astype("str") for part in parts]
    found = plain[0]
    for part in plain[1:]:
        found = found.fillna(part)
    return found


def of_year(assignment: pd.DataFrame, year: int) -> pd.DataFrame:
    """Return the units that are in a group in a year: all, unless the list gives each a year."""
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


def counts_grades(frame: pd.DataFrame) -> bool:
    """Return whether grades are numbers, of which the next is one more; names follow no order."""
    return "grade" in frame and pd.api.types.is_numeric_dtype(frame["grade"])
