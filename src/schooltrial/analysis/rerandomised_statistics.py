"""Statistics of re-randomisations, as shares of bins that a figure draws."""

from __future__ import annotations

from math import isfinite

import numpy as np
import pandas as pd

from schooltrial.analysis.fitting import FittedModel
from schooltrial.models.randomisation_inference.result import RandomisationTest

LEAST, MOST = 12, 60
"""Bins of few draws, and of many: in between, the root of their number."""

COLUMNS = [
    "model", "outcome", "statistic_name", "bin_low", "bin_high", "share", "observed", "p_value",
    "replications", "exact", "undefined",
]  # fmt: skip


def bin_statistics(name: str, fitted: FittedModel[RandomisationTest]) -> pd.DataFrame:
    """Return a row for each outcome and bin: the share of re-randomised statistics that lie in it.

    Draws whose statistic does not exist are in no bin, so that shares of an outcome then add up to
    less than one. An outcome without a p-value has no rows: there were no re-randomisations.

    Parameters
    ----------
    name : str
        Of the model.
    fitted : FittedModel
    """
    known = fitted.table.dropna(subset=["p_value"]).drop_duplicates("outcome").set_index("outcome")
    rows = [
        [name, outcome, test.statistic, low, high, share, float(test.distribution.observed[0]),
         float(known.loc[outcome, "p_value"]), len(test.distribution.draws),
         test.distribution.exact, test.undefined]
        for outcome, test in fitted.results.items()
        if outcome in known.index
        for low, high, share in _bins(test)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _bins(test: RandomisationTest) -> list[tuple[float, float, float]]:
    """Return ends and share of each bin; the observed statistic lies within the outer ends."""
    drawn = test.distribution.draws[:, 0]
    observed = float(test.distribution.observed[0])
    chance = test.distribution.probability
    weight = np.full(len(drawn), 1 / len(drawn)) if chance is None else chance / chance.sum()
    seen = np.isfinite(drawn)
    if not seen.any() or not isfinite(observed):
        return []
    low, high = min(drawn[seen].min(), observed), max(drawn[seen].max(), observed)
    count = int(np.clip(np.sqrt(seen.sum()), LEAST, MOST))
    shares, ends = np.histogram(drawn[seen], bins=count, range=(low, high), weights=weight[seen])
    return [
        (float(one), float(other), float(share))
        for one, other, share in zip(ends[:-1], ends[1:], shares, strict=True)
    ]
