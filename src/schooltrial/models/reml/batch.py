"""REML of many trials that share their regressors and school sizes, and differ in the outcome.

The two-level model in its spectral form. Let S be the projection off the regressors (in units in
which residuals have equal variance) and Z the school indicators. With ξ_k the positive eigenvalues
of Z'SZ = diag(w) − w x̄ (X'X)⁻¹ x̄'w, eigenvectors q_k, and η_k = q_k'Z'Sy/√ξ_k,

    RSS(λ) = RSS(0) − Σ η_k² + Σ η_k²/(1 + λξ_k),
    log|H| + log|C| = log|X'X| + Σ log(1 + λξ_k),

so that a step of Newton's method costs one pass over (trials × schools) numbers (the idea of Kang
et al. 2008, Genetics 178(3): 1709-1723, on moments). One contrast is then tested as in
``kenward_roger`` and ``satterthwaite``, from scalars:

    f = C⁻¹c,  α0 = c'f,  α1 = f'C'f,  α2 = f'C''f,  α11 = f'C'C⁻¹C'f,  τ2 = tr C⁻¹C'', …
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from scipy import special

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.school_moments import SchoolMoments
from schooltrial.models.reml.centred_regressors import CentredMoments, centre
from schooltrial.models.reml.newton import NEARLY_ZERO

TRIALS_AT_ONCE = 1000  # a chunk of 40 schools stays in the second-level cache


MAX_STEPS = 60


STEP_ENOUGH = 1e-7


@dataclass(frozen=True)
class OutcomeBatch:
    """What B outcomes contribute to the moments of one design.

    Attributes
    ----------
    mean : array, shape (B, J)
        School means of the outcomes.
    cross : array, shape (B, p)
        Within-school cross-products of regressors and outcome, Σ(x − x̄_j)(y − ȳ_j).
    square : array, shape (B,)
        Within-school sums of squares of the outcome.
    """

    mean: FloatArray
    cross: FloatArray
    square: FloatArray

    def rows(self, low: int, high: int) -> OutcomeBatch:
        """Return some of the trials."""
        return OutcomeBatch(self.mean[low:high], self.cross[low:high], self.square[low:high])


@dataclass(frozen=True)
class BatchFit:
    """One contrast of each of B fits.

    Attributes
    ----------
    estimate : array, shape (B,)
        c'β.
    std_error, std_error_kr : arrays, shape (B,)
        Model-based, and adjusted by Kenward & Roger.
    df_satterthwaite, df_kr : arrays, shape (B,)
        Degrees of freedom; where σ²_u is zero Satterthwaite's rest on the expected information, and
        a school-level contrast has no more than J − (school-level rank).
    ratio, sigma2 : arrays, shape (B,)
        λ = σ²_u/σ²_e, and σ²_e.
    converged : boolean array, shape (B,)
        Whether the search of each fit settled.
    """

    estimate: FloatArray
    std_error: FloatArray
    std_error_kr: FloatArray
    df_satterthwaite: FloatArray
    df_kr: FloatArray
    ratio: FloatArray
    sigma2: FloatArray
    converged: FloatArray

    def p_values(self, null: float = 0.0, *, adjusted: bool = True) -> FloatArray:
        """Return two-sided p-values of c'β = null: Kenward-Roger, or Satterthwaite."""
        error = self.std_error_kr if adjusted else self.std_error
        df = self.df_kr if adjusted else self.df_satterthwaite
        p: FloatArray = 2.0 * special.stdtr(df, -np.abs(self.estimate - null) / error)
        return p


