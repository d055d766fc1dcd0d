"""Outcomes of simulated trials, drawn as the statistics that a two-level fit needs.

For y_ij = x_ij'β + u_j + e_ij with normal u and e, given the regressors,

    ȳ_j     = x̄_j'β + N(0, σ²_u) + N(0, σ²_e/w_j),
    X̃'ỹ    = C_wβ + σ_e L_wε,                    ε ~ N(0, I),  C_w = L_wL_w' of rank r,
    ỹ'ỹ    = β'C_wβ + 2σ_e β'L_wε + σ²_e(ε'ε + χ²(N − J − r)),

ȳ being independent of the rest. This is the law of a simulated data set exactly, without its
pupils: ten thousand trials cost a fraction of a second. ``fit_batch`` fits them.
"""

from __future__ import annotations

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.school_moments import SchoolMoments
from schooltrial.models.reml.batch import OutcomeBatch, SpectralDesign


def simulate_moments(
    design: SpectralDesign,
    beta: FloatArray,
    *,
    school_variance: float,
    pupil_variance: float,
    trials: int,
    rng: np.random.Generator,
) -> OutcomeBatch:
    """Draw the statistics of simulated outcomes of a design.

    Parameters
    ----------
    design : SpectralDesign
        Regressors and school sizes, by ``spectral_design``.
    beta : array, shape (p,)
        Coefficients, in the order of the regressors.
    school_variance, pupil_variance : float
        σ²_u ≥ 0 and σ²_e > 0.
    trials : int
        B, how many.
    rng : numpy.random.Generator
        Source of randomness.

    Raises
    ------
    ValueError
        On variances out of range or coefficients of the wrong number.
    """
    moments = design.centred.moments
    p = len(moments.fixed)
    coefficients = np.asarray(beta, dtype=float)
    if coefficients.shape != (p,):
        raise ValueError(
            f"beta has shape {coefficients.shape}; expected ({p},), one coefficient for each of "
            f"{', '.join(moments.fixed)}"
        )
    if not (school_variance >= 0 and pupil_variance > 0):
        raise ValueError(
            f"school_variance is {school_variance} and pupil_variance {pupil_variance}; expected "
            "a school variance of zero or more and a positive pupil variance"
        )
    inner = np.linalg.solve(design.centred.back, coefficients)
    root, rank = _root(design.within)
    error = np.sqrt(pupil_variance)
    spread = np.sqrt(school_variance + pupil_variance / design.weight)
    mean = rng.standard_normal((trials, len(spread)))
    mean *= spread
    mean += design.x @ inner
    noise = rng.standard_normal((trials, rank))
    left = rng.chisquare(moments.n_rows - moments.n_schools - rank, trials)
    cross = design.within @ inner + error * (noise @ root.T)
    square = inner @ design.within @ inner + 2.0 * error * (noise @ (root.T @ inner))
    square += pupil_variance * ((noise * noise).sum(axis=1) + left)
    return OutcomeBatch(mean, cross, square)


def moments_of_trial(design: SpectralDesign, batch: OutcomeBatch, trial: int) -> SchoolMoments:
    """Return the moments of one simulated trial, to be fitted or looked at on its own.

    The regressors are centred at their grand means, as in the design: contrasts of coefficients
    other than the intercept are those of the trial.
    """
    moments = design.centred.moments
    within = moments.within.copy()
    within[-1, :-1] = within[:-1, -1] = batch.cross[trial]
    within[-1, -1] = batch.square[trial]
    return SchoolMoments(
        names=moments.names,
        schools=moments.schools,
        n_individuals=moments.n_individuals,
        weight=moments.weight,
        mean=np.column_stack((design.x, batch.mean[trial])),
        within=within,
        sum_log_weight=moments.sum_log_weight,
    )


def _root(products: FloatArray) -> tuple[FloatArray, int]:
    """Return L_w with C_w = L_wL_w', shape (p, r), and the rank r."""
    size = np.sqrt(np.where(np.diagonal(products) > 0, np.diagonal(products), 1.0))
    values, vectors = np.linalg.eigh(products / np.outer(size, size))
    kept = values > 1e-10
    root: FloatArray = size[:, None] * vectors[:, kept] * np.sqrt(values[kept])
    return root, int(kept.sum())
