"""Two-stage least squares for the complier average causal effect (CACE).

With assignment Z as instrument for participation D and exogenous X, β̂ solves
X̂'W(y − [D X]β) = 0, X̂ the first-stage fits. The point is that of linearmodels' IV2SLS, from which
the specification tests come; the variance is the cluster-robust one of this package with X̂ in the
place of X (its CR2 and Satterthwaite df are clubSandwich's and estimatr's). First-stage F and the
Anderson-Rubin set (``anderson_rubin``) tell whether, and where, the interval can be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from schooltrial.arrays import FloatArray
from schooltrial.models.cluster_robust.linear_model import (
    LinearModel,
    absorbed_constant,
    assemble,
    read_model,
    solve,
)
from schooltrial.models.cluster_robust.result import JointTest, LeastSquaresFit
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.inference.hypothesis import Hypothesis
from schooltrial.models.inference.result import Result
from schooltrial.models.least_squares.coefficients import (
    independent_columns,
    inverse_factor,
    select_columns,
)


@dataclass(frozen=True, eq=False, repr=False)
class InstrumentFit(Result):
    """A 2SLS fit with what is needed to judge it.

    Attributes
    ----------
    second_stage : LeastSquaresFit
        Coefficients of the endogenous and exogenous columns, with robust variance.
    first_stages : tuple of LeastSquaresFit
        One regression per endogenous column on instruments and exogenous columns.
    reduced_form : LeastSquaresFit
        The outcome on instruments and exogenous columns (the intention to treat).
    endogenous, instruments : tuple of str
        Their names; collinear instruments are left out.
    model : LinearModel
        The sums that the fits came from.
    """

    second_stage: LeastSquaresFit
    first_stages: tuple[LeastSquaresFit, ...]
    reduced_form: LeastSquaresFit
    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    model: LinearModel

    @property
    def names(self) -> tuple[str, ...]:
        """Coefficients of the second stage, the endogenous ones first."""
        return self.second_stage.names

    @property
    def coefficients(self) -> FloatArray:
        """Estimates of the second stage, in the order of ``names``."""
        return self.second_stage.coefficients

    @property
    def n_rows(self) -> int:
        """Rows."""
        return self.second_stage.n_rows

    @property
    def n_clusters(self) -> int:
        """Clusters."""
        return self.second_stage.n_clusters

    @property
    def method(self) -> str:
        """What was computed, in words."""
        return self.second_stage.method

    def _remarks(self) -> tuple[str, ...]:
        return self.second_stage.notes

    def _leading_terms(self) -> tuple[str, ...]:
        return self.endogenous

    def _more_lines(self) -> list[str]:
        tests = [self.first_stage_test(name).row for name in self.endogenous]
        return [f"{row.term}: F = {row.statistic:.4g}, p = {row.p_value:.4g}" for row in tests]

    def position(self, term: str) -> int:
        """Return the position of a coefficient, or say why there is none."""
        return self.second_stage.position(term)

    def estimates(
        self,
        terms: str | Sequence[str] | None = None,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return rows of the second stage; the endogenous columns by default."""
        chosen = self.endogenous if terms is None else terms
        return self.second_stage.estimates(chosen, vcov=vcov, df=df, level=level)

    def _combined(
        self, terms: Sequence[str], matrix: FloatArray, **how: Any
    ) -> tuple[Estimate, ...]:
        return self.second_stage._combined(terms, matrix, **how)

    def _tested(self, hypothesis: Hypothesis, *, name: str, **how: Any) -> Estimate:
        return self.second_stage._tested(hypothesis, name=name, **how)

    def covariance(self, *, vcov: str | None = None) -> FloatArray:
        """Return the covariance matrix of the second stage's coefficients, (p, p)."""
        return self.second_stage.covariance(vcov=vcov)

    def first_stage_test(
        self, endogenous: str | None = None, *, vcov: str | None = None, test: str | None = None
    ) -> JointTest:
        """Test that the instruments do nothing to an endogenous column (first-stage F).

        With ``vcov="classical"`` on a fit without clusters this is the F of the textbooks; with
        clusters, use the robust one: the classical F overstates the strength of an instrument
        that does not vary within schools.

        Parameters
        ----------
        endogenous : str, optional
            Which one; the first by default.
        vcov, test : str, optional
            As for ``LeastSquaresFit.joint_test``.
        """
        name = self.endogenous[0] if endogenous is None else endogenous
        if name not in self.endogenous:
            raise ValueError(f"{name!r} is not endogenous; {', '.join(self.endogenous)} are")
        stage = self.first_stages[self.endogenous.index(name)]
        return stage.joint_test(
            self.instruments, vcov=vcov, test=test, name=f"first stage of {name}"
        )

    def endogeneity_test(self, *, vcov: str | None = None, test: str | None = None) -> JointTest:
        """Test that least squares would do (Wu-Hausman, by added first-stage residuals).

        The outcome is regressed on its own columns and the first-stage residuals; the residuals'
        coefficients are zero if participation is exogenous (Wooldridge 2010, section 6.3).
        """
        model = self.model
        hidden = list(range(model.hidden))
        own = hidden + model.positions(self.second_stage.names)
        identity = np.eye(len(model.names))
        moved = model.positions(self.endogenous)
        used = hidden + model.positions(self.reduced_form.names)
        residuals = identity[:, moved] - first_stage_fits(model, moved, used)
        added = [f"first-stage residual of {name}" for name in self.endogenous]
        design = np.column_stack([identity[:, own], residuals])
        augmented = solve(
            model,
            design,
            design,
            identity[-1],
            names=[*self.second_stage.names, *added],
            hidden=len(hidden),
            estimator="OLS with first-stage residuals",
        )
        return augmented.joint_test(added, vcov=vcov, test=test, name="endogeneity")


