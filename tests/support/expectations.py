"""What is right for a small study, as its ``expect.json`` states it, compared with what came.

The file holds a list ``any`` of outcomes that are right, one of which must hold whole:

- ``{"values": [{"model": "itt", "outcome": "maths", "estimate": 0.21, "tol": 0.0001}]}``: for each
  entry there is a row of the estimates whose named columns agree: texts are equal, numbers within
  ``tol`` (1e-9 where there is none).
- ``{"python": "expression"}``: true, where ``R`` is the folder of results and ``pd`` is pandas.
- ``{"refused": ["pattern", …]}``: the run is refused, and each pattern is found in the message.

``target`` names the file that is made, where it is not the verdict of all checks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.refusal import Refusal
from support.rules_in_process import StudyRun

EVERYTHING = ("estimates/estimates.csv", "checks/verdict.json")
KINDS = {"values", "python", "refused"}


@dataclass(frozen=True)
class Outcome:
    """How a study ended: with results, or refused."""

    results: Path | None
    refusal: str = ""

    @property
    def told(self) -> str:
        """Say how it ended, for the message of a test that fails."""
        if self.results is None:
            return self.refusal
        estimates = self.results / "estimates" / "estimates.csv"
        if not estimates.is_file():
            return "the run ended well"
        shown = ["model", "outcome", "term", "estimate", "std_error", "n_individuals", "note"]
        return str(pd.read_csv(estimates)[shown].to_string())


def run_study(protocol: Path, folder: Path, *targets: str) -> Outcome:
    """Run a study in this process, from its raw files to the checks or to what is named.

    Anything but a refusal that is raised on the way is a fault of the library, and is not caught.
    """
    try:
        run = StudyRun(protocol, folder)
        run.make(*(targets or EVERYTHING))
    except Refusal as refusal:
        return Outcome(None, str(refusal))
    return Outcome(run.results)


def read_expectations(folder: Path) -> dict[str, Any]:
    """Read the ``expect.json`` of a study; a key that would check nothing is an error."""
    found: dict[str, Any] = json.loads((folder / "expect.json").read_text("utf-8"))
    assert set(found) <= {"any", "target"}, f"{folder.name}: {sorted(found)}"
    assert found["any"], f"{folder.name} expects nothing"
    for one in found["any"]:
        assert one, f"{folder.name} expects nothing"
        assert set(one) <= KINDS, f"{folder.name}: {sorted(one)}"
    return found


def check_expectations(folder: Path, outcome: Outcome) -> None:
    """Fail unless a study ended as its ``expect.json`` says that it may."""
    expected = read_expectations(folder)["any"]
    assert any(_holds(one, outcome) for one in expected), (
        f"{folder.name}: none of {json.dumps(expected, indent=1)}\n{outcome.told}"
    )


def _holds(expected: Mapping[str, Any], outcome: Outcome) -> bool:
    if outcome.results is None:
        patterns = expected.get("refused")
        return bool(patterns) and all(re.search(one, outcome.refusal) for one in patterns or [])
    if "refused" in expected:
        return False
    if "python" in expected:
        there = {"pd": pd, "np": np, "json": json, "R": outcome.results}
        if not eval(expected["python"], there):
            return False
    if "values" not in expected:
        return True
    estimates = pd.read_csv(outcome.results / "estimates" / "estimates.csv")
    return all(_row_agrees(estimates, one) for one in expected["values"])


def _row_agrees(estimates: pd.DataFrame, wanted: Mapping[str, Any]) -> bool:
    tolerance = float(wanted.get("tol", 1e-9))
    agree = pd.Series(True, index=estimates.index)
    for column, value in wanted.items():
        if column == "tol":
            continue
        found = estimates[column]
        if isinstance(value, str):
            agree &= found.astype("str") == value
        else:
            agree &= (found - value).abs() <= tolerance
    return bool(agree.any())
