"""What the wild cluster bootstrap finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.inference.inversion import InvertibleTest
from schooltrial.models.inference.reference_distribution import ReferenceDistribution


@dataclass(frozen=True, eq=False)
class WildBootstrap:
    """Tests of one coefficient (on one outcome or more) or of several restrictions jointly.

    Attributes
    ----------
    terms : tuple of str
        The outcomes (K), or the joint hypothesis.
    estimate, std_error : arrays (K,)
        Coefficients and their CR1 standard errors; NaN for a joint test.
    distribution : ReferenceDistribution
        t (or F) statistics, observed and of the bootstrap samples with the null imposed.
    p_value : array (K,)
        Symmetric: of |t|, or of F; ties counted.
    weights : str
        ``rademacher`` or ``webb``.
    restrictions : int
        1, or the number of a joint test.
    n_pupils, n_schools : int
    inversions : tuple of InvertibleTest
        Empty when no interval was asked for.
    """

    terms: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    distribution: ReferenceDistribution
    p_value: FloatArray
    weights: str
    restrictions: int
    n_pupils: int
    n_schools: int
    inversions: tuple[InvertibleTest, ...]

    def interval(self, level: float = 0.95) -> FloatArray:
        """Return the values not rejected at 1 − level, (K, 2), by inversion of the test."""
        if not self.inversions:
            return np.full((len(self.terms), 2), nan)
        return np.array([test.interval(level) for test in self.inversions])

    def estimates(
        self, terms: Sequence[str] | None = None, level: float = 0.95
    ) -> tuple[Estimate, ...]:
        """Return a row for each outcome, or the one of the joint test."""
        draws = len(self.distribution.draws)
        how = f"all {draws:,} samples" if self.distribution.exact else f"{draws:,} draws"
        joint = f"F({self.restrictions}, {self.n_schools - 1})"
        rows = zip(
            self.terms if terms is None else terms, self.estimate, self.std_error,
            self.distribution.observed, self.p_value, self.interval(level), strict=True,
        )  # fmt: skip
        return tuple(
            Estimate(
                term=term,
                estimate=float(estimate),
                std_error=float(std_error),
                df=float(self.n_schools - 1),
                statistic=float(statistic),
                p_value=float(p),
                conf_low=float(low),
                conf_high=float(high),
                n_pupils=self.n_pupils,
                n_schools=self.n_schools,
                method=f"wild cluster bootstrap, {self.weights}, {how}",
                note=joint if np.isnan(estimate) else "",
            )
            for term, estimate, std_error, statistic, p, (low, high) in rows
        )
