r"""Difference-in-differences and event study on a school × year panel.

.. math:: \bar y_{st} = \alpha_s + \gamma_t + \delta\, d_{st} + x_{st}'\beta + \varepsilon_{st}

with :math:`d_{st}` the treated schools in the programme's years (or from their own cohort's first
year on), school effects :math:`\alpha_s` and year effects :math:`\gamma_t`, each school and year
weighted by its pupils unless other weights are given. The event study puts one coefficient per
year but the reference in the place of :math:`\delta`; those before the programme are the pre-trend.

Errors are clustered on schools, or on groups of schools. The variance is CR2, whose expectation is
the variance where errors are independent and alike; a term is judged by t with Satterthwaite's
degrees of freedom, and several together by the approximate Hotelling test (Pustejovsky & Tipton
2018, Journal of Business & Economic Statistics 36(4), 672-683). With few treated schools these hold
their level, where the sandwich with :math:`G-1` degrees of freedom does not. CR0, CR1, CR1S and CR3
are there too: CR1S multiplies the sandwich by :math:`\frac{G}{G-1}\frac{n-1}{n-K}`, where :math:`K`
counts regressors and year effects but not the school effects, which are nested in the clusters
(the default of R's fixest). With two clusterings at once the variance is
:math:`V_a + V_b - V_{ab}`, each term CR1S with the same :math:`K` unless told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import nan
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.cluster_robust.multiway import TwoWayFit, fit_two_way
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.inference.estimate import Estimate, f_estimate
from schooltrial.models.inference.hypothesis import Hypothesis
from schooltrial.models.inference.outcome_variation import refuse_exact_fit
from schooltrial.models.inference.result import Result
from schooltrial.models.least_squares.clusters import cluster_rows
from schooltrial.models.least_squares.parameter_counts import ParameterCounts
from schooltrial.models.panel.balanced_panel import fit_balanced_panel
from schooltrial.models.panel.unit_trends import without_trends
from schooltrial.wording import plural

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]

REFERENCE = {"CR0": "clusters-1", "CR1": "clusters-1", "CR1S": "clusters-1"}
REFERENCE |= {"CR2": "satterthwaite", "CR3": "satterthwaite"}
"""Variance → the degrees of freedom that it is judged by."""


@dataclass(frozen=True, eq=False, repr=False)
class PanelFit(Result):
    """A two-way effects regression.

    Attributes
    ----------
    names : tuple of str
        Regressors: treatment terms, then covariates.
    fit : LeastSquaresFit or TwoWayFit
        The least squares behind it, whose further coefficients are of year effects.
    n_schools, n_cells, n_pupils : int
        Schools, school × year cells, and pupils behind them.
    n_groups : int, optional
        Clusters, where schools are clustered in larger groups.
    alone : tuple of str
        Regressors that the schools of one cluster alone have, or lack: its errors cannot be told
        from them.
    having, treated_schools : dict of str to int
        Treatment term → clusters, and schools, in which it is not zero.
    dropped : tuple of str
        Regressors that the others, or the effects, determine, so that they cannot be told.
    """

    names: tuple[str, ...]
    fit: LeastSquaresFit | TwoWayFit
    n_schools: int
    n_cells: int
    n_pupils: int
    n_groups: int | None = None
    alone: tuple[str, ...] = ()
    having: Mapping[str, int] = field(default_factory=dict)
    treated_schools: Mapping[str, int] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()

    @property
    def coefficients(self) -> Array:
        """Estimates, in units of the outcome."""
        return self.fit.coefficients[self._places]

    @cached_property
    def _places(self) -> list[int]:
        """Positions of the regressors among the coefficients of the least squares."""
        place = {name: at for at, name in enumerate(self.fit.names)}
        return [place[name] for name in self.names]

    @property
    def n_rows(self) -> int:
        """School × year cells."""
        return self.n_cells

    @property
    def n_clusters(self) -> int:
        """Schools, or the groups of schools that errors are clustered on."""
        return self.fit.n_clusters

    @property
    def is_two_way(self) -> bool:
        """Whether errors are clustered two ways at once."""
        return isinstance(self.fit, TwoWayFit)

    @property
    def _of(self) -> str:
        return "school" if self.n_groups is None else "group of schools"

    @property
    def _several(self) -> str:
        return "schools" if self.n_groups is None else "groups of schools"

    @property
    def method(self) -> str:
        """What was computed, in words."""
        return self._label(self._kind(None), None)

    def _kind_of_fit(self) -> str:
        return "a panel of schools by year"

    def _kind(self, vcov: str | None) -> str:
        return vcov or ("CR1S" if isinstance(self.fit, TwoWayFit) else "CR2")

    def _label(self, kind: str, df: str | None, test: str = "") -> str:
        how = f"clustered by {self._of}"
        if isinstance(self.fit, TwoWayFit):
            how = "clustered two ways"
        reference = df or REFERENCE.get(kind, "satterthwaite")
        reference = test or (
            "Satterthwaite df" if reference == "satterthwaite" else "clusters − 1 df"
        )
        return f"two-way effects, {how}, {kind}, {reference}"

    def covariance(self, *, vcov: str | None = None) -> Array:
        """Return the covariance matrix of the coefficients, (p, p).

        Parameters
        ----------
        vcov : {"CR0", "CR1", "CR1S", "CR1p", "CR2", "CR3"}
            CR2 by default; with two clusterings CR0, CR1 or CR1S, the default.
        """
        every = self.fit.covariance(vcov=self._kind(vcov))
        return every[np.ix_(self._places, self._places)]

    def _padded(self, matrix: Array) -> Array:
        """Return contrasts of the named coefficients as those of all."""
        padded = np.zeros((len(matrix), len(self.fit.names)))
        padded[:, self._places] = matrix
        return padded

    def position(self, term: str) -> int:
        """Return the position of a coefficient, or say why there is none."""
        if term in self.dropped:
            raise ValueError(
                f"{term!r} was left out: other columns, or effects of school and year, determine it"
            )
        return super().position(term)

    def _combined(
        self,
        terms: Sequence[str],
        matrix: Array,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return a row for each contrast, by default with the variance's own reference."""
        kind = self._kind(vcov)
        C = self._padded(matrix)
        if isinstance(self.fit, TwoWayFit):
            self._refuse_choice(None, df)
            rows = self.fit._combined(terms, C, vcov=kind, level=level)
        else:
            rows = self.fit._combined(
                terms, C, vcov=kind, df=df or REFERENCE.get(kind), level=level
            )
        label = self._label(kind, df)
        return tuple(
            self._own(row, label, self._withheld(contrast))
            for row, contrast in zip(rows, matrix, strict=True)
        )

    def _own(self, row: Estimate, label: str, why: str) -> Estimate:
        """Return a row with the schools and pupils of the panel, less an error that is withheld."""
        row = replace(row, n_individuals=self.n_pupils, n_schools=self.n_schools, method=label)
        if not why:
            return row
        return replace(
            row, std_error=nan, df=nan, statistic=nan, p_value=nan, conf_low=nan, conf_high=nan,
            note=why,
        )  # fmt: skip

    def _withheld(self, contrast: Array) -> str:
        """Return why a contrast has no standard error, where its clusters alone tell."""
        if any(self.names[at] in self.alone for at in np.flatnonzero(contrast)):
            return f"no standard error: one {self._of} in a group, whose own error cannot be seen"
        return ""

    def _tested(
        self,
        hypothesis: Hypothesis,
        *,
        name: str,
        vcov: str | None = None,
        df: str | None = None,
    ) -> Estimate:
        """Test together: approximate Hotelling, or F on clusters − 1 where the variance asks."""
        L, kind = hypothesis.matrix, self._kind(vcov)
        if isinstance(self.fit, TwoWayFit):
            self._refuse("a joint test with two clusterings", "cluster one way")
        if len(L) >= self.n_clusters:
            raise ValueError(
                f"{name}: {self.n_clusters} {self._several} cannot test {len(L)} hypotheses "
                f"together; there must be more {self._several} than hypotheses"
            )
        df = df or REFERENCE.get(kind)
        test = "approximate Hotelling F" if df == "satterthwaite" else "Wald F, clusters − 1 df"
        label = self._label(kind, df, test)
        why = next(filter(None, (self._withheld(row) for row in L)), "")
        if why:
            return f_estimate(
                name, nan, len(L), nan, n_individuals=self.n_pupils, n_schools=self.n_schools,
                method=label, note=why.replace("standard error", "F"),
            )  # fmt: skip
        padded = replace(hypothesis, matrix=self._padded(L))
        row = self.fit._tested(padded, name=name, vcov=kind, df=df)
        return replace(row, n_individuals=self.n_pupils, n_schools=self.n_schools, method=label)


