"""Power by simulation with this project's own estimator: REML with Kenward-Roger.

Closed forms know mean sizes and the right variances. Here the sizes are those of the trial, schools
and pupils are lost, and variances are estimated as they will be: outcomes are drawn as the
statistics that a fit rests on (`power.simulated_moments`) and fitted thousands at a time
(`reml.batch`).

Restricted likelihood does not see the effect: an outcome y + Δz has the estimate Δ̂ + Δ and the same
variances. So one set of trials drawn without effect gives the power for every Δ,

    power(Δ) = share of trials with |Δ̂_b + Δ| > t_{1−α/2}(ν_b)·s_b,

on the same random numbers, and with it the minimum detectable effect.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.school_moments import INTERCEPT, SchoolMoments
from schooltrial.models.power.sign_and_magnitude import SignMagnitude
from schooltrial.models.power.simulated_moments import simulate_moments
from schooltrial.models.reml.batch import BatchFit, fit_batch, spectral_design

Losses = tuple[float, float]
"""Shares lost in the control group and in the intervention group."""


@dataclass(frozen=True)
class PlannedTrial:
    """A planned trial: its schools, and the share that will be lost.

    Attributes
    ----------
    pupils : integer array, shape (J,)
        Pupils of each school when it is assigned.
    treated : array of 0/1, shape (J,)
        Groups.
    block : array, shape (J,), or None
        Block of each school; their effects are fixed.
    covariates : int
        Covariates of schools, drawn anew as normal numbers with each pattern of losses. What they
        explain is in R²; here they cost degrees of freedom and, by chance, balance.
    schools_lost, pupils_lost : (float, float)
        Share of schools lost, and of pupils in schools that stay, in the control and intervention
        group; each is lost by its own lot.
    """

    pupils: ArrayLike
    treated: ArrayLike
    block: ArrayLike | None = None
    covariates: int = 0
    schools_lost: Losses = (0.0, 0.0)
    pupils_lost: Losses = (0.0, 0.0)

    @property
    def loses(self) -> bool:
        """Whether anybody is lost."""
        return any(share > 0 for share in (*self.schools_lost, *self.pupils_lost))


@dataclass(frozen=True)
class SimulatedPower:
    """Trials that were drawn without effect, and fitted.

    Attributes
    ----------
    estimate, std_error, df : arrays, shape (B,)
        Of the effect: Δ̂, its Kenward-Roger standard error and degrees of freedom. In a trial that
        losses left without a comparison the standard error is infinite: it never rejects.
    schools, n_individuals : arrays, shape (B,)
        Schools and pupils that were fitted.
    """

    estimate: FloatArray
    std_error: FloatArray
    df: FloatArray
    schools: FloatArray
    n_individuals: FloatArray

    @property
    def trials(self) -> int:
        """Number of trials, B."""
        return len(self.estimate)

    @property
    def undefined(self) -> int:
        """Number of trials without a comparison."""
        return int(np.isinf(self.std_error).sum())

    def power(self, effect: float, *, alpha: float = 0.05) -> float:
        """Return the share of trials in which a two-sided test rejects."""
        return float(self._rejects(effect, alpha).mean())

    def power_error(self, effect: float, *, alpha: float = 0.05) -> float:
        """Return the Monte Carlo standard error of the power."""
        power = self.power(effect, alpha=alpha)
        return sqrt(power * (1 - power) / self.trials)

    def mdes(self, *, alpha: float = 0.05, power: float = 0.8) -> float:
        """Return the least effect that the share ``power`` of the trials detects.

        Raises
        ------
        ValueError
            Where so many trials have no comparison that no effect is detected as often.
        """
        if self.undefined / self.trials > 1 - power:
            raise ValueError(
                f"power by simulation: {self.undefined} of {self.trials} trials were left without "
                f"a comparison, so that none has a power of {power}; plan for fewer losses"
            )
        finite = np.isfinite(self.std_error)
        critical = special.stdtrit(self.df[finite], 1 - alpha / 2)
        reach = np.abs(self.estimate[finite]) + critical * self.std_error[finite]
        low, high = 0.0, 2.0 * float(reach.max())  # beyond it, every trial rejects
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.power(middle, alpha=alpha) < power else (low, middle)
        return high

    def sign_magnitude(self, effect: float, *, alpha: float = 0.05) -> SignMagnitude:
        """Return power, Type S error rate and Type M ratio among the trials."""
        rejects = self._rejects(effect, alpha)
        if not rejects.any() or effect == 0:
            raise ValueError(
                f"power by simulation: {int(rejects.sum())} of {self.trials} trials reject at an "
                f"effect of {effect}; errors of sign and size need rejections and an effect: draw "
                "more trials"
            )
        found = self.estimate[rejects] + effect
        wrong = float((found * effect < 0).mean())
        return SignMagnitude(
            float(rejects.mean()), wrong, float(np.abs(found).mean() / abs(effect))
        )

    def _rejects(self, effect: float, alpha: float) -> NDArray[np.bool_]:
        critical = special.stdtrit(self.df, 1 - alpha / 2)
        return np.asarray(np.abs(self.estimate + effect) > critical * self.std_error)


def simulate_power(
    trial: PlannedTrial,
    icc: float,
    *,
    r2_school: float = 0.0,
    r2_pupil: float = 0.0,
    trials: int = 10_000,
    patterns: int = 100,
    rng: np.random.Generator,
) -> SimulatedPower:
    """Simulate trials of a design and analyse each; the result has the power for any effect.

    Parameters
    ----------
    trial : PlannedTrial
        Schools, and who will be lost.
    icc : float
        Share of the variance between schools (of a block), of a total of 1.
    r2_school, r2_pupil : float
        Share that covariates explain at each level.
    trials : int
        B, how many.
    patterns : int
        How often losses and covariates are drawn; the trials are spread over them. One is enough
        where there are neither.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    SimulatedPower
        Effects in standard deviations of pupils.

    Raises
    ------
    ValueError
        Where numbers are out of range, or the trial has no comparison even without losses.
    """
    school, pupil = icc * (1 - r2_school), (1 - icc) * (1 - r2_pupil)
    if not (0 <= icc < 1 and school >= 0 and pupil > 0 and trials > 0 and patterns > 0):
        raise ValueError(
            f"power by simulation: ICC {icc}, R² {r2_school} and {r2_pupil}, {trials} trials of "
            f"{patterns} patterns; expected an ICC from 0 up to 1, R² below 1, and one or more of "
            "each"
        )
    _full_design(trial, rng)
    count = min(patterns, trials) if trial.loses or trial.covariates else 1
    sizes = np.diff(np.linspace(0, trials, count + 1).astype(int))
    parts = [_pattern(trial, school, pupil, int(size), rng) for size in sizes]
    return SimulatedPower(
        *(
            np.concatenate([getattr(part, one.name) for part in parts])
            for one in fields(SimulatedPower)
        )
    )


def _full_design(trial: PlannedTrial, rng: np.random.Generator) -> None:
    """Refuse a trial that has no comparison before anybody is lost."""
    pupils = np.asarray(trial.pupils)
    everybody = trial_moments(trial, pupils.astype(np.int64), rng)
    if everybody is None:
        raise ValueError(
            f"power by simulation: with {len(pupils):,} schools, the treatment cannot be separated "
            "from blocks and covariates; expected both groups in some block, and more schools than "
            "blocks, covariates and the treatment"
        )


def _pattern(
    trial: PlannedTrial, school: float, pupil: float, size: int, rng: np.random.Generator
) -> SimulatedPower:
    moments = trial_moments(trial, _pupils_left(trial, rng), rng)
    if moments is None:
        none, lost = np.zeros(size), np.full(size, np.inf)
        return SimulatedPower(none, lost, np.ones(size), none, none)
    design = spectral_design(moments)
    p = len(moments.fixed)
    drawn = simulate_moments(
        design, np.zeros(p), school_variance=school, pupil_variance=pupil, trials=size, rng=rng
    )
    fit: BatchFit = fit_batch(design, drawn, np.eye(p)[1])
    return SimulatedPower(
        fit.estimate, fit.std_error_kr, fit.df_kr,
        np.full(size, float(moments.n_schools)), np.full(size, float(moments.n_rows)),
    )  # fmt: skip


def _pupils_left(trial: PlannedTrial, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the pupils left in each school by one pattern of losses."""
    pupils = np.asarray(trial.pupils, dtype=np.int64)
    if not trial.loses:
        return pupils
    arm = np.asarray(trial.treated).astype(int)
    stays = rng.random(len(pupils)) >= np.asarray(trial.schools_lost)[arm]
    left = rng.binomial(pupils, 1 - np.asarray(trial.pupils_lost)[arm])
    return np.where(stays, left, 0).astype(np.int64)