def first_stage_fits(
    model: LinearModel, columns: Sequence[int], instruments: Sequence[int]
) -> FloatArray:
    """Return the maps (q, ·) from columns to the fits of ``columns`` on the instruments."""
    total, index = model.rows.total, list(instruments)
    L = inverse_factor(total[np.ix_(index, index)])
    fits = np.zeros((len(total), len(columns)))
    fits[index] = L @ (L.T @ total[np.ix_(index, list(columns))])
    return fits


def fit_instrument(
    outcome: ArrayLike,
    *,
    endogenous: Mapping[str, ArrayLike],
    instruments: Mapping[str, ArrayLike],
    exogenous: Mapping[str, ArrayLike] | None = None,
    cluster: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    absorb: ArrayLike | Sequence[ArrayLike] | None = None,
) -> InstrumentFit:
    """Fit 2SLS: the effect of participation, instrumented by assignment.

    Parameters
    ----------
    outcome : (N,) array_like
        The outcome.
    endogenous : mapping of str to (N,) array_like
        Participation, dose, …
    instruments : mapping of str to (N,) array_like
        Assignment; at least as many as endogenous columns.
    exogenous : mapping of str to (N,) array_like, optional
        Covariates, an intercept included where one is wanted.
    cluster, weights, absorb
        As for ``cluster_robust.fit_least_squares_columns``.

    Returns
    -------
    InstrumentFit

    Raises
    ------
    ValueError
        If there are fewer usable instruments than endogenous columns, or the instruments do not
        move an endogenous column at all.
    """
    covariates = dict(exogenous or {})
    names = [*covariates, *instruments, *endogenous]
    columns = [*covariates.values(), *instruments.values(), *endogenous.values()]
    model = read_model(outcome, columns, names, cluster=cluster, weights=weights, absorb=absorb)
    first = model.hidden + len(covariates)
    last = first + len(instruments)
    used, left_out = select_columns(model.rows, range(last))
    usable = tuple(model.names[k] for k in used if k >= first)
    moved = list(range(last, last + len(endogenous)))
    if len(usable) < len(moved):
        raise ValueError(
            f"the effects of {', '.join(endogenous)} need as many instruments; of "
            f"{', '.join(instruments)} only {', '.join(usable) or 'none'} vary beyond the "
            "covariates and absorbed effects: leave out the covariate or effect that determines "
            "the assignment"
        )
    hidden = [k for k in used if k < model.hidden]
    kept = [*hidden, *moved, *(k for k in used if model.hidden <= k < first)]
    projection = np.eye(len(model.names))[:, kept]
    projection[:, len(hidden) : len(hidden) + len(moved)] = first_stage_fits(model, moved, used)
    _refuse_unmoved(model, projection, moved, len(hidden))
    shown = [k for k in left_out if k >= model.hidden and not absorbed_constant(model, k)]
    dropped = tuple(model.names[k] for k in shown)
    return InstrumentFit(
        assemble(model, kept, projection=projection, dropped=dropped, estimator="2SLS"),
        tuple(
            assemble(model, used, outcome=k, dropped=dropped, estimator="first stage")
            for k in moved
        ),
        assemble(model, used, dropped=dropped, estimator="reduced form"),
        tuple(endogenous),
        usable,
        model,
    )


def _refuse_unmoved(
    model: LinearModel, projection: FloatArray, moved: Sequence[int], start: int
) -> None:
    """Raise where the first-stage fits are combinations of the other columns."""
    gram = projection.T @ model.rows.total @ projection
    own = list(range(start, start + len(moved)))
    others = [k for k in range(len(gram)) if k not in own]
    order = [*others, *own]
    spread = np.diag(gram)[order].copy()
    spread[len(others) :] = np.diag(model.rows.total)[list(moved)]
    kept, _ = independent_columns(gram[np.ix_(order, order)], spread, spread)
    for position, column in enumerate(moved):
        if len(others) + position not in kept:
            raise ValueError(
                f"the instruments do not move {model.names[column]!r} (beyond the covariates and "
                "absorbed effects): as many took it up in one group as in the other, so that its "
                "effect is not identified. Report the effect of the offer"
            )