def two_way_effects(
    outcome: Array,
    regressors: Array,
    *,
    names: Sequence[str],
    school: Labels,
    year: Labels,
    n_pupils: Array | None = None,
    weights: Array | None = None,
    cluster: Labels | tuple[Labels, Labels] | None = None,
    covariates: Mapping[str, Array] | None = None,
    fixed_effects: Sequence[Labels] = (),
    unit_trends: bool = False,
    undetermined: Literal["refuse", "leave out"] = "refuse",
) -> PanelFit:
    """Regress school × year means on regressors, with school and year effects.

    Parameters
    ----------
    outcome : array (n,)
        Mean outcome of each school and year.
    regressors : array (n, p)
        Treatment: columns that vary within schools and years.
    names : sequence of str
        Their names.
    school, year : array (n,)
        Labels.
    n_pupils : array (n,), optional
        Pupils behind each mean; they are the weights where no other are given. Without either all
        cells weigh the same.
    weights : array (n,), optional
        Weights of the cells; ones where each school and year counts alike.
    cluster : array (n,), or two, optional
        Group of schools that errors are clustered on, in which each school lies in every year; by
        default the school. Two: both clusterings at once.
    covariates : mapping of str to array (n,), optional
        Further columns; those that the others determine are left out.
    fixed_effects : sequence of arrays (n,)
        Labels of further effects, such as region × year.
    unit_trends : bool
        Whether each school has a linear trend of its own.
    undetermined : {"refuse", "leave out"}
        What to do with treatment terms that the data cannot tell from the effects or from one
        another; those left out are in ``dropped``.

    Raises
    ------
    ValueError
        Where there are fewer than three schools or clusters, a school stands twice in a year or in
        two clusters, or the regressors do not vary within schools and years.
    """
    schools, years = cluster_rows(school, what="school"), cluster_rows(year, what="year")
    if schools.count < 3:
        raise ValueError(
            f"{schools.count} schools: clustered standard errors need three at least; use another "
            "model"
        )
    code, t = schools.codes, years.codes
    _refuse_repeated(school, year, code, t)
    more = dict(covariates or {})
    columns = np.column_stack([regressors, *more.values()])
    every = (*names, *more)
    _refuse_cells(outcome, columns, n_pupils, schools.count, years.count)
    if weights is not None and not ((weights > 0) & np.isfinite(weights)).all():
        bad = ~((weights > 0) & np.isfinite(weights))
        raise ValueError(
            f"the weight of school {np.asarray(school)[bad][0]} in {np.asarray(year)[bad][0]} is "
            f"{weights[bad][0]:g} ({int(bad.sum()):,} such cells); weights must be positive and "
            "finite: leave out cells that should not count"
        )
    w = _scaled(n_pupils if weights is None else weights)
    pair = cluster if isinstance(cluster, tuple) else None
    groups = None
    if cluster is not None and pair is None:
        groups = _groups_of_schools(np.asarray(cluster), school)
    factors = [code, t, *(cluster_rows(labels).codes for labels in fixed_effects)]
    clusters = code if groups is None else groups
    fit: LeastSquaresFit | TwoWayFit | None = None
    if w is None and pair is None and groups is None and not fixed_effects and not unit_trends:
        fit = _balanced(outcome, columns, every, schools, code, t, years.count)
    if fit is None:
        try:
            if unit_trends:
                numbers = np.asarray(year, dtype="float64")
                fit = _with_trends(outcome, columns, every, factors, numbers, w, pair or clusters)
            else:
                fit = _fit(outcome, columns, every, pair or clusters, w, factors)
        except ValueError as error:
            if str(error).startswith("no column is left"):
                raise ValueError(_undetermined(names, unit_trends)) from error
            raise
    nested = schools.count * (2 if unit_trends else 1)
    if isinstance(fit, LeastSquaresFit):
        fit = replace(fit, counts=_nested_once(fit.counts, nested, absorbed=not unit_trends))
    elif any(_lies_in_one(code, cluster_rows(labels).codes) for labels in pair or ()):
        once = _nested_once(fit.first.counts, nested, absorbed=not unit_trends)
        fit = TwoWayFit(*(replace(part, counts=once) for part in (fit.first, fit.second, fit.both)))
    one = fit.first if isinstance(fit, TwoWayFit) else fit
    lost = [name for name in names if name not in one.names]
    if lost and undetermined == "refuse":
        raise ValueError(_undetermined(lost, unit_trends))
    mixed = _entangled(dict(zip(every, columns.T, strict=True)), lost, one.names, factors, clusters)
    effects = "the schools and years" + (" and the trends of schools" if unit_trends else "")
    spread = _spread(outcome, w)
    refuse_exact_fit(one.residual_ss, spread, "outcome", every, effects=effects)
    kept = tuple(name for name in every if name in one.names and name not in mixed)
    count = int(clusters.max()) + 1
    having = _counts(names, regressors, clusters, count)
    lacking = _lacking(names, regressors, code, clusters)
    return PanelFit(
        kept,
        fit,
        schools.count,
        len(outcome),
        int(n_pupils.sum()) if n_pupils is not None else len(outcome),
        None if groups is None else count,
        tuple(name for name, held in having.items() if 1 in (held, lacking[name])),
        having,
        having if clusters is code else _counts(names, regressors, code, schools.count),
        tuple(name for name in every if name not in kept),
    )


