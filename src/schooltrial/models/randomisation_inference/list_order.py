"""Whether the place of a unit in a list says which group it is in.

Two statistics, both referred to re-draws of the lottery's own design: the sum of ranks by group (a
drift from one group to another down the list), and the number of runs of one group (too few where
arms come in stretches, too many where they alternate). Wald & Wolfowitz (1940), Annals of
Mathematical Statistics 11, 147-162, for runs; here exact for blocks and pairs too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.models.assignment.design import AssignmentDesign, Codes
from schooltrial.models.assignment.draws import EXACT_UP_TO
from schooltrial.models.inference.reference_distribution import tail_share
from schooltrial.models.randomisation_inference.inference import DRAWS, randomisation_distribution
from schooltrial.models.randomisation_inference.mahalanobis import omnibus_balance


@dataclass(frozen=True, slots=True)
class OrderTest:
    """A test of the order of a list.

    Attributes
    ----------
    statistic, expected : float
        Observed value, and mean under the lottery.
    p_value : float
        Two-sided.
    """

    statistic: float
    expected: float
    p_value: float


def rank_test(
    design: AssignmentDesign,
    assigned: ArrayLike,
    position: ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int | np.random.Generator = 0,
    exact_up_to: int = EXACT_UP_TO,
) -> OrderTest:
    """Test whether places in a list, compared within blocks, differ between the groups.

    Parameters
    ----------
    design : AssignmentDesign
    assigned : array of arm labels, in the order of ``design.units``
    position : array of numbers
        Place of each unit in the list.
    draws, seed, exact_up_to
        As for `randomisation_inference.randomisation_inference`.

    Returns
    -------
    OrderTest
        The statistic is M of `mahalanobis_balance` with the place as the one covariate: for two
        arms the square of the standardised rank sum.
    """
    ranks = np.argsort(np.argsort(np.asarray(position), kind="stable")).astype(float)
    found = omnibus_balance(
        design, assigned, ranks, draws=draws, seed=seed, exact_up_to=exact_up_to
    )
    return OrderTest(found.statistic, float(found.rank), found.p_value)


def runs_test(
    design: AssignmentDesign,
    assigned: ArrayLike,
    position: ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int | np.random.Generator = 0,
    exact_up_to: int = EXACT_UP_TO,
) -> OrderTest:
    """Test whether groups come in too few, or too many, runs down a list.

    Parameters are those of `rank_test`. Two-sided: the share of draws whose number of runs is at
    least as far from its mean under the lottery.
    """
    order = np.argsort(np.asarray(position), kind="stable")
    found = randomisation_distribution(
        design, assigned, lambda codes: _runs(codes[:, order]), draws=draws, seed=seed,
        exact_up_to=exact_up_to,
    )  # fmt: skip
    weight = found.probability
    mean = np.average(found.draws, axis=0, weights=weight)
    away = np.abs(found.draws - mean)
    p = tail_share(np.abs(found.observed - mean), away, weight, exact=found.exact, side="upper")
    return OrderTest(float(found.observed[0]), float(mean[0]), float(p[0]))


def _runs(codes: Codes) -> NDArray[np.float64]:
    return np.asarray(1.0 + (codes[:, 1:] != codes[:, :-1]).sum(axis=1))
