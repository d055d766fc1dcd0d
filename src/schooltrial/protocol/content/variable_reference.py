"""What a key of the protocol or a standard variable means, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from schooltrial.protocol.content.variables import STANDARD_VARIABLES
from schooltrial.protocol.form.key_reference import key_lines, places_of
from schooltrial.wording import listed

NAMES = frozenset(one.name for variables in STANDARD_VARIABLES.values() for one in variables)
"""The names of all standard variables."""


def reference_lines(schema: Mapping[str, Any], path: str = "") -> list[str]:
    """Return the reference of a key, or of a standard variable, as lines of text.

    The columns of a table are followed by the standard variables that it has.

    Parameters
    ----------
    schema : mapping
        The schema of protocols.
    path : str
        Keys from the top, with dots between them, or the name of a standard variable.

    Raises
    ------
    UserError
        There is no such key.
    """
    if path in NAMES and path not in schema["properties"]:
        return list(_of_variable(schema, path))
    lines = key_lines(schema, path)
    first, *keys = path.split(".")
    if first != "tables" or len(keys) < 2 or keys[-1] != "columns":
        return lines
    at = lines.index("Keys:")
    return [
        *lines[:at],
        *_of_table(keys[0]),
        "",
        f"Keys of each column of {path}:",
        *lines[at + 1 :],
    ]


def _of_variable(schema: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield what a standard variable is in each table that has it, and where it is a key too."""
    tables: dict[str, list[str]] = {}
    for table, variables in STANDARD_VARIABLES.items():
        for one in variables:
            if one.name == name:
                tables.setdefault(one.meaning, []).append(f"tables.{table}.columns")
    for meaning, its in tables.items():
        yield f"{name}: {meaning}"
        yield f"  A variable of {listed(its)}."
    places = places_of(schema, schema, name)
    if places:
        others = " and other sections" if len(places) > 1 else ""
        yield f"  Also a key of {places[0]}{others}: schooltrial help {places[0]}.{name}"


def _of_table(table: str) -> Iterator[str]:
    """Yield the standard variables of a table."""
    yield f"Standard variables of {table}; any other name is a variable of your own:"
    for one in STANDARD_VARIABLES[table]:
        needed = "required" if one.needed else f"required {one.when}" if one.when else ""
        yield f"  {one.name}{f' ({needed})' * bool(needed)}: {one.meaning}"
