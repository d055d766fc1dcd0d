"""Files of rosters and outcomes that are not there yet, whose rows a rehearsal simulates."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path

from schooltrial.data.files.file_names import expand_years, raw_file_names, with_joined
from schooltrial.protocol.content.column_map import Reading, Tables
from schooltrial.protocol.content.sections import Protocol, measured_years
from schooltrial.protocol.rehearsal import as_rehearsal

SIMULATED = ("pupils", "teachers", "scores", "observations", "school_scores")
"""Tables whose rows can be simulated for a year whose file is not there."""

CLOSE = 0.85
"""How alike two names are of which one is probably a mistyped other."""


def find_absent(protocol: Protocol) -> list[str]:
    """Return the files of rosters and outcomes that are not there; none of a simulated study.

    A file whose name is nearly that of a file which nothing reads is mistyped, not absent.
    """
    content = protocol.content
    if "simulation" in content:
        return []
    folder = protocol.folder / content["raw_folder"]
    tables, years = content["tables"], measured_years(content["years"])
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    unread = sorted(there - set(raw_file_names(tables, years)))
    needed = {
        file
        for name, readings in tables.items()
        for reading in readings
        for one in with_joined(reading)
        if name not in SIMULATED or one is not reading
        for file, _ in expand_years(one, years)
    }
    return [
        file
        for file in _files(tables, years)
        if file not in needed
        and not (folder / file).is_file()
        and not get_close_matches(Path(file).name, unread, n=1, cutoff=CLOSE)
    ]


def _files(tables: Tables, years: Sequence[int]) -> list[str]:
    found = [
        file
        for name in SIMULATED
        for reading in tables.get(name, [])
        if not reading["url"]
        for file, _ in expand_years(reading, years)
    ]
    return list(dict.fromkeys(found))


def without_files(
    tables: Tables, years: Sequence[int], absent: Collection[str]
) -> dict[str, list[Reading]]:
    """Return the tables section without the files that are absent, each other file by its year.

    Parameters
    ----------
    tables : mapping
    years : sequence of int
        Years of the study.
    absent : collection of str
    """
    found: dict[str, list[Reading]] = {}
    for name, readings in tables.items():
        found[name] = []
        for reading in readings:
            files = expand_years(reading, years)
            if all(file not in absent for file, _ in files):
                found[name].append(reading)
                continue
            for file, year in files:
                if file not in absent:
                    found[name].append({**reading, "file": file, "year": year})
    return {name: readings for name, readings in found.items() if readings}


def rehearsed(protocol: Protocol) -> Protocol:
    """Return the protocol of the rehearsal of a study, stamped with what of it is simulated."""
    return as_rehearsal(protocol, find_absent(protocol))
