"""Standard errors that few clusters, or blocks of two or three, make too small.

Measured: at ten schools in each of two groups CR1 with J − 1 degrees of freedom rejects a true null
in 8% of trials, at five in 11% (benchmarks/COVERAGE.md); with three treated of twenty in 16%. With
pairs as fixed effects its standard errors are √½ of what they should be, however many pairs there
are, and it rejects in 16 to 20% (de Chaisemartin and Ramirez-Cuellar 2024, American Economic
Journal: Applied Economics 16(1), 193-212). CR2 with Satterthwaite's df holds its level in all of
these.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

PLAIN = ("CR0", "CR1", "CR1S")
"""Variances that make no allowance for what each cluster, or its block, fits itself."""

FEW_IN_AN_ARM = 10
"""Fewer clusters of a group than this are few."""

FEWEST_TO_BOOTSTRAP = 4
"""Fewer clusters of a group than this are too few for a wild bootstrap: MacKinnon and Webb (2017),
Journal of Applied Econometrics 32(2), 233-254."""

SMALL_BLOCK = 3
"""Clusters of a block up to which its effect takes up a good part of their errors."""

OF_CR2 = (
    "take `covariance: [CR2]` or, where the units were randomised, `estimator: "
    "randomisation_inference`"
)
"""What to do instead of a plain variance."""


def count_by_arm(rows: pd.DataFrame, cluster: str) -> pd.Series:
    """Return the clusters of each group, the group with the fewest first."""
    pairs = rows[["arm", cluster]].astype("str").drop_duplicates()
    return pairs.groupby("arm").size().sort_values(kind="stable")


def describe_few(rows: pd.DataFrame, cluster: str, kind: str, remedy: str = OF_CR2) -> str:
    """Return what a plain variance does with few clusters in a group; empty if they are many.

    Parameters
    ----------
    rows : DataFrame
        The rows analysed, with their ``arm``.
    cluster : str
        The column of the clusters.
    kind : str
        What the standard errors are called.
    remedy : str
        What to do instead.
    """
    few = _few(rows, cluster, FEW_IN_AN_ARM)
    if not few:
        return ""
    return (
        f"{few}: {kind} standard errors are too small with fewer than "
        f"{FEW_IN_AN_ARM} in a group; {remedy}"
    )


def describe_small_blocks(rows: pd.DataFrame, cluster: str, groups: Sequence[str]) -> str:
    """Return what small blocks as fixed effects do to a plain variance; empty if none are.

    Parameters
    ----------
    rows : DataFrame
        The rows analysed.
    cluster : str
        The column of the clusters.
    groups : sequence of str
        The columns whose effects are taken out.
    """
    for name in groups:
        pairs = rows[[name, cluster]].astype("str").drop_duplicates()
        if pairs[cluster].duplicated().any():  # a cluster lies in several groups: those of years
            continue
        size = pairs.groupby(name).size()
        inside = int(size[size.between(2, SMALL_BLOCK)].sum())
        if 2 * inside > int(size[size > 1].sum()):
            return (
                f"most clusters lie in groups of two or three of {name!r}, whose effects are "
                "taken out: such standard errors are too small (in pairs by 30%, so that a true "
                f"null is rejected in 16 to 20% of trials); {OF_CR2}"
            )
    return ""


def describe_plain_variance(
    rows: pd.DataFrame, cluster: str, kind: str, groups: Sequence[str]
) -> str:
    """Return the warning on standard errors of one kind; empty if none is due.

    Parameters
    ----------
    rows, cluster, groups
        As for ``describe_small_blocks``.
    kind : str
        Of the covariance: ``CR1``.
    """
    if kind not in PLAIN:
        return ""
    return describe_small_blocks(rows, cluster, groups) or describe_few(rows, cluster, kind)


def describe_few_to_bootstrap(rows: pd.DataFrame, cluster: str) -> str:
    """Return what few clusters in a group do to a wild bootstrap; empty if there are enough."""
    few = _few(rows, cluster, FEWEST_TO_BOOTSTRAP)
    if not few:
        return ""
    return (
        f"{few}: a wild bootstrap's p-values cannot be relied on with "
        f"fewer than {FEWEST_TO_BOOTSTRAP} in a group; take `estimator: randomisation_inference` "
        "where the units were randomised"
    )


def _few(rows: pd.DataFrame, cluster: str, enough: int) -> str:
    """Return the clusters by group, where a group has fewer than are enough; else nothing."""
    counts = count_by_arm(rows, cluster)
    if counts.empty or counts.iloc[0] >= enough:
        return ""
    by_arm = ", ".join(f"{arm} {count:,}" for arm, count in counts.items())
    return f"few clusters ({by_arm})"
