"""Whether rosters and the table of schools have the groups of the allocation list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from schooltrial.data.linking.key_sources import Sources
from schooltrial.data.tables.parquet import YearTable
from schooltrial.protocol.content.sample_rules import SampleRules
from schooltrial.refusal import Fault
from schooltrial.wording import plural

COMPARED = ("arm", "cohort")
"""What a roster may repeat of the allocation list."""


SHOWN = 3


def roster_arm_faults(
    units: pd.DataFrame,
    rosters: Mapping[str, YearTable],
    schools: pd.DataFrame,
    rules: SampleRules,
    sources: Sources,
) -> Iterator[Fault]:
    """Yield tables that put a unit into another group, or cohort, than the allocation list does.

    Parameters
    ----------
    units : DataFrame
        What was assigned: the unit, ``arm`` and, in a staggered design, ``cohort``.
    rosters : mapping
        ``pupils`` and ``teachers``, by year.
    schools : DataFrame
        The table of schools.
    rules : SampleRules
    sources : Sources
        The raw files, as messages name them.
    """
    unit = rules.unit
    for variable in COMPARED:
        if variable not in units:
            continue
        listed = pd.Series(units[variable].astype("str").to_numpy(), units[unit].astype("str"))
        for table, roster in rosters.items():
            for year in roster.years if {unit, variable} <= set(roster.columns) else ():
                rows = roster.read(year, [unit, variable])
                yield from _contradictions(rows, listed, unit, variable, table, year, sources)
        if {unit, variable} <= set(schools.columns):
            yield from _contradictions(schools, listed, unit, variable, "schools", None, sources)


def _contradictions(
    rows: pd.DataFrame, listed: pd.Series, unit: str, variable: str, table: str, year: int | None,
    sources: Sources,
) -> Iterator[Fault]:  # fmt: skip
    known = rows[[unit, variable]].dropna().astype("str").drop_duplicates()
    known = known.assign(listed=known[unit].map(listed)).dropna()
    other = known[known[variable] != known["listed"]].drop_duplicates(unit)
    if other.empty:
        return
    file, of_list = sources.files(table, year), sources.files("assignment")
    shown = "; ".join(
        f"{unit} {row[unit]} is in {row[variable]!r} here, and in {row['listed']!r} there"
        for row in other.head(SHOWN).to_dict("records")
    )
    more = f"; and {len(other) - SHOWN:,} more" if len(other) > SHOWN else ""
    column = sources.column(table, variable, year)
    yield Fault(
        file,
        f"{plural(len(other), unit)} with a different {variable} than in {of_list}: {shown}{more}",
        f"the {variable} in the allocation list, or none",
        f"correct the file that is wrong, as the randomisation record says; if {column} contains "
        "something else, read it under another name: "
        f"`{variable}_on_roster: {{column: {column}, type: category}}`",
        column=column,
    )  # fmt: skip
