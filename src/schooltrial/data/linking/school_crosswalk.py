"""Schools that are renamed, merge, split or close: whose rows are whose, in which year."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from schooltrial.refusal import Fault, refuse

CHANGES = ("renamed", "merged", "split", "closed")


SOURCE = "crosswalk table"


@dataclass(frozen=True)
class Change:
    """From a year on, rows of one school are rows of another; None if it closed for good."""

    school: str
    year: int
    into: str | None
    kind: str


@dataclass(frozen=True)
class SchoolsOfYear:
    """Where the rows of each school of a list belong in one year, by positions in the list.

    Attributes
    ----------
    successor : ndarray of int
        School that the rows are rows of; −1 where it had closed.
    owner : ndarray of int
        Assigned school as which the successor is analysed: itself, or the one that became it.
    merged : ndarray of bool
        Whether a successor holds two or more assigned schools, so that it has no one owner.
    lineage : ndarray of int
        For an assigned school, what it has become; −1 where it closed, or was not assigned.
    """

    successor: np.ndarray
    owner: np.ndarray
    merged: np.ndarray
    lineage: np.ndarray


@dataclass(frozen=True)
class Crosswalk:
    """The changes of a study's schools, by school and year."""

    changes: tuple[Change, ...] = ()

    def active(self, year: int) -> dict[str, Change]:
        """Return school → its latest change up to a year."""
        ordered = sorted(self.changes, key=lambda change: change.year)
        return {change.school: change for change in ordered if change.year <= year}

    def schools(self) -> set[str]:
        """Return every school that is named."""
        both = {name for change in self.changes for name in (change.school, change.into)}
        return {name for name in both if name is not None}

    def of_year(
        self, schools: Sequence[str], assigned: Collection[str], year: int
    ) -> SchoolsOfYear:
        """Return where the rows of schools belong in a year.

        An assigned school keeps its identity when it is renamed, splits or merges with schools
        that were not assigned: its rows, under whatever id, are rows of the school that was
        assigned. Those sent from a school that closed have moved: the closed school is not
        carried on.
        """
        place = {school: at for at, school in enumerate(schools)}
        active = self.active(year)
        count = len(schools)
        successor, lineage = np.arange(count), np.full(count, -1)
        lineage[[place[school] for school in assigned if school in place]] = 0
        lineage = np.where(lineage == 0, successor, -1)
        for school in active:
            *_, last = _chain(active, school)
            closed = any(change.kind == "closed" for change in _followed(active, school))
            end = -1 if last is None else place[last]
            successor[place[school]] = end
            if lineage[place[school]] >= 0:
                lineage[place[school]] = -1 if closed else end
        owner = np.arange(count)
        heirs = np.bincount(lineage[lineage >= 0], minlength=count)
        carried = np.flatnonzero(lineage >= 0)
        only = heirs[lineage[carried]] == 1
        owner[lineage[carried[only]]] = carried[only]
        return SchoolsOfYear(successor, owner, heirs > 1, lineage)


def _followed(active: dict[str, Change], school: str) -> Iterator[Change]:
    """Yield the changes that a school's rows go through, to their end or to a repeat."""
    seen: set[str] = set()
    at: str | None = school
    while at is not None and at in active and at not in seen:
        seen.add(at)
        yield active[at]
        at = active[at].into


def _chain(active: dict[str, Change], school: str) -> Iterator[str | None]:
    """Yield the schools that rows pass through, the first one included."""
    yield school
    for change in _followed(active, school):
        yield change.into


def crosswalk_of(table: pd.DataFrame | None) -> Crosswalk:
    """Return the changes in a crosswalk table, unchecked; none if there is no table."""
    if table is None or len(table) == 0:
        return Crosswalk()
    kinds = table["change"] if "change" in table else ["renamed"] * len(table)
    targets = table["to_school"] if "to_school" in table else [None] * len(table)
    return Crosswalk(
        tuple(
            Change(
                str(school),
                int(year),
                None if pd.isna(into) else str(into),
                "renamed" if pd.isna(kind) else str(kind),
            )
            for school, year, into, kind in zip(
                table["from_school"], table["from_year"], targets, kinds, strict=True
            )
        )
    )


def owners(frame: pd.DataFrame, assigned: Collection[str], changes: Crosswalk) -> pd.Series:
    """Return the assigned school as which each row is analysed; missing if it is none.

    Parameters
    ----------
    frame : DataFrame
        Rows with ``school`` and ``year``.
    assigned : collection of str
        Schools that were assigned.
    changes : Crosswalk
        Schools that changed. A school that had closed, and a merger of assigned schools, is none.
    """
    schools = sorted({*frame["school"].dropna().astype("str"), *changes.schools(), *assigned})
    parts = []
    for year, names in frame["school"].groupby(frame["year"]):
        of_year = changes.of_year(schools, assigned, int(year))
        became = np.where(of_year.merged[of_year.successor], -1, of_year.owner[of_year.successor])
        became = np.where(of_year.successor < 0, -1, became)
        name = {s: schools[at] for s, at in zip(schools, became, strict=True) if at >= 0}
        parts.append(names.astype("object").map(name))
    return pd.concat(parts).reindex(frame.index) if parts else frame["school"].astype("object")


def read_crosswalk(
    table: pd.DataFrame | None, known: Collection[str], years: Sequence[int]
) -> Crosswalk:
    """Return the crosswalk of a study, empty if it has none.

    Parameters
    ----------
    table : DataFrame or None
        ``from_school, from_year, to_school, change``.
    known : collection of str
        Schools of the study: assigned, described, or on a roster.
    years : sequence of int
        Years of the study.

    Raises
    ------
    Refusal
        Where a change is of no known kind, leads to no school that is known, or in a circle.
    """
    crosswalk = crosswalk_of(table)
    changes = crosswalk.changes
    faults = [fault for change in changes for fault in _change_faults(change, set(known))]
    refuse(faults + list(_circle_faults(changes, years)))
    return crosswalk


def _change_faults(change: Change, known: set[str]) -> Iterator[Fault]:
    where = f"school {change.school}, {change.year}"
    if change.kind not in CHANGES:
        yield Fault(
            SOURCE, f"{where}: the change {change.kind!r}", "one of " + ", ".join(CHANGES),
            "add the code to `codes` in the protocol", column="change",
        )  # fmt: skip
    if change.into is None and change.kind != "closed":
        yield Fault(
            SOURCE, f"{where}: {change.kind}, but `to_school` is empty", "the new school",
            "fill in `to_school`, or write `closed` as the change", column="to_school",
        )  # fmt: skip
    if change.into is not None and change.into not in known:
        yield Fault(
            SOURCE, f"{where}: {change.kind} into {change.into}, which is not in any table",
            "a school in the allocation list, the table of schools or the enrolment records",
            "correct the identifier",
            column="to_school",
        )  # fmt: skip


def _circle_faults(changes: tuple[Change, ...], years: Sequence[int]) -> Iterator[Fault]:
    told: set[frozenset[str]] = set()
    for year in years:
        active = Crosswalk(changes).active(year)
        for school in active:
            path = [name for name in _chain(active, school) if name is not None]
            ring = frozenset(path[path.index(path[-1]) :])
            if path.count(path[-1]) > 1 and path[-1] == school and ring not in told:
                told.add(ring)
                yield Fault(
                    SOURCE, f"rows form a circle in {year}: " + " → ".join(path),
                    "a chain that ends in one school",
                    "delete the row that leads back to the first school",
                    column="to_school",
                )  # fmt: skip
