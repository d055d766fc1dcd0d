"""Write ``docs/refusals.md``: each kind of refusal, as it comes, with its cause and its fix.

The minimal example is spoilt in one place at a time, and run until it is refused; nothing on the
page is typed by hand but the words around the messages.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "workflow" / "scripts")]

from schooltrial.pipeline.rule_adapter import refuse_replaced_files  # noqa: E402
from schooltrial.pipeline.system_errors import of_the_system  # noqa: E402
from schooltrial.protocol.plan import first_plan  # noqa: E402
from schooltrial.refusal import Refusal  # noqa: E402
from support.rules_in_process import StudyRun  # noqa: E402

PAGE = ROOT / "docs" / "refusals.md"
EXAMPLE = ROOT / "examples" / "minimal"
TRIAL = "trial.yaml"
SAMPLE = "data/sample.parquet"
ITT = "estimates/models/itt.csv"

HEAD = """# Refusals: what they say and what to do

A run stops before it computes anything from a wrong plan or a wrong file. The message names the file, the row and the column or
key, what was found, what was expected, and the fix. `schooltrial check` gives all errors in one message. Nothing is written by a
step that fails, so correct what is named and run the same command again.

`make docs` writes this page. Each message below is what the program says when
[`examples/minimal`](../examples/minimal/README.md) is changed in that one place; those of the last part come from files and computers.
"""


@dataclass(frozen=True)
class Kind:
    """A kind of refusal.

    Attributes
    ----------
    title : str
        Heading on the page.
    cause : str
        What leads to it, and what to think of before following the message.
    edits : tuple of (file, old text, new text)
        What spoils the example. An empty old text replaces the whole file, and an empty new text
        with it removes the file; ``copy FILE`` copies a file, and new is then ``old=new``.
    asked : str
        The file whose making is refused.
    """

    title: str
    cause: str
    edits: tuple[tuple[str, str, str], ...]
    asked: str = SAMPLE


STAGES: dict[str, tuple[Kind, ...]] = {
    "The protocol": (
        Kind(
            "Unknown key",
            "A key that the schema does not have, mostly a typing error.",
            ((TRIAL, "covariates: [baseline]", "covariate: [baseline]"),),
        ),
        Kind(
            "Renamed key",
            "The protocol was written for an earlier version. One command rewrites it: see "
            "[keys that were renamed](migrating.md).",
            ((TRIAL, "years: {baseline:", "years: {before:"),),
        ),
        Kind(
            "Unknown name",
            "A model, filter or table names a variable, an outcome or a year that nothing defines.",
            ((TRIAL, "covariates: [baseline]", "covariates: [baseline, age]"),),
        ),
        Kind(
            "Key without effect",
            "The key belongs to another estimator or design. It is refused, because a reader of the "
            "plan would believe that it acts.",
            ((TRIAL, "covariates: [baseline]}", "covariates: [baseline], cluster: school}"),),
        ),
        Kind(
            "Value that is not allowed",
            "The key takes one of a few words, or a value of another type.",
            ((TRIAL, "kind: complete", "kind: random"),),
        ),
        Kind(
            "Text that YAML reads as something else",
            "`no`, `010` and `20:19` are read differently by different programs. Put them in quotes.",
            ((TRIAL, "title: My reading trial", "title: 010"),),
        ),
        Kind(
            "File that is not YAML",
            "A bracket, a quote or an indentation is wrong. The row is where reading stopped; the "
            "mistake is there or just above.",
            ((TRIAL, "years: {baseline: [2024], programme: [2025]}", "years: {baseline: [2024"),),
        ),
    ),
    "Raw files": (
        Kind(
            "Missing file",
            "Paths are relative to the protocol. `{year}` in a name is replaced by each year.",
            (("pupils_2025.csv", "", ""),),
        ),
        Kind(
            "Missing column",
            "The file has no column of this name. Names are compared letter by letter.",
            ((TRIAL, "reading: {column: reading", "reading: {column: Reading score"),),
        ),
        Kind(
            "Text where a number is expected",
            "Say what the text means: a code, a withheld number, or *not observed*.",
            (("pupils_2025.csv", "P004,S01,115", "P004,S01,absent"),),
        ),
        Kind(
            "Value that is not among the codes",
            "A category takes the values that the protocol lists.",
            (("schools.csv", "S03,programme", "S03,waiting list"),),
        ),
        Kind(
            "Number out of range",
            "The range is declared in the protocol. Correct the cell, or let `out_of_range: missing` "
            "set such cells to missing.",
            (
                (TRIAL, "column: reading, type: number", "column: reading, type: number, range: [0, 200]"),
                ("pupils_2025.csv", "P004,S01,115", "P004,S01,1150"),
            ),
        ),
        Kind(
            "Key in several rows",
            "One pupil has two rows in one year. If the file has a row for each spell, say which row "
            "counts with `duplicate_keys`.",
            (("pupils_2025.csv", "P003,S01,", "P004,S01,"),),
        ),
        Kind(
            "Empty identifier",
            "A row without a key cannot be linked to anything. Notes below a table are left out with "
            "`notes_below`.",
            (("pupils_2025.csv", "P003,S01,", ",S01,"),),
        ),
        Kind(
            "Row with too many cells",
            "Mostly a delimiter inside a text without quotes.",
            (("pupils_2025.csv", "P003,S01,", "P003,S01,North,"),),
        ),
        Kind(
            "File of another kind than its name says",
            "A workbook was saved under the name of a text file, or the other way round.",
            ((TRIAL, "schools: [{file: schools.csv", "schools: [{file: schools.xlsx"),
             ("schools.xlsx", "", "school,arm\nS01,control\n")),
        ),
    ),
    "Tables that do not fit together": (
        Kind(
            "Identifiers that do not match",
            "One file has identifiers that another lacks. Mostly they are spelt in two ways (zeros, "
            "case, blanks), or the file holds other pupils too.",
            ((TRIAL, "scores: [{file: \"pupils_{year}.csv\"", "scores: [{file: \"tests_{year}.csv\""),
             ("tests_2024.csv", "copy pupils_2024.csv", "P=Q"),
             ("tests_2025.csv", "copy pupils_2025.csv", "P=Q")),
        ),
        Kind(
            "Unit listed in two groups",
            "The allocation list contradicts itself. Settle it with whoever randomised.",
            (("schools.csv", "S02,", "S01,programme\nS02,"),),
        ),
        Kind(
            "No rows for a model",
            "The filter of a model leaves nobody.",
            ((TRIAL, "where: {year: [2025]}", "where: {year: [2025], school: [S99]}"),),
            ITT,
        ),
    ),
    "Outcomes under embargo": (
        Kind(
            "Outcomes that may not be read yet",
            "`blinding.until` is in the future. See [monitoring](monitoring.md).",
            ((TRIAL, "outcomes:\n", "blinding: {until: '2999-07-01'}\noutcomes:\n"),),
            ITT,
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Mishap:
    """A refusal whose cause is outside protocol and raw files.

    Attributes
    ----------
    title, cause : str
        As in `Kind`.
    faced : callable
        Takes a folder, and does there what is refused.
    """

    title: str
    cause: str
    faced: Callable[[Path], object]


def _met(number: int, file: str) -> Callable[[Path], object]:
    """Return what raises the refusal of an error of the system."""

    def faced(folder: Path) -> object:
        raise Refusal([of_the_system(OSError(number, os.strerror(number), str(folder / file)))])

    return faced


def _damaged_record(folder: Path) -> object:
    record = folder / "results/my_trial/checks/plan_first.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"models', "utf-8")
    return first_plan(str(record))


def _replaced(folder: Path) -> None:
    file = folder / "pupils_2025.csv"
    file.write_text("pupil,school,reading\n", "utf-8")
    refuse_replaced_files({str(file): "what it was"})


MISHAPS: dict[str, tuple[Mishap, ...]] = {
    "Files and the computer": (
        Mishap(
            "Disk that is full",
            "No file is left unfinished. With room again, the same command goes on where it stopped.",
            _met(errno.ENOSPC, "results/my_trial/data/sample.parquet"),
        ),
        Mishap(
            "Folder that can only be read",
            "The results are to be written next to the protocol, unless `--output` names another folder.",
            _met(errno.EROFS, "results"),
        ),
        Mishap(
            "File that may not be opened",
            "It belongs to somebody else.",
            _met(errno.EACCES, "pupils_2025.csv"),
        ),
        Mishap(
            "File that changed while it was read",
            "Another program wrote it during the run, for example while it was downloaded or synchronised.",
            _replaced,
        ),
        Mishap(
            "Damaged record of the plan",
            "The file says what the plan was when outcomes were first read. It is never replaced by itself.",
            _damaged_record,
        ),
    ),
}  # fmt: skip


def spoil(folder: Path, kind: Kind) -> Path:
    """Copy the example into a folder, spoil it, and return the path of its protocol."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name, old, new in kind.edits:
        path = folder / name
        if old.startswith("copy "):
            text = (folder / old.removeprefix("copy ")).read_text("utf-8")
            before, _, after = new.partition("=")
            path.write_text(text.replace(before, after), "utf-8")
        elif old:
            text = path.read_text("utf-8")
            if old not in text:
                raise ValueError(f"{kind.title}: {name} has no {old!r}")
            path.write_text(text.replace(old, new, 1), "utf-8")
        elif new:
            path.write_text(new, "utf-8")
        else:
            path.unlink()
    return folder / TRIAL