def _fit(
    outcome: Array,
    columns: Array,
    names: Sequence[str],
    cluster: Labels | tuple[Labels, Labels],
    weights: Array | None,
    absorb: Sequence[Labels] | None,
) -> LeastSquaresFit | TwoWayFit:
    listed = list(columns.T)
    factors = list(absorb) if absorb else None
    if isinstance(cluster, tuple):
        return fit_two_way(
            outcome, listed, names=names, clusters=cluster, weights=weights, absorb=factors
        )
    return fit_least_squares_columns(
        outcome, listed, names=names, cluster=cluster, weights=weights, absorb=factors
    )


def _balanced(
    outcome: Array,
    columns: Array,
    names: tuple[str, ...],
    schools: Any,
    code: npt.NDArray[np.intp],
    year: npt.NDArray[np.intp],
    n_years: int,
) -> LeastSquaresFit | None:
    """Return the fit of a panel in which every school is seen in every year; else None."""
    J = schools.count
    if len(outcome) != J * n_years:
        return None
    at = code * n_years + year
    if np.array_equal(at, np.arange(len(at))):
        y, x = outcome, columns
    else:
        y, x = np.empty_like(outcome), np.empty_like(columns)
        y[at], x[at] = outcome, columns
    return fit_balanced_panel(
        y.reshape(J, n_years), x.reshape(J, n_years, -1), names, schools.labels
    )