@dataclass(frozen=True)
class SpectralDesign:
    """A design, ready for many outcomes.

    Attributes
    ----------
    centred : CentredMoments
        Regressors and school sizes (the outcome in it is not used).
    """

    centred: CentredMoments

    @property
    def weight(self) -> FloatArray:
        """School weights, shape (J,)."""
        return self.centred.moments.weight

    @cached_property
    def x(self) -> FloatArray:
        """School means of the regressors, shape (J, p)."""
        return np.ascontiguousarray(self.centred.moments.mean[:, :-1])

    @cached_property
    def within(self) -> FloatArray:
        """Within-school cross-products of the regressors, shape (p, p)."""
        return self.centred.moments.within[:-1, :-1]

    @property
    def degrees(self) -> int:
        """N − p."""
        return self.centred.moments.n_rows - len(self.centred.moments.fixed)

    @cached_property
    def ols_inverse(self) -> FloatArray:
        """(X'X)⁻¹, shape (p, p)."""
        inverse = np.linalg.inv(self.within + self.x.T @ (self.weight[:, None] * self.x))
        return 0.5 * (inverse + inverse.T)

    @cached_property
    def spectrum(self) -> tuple[FloatArray, FloatArray]:
        """ξ, shape (m,), and the vectors that make η of school residual sums, shape (J, m)."""
        wx = self.weight[:, None] * self.x
        values, vectors = np.linalg.eigh(np.diag(self.weight) - wx @ self.ols_inverse @ wx.T)
        kept = values > 1e-10 * values[-1]
        return values[kept], np.ascontiguousarray(vectors[:, kept] / np.sqrt(values[kept]))

    @cached_property
    def squares(self) -> FloatArray:
        """Outer products of school means of the regressors, shape (J, p²)."""
        return (self.x[:, :, None] * self.x[:, None, :]).reshape(len(self.x), -1)


def spectral_design(moments: SchoolMoments) -> SpectralDesign:
    """Prepare the regressors and school sizes of a trial for many outcomes.

    Raises
    ------
    ValueError
        When the design has no more schools than school-level regressors.
    """
    centred = centre(moments)
    if moments.n_schools <= centred.school_rank:
        raise ValueError(
            f"{moments.n_schools} schools and {centred.school_rank} regressors that do not vary "
            "within schools; expected more schools than such regressors: simulate a larger trial "
            "or drop school-level covariates"
        )
    return SpectralDesign(centred)


def fit_batch(design: SpectralDesign, batch: OutcomeBatch, contrast: FloatArray) -> BatchFit:
    """Fit the two-level model to each outcome by REML, and test one contrast.

    Parameters
    ----------
    design : SpectralDesign
        Of the regressors, by ``spectral_design``.
    batch : OutcomeBatch
        B outcomes.
    contrast : array, shape (p,)
        c.

    Returns
    -------
    BatchFit
        Equal to that of ``multilevel.two_level`` for each outcome.
    """
    c = np.asarray(contrast, dtype=float)
    if c.shape != (design.x.shape[1],):
        raise ValueError(
            f"the contrast has shape {c.shape}; expected ({design.x.shape[1]},), one number for "
            f"each of {', '.join(design.centred.moments.fixed)}"
        )
    parts = [
        _fit(design, batch.rows(low, low + TRIALS_AT_ONCE), c)
        for low in range(0, len(batch.mean), TRIALS_AT_ONCE)
    ]
    return BatchFit(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(BatchFit)
        )
    )


def _fit(design: SpectralDesign, batch: OutcomeBatch, contrast: FloatArray) -> BatchFit:
    xi, vectors = design.spectrum
    beta = (batch.cross + (batch.mean * design.weight) @ design.x) @ design.ols_inverse
    residual = batch.mean - beta @ design.x.T
    inside = batch.square - 2.0 * (beta * batch.cross).sum(axis=1)
    inside += ((beta @ design.within) * beta).sum(axis=1)
    eta2 = ((residual * design.weight) @ vectors) ** 2
    rss0 = inside + residual**2 @ design.weight
    rest = np.maximum(rss0 - eta2.sum(axis=1), 0.0)
    ratio, converged = _search(xi, eta2, rest, design.degrees)
    return _test(design, batch, contrast, ratio, converged, eta2, rest)


def _search(
    xi: FloatArray, eta2: FloatArray, rest: FloatArray, degrees: int
) -> tuple[FloatArray, FloatArray]:
    """Return λ of each trial, and whether Newton's method in θ = √λ settled."""
    spare = max(degrees - len(xi), 1)
    typical = np.maximum(eta2.mean(axis=1) * spare / rest - 1.0, 0.01) / xi.mean()
    theta = np.sqrt(np.minimum(typical, 10.0))
    active = np.arange(len(theta))
    for _ in range(MAX_STEPS):
        own, left = eta2[active], rest[active]
        value, first, second = _deviance(xi, own, left, degrees, theta[active] ** 2)
        at = theta[active]
        gradient, curvature = 2.0 * at * first, 4.0 * at * at * second + 2.0 * first
        step = -gradient / np.maximum(np.abs(curvature), 1e-300)
        limit = 2.0 * np.maximum(at, 0.5)
        step = np.clip(step, -limit, limit)
        step = _shortened(xi, own, left, degrees, at, step, value, gradient)
        theta[active] = np.abs(at + step)
        active = active[np.abs(step) > STEP_ENOUGH * np.maximum(theta[active], 1e-2)]
        if len(active) == 0:
            break
    converged = np.ones(len(theta), dtype=bool)
    converged[active] = False
    return _at_boundary(xi, eta2, rest, degrees, theta**2), converged


