"""The standard tables of a study, held against each other before any sample is made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from schooltrial.data.linking.assigned_units import described, read_units
from schooltrial.data.linking.roster_history import RosterHistory, read_rosters, trace_rosters
from schooltrial.data.linking.school_crosswalk import Crosswalk, read_crosswalk
from schooltrial.data.panel.published_means import with_successors
from schooltrial.data.sample.rosters import RosterSample
from schooltrial.data.tables.parquet import YearTable, by_year
from schooltrial.data.variables.measurements import with_occasion_and_rater
from schooltrial.protocol.sample_rules import SampleRules
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
    """

    pupils: RosterSample
    teachers: RosterSample
    units: pd.DataFrame
    schools: pd.DataFrame
    crosswalk: Crosswalk
    school_scores: pd.DataFrame
    published: pd.DataFrame


def link_tables(tables: Tables, rules: SampleRules) -> LinkedTables:
    """Give schools and people of all tables numbers, and check that they belong together.

    Parameters
    ----------
    tables : mapping
        Standard tables by name; those that a study does not have may be missing, None or empty.
    rules : SampleRules
        The protocol.

    Raises
    ------
    Refusal
        With all the faults of the assignment and the crosswalk; or where the rosters and the
        assignment have no unit in common.
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
    history = {
        level: trace_rosters(
            part, crosswalk, assigned=assigned, others=_names(schools),
            merged=rules.cleaning["merged_schools"],
        )
        for level, part in rosters.items()
    }  # fmt: skip
    first = first_schools(history[rules.unit]) if rules.unit in history else None
    try:
        units = read_units(assignment, schools, rules, first)
    except Refusal as refusal:
        refuse(faults + list(refusal.faults))
    refuse(faults)
    observations = with_occasion_and_rater(_frame(tables, "observations"))
    measured = {
        "pupil": by_year(tables.get("scores"), "pupil"),
        "teacher": by_year(observations, "teacher"),
    }
    linked = {
        level: RosterSample(
            level, roster, measured[level], history[level], units,
            described(schools, history[level].schools), teachers if teachers.years else None, rules,
        )
        for level, roster in (("pupil", pupils), ("teacher", teachers))
    }  # fmt: skip
    refuse([fault for part in linked.values() for fault in _nobody_faults(part, assigned)])
    return LinkedTables(
        linked["pupil"], linked["teacher"], units, schools, crosswalk, school_scores,
        with_successors(published, crosswalk, years),
    )  # fmt: skip


def _frame(tables: Tables, name: str) -> pd.DataFrame:
    table = tables.get(name)
    if table is None:
        return pd.DataFrame({"school": pd.Series(dtype="str"), "year": pd.Series(dtype="Int64")})
    if isinstance(table, pd.DataFrame):
        return table
    return pd.concat([table.read(year) for year in table.years], ignore_index=True)


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


def _nobody_faults(sample: RosterSample, assigned: Collection[str]) -> Iterator[Fault]:
    """Yield a fault where a roster names none of the units that were assigned."""
    unit, history = sample.rules.unit, sample.history
    if not history.years or unit not in ("school", sample.level):
        return
    if unit == "school":
        used = np.unique(np.concatenate([np.unique(r.school) for r in history.years.values()]))
        there = [history.schools[at] for at in used if at >= 0]
        met = any(name in assigned for name in there)
    else:
        there = [str(name) for name in history.units[:1].to_pylist()]
        met = bool((sample.unit_of >= 0).any())
    if not met:
        listed = sample.units[unit].iloc[0]
        shown = there[0] if there else ""
        yield Fault(
            f"{sample.level}s table", f"no {unit} of it (such as {shown!r}) is in the assignment "
            f"list (such as {listed!r})", "the same spelling of ids in both",
            "read both as `identifier`, or name the changes in a crosswalk", column=unit,
        )  # fmt: skip