def _with_trends(
    outcome: Array,
    columns: Array,
    names: Sequence[str],
    factors: Sequence[npt.NDArray[np.intp]],
    year: Array,
    weights: Array | None,
    cluster: Labels | tuple[Labels, Labels],
) -> LeastSquaresFit | TwoWayFit:
    """Return the fit of columns without each school's trend; effects but the schools' come last."""
    code = factors[0]
    dummies = [
        (factor == level).astype("float64")
        for factor in factors[1:]
        for level in range(1, int(factor.max()) + 1)
    ]
    every = np.column_stack([outcome, columns, *dummies])
    left = without_trends(every, code, year, weights)
    size = np.linalg.norm(every, axis=0)
    # What a trend holds is rounding of zero, and must be seen to be.
    left[:, np.linalg.norm(left, axis=0) <= 1e-9 * size] = 0.0
    # Effects come first, so that a column that they determine is the one left out.
    first = 1 + columns.shape[1]
    order = [*range(first, left.shape[1]), *range(1, first)]
    labels = [f"effect {at}" for at in range(len(dummies))]
    return _fit(left[:, 0], left[:, order], [*labels, *names], cluster, None, None)


def _nested_once(counts: ParameterCounts, nested: int, *, absorbed: bool) -> ParameterCounts:
    """Return counts in which effects of schools are nested, however they were taken out.

    With weights and clusters above schools they are columns, and trends were taken out beforehand.
    """
    columns = counts.all - nested if absorbed else counts.all
    plan = replace(counts.plan, groups=nested, nested_groups=nested)
    return ParameterCounts(columns, columns - counts.slopes, plan)


