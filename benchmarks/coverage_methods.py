"""What each method says of one simulated trial: whether it rejects the true effect, and how surely.

All go through the functions that a study itself calls, from pupils' rows to a row of the estimates
table. Where the true effect is nought, a method errs when p ≤ .05; where it is not, when the 95%
interval leaves it out. For the two tests that re-draw this is asked by testing the true effect,
which is what their intervals invert.
"""

from __future__ import annotations

from math import nan
from typing import NamedTuple

import numpy as np
from benchmarks.coverage_trials import Trial

from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.moments.school_moments import compute_school_moments
from schooltrial.models.multilevel.result import DegreesOfFreedom
from schooltrial.models.multilevel.two_level import fit_two_level_moments
from schooltrial.models.randomisation_inference.inference import randomisation_inference
from schooltrial.models.wild_bootstrap.bootstrap import wild_cluster_bootstrap
from schooltrial.models.wild_bootstrap.weights import Kind

ALPHA = 0.05
DRAWS = 999
METHODS = {
    "reml-kr": "REML, Kenward-Roger",
    "reml-satterthwaite": "REML, Satterthwaite",
    "reml-z": "REML, z",
    "cr2-satterthwaite": "CR2, Satterthwaite",
    "cr1-t": "CR1, t(J − 1)",
    "cr1-z": "CR1, z",
    "wild": "Wild bootstrap",
    "wild-signs": "Wild bootstrap, all 2¹⁰ signs",
    "randomisation": "Randomisation inference",
}
ENUMERABLE = 10  # schools up to which the bootstrap's signs are also enumerated
NAMES = ("(Intercept)", "treated", "pupil covariate", "school covariate")
TREATED = NAMES[1]


class Finding(NamedTuple):
    """A method's answer; what was not computed is NaN.

    Attributes
    ----------
    erred : float
        1 where the true effect was rejected, or left out of the interval.
    estimate, std_error, df : float
        What the answer rests on.
    length : float
        Length of the 95% interval; infinite where it has no end.
    """

    erred: float
    estimate: float
    std_error: float
    df: float
    length: float


NOTHING = Finding(nan, nan, nan, nan, nan)


class Answers(NamedTuple):
    """All methods' findings, in the order of ``METHODS``, and how the REML fit ended."""

    findings: tuple[Finding, ...]
    singular: bool
    converged: bool


def all_methods(
    trial: Trial, effect: float, rng: np.random.Generator, *, invert: bool = False
) -> Answers:
    """Apply every method to a trial.

    Parameters
    ----------
    trial : Trial
    effect : float
        The true effect.
    rng : numpy Generator
        For re-drawn assignments and weights.
    invert : bool
        Whether the two tests that re-draw give their intervals too, which takes ten times as long.
    """
    one = np.ones(len(trial.outcome))
    covariates = [trial.pupil_covariate, trial.school_covariate]
    columns = [one, trial.treated, *covariates]
    moments = compute_school_moments(
        [*columns, trial.outcome], trial.school, names=(*NAMES, "outcome")
    )
    multilevel = fit_two_level_moments(moments)

    def reml(df: DegreesOfFreedom) -> Finding:
        return _judged(multilevel.estimates([TREATED], df=df)[0], effect)

    least_squares = fit_least_squares_columns(
        trial.outcome, columns, names=NAMES, cluster=trial.school
    )

    def robust(kind: str, df: str) -> Finding:
        return _judged(least_squares.estimates([TREATED], vcov=kind, df=df)[0], effect)

    schools = moments.n_schools
    found = {
        "reml-kr": reml("kenward-roger"),
        "reml-satterthwaite": reml("satterthwaite"),
        "reml-z": reml("normal"),
        "cr2-satterthwaite": robust("CR2", "satterthwaite"),
        "cr1-t": robust("CR1", "clusters-1"),
        "cr1-z": robust("CR1", "normal"),
        "wild": _wild(trial, effect, rng, "auto", DRAWS, invert=invert),
        "randomisation": _randomisation(trial, effect, rng, invert=invert),
    }
    if schools <= ENUMERABLE:
        every = 2**schools - 1
        found["wild-signs"] = _wild(trial, effect, rng, "rademacher", every, invert=invert)
    return Answers(
        tuple(found.get(method, NOTHING) for method in METHODS),
        multilevel.singular,
        multilevel.converged,
    )


def _judged(row: Estimate, effect: float) -> Finding:
    """Return what a row with a t (or normal) reference says of the true effect."""
    inside = row.p_value > ALPHA if effect == 0 else row.conf_low <= effect <= row.conf_high
    length = row.conf_high - row.conf_low
    return Finding(float(not inside), row.estimate, row.std_error, row.df, length)


def _wild(
    trial: Trial,
    effect: float,
    rng: np.random.Generator,
    weights: Kind,
    draws: int,
    *,
    invert: bool,
) -> Finding:
    test = wild_cluster_bootstrap(
        trial.outcome,
        np.column_stack([trial.treated, trial.pupil_covariate, trial.school_covariate]),
        trial.school,
        null=effect,
        draws=draws,
        distribution=weights,
        seed=rng,
        interval=invert,
    )
    length = float(np.diff(test.interval()[0])[0]) if invert else nan
    erred = float(test.p_values[0] <= ALPHA)
    return Finding(erred, float(test.coefficients[0]), float(test.outcome_errors[0]), nan, length)


def _randomisation(
    trial: Trial, effect: float, rng: np.random.Generator, *, invert: bool
) -> Finding:
    test = randomisation_inference(
        trial.outcome,
        trial.treated,
        trial.school,
        covariates=np.column_stack([trial.pupil_covariate, trial.school_covariate]),
        draws=DRAWS,
        exact_up_to=DRAWS,
        seed=rng,
        interval=effect != 0,
    )
    p = float(test.p_values[0]) if effect == 0 else test.inversions[0].p_value(effect)
    length = float(np.diff(test.interval()[0])[0]) if invert else nan
    erred = float(p <= ALPHA)
    return Finding(erred, float(test.coefficients[0]), float(test.outcome_errors[0]), nan, length)
