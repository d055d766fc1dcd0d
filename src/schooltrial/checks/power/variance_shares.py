"""ICC and R² of the analytic sample, if no model of the protocol gives them.

Pupils in the units that were assigned, by REML: the empty model gives the ICC, and against it the
model with treatment, blocks and covariates gives R² at both levels, as multilevel models tell them
of themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.checks.power.inputs import analysed_rows
from schooltrial.data.rows.covariates import covariate_columns
from schooltrial.models.moments.school_moments import from_frame
from schooltrial.models.multilevel.r_squared import estimate_r_squared
from schooltrial.models.multilevel.two_level import fit_two_level_moments
from schooltrial.protocol.content.sections import Model, covariate_terms

NO_VARIANCE = 1e-12  # of a level, as a share of the total: rounding


@dataclass(frozen=True, slots=True)
class VarianceShares:
    """How the variance lies, as shares of the total without regressors.

    Attributes
    ----------
    icc : float
        Share between units of assignment (within blocks, where these are a random level).
    r2_school, r2_pupil : float
        Share that the model explains between units and within them.
    icc_block : float
        Share between blocks, where these are a random level.
    """

    icc: float
    r2_school: float
    r2_pupil: float
    icc_block: float = 0.0


def observed_shares(told: Mapping[str, Any]) -> VarianceShares | None:
    """Return the shares from the diagnostics of a multilevel fit; None if it was none.

    The variances of the empty model are those of the fit over 1 − R². Where a level has nothing
    left (R² of 1) its variance is what the other levels leave of the total.

    Parameters
    ----------
    told : mapping
        ``variances`` and ``r_squared`` by level: residual, total, block, and the units'.
    """
    left, explained = told.get("variances"), told.get("r_squared")
    if not left or not explained or "residual" not in left:
        return None
    total = fsum(left.values()) / (1 - explained["total"])
    residual = left["residual"] / (1 - explained["residual"])
    block = _empty_variance(left, explained, "block")
    unit = fsum(v for level, v in left.items() if level not in ("residual", "block"))
    between = total - residual - block
    if not between > NO_VARIANCE * total:
        return VarianceShares(0.0, 0.0, explained["residual"], block / total)
    return VarianceShares(
        between / total, 1 - unit / between, explained["residual"], block / total
    )  # fmt: skip


def _empty_variance(left: Mapping[str, float], explained: Mapping[str, float], level: str) -> float:
    """Return the variance of a level in the empty model; 0 if there is no such level."""
    share = explained.get(level)
    if level not in left or share is None or not share < 1:
        return 0.0
    return left[level] / (1 - share)


DEPENDENT = 1e-9  # what is left of a column beside those before it, as a share: rounding


ESTIMATED = (
    "ICC and R² of a two-level REML model of the rows analysed, compared with the model without "
    "covariates"
)


def estimated_shares(
    sample: pd.DataFrame, model: Model, outcome: str, control: str, arm: str, *, blocks: bool
) -> VarianceShares | None:
    """Return how the variance of an outcome is divided; None if not known.

    Parameters
    ----------
    sample, model, outcome, control, arm, blocks
        As for `inputs.analysed`.
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
        fitted = fit_two_level_moments(
            from_frame(frame, outcome="outcome", fixed=list(named), school="unit")
        )
        explained = {part.level: part.r_squared for part in estimate_r_squared(fitted)}
    except ValueError:
        return None
    left = {part.level: part.estimate for part in fitted.variance_components}
    return observed_shares({"variances": left, "r_squared": explained})


def _columns(rows: pd.DataFrame, term: str) -> NDArray[np.float64]:
    """Return the columns of a term, standardised."""
    columns = np.column_stack([np.empty((len(rows), 0)), *covariate_columns(rows, [term]).values()])
    spread = columns.std(axis=0)
    scaled: NDArray[np.float64] = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return scaled


def _independent(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the columns that those before them do not determine, the first (ones) left out."""
    left = np.abs(np.diag(np.linalg.qr(columns, mode="r")))
    kept = left > DEPENDENT * np.linalg.norm(columns, axis=0)[: len(left)]
    free: NDArray[np.float64] = columns[:, : len(left)][:, kept][:, 1:]
    return free
