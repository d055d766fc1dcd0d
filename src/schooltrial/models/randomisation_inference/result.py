"""The result of randomisation inference, and its rows of the estimates table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.inference.inversion import InvertibleTest
from schooltrial.models.inference.reference_distribution import ReferenceDistribution
from schooltrial.models.randomisation_inference.statistics import Statistic


@dataclass(frozen=True, eq=False)
class RandomisationTest:
    """Effects on one outcome or more, tested by the same re-drawn assignments.

    Attributes
    ----------
    outcomes : tuple of str
        Names (K).
    statistic : str
        What was compared: ``studentised``, ``coefficient``, ``HC2`` or ``classical``.
    estimate, std_error : arrays (K,)
        Observed coefficients and the standard errors that studentise them.
    distribution : ReferenceDistribution
        Statistics, observed and re-drawn, jointly for all outcomes.
    p_value : array (K,)
        Two-sided, ties counted.
    undefined : int
        Draws whose statistic does not exist (assignment collinear with the covariates); they are
        counted as extreme.
    n_pupils, n_schools : int
    inversions : tuple of InvertibleTest
        Empty when no interval was asked for.
    rerandomised : bool
        Whether re-draws were held to an acceptance rule.
    """

    outcomes: tuple[str, ...]
    statistic: Statistic
    estimate: FloatArray
    std_error: FloatArray
    distribution: ReferenceDistribution
    p_value: FloatArray
    undefined: int
    n_pupils: int
    n_schools: int
    inversions: tuple[InvertibleTest, ...]
    rerandomised: bool = False

    def interval(self, level: float = 0.95) -> FloatArray:
        """Return the effects not rejected at 1 − level, (K, 2), by inversion of the test."""
        if not self.inversions:
            return np.full((len(self.outcomes), 2), nan)
        return np.array([test.interval(level) for test in self.inversions])

    def estimates(
        self, terms: Sequence[str] | None = None, level: float = 0.95
    ) -> tuple[Estimate, ...]:
        """Return a row for each outcome; ``terms`` names them (by default, the outcomes)."""
        draws = len(self.distribution.draws)
        how = f"all {draws:,} assignments" if self.distribution.exact else f"{draws:,} draws"
        how += " that meet the design's criterion of balance" if self.rerandomised else ""
        note = f"{self.undefined} draws undefined, counted as extreme" if self.undefined else ""
        rows = zip(
            self.outcomes if terms is None else terms, self.estimate, self.std_error,
            self.distribution.observed, self.p_value, self.interval(level), strict=True,
        )  # fmt: skip
        return tuple(
            Estimate(
                term=term,
                estimate=float(estimate),
                std_error=float(std_error),
                df=nan,
                statistic=float(statistic),
                p_value=float(p),
                conf_low=float(low),
                conf_high=float(high),
                n_pupils=self.n_pupils,
                n_schools=self.n_schools,
                method=f"randomisation inference, {self.statistic}, {how}",
                note=note,
            )
            for term, estimate, std_error, statistic, p, (low, high) in rows
        )
