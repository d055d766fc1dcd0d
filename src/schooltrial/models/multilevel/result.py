"""A fitted multilevel model: coefficients, variance components, contrasts and tests.

What is cheap is computed when the model is fitted; covariance adjustments, school effects, the
intraclass correlation and the comparison with the empty model are computed when they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from schooltrial.arrays import FloatArray
from schooltrial.models.inference.estimate import Estimate, f_estimate
from schooltrial.models.moments.school_moments import SchoolMoments
from schooltrial.models.multilevel.intraclass_correlation import (
    IntraclassCorrelation,
    intraclass_correlations,
)
from schooltrial.models.multilevel.kenward_roger import (
    KenwardRoger,
    ScaledF,
    adjust_covariance,
    scaled_f,
)
from schooltrial.models.multilevel.random_effects import RandomEffects, predict_effects
from schooltrial.models.multilevel.satterthwaite import (
    Satterthwaite,
    prepare_satterthwaite,
    satterthwaite_f,
)
from schooltrial.models.reml.centred_regressors import CentredMoments
from schooltrial.models.reml.newton import Search
from schooltrial.models.reml.profile_likelihood import Profile, VarianceModel, profile
from schooltrial.models.reml.relative_covariance import CholeskyRatio

DegreesOfFreedom = Literal["kenward-roger", "satterthwaite", "normal"]


_METHOD = {
    "kenward-roger": "Kenward-Roger",
    "satterthwaite": "Satterthwaite",
    "normal": "normal",
}


class VarianceTerm(NamedTuple):
    """What a variance ratio belongs to: ``second`` is set for a covariance."""

    level: str
    first: str
    second: str | None = None


class VarianceComponent(NamedTuple):
    """A variance or covariance with its large-sample standard error.

    Attributes
    ----------
    level : str
        ``"school"``, the name of the groups, or ``"residual"``.
    first, second : str, str or None
        Coefficient that varies, and for a covariance the other one.
    estimate, std_error : float
        In squared units of the outcome. The standard error rests on the expected information (REML)
        or the observed one (ML); a variance near zero is far from normal, whatever its error.
    """

    level: str
    first: str
    second: str | None
    estimate: float
    std_error: float


@dataclass(frozen=True)
class MultilevelFit:
    """A multilevel model fitted by REML or ML.

    Attributes
    ----------
    moments : SchoolMoments
        What it was fitted to.
    model : VarianceModel
        Covariance structure, over centred columns.
    centred : CentredMoments
        The centring, and the way back.
    shape : CholeskyRatio
        Which ratios there are.
    terms : tuple of VarianceTerm
        What each ratio belongs to.
    search : Search
        The end of the search, with its diagnostics.
    structure : str
        The random effects, in words.
    """

    moments: SchoolMoments
    model: VarianceModel
    centred: CentredMoments
    shape: CholeskyRatio
    terms: tuple[VarianceTerm, ...]
    search: Search
    structure: str

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the coefficients."""
        return self.moments.fixed

    @property
    def reml(self) -> bool:
        """Return whether the fit is by REML."""
        return self.search.profile.reml

    @property
    def converged(self) -> bool:
        """Return whether gradient, curvature and boundary checks all passed."""
        return self.search.converged

    @property
    def singular(self) -> bool:
        """Return whether a variance component is on its boundary."""
        return self.search.singular

    @property
    def criterion(self) -> float:
        """Return −2 log REML (or −2 log L), all constants included."""
        return self.search.profile.deviance

    @property
    def sigma2(self) -> float:
        """Return the residual (pupil-level) variance σ²_e."""
        return self.search.profile.sigma2

    @property
    def ratio(self) -> FloatArray:
        """Return λ, the (co)variances divided by σ²_e."""
        return self.search.profile.ratio

    @cached_property
    def beta(self) -> FloatArray:
        """Generalised least-squares coefficients, shape (p,)."""
        return self.centred.back @ self.search.profile.beta + self.centred.offset

    @cached_property
    def covariance(self) -> FloatArray:
        """Model-based covariance of the coefficients, Φ = σ²_e C⁻¹, shape (p, p)."""
        back = self.centred.back
        return back @ (self.sigma2 * self.search.profile.inverse) @ back.T

    @cached_property
    def adjustment(self) -> KenwardRoger:
        """Kenward & Roger's adjustment, in the centred coefficients."""
        return adjust_covariance(self.search.profile, self.moments.n_rows)

    @cached_property
    def covariance_kr(self) -> FloatArray:
        """Covariance adjusted by Kenward & Roger, Φ_A, shape (p, p)."""
        back = self.centred.back
        return back @ self.adjustment.adjusted @ back.T

    @cached_property
    def _observed(self) -> Satterthwaite:
        return prepare_satterthwaite(self.search.profile)

    @cached_property
    def variance_covariance(self) -> FloatArray:
        """Large-sample covariance of (σ²_e, then σ²_e λ), shape (r + 1, r + 1)."""
        if self.reml:
            return self.adjustment.weights
        jacobian = np.eye(len(self.ratio) + 1) * self.sigma2
        jacobian[0, 0] = 1.0
        jacobian[1:, 0] = self.ratio
        return jacobian @ self._observed.covariance @ jacobian.T

    @cached_property
    def variance_components(self) -> tuple[VarianceComponent, ...]:
        """(Co)variances of all levels, the residual one last."""
        error = np.sqrt(np.diagonal(self.variance_covariance))
        rows = [
            VarianceComponent(*term, float(self.sigma2 * ratio), float(se))
            for term, ratio, se in zip(self.terms, self.ratio, error[1:], strict=True)
        ]
        residual = VarianceComponent("residual", "", None, self.sigma2, float(error[0]))
        return (*rows, residual)

    def variance(self, level: str) -> float:
        """Return the variance of the intercepts of a level, or the residual variance."""
        for term, ratio in zip(self.terms, self.ratio, strict=True):
            if term.level == level and term.second is None and term.first == "(Intercept)":
                return float(self.sigma2 * ratio)
        if level == "residual":
            return self.sigma2
        levels = ", ".join(dict.fromkeys(term.level for term in self.terms))
        raise ValueError(f"no level {level!r}; the model has {levels} and residual")

    def degrees_of_freedom(self, contrasts: FloatArray, df: DegreesOfFreedom) -> FloatArray:
        """Return the degrees of freedom of each contrast.

        At a singular fit Satterthwaite's df rest on the expected information, and by either
        method no contrast of school-level regressors has more than J − (school-level rank); see
        ``satterthwaite``. Elsewhere both are as R's lmerTest and pbkrtest have them.

        Parameters
        ----------
        contrasts : array, shape (k, p)
        df : str
            ``"kenward-roger"``, ``"satterthwaite"`` or ``"normal"`` (infinite).
        """
        _check_method(df)
        if df == "normal":
            return np.full(len(contrasts), np.inf)
        inner = contrasts @ self.centred.back
        if not self.singular:
            rule = self.adjustment if df == "kenward-roger" else self._observed
            return rule.degrees(inner)
        by_reml = self.reml or df == "kenward-roger"
        expected = (
            self.adjustment if by_reml else adjust_covariance(self._as_reml, self.moments.n_rows)
        )
        found = expected.degrees(inner)
        limit = self.moments.n_schools - self.centred.school_rank
        pupil_level = ~self.moments.school_level[:-1]
        between = ~np.any(contrasts[:, pupil_level] != 0, axis=1)
        return np.where(between, np.minimum(found, limit), found)

    @cached_property
    def _as_reml(self) -> Profile:
        return profile(self.model, self.ratio, reml=True)

    def estimates(
        self,
        terms: Sequence[str] | None = None,
        df: DegreesOfFreedom = "kenward-roger",
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return a row for each coefficient.

        Parameters
        ----------
        terms : sequence of str, optional
            Coefficients wanted; all by default.
        df : str
            ``"kenward-roger"`` (standard errors adjusted too), ``"satterthwaite"`` or ``"normal"``.
        level : float
            Coverage of the intervals.
        """
        names = self.names
        listed = (terms,) if isinstance(terms, str) else terms
        wanted = names if listed is None else tuple(listed)
        at = [names.index(t) if t in names else self._unknown(t) for t in wanted]
        return self.contrasts(np.eye(len(names))[at], terms=wanted, df=df, level=level)

    def contrast(
        self,
        contrast: Sequence[float] | FloatArray,
        *,
        term: str = "contrast",
        df: DegreesOfFreedom = "kenward-roger",
        level: float = 0.95,
    ) -> Estimate:
        """Return the row of one contrast c'β, c of shape (p,)."""
        row = np.asarray(contrast, dtype=float)[None, :]
        return self.contrasts(row, terms=(term,), df=df, level=level)[0]

    def contrasts(
        self,
        contrasts: FloatArray,
        *,
        terms: Sequence[str],
        df: DegreesOfFreedom = "kenward-roger",
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return a row for each contrast, ``contrasts`` of shape (k, p)."""
        self._check_contrasts(contrasts)
        degrees = self.degrees_of_freedom(contrasts, df)
        covariance = self.covariance_kr if df == "kenward-roger" else self.covariance
        error = np.sqrt(((contrasts @ covariance) * contrasts).sum(axis=1))
        estimate = contrasts @ self.beta
        statistic = estimate / error
        finite = np.minimum(degrees, 1e10)  # the t law there is the normal one to all digits
        p_value = 2.0 * special.stdtr(finite, -np.abs(statistic))
        half = special.stdtrit(finite, 0.5 + level / 2.0) * error
        columns = (estimate, error, degrees, statistic, p_value, estimate - half, estimate + half)
        rows = np.column_stack(columns).tolist()
        n_pupils, n_schools = self.moments.n_rows, self.moments.n_schools
        method, converged, note = self.method(df), self.converged, self.note
        return tuple(
            Estimate(term, *row, n_pupils, n_schools, method, converged, note)  # type: ignore[call-arg]
            for term, row in zip(terms, rows, strict=True)
        )

    def joint_test(
        self,
        contrasts: FloatArray,
        *,
        term: str = "joint",
        df: DegreesOfFreedom = "kenward-roger",
    ) -> Estimate:
        """Test Lβ = 0 for several contrasts at once, ``contrasts`` of shape (k, p).

        Kenward & Roger's scaled F; or, by Satterthwaite, the mean of squared independent t with
        the denominator df that match its mean (Fai & Cornelius 1996, as in lmerTest).
        """
        _check_method(df)
        self._check_contrasts(contrasts)
        if df == "normal":
            raise ValueError(
                "a joint test needs denominator degrees of freedom; expected df='kenward-roger' or "
                "'satterthwaite'"
            )
        if df == "kenward-roger":
            test = self.scaled_f(contrasts)
        else:
            values, vectors = np.linalg.eigh(contrasts @ self.covariance @ contrasts.T)
            rotated = vectors.T @ contrasts
            t = (rotated @ self.beta) / np.sqrt(values)
            test = satterthwaite_f(t, self.degrees_of_freedom(rotated, df))
        return f_estimate(
            term, test.statistic, test.df_num, test.df_denom, n_pupils=self.moments.n_rows,
            n_schools=self.moments.n_schools, method=self.method(df), converged=self.converged,
            note=self.note,
        )  # fmt: skip

    def scaled_f(self, contrasts: FloatArray) -> ScaledF:
        """Return Kenward & Roger's F of Lβ = 0 with its scaling."""
        self._check_contrasts(contrasts)
        return scaled_f(self.adjustment, contrasts @ self.centred.back, contrasts @ self.beta)

    def deviance(self, ratio: Sequence[float] | FloatArray) -> float:
        """Return the profiled deviance at given variance ratios λ."""
        return profile(self.model, np.asarray(ratio, dtype=float), reml=self.reml).deviance

    def random_effects(self, level: str = "school") -> RandomEffects:
        """Return the predicted effects (BLUP) of a level, with standard errors."""
        return predict_effects(self.model, self.search.profile, self.moments, level, self.terms)

    def icc(self, level: float = 0.95) -> tuple[IntraclassCorrelation, ...]:
        """Return the intraclass correlation of each level above the pupils, with an interval."""
        return intraclass_correlations(self.model, self.search.profile, self.terms, level)

    def diagnostics(self) -> dict[str, float | int | bool | str]:
        """Return how the search ended, in plain values: see ``variance_search.Search``."""
        search = self.search
        return {
            "converged": search.converged,
            "singular": search.singular,
            "message": search.message,
            "iterations": search.iterations,
            "evaluations": search.evaluations,
            "largest_gradient": search.gradient,
            "newton_decrement": search.decrement,
            "criterion": self.criterion,
        }

    @property
    def note(self) -> str:
        """What a reader must know beside the numbers."""
        notes = []
        if self.singular:
            zero = [
                f"{term.level} {term.first}".replace(" (Intercept)", "")
                for term, ratio in zip(self.terms, self.ratio, strict=True)
                if term.second is None and ratio == 0
            ]
            what = f"variance estimated at zero: {', '.join(zero)}" if zero else "correlation ±1"
            notes.append(f"singular ({what})")
        if not self.converged:
            notes.append(self.search.message)
        return "; ".join(notes)

    def method(self, df: DegreesOfFreedom) -> str:
        """Return what was computed, in words."""
        return f"{'REML' if self.reml else 'ML'}, {self.structure}, {_METHOD[df]}"

    def _check_contrasts(self, contrasts: FloatArray) -> None:
        if contrasts.ndim != 2 or contrasts.shape[1] != len(self.names):
            raise ValueError(
                f"contrasts have shape {contrasts.shape}; expected one column for each of the "
                f"{len(self.names)} coefficients: {', '.join(self.names)}"
            )

    def _unknown(self, term: str) -> int:
        raise ValueError(
            f"no coefficient {term!r}; the model has {', '.join(self.names)}: name one of these"
        )


def _check_method(df: str) -> None:
    if df not in _METHOD:
        raise ValueError(
            f"degrees of freedom {df!r} are not known; expected one of {', '.join(_METHOD)}"
        )
