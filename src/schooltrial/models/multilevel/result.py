"""A fitted multilevel model: coefficients, variance components, contrasts and tests.

What is cheap is computed when the model is fitted; covariance adjustments, school effects, the
intraclass correlation and the comparison with the empty model are computed when they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict, get_args

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.inference.estimate import Estimate, f_estimate, t_estimate
from schooltrial.models.inference.hypothesis import Hypothesis, check_weights
from schooltrial.models.inference.result import Result
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
from schooltrial.models.multilevel.slope_coding import SlopeCoding
from schooltrial.models.reml.centred_regressors import CentredMoments
from schooltrial.models.reml.newton import Search
from schooltrial.models.reml.profile_likelihood import Profile, VarianceModel, profile
from schooltrial.models.reml.relative_covariance import CholeskyRatio

if TYPE_CHECKING:
    from schooltrial.models.effect_size.pupil_level import EffectSize

DegreesOfFreedom = Literal["kenward-roger", "satterthwaite", "normal"]


_METHOD = {
    "kenward-roger": "Kenward-Roger",
    "satterthwaite": "Satterthwaite",
    "normal": "normal",
}


_VARIANCES = ("kenward-roger", "model")


class SearchDiagnostics(TypedDict):
    """How the search for the variances ended."""

    converged: bool
    singular: bool
    message: str
    iterations: int
    evaluations: int
    largest_gradient: float
    newton_decrement: float
    criterion: float


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


@dataclass(frozen=True, eq=False, repr=False)
class MultilevelFit(Result):
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
    coding : SlopeCoding or None
        How a regressor whose slope varies was coded for the search; None where none does.
    """

    moments: SchoolMoments
    model: VarianceModel
    centred: CentredMoments
    shape: CholeskyRatio
    terms: tuple[VarianceTerm, ...]
    search: Search
    structure: str
    coding: SlopeCoding | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the coefficients."""
        return self.moments.fixed

    @property
    def n_rows(self) -> int:
        """Return the pupils (or whoever the rows are of)."""
        return self.moments.n_rows

    @property
    def n_clusters(self) -> int:
        """Return the schools."""
        return self.moments.n_schools

    @property
    def method(self) -> str:
        """Return what was computed, in words."""
        return self._label(self._reference(None, None)[1])

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
        found = self.search.profile.ratio
        return found if self.coding is None else self.coding.decoded(found)

    @cached_property
    def coefficients(self) -> FloatArray:
        """Generalised least-squares coefficients, shape (p,)."""
        return self.centred.back @ self.search.profile.beta + self.centred.offset

    @cached_property
    def _model_covariance(self) -> FloatArray:
        """Model-based covariance of the coefficients, Φ = σ²_e C⁻¹, shape (p, p)."""
        back = self.centred.back
        return back @ (self.sigma2 * self.search.profile.inverse) @ back.T

    @cached_property
    def adjustment(self) -> KenwardRoger:
        """Kenward & Roger's adjustment, in the centred coefficients."""
        return adjust_covariance(self.search.profile, self.moments.n_rows)

    @cached_property
    def _adjusted_covariance(self) -> FloatArray:
        """Covariance adjusted by Kenward & Roger, Φ_A, shape (p, p)."""
        back = self.centred.back
        return back @ self.adjustment.adjusted @ back.T

    @cached_property
    def _observed(self) -> Satterthwaite:
        return prepare_satterthwaite(self.search.profile)

    @cached_property
    def variance_covariance(self) -> FloatArray:
        """Large-sample covariance of (σ²_e, then σ²_e λ), shape (r + 1, r + 1)."""
        found = self._coded_covariance
        if self.coding is None:
            return found
        back = np.eye(len(found))
        back[1:, 1:] = self.coding.matrix(len(found) - 1)
        return back @ found @ back.T

    @property
    def _coded_covariance(self) -> FloatArray:
        """The same of the variances as they were searched."""
        if self.reml:
            return self.adjustment.weights
        ratio = self.search.profile.ratio
        jacobian = np.eye(len(ratio) + 1) * self.sigma2
        jacobian[0, 0] = 1.0
        jacobian[1:, 0] = ratio
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
        df = _checked_method(df)
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
        return profile(self.model, self.search.profile.ratio, reml=True)

    def _reference(self, vcov: str | None, df: str | None) -> tuple[str, DegreesOfFreedom]:
        """Return the variance and the degrees of freedom that are meant."""
        chosen = df or ("kenward-roger" if self.reml else "satterthwaite")
        kind = vcov or ("kenward-roger" if chosen == "kenward-roger" else "model")
        if kind not in _VARIANCES:
            raise ValueError(f"vcov must be {' or '.join(_VARIANCES)}, not {vcov!r}")
        return kind, _checked_method(chosen)

    def covariance(self, *, vcov: str | None = None) -> FloatArray:
        """Return the covariance matrix of the coefficients, (p, p).

        Parameters
        ----------
        vcov : {"kenward-roger", "model"}
            Φ_A, adjusted by Kenward & Roger (the default by REML), or Φ = σ²_e C⁻¹.
        """
        kind, _ = self._reference(vcov, None)
        return self._adjusted_covariance if kind == "kenward-roger" else self._model_covariance

    def estimates(
        self,
        terms: str | Sequence[str] | None = None,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return a row for each coefficient.

        Parameters
        ----------
        terms : str or sequence of str, optional
            Coefficients wanted; all by default.
        vcov : {"kenward-roger", "model"}, optional
            As for ``covariance``; by default the one that goes with ``df``.
        df : {"kenward-roger", "satterthwaite", "normal"}, optional
            Kenward & Roger's by REML, Satterthwaite's by ML.
        level : float
            Coverage of the intervals.
        """
        return super().estimates(terms, vcov=vcov, df=df, level=level)

    def _combined(
        self,
        terms: Sequence[str],
        matrix: FloatArray,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        kind, chosen = self._reference(vcov, df)
        degrees = self.degrees_of_freedom(matrix, chosen)
        covariance = self.covariance(vcov=kind)
        error = np.sqrt(((matrix @ covariance) * matrix).sum(axis=1))
        method, note = self._label(chosen), self.note
        return tuple(
            t_estimate(
                term, float(point), float(se), float(nu), n_individuals=self.n_rows,
                n_schools=self.n_clusters, method=method, level=level,
                converged=self.converged, note=note,
            )
            for term, point, se, nu in zip(
                terms, matrix @ self.coefficients, error, degrees, strict=True
            )
        )  # fmt: skip

    def _tested(
        self,
        hypothesis: Hypothesis,
        *,
        name: str,
        vcov: str | None = None,
        df: str | None = None,
    ) -> Estimate:
        """Test Lβ = r for several contrasts at once.

        Kenward & Roger's scaled F; or, by Satterthwaite, the mean of squared independent t with
        the denominator df that match its mean (Fai & Cornelius 1996, as in lmerTest). The latter
        df depend on the units of the contrasts, where these differ; Kenward & Roger's do not.
        """
        if vcov is not None:
            self._refuse("vcov in a joint test", "it goes with `df`; give that one")
        _, chosen = self._reference(vcov, df)
        if chosen == "normal":
            raise ValueError(
                "a joint test needs denominator degrees of freedom; expected df='kenward-roger' or "
                "'satterthwaite'"
            )
        L, distance = hypothesis.matrix, hypothesis.matrix @ self.coefficients - hypothesis.values
        between = L @ self._model_covariance @ L.T
        if chosen == "kenward-roger":
            # Contrasts of unit variance, so that nothing depends on the units of covariates.
            size = np.sqrt(np.diag(between))
            inner = L / size[:, None] @ self.centred.back
            found = scaled_f(self.adjustment, inner, distance / size)
        else:
            values, vectors = np.linalg.eigh(between)
            t = vectors.T @ distance / np.sqrt(values)
            found = satterthwaite_f(t, self.degrees_of_freedom(vectors.T @ L, chosen))
        return f_estimate(
            name, found.statistic, found.df_num, found.df_denom, n_individuals=self.n_rows,
            n_schools=self.n_clusters, method=self._label(chosen), converged=self.converged,
            note=self.note,
        )  # fmt: skip

    def scaled_f(self, contrasts: FloatArray) -> ScaledF:
        """Return Kenward & Roger's F of Lβ = 0 with its scaling."""
        check_weights(contrasts, self.names)
        return scaled_f(
            self.adjustment, contrasts @ self.centred.back, contrasts @ self.coefficients
        )

    def deviance(self, ratio: Sequence[float] | FloatArray) -> float:
        """Return the profiled deviance at given variance ratios λ."""
        asked = np.asarray(ratio, dtype=float)
        coded = asked if self.coding is None else self.coding.coded(asked)
        return profile(self.model, coded, reml=self.reml).deviance

    def random_effects(self, level: str = "school") -> RandomEffects:
        """Return the predicted effects (BLUP) of a level, with standard errors."""
        found = predict_effects(self.model, self.search.profile, self.moments, level, self.terms)
        if self.coding is None or len(found.terms) == 1:
            return found
        return found.carried(self.coding.coefficients)

    def icc(self, level: float = 0.95) -> tuple[IntraclassCorrelation, ...]:
        """Return the intraclass correlation of each level above the pupils, with an interval."""
        return intraclass_correlations(self.model, self.search.profile, self.terms, level)

    def diagnostics(self) -> SearchDiagnostics:
        """Return how the search ended, in plain values: see ``newton.Search``."""
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
        """Notes on the numbers."""
        notes = []
        if self.singular:
            zero = [
                f"{term.level} {term.first}".replace(" (Intercept)", "")
                for term, ratio in zip(self.terms, self.search.profile.ratio, strict=True)
                if term.second is None and ratio == 0
            ]
            what = f"variance estimated at zero: {', '.join(zero)}" if zero else "correlation ±1"
            notes.append(f"singular ({what})")
        if not self.converged:
            notes.append(self.search.message)
        return "; ".join(notes)

    def _label(self, df: DegreesOfFreedom) -> str:
        return f"{'REML' if self.reml else 'ML'}, {self.structure}, {_METHOD[df]}"

    def _remarks(self) -> tuple[str, ...]:
        return tuple(filter(None, self.note.split("; ")))

    def _more_lines(self) -> list[str]:
        parts = [
            f"{part.level} {part.estimate:.4g}"
            for part in self.variance_components
            if part.second is None
        ]
        return [f"variances: {', '.join(parts)}"]

    def predict(self, data: Any | None = None, *, random_effects: bool = False) -> FloatArray:
        """Return what the model expects of each row, or of each row of new data.

        Parameters
        ----------
        data : frame or mapping of str to array, optional
            New rows, with the columns of the formula.
        random_effects : bool
            Whether to add the predicted effects (BLUP) of schools and blocks; those that the fit
            did not see have none.
        """
        rows = self._kept("a prediction")
        expected = rows.predict(self.names, self.coefficients, data)
        if not random_effects:
            return expected
        for level in dict.fromkeys(term.level for term in self.terms):
            found = self.random_effects(level)
            if found.terms != ("(Intercept)",):
                self._refuse("a prediction with random slopes")
            effects = {
                str(name): float(effect[0])
                for name, effect in zip(found.labels, found.effect, strict=True)
            }
            groups = [str(name) for name in rows.groups(level, data)]
            expected = expected + np.array([effects.get(name, 0.0) for name in groups])
        return expected

    def effect_size(
        self,
        term: str = "treated",
        *,
        kind: Literal["hedges_g", "glass_delta", "cox_index"] = "hedges_g",
        level_of: Literal["pupil", "cluster"] = "pupil",
        icc: float | None = None,
        **how: Any,
    ) -> EffectSize:
        """Return a coefficient in standard deviations; ``icc`` is that of the schools."""
        if level_of == "cluster" and icc is None:
            icc = self.icc()[0].estimate
        return super().effect_size(term, kind=kind, level_of=level_of, icc=icc, **how)


def _checked_method(df: str) -> DegreesOfFreedom:
    for known in get_args(DegreesOfFreedom):
        if df == known:
            found: DegreesOfFreedom = known
            return found
    raise ValueError(
        f"degrees of freedom {df!r} are not known; expected one of {', '.join(_METHOD)}"
    )
