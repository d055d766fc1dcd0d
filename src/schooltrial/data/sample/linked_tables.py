"""The standard tables of a study, linked to each other before any sample is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from schooltrial.data.linking.assigned_units import described, read_units
from schooltrial.data.linking.key_sources import Sources
from schooltrial.data.linking.link_faults import mismatch_faults
from schooltrial.data.linking.roster_arms import roster_arm_faults
from schooltrial.data.linking.roster_history import RosterHistory, read_rosters, trace_rosters
from schooltrial.data.linking.school_crosswalk import Crosswalk, read_crosswalk
from schooltrial.data.linking.table_links import LinkedKeys, TablesToLink, link_keys
from schooltrial.data.panel.published_means import with_successors
from schooltrial.data.sample.rosters import RosterSample
from schooltrial.data.tables.left_out import all_left_out
from schooltrial.data.tables.parquet import YearTable, by_year
from schooltrial.data.variables.measurements import with_occasion_and_rater
from schooltrial.protocol.content.levels import NO_SCHOOL
from schooltrial.protocol.content.sample_rules import SampleRules
from schooltrial.refusal import Fault, Refusal, refuse

Tables = Mapping[str, pd.DataFrame | YearTable | None]


@dataclass(frozen=True)
class LinkedTables:
    """What samples are made from.

    Attributes
    ----------
    pupils, teachers : RosterSample
        Rosters, their history, and what was measured.
    units, schools : DataFrame
        What was assigned; the schools that are described.
    crosswalk : Crosswalk
        Schools that changed.
    school_scores, published : DataFrame
        Outcomes of schools; means that were published.
    keys : LinkedKeys
        How many identifiers of each table were found in those that they belong to.
    """

    pupils: RosterSample
    teachers: RosterSample
    units: pd.DataFrame
    schools: pd.DataFrame
    crosswalk: Crosswalk
    school_scores: pd.DataFrame
    published: pd.DataFrame
    keys: LinkedKeys


def link_tables(
    tables: Tables, rules: SampleRules, left_out: pd.DataFrame | None = None,
    sources: Sources | None = None,
) -> LinkedTables:  # fmt: skip
    """Give schools and people of all tables numbers, and check that they belong together.

    Parameters
    ----------
    tables : mapping
        Standard tables by name; those that a study does not have may be missing, None or empty.
    rules : SampleRules
        The protocol.
    left_out : DataFrame, optional
        Identifiers whose rows the protocol leaves out; see `keys_left_out`.
    sources : Sources, optional
        The raw files, as messages name them.

    Raises
    ------
    Refusal
        With all the faults of the assignment, of the crosswalk, and of identifiers that do not
        match between tables, see `mismatch_faults`.
    """
    assignment, schools = (_frame(tables, name) for name in ("assignment", "schools"))
    school_scores, published = (_frame(tables, n) for n in ("school_scores", "published_means"))
    pupils, teachers = (
        by_year(tables.get("pupils"), "pupil"),
        by_year(tables.get("teachers"), "teacher"),
    )
    rosters = {"pupil": read_rosters(pupils, "pupil"), "teacher": read_rosters(teachers, "teacher")}
    assigned = set(assignment["school"].astype("str")) if rules.unit == "school" else set()
    known = _names(schools) | _names(assignment) | _names(school_scores) | _names(published)
    known |= {name for part in rosters.values() for name in part.names}
    years = sorted(
        {*pupils.years, *teachers.years, *(school_scores["year"] if len(school_scores) else ())}
    )
    faults: list[Fault] = []
    crosswalk = Crosswalk()
    try:
        crosswalk = read_crosswalk(_frame(tables, "crosswalk"), known, years)
    except Refusal as refusal:
        faults += refusal.faults
    faulty_crosswalk = bool(faults)
    history = {
        level: trace_rosters(
            part, crosswalk, assigned=assigned, others=_names(schools),
            merged=rules.cleaning["merged_schools"],
        )
        for level, part in rosters.items()
    }  # fmt: skip
    first = None
    if rules.unit in history:
        first = first_schools(history[rules.unit])
    elif rules.levels.holds_pupils:
        first = first_schools_of_groups(pupils, rules.unit)
    schools = _with_schools(schools, assignment, rosters["pupil"].names, rosters["teacher"].names)
    on_rosters = {"pupils": pupils, "teachers": teachers}
    named = sources or Sources()
    described_schools = _frame(tables, "schools")
    units = None
    try:
        units = read_units(assignment, described_schools, rules, first)
        faults += roster_arm_faults(units, on_rosters, described_schools, rules, named)
    except Refusal as refusal:
        faults += refusal.faults
    observations = with_occasion_and_rater(_frame(tables, "observations"))
    measured = {
        "pupil": by_year(tables.get("scores"), "pupil"),
        "teacher": by_year(observations, "teacher"),
    }
    published = with_successors(published, crosswalk, years)
    others = {name: _frame(tables, name) for name in ("implementation", "crosswalk")}
    keys = link_keys(
        TablesToLink(
            rules.unit, rules.cleaning, assignment, schools, history,
            {"pupil": pupils, "teacher": teachers}, measured,
            {**others, "school_scores": school_scores, "published_means": published}, crosswalk,
            all_left_out([]) if left_out is None else left_out,
        )
    )  # fmt: skip
    if not faulty_crosswalk:  # else identifiers may differ because it was not read
        faults += mismatch_faults(keys, rules.cleaning, named)
    refuse(faults)
    assert units is not None
    linked = {
        level: RosterSample(
            level, roster, measured[level], history[level], units,
            described(schools, history[level].schools), teachers if teachers.years else None, rules,
        )
        for level, roster in (("pupil", pupils), ("teacher", teachers))
    }  # fmt: skip
    return LinkedTables(
        linked["pupil"], linked["teacher"], units, schools, crosswalk, school_scores, published,
        keys,
    )  # fmt: skip


def _frame(tables: Tables, name: str) -> pd.DataFrame:
    table = tables.get(name)
    if table is None:
        return pd.DataFrame({"school": pd.Series(dtype="str"), "year": pd.Series(dtype="Int64")})
    if isinstance(table, pd.DataFrame):
        return table
    return pd.concat([table.read(year) for year in table.years], ignore_index=True)


def _with_schools(
    schools: pd.DataFrame, assignment: pd.DataFrame, *on_rosters: Collection[str]
) -> pd.DataFrame:
    """Return the schools that are described, else those of the list, else those of the rosters."""
    if len(schools):
        return schools
    listed = _names(assignment) or {name for names in on_rosters for name in names} - {NO_SCHOOL}
    return pd.DataFrame({"school": pd.Series(sorted(listed), dtype="str")})


def _names(table: pd.DataFrame) -> set[str]:
    return set(table["school"].dropna().astype("str")) if "school" in table else set()


def first_schools(history: RosterHistory) -> pd.Series:
    """Return unit → the school of its first roster."""
    school = np.full(len(history.units), -1)
    for roster in reversed(history.years.values()):
        school[roster.unit] = roster.school
    names = pd.Series([*history.schools, None], dtype="str")
    found = names.take(np.where(school < 0, len(names) - 1, school))
    return found.set_axis(pd.Index(history.units.to_pandas(), dtype="str"))


def first_schools_of_groups(roster: YearTable, unit: str) -> pd.Series:
    """Return class or teacher → the school of its pupils, in the first year in which it has any."""
    found = pd.Series(dtype="str")
    if unit not in roster.columns or "school" not in roster.columns:
        return found
    for year in roster.years:
        rows = roster.read(year, [unit, "school"]).dropna().astype("str").drop_duplicates(unit)
        later = rows.set_index(unit)["school"]
        found = pd.concat([found, later[~later.index.isin(found.index)]])
    return found
