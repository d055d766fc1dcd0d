"""What the wild cluster bootstrap finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schooltrial.models.inference.resampled import ResampledTest


@dataclass(frozen=True, eq=False, repr=False)
class WildBootstrap(ResampledTest):
    """Tests of one coefficient (on one outcome or more) or of several restrictions jointly.

    Attributes
    ----------
    term, outcomes, coefficients, outcome_errors, distribution, p_values, n_rows, n_clusters,
    inversions
        As for ``ResampledTest``; standard errors are CR1, and both are NaN for a joint test, whose
        statistic is F.
    weights : str
        ``rademacher`` or ``webb``.
    restrictions : int
        1, or the number of a joint test.
    """

    weights: str
    restrictions: int

    @property
    def method(self) -> str:
        """What was computed, in words."""
        draws = len(self.distribution.draws)
        how = f"all {draws:,} samples" if self.distribution.exact else f"{draws:,} draws"
        return f"wild cluster bootstrap, {self.weights}, {how}"

    @property
    def reference_df(self) -> float:
        """Schools − 1, which the t of the samples would have."""
        return float(self.n_clusters - 1)

    def _remark(self, at: int) -> str:
        joint = f"F({self.restrictions}, {self.n_clusters - 1})"
        return joint if np.isnan(self.coefficients[at]) else ""

    def _kind_of_fit(self) -> str:
        return "a wild cluster bootstrap, which tests one hypothesis by bootstrap samples"
