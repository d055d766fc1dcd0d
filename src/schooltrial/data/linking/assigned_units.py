"""The units that were assigned: each with its block, group, cohort and take-up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from schooltrial.data.tables.assignment_list import SOURCE, list_faults
from schooltrial.protocol.content.sample_rules import SampleRules
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
        ``treated`` (1 in every group but the control), then what else the table holds, such as
        take-up; ``cohort`` (integer) where the design is staggered.

    Raises
    ------
    Refusal
        Where a group is not of the design or has no units, a school is in no table of schools, or
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


EARLIEST, LATEST = 1000, 3000
"""A number below the one or above the other is no year, but a code."""

END_BEFORE = (
    "; a school that begins after the last year of the study has no cohort: leave its cohort "
    "empty, and end `years` before it begins"
)
"""The remedy where the last to begin stand for those who are never treated."""


def _cohort_faults(units: pd.DataFrame, rules: SampleRules) -> Iterator[Fault]:
    """Yield units of the control group that are treated from some year, and the reverse."""
    begins, treated = units["cohort"].notna(), units["treated"] == 1
    odd = begins.to_numpy() != treated.to_numpy()
    coded = odd & ~units["cohort"].fillna(EARLIEST).between(EARLIEST, LATEST).to_numpy(bool)
    for code, those in units[coded].groupby("cohort", sort=False):
        first = f"{rules.unit} {those[rules.unit].iloc[0]}"
        others = f" and {len(those) - 1:,} more" if len(those) > 1 else ""
        are = "are" if others else "is"
        yield Fault(
            SOURCE, f"{first}{others} {are} in the group {those['arm'].iloc[0]!r} and treated from "
            f"{code} on",
            f"a cohort in every group except {rules.control!r}, and none in that group",
            f'if {code} means never, set `cohort: {{…, missing: ["", "{code}"]}}` in '
            "`tables.assignment`", column="cohort",
        )  # fmt: skip
    for at in np.flatnonzero(odd & ~coded):
        row = units.iloc[at]
        told = f"is treated from {row['cohort']} on" if begins.iloc[at] else "has no cohort"
        yield Fault(
            SOURCE, f"{rules.unit} {row[rules.unit]} is in the group {row['arm']!r} and {told}",
            f"a cohort in every group except {rules.control!r}, and none in that group",
            f"correct the group or the cohort{END_BEFORE if begins.iloc[at] else ''}",
            column="cohort",
        )  # fmt: skip


def described(schools: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return what is known of schools, one row per name; missing if nothing is."""
    plain = schools.drop_duplicates("school").set_index("school")
    return plain.reindex(pd.Index(names, name="school")).reset_index(drop=True)
