"""Which tables of a study are linked by which identifiers, and how many are found, both ways.

What is expected differs. Whoever has a score, an observation or a line in the implementation log
should be on the rosters; but a roster may hold pupils without a score, and a district's file more
schools than were assigned. Few of the units that were assigned on any roster are no attrition: the
two files spell them in different ways.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from schooltrial.data.linking.key_sources import Sources
from schooltrial.data.linking.roster_history import RosterHistory
from schooltrial.data.linking.school_crosswalk import Crosswalk, owners
from schooltrial.data.rows.key_matches import (
    KeyMatch,
    Keys,
    keys_of,
    match_keys,
    spelt_in_two_ways,
    together,
)
from schooltrial.data.rows.matching import positions, texts
from schooltrial.data.spelling.typing_slips import likely_meant, turned_or_likely
from schooltrial.data.tables.parquet import YearTable
from schooltrial.protocol.content.levels import GROUPS, NO_SCHOOL
from schooltrial.protocol.content.sections import Cleaning

EXPECTED = {"scores": 0.95, "observations": 0.95, "implementation": 0.95, "assignment": 0.5}
"""Standard table → share of its identifiers that are to be found where they belong: of those with
scores or observations, on the roster of the year; of the schools of the programme's log, in any
table of schools; of those who were assigned, on any roster."""


UNLESS_STATED = 0.95
"""Share of assigned units on rosters that also hold units of no list, where none is stated."""


LINKING = [
    "table", "identifier", "year", "outcome", "looked_up_in", "n", "n_found", "share", "threshold",
    "n_left_out", "rows_not_found", "n_other", "n_other_found", "share_other",
    "files", "files_looked_up_in", "column", "not_found", "likely_meant",
]  # fmt: skip


NAMED_IF_FEW = ("school_scores", "assignment")
"""Tables whose schools without a match are named where they are few."""


FEW = 20
"""Schools without a match up to which each is compared with those that it may be."""


@dataclass(frozen=True)
class Link:
    """Identifiers of one table that were looked up in another, and what was expected.

    Attributes
    ----------
    match : KeyMatch
    least : float, optional
        Share of the identifiers that must be found.
    some : bool
        Whether at least one must be.
    apart : float, optional
        Where less than this share is found either way, the two tables name different things.
    both : float, optional
        Where less than this share is found, and the other table has enough others to be those
        that are not, the two tables name some of their units in two ways.
    n_others : int
        Identifiers of the other table that the first does not hold, nor leaves out.
    """

    match: KeyMatch
    least: float | None = None
    some: bool = False
    apart: float | None = None
    both: float | None = None
    n_others: int = 0


@dataclass(frozen=True)
class LinkedKeys:
    """What was found of all pairs of tables.

    Attributes
    ----------
    links : list of Link
    respelt : dict of str to list
        ``pupil`` or ``teacher`` → those whose identifier differs in spelling between rosters; see
        `spelt_in_two_ways`.
    histories : mapping of str to RosterHistory
        ``pupil`` and ``teacher`` → their rosters.
    """

    links: list[Link] = field(default_factory=list)
    respelt: dict[str, list[tuple[str, int, str, int]]] = field(default_factory=dict)
    histories: Mapping[str, RosterHistory] = field(default_factory=dict)

    def table(self, sources: Sources) -> pd.DataFrame:
        """Return the rates, a row per pair of tables, year and outcome."""
        rows = [_row(link, sources) for link in self.links]
        return pd.DataFrame(rows, columns=LINKING).astype({"year": "Int64"})


def _row(link: Link, sources: Sources) -> list[object]:
    match = link.match
    keys, among = match.keys, match.among
    return [
        keys.table, keys.variable, keys.year, keys.outcome, among.table, len(keys.names),
        int(match.matched.sum()), match.share, link.least, int(match.known.sum()),
        match.rows_unmatched, len(among.names), int(match.found.sum()), match.share_found,
        sources.files(keys.table, keys.year, keys.outcome), sources.files(among.table, among.year),
        sources.column(keys.table, keys.variable, keys.year), *_schools_not_found(match),
    ]  # fmt: skip


def _schools_not_found(match: KeyMatch) -> tuple[str, str]:
    """Return the schools without a match, and what each likely is, as JSON.

    People are not named; nor are many schools of a file of results, which may be of a whole state.
    """
    keys, on_rosters = match.keys, match.keys.table in ROSTERS
    if keys.variable != "school" or not (on_rosters or keys.table in NAMED_IF_FEW):
        return "", ""
    names = [str(name) for name in keys.names.filter(pa.array(match.unmatched)).to_pylist()]
    few, known, meant = len(names) <= FEW, match.among.names, likely_meant
    if not on_rosters:
        if not few:
            return "", ""
        # a school that has its match is meant by no other, so a closer look does no harm
        known, meant = known.filter(pa.array(~match.found)), turned_or_likely
    among = known.to_pylist() if few else []
    likely = {name: other for name in names if (other := meant(name, among))}
    return (json.dumps(sorted(names), ensure_ascii=False) if names else "",
            json.dumps(likely, ensure_ascii=False) if likely else "")  # fmt: skip


def expected_share(cleaning: Cleaning, table: str) -> float:
    """Return the share of a table's identifiers that must be found, as the protocol states it."""
    stated = cleaning["match_at_least"]
    if isinstance(stated, int | float):
        return min(float(stated), EXPECTED[table]) if table == "assignment" else float(stated)
    of_table = dict(stated).get(table, EXPECTED[table])
    return float(str(of_table))


