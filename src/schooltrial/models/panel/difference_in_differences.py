r"""Difference-in-differences and event study on a school × year panel.

.. math:: \bar y_{st} = \alpha_s + \gamma_t + \delta\, d_{st} + \varepsilon_{st}

with :math:`d_{st}` the treated schools in the programme's years, school effects
:math:`\alpha_s` and year effects :math:`\gamma_t`, each school and year weighted by its pupils.
The event study puts one coefficient per year but the reference in the place of :math:`\delta`;
those before the programme are the pre-trend.

Small-sample rule: linearmodels gives the plain cluster sandwich; it is multiplied by
:math:`\frac{G}{G-1}\frac{n-1}{n-K}`, where :math:`K` counts regressors and year effects but not
the school effects, which are nested in the clusters (the default of R's fixest). Judged by t with
:math:`G-1` degrees of freedom, :math:`G` clusters: schools, or groups of schools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from schooltrial.models.inference.estimate import Estimate, f_estimate, t_estimate
from schooltrial.models.inference.hypothesis import Hypothesis
from schooltrial.models.inference.outcome_variation import NO_VARIATION, refuse_exact_fit
from schooltrial.models.inference.result import Result
from schooltrial.models.inference.wald import wald_statistic
from schooltrial.wording import plural

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
        Schools, school × year cells, and pupils behind them.
    n_groups : int, optional
        Clusters, where schools are clustered in larger groups.
    alone : tuple of str
        Regressors that one cluster alone has, or lacks: its errors cannot be told from them.
    rounding : float
        A variance up to this is the rounding of zero.
    """

    names: tuple[str, ...]
    coefficients: Array
    clustered: Array
    n_schools: int
    n_cells: int
    n_pupils: int
    n_groups: int | None = None
    alone: tuple[str, ...] = ()
    rounding: float = 0.0

    @property
    def n_rows(self) -> int:
        """School × year cells."""
        return self.n_cells

    @property
    def n_clusters(self) -> int:
        """Schools, or the groups of schools that errors are clustered on."""
        return self.n_groups or self.n_schools

    @property
    def _of(self) -> str:
        return "school" if self.n_groups is None else "group of schools"

    @property
    def _several(self) -> str:
        return "schools" if self.n_groups is None else "groups of schools"

    @property
    def method(self) -> str:
        """What was computed, in words."""
        return f"two-way effects, clustered by {self._of} (CR1, nested effects not counted)"

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
        """Return rows by t with clusters − 1 degrees of freedom."""
        self._refuse_choice(vcov, df)
        variances = np.diag(matrix @ self.clustered @ matrix.T)
        notes = [self._withheld(row, float(v)) for row, v in zip(matrix, variances, strict=True)]
        return tuple(
            t_estimate(
                term, float(point), nan if why else sqrt(variance), self.n_clusters - 1,
                n_pupils=self.n_pupils, n_schools=self.n_schools, level=level,
                method=self.method, note=why,
            )
            for term, point, variance, why in zip(
                terms, matrix @ self.coefficients, variances, notes, strict=True
            )
        )  # fmt: skip

    def _withheld(self, contrast: Array, variance: float) -> str:
        """Return why a contrast has no standard error; empty where it has one."""
        if any(self.names[at] in self.alone for at in np.flatnonzero(contrast)):
            return f"no standard error: one {self._of} in an arm, whose own error cannot be seen"
        return "" if variance > self.rounding else NO_VARIATION

    def _tested(
        self,
        hypothesis: Hypothesis,
        *,
        name: str,
        vcov: str | None = None,
        df: str | None = None,
    ) -> Estimate:
        """Test by F on clusters − 1 degrees of freedom."""
        self._refuse_choice(vcov, df)
        L = hypothesis.matrix
        if len(L) >= self.n_clusters:
            raise ValueError(
                f"{name}: {self.n_clusters} {self._several} cannot test {len(L)} hypotheses "
                f"together; there must be more {self._several} than hypotheses"
            )
        b, v = L @ self.coefficients - hypothesis.values, L @ self.clustered @ L.T
        withheld = [self._withheld(*pair) for pair in zip(L, np.diag(v).tolist(), strict=True)]
        why = next(filter(None, withheld), "").replace("standard error", "F")
        statistic = nan if why else wald_statistic(b, v)
        if isnan(statistic) and not why:
            why = f"no F: the {self._several} do not tell these hypotheses apart; test fewer"
        return f_estimate(
            name, statistic / len(L), len(L), self.n_clusters - 1,
            n_pupils=self.n_pupils, n_schools=self.n_schools,
            method=f"two-way effects, Wald test clustered by {self._of}", note=why,
        )  # fmt: skip