def _deviance(
    xi: FloatArray, eta2: FloatArray, rest: FloatArray, degrees: int, ratio: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return d(λ) up to a constant, and its derivatives in λ."""
    q = 1.0 / (1.0 + ratio[:, None] * xi)
    share = eta2 * q
    rss = rest + share.sum(axis=1)
    xq = xi * q
    share *= xq
    rss1 = share.sum(axis=1)
    share *= xq
    relative = rss1 / rss
    value = degrees * np.log(rss) - np.log(q).sum(axis=1)
    first = xq.sum(axis=1) - degrees * relative
    second = degrees * (2.0 * share.sum(axis=1) / rss - relative**2) - (xq * xq).sum(axis=1)
    return value, first, second


def _shortened(
    xi: FloatArray,
    eta2: FloatArray,
    rest: FloatArray,
    degrees: int,
    theta: FloatArray,
    step: FloatArray,
    value: FloatArray,
    gradient: FloatArray,
) -> FloatArray:
    """Halve the steps that do not bring the deviance down; short steps are taken as they are."""
    step = step.copy()
    doubtful = np.flatnonzero(np.abs(step) > 0.05 * np.maximum(theta, 0.1))
    for _ in range(40):
        if len(doubtful) == 0:
            break
        trial = (theta[doubtful] + step[doubtful]) ** 2
        q = 1.0 / (1.0 + trial[:, None] * xi)
        rss = rest[doubtful] + (eta2[doubtful] * q).sum(axis=1)
        reached = degrees * np.log(rss) - np.log(q).sum(axis=1)
        wanted = value[doubtful] + 1e-2 * gradient[doubtful] * step[doubtful]
        doubtful = doubtful[reached > wanted + 1e-11 * (1.0 + np.abs(value[doubtful]))]
        step[doubtful] *= 0.5
    return step


def _at_boundary(
    xi: FloatArray, eta2: FloatArray, rest: FloatArray, degrees: int, ratio: FloatArray
) -> FloatArray:
    """Put λ at zero where zero is a minimum and no worse: the rule of ``reml.newton``."""
    value0, first0, _ = _deviance(xi, eta2, rest, degrees, np.zeros(len(ratio)))
    value, _, _ = _deviance(xi, eta2, rest, degrees, ratio)
    candidate = (np.sqrt(ratio) <= NEARLY_ZERO) | (2.0 * first0 >= -1e-9)
    return np.where(candidate & (value0 <= value + 1e-9), 0.0, ratio)


def _test(
    design: SpectralDesign,
    batch: OutcomeBatch,
    contrast: FloatArray,
    ratio: FloatArray,
    converged: FloatArray,
    eta2: FloatArray,
    rest: FloatArray,
) -> BatchFit:
    """Return estimate, standard errors and degrees of freedom of c'β at λ."""
    x, degrees, n_rows = design.x, design.degrees, design.centred.moments.n_rows
    p = x.shape[1]
    c = design.centred.back.T @ contrast
    xi, _ = design.spectrum
    a = design.weight / (1.0 + ratio[:, None] * design.weight)
    a2 = a * a
    C_inverse = np.linalg.inv((a @ design.squares).reshape(-1, p, p) + design.within)
    f = C_inverse @ c
    xf = f @ x.T
    k1 = -((a2 * xf) @ x)
    axf2 = a2 * xf * xf
    alpha0, alpha1 = f @ c, -axf2.sum(axis=1)
    alpha2 = 2.0 * (axf2 * a).sum(axis=1)
    alpha11 = (np.matmul(C_inverse, k1[:, :, None])[:, :, 0] * k1).sum(axis=1)
    L1, L2 = a.sum(axis=1), -a2.sum(axis=1)
    xq = xi / (1.0 + ratio[:, None] * xi)
    q2 = 1.0 / (1.0 + ratio[:, None] * xi)
    rss = rest + (eta2 * q2).sum(axis=1)
    rss1 = -(eta2 * xq * q2).sum(axis=1)
    s = rss / degrees
    tau1 = xq.sum(axis=1) - L1
    tau2 = 2.0 * (((a2 * a) @ design.squares) * C_inverse.reshape(-1, p * p)).sum(axis=1)
    tau11 = tau2 + (xq * xq).sum(axis=1) + L2
    inverse, d = _expected(n_rows, p, ratio, s, L1, L2, tau1, tau2, tau11, alpha0, alpha1)
    w00, w01, w11 = inverse
    lam = ratio
    q00 = alpha0 + 2 * lam * alpha1 + 0.5 * lam**2 * alpha2
    q01 = -(alpha1 + 0.5 * lam * alpha2)
    p00 = alpha0 + 2 * lam * alpha1 + lam**2 * alpha11
    p01 = -(alpha1 + lam * alpha11)
    added = w00 * (q00 - p00) + 2 * w01 * (q01 - p01) + w11 * (0.5 * alpha2 - alpha11)
    df_kr = 2.0 / (w00 * d[0] ** 2 + 2 * w01 * d[0] * d[1] + w11 * d[1] ** 2)
    _, _, second = _deviance(xi, eta2, rest, degrees, ratio)
    df = _observed(degrees, s, second, rss1, alpha0, alpha1)
    limit = _school_level_limit(design, contrast)
    df = np.where(ratio == 0.0, np.minimum(df_kr, limit), df)
    right = batch.cross + (a * batch.mean) @ x
    return BatchFit(
        estimate=(f * right).sum(axis=1),
        std_error=np.sqrt(s * alpha0),
        std_error_kr=np.sqrt(s * alpha0 + 2.0 * added / s),
        df_satterthwaite=df,
        df_kr=df_kr,
        ratio=ratio,
        sigma2=s,
        converged=converged,
    )


def _expected(
    n_rows: int,
    p: int,
    lam: FloatArray,
    s: FloatArray,
    L1: FloatArray,
    L2: FloatArray,
    tau1: FloatArray,
    tau2: FloatArray,
    tau11: FloatArray,
    alpha0: FloatArray,
    alpha1: FloatArray,
) -> tuple[tuple[FloatArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Return W (00, 01, 11) of (σ², σ²λ) and d of Kenward & Roger."""
    i11 = -L2 - tau2 + tau11
    i01 = L1 + lam * L2 + 2 * (tau1 + 0.5 * lam * tau2) - (tau1 + lam * tau11)
    i00 = n_rows - 2 * lam * L1 - lam**2 * L2
    i00 = i00 - 2 * (p + 2 * lam * tau1 + 0.5 * lam**2 * tau2)
    i00 = i00 + p + 2 * lam * tau1 + lam**2 * tau11
    scale = 2.0 * s * s / (i00 * i11 - i01 * i01)
    d = -(alpha0 + lam * alpha1) / (s * alpha0), alpha1 / (s * alpha0)
    return (i11 * scale, -i01 * scale, i00 * scale), d


def _observed(
    degrees: int,
    s: FloatArray,
    second: FloatArray,
    rss1: FloatArray,
    alpha0: FloatArray,
    alpha1: FloatArray,
) -> FloatArray:
    """Return Satterthwaite's df with the observed information of (σ², λ)."""
    h00 = degrees / s**2
    h01 = -rss1 / s**2
    h11 = second + rss1**2 / (s**2 * degrees)
    g0, g1 = alpha0, -s * alpha1
    spread = 2.0 * (h11 * g0**2 - 2 * h01 * g0 * g1 + h00 * g1**2) / (h00 * h11 - h01**2)
    df: FloatArray = 2.0 * (s * alpha0) ** 2 / spread
    return df


def _school_level_limit(design: SpectralDesign, contrast: FloatArray) -> float:
    moments = design.centred.moments
    pupil_level = ~moments.school_level[:-1]
    if bool(np.any(contrast[pupil_level] != 0)):
        return np.inf
    return float(moments.n_schools - design.centred.school_rank)