def share_of_both(cleaning: Cleaning) -> float:
    """Return the share of the assigned units below which others on the rosters are a mismatch.

    Units that closed leave no others behind. So more are expected than where none is there.
    """
    stated = cleaning["match_at_least"]
    if isinstance(stated, int | float):
        return float(stated)
    return float(str(dict(stated).get("assignment", UNLESS_STATED)))


@dataclass(frozen=True)
class TablesToLink:
    """The tables whose identifiers are looked up.

    Attributes
    ----------
    unit : str
        What was assigned.
    cleaning : Cleaning
        The section of the protocol.
    assignment, schools : DataFrame
    histories : mapping of str to RosterHistory
        ``pupil`` and ``teacher`` → their rosters.
    rosters, measured : mapping of str to YearTable
        ``pupil`` and ``teacher`` → the table of rosters; that of what was measured.
    others : mapping of str to DataFrame
        Further tables by name.
    crosswalk : Crosswalk
    left_out : DataFrame
        Columns ``LEFT_OUT``.
    """

    unit: str
    cleaning: Cleaning
    assignment: pd.DataFrame
    schools: pd.DataFrame
    histories: Mapping[str, RosterHistory]
    rosters: Mapping[str, YearTable]
    measured: Mapping[str, YearTable]
    others: Mapping[str, pd.DataFrame]
    crosswalk: Crosswalk
    left_out: pd.DataFrame


TABLES = {"pupil": ("pupils", "scores"), "teacher": ("teachers", "observations")}
"""Whose rows → the table of their rosters, and that of what was measured."""


ROSTERS = frozenset(roster for roster, _ in TABLES.values())


def link_keys(tables: TablesToLink) -> LinkedKeys:
    """Look the identifiers of every table up in those that they belong to."""
    found = [
        *_measured(tables), *_of_teachers(tables), *_assigned(tables), *_schools(tables),
    ]  # fmt: skip
    respelt = {
        level: spelt_in_two_ways(
            history.units, [(year, roster.unit) for year, roster in history.years.items()]
        )
        for level, history in tables.histories.items()
    }
    return LinkedKeys(found, {k: v for k, v in respelt.items() if v}, tables.histories)


