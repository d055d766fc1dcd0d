r"""Joint test that several averages are zero, such as all event times before the programme.

With :math:`\Omega = \sum_h B_h'\hat S B_h`, :math:`X_h = B_h\Omega^{-1/2}`,
:math:`G_{gh} = X_g'\hat S X_h` and q rows,

.. math:: \eta = \frac{q(q+1)}{\sum_k\sum_{g,h\in R_k}
          [\mathrm{tr}(G_{gh})^2 + \mathrm{tr}(G_{gh}G_{gh})]/\nu_k},\qquad
          F = \frac{\eta-q+1}{\eta q}\,\hat\theta'V^{-1}\hat\theta

on q and :math:`\eta - q + 1` degrees of freedom: the approximate Hotelling test (Zhang 2012,
Journal of Statistical Planning and Inference 142; Pustejovsky and Tipton 2018, Journal of Business
and Economic Statistics 36(4): 672-683). The pooled covariance sets the degrees of freedom, as it
does for rows, and groups of one regime are seen in their own time, as they are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.cohort_inference.variances import CohortVariances, Rule

LEAST_DF = 4.0
"""Below this denominator there is no joint test: the row of one degree of freedom speaks alone."""


@dataclass(frozen=True)
class HotellingTest:
    """An F of q hypotheses; statistic and df are NaN if there is none.

    Attributes
    ----------
    statistic : float
        F.
    hypotheses : int
        q.
    df : float
        Denominator, η − q + 1.
    """

    statistic: float
    hypotheses: int
    df: float


def rows_covariance(found: CohortVariances, rows: Sequence[int], rule: Rule) -> FloatArray:
    """Return the covariance of rows by a rule, (q, q); NaN if the rule has none."""
    chosen = list(rows)
    total = np.zeros((len(chosen), len(chosen)))
    for regime in found.regimes(rule):
        if not found.used[list(regime.groups)][:, chosen].any():
            continue
        if regime.free < 1:
            return np.full(total.shape, np.nan)
        own = found.effects.contributions
        if len(regime.groups) == 1 and own is not None:
            psi = own[found.group == regime.groups[0]][:, chosen]
            total += psi.T @ psi
            continue
        for w, covariance, weight in found.parts(regime, chosen):
            total += weight * np.einsum("itr,tu,ius->rs", w, covariance, w, optimize=True)
    return total


def joint_test(found: CohortVariances, rows: Sequence[int], rule: Rule) -> HotellingTest:
    """Test that rows are all zero; without a result where its denominator is under `LEAST_DF`."""
    q = len(rows)
    none = HotellingTest(np.nan, q, np.nan)
    if q == 0 or rule == "none":
        return none
    chosen = list(rows)
    covariance = rows_covariance(found, chosen, rule)
    pool = found.covariances.pooled()
    root, basis = np.linalg.eigh(pool)
    half = basis * np.sqrt(np.maximum(root, 0.0))  # pool = half half'
    regimes = [one for one in found.regimes(rule) if found.used[list(one.groups)][:, chosen].any()]
    if any(regime.free < 1 for regime in regimes):
        return none
    parts = [
        (np.einsum("ts,itq->isq", half, w), weight, regime)
        for regime in regimes
        for w, _, weight in found.parts(regime, chosen)
    ]
    omega = sum(weight * np.einsum("isq,isp->qp", u, u, optimize=True) for u, weight, _ in parts)
    values, vectors = np.linalg.eigh(omega)
    if not np.isfinite(covariance).all() or values[0] <= 1e-10 * max(values[-1], 1e-300):
        return none
    whiten = (vectors / np.sqrt(values)) @ vectors.T
    total = 0.0
    for u, weight, regime in parts:
        x = u @ whiten
        if len(regime.groups) == 1 and not found.effects.by_group:
            total += _by_school(x)
        else:
            total += weight / regime.free * _shared(x)
    eta = q * (q + 1) / total
    df = eta - q + 1
    if not df >= LEAST_DF:
        return HotellingTest(np.nan, q, float(df))
    if np.linalg.eigvalsh(covariance)[0] <= 0:
        return none
    theta = found.effects.points[chosen]
    wald = float(theta @ np.linalg.solve(covariance, theta))
    return HotellingTest(df / (eta * q) * wald, q, float(df))


def _shared(x: FloatArray) -> float:
    """Return Σ_ij [tr(G_ij)² + tr(G_ij G_ij)] over the units of one regime, x (m, T, q)."""
    m, size, q = x.shape
    if m * m < size * q * 4:
        g = np.einsum("isq,jsp->ijqp", x, x, optimize=True)
        return float((np.trace(g, axis1=2, axis2=3) ** 2).sum() + np.einsum("ijqp,ijpq->", g, g))
    moment = np.einsum("isq,itp->sqtp", x, x, optimize=True)
    return float((moment**2).sum() + np.einsum("sqtp,sptq->", moment, moment, optimize=True))


def _by_school(x: FloatArray) -> float:
    """Return Σ_i [tr(G_ii)² + tr(G_ii G_ii)]·n/(n − 1), each school's square being its variance."""
    kept = x[np.abs(x).max((1, 2)) > 0]
    n = max(len(kept), 2)
    g = np.einsum("isq,isp->iqp", kept, kept, optimize=True)
    total = (np.trace(g, axis1=1, axis2=2) ** 2).sum() + np.einsum("iqp,ipq->", g, g)
    return float(total) * n / (n - 1)
