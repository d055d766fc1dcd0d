"""One run at a time in a folder: a second waits, and a run that was killed leaves no lock."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl

LOCK = Path(".snakemake") / "schooltrial" / "run.lock"
"""Held by the process of Snakemake."""

COMMAND_LOCK = LOCK.with_name("command.lock")
"""Held by the command that started it."""

LOOKS, MOMENT = 20, 0.05
"""How often the name of the holder is looked for, and seconds between two looks."""

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


@contextmanager
def only_command(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold a folder for one command, from before it opens its log to its end.

    The process of Snakemake that it starts holds the folder too, by `wait_for_other_runs`: it may
    outlive its command, and people also start it without one.

    Parameters
    ----------
    folder : pathlib.Path
        The working folder.
    say : callable
        Takes a sentence, once, that another command holds it, and since when.
    """
    if sys.platform == "win32":
        yield
        return
    with _taken(folder / COMMAND_LOCK, str(folder), say):
        yield


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
    _held.append(_taken(lock, "this folder", partial(print, file=sys.stderr, flush=True)))


def _taken(lock: Path, folder: str, say: Callable[[str], None]) -> IO[str]:
    """Return the file of a lock that is held as long as the file is open."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = lock.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(waiting_for(_named(file), folder))
        fcntl.flock(file, fcntl.LOCK_EX)
    file.truncate(0)
    file.write(f"{os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M')}\n")
    file.flush()
    return file


def _named(file: IO[str]) -> str:
    """Return who holds a lock, which a run that has just taken it writes a moment later."""
    for _ in range(LOOKS):
        file.seek(0)
        if text := file.read().strip():
            return text
        time.sleep(MOMENT)
    return "unknown"


def waiting_for(holder: str, folder: str) -> str:
    """Return what a run that waits for another says.

    Parameters
    ----------
    holder : str
        The number of the other's process, and since when it has been running.
    folder : str
        How the folder that both write in is called.
    """
    return (
        f"Another run is writing results in {folder} (process {holder}). This one starts when it "
        "ends; press Ctrl-C to give up."
    )


def holder_of(lock: Path) -> str | None:
    """Return the process of the run that holds a lock, and since when; None if none does."""
    if sys.platform == "win32" or not lock.is_file():
        return None
    with lock.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _named(file)
    return None