def _measured(tables: TablesToLink) -> Iterator[Link]:
    """Yield those with scores or observations, year by year, among the people of the rosters."""
    for level, (roster, name) in TABLES.items():
        table, history = tables.measured[level], tables.histories[level]
        least = expected_share(tables.cleaning, name)
        for year in table.years:
            columns = [c for c in (level, "outcome", "occasion", "rater") if c in table.columns]
            rows = table.read(year, columns)
            parts = [
                keys_of(name, level, texts(part[level]), year, str(outcome))
                for outcome, part in rows.groupby("outcome", observed=True)
            ]
            if not parts:
                continue
            of_year = history.years.get(year)
            among = _people(history, roster, level, year)
            left_out = _left_out(tables, roster, level, year)
            whole = together(parts, year)
            limit = least if of_year is not None else None
            once = level == "pupil"
            for keys in [whole, *(parts if len(parts) > 1 else [])]:
                one_row = once and (len(parts) == 1 or keys is not whole)
                yield Link(match_keys(keys, among, left_out, one_row_each=one_row), limit)


def _people(history: RosterHistory, table: str, level: str, year: int) -> Keys:
    if year not in history.years:
        return keys_of(table, level, pa.array([], pa.large_string()), year)
    unit = history.years[year].unit
    rows = np.ones(len(unit), dtype=np.int64)
    return Keys(table, level, history.units.take(pa.array(unit)), rows, year)


def _left_out(tables: TablesToLink, table: str, variable: str, year: int | None) -> pa.Array | None:
    rows = tables.left_out
    mine = rows[(rows["table"] == table) & (rows["variable"] == variable)]
    if year is not None:
        mine = mine[(mine["year"] == year) | mine["year"].isna()]
    return texts(mine["name"]) if len(mine) else None


def _of_teachers(tables: TablesToLink) -> Iterator[Link]:
    """Yield the teachers of pupils among those on the teachers' own rosters."""
    roster, history = tables.rosters["pupil"], tables.histories["teacher"]
    if "teacher" not in roster.columns:
        return
    for year in [year for year in roster.years if year in history.years]:
        keys = keys_of("pupils", "teacher", texts(roster.read(year, ["teacher"])["teacher"]), year)
        among = _people(history, "teachers", "teacher", year)
        left_out = _left_out(tables, "teachers", "teacher", year)
        if len(keys.names):
            yield Link(match_keys(keys, among, left_out), some=True)


def _assigned(tables: TablesToLink) -> Iterator[Link]:
    """Yield the units of the rosters in the allocation list, and those of the list on rosters."""
    unit = tables.unit
    if unit not in tables.assignment:
        return
    listed = keys_of("assignment", unit, texts(tables.assignment[unit]))
    least = expected_share(tables.cleaning, "assignment")
    by_table: dict[str, list[Keys]] = {}
    for keys in _units_on_rosters(tables):
        by_table.setdefault(keys.table, []).append(keys)
    for table, parts in by_table.items():
        for keys in parts:
            by_school = unit == "school" and table != "published_means"
            yield Link(
                match_keys(keys, listed, _left_out(tables, "assignment", unit, None)),
                some=by_school and least > 0, apart=least if by_school else None,
            )  # fmt: skip
    everywhere = [keys for parts in by_table.values() for keys in parts]
    if everywhere:
        names = " or ".join(by_table)
        whole = together(everywhere)
        among = Keys(names, unit, whole.names, whole.rows)
        match = match_keys(listed, among)
        others = among.names.filter(pa.array(~match.found))
        left_out = _left_out(tables, "assignment", unit, None)
        known = 0 if left_out is None else int((positions(others, left_out) >= 0).sum())
        yield Link(
            match, least, some=least > 0, both=share_of_both(tables.cleaning),
            n_others=len(others) - known,
        )  # fmt: skip


def _units_on_rosters(tables: TablesToLink) -> Iterator[Keys]:
    """Yield the units of a kind that was assigned, of each table and year that names them."""
    unit = tables.unit
    if unit == "school":
        for level, (name, _) in TABLES.items():
            yield from _schools_on_rosters(tables.histories[level], name)
        yield from _schools_of(tables, "school_scores")
        return
    for level, history in tables.histories.items():
        for year in history.years if level == unit else ():
            yield _people(history, TABLES[unit][0], unit, year)
    roster = tables.rosters["pupil"]
    if unit in GROUPS and unit in roster.columns:
        for year in roster.years:
            named = texts(roster.read(year, [unit])[unit])
            yield keys_of("pupils", unit, named, year)


