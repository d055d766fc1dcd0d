"""The levels of a design: what was assigned, what it lies in, and what a reader calls it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schooltrial.wording import plural_of

NO_SCHOOL = "(no school)"
"""The school of a row that names none, and of every row of a trial without schools."""


SCHOOL_MISSING = "school is missing"
"""Reason of the ledger for those on a roster whose school is blank."""

ROSTER_OF = {
    "class": "pupils",
    "group": "pupils",
    "teacher": "teachers",
    "pupil": "pupils",
    "school": "schools",
}
"""What was assigned → the standard table in which each of them is named."""

CLASSES = ("class", "group")
"""Units inside schools that hold pupils, and have no table of their own."""

GROUPS = ("teacher", *CLASSES)
"""Units inside schools that hold pupils: a row of the table of pupils names them."""

PLACES = ("schools", "pupils", "teachers", "assignment", "school_scores", "published_means")
"""Standard tables that may name a school."""


@dataclass(frozen=True, slots=True)
class DesignLevels:
    """What a trial is made of, from the protocol's section ``design``.

    Attributes
    ----------
    unit : str
        What was assigned.
    in_schools : bool
        Whether the trial has schools. Pupils can be randomised outside any: no sentence, box or
        figure then speaks of schools.
    """

    unit: str
    in_schools: bool = True

    @classmethod
    def of(cls, design: Mapping[str, Any]) -> DesignLevels:
        """Return the levels of a design."""
        schools = design.get("schools")
        return cls(str(design.get("unit") or "school"), schools is None or bool(schools))

    @property
    def units(self) -> str:
        """What was assigned, in the plural."""
        return plural_of(self.unit)

    @property
    def inside_schools(self) -> bool:
        """Whether units inside schools were assigned, rather than schools."""
        return self.unit != "school" and self.in_schools

    @property
    def units_are_people(self) -> bool:
        """Whether people were assigned; a page that is passed on names none of them."""
        return self.unit in ("teacher", "pupil")

    @property
    def holds_pupils(self) -> bool:
        """Whether a unit is a group inside a school, named on each row of its pupils."""
        return self.unit in GROUPS


def control_name(*, randomised: bool) -> str:
    """Return what the group without the programme is called: control, if groups were randomised."""
    return "control" if randomised else "comparison"


def names_schools(columns: Mapping[str, Iterable[str]]) -> bool:
    """Return whether any standard table names a school.

    Parameters
    ----------
    columns : mapping
        Standard table → the variables that are read into it.
    """
    return any("school" in names for table, names in columns.items() if table in PLACES)
