"""The wild cluster bootstrap: t and Wald tests with few schools.

The model is fitted under the null hypothesis, its residuals are multiplied school by school with
random weights, and the statistic of the refitted samples is the reference distribution. Nothing is
refitted in fact: see `wild_bootstrap.scores`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from schooltrial.arrays import FloatArray
from schooltrial.models.inference.inversion import InvertibleTest
from schooltrial.models.inference.outcome_variation import ROUNDING, refuse_exact_fit
from schooltrial.models.inference.reference_distribution import ReferenceDistribution
from schooltrial.models.moments.frisch_waugh import ResidualSums, residual_sums
from schooltrial.models.wild_bootstrap.result import WildBootstrap
from schooltrial.models.wild_bootstrap.scores import ScorePart, WildScores, wald
from schooltrial.models.wild_bootstrap.weights import BootstrapWeights, Kind, bootstrap_weights

DRAWS = 9_999
"""So that 5% of the draws and the observed statistic make a whole number."""


_NO_VARIANCE = 1e-12  # share of Σ(wa)² under which a variance is rounding


def wild_cluster_bootstrap(
    outcomes: ArrayLike,
    regressors: ArrayLike,
    school: ArrayLike,
    *,
    test: int | str | ArrayLike = 0,
    null: float | ArrayLike = 0.0,
    absorb: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    draws: int = DRAWS,
    distribution: Kind = "auto",
    seed: int | np.random.Generator = 0,
    interval: bool = True,
    outcome_names: Sequence[str] | None = None,
    regressor_names: Sequence[str] | None = None,
) -> WildBootstrap:
    """Test a coefficient, or restrictions jointly, by the restricted wild cluster bootstrap.

    Parameters
    ----------
    outcomes : array (N,) or (N, K)
        With K outcomes the same weights are used for all, so that the K distributions are joint
        (Romano-Wolf); a joint hypothesis takes one outcome.
    regressors : array (N, p)
        Treatment and covariates, without a constant.
    school : array (N,)
        Clusters.
    test : int, str or array (q, p)
        Position or name of the coefficient, or the matrix R of a joint hypothesis Rβ = r.
    null : float or array (q,)
        Hypothesised value(s) r.
    absorb : array (N,), optional
        Effects to sweep out: blocks of whole schools, or groups within schools.
    weights : array (N,), optional
        Positive weights of pupils.
    draws : int
        B; all samples are taken where there are no more than B + 1.
    distribution : {"auto", "rademacher", "webb"}
        ``auto``: Webb's weights under 12 schools.
    seed : int or numpy Generator
    interval : bool
        Whether to keep what the inversion needs (twice the work).
    outcome_names, regressor_names : sequence of str, optional

    Returns
    -------
    WildBootstrap

    Raises
    ------
    ValueError
        For collinear regressors, missing values, fewer than two schools, an unknown coefficient,
        or linearly dependent restrictions.

    Notes
    -----
    WCR bootstrap-t with CR1: Cameron, Gelbach & Miller (2008), Review of Economics and Statistics
    90, 414-427; the algebra is in the spirit of MacKinnon (2023), Econometrics and Statistics 28.
    """
    sums = _in_block_order(
        residual_sums(
            outcomes, regressors, school, block=absorb, weights=weights,
            outcome_names=outcome_names, regressor_names=regressor_names,
        )
    )  # fmt: skip
    restriction, term = _restriction(test, sums.names)
    if len(restriction) > 1 and len(sums.outcomes) > 1:
        raise ValueError(
            f"wild bootstrap: a joint hypothesis of {len(restriction)} restrictions takes one "
            f"outcome, not {len(sums.outcomes)}; call once for each, with the same seed"
        )
    drawn = bootstrap_weights(sums.n_schools, draws, kind=distribution, seed=seed)
    r = np.broadcast_to(np.asarray(null, dtype=float), (len(restriction),))
    if len(restriction) > 1:
        return _joint_test(sums, restriction, r, drawn)
    if interval:
        return replace(_invertible_tests(sums, restriction, float(r[0]), drawn), term=term)
    return replace(_plain_tests(sums, restriction, float(r[0]), drawn), term=term)


def _restriction(test: int | str | ArrayLike, names: tuple[str, ...]) -> tuple[FloatArray, str]:
    """Return R (q × p), and what is tested."""
    if isinstance(test, str):
        if test not in names:
            raise ValueError(f"wild bootstrap: no regressor {test!r}; there are {list(names)}")
        test = names.index(test)
    if isinstance(test, (int, np.integer)):
        if not 0 <= test < len(names):
            raise ValueError(f"wild bootstrap: no regressor {test}; there are {len(names)}")
        return np.eye(len(names))[[int(test)]], names[int(test)]
    restriction = np.atleast_2d(np.asarray(test, dtype=float))
    if restriction.shape[1] != len(names):
        raise ValueError(
            f"wild bootstrap: the restrictions have {restriction.shape[1]} columns, the model "
            f"{len(names)} coefficients ({list(names)})"
        )
    if np.linalg.matrix_rank(restriction) < len(restriction):
        raise ValueError(
            f"wild bootstrap: the {len(restriction)} restrictions are linearly dependent; "
            "leave out those that follow from the others"
        )
    return restriction, "contrast"


def _in_block_order(sums: ResidualSums) -> ResidualSums:
    if len(sums.block_weight) == 1 or bool((np.diff(sums.block) >= 0).all()):
        return sums
    order = np.argsort(sums.block, kind="stable")
    fields = ("schools", "n_individuals", "weight", "block", "s", "S", "r", "h")
    return replace(sums, **{name: getattr(sums, name)[order] for name in fields})


def _factor(sums: ResidualSums) -> float:
    """Return CR1's (J/(J − 1))·(N − 1)/(N − k)."""
    schools, rows = sums.n_schools, sums.n_rows
    if schools < 2:
        raise ValueError(
            "wild bootstrap: all rows are in one cluster, which leaves nothing to re-weight; "
            "cluster on a finer unit"
        )
    if rows <= sums.n_parameters:
        raise ValueError(
            f"wild bootstrap: {sums.n_parameters} coefficients and effects for {rows} pupils; "
            "leave covariates out"
        )
    return schools / (schools - 1) * (rows - 1) / (rows - sums.n_parameters)