def trial_moments(
    trial: PlannedTrial, pupils: NDArray[np.int64], rng: np.random.Generator
) -> SchoolMoments | None:
    """Return the moments of a trial's regressors: intercept, treatment, blocks, covariates.

    Everything is constant within schools, and the outcome is empty. None where the treatment cannot
    be told from the rest, or no school is left to spare.

    Parameters
    ----------
    trial : PlannedTrial
        The schools.
    pupils : integer array, shape (J,)
        Pupils that are left in each; schools without are left out.
    rng : numpy.random.Generator
        For the covariates.
    """
    stays = np.flatnonzero(pupils > 0)
    z = np.asarray(trial.treated, dtype=float)[stays]
    columns, names = [np.ones(len(stays)), z], [INTERCEPT, "treated"]
    if trial.block is not None:
        block = np.asarray(trial.block)[stays]
        for label in np.unique(block)[1:]:
            columns.append((block == label).astype(float))
            names.append(f"block={label}")
    for k in range(trial.covariates):
        columns.append(rng.standard_normal(len(stays)))
        names.append(f"covariate {k + 1}")
    x = np.column_stack(columns) if len(stays) else np.empty((0, len(names)))
    if len(stays) <= len(names) or np.linalg.matrix_rank(x) < len(names):
        return None
    q = len(names) + 1
    return SchoolMoments(
        names=(*names, "outcome"),
        schools=stays,
        n_individuals=pupils[stays],
        weight=pupils[stays].astype(float),
        mean=np.column_stack([x, np.zeros(len(stays))]),
        within=np.zeros((q, q)),
    )
