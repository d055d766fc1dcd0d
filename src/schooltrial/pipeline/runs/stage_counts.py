"""How much a stage of a run has done: rows that were read, draws that were made."""

from __future__ import annotations

import re
from pathlib import Path

from schooltrial.pipeline.written_rows import read_rows
from schooltrial.study.layout import Layout
from schooltrial.wording import plural

READ, FIT = "Read the files", "Fit the models"
"""The stages whose rows, or draws, are counted."""

DRAWS = re.compile(r"([\d,]+) draws\b")
"""How the method of an estimate says of how many draws it is."""


def counted(paths: Layout, stage: str) -> str:
    """Return what a stage has done so far, in words; empty where there is nothing to count.

    Parameters
    ----------
    paths : Layout
        Where the results of the study are.
    stage : str
        As a run calls it.
    """
    if stage == READ:
        rows = sum(int(row["rows"]) for row in read_rows(paths.check("raw_files.csv")))
        return f"{plural(rows, 'row')} read" if rows else ""
    if stage == FIT:
        draws = sum(_draws(file) for file in sorted(paths.estimates_of("x").parent.glob("*.csv")))
        return f"{plural(draws, 'draw')} made" if draws else ""
    return ""


def _draws(file: Path) -> int:
    """Return the draws of a model: those of each outcome and subgroup count once."""
    made: dict[tuple[str, str], int] = {}
    for row in read_rows(file):
        found = DRAWS.search(row["method"])
        if found:
            made[(row["outcome"], row["subgroup"])] = int(found[1].replace(",", ""))
    return sum(made.values())