def two_way_effects(
    outcome: Array,
    regressors: Array,
    *,
    names: Sequence[str],
    school: npt.NDArray[Any],
    year: npt.NDArray[Any],
    n_pupils: Array | None = None,
    cluster: npt.NDArray[Any] | None = None,
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
    cluster : array (n,), optional
        Group of schools that errors are clustered on, in which each school lies in every year; by
        default the school.

    Raises
    ------
    ValueError
        Where there are fewer than three schools or clusters, a school stands twice in a year or in
        two clusters, or the regressors do not vary within schools and years.
    """
    import pandas as pd  # late, with linearmodels: both are slow to import
    from linearmodels.panel import PanelOLS
    from linearmodels.panel.utility import AbsorbingEffectError

    n_schools = len(np.unique(school))
    if n_schools < 3:
        raise ValueError(
            f"{n_schools} schools: clustered standard errors need three at least; use another model"
        )
    groups = None if cluster is None else _groups_of_schools(cluster, school)
    n_groups = n_schools if groups is None else len(np.unique(groups))
    index = pd.MultiIndex.from_arrays([school, year.astype(int)], names=["school", "year"])
    if index.has_duplicates:
        repeated = index[index.duplicated()][0]
        raise ValueError(
            f"school {repeated[0]} has two rows in {repeated[1]}: a panel of schools has one for "
            "each year. Where a school holds both arms, take `estimator: cluster_robust` with "
            "`fixed_effects: [school, year]`"
        )
    _refuse_cells(outcome, regressors, n_pupils, n_schools, len(np.unique(year)))
    x = pd.DataFrame(regressors, index=index, columns=list(names))
    y = pd.Series(outcome, index=index, name="outcome")
    weights = None if n_pupils is None else pd.Series(n_pupils, index=index, name="pupils")
    model = PanelOLS(y, x, entity_effects=True, time_effects=True, weights=weights)
    try:
        fit = model.fit(
            cov_type="clustered",
            **_clusters(groups, index),
            debiased=False,
            auto_df=False,
            count_effects=False,
        )
    except (AbsorbingEffectError, ValueError) as error:
        raise ValueError(
            f"the regressors do not vary within schools and years: {', '.join(names)}; each needs "
            "schools of both arms, in active years and in others"
        ) from error
    n, p, years = len(y), x.shape[1], len(np.unique(year))
    weight = np.ones(n) if n_pupils is None else n_pupils / n_pupils.mean()
    spread = float(weight @ (outcome - weight @ outcome / weight.sum()) ** 2)
    left = float(weight @ fit.resids.to_numpy() ** 2)
    refuse_exact_fit(left, spread, "outcome", names, effects="the schools and years")
    rule = n_groups / (n_groups - 1) * (n - 1) / (n - p - years)
    pupils = int(n_pupils.sum()) if n_pupils is not None else n
    return PanelFit(
        tuple(names),
        fit.params.to_numpy(),
        fit.cov.to_numpy() * rule,
        n_schools,
        n,
        pupils,
        None if groups is None else n_groups,
        _alone(regressors, names, np.asarray(school) if groups is None else groups),
        _ROUNDING * spread / n**2,
    )


_ROUNDING = 1e-14  # of the variance of a mean over all cells


def _refuse_cells(
    outcome: Array, regressors: Array, n_pupils: Array | None, n_schools: int, n_years: int
) -> None:
    """Raise where cells are not known, have no pupils, or are no more than the effects."""
    if not np.isfinite(outcome).all():
        lacking = int((~np.isfinite(outcome)).sum())
        raise ValueError(
            f"the outcome of {lacking:,} of {len(outcome):,} cells is missing or infinite; leave "
            "these cells out"
        )
    if n_pupils is not None and not (n_pupils > 0).all():
        raise ValueError(
            f"{int((~(n_pupils > 0)).sum()):,} of {len(n_pupils):,} cells have no pupils (or no "
            "number of pupils), which are their weights; leave these cells out, or give no number "
            "of pupils at all"
        )
    effects = n_schools + n_years - 1
    if len(outcome) <= effects + regressors.shape[1]:
        raise ValueError(
            f"{len(outcome):,} cells of {plural(n_schools, 'school')} in {plural(n_years, 'year')} "
            f"cannot support {plural(regressors.shape[1], 'effect')} beside those of schools and "
            f"years ({effects:,}): schools must be seen in several years. Add years, or schools"
        )


def _alone(regressors: Array, names: Sequence[str], cluster: npt.NDArray[Any]) -> tuple[str, ...]:
    """Return the regressors that all clusters but one have, or none but one."""
    codes = np.unique(cluster.astype(str), return_inverse=True)[1]
    count = int(codes.max()) + 1
    alone = []
    for name, column in zip(names, regressors.T, strict=True):
        having = len(np.unique(codes[column != 0]))
        if min(having, count - having) == 1:
            alone.append(name)
    return tuple(alone)


def _groups_of_schools(
    cluster: npt.NDArray[Any], school: npt.NDArray[Any]
) -> npt.NDArray[np.int64]:
    """Return the number of each row's cluster, having seen that schools lie in one each."""
    labels, groups = np.unique(cluster.astype(str), return_inverse=True)
    names, code = np.unique(school.astype(str), return_inverse=True)
    pairs = np.unique(np.column_stack([code, groups]), axis=0)
    several = np.flatnonzero(np.bincount(pairs[:, 0]) > 1)
    if len(several):
        there = ", ".join(labels[pairs[pairs[:, 0] == several[0], 1]])
        raise ValueError(
            f"school {names[several[0]]} lies in several clusters ({there}): in a panel each "
            "school must lie in one cluster in all years. Name a variable of schools that does not "
            "change"
        )
    if len(labels) < 3:
        raise ValueError(
            f"{len(labels)} clusters ({', '.join(labels)}): clustered standard errors need three "
            "at least; cluster on schools"
        )
    return groups.astype(np.int64)


def _clusters(groups: npt.NDArray[np.int64] | None, index: Any) -> dict[str, Any]:
    """Return how linearmodels is asked for clusters."""
    import pandas as pd

    if groups is None:
        return {"cluster_entity": True}
    return {"clusters": pd.DataFrame({"cluster": groups}, index=index)}


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
