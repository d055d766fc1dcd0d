"""Results as they are kept: a CSV file with the machine, and a table in the README."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.machine import Machine

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def marks(name: str) -> tuple[str, str]:
    """Return the marks before and after a table of the README."""
    return f"<!-- {name}: written by make benchmark -->", f"<!-- end of {name} -->"


def write_csv(
    rows: Sequence[DataclassInstance],
    machine: Machine,
    file: Path,
    *,
    digits: int = 4,
    with_r: bool = False,
) -> None:
    """Write a line for each row, with the machine; R's version where R was used.

    Parameters
    ----------
    rows : sequence of dataclass
        At least one, all of one class.
    machine : Machine
    file : pathlib.Path
    digits : int
        Significant digits of numbers that are not whole.
    with_r : bool
        Whether the column of R's version is written.
    """
    told = {name: value for name, value in asdict(machine).items() if with_r or name != "r"}
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, [*asdict(rows[0]), *told], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            cells = {name: _cell(value, digits) for name, value in asdict(row).items()}
            writer.writerow(cells | told)


def _cell(value: object, digits: int) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def write_table(made: str, readme: Path, name: str) -> None:
    """Put a table between its marks in the README."""
    begin, end = marks(name)
    before, rest = readme.read_text("utf-8").split(begin, 1)
    after = rest.split(end, 1)[1]
    readme.write_text(f"{before}{begin}\n\n{made}\n\n{end}{after}", encoding="utf-8")
