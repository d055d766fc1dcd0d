"""Spoil the small good trial, run it as far as it goes, and tell what became of it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.data.tables.keys import KEYS
from schooltrial.refusal import Fault, Refusal
from support.small_trial import SmallTrial

STEPS = ("protocol", "obtain", "clean", "fit")
"""What is run, in order; each may refuse."""
ROWS = [*(f"{table}.parquet" for table in KEYS), "sample.parquet", "panel.parquet"]
Line = tuple[str, ...]


@dataclass
class SpoiltTrial(SmallTrial):
    """A small trial that can be spoilt on disk too.

    Attributes
    ----------
    on_disk : list of function
        What is done to the folder after the files were written.
    """

    on_disk: list[Callable[[Path], object]] = field(default_factory=list)

    def write(self) -> None:
        """Write raw files and protocol, then spoil them."""
        super().write()
        for spoil in self.on_disk:
            spoil(self.folder)

    def step(self, name: str) -> None:
        """Run one of ``STEPS``."""
        if name == "protocol":
            self.write()
            self.read()
        else:
            {"obtain": self.obtain, "clean": self.clean, "fit": self.fit}[name]()


Spoil = Callable[[SpoiltTrial], object]


@dataclass(frozen=True)
class Planted:
    """A fault that was planted; the words must stand in what is told of it."""

    file: str
    found: str
    row: int | None = None
    column: str | None = None
    expected: str = ""
    remedy: str = ""

    def told_by(self, fault: Fault) -> bool:
        """Return whether a fault is this one."""
        place = (fault.file, fault.row, fault.column) == (self.file, self.row, self.column)
        words = self.found in fault.found and self.expected in fault.expected
        return place and words and self.remedy in fault.remedy


@dataclass(frozen=True)
class Refused:
    """The answer that a study is refused: with these faults, and no other."""

    faults: tuple[Planted, ...]
    step: str = "obtain"
    of_others: tuple[str, ...] = ()
    """What rules of the same step wrote that had nothing to refuse."""


@dataclass(frozen=True)
class Logged:
    """A line of the cleaning log."""

    file: str
    column: str
    rule: str
    cells: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Left:
    """Rows of the ledger: how many left for a reason."""

    reason: str
    count: int


@dataclass(frozen=True)
class Accepted:
    """The answer that a study is accepted, and all that is changed is told.

    With neither log nor ledger the result must be that of the good study, to the letter.
    """

    log: tuple[Logged, ...] = ()
    ledger: tuple[Left, ...] = ()


@dataclass(frozen=True)
class Case:
    """One way in which a study can be spoilt, and the answer that is due.

    Attributes
    ----------
    name : str
        What is wrong, in words.
    spoil : function
        What is done to the good trial.
    answer : Refused or Accepted
    setting : function, optional
        What makes another good trial of the small one, if the fault needs one (a workbook, a
        crosswalk); it is not itself a fault.
    until : str
        The last step that is run.
    """

    name: str
    spoil: Spoil
    answer: Refused | Accepted
    setting: Spoil | None = None
    until: str = "clean"


@dataclass(frozen=True)
class Outcome:
    """What became of a study.

    Attributes
    ----------
    step : str
        The step that refused it; empty where none did.
    refusal : Refusal or None
    written : list of str
        What the refusing step left behind, though it had refused.
    folder : Path
        Of the results.
    """

    step: str
    refusal: Refusal | None
    written: list[str]
    folder: Path

    def log(self) -> Counter[Line]:
        """Return the lines of the cleaning log."""
        return _lines(self.folder / "cleaning_log.csv")

    def ledger(self) -> Counter[Line]:
        """Return the lines of the ledger."""
        return _lines(self.folder / "ledger.csv")

    def rows(self) -> dict[str, Counter[Line]]:
        """Return the rows of every table, as text."""
        return {name: _rows(self.folder / name) for name in ROWS}

    def cells_of_csv(self) -> list[str]:
        """Return every cell of every CSV that was written."""
        return [
            cell for path in self.folder.glob("*.csv") for line in _lines(path) for cell in line
        ]


def run(folder: Path, spoils: Sequence[Spoil], until: str) -> Outcome:
    """Spoil a good trial, and run it until a step refuses; no other error is caught."""
    trial = SpoiltTrial(folder)
    for spoil in spoils:
        spoil(trial)
    for step in STEPS[: STEPS.index(until) + 1]:
        before = set(trial.written()) if trial.results.is_dir() else set()
        try:
            trial.step(step)
        except Refusal as refusal:
            written = sorted(set(trial.written()) - before)
            return Outcome(step, refusal, written, trial.results)
    return Outcome("", None, [], trial.results)


def _lines(path: Path) -> Counter[Line]:
    with path.open(encoding="utf-8", newline="") as file:
        return Counter(tuple(line) for line in csv.reader(file))


def _rows(path: Path) -> Counter[Line]:
    frame = pd.read_parquet(path)
    shown = frame[sorted(frame.columns)].astype("str").fillna("")
    return Counter(shown.itertuples(index=False, name=None))


def cell(file: str, row: int, column: str, text: str) -> Spoil:
    """Put a text into one cell, quoted where it must be."""
    quoted = f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & set(',"\n') else text
    return lambda trial: trial.set(file, row, column, quoted)


def every_cell(file: str, column: str, text: Callable[[str], str]) -> Spoil:
    """Change all the cells of a column."""

    def spoil(trial: SpoiltTrial) -> None:
        header, *rows = trial.files[file]
        for row in rows:
            row[header.index(column)] = text(row[header.index(column)])

    return spoil


def lines(file: str, change: Callable[[list[list[str]]], object]) -> Spoil:
    """Change the lines of a file in place."""
    return lambda trial: change(trial.files[file])


def as_bytes(file: str, change: Callable[[bytes], bytes]) -> Spoil:
    """Change a file as it lies on disk."""

    def spoil(trial: SpoiltTrial) -> None:
        trial.raw[file] = change(trial.text(file).encode())

    return spoil


def without(file: str, do: Callable[[Path], object] = lambda path: None) -> Spoil:
    """Take a file away; perhaps put something else in its place."""

    def spoil(trial: SpoiltTrial) -> None:
        del trial.files[file]
        trial.on_disk.append(lambda folder: do(folder / file))

    return spoil


def protocol(path: str, value: Any) -> Spoil:
    """Put a value into the protocol, under keys that are joined by points."""

    def spoil(trial: SpoiltTrial) -> None:
        *above, last = path.split(".")
        place: Any = trial.protocol
        for key in above:
            place = place[int(key)] if key.isdigit() else place.setdefault(key, {})
        place[last] = value

    return spoil


def protocol_text(change: Callable[[str], str | bytes]) -> Spoil:
    """Change the text of the protocol."""

    def on_disk(folder: Path) -> None:
        path = folder / "trial.yaml"
        changed = change(path.read_text("utf-8"))
        path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())

    return lambda trial: trial.on_disk.append(on_disk)


def replaced(old: str, new: str) -> Spoil:
    """Replace a text of the protocol that must be there."""

    def change(text: str) -> str:
        assert old in text, f"{old!r} is not in the protocol"
        return text.replace(old, new, 1)

    return protocol_text(change)


def all_of(*spoils: Spoil) -> Spoil:
    """Do one thing after another."""

    def spoil(trial: SpoiltTrial) -> None:
        for one in spoils:
            one(trial)

    return spoil
