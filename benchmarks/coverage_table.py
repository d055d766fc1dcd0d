"""Error rates of the methods, with Monte Carlo intervals, and what explains them."""

from __future__ import annotations

from math import nan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from benchmarks.coverage_methods import METHODS
from benchmarks.coverage_runs import BoolArray, FloatArray, Outcomes, together
from benchmarks.coverage_trials import Cell
from numpy.typing import NDArray
from scipy import special

Z = float(special.ndtri(0.975))


class Rate(NamedTuple):
    """A share of trials with its 95% interval (Wilson 1927)."""

    share: float
    low: float
    high: float


def rate(events: FloatArray) -> Rate:
    """Return the share of ones, with Wilson's interval.

    (p + z²/2n ± z√(p(1 − p)/n + z²/4n²)) / (1 + z²/n); Wilson (1927), JASA 22, 209-212.
    """
    n = len(events)
    if n == 0:
        return Rate(nan, nan, nan)
    p = float(np.mean(events))
    middle = p + Z**2 / (2 * n)
    reach = Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return Rate(p, float(middle - reach) / (1 + Z**2 / n), float(middle + reach) / (1 + Z**2 / n))


def _used(outcomes: Outcomes) -> list[str]:
    """Return the methods that were applied."""
    return [method for method in METHODS if not np.isnan(outcomes.of(method, "erred")).any()]


def coverage_rows(cell: Cell, without: Outcomes, with_effect: Outcomes) -> list[dict[str, Any]]:
    """Return a row for each method of a cell.

    Parameters
    ----------
    cell : Cell
    without, with_effect : Outcomes
        Independent trials with true effects of nought, and of another size.

    Notes
    -----
    ``se_over_sd`` is √(mean squared standard error) over the standard deviation of the estimates:
    below one, a method is surer than it should be. ``mean_length`` is that of intervals with two
    ends.
    """
    both = together([without, with_effect])
    rows = []
    for method in _used(both):
        error = rate(without.of(method, "erred"))
        missed = rate(with_effect.of(method, "erred"))
        length = with_effect.of(method, "length")
        length = length[~np.isnan(length)]
        df = both.of(method, "df")
        squared = float(np.mean(both.of(method, "std_error") ** 2))
        effect_out = [without.of(method, "estimate"), with_effect.of(method, "estimate")]
        spread = float(np.mean([np.var(values, ddof=1) for values in effect_out]))
        rows.append(
            {
                "schools": cell.schools,
                "icc": cell.icc,
                "method": method,
                "trials": len(without.singular),
                "type_1_error": error.share,
                "type_1_low": error.low,
                "type_1_high": error.high,
                "coverage": 1 - missed.share,
                "coverage_low": 1 - missed.high,
                "coverage_high": 1 - missed.low,
                "mean_length": float(np.mean(length[np.isfinite(length)])),
                "lengths": len(length),
                "unbounded": float(np.mean(~np.isfinite(length))),
                "se_over_sd": float(np.sqrt(squared / spread)),
                "median_df": float(np.median(df)),
                "singular": float(both.singular.mean()),
                "not_converged": float((~both.converged).mean()),
            }
        )
    return rows


def condition_rows(cell: Cell, without: Outcomes, with_effect: Outcomes) -> list[dict[str, Any]]:
    """Return error rates among trials of a kind: both runs taken together, by method.

    Kinds: REML with a school variance of nought, or not; and the thirds of the trials in which
    the pupils are shared most and least evenly between the arms.
    """
    both = together([without, with_effect])
    uneven = np.abs(both.share_treated - 0.5)
    kinds: dict[str, BoolArray | NDArray[Any]] = {
        "all": np.ones(len(uneven), dtype=bool),
        "school variance at zero": both.singular,
        "school variance above zero": ~both.singular,
        "pupils shared most evenly": uneven <= np.quantile(uneven, 1 / 3),
        "pupils shared least evenly": uneven >= np.quantile(uneven, 2 / 3),
    }
    rows = []
    for method in _used(both):
        for kind, chosen in kinds.items():
            found = rate(both.of(method, "erred")[chosen])
            rows.append(
                {
                    "schools": cell.schools,
                    "icc": cell.icc,
                    "method": method,
                    "condition": kind,
                    "trials": int(chosen.sum()),
                    "error": found.share,
                    "low": found.low,
                    "high": found.high,
                }
            )
    return rows


def outside(table: pd.DataFrame, low: float = 0.04, high: float = 0.06) -> pd.DataFrame:
    """Return the rows whose type I error or coverage error leaves the band."""
    missed = 1 - table["coverage"]
    kept = table["type_1_error"].between(low, high) & missed.between(low, high)
    return table[~kept]
