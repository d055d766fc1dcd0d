"""Fill the report's template from checks, estimates and exhibits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import pandas as pd

from schooltrial.exhibits.table_style import interval, number, p_text


@dataclass(frozen=True)
class Exhibit:
    """A figure or table, with what a reader needs to trace it.

    Attributes
    ----------
    name, kind, title, caption, alt : str
        Name of the files; ``figure`` or ``table``; words.
    content : str
        The figure as a data address, or the table as HTML.
    rule, script : str
        What made it.
    inputs : tuple of (path, sha256)
        What it was made from.
    code : str
        SHA-256 over the script's modules.
    """

    name: str
    kind: str
    title: str
    caption: str
    alt: str
    content: str
    rule: str
    script: str
    inputs: tuple[tuple[str, str], ...]
    code: str


def headlines(estimates: pd.DataFrame, protocol: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the primary outcomes of the primary models, as the summary tells them."""
    models, outcomes = protocol["models"], protocol["outcomes"]
    primary = [name for name, model in models.items() if model["role"] == "primary"]
    rows = estimates[estimates["model"].isin(primary) & (estimates["estimand"] == "ITT")]
    return [
        {
            **{str(key): value for key, value in row.items()},
            "note": "" if pd.isna(row["note"]) else row["note"],
            "label": outcomes[row["outcome"]]["label"],
            "unit": outcomes[row["outcome"]]["unit"],
            "model_label": models[row["model"]]["label"],
            "level": models[row["model"]]["level"],
            "verdict": _verdict(row),
        }
        for _, row in rows.iterrows()
        if outcomes[row["outcome"]]["primary"]
    ]


def _verdict(row: pd.Series) -> str:
    """Say what the interval says, without more."""
    if not row["converged"]:
        return "The model did not converge: no finding"
    if pd.isna(row["conf_low"]) or pd.isna(row["conf_high"]):
        return "There is no interval: no finding"
    if row["conf_low"] > 0:
        return "The interval lies above zero"
    if row["conf_high"] < 0:
        return "The interval lies below zero"
    return "The interval includes zero"


def sample_by_year(flow: pd.DataFrame) -> pd.DataFrame:
    """Return who entered and left, summed over years, by step and arm, in the order of steps."""
    keys = ["step", "reason", "level", "arm"]
    sums = flow.groupby(keys, sort=False, as_index=False)[["entered", "left", "remained"]].sum()
    return sums[sums["entered"] > 0]


def event_study(estimates: pd.DataFrame, outcomes: Mapping[str, Any]) -> pd.DataFrame:
    """Return the event studies and the tests of the pre-trend."""
    rows = estimates[estimates["estimand"].isin(["event study", "pre-trend test"])].copy()
    rows["label"] = rows["outcome"].map({name: o["label"] for name, o in outcomes.items()})
    return rows


def fill(template: str, context: Mapping[str, Any], exhibits: Sequence[Exhibit]) -> str:
    """Return the page; a name that the template uses and nobody gives is an error."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, p=p_text)
    environment.globals.update(interval=interval)
    by_name = {exhibit.name: exhibit for exhibit in exhibits}
    return environment.from_string(template).render(**context, exhibits=by_name)