def _schools_on_rosters(history: RosterHistory, table: str) -> Iterator[Keys]:
    """Yield the schools of each year's roster, after the crosswalk, as they are analysed."""
    names = pa.array(history.schools, pa.large_string())
    for year, roster in history.years.items():
        count = np.bincount(roster.school[roster.school >= 0], minlength=len(names))
        if NO_SCHOOL in history.schools:
            count[history.schools.index(NO_SCHOOL)] = 0
        there = np.flatnonzero(count)
        if len(there):
            yield Keys(table, "school", names.take(pa.array(there)), count[there], year)


def _schools_of(tables: TablesToLink, name: str) -> Iterator[Keys]:
    """Yield the schools of each year of a table, after the crosswalk."""
    frame = tables.others.get(name)
    if frame is None or len(frame) == 0:
        return
    assigned = set(tables.assignment["school"].astype("str")) if tables.unit == "school" else set()
    school = frame["school"].astype("str")
    if tables.crosswalk.changes:
        of_owner = owners(frame.assign(school=school), assigned, tables.crosswalk)
        school = of_owner.dropna().astype("str")
    for year, names in school.groupby(frame["year"].reindex(school.index)):
        yield keys_of(name, "school", texts(names), int(year))


def _schools(tables: TablesToLink) -> Iterator[Link]:
    """Yield the schools of tables that name them, among all the schools of the study."""
    described = [tables.schools, tables.assignment]
    named = [
        keys_of("schools", "school", texts(one["school"])) for one in described if "school" in one
    ]
    rosters = [
        keys
        for level, (name, _) in TABLES.items()
        for keys in _schools_on_rosters(tables.histories[level], name)
    ]
    if tables.unit != "school" and named:
        study = together(named)
        for keys in rosters:
            left_out = _left_out(tables, "schools", "school", None)
            yield Link(match_keys(keys, study, left_out), some=True)
    scores = list(_schools_of(tables, "school_scores"))
    changed = sorted(tables.crosswalk.schools())
    if changed:
        scores.append(keys_of("crosswalk", "school", pa.array(changed, pa.large_string())))
    every = [*named, *rosters, *scores]
    if not every:
        return
    study = together(every)
    known = Keys("schools", "school", study.names, study.rows)
    log = tables.others.get("implementation")
    if log is not None and len(log):
        keys = keys_of("implementation", "school", texts(log["school"]))
        least = expected_share(tables.cleaning, "implementation")
        yield Link(match_keys(keys, known, _left_out(tables, "schools", "school", None)), least)
    for keys in _schools_of(tables, "published_means"):
        there = [one for one in rosters if one.year == keys.year and one.table == "pupils"]
        if there:
            yield Link(match_keys(keys, there[0]), some=True)
    changes = tables.others.get("crosswalk")
    if changes is not None and len(changes):
        keys = keys_of("crosswalk", "school", texts(changes["from_school"]))
        before = [*named, *_listed_on_rosters(tables), *_plain_schools(tables, "school_scores")]
        if before:
            known = together(before)
            among = Keys("schools", "school", known.names, known.rows)
            yield Link(match_keys(keys, among))


def _listed_on_rosters(tables: TablesToLink) -> Iterator[Keys]:
    """Yield the schools of rosters as they are named there, before the crosswalk."""
    for level, (name, _) in TABLES.items():
        history = tables.histories[level]
        names = pa.array(history.schools, pa.large_string())
        for year, roster in history.years.items():
            there = np.unique(roster.listed)
            rows = np.ones(len(there), dtype=np.int64)
            yield Keys(name, "school", names.take(pa.array(there)), rows, year)


def _plain_schools(tables: TablesToLink, name: str) -> Iterator[Keys]:
    frame = tables.others.get(name)
    if frame is not None and len(frame):
        yield keys_of(name, "school", texts(frame["school"]))
