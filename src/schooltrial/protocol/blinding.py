"""Blind mode: before a day that the protocol states, no outcome is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TypedDict

from schooltrial.protocol.content.column_map import (
    Column,
    JoinedFile,
    KeyedFile,
    Reading,
    Tables,
    shown_source,
)
from schooltrial.protocol.content.filters import Filter, named_variables
from schooltrial.protocol.content.made_variables import components, roots
from schooltrial.protocol.content.sections import Content, DerivedVariable, Outcome
from schooltrial.refusal import Fault, refuse

OUTCOME_TABLES = ("scores", "observations", "school_scores", "published_means")


def blinded_until(content: Content, today: date) -> str:
    """Return the day until which the outcomes of a study are not read; empty if they may be.

    Parameters
    ----------
    content : Content
        The protocol.
    today : datetime.date
        The day of the run; on the stated day itself outcomes are read.
    """
    until = content["blinding"]["until"]
    return until if until and today < date.fromisoformat(until) else ""


def refuse_to_unblind(*, until: str, protocol: str, study: str) -> None:
    """Refuse to go on to outcomes.

    Parameters
    ----------
    until : str
        The day that `blinded_until` gives.
    protocol : str
        How messages name the protocol.
    study : str
    """
    found = f"outcomes are embargoed until {until}, so none was read"
    page = f"results/{study}/report/monitoring.html"
    refuse([
        Fault(
            protocol, found, "a run on that day or later",
            f"make the monitoring page until then: {page}", column="blinding.until",
        )
    ])  # fmt: skip


def without_outcomes(
    tables: Tables,
    outcomes: Mapping[str, Outcome],
    variables: Mapping[str, DerivedVariable],
) -> dict[str, list[Reading]]:
    """Return the tables section without what would read an outcome.

    Whole tables of outcomes are left out, and of the others the columns of outcomes and those that
    an outcome is made of, in joined files too.
    """
    hidden = _hidden(outcomes, variables)
    return {
        table: [_reading_shown(reading, hidden) for reading in readings]
        for table, readings in tables.items()
        if table not in OUTCOME_TABLES
    }


def _reading_shown(reading: Reading, hidden: set[str]) -> Reading:
    return {
        **reading,
        "columns": _shown(reading["columns"], hidden),
        "join": [_join_shown(joined, hidden) for joined in reading["join"]],
        **_rows_shown(reading, hidden),
        "outcomes": {},
    }


def _join_shown(joined: JoinedFile, hidden: set[str]) -> JoinedFile:
    filled = [name for name in joined["fill"] if name not in hidden]
    shown = _shown(joined["columns"], hidden)
    return {**joined, "columns": shown, "fill": filled, **_rows_shown(joined, hidden)}


class _RowsShown(TypedDict):
    keep_if_any: list[str]
    where: Filter


def _rows_shown(file: KeyedFile, hidden: set[str]) -> _RowsShown:
    """Return which rows are read; a filter that would need an outcome keeps them all."""
    named = [name for name in file["keep_if_any"] if name not in hidden]
    needs = hidden & set(named_variables(file["where"]))
    return {"keep_if_any": named, "where": {} if needs else file["where"]}


def held_back(
    tables: Tables,
    outcomes: Mapping[str, Outcome],
    variables: Mapping[str, DerivedVariable],
) -> list[tuple[str, str]]:
    """Return each raw file of which something is not read while a study is blind, and what.

    Returns
    -------
    list of (str, str)
        The name of the file, and the columns that are not read (of a file that is read for
        something else) or that none is.
    """
    hidden = _hidden(outcomes, variables)
    columns: dict[str, list[str]] = {}
    read = set()
    for table, readings in tables.items():
        for file, every in (part for reading in readings for part in _columns_by_file(reading)):
            whole = table in OUTCOME_TABLES
            back = [n for n in every if n in hidden or (whole and n in ("value", "outcome"))]
            columns.setdefault(file, [])
            columns[file] += [shown_source(every[name]) for name in back]
            if not whole:
                read.add(file)
    return [
        (file, ", ".join(dict.fromkeys(names)) if file in read else "the whole file")
        for file, names in columns.items()
        if names or file not in read
    ]


def _columns_by_file(reading: Reading) -> Iterator[tuple[str, dict[str, Column]]]:
    yield reading["file"], {**reading["columns"], **reading["outcomes"]}
    for joined in reading["join"]:
        yield joined["file"], joined["columns"]


def _hidden(outcomes: Mapping[str, Outcome], variables: Mapping[str, DerivedVariable]) -> set[str]:
    """Return outcomes, and the columns that they are made of, by other variables or not."""
    parts = {part for outcome in outcomes.values() for part in components(outcome)}
    return set(outcomes).union(*(roots(part, variables) for part in parts))


def _shown(columns: Mapping[str, Column], hidden: set[str]) -> dict[str, Column]:
    return {name: spec for name, spec in columns.items() if name not in hidden}
