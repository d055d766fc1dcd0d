"""The units that were assigned: each with its block, arm, cohort and take-up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from schooltrial.data.tables.assignment_list import SOURCE, list_faults
from schooltrial.protocol.sample_rules import SampleRules
from schooltrial.refusal import Fault, refuse

NOT_CARRIED = ("drawn", "school")
"""Columns of the assignment table that are not carried to samples."""


def read_units(
    assignment: pd.DataFrame,
    schools: pd.DataFrame,
    rules: SampleRules,
    first_school: pd.Series | None = None,
) -> pd.DataFrame:
    """Return the assigned units, checked.

    Parameters
    ----------
    assignment : DataFrame
        The standard table, one row per unit.
    schools : DataFrame
        The schools that are described; empty where the study has no table of them.
    rules : SampleRules
        The design.
    first_school : Series of str, optional
        Unit → school of its first roster: the block of teachers and pupils, where the table names
        neither block nor school.

    Returns
    -------
    DataFrame
        The unit, ``block``, ``arm`` (a category in the order of the design), ``cluster``,
        ``treated`` (1 in every arm but the control), then what else the table holds, such as
        take-up; ``cohort`` (integer) where the design is staggered.

    Raises
    ------
    Refusal
        Where an arm is not of the design or has no units, a school is in no table of schools, or
        arm and cohort contradict each other.
    """
    arms = [str(arm["name"]) for arm in rules.arms]
    described = schools["school"] if len(schools) else None
    refuse(list(list_faults(assignment, described, rules.unit, arms)))
    unit = assignment[rules.unit].astype("str")
    names = [str(arm["name"]) for arm in rules.arms]
    units = pd.DataFrame({rules.unit: unit, "block": _blocks(assignment, rules, first_school)})
    units["arm"] = pd.Categorical(assignment["arm"].astype("str"), categories=names)
    units["cluster"] = unit
    units["treated"] = (units["arm"] != rules.control).astype("float64")
    carried = [c for c in assignment if c not in units and c not in NOT_CARRIED]
    units[carried] = assignment[carried]
    if rules.staggered:
        begins = assignment["cohort"] if "cohort" in assignment else [np.nan] * len(assignment)
        units["cohort"] = pd.array(pd.to_numeric(begins), "Int64")
        refuse(list(_cohort_faults(units, rules)))
    return units.reset_index(drop=True)


def _blocks(
    assignment: pd.DataFrame, rules: SampleRules, first_school: pd.Series | None
) -> pd.Series:
    if "block" in assignment:
        return assignment["block"].astype("str")
    if not rules.levels.inside_schools or rules.kind == "simple":
        return pd.Series(f"all {rules.levels.units}", index=assignment.index, dtype="str")
    if "school" in assignment:
        return assignment["school"].astype("str")
    known = pd.Series(dtype="str") if first_school is None else first_school
    return assignment[rules.unit].map(known).astype("str")


EARLIEST = 1000
"""A number below this is no year, but a code."""

END_BEFORE = (
    "; a school that begins after the last of `years` has no cohort: list it without, and end "
    "`years` before it begins"
)
"""The remedy where the last to begin stand for those who are never treated."""


def _cohort_faults(units: pd.DataFrame, rules: SampleRules) -> Iterator[Fault]:
    """Yield units of the control arm that are treated from some year, and the reverse."""
    begins, treated = units["cohort"].notna(), units["treated"] == 1
    for at in np.flatnonzero(begins.to_numpy() != treated.to_numpy()):
        row = units.iloc[at]
        told = f"is treated from {row['cohort']} on" if begins.iloc[at] else "has no cohort"
        yield Fault(
            SOURCE, f"{rules.unit} {row[rules.unit]} is in the arm {row['arm']!r} and {told}",
            f"a cohort in every arm but {rules.control!r}, and none in it",
            _remedy_of(row["cohort"]) if begins.iloc[at] else "correct the arm or the cohort",
            column="cohort",
        )  # fmt: skip


def _remedy_of(cohort: int) -> str:
    """Return what to do with the first treated year of a unit of the control arm."""
    if cohort < EARLIEST:
        return (
            f'if {cohort} stands for never, set `cohort: {{…, missing: ["", "{cohort}"]}}` in '
            "`tables.assignment`"
        )
    return f"correct the arm or the cohort{END_BEFORE}"


def described(schools: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return what is known of schools, one row per name; missing where nothing is."""
    plain = schools.drop_duplicates("school").set_index("school")
    return plain.reindex(pd.Index(names, name="school")).reset_index(drop=True)
