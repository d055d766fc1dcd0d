"""Our side of each task: from a data frame to the answer, with nothing kept between calls."""

from __future__ import annotations

import numpy as np
from benchmarks.answers import Answer, Answers, answer
from benchmarks.trials import OUTCOME, Trial

from schooltrial.models.cluster_robust.fit import fit_least_squares_frame
from schooltrial.models.inference.multiple_testing import step_down_max_t
from schooltrial.models.moments.school_moments import INTERCEPT, from_frame
from schooltrial.models.multilevel.result import MultilevelFit
from schooltrial.models.multilevel.three_level import fit_three_level
from schooltrial.models.multilevel.two_level import fit_two_level_moments
from schooltrial.models.panel.difference_in_differences import two_way_effects
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption
from schooltrial.models.power.simulated_moments import simulate_moments
from schooltrial.models.randomisation_inference.inference import randomisation_inference
from schooltrial.models.reml.batch import OutcomeBatch, fit_batch, spectral_design
from schooltrial.models.wild_bootstrap.bootstrap import wild_cluster_bootstrap

WILD_DRAWS = 9_999
RANDOMISATION_DRAWS = 10_000
ROMANO_WOLF_DRAWS = 1_000
POWER_TRIALS = 10_000
PERMUTATIONS = 2_000


def _both(fit: MultilevelFit) -> Answers:
    return {
        "satterthwaite": answer(fit.estimates(df="satterthwaite")),
        "kenward-roger": answer(fit.estimates(df="kenward-roger")),
    }


def reml_two_levels(trial: Trial) -> Answers:
    """Fit pupils in schools; all coefficients with both degrees of freedom."""
    moments = from_frame(trial.frame, outcome=OUTCOME, fixed=trial.terms, school="school")
    return _both(fit_two_level_moments(moments))


def reml_three_levels(trial: Trial) -> Answers:
    """Fit pupils in schools in districts; all coefficients with both degrees of freedom."""
    moments = from_frame(
        trial.frame, outcome=OUTCOME, fixed=trial.terms, school="school", group="district"
    )
    return _both(fit_three_level(moments, level="district"))


def cr2(trial: Trial) -> Answers:
    """OLS with CR2 and Satterthwaite's df for all coefficients."""
    fit = fit_least_squares_frame(trial.frame, OUTCOME, trial.terms, cluster="school")
    return {"": answer(fit.estimates())}


def cr2_absorbed(trial: Trial) -> Answers:
    """Return the same with school effects absorbed."""
    fit = fit_least_squares_frame(
        trial.frame, OUTCOME, trial.within_terms, cluster="school", absorb="school"
    )
    return {"": answer(fit.estimates())}


def wild_bootstrap(trial: Trial) -> Answers:
    """Restricted wild cluster bootstrap of the treatment effect, Rademacher weights."""
    test = wild_cluster_bootstrap(
        trial.frame[OUTCOME],
        trial.frame[list(trial.terms)],
        trial.frame["school"],
        test="treat",
        draws=WILD_DRAWS,
        distribution="rademacher",
        interval=False,
        regressor_names=trial.terms,
    )
    return {"": answer(test.estimates())}


def randomisation(trial: Trial) -> Answers:
    """Blocked re-draws of schools with the studentised statistic."""
    covariates = [t for t in trial.terms if t != "treat" and t not in _indicators(trial)]
    test = randomisation_inference(
        trial.frame[OUTCOME],
        trial.frame["treat"],
        trial.frame["school"],
        covariates=trial.frame[covariates],
        covariate_names=covariates,
        block=trial.frame["block"],
        draws=RANDOMISATION_DRAWS,
        interval=False,
    )
    return {
        "": Answer(
            ("treat",),
            tuple(test.coefficients.tolist()),
            tuple(test.outcome_errors.tolist()),
            p_value=tuple(test.p_values.tolist()),
        )
    }


def _indicators(trial: Trial) -> set[str]:
    return {f"b{b}" for b in range(2, trial.size.blocks + 1)}


def romano_wolf(trial: Trial) -> Answers:
    """Ten outcomes, adjusted by step-down over joint wild bootstrap draws."""
    outcomes = trial.outcomes[:10]
    test = wild_cluster_bootstrap(
        trial.frame[list(outcomes)],
        trial.frame[list(trial.terms)],
        trial.frame["school"],
        test="treat",
        draws=ROMANO_WOLF_DRAWS,
        distribution="rademacher",
        interval=False,
        outcome_names=outcomes,
        regressor_names=trial.terms,
    )
    adjusted = step_down_max_t(test.distribution).step_down
    return {
        "": Answer(
            outcomes,
            tuple(test.coefficients.tolist()),
            tuple(test.outcome_errors.tolist()),
            p_value=tuple(adjusted.tolist()),
        )
    }


def power(trial: Trial) -> Answers:
    """Simulate trials of this design and test the treatment in each by REML, with both df."""
    moments = from_frame(trial.frame, outcome=OUTCOME, fixed=trial.terms, school="school")
    design = spectral_design(moments)
    contrast = np.eye(len(moments.fixed))[1]
    batch = simulate_moments(
        design,
        0.15 * contrast,
        school_variance=0.1,
        pupil_variance=0.5,
        trials=POWER_TRIALS,
        rng=np.random.default_rng(1),
    )
    fit = fit_batch(design, batch, contrast)
    rejected = float(np.mean(fit.p_values() < 0.05))
    return {"": Answer(("power",), (rejected,))}


def power_check(trial: Trial) -> Answers:
    """Fit outcomes that the peer also gets by the same batch, for their digits."""
    moments = from_frame(
        trial.frame,
        outcome=trial.outcomes[-1],
        fixed=(*trial.terms, *trial.outcomes[:-1]),
        school="school",
    )
    p = 1 + len(trial.terms)
    design = spectral_design(moments.select((INTERCEPT, *trial.terms)))
    cross = moments.within[p:, :p]
    batch = OutcomeBatch(moments.mean[:, p:].T.copy(), cross, np.diagonal(moments.within)[p:])
    fit = fit_batch(design, batch, np.eye(p)[1])
    return {"": Answer(trial.outcomes, tuple(fit.estimate.tolist()), tuple(fit.std_error.tolist()))}


def _staggered(trial: Trial, draws: int) -> StaggeredFit:
    frame = trial.frame
    cohort = frame["cohort"].to_numpy(dtype=float)
    return fit_staggered_adoption(
        frame[OUTCOME].to_numpy(),
        school=frame["school"].to_numpy(),
        year=frame["year"].to_numpy(),
        cohort=np.where(cohort > 0, cohort, np.nan),
        draws=draws,
    )


def staggered_rows(trial: Trial) -> Answers:
    """Return all averages of group-time effects, with bands and the joint pre-trend test."""
    fit = _staggered(trial, 0)
    rows = fit.estimates(fit.names)
    assert fit.pretrend is not None
    return {"": answer((*rows, fit.pretrend))}


def staggered_permuted(trial: Trial) -> Answers:
    """Return the same, and what 2,000 permutations of the cohorts say of every row."""
    fit = _staggered(trial, PERMUTATIONS)
    rows = (*fit.estimates(fit.names), *fit.permutation_rows())
    return {"": answer(rows)}


def two_way(trial: Trial) -> Answers:
    """Two-way effects with CR2 and Satterthwaite's df."""
    frame = trial.frame
    fit = two_way_effects(
        frame[OUTCOME].to_numpy(),
        frame[["treat"]].to_numpy(),
        names=["treat"],
        school=frame["school"].to_numpy(),
        year=frame["year"].to_numpy(),
    )
    return {"": answer(fit.estimates())}
