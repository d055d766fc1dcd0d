"""What is right for a shape, by numpy alone, and whether the results hold it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from support.shapes.claims import visible


def least_squares(
    rows: pd.DataFrame,
    outcome: str,
    covariates: Sequence[str] = (),
    *,
    blocks: pd.Series | None = None,
    weights: pd.Series | None = None,
) -> float:
    """Return the coefficient of the intervention group by the normal equations.

    ``rows`` hold ``arm``; ``blocks`` a block per row, each with an intercept of its own.
    """
    columns = [(rows["arm"] == "programme").to_numpy(float)]
    columns += [rows[name].to_numpy(float) for name in covariates]
    if blocks is None:
        columns.append(np.ones(len(rows)))
    else:
        columns += list(pd.get_dummies(blocks).to_numpy(float).T)
    root = np.ones(len(rows)) if weights is None else np.sqrt(weights.to_numpy(float))
    X = np.column_stack(columns) * root[:, None]
    return float(np.linalg.lstsq(X, rows[outcome].to_numpy(float) * root, rcond=None)[0][0])


def check_row(
    results: Path,
    model: str,
    estimate: float,
    n_individuals: int | None = None,
    n_schools: int | None = None,
    *,
    outcome: str | None = None,
    term: str | None = None,
) -> None:
    """Fail unless a model has just one such effect, of this size and of so many people."""
    rows = pd.read_csv(results / "estimates" / "estimates.csv")
    rows = rows[(rows["model"] == model) & rows["estimand"].isin(["ITT", "ATT", "CACE"])]
    if outcome is not None:
        rows = rows[rows["outcome"] == outcome]
    if term is not None:
        rows = rows[rows["term"] == term]
    assert len(rows) == 1, rows[["model", "outcome", "term", "estimate"]].to_string()
    row = rows.iloc[0]
    assert abs(row["estimate"] - estimate) < 1e-6 * max(1.0, abs(estimate)), row.to_string()
    for name, wanted in (("n_individuals", n_individuals), ("n_schools", n_schools)):
        assert wanted is None or row[name] == wanted, f"{name} {row[name]}, not {wanted}"


def text_of(results: Path, page: str = "report/report.html") -> str:
    """Return what a reader sees of a page."""
    return visible((results / page).read_text("utf-8"))


def assert_told(results: Path, *patterns: str, page: str = "report/report.html") -> None:
    """Fail unless a page says what is sought."""
    text = " ".join(text_of(results, page).split())
    for pattern in patterns:
        assert re.search(pattern, text), f"{page} does not say {pattern!r}"


def assert_untold(results: Path, *patterns: str, page: str = "report/report.html") -> None:
    """Fail where a page says what it should not."""
    text = " ".join(text_of(results, page).split())
    for pattern in patterns:
        found = re.search(pattern, text)
        assert not found, f"{page} says …{text[max(found.start() - 80, 0) : found.end() + 40]}…"
