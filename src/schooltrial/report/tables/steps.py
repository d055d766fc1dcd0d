"""How every number was made, step by step, as the report shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from schooltrial.document.tables import Column, Table, tabulate

DIGITS = 16
"""Of a checksum."""

COLUMNS = [
    Column("rule and script"),
    Column("code (SHA-256)", "code"),
    Column("read"),
    Column("wrote (SHA-256)"),
]


def steps_shown(steps: Sequence[Mapping[str, Any]]) -> Table:
    """Return each step with what it read and wrote; links to ``trace-<rule>`` lead to its row."""
    rows = [
        (
            Markup("{}<br><code>{}</code>").format(step["rule"], step["script"]),
            step["code"][:DIGITS],
            _lines(_short(path) for path in step["reads"]) or _origin(step["rule"]),
            _lines(f"{_short(path)} {checksum[:DIGITS]}" for path, checksum in step["wrote"]),
        )
        for step in steps
    ]
    frame = pd.DataFrame(rows, columns=[column.name for column in COLUMNS], dtype="object")
    anchors = [f"trace-{step['rule']}" for step in steps]
    return tabulate("How every number was made", frame, COLUMNS, anchors=anchors)


def _origin(rule: str) -> str:
    return "the rows of every model" if rule == "gather_estimates" else "the raw files"


def _short(path: str) -> str:
    return path.replace("results/", "")


def _lines(texts: Iterable[str]) -> Markup:
    return Markup("").join(Markup("<code>{}</code><br>").format(text) for text in texts)
