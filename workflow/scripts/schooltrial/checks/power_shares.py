"""ICC and R² of the rows that are analysed, where no model of the protocol tells them.

Pupils in the units that were assigned, by REML: the empty model gives the ICC, and against it the
model with treatment, blocks and covariates gives R² at both levels, as multilevel models tell them
of themselves.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.checks.power_inputs import VarianceShares, analysed_rows, observed_shares
from schooltrial.models.moments import from_frame
from schooltrial.models.multilevel import r_squared, two_level
from schooltrial.protocol import Model, covariate_terms

DEPENDENT = 1e-9  # what is left of a column beside those before it, as a share: rounding
ESTIMATED = "ICC and R² of a two-level REML model of the rows analysed, beside its empty one"


def estimated_shares(
    sample: pd.DataFrame, model: Model, outcome: str, control: str, arm: str, *, blocks: bool
) -> VarianceShares | None:
    """Return how the variance of an outcome lies; None where it cannot be told.

    Parameters
    ----------
    sample, model, outcome, control, arm, blocks
        As for `power_inputs.analysed`.
    """
    rows = analysed_rows(sample, model, outcome, control, arm)
    if rows.empty:
        return None
    columns = [np.ones((len(rows), 1)), rows[["treated"]].to_numpy("float64")]
    columns += [_columns(rows, "block")] if blocks else []
    columns += [_columns(rows, term) for term in covariate_terms(model, outcome)]
    named = {f"x{at}": column for at, column in enumerate(_independent(np.hstack(columns)).T)}
    frame = {**named, "outcome": rows[outcome].to_numpy("float64"),
             "unit": rows["cluster"].astype("str").to_numpy()}  # fmt: skip
    try:
        fitted = two_level(from_frame(frame, outcome="outcome", fixed=list(named), school="unit"))
        explained = {part.level: part.r_squared for part in r_squared(fitted)}
    except ValueError:
        return None
    left = {part.level: part.estimate for part in fitted.variance_components}
    return observed_shares({"variances": left, "r_squared": explained})


def _columns(rows: pd.DataFrame, term: str) -> NDArray[np.float64]:
    """Return a number standardised, or indicators of the cells of a term but the first."""
    parts = term.split(":")
    if len(parts) == 1 and pd.api.types.is_numeric_dtype(rows[term]) and term != "year":
        values = rows[term].to_numpy("float64")
        scaled: NDArray[np.float64] = (values - values.mean()) / (float(values.std()) or 1.0)
        return scaled[:, None]
    cells = rows[parts].astype("str").agg(":".join, axis=1)
    indicators: NDArray[np.float64] = pd.get_dummies(cells).to_numpy("float64")[:, 1:]
    return indicators


def _independent(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the columns that those before them do not determine, the first (ones) left out."""
    left = np.abs(np.diag(np.linalg.qr(columns, mode="r")))
    kept = left > DEPENDENT * np.linalg.norm(columns, axis=0)[: len(left)]
    free: NDArray[np.float64] = columns[:, : len(left)][:, kept][:, 1:]
    return free
