"""The steps behind every number, as the report shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.document.tables import Column, Table, tabulate

DIGITS = 16
"""Of a checksum."""

COLUMNS = [
    Column("Rule and script"),
    Column("Code (SHA-256)", "code"),
    Column("Read"),
    Column("Wrote (SHA-256)"),
]


def steps_shown(steps: Sequence[Mapping[str, Any]]) -> Table:
    """Return each step with what it read and wrote; links to ``trace-<rule>`` lead to its row."""
    rows = [
        (
            f"{step['rule']}\n`{step['script']}`",
            step["code"][:DIGITS],
            _lines(_short(path) for path in step["reads"]) or _origin(step["rule"]),
            _lines(f"{_short(path)} {checksum[:DIGITS]}" for path, checksum in step["wrote"]),
        )
        for step in steps
    ]
    frame = pd.DataFrame(rows, columns=[column.name for column in COLUMNS], dtype="object")
    anchors = [f"trace-{step['rule']}" for step in steps]
    return tabulate("Steps from raw files to exhibits", frame, COLUMNS, anchors=anchors)


def _origin(rule: str) -> str:
    return "the rows of every model" if rule == "gather_estimates" else "the raw files"


def _short(path: str) -> str:
    return path.replace("results/", "")


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(f"`{text}`" for text in texts)
