"""The steps behind every number, as the report shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.document.formats.html import TRACE
from schooltrial.document.tables import Column, Table, tabulate

DIGITS = 16
"""Of a checksum."""

READ_BY = {
    "gather_estimates": "the rows of every model",
    "write_report": "what all steps above wrote",
}
"""Rule → what it reads, where that is not the raw files and too much to be listed."""

STEP_COLUMNS = ["workflow_rule", "script", "code_sha256", "way", "path", "content_sha256"]
"""Of the steps as data."""

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
    anchors = [f"{TRACE}{step['rule']}" for step in steps]
    return tabulate("Steps from raw files to exhibits", frame, COLUMNS, anchors=anchors)


def steps_data(steps: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a row for each file that a step read or wrote; only written data have a checksum."""
    rows = [
        (step["rule"], step["script"], step["code"], what, _short(path), checksum)
        for step in steps
        for what, files in (
            ("read", [(one, "") for one in step["reads"]]),
            ("wrote", step["wrote"]),
        )
        for path, checksum in files
    ]
    return pd.DataFrame(rows, columns=STEP_COLUMNS)


def _origin(rule: str) -> str:
    return READ_BY.get(rule, "the raw files")


def _short(path: str) -> str:
    return path.replace("results/", "")


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(f"`{text}`" for text in texts)
