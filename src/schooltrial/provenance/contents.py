"""What a job read and wrote, by content: so that what changed afterwards is not used.

Snakemake compares dates. A file that is restored from a backup, copied with its date kept, edited
by hand or written while the clock was wrong has a date that says nothing. So each job leaves a
record of the contents that it read and wrote, and the next run compares them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

RECORDS = Path(".snakemake") / "schooltrial" / "contents"
"""Where records are, below the working folder: they describe files, and are no result."""

KEPT = frozenset({"plan_first"})
"""Names of outputs that a rule updates: its record of the first plan stays as it was."""


@dataclass(frozen=True)
class Contents:
    """What one job read and wrote.

    Attributes
    ----------
    job : str
        The job's log, which no other job writes.
    read, wrote : mapping
        Path → digest of its content.
    """

    job: str
    read: Mapping[str, str]
    wrote: Mapping[str, str]


def digest(path: str | os.PathLike[str]) -> str:
    """Return the digest of a file, or of all files of a folder with their names; empty if absent.

    Raises
    ------
    OSError
        The file is there and cannot be read.
    """
    place = Path(path)
    if place.is_dir():
        files = sorted(file for file in place.rglob("*") if file.is_file())
        listed = [f"{file.relative_to(place).as_posix()} {digest(file)}" for file in files]
        return hashlib.blake2b("\n".join(listed).encode(), digest_size=20).hexdigest()
    try:
        with place.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=20)).hexdigest()
    except FileNotFoundError:
        return ""


def digests(paths: Iterable[str]) -> dict[str, str]:
    """Return path → digest of its content; modules of the project are left out.

    Modules are known by date: version control gives those that it changes the date of the change.
    """
    return {path: digest(path) for path in paths if not path.endswith(".py")}


def keep(contents: Contents, records: Path = RECORDS) -> None:
    """Write the record of a job, in the place of the one before."""
    records.mkdir(parents=True, exist_ok=True)
    file = records / f"{quote(contents.job, safe='')}.json"
    unfinished = file.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(asdict(contents), indent=0), encoding="utf-8")
    unfinished.replace(file)


@dataclass(frozen=True)
class Changed:
    """A file that is not what it was when a job read or wrote it.

    Attributes
    ----------
    path : str
    written : bool
        Whether the job wrote the file; if not, it read it.
    outputs : tuple of str
        What the job wrote, and has to write again.
    """

    path: str
    written: bool
    outputs: tuple[str, ...]


def changed(jobs: Collection[str] | None = None, records: Path = RECORDS) -> list[Changed]:
    """Return every file whose content is not what a job read or wrote, with what follows from it.

    A file that a job wrote is not also among those that others read: when it is written again,
    they follow.
    A record that cannot be read is removed: it says nothing of the files, whose dates still do.

    Parameters
    ----------
    jobs : collection of str, optional
        The logs of the jobs to compare; without, all that have a record.
    records : pathlib.Path
        The folder of the records.
    """
    now: dict[str, str] = {}
    found = []
    for contents in _recorded(records):
        if jobs is not None and contents.job not in jobs:
            continue
        for written, files in ((False, contents.read), (True, contents.wrote)):
            for path, then in files.items():
                if path not in now:
                    now[path] = digest(path)
                if now[path] != then and (written or now[path]):
                    outputs = tuple(contents.wrote)
                    found.append(Changed(path, written, outputs))
    again = {one.path for one in found if one.written}
    return [one for one in found if one.written or one.path not in again]


def _recorded(records: Path) -> Iterator[Contents]:
    for file in sorted(records.glob("*.json")):
        try:
            yield Contents(**json.loads(file.read_text("utf-8")))
        except (ValueError, TypeError):
            file.unlink()
