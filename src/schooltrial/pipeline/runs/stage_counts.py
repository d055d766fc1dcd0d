"""How much a stage of a run has done: rows that were read, draws that were made."""

from __future__ import annotations

import json
from pathlib import Path

from schooltrial.pipeline.written_rows import read_rows
from schooltrial.study.layout import Layout
from schooltrial.wording import plural

READ, FIT = "Read the files", "Fit the models"
"""The stages whose rows, or draws, are counted."""


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
        models = paths.estimates_of("x").parent
        draws = sum(_draws(file) for file in models.glob("*.json"))
        return f"{plural(draws, 'draw')} made" if draws else ""
    return ""


def _draws(diagnostics: Path) -> int:
    """Return the draws of a model: random re-randomisations, resamples or permutations."""
    try:
        told = json.loads(diagnostics.read_text("utf-8"))
    except ValueError:  # it is being written
        return 0
    return sum(int(of_outcome.get("draws", 0)) for of_outcome in told.values())
