"""The result of a least-squares fit with a robust variance: what can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan, nan

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from schooltrial.arrays import FloatArray
from schooltrial.models.cluster_robust.degrees_of_freedom import (
    FITTED_EXACTLY,
    SINGULAR,
    Influence,
    Moments,
    hotelling_scale,
    missed_share,
    note,
    satterthwaite,
)
from schooltrial.models.cluster_robust.scores import ADJUSTMENTS, ROW_ADJUSTMENTS, Scores
from schooltrial.models.inference.estimate import Estimate, f_estimate, t_estimate
from schooltrial.models.inference.hypothesis import Hypothesis, read_hypothesis
from schooltrial.models.inference.outcome_variation import ROUNDING
from schooltrial.models.inference.result import Result
from schooltrial.models.inference.wald import wald_statistic
from schooltrial.models.least_squares.parameter_counts import ParameterCounts

JOINT_TESTS = ("AHT", "naive-F", "naive-Fp", "chi-squared")


def _repeats(C: FloatArray) -> bool:
    """Return whether some contrasts follow from the others, whatever their size."""
    length = np.linalg.norm(C, axis=1)
    return not (length > 0).all() or np.linalg.matrix_rank(C / length[:, None]) < len(C)


@dataclass(frozen=True)
class JointTest:
    """A Wald test of several contrasts.

    Attributes
    ----------
    statistic : float
        F = delta · Q/q, with Q the Wald statistic.
    df_num, df_denom : float
        Its degrees of freedom.
    p_value : float
        Upper tail.
    delta : float
        Scale of the approximate Hotelling test; 1 for the naive ones.
    row : Estimate
        The same as a row of the estimates table.
    """

    statistic: float
    df_num: int
    df_denom: float
    p_value: float
    delta: float
    row: Estimate


@dataclass(frozen=True, eq=False, repr=False)
class LeastSquaresFit(Result):
    """OLS, WLS or 2SLS with a cluster-robust (or heteroskedasticity-robust) variance.

    Attributes
    ----------
    names : tuple of str
        Estimated coefficients.
    dropped : tuple of str
        Columns left out because earlier ones, or absorbed effects, determine them.
    coefficients : (p,) array
        Estimates, in the order of ``names``.
    root : (p, m) array
        Map from whitened coordinates to coefficients; root root' = (X'WX)⁻¹.
    scores : Scores
        The clusters (or rows), in whitened coordinates.
    counts : ParameterCounts
        Parameters spent.
    n_rows, n_clusters : int
        Rows N and clusters J; without clusters every row counts as one.
    residual_ss, total_ss : float
        (Weighted, weights of mean one) sums of squares.
    estimator : str
        ``"OLS"``, ``"WLS"`` or ``"2SLS"``, for the table.
    clustered : bool
        Whether clusters were given.
    default_vcov, default_df : str
        What estimates use unless told: empty for CR2 with Satterthwaite df, or HC2 with N − k
        without clusters.
    """

    names: tuple[str, ...]
    dropped: tuple[str, ...]
    coefficients: FloatArray
    root: FloatArray
    scores: Scores
    counts: ParameterCounts
    n_rows: int
    n_clusters: int
    residual_ss: float
    total_ss: float
    estimator: str = "OLS"
    clustered: bool = True
    default_vcov: str = ""
    default_df: str = ""

    @property
    def method(self) -> str:
        """What was computed, in words."""
        kind = self._kind(None)
        return self._label(kind, self._df(None, kind))

    def _label(self, kind: str, df: str) -> str:
        reference = "Satterthwaite df" if df == "satterthwaite" else f"df {df}"
        return f"{self.estimator}, {kind}, {reference}"

    def _remarks(self) -> tuple[str, ...]:
        gone = ", ".join(self.dropped)
        return (f"left out, since other columns determine them: {gone}",) if gone else ()

    def _more_lines(self) -> list[str]:
        if self.estimator == "2SLS":
            return []
        return [f"R² {self.r_squared:.4g}, residual SD {self.residual_variance**0.5:.4g}"]

    @property
    def residual_variance(self) -> float:
        """Residual sum of squares over N − (all parameters)."""
        return self.residual_ss / (self.n_rows - self.counts.all)

    @property
    def r_squared(self) -> float:
        """Share of the outcome's variation that the model, absorbed effects included, explains."""
        return 1.0 - self.residual_ss / self.total_ss if self.total_ss > 0 else nan

    @property
    def adjusted_r_squared(self) -> float:
        """R² with both sums of squares over their degrees of freedom."""
        if not self.total_ss > 0:
            return nan
        return 1.0 - self.residual_variance / (self.total_ss / (self.n_rows - 1))

    @property
    def _kinds(self) -> dict[str, str]:
        return ADJUSTMENTS if self.clustered else {"classical": "", **ROW_ADJUSTMENTS}

    def small_sample_factor(self, kind: str, parameters: str = "unnested") -> float:
        """Return what multiplies the sum of squared scores.

        CR1: J/(J − 1). CR1S (Stata): J(N − 1)/((J − 1)(N − k)). CR1p: J/(J − k). HC1: N/(N − k).
        Others: 1.

        Parameters
        ----------
        kind : str
            A CR or HC type.
        parameters : {"unnested", "all", "slopes"}
            How absorbed effects count in k.
        """
        if kind not in self._kinds:
            state = "with" if self.clustered else "without"
            raise ValueError(
                f"there is no {kind!r} for a fit {state} clusters; choose from "
                f"{', '.join(self._kinds)}"
            )
        J, N, k = self.n_clusters, self.n_rows, self.counts.by(parameters)
        if kind == "CR1":
            return J / (J - 1)
        if kind == "CR1S":
            return J * (N - 1) / ((J - 1) * (N - k))
        if kind == "CR1p":
            return J / (J - k) if k < J else nan
        return N / (N - self.counts.all) if kind == "HC1" else 1.0

    def _contrast_covariance(self, C: FloatArray, kind: str, parameters: str) -> FloatArray:
        factor = self.small_sample_factor(kind, parameters)
        mapped = (C @ self.root).T
        if kind == "classical":
            classical: FloatArray = self.residual_variance * (mapped.T @ mapped)
            return classical
        return factor * self.scores.meat(self._kinds[kind], mapped)

    def covariance(self, *, vcov: str | None = None, parameters: str = "unnested") -> FloatArray:
        """Return the covariance matrix of the coefficients.

        Parameters
        ----------
        vcov : {"CR0", "CR1", "CR1S", "CR1p", "CR2", "CR3"}
            Which correction; CR2 by default. CR1p is NaN where there are no more clusters than
            coefficients. Without clusters: classical, HC0, HC1, HC2 (default), HC3, HC4, HC4m, HC5.
        parameters : {"unnested", "all", "slopes"}
            How absorbed effects count in CR1S and CR1p: those nested in clusters as one
            (fixest's default), all (areg, estimatr) or none (plm).

        Returns
        -------
        (p, p) array
        """
        return self._contrast_covariance(np.eye(len(self.names)), self._kind(vcov), parameters)

    def _kind(self, kind: str | None) -> str:
        return kind or self.default_vcov or ("CR2" if self.clustered else "HC2")

    def influence(self, kind: str, contrasts: FloatArray) -> Influence:
        """Return the pieces of the working covariance of the contrasts, (q, p)."""
        return self.scores.influence(self._kinds.get(kind, ""), (contrasts @ self.root).T)

    def _moments(self, kind: str, C: FloatArray) -> Moments:
        adjustment = self._kinds.get(kind, "")
        return satterthwaite(self.scores.parts(adjustment, (C @ self.root).T))

    def degrees_of_freedom(
        self,
        kind: str | None = None,
        df: str | None = None,
        contrasts: FloatArray | None = None,
    ) -> FloatArray:
        """Return the reference degrees of freedom of each contrast (default: each coefficient)."""
        C = np.eye(len(self.names)) if contrasts is None else contrasts
        df = self._df(df, self._kind(kind))
        if df == "satterthwaite":
            return self._moments(self._kind(kind), C).df
        fixed = {"residual": float(self.n_rows - self.counts.all), "normal": inf}
        if self.clustered:
            fixed["clusters-1"] = float(self.n_clusters - 1)
        if df not in fixed:
            raise ValueError(f"df must be satterthwaite, {', '.join(fixed)}, not {df!r}")
        return np.full(len(C), fixed[df])

    def _df(self, df: str | None, kind: str) -> str:
        own = self.default_df if kind == self.default_vcov else ""
        return df or own or ("satterthwaite" if self.clustered else "residual")

    def position(self, term: str) -> int:
        """Return the position of a coefficient, or say why there is none."""
        if term in self.dropped:
            raise ValueError(
                f"{term!r} was dropped: the other columns or the absorbed effects determine it"
            )
        return super().position(term)

    def estimates(
        self,
        terms: str | Sequence[str] | None = None,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
        parameters: str = "unnested",
    ) -> tuple[Estimate, ...]:
        """Return a row for each coefficient.

        Parameters
        ----------
        terms : str or sequence of str, optional
            Which coefficients; all by default.
        vcov : str, optional
            Type of the variance; CR2, or HC2 without clusters.
        df : {"satterthwaite", "clusters-1", "residual", "normal"}, optional
            Reference distribution; Satterthwaite, or residual without clusters.
        level : float
            Of the confidence interval.
        parameters : str
            See ``covariance``.
        """
        chosen, C = self._selected(terms)
        return self._combined(chosen, C, vcov=vcov, df=df, level=level, parameters=parameters)

    def _combined(
        self,
        terms: Sequence[str],
        matrix: FloatArray,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
        parameters: str = "unnested",
    ) -> tuple[Estimate, ...]:
        kind, C = self._kind(vcov), matrix
        df = self._df(df, kind)
        variances = np.diag(self._contrast_covariance(C, kind, parameters))
        varies = self._varies(C, variances)
        degrees, notes = self._reference_t(kind, df, C, varies)
        errors = np.sqrt(np.maximum(variances, 0.0))
        label = self._label(kind, df)
        errors = np.where(np.isnan(degrees), nan, errors)
        points = C @ self.coefficients
        return tuple(
            t_estimate(
                term, float(point), float(error), float(nu),
                n_individuals=self.n_rows, n_schools=self.n_clusters, method=label, level=level,
                note=said,
            )
            for term, point, error, nu, said in zip(
                terms, points, errors, degrees, notes, strict=True
            )
        )  # fmt: skip

    def _varies(self, C: FloatArray, variances: FloatArray) -> NDArray[np.bool_]:
        """Return which contrasts have a variance that is more than the rounding of zero.

        The yardstick is their classical variance, were nothing of the outcome explained.
        """
        mapped = (C @ self.root).T
        spread = self.total_ss if self.n_rows else nan
        largest = spread / self.n_rows * np.sum(mapped**2, axis=0)
        # A variance that is not known (CR1p with few clusters) is no rounding: it stays NaN.
        return np.asarray(~(variances <= ROUNDING * largest))

    def _reference_t(
        self, kind: str, df: str, C: FloatArray, varies: NDArray[np.bool_]
    ) -> tuple[FloatArray, list[str]]:
        """Return the df of contrasts, and the notes on them."""
        moments = self._moments(kind, C) if self.clustered else None
        missed = np.zeros(len(C)) if moments is None else self._missed(moments, C)
        own = moments.df if moments is not None and df == "satterthwaite" else None
        degrees = self.degrees_of_freedom(kind, df, C) if own is None else own
        counted = degrees if df == "satterthwaite" else np.full(len(C), inf)
        notes = [
            note(kind, share, nu, varies=bool(moves))
            for share, nu, moves in zip(missed, counted, varies, strict=True)
        ]
        return np.where((missed > FITTED_EXACTLY) | ~varies, nan, degrees), notes

    def _missed(self, moments: Moments, C: FloatArray) -> FloatArray:
        """Return the share of each contrast's variance that clusters fit exactly, so hiding it."""
        truth = self.scores.working_variance((C @ self.root).T)
        return missed_share(moments.expectation, truth)

    def joint_test(
        self,
        hypothesis: Sequence[str] | ArrayLike,
        *,
        vcov: str | None = None,
        test: str | None = None,
        name: str | None = None,
        parameters: str = "unnested",
    ) -> JointTest:
        """Test a linear hypothesis, with the details of the test that ``test`` leaves out.

        Parameters
        ----------
        hypothesis : str, sequence of str or (q, p) array_like
            As for ``test``: names of coefficients, an equation or a matrix of contrasts.
        vcov : str, optional
            Type of the variance; CR2, or HC2 without clusters.
        test : {"AHT", "naive-F", "naive-Fp", "chi-squared"}, optional
            Approximate Hotelling (HTZ of Pustejovsky & Tipton 2018), the default with clusters;
            F on J − 1 df (N − k without clusters); F on J − k; χ²/q.
        name : str, optional
            Name of the row.
        parameters : str
            See ``covariance``.

        Returns
        -------
        JointTest

        Raises
        ------
        ValueError
            If there are no more clusters than contrasts, or contrasts repeat one another.
        """
        read = read_hypothesis(hypothesis, self.names, self.position)
        return self._joint_test(
            read, self._kind(vcov), test or ("AHT" if self.clustered else "naive-F"),
            name or read.label, parameters,
        )  # fmt: skip

    def _tested(
        self,
        hypothesis: Hypothesis,
        *,
        name: str,
        vcov: str | None = None,
        df: str | None = None,
    ) -> Estimate:
        kind = self._kind(vcov)
        df = self._df(df, kind)
        tests = {"satterthwaite": "AHT", "normal": "chi-squared"}
        tests["clusters-1" if self.clustered else "residual"] = "naive-F"
        if df not in tests:
            raise ValueError(f"df of a test must be {', '.join(tests)}, not {df!r}")
        return self._joint_test(hypothesis, kind, tests[df], name, "unnested").row

    def _joint_test(
        self, hypothesis: Hypothesis, kind: str, test: str, name: str, parameters: str
    ) -> JointTest:
        C = hypothesis.matrix
        q = len(C)
        if q >= self.n_clusters:
            raise ValueError(
                f"{q} contrasts cannot be tested jointly with {self.n_clusters} clusters; test "
                f"fewer than {self.n_clusters} at once"
            )
        if _repeats(C):
            raise ValueError(
                "some contrasts of the hypothesis follow from the others; leave those out"
            )
        b = C @ self.coefficients - hypothesis.values
        V = self._contrast_covariance(C, kind, parameters)
        wald = wald_statistic(b, V)
        delta, denominator = self._reference(test, kind, C, self.counts.by(parameters))
        missed = float(self._missed(self._moments(kind, C), C).max()) if self.clustered else 0.0
        varies = bool(self._varies(C, np.diag(V)).all())
        if missed > FITTED_EXACTLY or not varies:
            wald = nan
        statistic = delta * wald / q if delta > 0 else nan
        why = "" if denominator > 0 else "no F: too few clusters for this many contrasts"
        if denominator > 0 and isnan(wald):
            why = SINGULAR
        row = f_estimate(
            name, statistic, q, denominator,
            n_individuals=self.n_rows, n_schools=self.n_clusters,
            method=f"{self.estimator}, {kind}, {test}",
            note=note(kind, missed, inf, varies=varies) or why,
        )  # fmt: skip
        p = row.p_value if isfinite(denominator) else float(special.chdtrc(q, wald))
        return JointTest(statistic, q, denominator, p, delta, row)

    def _reference(
        self, test: str, kind: str, C: FloatArray, parameters: int
    ) -> tuple[float, float]:
        q = len(C)
        if test == "AHT":
            eta = hotelling_scale(self.influence(kind, C))
            return (eta - q + 1) / eta, eta - q + 1
        residual = float(self.n_rows - self.counts.all)
        fixed = {
            "naive-F": float(self.n_clusters - 1) if self.clustered else residual,
            "naive-Fp": float(self.n_clusters - parameters),
            "chi-squared": inf,
        }
        if test not in fixed:
            raise ValueError(f"there is no joint test {test!r}; choose from {JOINT_TESTS}")
        return 1.0, fixed[test]
