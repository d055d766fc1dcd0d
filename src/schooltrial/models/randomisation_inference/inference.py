"""Randomisation inference: the trial's own lottery as the reference distribution.

Under the sharp hypothesis that the treatment changed nobody's outcome (or everybody's by the same
τ), what would have been observed under any other assignment is known, and so is the distribution of
any statistic over the assignments that the design could have drawn. No model and no large number of
schools is needed. All assignments are used where they are few; otherwise random ones are drawn from
the same design.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.assignment.design import AssignmentDesign, AssignmentError, Codes, shown
from schooltrial.models.assignment.draws import EXACT_UP_TO, draw_assignments, enumerate_assignments
from schooltrial.models.assignment.of_schools import school_assignment
from schooltrial.models.inference.inversion import InvertibleTest
from schooltrial.models.inference.outcome_variation import ROUNDING, refuse_exact_fit
from schooltrial.models.inference.reference_distribution import ReferenceDistribution
from schooltrial.models.moments.frisch_waugh import ResidualSums, residual_sums
from schooltrial.models.randomisation_inference.result import RandomisationTest
from schooltrial.models.randomisation_inference.statistics import (
    DrawPieces,
    DrawStatistics,
    Statistic,
)

DRAWS = 10_000


_CELLS = 1 << 17  # draws × units of a piece of work: it stays in the cache


def randomisation_inference(
    outcomes: ArrayLike,
    arm: ArrayLike,
    school: ArrayLike,
    *,
    covariates: ArrayLike | None = None,
    block: ArrayLike | None = None,
    block_effects: bool = True,
    design: AssignmentDesign | None = None,
    arms: tuple[Any, Any] | None = None,
    weights: ArrayLike | None = None,
    statistic: Statistic = "studentised",
    draws: int = DRAWS,
    seed: int | np.random.Generator = 0,
    exact_up_to: int = EXACT_UP_TO,
    interval: bool = True,
    outcome_names: Sequence[str] | None = None,
    covariate_names: Sequence[str] | None = None,
    term: str = "treated",
) -> RandomisationTest:
    """Test effects on pupils' outcomes by re-drawing the assignment of schools.

    Parameters
    ----------
    outcomes : array (N,) or (N, K)
        Complete. Outcomes seen on different pupils: call once for each with the same ``design``
        and seed; the draws are then the same, and the distributions may be put side by side.
    arm : array (N,)
        Group of each pupil's school.
    school : array (N,)
        Label of the unit that was assigned.
    covariates : array (N, p), optional
        Without a constant and without block indicators.
    block : array (N,), optional
        Block of each pupil's school: taken out as fixed effects and, without ``design``, the
        groups within which schools were drawn.
    block_effects : bool
        False leaves the block effects out of the regression, not out of the design.
    design : AssignmentDesign, optional
        How schools were drawn. By default the numbers by group of each block are taken as fixed.
    arms : (comparison, treated), optional
        By default the two labels found, sorted, or the design's.
    weights : array (N,), optional
        Positive weights of pupils.
    statistic : {"studentised", "coefficient", "HC2", "classical"}
        The cluster-robust t (default) stays valid, in large samples, for a mean effect that
        varies between schools; the coefficient is exact for the sharp hypothesis alone. ``HC2``
        and ``classical`` t are for units of one row.
    draws : int
        Random draws where there are more than ``exact_up_to`` assignments.
    seed : int or numpy Generator
    exact_up_to : int
        Designs with no more assignments are enumerated.
    interval : bool
        Whether to keep what the inversion needs.
    outcome_names, covariate_names : sequence of str, optional
    term : str
        What the effect is called where there is one outcome.

    Returns
    -------
    RandomisationTest

    Raises
    ------
    ValueError
        For collinear covariates, missing values, more than two groups.
    AssignmentError
        For a school in two groups or blocks, a block with one group, an assignment that the design
        cannot give.

    Notes
    -----
    Formulas: `randomisation_inference.statistics`. Imbens & Rubin (2015), Causal Inference, chapter
    5; for the studentised statistic, Wu & Ding (2021), JASA 116, 1898-1913.
    """
    assigned = school_assignment(school, arm, block)
    labels = tuple(np.unique(assigned.arm).tolist()) if design is None else design.arms
    pair = tuple(labels) if arms is None else tuple(arms)
    if len(pair) != 2:
        raise AssignmentError(
            f"randomisation inference: {len(pair)} groups ({', '.join(map(repr, pair))}), where "
            "two are compared; keep the pupils of two groups (their schools could have changed "
            "places), or give a statistic of your own to randomisation_distribution"
        )
    if design is None:
        design = assigned.design(arms=pair)
    codes = design.encode(_arms_of_units(design, assigned.schools, assigned.arm))
    order = np.argsort(design.to_unit_order)
    sums = _sums_with_assignment(
        outcomes, arm, pair[1], covariates, school, block if block_effects else None, weights,
        outcome_names, covariate_names,
    )  # fmt: skip
    statistics = DrawStatistics(_aligned(sums, design.units[order]), statistic, interval)
    observed = statistics.pieces(codes[None, order])
    _refuse_undefined(observed, sums)
    pieces, probability, exact = _all_pieces(statistics, design, draws, seed, exact_up_to)
    result = _result(statistics, observed, pieces, probability, exact)
    return replace(result, rerandomised=design.rule is not None, term=term)


def randomisation_distribution(
    design: AssignmentDesign,
    assigned: ArrayLike,
    statistic: Callable[[Codes], FloatArray],
    *,
    draws: int = DRAWS,
    seed: int | np.random.Generator = 0,
    exact_up_to: int = EXACT_UP_TO,
) -> ReferenceDistribution:
    """Return the distribution of any statistic of the assignment.

    Parameters
    ----------
    design : AssignmentDesign
    assigned : array of arm labels, one per unit in the order of ``design.units``
    statistic : callable
        Takes arm numbers (draws × units, int8), gives (draws,) or (draws, K) values: one number
        for a joint test of many outcomes or covariates, or K of them jointly.
    draws, seed, exact_up_to
        As for `randomisation_inference`.
    """

    def values(codes: Codes) -> FloatArray:
        found = np.asarray(statistic(codes), dtype=float)
        if found.ndim == 0 or len(found) != len(codes):
            raise ValueError(
                f"randomisation distribution: the statistic gave shape {found.shape} for "
                f"{len(codes)} draws; it must give one value, or one row, for each draw"
            )
        return found[:, None] if found.ndim == 1 else found

    observed = values(design.encode(assigned)[None, :])[0]
    exact = design.possible <= exact_up_to
    parts, chances = [], []
    for codes, probability in _assignments(design, exact, draws, seed, block_order=False):
        parts.append(values(codes))
        chances.append(probability)
    return ReferenceDistribution(observed, np.concatenate(parts), _unequal(chances, exact), exact)


def _assignments(
    design: AssignmentDesign,
    exact: bool,
    draws: int,
    seed: int | np.random.Generator,
    *,
    block_order: bool,
) -> Iterator[tuple[Codes, FloatArray]]:
    """Yield assignments in pieces that fit the cache, with their probabilities."""
    rows = int(np.clip(_CELLS // design.units.size, 64, 8192))
    if exact:
        yield from enumerate_assignments(design, rows=rows, block_order=block_order)
        return
    codes = draw_assignments(design, draws, np.random.default_rng(seed), block_order=block_order)
    for first in range(0, draws, rows):
        part = codes[first : first + rows]
        yield part, np.full(len(part), 1 / draws)


def _unequal(chances: list[FloatArray], exact: bool) -> FloatArray | None:
    """Return the probabilities of enumerated assignments, or None if they are all alike."""
    chance = np.concatenate(chances)
    if not exact or chance.size == 0 or np.ptp(chance) <= 1e-12 * chance.max():
        return None
    return chance


def _all_pieces(
    statistics: DrawStatistics,
    design: AssignmentDesign,
    draws: int,
    seed: int | np.random.Generator,
    exact_up_to: int,
) -> tuple[DrawPieces, FloatArray | None, bool]:
    exact = design.possible <= exact_up_to
    found: list[DrawPieces] = []
    chances: list[FloatArray] = []
    for codes, probability in _assignments(design, exact, draws, seed, block_order=True):
        found.append(statistics.pieces(codes))
        chances.append(probability)
    joined = DrawPieces(
        *(np.concatenate([getattr(part, name) for part in found]) for name in _PIECES)
    )
    return joined, _unequal(chances, exact), exact


_PIECES = ("a", "c", "u", "v", "w", "denominator")


def _sums_with_assignment(
    outcomes: ArrayLike,
    arm: ArrayLike,
    treated: Any,
    covariates: ArrayLike | None,
    school: ArrayLike,
    block: ArrayLike | None,
    weights: ArrayLike | None,
    outcome_names: Sequence[str] | None,
    covariate_names: Sequence[str] | None,
) -> ResidualSums:
    """Return the sums with the observed assignment as one more outcome, the last."""
    y = np.asarray(outcomes)
    y = y[:, None] if y.ndim == 1 else y
    z = np.asarray(np.asarray(arm) == treated, dtype=float)
    names = outcome_names
    if names is None:
        names = ["y"] if y.shape[1] == 1 else [f"y{i + 1}" for i in range(y.shape[1])]
    return residual_sums(
        np.column_stack([y, z]),
        covariates,
        school,
        block=block,
        weights=weights,
        outcome_names=[*names, "assignment"],
        regressor_names=covariate_names,
    )


def _arms_of_units(
    design: AssignmentDesign, schools: NDArray[Any], arm: NDArray[Any]
) -> NDArray[Any]:
    """Return the group of each of the design's units; all must be among the schools."""
    at = np.minimum(np.searchsorted(schools, design.units), len(schools) - 1)
    missing = design.units[schools[at] != design.units]
    if missing.size or len(schools) != design.units.size:
        extra = np.setdiff1d(schools, design.units)
        what = f"school {shown(missing[0])} has no pupils" if missing.size else (
            f"school {shown(extra[0])} is not in the design"
        )  # fmt: skip
        raise AssignmentError(
            f"randomisation inference: {what}; the design must list the schools that are "
            "analysed. If schools left the trial, only those that "
            "stayed are re-randomised: make the design of these"
        )
    return np.asarray(arm[at])