def _observed(sums: ResidualSums, contrast: FloatArray) -> FloatArray:
    """Return Σψψ' of the observed residuals, (K, q, q)."""
    scores = np.einsum("pq,jpk->jkq", contrast, sums.h)
    return np.asarray(np.einsum("jkq,jkr->kqr", scores, scores))


def _single(
    sums: ResidualSums, restriction: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return C, C_j, κ_j, estimates and standard errors of one contrast."""
    contrast = sums.inverse @ restriction[0]
    estimate = restriction[0] @ sums.coefficients
    meat = _observed(sums, contrast[:, None])[:, 0, 0]
    std_error = np.sqrt(_factor(sums) * meat)
    plain = float(restriction[0] @ contrast) / sums.n_rows  # classical variance over products
    for name, error, products, spread in zip(
        sums.outcomes, std_error, np.diagonal(sums.residual_products), sums.spread, strict=True
    ):
        refuse_exact_fit(
            float(products), float(spread), name, sums.names,
            effects="the blocks" if len(sums.block_weight) > 1 else "",
        )  # fmt: skip
        if not error**2 > ROUNDING * plain * products:
            raise ValueError(
                f"wild bootstrap: outcome {name!r} has no variation left between schools once the "
                "regressors are taken out, so that its effect cannot be studentised. Is it filled "
                "in from the group, or are there as many regressors as schools (one school in a "
                "group)? Leave out covariates, or the blocks"
            )
    return contrast, sums.S @ contrast, sums.s @ contrast, estimate, std_error


def _plain_tests(
    sums: ResidualSums, restriction: FloatArray, null: float, drawn: BootstrapWeights
) -> WildBootstrap:
    """Test without what an interval needs."""
    contrast, slope, kappa, estimate, std_error = _single(sums, restriction)
    delta = (estimate - null) / float(restriction[0] @ contrast)
    g = sums.h + slope[:, :, None] * delta
    r = sums.r + kappa[:, None] * delta
    parts = [ScorePart(k, g[:, :, k] @ contrast, slope, kappa) for k in range(len(delta))]
    pairs = [(k, k) for k in range(len(delta))]
    numerator, variance = WildScores(sums, g, r, parts, pairs).draw(drawn)
    floor = _NO_VARIANCE * np.array([float(part.a @ part.a) for part in parts])
    statistics = _ratio(numerator, _factor(sums) * variance, _factor(sums) * floor)
    return _bootstrap(sums, estimate, std_error, null, statistics, drawn, ())


def _invertible_tests(
    sums: ResidualSums, restriction: FloatArray, null: float, drawn: BootstrapWeights
) -> WildBootstrap:
    """Test, and keep the statistics as functions of the hypothesised value.

    Under the value τ the restricted residuals have scores ĝ_j + δ C_j with δ = (b − τ)/(R M R'):
    the treatment's own scores C_j are one more error, common to all outcomes.
    """
    contrast, slope, kappa, estimate, std_error = _single(sums, restriction)
    count = len(estimate)
    g = np.concatenate([sums.h, slope[:, :, None]], axis=2)
    r = np.concatenate([sums.r, kappa[:, None]], axis=1)
    parts = [ScorePart(k, g[:, :, k] @ contrast, slope, kappa) for k in range(count + 1)]
    pairs = [(count, count)] + [pair for k in range(count) for pair in ((k, k), (k, count))]
    numerator, products = WildScores(sums, g, r, parts, pairs).draw(drawn)
    products *= _factor(sums)
    spread = float(restriction[0] @ contrast)
    c, w = numerator[:, count] / spread, products[:, 0] / spread**2
    constant = w <= _NO_VARIANCE * w.max()  # the sample repeats or mirrors the data
    w = np.where(constant, 0.0, w)
    tests = []
    for k in range(count):
        own = products[:, 1 + 2 * k]
        mixed = np.where(constant, 0.0, products[:, 2 + 2 * k] / spread)
        b = float(estimate[k])
        floor = _NO_VARIANCE * _factor(sums) * float(parts[k].a @ parts[k].a)
        u = own + b * (2 * mixed + b * w)
        tests.append(
            InvertibleTest(
                estimate=b,
                std_error=float(std_error[k]),
                scale=float(std_error[k]),
                a=numerator[:, k] + b * c,
                c=c,
                u=np.where(own > floor, u, np.nan),
                v=mixed + b * w,
                w=w,
                probability=None,
                exact=drawn.enumerated,
            )
        )
    statistics = np.stack([test.statistics(null) for test in tests], axis=1)
    return _bootstrap(sums, estimate, std_error, null, statistics, drawn, tuple(tests))


def _ratio(numerator: FloatArray, variance: FloatArray, floor: FloatArray) -> FloatArray:
    """Return n/√V; NaN, which counts as extreme, where V is nothing but rounding."""
    with np.errstate(all="ignore"):
        return np.where(variance > floor, numerator / np.sqrt(variance), np.nan)


def _bootstrap(
    sums: ResidualSums,
    estimate: FloatArray,
    std_error: FloatArray,
    null: float,
    statistics: FloatArray,
    drawn: BootstrapWeights,
    inversions: tuple[InvertibleTest, ...],
) -> WildBootstrap:
    distribution = ReferenceDistribution(
        (estimate - null) / std_error, statistics, None, drawn.enumerated
    )
    return WildBootstrap(
        term="",
        outcomes=sums.outcomes,
        coefficients=estimate,
        outcome_errors=std_error,
        distribution=distribution,
        p_values=distribution.p_value(),
        weights=drawn.kind,
        restrictions=1,
        n_rows=sums.n_rows,
        n_clusters=sums.n_schools,
        inversions=inversions,
    )


def _joint_test(
    sums: ResidualSums, restriction: FloatArray, null: FloatArray, drawn: BootstrapWeights
) -> WildBootstrap:
    """Test q restrictions by the cluster-robust Wald statistic over q."""
    q = len(restriction)
    contrast = sums.inverse @ restriction.T
    distance = restriction @ sums.coefficients[:, 0] - null
    delta = np.linalg.solve(restriction @ contrast, distance)
    slopes, kappas = sums.S @ contrast, sums.s @ contrast
    g = sums.h[:, :, :1] + (slopes @ delta)[:, :, None]
    r = sums.r[:, :1] + (kappas @ delta)[:, None]
    a = g[:, :, 0] @ contrast
    parts = [ScorePart(0, a[:, i], slopes[:, :, i], kappas[:, i]) for i in range(q)]
    pairs = [(i, k) for i in range(q) for k in range(i, q)]
    numerator, products = WildScores(sums, g, r, parts, pairs).draw(drawn)
    variance = np.empty((len(numerator), q, q))
    for at, (i, k) in enumerate(pairs):
        variance[:, i, k] = variance[:, k, i] = products[:, at]
    scale = q * _factor(sums)
    observed = wald(distance[None, :], _observed(sums, contrast)[:1]) / scale
    if q >= sums.n_schools or not np.isfinite(observed).all():
        raise ValueError(
            f"wild bootstrap: {q} restrictions on {sums.outcomes[0]!r} cannot be tested jointly "
            f"with {sums.n_schools} schools and what varies between them; test fewer at once"
        )
    distribution = ReferenceDistribution(
        observed, wald(numerator, variance)[:, None] / scale, None, drawn.enumerated
    )
    return WildBootstrap(
        term=f"{q} restrictions on {sums.outcomes[0]}",
        outcomes=sums.outcomes,
        coefficients=np.array([nan]),
        outcome_errors=np.array([nan]),
        distribution=distribution,
        p_values=distribution.p_value(),
        weights=drawn.kind,
        restrictions=q,
        n_rows=sums.n_rows,
        n_clusters=sums.n_schools,
        inversions=(),
    )
