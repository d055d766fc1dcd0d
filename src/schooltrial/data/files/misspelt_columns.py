"""Columns that a protocol names and no file of theirs has: the protocol is at fault, at a line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from schooltrial.data.files.file_names import expand_years
from schooltrial.data.files.raw_files import NoColumn
from schooltrial.protocol.content.column_map import Tables
from schooltrial.protocol.form.strict_yaml import located
from schooltrial.refusal import Fault, Refusal
from schooltrial.wording import listed


@contextmanager
def naming_lines(
    tables: Tables, years: Sequence[int], protocol: str, absent: Collection[str] = ()
) -> Iterator[None]:  # fmt: skip
    """Name the line of the protocol where none of the files has a column that it names.

    Where some of the files have the column, those that do not are at fault; and a file that has
    none of its columns is another file, or lacks its header.

    Parameters
    ----------
    tables : mapping
    years : sequence of int
        Years of the study.
    protocol : str
        The file of the protocol.
    absent : collection of str
        Files that a rehearsal does without.
    """
    try:
        yield
    except Refusal as refusal:
        raise Refusal(
            _told(list(refusal.faults), tables, years, Path(protocol), absent)
        ) from refusal


def _told(
    faults: list[Fault],
    tables: Tables,
    years: Sequence[int],
    protocol: Path,
    absent: Collection[str],
) -> list[Fault]:
    lacking = {
        (one.file, one.variable, str(one.column)): one for one in faults
        if isinstance(one, NoColumn)
    }  # fmt: skip
    if not lacking:
        return faults
    misspelt: list[Fault] = []
    gone: set[Fault] = set()
    for table, readings in tables.items():
        for at, reading in enumerate(readings):
            expanded = dict.fromkeys(file for file, _ in expand_years(reading, years))
            files = [file for file in expanded if file not in absent]
            places = dict.fromkeys(reading["columns"], "columns")
            places |= dict.fromkeys(reading["outcomes"], "outcomes")
            specs = {**reading["columns"], **reading["outcomes"]}
            raw = {v: _first_name(spec["column"]) for v, spec in specs.items()}
            everywhere = [
                v for v in places if files and all((f, v, raw[v]) in lacking for f in files)
            ]
            if len(everywhere) == len(places):
                continue
            for variable in everywhere:
                found = [lacking[file, variable, raw[variable]] for file in files]
                gone |= set(found)
                key = f"tables.{table}.{at}.{places[variable]}.{variable}.column"
                misspelt.append(_of_protocol(found, files, key, protocol.name))
    text = protocol.read_text("utf-8")
    return [*located(misspelt, text), *(fault for fault in faults if fault not in gone)]


def _first_name(column: str | Sequence[str] | None) -> str:
    """Return the name of a column, the first where files of other years have others.

    A column of parts has none of its own: its parts are told one by one.
    """
    if isinstance(column, str):
        return column
    return column[0] if column else ""


def _of_protocol(found: Sequence[NoColumn], files: Sequence[str], key: str, shown: str) -> Fault:
    first = found[0]
    _, _, there = first.found.partition("; ")
    told = f"no column {first.column!r} in {listed(files)}; {there}"
    return Fault(shown, told, f"a column of {files[0]}", first.remedy, column=key)