def _aligned(sums: ResidualSums, units: NDArray[Any]) -> ResidualSums:
    """Return the sums with schools in the order of the units."""
    at = np.searchsorted(sums.schools, units)
    if np.array_equal(at, np.arange(len(at))):
        return sums
    return replace(
        sums,
        schools=sums.schools[at],
        n_individuals=sums.n_individuals[at],
        weight=sums.weight[at],
        block=sums.block[at],
        s=sums.s[at],
        S=sums.S[at],
        r=sums.r[at],
        h=sums.h[at],
    )


def _refuse_undefined(observed: DrawPieces, sums: ResidualSums) -> None:
    if np.isnan(observed.denominator[0]):
        raise ValueError(
            "randomisation inference: the observed assignment is a combination of the covariates "
            f"{list(sums.names)} and the block effects; leave one of them out"
        )
    for k, name in enumerate(sums.outcomes[:-1]):
        refuse_exact_fit(
            float(sums.residual_products[k, k]), float(sums.spread[k]), name, sums.names,
            effects="the blocks" if len(sums.block_weight) > 1 else "",
        )  # fmt: skip
        products = sums.residual_products[k, k] / sums.n_rows
        if not observed.u[0, k] > ROUNDING * products * observed.denominator[0]:
            raise ValueError(
                f"randomisation inference: outcome {name!r} has no variation left between schools "
                "of a group once blocks and covariates are taken out, so that its effect cannot be "
                "studentised. Is it filled in from the group, or are there as many parameters as "
                "schools (one school in a group)? Leave out covariates, or the blocks"
            )


