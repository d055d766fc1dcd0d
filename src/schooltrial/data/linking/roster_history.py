"""Whether pupils went up a grade a year: who repeated one, and whose grade is out of step."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from schooltrial.data.linking.school_crosswalk import Crosswalk, SchoolsOfYear
from schooltrial.data.rows.matching import texts
from schooltrial.data.tables.parquet import YearTable
from schooltrial.protocol.content.levels import NO_SCHOOL


def repeated_grade(grade: np.ndarray, before: np.ndarray, passed: np.ndarray) -> np.ndarray:
    """Return who is in the grade in which they were the year before.

    Parameters
    ----------
    grade, before : ndarray of float
        Grade now, and on the last roster before; NaN where it is not known.
    passed : ndarray of int
        Years since that roster; 0 where there is none.
    """
    repeated: np.ndarray = (passed == 1) & (grade == before)
    return repeated


def out_of_step(grade: np.ndarray, before: np.ndarray, passed: np.ndarray) -> np.ndarray:
    """Return whose grade fell, or rose by more than the years that passed.

    The grade is held against the last roster on which the pupil was, so that one wrong grade can
    put two years out of step: the one in which it stands, and the next.
    """
    rise = grade - before
    odd: np.ndarray = (passed > 0) & ((rise < 0) | (rise > passed))
    return odd


LINKS = [
    "pupil", "year", "school", "grade", "previous_year", "previous_school", "previous_grade",
    "status",
]  # fmt: skip


STATUS = ["joined", "out of step", "repeated", "moved", "stayed"]


NOWHERE, CLOSED, NO_ONE_ARM = -1, -2, -3
"""Numbers of no school: on no roster; in a school that had closed; in one that is a merger of
assigned schools, without having been in one of them before."""


@dataclass(frozen=True)
class RosterYear:
    """One year's roster, row by row.

    Attributes
    ----------
    unit : ndarray of int
        Number of the pupil or teacher.
    listed, successor, school : ndarray of int
        Number of the school as the roster has it, after the crosswalk, and as it is analysed.
    grade : ndarray of float
        NaN where not known.
    before, school_before, grade_before : ndarray
        Year (0: none), school and grade of the last roster before.
    """

    unit: np.ndarray
    listed: np.ndarray
    successor: np.ndarray
    school: np.ndarray
    grade: np.ndarray
    before: np.ndarray
    school_before: np.ndarray
    grade_before: np.ndarray


@dataclass(frozen=True)
class RosterHistory:
    """Every roster of a study.

    Attributes
    ----------
    units : Array of str
        Identifiers by number.
    schools : list of str
        Schools by number, in the order of letters.
    years : dict of int to RosterYear
        The rosters.
    first_year : ndarray of int
        Year of each unit's first roster.
    schools_of : dict of int to SchoolsOfYear
        What the crosswalk says of each year.
    """

    units: pa.Array
    schools: list[str]
    years: dict[int, RosterYear]
    first_year: np.ndarray
    schools_of: dict[int, SchoolsOfYear]

    def repeated(self, year: int) -> np.ndarray:
        """Return who repeats a grade in a year."""
        roster = self.years[year]
        return repeated_grade(roster.grade, roster.grade_before, _passed(roster, year))

    def out_of_step(self, year: int) -> np.ndarray:
        """Return whose grade is out of step in a year."""
        roster = self.years[year]
        return out_of_step(roster.grade, roster.grade_before, _passed(roster, year))

    def school_in(self, year: int) -> np.ndarray:
        """Return the school of every unit in a year, by its number; −1 where on no roster."""
        school = np.full(len(self.units), NOWHERE, dtype=np.int32)
        if year in self.years:
            school[self.years[year].unit] = self.years[year].school
        return school

    def links(self, year: int) -> pd.DataFrame:
        """Return each row of a year's roster with that unit's roster before, and what came of it.

        Returns
        -------
        DataFrame
            Columns ``LINKS``. The status is ``joined`` (on no roster before), ``out of step``,
            ``repeated``, ``moved`` or ``stayed``, the first that holds. The school is the one of
            analysis.
        """
        roster = self.years[year]
        names = pd.Series(self.schools, dtype="str")
        status = np.select(
            [
                roster.before == 0,
                self.out_of_step(year),
                self.repeated(year),
                roster.school != roster.school_before,
            ],
            STATUS[:-1],
            STATUS[-1],
        )
        return pd.DataFrame(
            {
                "pupil": pd.Series(self.units.take(pa.array(roster.unit)).to_pandas(), dtype="str"),
                "year": year,
                "school": _named(names, roster.school),
                "grade": roster.grade,
                "previous_year": pd.array(roster.before, "Int64"),
                "previous_school": _named(names, roster.school_before),
                "previous_grade": roster.grade_before,
                "status": pd.Categorical(status, categories=STATUS),
            }
        ).assign(previous_year=lambda links: links["previous_year"].mask(roster.before == 0))


def _named(names: pd.Series, at: np.ndarray) -> pd.Series:
    found = names.take(np.maximum(at, 0)).reset_index(drop=True)
    return found.mask(at < 0)


def _passed(roster: RosterYear, year: int) -> np.ndarray:
    return np.where(roster.before > 0, year - roster.before, 0)


@dataclass(frozen=True)
class Rosters:
    """What the rosters say, before any school is followed through the crosswalk."""

    units: pa.Array
    names: list[str]
    rows: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]
    """Year → numbers of units, numbers of schools among ``names``, grades."""


def read_rosters(table: YearTable, unit: str) -> Rosters:
    """Give numbers to the units and schools of a table that has one row per unit and year."""
    columns = [name for name in (unit, "school", "grade") if name in table.columns]
    identifiers, schools, grades = [], [], {}
    for year in table.years:
        rows = table.read(year, columns)
        identifiers.append(texts(rows[unit]))
        named = rows["school"] if "school" in rows else pd.Series(None, rows.index, dtype="str")
        schools.append(texts(named).fill_null(NO_SCHOOL).dictionary_encode())
        grades[year] = _numeric_grade(rows)
    units = pa.chunked_array(identifiers, pa.large_string()).dictionary_encode()
    by_school = pa.chunked_array(
        schools, pa.dictionary(pa.int32(), pa.large_string())
    ).unify_dictionaries()
    found = [
        (_codes(units.chunk(at)), _codes(by_school.chunk(at)), grades[year])
        for at, year in enumerate(table.years)
    ]
    none = pa.array([], pa.large_string())
    return Rosters(
        units.chunk(0).dictionary if found else none,
        [str(name) for name in by_school.chunk(0).dictionary.to_pylist()] if found else [],
        dict(zip(table.years, found, strict=True)),
    )


def _codes(encoded: pa.DictionaryArray) -> np.ndarray:
    codes: np.ndarray = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return codes


def _numeric_grade(rows: pd.DataFrame) -> np.ndarray:
    """Return grades as numbers; grades that are words tell nothing of progression."""
    if "grade" in rows and pd.api.types.is_numeric_dtype(rows["grade"]):
        grade: np.ndarray = rows["grade"].to_numpy("float32", na_value=np.nan)
        return grade
    return np.full(len(rows), np.nan, dtype="float32")


def trace_rosters(
    rosters: Rosters,
    crosswalk: Crosswalk,
    *,
    assigned: Collection[str],
    others: Collection[str] = (),
    merged: str = "before",
) -> RosterHistory:
    """Follow every unit through the years.

    Parameters
    ----------
    rosters : Rosters
        What the rosters say.
    crosswalk : Crosswalk
        Schools that changed.
    assigned : collection of str
        Schools that were assigned; empty where other units were.
    others : collection of str
        Further schools that are to have a number.
    merged : str
        What is done with those in a merger of schools of the study: `before`, they are analysed in
        the one of them where they were before; `drop`, they have no school.
    """
    schools = sorted({*rosters.names, *crosswalk.schools(), *assigned, *others})
    place = {school: at for at, school in enumerate(schools)}
    number = np.array([place[name] for name in rosters.names], dtype=np.int32)
    count = len(rosters.units)
    first_year = np.zeros(count, dtype=np.int32)
    last_year = np.zeros(count, dtype=np.int32)
    last_school = np.full(count, NOWHERE, dtype=np.int32)
    last_grade = np.full(count, np.nan, dtype="float32")
    years: dict[int, RosterYear] = {}
    schools_of: dict[int, SchoolsOfYear] = {}
    for year, (unit, named, grade) in rosters.rows.items():
        schools_of[year] = crosswalk.of_year(schools, assigned, year)
        listed = number[named] if len(named) else named
        before, school_before = last_year[unit], last_school[unit]
        successor, school = _analysed(schools_of[year], listed, school_before, merged)
        years[year] = RosterYear(
            unit, listed, successor, school, grade, before, school_before, last_grade[unit]
        )
        first_year[unit] = np.where(before == 0, year, first_year[unit])
        last_year[unit], last_school[unit], last_grade[unit] = year, school, grade
    return RosterHistory(rosters.units, schools, years, first_year, schools_of)


def _analysed(
    schools: SchoolsOfYear, listed: np.ndarray, before: np.ndarray, merged: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the successor of each row's school, and the school as which the row is analysed."""
    successor = schools.successor[listed].astype(np.int32)
    school = schools.owner[np.maximum(successor, 0)].astype(np.int32)
    if schools.merged.any():
        both = schools.merged[np.maximum(successor, 0)]
        came = (before >= 0) & (schools.lineage[np.maximum(before, 0)] == successor)
        stays = came & (merged == "before")
        school = np.where(both, np.where(stays, before, NO_ONE_ARM), school).astype(np.int32)
    school[successor < 0] = CLOSED
    return successor, school
