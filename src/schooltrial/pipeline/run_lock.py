"""One run at a time in a folder: a second waits, and a run that was killed leaves no lock."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl

LOCK = Path(".snakemake") / "schooltrial" / "run.lock"

ONLY_LOOK = frozenset(
    {
        "-n", "--dry-run", "--dryrun", "--unlock", "--summary", "-S", "--detailed-summary", "-D",
        "--list", "--list-rules", "-l", "--list-target-rules", "--lt", "--dag", "--rulegraph",
        "--filegraph", "--d3dag", "--lint", "--print-compilation", "--archive", "--version", "-v",
        "--list-changes", "--lc", "--list-input-changes", "--li", "--list-params-changes", "--lp",
        "--list-untracked", "--lu",
    }
)  # fmt: skip
"""Options of Snakemake that write no result."""

_held: list[IO[str]] = []
"""The lock of this process, open until it ends, whatever ends it."""


def wait_for_other_runs(arguments: Sequence[str], lock: Path = LOCK) -> None:
    """Hold the lock of this folder until this process ends, waiting for a run that holds it.

    The operating system keeps the lock and releases it with the process, so that a run which was
    killed leaves none. (Snakemake's own is a file, which stays; the profile turns it off.) On
    Windows, which has no such lock, two runs at once are not prevented.

    Parameters
    ----------
    arguments : sequence of str
        Of the command line; one that only looks takes no lock.
    lock : pathlib.Path
    """
    if sys.platform == "win32" or not ONLY_LOOK.isdisjoint(arguments):
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = lock.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        print(waiting_for(file.read().strip(), "this folder"), file=sys.stderr, flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    _held.append(file)


def waiting_for(holder: str, folder: str) -> str:
    """Return what a run that waits for another says.

    Parameters
    ----------
    holder : str
        The number of the other's process.
    folder : str
        How the folder that both write in is called.
    """
    return (
        f"Another run is writing results in {folder} (process {holder}). This one starts when it "
        "ends; press Ctrl-C to give up."
    )


def holder_of(lock: Path) -> str | None:
    """Return the number of the process of the run that holds a lock; None if none does."""
    if sys.platform == "win32" or not lock.is_file():
        return None
    with lock.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read().strip() or "unknown"
    return None
