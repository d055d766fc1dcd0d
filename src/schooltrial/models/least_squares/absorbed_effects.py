"""Fixed effects that are swept out instead of being given a column each.

One factor is absorbed by centring; which one, and what it means for the leverage of a cluster,
depends on how its groups and the clusters nest:

- groups within clusters (schools absorbed, clusters schools or districts): the centred columns are
  orthogonal to the group effects inside every cluster, and nothing more is needed;
- clusters within groups (blocks absorbed, clusters schools): each cluster keeps one more
  coordinate, its indicator over the square root of the group's size, so that H_jj is the full
  projection;
- any other factor (years of a school panel) becomes indicator columns, which is exact too; with
  sampling weights so do groups that are several to a cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import IntArray
from schooltrial.models.least_squares.clusters import Clustering, cluster_rows, group_of_each

MOST_INDICATORS = 500


@dataclass(frozen=True)
class Absorption:
    """How rows are gathered so that effects can be absorbed exactly.

    Attributes
    ----------
    cells : Clustering
        The groups that the pass over rows sums within.
    cell_order, cluster_starts : int arrays
        Order of the cells in which each cluster's lie together, and where each cluster begins.
    cell_group : (C,) int array or None
        Absorbed group of each cell (in ``cell_order``).
    cluster_group : (J,) int array
        Absorbed group of each cluster where ``shared``; otherwise the cluster itself.
    shared : bool
        Whether clusters need a coordinate for the absorbed group that holds them.
    indicators : tuple of (N,) arrays
        Columns of the factors that are not absorbed by centring.
    groups, nested_groups : int
        Levels of the absorbed factor, and of these the number that lie within clusters.
    split : bool
        Whether a cluster may hold several absorbed groups.
    labels : (J,) array
        Labels of the clusters.
    """

    cells: Clustering
    cell_order: IntArray
    cluster_starts: IntArray
    cell_group: IntArray | None
    cluster_group: IntArray
    shared: bool
    indicators: tuple[NDArray[Any], ...]
    groups: int
    nested_groups: int
    split: bool
    labels: NDArray[Any]


def _indicators(factor: Clustering) -> tuple[NDArray[Any], ...]:
    """Return an indicator column for every level but the first."""
    if factor.count > MOST_INDICATORS:
        raise ValueError(
            f"an absorbed factor with {factor.count} levels cannot be swept out by centring: only "
            "one factor can, and it must hold whole clusters or (without weights) lie within "
            f"them; others may have at most {MOST_INDICATORS} levels: use a coarser factor"
        )
    codes = factor.codes
    return tuple((codes == level).astype(np.float64) for level in range(1, factor.count))


def _unabsorbed(cluster: Clustering, indicators: tuple[NDArray[Any], ...]) -> Absorption:
    every = np.arange(cluster.count)
    return Absorption(
        cluster, every, every, None, every, False, indicators, 0, 0, False, cluster.labels
    )


def _absorb_one(cluster: Clustering, factor: Clustering, weighted: bool) -> Absorption | None:
    """Plan to centre on one factor; ``None`` where it must become indicators."""
    every = np.arange(cluster.count)
    levels, labels = factor.count, cluster.labels
    holder = every if factor is cluster else group_of_each(cluster, factor.codes)
    if holder is not None:
        # Under sampling weights centred columns are not orthogonal to the group in the working
        # model, so that even a group of one cluster needs its coordinate.
        shared = levels < cluster.count or weighted
        group, nested = (holder, 0) if levels < cluster.count else (every, levels)
        return Absorption(
            cluster, every, every, group, group, shared, (), levels, nested, False, labels
        )
    owner = group_of_each(factor, cluster.codes)
    if owner is None or weighted:
        return None
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(owner[order]) > 0))
    return Absorption(factor, order, starts, order, every, False, (), levels, levels, True, labels)


def plan_absorption(
    cluster: Clustering,
    factors: Sequence[ArrayLike],
    *,
    cluster_labels: ArrayLike | None = None,
    weighted: bool = False,
) -> Absorption:
    """Decide which factor is centred on and which become indicator columns.

    Parameters
    ----------
    cluster : Clustering
        The clusters of the variance.
    factors : sequence of (N,) array_like
        Labels of the effects to absorb.
    cluster_labels : array_like, optional
        The labels that ``cluster`` came from, to recognise an absorbed cluster effect at once.
    weighted : bool
        Whether the fit has sampling weights.

    Returns
    -------
    Absorption

    Raises
    ------
    ValueError
        If a factor that must become indicators has too many levels.
    """
    groupings = [
        cluster
        if factor is cluster_labels
        else cluster_rows(factor, n_rows=cluster.n_rows, what="absorbed effect")
        for factor in factors
    ]
    by_levels = sorted(range(len(groupings)), key=lambda i: -groupings[i].count)
    for candidate in by_levels:
        plan = _absorb_one(cluster, groupings[candidate], weighted)
        if plan is not None:
            rest = [grouping for i, grouping in enumerate(groupings) if i != candidate]
            columns = tuple(column for grouping in rest for column in _indicators(grouping))
            return replace(plan, indicators=columns)
    if not groupings:
        return _unabsorbed(cluster, ())
    # Every factor crosses the clusters: indicators for all, and one intercept for them together.
    columns = (np.ones(cluster.n_rows),)
    columns += tuple(column for grouping in groupings for column in _indicators(grouping))
    return _unabsorbed(cluster, columns)