def _lies_in_one(school: npt.NDArray[np.intp], cluster: npt.NDArray[np.intp]) -> bool:
    """Return whether each school lies in one cluster in all its years."""
    first = np.zeros(int(school.max()) + 1, dtype=np.intp)
    first[school] = cluster
    return bool((first[school] == cluster).all())


def _scaled(weights: Array | None) -> Array | None:
    """Return weights of mean one; None if they are alike, and change nothing."""
    if weights is None or np.ptp(weights) <= 1e-12 * weights.max():
        return None
    scaled: Array = weights / weights.mean()
    return scaled


def _spread(outcome: Array, weights: Array | None) -> float:
    centred = outcome - np.average(outcome, weights=weights)
    return float(np.sum(centred**2 if weights is None else weights * centred**2))


def _counts(
    names: Sequence[str], columns: Array, group: npt.NDArray[Any], count: int
) -> dict[str, int]:
    """Return the groups in which each column is not zero."""
    return {
        name: int((np.bincount(group[column != 0], minlength=count) > 0).sum())
        for name, column in zip(names, columns.T, strict=True)
    }


def _lacking(
    names: Sequence[str],
    columns: Array,
    school: npt.NDArray[np.intp],
    cluster: npt.NDArray[np.intp],
) -> dict[str, int]:
    """Return the clusters that hold a school in which each column is zero in every year.

    A state with schools of both kinds has some to compare with, though it has the column too.
    """
    found: dict[str, int] = {}
    for name, column in zip(names, columns.T, strict=True):
        without = np.bincount(school[column != 0], minlength=int(school.max()) + 1) == 0
        found[name] = len(np.unique(cluster[without[school]]))
    return found


def _undetermined(names: Sequence[str], unit_trends: bool) -> str:
    trends = (
        "; with a trend of each school, it also needs at least three years" if unit_trends else ""
    )
    return (
        f"the regressors do not vary within schools and years: {', '.join(names)}; each needs "
        f"schools of both groups, in active years and in others{trends}"
    )


def _entangled(
    columns: Mapping[str, Array],
    lost: Sequence[str],
    kept: Sequence[str],
    factors: Sequence[Labels],
    cluster: Labels,
) -> set[str]:
    """Return the columns whose coefficients depend on which of several was left out.

    A column that was left out is a combination of the effects and of those; where it is one of the
    effects alone, there are none.
    """
    there = [name for name in columns if name in kept]
    found: set[str] = set()
    for name in lost if there else ():
        fit = fit_least_squares_columns(
            columns[name], [columns[other] for other in there], names=there, cluster=cluster,
            absorb=list(factors),
        )  # fmt: skip
        sizes = dict(zip(fit.names, fit.coefficients, strict=True))
        found |= {other for other, size in sizes.items() if abs(size) > _NO_SHARE}
    return found


_NO_SHARE = 1e-7
"""A coefficient of one indicator on others up to this is rounding of zero."""


def _refuse_repeated(
    school: Labels, year: Labels, code: npt.NDArray[np.intp], t: npt.NDArray[np.intp]
) -> None:
    cell = code * (int(t.max()) + 1) + t
    if np.bincount(cell).max() == 1:
        return
    first = np.unique(cell, return_index=True)[1]
    again = np.ones(len(cell), dtype=bool)
    again[first] = False
    at = int(np.argmax(again))
    raise ValueError(
        f"school {school[at]} has two rows in {year[at]}: a panel of schools has one for "
        "each year. Where a school holds both groups, take `estimator: cluster_robust` with "
        "`fixed_effects: [school, year]`"
    )


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
            f"cannot support {plural(regressors.shape[1], 'effect')} in addition to those of "
            f"schools and years ({effects:,}): schools must be seen in several years. "
            "Add years, or schools"
        )


def _groups_of_schools(cluster: Labels, school: Labels) -> npt.NDArray[np.int64]:
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
