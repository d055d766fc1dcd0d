"""What tests by re-drawing have in common: their rows of the estimates table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isinf, nan
from typing import Any

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.inference.inversion import InvertibleTest
from schooltrial.models.inference.reference_distribution import ReferenceDistribution
from schooltrial.models.inference.result import Result
from schooltrial.wording import exact


@dataclass(frozen=True, eq=False, repr=False)
class ResampledTest(Result):
    """Randomisation tests of one coefficient, on one outcome or more.

    Attributes
    ----------
    term : str
        The coefficient, or the joint hypothesis.
    outcomes : tuple of str
        Names (K).
    coefficients, outcome_errors : arrays (K,)
        Observed coefficients and the standard errors that studentise them.
    distribution : ReferenceDistribution
        Statistics, observed and re-drawn, jointly for all outcomes.
    p_values : array (K,)
        Two-sided, ties counted.
    n_rows, n_clusters : int
    inversions : tuple of InvertibleTest
        Empty when no interval was asked for.
    """

    term: str
    outcomes: tuple[str, ...]
    coefficients: FloatArray
    outcome_errors: FloatArray
    distribution: ReferenceDistribution
    p_values: FloatArray
    n_rows: int
    n_clusters: int
    inversions: tuple[InvertibleTest, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The coefficient; the outcomes where there are several."""
        return (self.term,) if len(self.outcomes) == 1 else self.outcomes

    @property
    def reference_df(self) -> float:
        """Degrees of freedom for the table; a test by re-drawing has none of a t."""
        return nan

    def _remark(self, at: int) -> str:
        """Return the note of one row."""
        return ""

    def predict(self, data: Any | None = None, *, random_effects: bool = False) -> FloatArray:
        """Raise: only the coefficient that is tested is kept."""
        self._refuse("a prediction", "fit the model itself, by least squares")

    def interval(self, level: float = 0.95) -> FloatArray:
        """Return the effects not rejected at 1 − level, (K, 2), by inversion of the test."""
        if not self.inversions:
            return np.full((len(self.outcomes), 2), nan)
        return np.array([test.interval(level) for test in self.inversions])

    def estimates(
        self,
        terms: str | Sequence[str] | None = None,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return the row of the coefficient, or one for each of several outcomes."""
        self._refuse_choice(vcov, df)
        chosen, _ = self._selected(terms)
        at = [self.position(term) for term in chosen]
        ends = [self.inversions[k].interval(level) if self.inversions else (nan, nan) for k in at]
        return tuple(
            Estimate(
                term=term,
                estimate=float(self.coefficients[k]),
                std_error=float(self.outcome_errors[k]),
                df=self.reference_df,
                statistic=float(self.distribution.observed[k]),
                p_value=float(self.p_values[k]),
                conf_low=float(low) if isfinite(low) else nan,
                conf_high=float(high) if isfinite(high) else nan,
                n_individuals=self.n_rows,
                n_schools=self.n_clusters,
                method=self.method,
                note="; ".join(filter(None, [self._remark(k), _open_ends(low, high, level)])),
            )
            for term, k, (low, high) in zip(chosen, at, ends, strict=True)
        )


def _open_ends(low: float, high: float, level: float) -> str:
    """Say which ends an interval does not have; nothing where it has both or was not asked for."""
    lacking = [name for name, end in (("lower", low), ("upper", high)) if isinf(end)]
    if not lacking:
        return ""
    return (
        f"the {exact(100 * level)}% interval has no {' and no '.join(lacking)} end: no effect on "
        "that side, however large, is rejected at this level"
    )
