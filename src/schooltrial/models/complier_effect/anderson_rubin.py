"""The Anderson-Rubin confidence set: valid however weak the instruments are.

A value β₀ is in the set when the instruments have no effect on y − β₀ d, tested by the
cluster-robust variance of the reduced form of y − β₀ d. That form is ρ_y − β₀ π with variance
V_yy − β₀ V_s + β₀² V_dd, all from one design, so the degrees of freedom do not depend on β₀. With
one instrument the set solves a quadratic inequality: an interval, the line without an interval, or
the whole line. With several it can also be empty: no effect fits all instruments.

Source: Anderson & Rubin (1949); the inversion as in Dufour & Taamouti (2005).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isinf, isnan, nan, pi, sqrt, tan

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from schooltrial.arrays import FloatArray
from schooltrial.models.cluster_robust.degrees_of_freedom import hotelling_scale
from schooltrial.models.cluster_robust.linear_model import solve
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.complier_effect.two_stage_least_squares import InstrumentFit
from schooltrial.models.inference.estimate import Estimate
from schooltrial.wording import degrees

Interval = tuple[float, float]


GRID = 4001


@dataclass(frozen=True)
class AndersonRubinSet:
    """A confidence set for the effect of one endogenous column.

    Attributes
    ----------
    intervals : tuple of (low, high)
        The set, from left to right; ends may be infinite; no interval when it is empty.
    shape : str
        ``"interval"``, ``"two rays"``, ``"ray"``, ``"whole line"``, ``"union"`` or ``"empty"``.
    row : Estimate
        The 2SLS point with the set's ends, the test of a zero effect and the shape in words.
    """

    intervals: tuple[Interval, ...]
    shape: str
    row: Estimate

    def __contains__(self, value: float) -> bool:
        return any(low <= value <= high for low, high in self.intervals)


@dataclass(frozen=True)
class ReducedForms:
    """Instrument coefficients of y and d, and the pieces of the variance of their difference."""

    outcome: FloatArray
    moved: FloatArray
    V_yy: FloatArray
    V_s: FloatArray
    V_dd: FloatArray
    df: float
    scale: float

    def wald(self, cosine: ArrayLike, sine: ArrayLike) -> FloatArray:
        """Return Q/L of cos θ ρ_y − sin θ π, β₀ = tan θ, for one angle or many."""
        c, s = np.asarray(cosine)[..., None], np.asarray(sine)[..., None]
        g = c * self.outcome - s * self.moved
        c, s = c[..., None], s[..., None]
        V = c**2 * self.V_yy - c * s * self.V_s + s**2 * self.V_dd
        solved = np.linalg.solve(V, g[..., None])[..., 0]
        return np.asarray(np.sum(g * solved, axis=-1) / g.shape[-1])

    def critical(self, level: float) -> float:
        """Return the value that Q/L must not exceed."""
        return float(special.fdtri(len(self.outcome), self.df, level)) / self.scale


def reduced_forms(fit: InstrumentFit, vcov: str | None) -> ReducedForms:
    """Regress outcome and participation on the instruments, with their joint variance."""
    model, names = fit.model, fit.reduced_form.names
    design = np.eye(len(model.names))[:, [*range(model.hidden), *model.positions(names)]]
    y = np.eye(len(model.names))[-1]
    d = np.eye(len(model.names))[model.positions(fit.endogenous)[0]]
    # Bring d to the size of y, so that no digits are lost when the two are combined.
    size = sqrt(float(model.rows.total[-1, -1]) / float(d @ model.rows.total @ d))
    pick = np.eye(len(names))[[names.index(name) for name in fit.instruments]]

    def regression(outcome: FloatArray) -> tuple[LeastSquaresFit, FloatArray]:
        form = solve(
            model, design, design, outcome, names=names, hidden=model.hidden, estimator="AR"
        )
        return form, pick @ form.covariance(vcov=vcov) @ pick.T

    of_y, V_yy = regression(y)
    of_d, V_dd = regression(size * d)
    _, V_difference = regression(y - size * d)
    V_s = V_yy + V_dd - V_difference
    q = len(pick)
    chosen = vcov or ("CR2" if of_y.clustered else "HC2")
    if of_y.clustered:
        eta = hotelling_scale(of_y.influence(chosen, pick))
        df, scale = eta - q + 1, (eta - q + 1) / eta
    else:
        df, scale = float(of_y.n_rows - of_y.counts.all), 1.0
    if not df > 0:
        raise ValueError(
            f"{of_y.n_clusters} clusters are too few to test {q} instruments at once; use fewer "
            "instruments"
        )
    return ReducedForms(
        pick @ of_y.coefficients,
        pick @ of_d.coefficients / size,
        V_yy,
        V_s / size,
        V_dd / size**2,
        df,
        scale,
    )


def quadratic_set(forms: ReducedForms, critical: float) -> tuple[Interval, ...]:
    """Solve (ρ_y − β π)² ≤ c (V_yy − β V_s + β² V_dd) for one instrument."""
    rho, slope = float(forms.outcome[0]), float(forms.moved[0])
    a = slope**2 - critical * float(forms.V_dd[0, 0])
    half_b = rho * slope - critical * float(forms.V_s[0, 0]) / 2
    c = rho**2 - critical * float(forms.V_yy[0, 0])
    if a == 0:
        if half_b == 0:
            return ((-inf, inf),)
        edge = c / (2 * half_b)
        return ((edge, inf),) if half_b > 0 else ((-inf, edge),)
    discriminant = half_b**2 - a * c
    if discriminant < 0:
        return ((-inf, inf),) if a < 0 else ()
    # The root of larger size first: the other from the product of the two keeps its digits.
    far = half_b + (sqrt(discriminant) if half_b >= 0 else -sqrt(discriminant))
    roots = sorted((far / a, c / far if far != 0 else 0.0))
    if a > 0:
        return ((roots[0], roots[1]),)
    return ((-inf, roots[0]), (roots[1], inf))


def scanned_set(forms: ReducedForms, critical: float) -> tuple[Interval, ...]:
    """Invert the test of several instruments on a circle, β = unit · tan θ."""
    unit = sqrt(float(np.trace(forms.V_yy)) / float(np.trace(forms.V_dd)))

    def excess(theta: float) -> float:
        return float(forms.wald(np.cos(theta), unit * np.sin(theta))) - critical

    grid = np.linspace(-pi / 2, pi / 2, GRID)
    values = forms.wald(np.cos(grid), unit * np.sin(grid)) - critical
    edges = _crossings(excess, grid, values)
    if not edges:
        return ((-inf, inf),) if values[0] <= 0 else ()
    ends = [-inf, *(unit * tan(theta) for theta in edges), inf]
    inside = bool(values[0] <= 0)
    intervals = []
    for low, high in pairwise(ends):
        if inside:
            intervals.append((low, high))
        inside = not inside
    return tuple(intervals)


def _crossings(
    excess: Callable[[float], float], grid: FloatArray, values: FloatArray
) -> list[float]:
    """Return the angles at which the test statistic crosses its critical value."""
    from scipy import optimize  # slow to import, and seldom needed

    edges = []
    for k in range(len(grid) - 1):
        if (values[k] <= 0) != (values[k + 1] <= 0):
            edges.append(float(optimize.brentq(excess, grid[k], grid[k + 1], xtol=1e-15)))
    # A dip between grid points: the smallest value may lie below without a point there.
    lowest = int(np.argmin(values))
    if values[lowest] > 0 and 0 < lowest < len(grid) - 1:
        found = optimize.minimize_scalar(
            excess, bounds=(grid[lowest - 1], grid[lowest + 1]), method="bounded",
            options={"xatol": 1e-13},
        )  # fmt: skip
        if found.fun < 0:
            bottom = float(found.x)
            edges = [
                float(optimize.brentq(excess, grid[lowest - 1], bottom, xtol=1e-15)),
                float(optimize.brentq(excess, bottom, grid[lowest + 1], xtol=1e-15)),
            ]
    return edges


def _shape(intervals: tuple[Interval, ...]) -> str:
    if not intervals:
        return "empty"
    unbounded = [isinf(low) or isinf(high) for low, high in intervals]
    if len(intervals) == 1:
        low, high = intervals[0]
        if isinf(low) and isinf(high):
            return "whole line"
        return "ray" if unbounded[0] else "interval"
    return "two rays" if len(intervals) == 2 and all(unbounded) else "union"


def _in_words(intervals: tuple[Interval, ...], shape: str) -> str:
    if shape == "interval":
        return ""
    if shape == "empty":
        return "set empty: no effect agrees with all instruments"
    if shape == "whole line":
        return "set is the whole line: the instrument is too weak to bound the effect"
    parts = [
        f"{'(−∞' if isinf(low) else f'[{low:.4g}'}, {'∞)' if isinf(high) else f'{high:.4g}]'}"
        for low, high in intervals
    ]
    return f"set is {' ∪ '.join(parts)}".replace("-", "−")


def invert_anderson_rubin(
    fit: InstrumentFit, *, vcov: str | None = None, level: float = 0.95
) -> AndersonRubinSet:
    """Return the Anderson-Rubin confidence set for the effect of the endogenous column.

    Parameters
    ----------
    fit : InstrumentFit
        With one endogenous column.
    vcov : str, optional
        Type of the reduced form's variance; CR2, or HC2 without clusters. The reference is
        t with Satterthwaite df for one instrument, the approximate Hotelling F for several.
    level : float
        Confidence level.

    Returns
    -------
    AndersonRubinSet
        The row's interval is the hull of the set, its statistic the F test of a zero effect.

    Raises
    ------
    ValueError
        With several endogenous columns, or too few clusters for the instruments.
    """
    if len(fit.endogenous) != 1:
        raise ValueError(
            f"the Anderson-Rubin set is for one endogenous column, not for "
            f"{', '.join(fit.endogenous)}; a joint region is not offered"
        )
    vcov = vcov or fit.second_stage.default_vcov or None
    reduced = fit.reduced_form.estimates(fit.instruments, vcov=vcov)
    hidden = [row.term for row in reduced if isnan(row.std_error)]
    if hidden:
        raise ValueError(
            f"the variance of {', '.join(hidden)} cannot be estimated: clusters fit it exactly, as "
            "with one school in a group or as many parameters as schools; no set can be given"
        )
    forms = reduced_forms(fit, vcov)
    critical = forms.critical(level)
    intervals = (quadratic_set if len(fit.instruments) == 1 else scanned_set)(forms, critical)
    shape = _shape(intervals)
    q = len(fit.instruments)
    statistic = forms.scale * float(forms.wald(1.0, 0.0))
    stage = fit.second_stage
    row = Estimate(
        fit.endogenous[0], float(stage.coefficients[stage.position(fit.endogenous[0])]), nan,
        forms.df, statistic, float(special.fdtrc(q, forms.df, statistic)),
        intervals[0][0] if intervals else nan, intervals[-1][1] if intervals else nan,
        stage.n_rows, stage.n_clusters,
        f"2SLS, Anderson-Rubin set, {vcov or ('CR2' if stage.clustered else 'HC2')}",
        note="; ".join(filter(None, (f"F({q}, {degrees(forms.df)})", _in_words(intervals, shape)))),
    )  # fmt: skip
    return AndersonRubinSet(intervals, shape, row)
