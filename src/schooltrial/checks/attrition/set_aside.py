"""Individuals that the sample's filter excluded for what is no characteristic: lost, not outside.

``sample.keep`` takes rows out before anything is analysed. Who was outside by what was known at the
assignment, such as a grade, was never part of the trial. Who left because a value was missing, or
for what happened since (attendance, take-up), belongs to it and is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schooltrial.checks.attrition.roster import of_year
from schooltrial.data.rows.filters import among, known_truth, matches
from schooltrial.data.tables.parquet import YearTable
from schooltrial.data.variables.derived import add_variables
from schooltrial.protocol.content.filters import named_variables
from schooltrial.protocol.content.sections import DerivedVariable

SET_ASIDE = "set_aside"
"""Column of a sample that is true in rows which the filter left out and attrition counts."""


@dataclass(frozen=True)
class SetAside:
    """The rows of rosters that a filter left out.

    Attributes
    ----------
    rows : DataFrame
        Those that belong to the trial nevertheless, as rows of the sample without outcomes.
    outside : frozenset of str
        People who on their first roster were outside by what was known of them.
    """

    rows: pd.DataFrame
    outside: frozenset[str] = frozenset()

    def added_to(self, sample: pd.DataFrame) -> pd.DataFrame:
        """Return a sample with these rows, which are marked."""
        if self.rows.empty:
            return sample
        shared = [name for name in sample if name in self.rows]
        rows = self.rows[shared].assign(**{SET_ASIDE: True})
        for name in ("school", "arm", "block", "cluster"):
            if name in shared:
                rows[name] = rows[name].astype(sample[name].dtype)
        return pd.concat([sample.assign(**{SET_ASIDE: False}), rows], ignore_index=True)


def find_set_aside(
    roster: YearTable,
    assignment: pd.DataFrame,
    schools: pd.DataFrame,
    *,
    person: str,
    unit: str,
    keep: Mapping[str, Any],
    variables: Mapping[str, DerivedVariable],
    control: str,
    since: Collection[str],
) -> SetAside:
    """Return the rows of a roster that the filter of the sample left out.

    Parameters
    ----------
    roster : YearTable
        The standard table of pupils or teachers. Rows whose unit is not on the list, by the name
        that the roster has, are passed over.
    assignment, schools : DataFrame
        The units that were assigned, and what is known of schools.
    person, unit : str
        Whose roster it is, and what was assigned.
    keep : mapping
        The filter. As in the sample, an entry that names a variable which rows do not have is
        passed over.
    variables, control
        Variables that are made, and the control group.
    since : collection of str
        Variables that are known only since the assignment.
    """
    rows: list[pd.DataFrame] = []
    seen: set[str] = set()
    outside: set[str] = set()
    for year in roster.years if keep and unit in roster.columns else ():
        frame = _described(roster.read(year), of_year(assignment, year), schools, unit)
        frame = add_variables(frame, variables, control=control)
        entries = {
            name: rule
            for name, rule in keep.items()
            if all(one in frame for one in named_variables({name: rule}))
        }
        _, fails = known_truth(frame, entries, since)
        rows.append(frame[~matches(frame, entries) & ~fails])
        named = frame[person].astype("str")
        outside |= set(named[fails]) - seen
        seen |= set(named)
    filled = [part for part in rows if len(part)]
    if not filled:
        return SetAside(pd.DataFrame(), frozenset(outside))
    found = pd.concat(filled, ignore_index=True)
    found = found.assign(
        cluster=found[unit].astype("str"), treated=(found["arm"] != control).astype("float64")
    )
    return SetAside(found, frozenset(outside))


def _described(
    frame: pd.DataFrame, assignment: pd.DataFrame, schools: pd.DataFrame, unit: str
) -> pd.DataFrame:
    """Return the rows of units on the list, with what is known of unit and school."""
    units = assignment.assign(arm=assignment["arm"].astype("str"))
    units = units.drop_duplicates(unit).astype({unit: "str"})
    kept = frame[among(frame[unit].astype("str"), units[unit])].astype({unit: "str"})
    new = [name for name in units if name == unit or name not in kept]
    joined = kept.merge(units[new], on=unit, how="left")
    if "school" not in joined or "school" not in schools:
        return joined
    known = [name for name in schools if name == "school" or name not in joined]
    described = schools[known].drop_duplicates("school").astype({"school": "str"})
    return joined.astype({"school": "str"}).merge(described, on="school", how="left")
