r"""Difference-in-differences and event study on a school × year panel.

.. math:: \bar y_{st} = \alpha_s + \gamma_t + \delta\, d_{st} + \varepsilon_{st}

with :math:`d_{st}` the treated schools in the programme's years, school effects
:math:`\alpha_s` and year effects :math:`\gamma_t`, each school and year weighted by its pupils.
The event study puts one coefficient per year but the reference in the place of :math:`\delta`;
those before the programme are the pre-trend.

Small-sample rule: linearmodels gives the plain cluster sandwich; it is multiplied by
:math:`\frac{G}{G-1}\frac{n-1}{n-K}`, where :math:`K` counts regressors and year effects but not
the school effects, which are nested in the clusters (the default of R's fixest). Judged by t with
:math:`G-1` degrees of freedom, :math:`G` schools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from schooltrial.models.inference.estimate import Estimate, f_estimate, t_estimate
from schooltrial.models.inference.hypothesis import Hypothesis
from schooltrial.models.inference.result import Result

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class PanelFit(Result):
    """A two-way effects regression.

    Attributes
    ----------
    names : tuple of str
        Regressors.
    coefficients : array (p,)
        Units of the outcome.
    clustered : array (p, p)
        Covariance of the coefficients, clustered by school, by this module's rule.
    n_schools, n_cells, n_pupils : int
        Clusters, school × year cells, and pupils behind them.
    """

    names: tuple[str, ...]
    coefficients: Array
    clustered: Array
    n_schools: int
    n_cells: int
    n_pupils: int

    @property
    def n_rows(self) -> int:
        """School × year cells."""
        return self.n_cells

    @property
    def n_clusters(self) -> int:
        """Schools."""
        return self.n_schools

    @property
    def method(self) -> str:
        """What was computed, in words."""
        return "two-way effects, clustered by school (CR1, nested effects not counted)"

    def _kind_of_fit(self) -> str:
        return "a panel of schools by year"

    def covariance(self, *, vcov: str | None = None) -> Array:
        """Return the covariance matrix of the coefficients, (p, p)."""
        self._refuse_choice(vcov, None)
        return self.clustered

    def _combined(
        self,
        terms: Sequence[str],
        matrix: Array,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return rows by t with schools − 1 degrees of freedom."""
        self._refuse_choice(vcov, df)
        variances = np.diag(matrix @ self.clustered @ matrix.T)
        return tuple(
            t_estimate(
                term, float(point), sqrt(variance), self.n_schools - 1,
                n_pupils=self.n_pupils, n_schools=self.n_schools, level=level,
                method=self.method,
            )
            for term, point, variance in zip(
                terms, matrix @ self.coefficients, variances, strict=True
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
        """Test by F on schools − 1 degrees of freedom."""
        self._refuse_choice(vcov, df)
        L = hypothesis.matrix
        if len(L) >= self.n_schools:
            raise ValueError(
                f"{name}: {self.n_schools} schools cannot test {len(L)} hypotheses together; "
                "there must be more schools than hypotheses"
            )
        b, v = L @ self.coefficients - hypothesis.values, L @ self.clustered @ L.T
        return f_estimate(
            name, float(b @ np.linalg.solve(v, b)) / len(L), len(L), self.n_schools - 1,
            n_pupils=self.n_pupils, n_schools=self.n_schools,
            method="two-way effects, Wald test clustered by school",
        )  # fmt: skip


def two_way_effects(
    outcome: Array,
    regressors: Array,
    *,
    names: Sequence[str],
    school: npt.NDArray[Any],
    year: npt.NDArray[Any],
    n_pupils: Array | None = None,
) -> PanelFit:
    """Regress school × year means on regressors, with school and year effects.

    Parameters
    ----------
    outcome : array (n,)
        Mean outcome of each school and year.
    regressors : array (n, p)
        Columns that vary within schools and years.
    names : sequence of str
        Their names.
    school, year : array (n,)
        Labels.
    n_pupils : array (n,), optional
        Pupils behind each mean; they are the weights. Without them all cells weigh the same.

    Raises
    ------
    ValueError
        Where there are fewer than three schools, a school stands twice in a year, or the regressors
        do not vary within schools and years.
    """
    import pandas as pd  # late, with linearmodels: both are slow to import
    from linearmodels.panel import PanelOLS
    from linearmodels.panel.utility import AbsorbingEffectError

    n_schools = len(np.unique(school))
    if n_schools < 3:
        raise ValueError(
            f"{n_schools} schools: clustered standard errors need three at least; use another model"
        )
    index = pd.MultiIndex.from_arrays([school, year.astype(int)], names=["school", "year"])
    if index.has_duplicates:
        repeated = index[index.duplicated()][0]
        raise ValueError(
            f"school {repeated[0]} stands twice in {repeated[1]}: one row per school and year"
        )
    x = pd.DataFrame(regressors, index=index, columns=list(names))
    y = pd.Series(outcome, index=index, name="outcome")
    weights = None if n_pupils is None else pd.Series(n_pupils, index=index, name="pupils")
    model = PanelOLS(y, x, entity_effects=True, time_effects=True, weights=weights)
    try:
        fit = model.fit(
            cov_type="clustered",
            cluster_entity=True,
            debiased=False,
            auto_df=False,
            count_effects=False,
        )
    except AbsorbingEffectError as error:
        raise ValueError(
            f"the regressors do not vary within schools and years: {', '.join(names)}; each needs "
            "schools of both arms, in active years and in others"
        ) from error
    n, p, years = len(y), x.shape[1], len(np.unique(year))
    rule = n_schools / (n_schools - 1) * (n - 1) / (n - p - years)
    pupils = int(n_pupils.sum()) if n_pupils is not None else n
    return PanelFit(
        tuple(names), fit.params.to_numpy(), fit.cov.to_numpy() * rule, n_schools, n, pupils
    )


def programme_indicator(
    treated: Array, year: npt.NDArray[Any], active_years: Sequence[int]
) -> tuple[Array, list[str]]:
    """Return the treated × active years column, named ``treated``."""
    return (treated * np.isin(year, list(active_years)))[:, None], ["treated"]


def event_indicators(
    treated: Array, year: npt.NDArray[Any], reference: int
) -> tuple[Array, list[str]]:
    """Return treated × each year but the reference, named ``treated[year=…]``."""
    if reference not in year:
        there = ", ".join(str(value) for value in np.unique(year))
        raise ValueError(
            f"the reference year {reference} is not in the panel, which has {there}; "
            "set `years.reference` in the protocol to one of them"
        )
    others = [int(value) for value in np.unique(year) if value != reference]
    columns = np.column_stack([treated * (year == value) for value in others])
    return columns, [f"treated[year={value}]" for value in others]
