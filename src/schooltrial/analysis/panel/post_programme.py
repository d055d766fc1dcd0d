"""The post-test comparison alone, next to that of changes, if schools were randomised.

With a drawn assignment the means of the active years compare schools without bias; years before
buy precision, by taking each school's own past away (the change) or by adjusting for it (analysis
of covariance). Which is best the data say: the ratio of the variances is beside each row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.inference.estimate import Estimate, noted

Array = npt.NDArray[np.float64]

AFTER = "post-test difference"
ADJUSTED = "post-test difference, baseline-adjusted"

TERMS = {AFTER: "treated[post-test]", ADJUSTED: "treated[post-test, baseline-adjusted]"}
"""Estimand → term, so that a term names one row of a model."""

FEWEST = 4
"""Fewer schools than this leave nothing to judge an adjusted difference by."""


def compare_post_tests(
    cells: pd.DataFrame,
    weights: Array | None,
    *,
    before: Sequence[int],
    active: Sequence[int],
    change: Estimate,
    level: float,
) -> list[tuple[str, Estimate]]:
    """Return the difference of means in the active years, and the same given the years before.

    Parameters
    ----------
    cells : DataFrame (n rows)
        Cells of one outcome: ``school, block, treated, year, mean``.
    weights : array (n,), optional
        Weights of the cells; the weight of a school is that of its active years.
    before, active : sequence of int
        Years.
    change : Estimate
        The effect by the comparison of changes.
    level : float
        Of the confidence intervals.

    Returns
    -------
    list of (estimand, Estimate)
        Of the schools that are seen both before and after; blocks are held fixed where there are
        several.
    """
    w = np.ones(len(cells)) if weights is None else weights
    year = cells["year"].to_numpy("int64")
    told = cells.assign(w=w, wy=w * cells["mean"].to_numpy("float64"))
    first, then = (
        told[np.isin(year, years)].groupby(["school"], observed=True)[["w", "wy"]].sum()
        for years in (list(before), list(active))
    )
    schools = then.join(first.add_suffix("_before"), how="inner")
    known = cells.drop_duplicates("school").set_index("school").reindex(schools.index)
    treated = known["treated"].to_numpy("float64")
    if len(schools) < FEWEST or min(treated.sum(), (1 - treated).sum()) < 2:
        return []
    blocks = known["block"].astype("str").to_numpy() if "block" in known else None
    several = blocks is not None and len(np.unique(blocks)) > 1
    after = (schools["wy"] / schools["w"]).to_numpy()
    past = (schools["wy_before"] / schools["w_before"]).to_numpy()
    found = []
    for estimand, columns in ((AFTER, {}), (ADJUSTED, {"before": past})):
        every = {**({} if several else {"(Intercept)": np.ones(len(after))}), "treated": treated}
        every |= columns
        try:
            fit = fit_least_squares_columns(
                after, list(every.values()), names=list(every), cluster=np.arange(len(after)),
                weights=None if weights is None else schools["w"].to_numpy(),
                absorb=[blocks] if several and blocks is not None else None,
            )  # fmt: skip
            (row,) = fit.estimates(["treated"], level=level)
        except ValueError:  # blocks with one arm, or a baseline that is constant: no such row
            continue
        row = replace(
            row, term=TERMS[estimand], n_individuals=change.n_individuals, n_schools=len(schools),
            method=f"school means of the active years, {'by block, ' * several}CR2, "
            "Satterthwaite df",
        )  # fmt: skip
        found += [(estimand, noted([row], _gain(row, change))[0])]
    return found


def _gain(row: Estimate, change: Estimate) -> str:
    """Return the ratio of a row's variance to that of the comparison of changes, in words."""
    if not (row.std_error > 0 and change.std_error > 0):
        return ""
    ratio = (row.std_error / change.std_error) ** 2
    return f"variance {ratio:.2f} times that of the difference-in-differences estimate"