def _result(
    statistics: DrawStatistics,
    observed: DrawPieces,
    pieces: DrawPieces,
    probability: FloatArray | None,
    exact: bool,
) -> RandomisationTest:
    sums = statistics.sums
    distribution = ReferenceDistribution(
        observed.statistics()[0], pieces.statistics(), probability, exact
    )
    is_coefficient = statistics.kind == "coefficient"
    denominator = 1.0 if is_coefficient else observed.denominator[0]
    estimate = observed.a[0] / denominator
    std_error = np.sqrt(observed.u[0]) / denominator
    inversions = tuple(
        InvertibleTest(
            estimate=float(estimate[k]),
            std_error=float(std_error[k]),
            scale=float(np.nanstd(pieces.a[:, k])) if is_coefficient else float(std_error[k]),
            a=pieces.a[:, k],
            c=pieces.c[:, 0],
            u=pieces.u[:, k],
            v=pieces.v[:, k],
            w=pieces.w[:, 0],
            probability=probability,
            exact=exact,
        )
        for k in range(len(estimate) if statistics.slopes else 0)
    )
    return RandomisationTest(
        term="treated",
        outcomes=sums.outcomes[:-1],
        statistic=statistics.kind,
        coefficients=estimate,
        outcome_errors=np.full_like(std_error, nan) if is_coefficient else std_error,
        distribution=distribution,
        p_values=distribution.p_value(),
        undefined=int(np.isnan(pieces.denominator).sum()),
        n_rows=sums.n_rows,
        n_clusters=sums.n_schools,
        inversions=inversions,
    )
