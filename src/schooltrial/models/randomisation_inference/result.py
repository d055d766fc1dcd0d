"""The result of randomisation inference."""

from __future__ import annotations

from dataclasses import dataclass

from schooltrial.models.inference.resampled import ResampledTest
from schooltrial.models.randomisation_inference.statistics import Statistic


@dataclass(frozen=True, eq=False, repr=False)
class RandomisationTest(ResampledTest):
    """Effects on one outcome or more, tested by the same re-randomisations.

    Attributes
    ----------
    term, outcomes, coefficients, outcome_errors, distribution, p_values, n_rows, n_clusters,
    inversions
        As for ``ResampledTest``.
    statistic : str
        What was compared: ``studentised``, ``coefficient``, ``HC2`` or ``classical``.
    undefined : int
        Draws whose statistic does not exist (assignment collinear with the covariates); they are
        counted as extreme.
    rerandomised : bool
        Whether re-draws were held to an acceptance rule.
    """

    statistic: Statistic
    undefined: int
    rerandomised: bool = False

    @property
    def method(self) -> str:
        """What was computed, in words."""
        draws = len(self.distribution.draws)
        how = f"all {draws:,} assignments" if self.distribution.exact else f"{draws:,} draws"
        how += " that meet the design's criterion of balance" if self.rerandomised else ""
        return f"randomisation inference, {self.statistic}, {how}"

    def _remark(self, at: int) -> str:
        return f"{self.undefined} draws undefined, counted as extreme" if self.undefined else ""

    def _remarks(self) -> tuple[str, ...]:
        return tuple(filter(None, [self._remark(0)]))

    def _kind_of_fit(self) -> str:
        return "a randomisation test, which compares one effect with re-randomised assignments"
