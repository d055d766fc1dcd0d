"""Lee's bounds: the effect on those who would have been observed in either group.

Lee (2009, Review of Economic Studies 76, 1071-1102). Let q_a be the share of group a that was
observed. If the programme moves everybody's being observed in one direction only, the group with
the larger share holds an excess p = 1 − q_u/q_t of pupils who would not have been observed in the
other. Trimming the share p of its best (its worst) outcomes gives the smallest (largest) mean that
those observed in either group can have there; the difference from the other group bounds their
effect. Bounds taken within cells of a baseline variable and averaged are at least as tight (but for
chance imbalance of the groups over cells), and need the direction to be the same within a cell
only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.missing_outcomes.imbens_manski import (
    IdentifiedSet,
    cluster_sums,
    identified_set,
)
from schooltrial.models.missing_outcomes.trimmed_mean import (
    TIE,
    TrimmedMean,
    Trimming,
    trim_bottom,
    trim_top,
)

CellWeights = Literal["always-observed", "observed"]


Arm = Literal["treated", "control", "neither"]


@dataclass(frozen=True)
class TrimmedCell:
    """The bounds in one cell.

    Attributes
    ----------
    cell : str
        Its label; empty where there is one cell.
    response_treated, response_control : float
        Shares observed, q.
    trimmed_share : float
        p, of the observed of the trimmed arm.
    trimmed_arm : {"treated", "control", "neither"}
        The group with the larger share observed.
    lower, upper : float
        Bounds in the cell.
    cut_low, cut_high : float
        Outcome above (below) which the trimmed arm is cut for the mean of the lower (upper) tail.
    weight : float
        Share of the cell in the whole.
    """

    cell: str
    response_treated: float
    response_control: float
    trimmed_share: float
    trimmed_arm: Arm
    lower: float
    upper: float
    cut_low: float
    cut_high: float
    weight: float


@dataclass(frozen=True)
class LeeBounds:
    """Lee's bounds and the cells that they are made of.

    Attributes
    ----------
    bounds : IdentifiedSet
        With standard errors and the interval of Imbens and Manski.
    cells : tuple of TrimmedCell
        One or more.
    empty : tuple of str
        Cells in which a group was not observed at all: nobody there is known to be observed in
        either group, and they do not count.
    """

    bounds: IdentifiedSet
    cells: tuple[TrimmedCell, ...]
    empty: tuple[str, ...]


@dataclass(frozen=True)
class _Cell:
    """A cell before it is averaged: influence is (n_cell,), sum-scaled."""

    summary: TrimmedCell
    mass: float
    mass_influence: FloatArray
    influence: tuple[FloatArray, FloatArray]
    closed_form: tuple[float, float]


def bound_by_lee(
    outcome: ArrayLike,
    treated: ArrayLike,
    *,
    cells: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    trimming: Trimming = "fractional",
    cell_weights: CellWeights = "always-observed",
    level: float = 0.95,
) -> LeeBounds:
    """Bound the difference in means by Lee's trimming, where outcomes are missing.

    Parameters
    ----------
    outcome : (N,) array_like
        Outcome of everybody who was assigned; NaN where it was not observed.
    treated : (N,) array_like
        1 for treated, 0 for control.
    cells : (N,) array_like, optional
        Labels of a baseline variable or of blocks, to tighten the bounds.
    weights : (N,) array_like, optional
        Such as the inverse of the probability of a pupil's arm, where it differs by block.
    cluster : (N,) array_like, optional
        Labels of the units of assignment. Without them pupils are independent.
    trimming : str
        What is trimmed where n·p is no whole number. ``fractional``: the pupil at the cut
        counts in part. The other rules are those of ``trim_top``, and count whole pupils.
    cell_weights : {"always-observed", "observed"}
        How cells are averaged: by the pupils of the cell times its smaller share observed; or by
        the number observed in the group that is not trimmed (Lee's own, and right only where the
        cells' shares of treated pupils are alike).
    level : float
        Of the interval, see ``identified_set``.

    Returns
    -------
    LeeBounds
        Standard errors: for independent, unweighted pupils in one cell Lee's Proposition 3 (with n
        in the denominator); else the same linearisation, summed within clusters, times J_a/(J_a −
        1). They count weights as known and, outside of cells, ignore blocks, which is conservative.

    Raises
    ------
    ValueError
        If a group (of a cell) is empty, nobody of a group was observed, or weights meet a rule that
        counts pupils.
    """
    y = np.asarray(outcome, dtype=np.float64)
    d = np.asarray(treated, dtype=np.float64)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    if trimming != "fractional" and weights is not None:
        raise ValueError(f"Lee bounds: {trimming!r} counts pupils; with weights take 'fractional'")
    labels = np.zeros(len(y), dtype=int) if cells is None else np.asarray(cells)
    sums = cluster_sums(cluster, d)
    found: list[tuple[NDArray[np.intp], _Cell]] = []
    empty: list[str] = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        name = "" if cells is None else str(label)
        _check_arms(name, d[rows])
        if _unobserved_arm(y[rows], d[rows]):
            empty.append(name)
            continue
        cell = _cell(name, y[rows], d[rows], w[rows], trimming, cell_weights)
        found.append((rows, cell))
    if not found:
        raise ValueError("Lee bounds: in no cell were both groups observed")
    total = fsum(cell.mass for _, cell in found)
    lower, upper = (
        fsum(cell.mass * getattr(cell.summary, side) for _, cell in found) / total
        for side in ("lower", "upper")
    )
    if cluster is None and weights is None and cells is None:
        errors = found[0][1].closed_form
    else:
        errors = (
            sums.std_error(_influence(found, 0, lower, total, len(y))),
            sums.std_error(_influence(found, 1, upper, total, len(y))),
        )
    bounds = identified_set(float(lower), float(upper), *errors, df=sums.df, level=level)
    shares = tuple(replace(cell.summary, weight=cell.mass / total) for _, cell in found)
    return LeeBounds(bounds, shares, tuple(empty))


def _check_arms(name: str, d: FloatArray) -> None:
    if not 0 < d.sum() < len(d):
        where = f" in cell {name!r}" if name else ""
        raise ValueError(f"Lee bounds: both groups are needed{where}, and there is only one")


def _unobserved_arm(y: FloatArray, d: FloatArray) -> bool:
    observed = ~np.isnan(y)
    return not (np.any(observed & (d == 1)) and np.any(observed & (d == 0)))


def _influence(
    found: list[tuple[NDArray[np.intp], _Cell]], side: int, whole: float, total: float, n: int
) -> FloatArray:
    """Return the influence of each pupil on an averaged bound, random cell weights included."""
    psi = np.zeros(n)
    for rows, cell in found:
        here = (cell.summary.lower, cell.summary.upper)[side]
        psi[rows] = (
            cell.mass * cell.influence[side] + cell.mass_influence * (here - whole)
        ) / total
    return psi


def _cell(
    name: str,
    y: FloatArray,
    d: FloatArray,
    w: FloatArray,
    trimming: Trimming,
    cell_weights: CellWeights,
) -> _Cell:
    seen = ~np.isnan(y)
    assigned = [float(w[d == arm].sum()) for arm in (0, 1)]
    observed = [float(w[seen & (d == arm)].sum()) for arm in (0, 1)]
    q = [o / a for o, a in zip(observed, assigned, strict=True)]
    t = int(q[1] >= q[0])
    u = 1 - t
    alike = abs(q[1] - q[0]) < TIE
    share = 0.0 if alike else 1 - q[u] / q[t]
    there, other = np.flatnonzero(seen & (d == t)), np.flatnonzero(seen & (d == u))
    best_cut = trim_top(y[there], w[there], share, trimming)
    worst_cut = trim_bottom(y[there], w[there], share, trimming)
    response = _response_influence(seen, d, w, assigned, q)
    mean = float(w[other] @ y[other] / observed[u])
    sign = 1.0 if t == 1 else -1.0
    spread = float(w[other] @ (y[other] - mean) ** 2 / observed[u])
    sides: list[tuple[float, FloatArray, float]] = []
    for trimmed in (best_cut, worst_cut):
        psi = (trimmed.mean - trimmed.cut) * (response[t] / q[t] - response[u] / q[u])
        psi[there] += trimmed.influence
        psi[other] -= w[other] * (y[other] - mean) / observed[u]
        error = _proposition_3(trimmed, share, (assigned[t], q[t]), (assigned[u], q[u]), spread)
        sides.append((sign * (trimmed.mean - mean), sign * psi, error))
    low, high = sides if t == 1 else sides[::-1]
    if cell_weights == "observed":
        mass, mass_influence = observed[u], np.where(seen & (d == u), w, 0.0)
    else:
        mass = (assigned[0] + assigned[1]) * q[u]
        mass_influence = w * q[u] + (assigned[0] + assigned[1]) * response[u]
    trimmed_arm: Arm = "neither" if alike else ("treated" if t == 1 else "control")
    summary = TrimmedCell(
        name, q[1], q[0], share, trimmed_arm, low[0], high[0], best_cut.cut, worst_cut.cut, 1.0
    )
    return _Cell(summary, mass, mass_influence, (low[1], high[1]), (low[2], high[2]))


def _response_influence(
    seen: NDArray[np.bool_],
    d: FloatArray,
    w: FloatArray,
    assigned: list[float],
    q: list[float],
) -> list[FloatArray]:
    """Return the influence of each pupil on the share observed of control and intervention."""
    return [
        np.where(d == arm, w * (seen.astype(float) - q[arm]) / assigned[arm], 0.0) for arm in (0, 1)
    ]


def _proposition_3(
    trimmed: TrimmedMean,
    share: float,
    trimmed_arm: tuple[float, float],
    other_arm: tuple[float, float],
    spread: float,
) -> float:
    """Return Lee's analytic standard error of a bound, from (assigned, q) of both groups.

    V = [s² + (c−μ)²p]/(o_t(1−p)) + (c−μ)²[(1−q_t)/o_t + (1−q_u)/o_u] + s²_u/o_u, with o the
    numbers observed, c the cut, μ and s² of those kept.
    """
    (n_t, q_t), (n_u, q_u) = trimmed_arm, other_arm
    gap = (trimmed.cut - trimmed.mean) ** 2
    kept = n_t * q_t * (1 - share)
    response = (1 - q_t) / (n_t * q_t) + (1 - q_u) / (n_u * q_u)
    return sqrt((trimmed.variance + gap * share) / kept + gap * response + spread / (n_u * q_u))
