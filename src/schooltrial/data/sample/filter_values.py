"""Values that filters of the protocol name, compared with those of the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import pandas as pd

from schooltrial.data.tables.parquet import YearTable
from schooltrial.protocol.content.filters import leaves
from schooltrial.protocol.content.sample_rules import SampleRules
from schooltrial.refusal import Fault

SHOWN = 12
NAMED_BY = {"school": ("school", "to_school")}
"""Variable → the columns that hold its values, where these are not of its own name alone."""


def filter_value_faults(
    tables: Mapping[str, pd.DataFrame | YearTable | None], rules: SampleRules
) -> Iterator[Fault]:
    """Yield texts that a filter asks for and that no row has: most are misspelt.

    Numbers and dates are passed over, and codes that the protocol itself declares: a grade or a
    category that nobody has this year is no mistake.

    Parameters
    ----------
    tables : mapping
        Standard tables by name.
    rules : SampleRules
    """
    wanted = {
        (place, variable, str(value))
        for place, where in _filters(rules)
        for variable, rule in leaves(where)
        for value in [*rule.get("in", ()), *rule.get("not_in", ())]
    }
    known = {variable: _known(tables, variable) for variable in {name for _, name, _ in wanted}}
    for place, variable, value in sorted(wanted):
        there = known[variable]
        if there and value not in there:
            close = get_close_matches(value, there, n=1, cutoff=0.6)
            remedy = f"did you mean {close[0]!r}?" if close else f"correct it, or remove {value!r}"
            listed = ", ".join(sorted(there)[:SHOWN]) + (", …" if len(there) > SHOWN else "")
            found = f"{place} names {variable} {value!r}, but no row has this value"
            yield Fault("protocol", found, f"one of {listed}", remedy, column=place)


def _filters(rules: SampleRules) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "sample.keep", rules.keep
    for name, model in rules.models.items():
        yield f"models.{name}.where", model["where"]
    for name, outcome in rules.outcomes.items():
        yield f"outcomes.{name}.population", outcome["population"]
    for name, rule in rules.variables.items():
        yield f"variables.{name}.where", rule["where"]
        yield f"variables.{name}.compared_with", rule["compared_with"]
        source = rule.get("from")
        if "equals" in rule and isinstance(source, str):
            yield f"variables.{name}.equals", {source: [rule["equals"]]}


def _known(tables: Mapping[str, pd.DataFrame | YearTable | None], variable: str) -> set[str]:
    """Return the texts that a variable has in any table; none if it is a number or a date."""
    found: set[str] = set()
    for table in tables.values():
        for name in NAMED_BY.get(variable, (variable,)):
            if table is None or name not in table.columns:
                continue
            parts = (
                [table[name]]
                if isinstance(table, pd.DataFrame)
                else (table.read(year, [name])[name] for year in table.years)
            )
            for values in parts:
                if pd.api.types.is_numeric_dtype(values):
                    return set()
                if pd.api.types.is_datetime64_any_dtype(values):
                    return set()
                if isinstance(values.dtype, pd.CategoricalDtype):
                    found |= set(map(str, values.cat.categories))
                else:
                    found |= set(values.dropna().astype("str").unique())
    return found