def refusal_of(kind: Kind) -> str:
    """Return the message with which the spoilt example is refused.

    Raises
    ------
    ValueError
        If it is not refused.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            StudyRun(spoil(folder / "trial", kind), folder / "work").make(kind.asked)
        except Refusal as refusal:
            return str(refusal).replace(f"{folder / 'trial'}/", "")
    raise ValueError(f"{kind.title}: the example was not refused")


def refusal_of_mishap(mishap: Mishap) -> str:
    """Return the message of a refusal whose cause is outside protocol and raw files.

    Raises
    ------
    ValueError
        If nothing is refused.
    """
    with tempfile.TemporaryDirectory() as made:
        try:
            mishap.faced(Path(made))
        except Refusal as refusal:
            return str(refusal).replace(f"{made}/", "")
    raise ValueError(f"{mishap.title}: nothing was refused")


def _lines() -> Iterator[str]:
    yield HEAD
    for stage, kinds in STAGES.items():
        yield f"## {stage}\n"
        for kind in kinds:
            yield _shown(kind.title, kind.cause, refusal_of(kind))
    for stage, mishaps in MISHAPS.items():
        yield f"## {stage}\n"
        for one in mishaps:
            yield _shown(one.title, one.cause, refusal_of_mishap(one))


def _shown(title: str, cause: str, message: str) -> str:
    return f"### {title}\n\n{cause}\n\n```text\n{message}\n```\n"


def page() -> str:
    """Return the page, each message as it comes."""
    return "\n".join(_lines())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
