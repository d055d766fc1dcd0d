r"""Effects of a programme that schools enter in different years (Callaway and Sant'Anna 2021).

For a cohort g, the schools that are first treated in year g, and a year t,

.. math:: ATT(g,t) = E[Y_t - Y_{g-1} \mid G=g] - E[Y_t - Y_{g-1} \mid C]

with C the schools that are never treated (or not yet by t). Two-way effects mix these with
comparisons of newly treated with already treated schools, which are biased where effects grow;
this never does. The cells are averaged: over all of them after treatment, weighted by the schools
in them (the overall effect); by years since the cohort began (the event study); by cohort; by
calendar year. Every school weighs the same.

Every average is a fixed linear combination of school means, so that each school enters it by one
number, and the inference is that of a comparison of groups of schools: see
``models.cohort_inference``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import nan
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from schooltrial.arrays import FloatArray
from schooltrial.models.adjusted_changes.two_groups import Adjustment
from schooltrial.models.cohort_inference.bands import bonferroni_half_widths
from schooltrial.models.cohort_inference.design_draws import DesignCheck, design_check
from schooltrial.models.cohort_inference.hotelling import (
    LEAST_DF,
    HotellingTest,
    joint_test,
    rows_covariance,
)
from schooltrial.models.cohort_inference.permutation import (
    DRAWS,
    PermutationCheck,
    permutation_check,
)
from schooltrial.models.cohort_inference.residuals import group_residuals
from schooltrial.models.cohort_inference.variances import (
    RULES,
    CohortVariances,
    JudgedRows,
    cohort_variances,
    judge_rows,
)
from schooltrial.models.cohort_regressions.linear_forms import (
    LinearForms,
    Regression,
    estimate_by_regression,
)
from schooltrial.models.comparison_schools.weighted_comparison import (
    CohortComparison,
    Weighting,
    weigh_comparisons,
    weighted_effects,
)
from schooltrial.models.group_time.averages import (
    Average,
    plan_averages,
    pretrend_terms,
)
from schooltrial.models.group_time.cells import (
    BasePeriod,
    Cell,
    ComparisonGroup,
    plan_cells,
    treated_schools,
)
from schooltrial.models.group_time.labels import numbered
from schooltrial.models.group_time.loadings import Effects, effects_of_cells, group_loadings
from schooltrial.models.group_time.panel import NEVER, SchoolPanel, panel_of_rows
from schooltrial.models.inference.estimate import Estimate, f_estimate, t_estimate
from schooltrial.models.inference.hypothesis import Hypothesis
from schooltrial.models.inference.result import Result
from schooltrial.models.panel.adjusted_cohorts import RowsOfSchools, adjust_cohorts
from schooltrial.models.panel.cohorts import informed_panel
from schooltrial.wording import plural

NO_CHANGES = (
    "no standard error: the schools that this compares changed alike, so that nothing is left to "
    "estimate it from"
)
"""Why an average has no standard error."""

ALONE = "no standard error: every treated cohort is one school, or one school is never treated"
"""What is said where no variance can be estimated, and schools cannot change places."""

NO_VARIANCE = (
    f"{ALONE}; p and interval are by permutation of the cohorts among schools, which assumes that "
    "treated and other schools vary alike"
)
"""What is said where no variance can be estimated."""

LEAST_T_DF = 1.0
"""Degrees of freedom below which no t is judged by."""

TOO_FEW = "too few clusters for p or interval: {:.1f} degrees of freedom"
"""What is said there."""

ONE_UNIT = (
    "no standard error: a cohort, or those schools compared with that have a value of a covariate, "
    "is one school (or lies in one cluster), whose own variation is not known"
)
"""Why an adjusted, weighted or clustered average has no standard error."""

CLUSTERS_TOGETHER = "variance of all clusters together, working df"
"""How the variance is named where clusters hold schools of several cohorts."""

METHODS = {"never_treated": "never treated", "not_yet_treated": "not yet treated"}

PRETREND = "test of equal trends before the programme"
"""Term of the joint test."""


@dataclass(frozen=True, eq=False, repr=False)
class StaggeredFit(Result):
    """The averages of group-time effects.

    Attributes
    ----------
    panel : SchoolPanel
        The schools that an effect rests on.
    cells : tuple of Cell
        The group-time effects.
    averages : tuple of Average
        All rows: the overall effect, by cohort, by years since, by calendar year, the cells, and
        the yearly drift before the programme.
    found : CohortVariances
        The rows as linear forms, and what their variances rest on.
    judged : JudgedRows
        Standard errors and degrees of freedom.
    check : PermutationCheck or None
        By permutation of the cohorts; None where schools do not weigh alike.
    comparison_group, base_period, anticipation
        How the cells were made.
    warnings : tuple of str
        Cohorts that inform no effect, and what else a reader must know of the panel.
    estimator : str
        Its name in ``method``.
    comparisons : tuple of CohortComparison
        Where comparison schools are weighted to resemble each cohort: how, and how alike they are.
    lottery : DesignCheck or None
        Where cohorts were drawn by lot: by the design's own draws.
    described : str
        Another estimator and what it compares with, in words; empty for Callaway and Sant'Anna's.
    adjusted : str
        What else is done in words: covariates, weights, clusters; empty if there are none.
    units : SchoolPanel or None
        The independent units that variances are of, where they are not the schools as they are:
        clusters, or schools less what covariates explain.
    school_loadings : array (N, T, R) or None
        Loadings of schools, where those of ``found`` are of clusters.
    """

    panel: SchoolPanel
    cells: tuple[Cell, ...]
    averages: tuple[Average, ...]
    found: CohortVariances
    judged: JudgedRows
    check: PermutationCheck | None
    comparison_group: ComparisonGroup
    base_period: BasePeriod
    anticipation: int
    warnings: tuple[str, ...]
    estimator: str = "Callaway-Sant'Anna"
    comparisons: tuple[CohortComparison, ...] = ()
    lottery: DesignCheck | None = None
    described: str = ""
    adjusted: str = ""
    units: SchoolPanel | None = None
    school_loadings: FloatArray | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all averages; kept, as each row is looked up by its name."""
        return tuple(row.term for row in self.averages)

    @property
    def coefficients(self) -> FloatArray:
        """Estimates of all averages."""
        return self.found.effects.points

    @property
    def schools(self) -> tuple[str, ...]:
        """The schools that an effect uses."""
        return tuple(str(name) for name in self.panel.schools)

    @property
    def n_schools(self) -> int:
        """Schools that an effect uses."""
        return len(self.panel.schools)

    @property
    def n_cells(self) -> int:
        """School × year cells."""
        return int(self.panel.seen.sum())

    @property
    def n_rows(self) -> int:
        """School × year cells."""
        return self.n_cells

    @property
    def n_clusters(self) -> int:
        """Independent units: schools, or the clusters that they are in."""
        return len((self.units or self.panel).schools)

    @property
    def n_pupils(self) -> int:
        """Pupils of these schools, each counted in every year; 0 if not known."""
        return 0 if self.panel.n_pupils is None else int(np.nansum(self.panel.n_pupils))

    @property
    def method(self) -> str:
        """What was computed, in words; the variance is that of the overall effect."""
        return self._by_rule(0)

    @property
    def _effects_are(self) -> str:
        compared = METHODS[self.comparison_group]
        base = ", universal base" if self.base_period == "universal" else ""
        before = f", {plural(self.anticipation, 'year')} of anticipation"
        alike = ", weighted to resemble each cohort" if self.comparisons else ""
        described = self.described or f"{self.estimator}, against {compared}{alike}{base}"
        adjusted = f", {self.adjusted}" if self.adjusted else ""
        return f"{described}{before if self.anticipation else ''}{adjusted}"

    def _by_rule(self, at: int) -> str:
        rule = self.judged.rules[at]
        judged = "permutation of cohorts" if rule == "none" else RULES[rule]
        if self.units is not None and self.units.groups == (NEVER,):
            judged = CLUSTERS_TOGETHER
        return f"{self._effects_are}; {judged}"

    def terms_of(self, estimand: str) -> tuple[str, ...]:
        """Return the terms of one estimand, as the long table names it."""
        return tuple(row.term for row in self.averages if row.estimand == estimand)

    @property
    def overall(self) -> Estimate:
        """The overall effect."""
        return self.estimates()[0]

    @property
    def cohorts(self) -> tuple[Estimate, ...]:
        """Effects by cohort."""
        return self.estimates(self.terms_of("effect by group"))

    @property
    def since(self) -> tuple[Estimate, ...]:
        """Effects by years since the cohort began; before it, the pre-trend."""
        return self.estimates(self.terms_of("event study"))

    def _remarks(self) -> tuple[str, ...]:
        return self.warnings

    def _leading_terms(self) -> tuple[str, ...]:
        return ("treated", *self.terms_of("effect by group"))

    def _kind_of_fit(self) -> str:
        return "group-time effects, whose averages come with their own standard errors"

    def estimates(
        self,
        terms: str | Sequence[str] | None = None,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return rows of averages; the overall effect by default."""
        self._refuse_choice(vcov, df)
        chosen, _ = self._selected("treated" if terms is None else terms)
        bands = self._bands(level)
        return tuple(self._estimate(self.position(term), level, bands.get(term)) for term in chosen)

    def _bands(self, level: float) -> dict[str, float]:
        """Return term → half-width of the simultaneous band of the event study."""
        terms = self.terms_of("event study")
        at = [self.position(term) for term in terms]
        width = bonferroni_half_widths(self.judged.std_error[at], self.judged.df[at], level)
        return dict(zip(terms, width.tolist(), strict=True))

    def _estimate(self, at: int, level: float, band: float | None) -> Estimate:
        row, point = self.averages[at], float(self.coefficients[at])
        pupils, schools, treated = self._counts[at]
        rule = self.judged.rules[at]
        error, df = float(self.judged.std_error[at]), float(self.judged.df[at])
        note = ""
        if rule == "none":
            note = ALONE if self.check is None else NO_VARIANCE
        elif np.isnan(error):
            note = ONE_UNIT if self._alone[at] else NO_CHANGES
        made = t_estimate(
            row.term, point, error, df, n_individuals=pupils, n_schools=schools, level=level,
            method=self._by_rule(at), note=note,
        )  # fmt: skip
        made = replace(made, n_treated_schools=treated)
        if df < LEAST_T_DF:  # t has no use there: an interval may be thousands of times the error
            return replace(made, p_value=nan, conf_low=nan, conf_high=nan, note=TOO_FEW.format(df))
        if rule == "none" and self.check is not None and np.isnan(self.check.p_value[at]):
            made = replace(made, note=f"{ALONE}, so that how schools vary is not known")
        elif rule == "none" and self.check is not None:
            half = float(self.check.half_width[at])
            made = replace(
                made, p_value=float(self.check.p_value[at]),
                conf_low=point - half, conf_high=point + half,
            )  # fmt: skip
        if band is not None:
            made = replace(made, band_low=point - band, band_high=point + band)
        return made

    @cached_property
    def _alone(self) -> npt.NDArray[np.bool_]:
        """Return for each row whether it uses a unit that is alone in its group."""
        own = self.found.effects.contributions
        if self.units is None or own is None:
            return np.zeros(len(self.averages), dtype=bool)
        return np.asarray(np.isnan(own).any(axis=0))

    @cached_property
    def _counts(self) -> list[tuple[int, int, int]]:
        """Return pupil-years, schools and treated schools of each row."""
        loadings, seen = self.found.effects.loadings, self.panel.seen
        by_group = self.found.effects.by_group
        if by_group and self.school_loadings is None and self.panel.balanced:
            return self._group_counts()
        if self.school_loadings is not None:
            loadings = self.school_loadings
        cohort = np.array([cell.cohort for cell in self.cells])
        pupils = self.panel.n_pupils
        counted = []
        for at, row in enumerate(self.averages):
            part = np.abs(loadings[:, :, at]) > _ZERO
            rests = part[self.panel.group] if by_group else part
            rests = rests & seen
            inside = rests.any(1)
            own = np.isin(self.panel.cohort, cohort[row.weights != 0])
            total = 0 if pupils is None else int(np.nansum(pupils[rests]))
            counted.append((total, int(inside.sum()), int((inside & own).sum())))
        return counted

    def _group_counts(self) -> list[tuple[int, int, int]]:
        """Return the same where all schools of a group count alike and have all years."""
        groups, sizes = np.array(self.panel.groups), self.panel.sizes
        rests = np.abs(self.found.effects.loadings) > _ZERO
        inside = np.asarray(rests.any(axis=1))
        by_year = np.zeros(rests.shape[:2])
        if self.panel.n_pupils is not None:
            np.add.at(by_year, self.panel.group, np.nan_to_num(self.panel.n_pupils))
        pupils = np.rint(np.einsum("ht,htr->r", by_year, rests)).astype(int)
        cohort = np.array([cell.cohort for cell in self.cells])
        schools = sizes @ inside
        treated = [
            int(sizes[inside[:, at] & np.isin(groups, cohort[row.weights != 0])].sum())
            for at, row in enumerate(self.averages)
        ]
        return list(zip(pupils.tolist(), schools.tolist(), treated, strict=True))

    def covariance(self, *, vcov: str | None = None) -> FloatArray:
        """Return the covariance of all averages by the rule that fits them all together."""
        self._refuse_choice(vcov, None)
        rows = range(len(self.averages))
        return rows_covariance(self.found, rows, self.found.rule(list(rows)))

    def _combined(
        self,
        terms: Sequence[str],
        matrix: FloatArray,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return linear combinations of averages, each a linear form like the averages."""
        self._refuse_choice(vcov, df)
        effects = self.found.effects.combined(matrix.T)
        found = cohort_variances(self.units or self.panel, effects)
        judged = judge_rows(found)
        return tuple(
            t_estimate(
                term, float(found.effects.points[at]), float(judged.std_error[at]),
                float(judged.df[at]), n_individuals=self.n_pupils, n_schools=self.n_schools,
                level=level, method=f"{self._effects_are}; {RULES[judged.rules[at]]}",
                note="" if judged.std_error[at] > 0 else NO_CHANGES,
            )
            for at, term in enumerate(terms)
        )  # fmt: skip

    def _tested(
        self,
        hypothesis: Hypothesis,
        *,
        name: str,
        vcov: str | None = None,
        df: str | None = None,
    ) -> Estimate:
        """Test linear hypotheses together, by approximate Hotelling F."""
        self._refuse_choice(vcov, df)
        effects = self.found.effects.combined(hypothesis.matrix.T)
        effects = replace(effects, points=effects.points - hypothesis.values)
        found = cohort_variances(self.units or self.panel, effects)
        rows = list(range(len(hypothesis.matrix)))
        return self._joint(name, joint_test(found, rows, found.rule(rows)), found, rows)

    def _joint(
        self, name: str, test: HotellingTest, found: CohortVariances, rows: Sequence[int]
    ) -> Estimate:
        rule = found.rule(rows)
        note = ""
        if np.isnan(test.statistic):
            years = plural(test.hypotheses, "year")
            note = (
                f"no F: too few treated schools for a joint test of {years}"
                if test.df < LEAST_DF
                else "no F: these rows have no variance, or do not vary apart"
            )
        return f_estimate(
            name, test.statistic, test.hypotheses, test.df, n_individuals=self.n_pupils,
            n_schools=self.n_schools, method=f"{self._effects_are}; approximate Hotelling test, "
            f"{RULES[rule]}", note=note,
        )  # fmt: skip

    @cached_property
    def pretrend(self) -> Estimate | None:
        """Joint test that the event times before the programme are zero; None without any."""
        terms = pretrend_terms(self.averages, self.anticipation)
        if not terms:
            return None
        rows = [self.position(term) for term in terms]
        return self._joint(
            PRETREND, joint_test(self.found, rows, self.found.rule(rows)), self.found, rows
        )

    def _drawn_rows(self, lottery: DesignCheck) -> tuple[Estimate, ...]:
        """Return the leading rows with p-values by the design's own draws."""
        every = f"exact, all {lottery.draws:,} assignments"
        how = every if lottery.exact else f"{lottery.draws:,} assignments"
        note = (
            "no standard error and no interval: p is that no school's outcome was changed in any "
            "year (the sharp null)"
        )
        rows = []
        for term in self._leading_terms():
            at = self.position(term)
            rows.append(
                replace(
                    self._estimate(at, 0.95, None), std_error=np.nan, df=np.nan, statistic=np.nan,
                    p_value=float(lottery.p_value[at]), conf_low=np.nan, conf_high=np.nan,
                    method=f"{self._effects_are}; design's own draws, {how}", note=note,
                )
            )  # fmt: skip
        return tuple(rows)

    def permutation_rows(self) -> tuple[Estimate, ...]:
        """Return the overall effect and the cohorts as permutation judges them.

        Where cohorts were drawn by lot, it is the design's own draws that do.
        """
        if self.lottery is not None:
            return self._drawn_rows(self.lottery)
        if self.check is None:
            return ()
        drawn = (
            f"{self._effects_are}; studentised permutation of cohorts among schools, "
            f"{self.check.draws:,} draws"
        )
        least = (
            "no standard error: judged by permutation, whose smallest p here is "
            f"{self.check.smallest_p:.2g}"
        )
        rows = []
        for term in self._leading_terms():
            at = self.position(term)
            base = self._estimate(at, 0.95, None)
            point, half = float(self.coefficients[at]), float(self.check.half_width[at])
            if np.isnan(half):
                continue  # its own row says why
            rows.append(
                replace(
                    base, std_error=np.nan, df=np.nan, statistic=np.nan,
                    p_value=float(self.check.p_value[at]), conf_low=point - half,
                    conf_high=point + half, method=drawn, note=least,
                )
            )  # fmt: skip
        return tuple(rows)


_ZERO = 1e-14  # loadings are shares of groups: smaller ones are rounding


def fit_staggered_adoption(
    outcome: FloatArray,
    *,
    school: npt.NDArray[Any],
    year: npt.NDArray[Any],
    cohort: FloatArray,
    n_pupils: FloatArray | None = None,
    comparison_group: ComparisonGroup = "never_treated",
    base_period: BasePeriod = "varying",
    anticipation: int = 0,
    method: Literal["callaway_santanna"] | Regression = "callaway_santanna",
    event_window: tuple[int, int] | None = None,
    comparison_on: Sequence[str] = (),
    comparison_weights: Weighting = "entropy",
    characteristics: Mapping[str, FloatArray] | None = None,
    covariates: Mapping[str, FloatArray] | None = None,
    adjustment: Adjustment = "regression",
    weights: FloatArray | None = None,
    weighted_by: str = "weights",
    cluster: npt.NDArray[Any] | None = None,
    clustered_on: str = "cluster",
    strata: npt.NDArray[Any] | None = None,
    drawn_by_lot: bool = False,
    draws: int = DRAWS,
    seed: int | np.random.Generator = 0,
) -> StaggeredFit:
    """Estimate group-time effects and their averages on a school × year panel.

    Parameters
    ----------
    outcome : array (n,)
        Mean outcome of each school and year; a school may lack years.
    school, year : array (n,)
        Labels.
    cohort : array (n,)
        First treated year of the school; NaN where it is never treated.
    n_pupils : array (n,), optional
        Pupils behind each cell; counted, never used as weights.
    comparison_group : {"never_treated", "not_yet_treated"}
        Whom cohorts are compared with.
    base_period : {"varying", "universal"}
        What years before the programme are compared with: the year before each, or the last before
        the programme.
    anticipation : int
        Years before the first treated one in which schools may already change.
    method : {"callaway_santanna", "sun_abraham", "imputation", "stacked"}
        The estimator. ``comparison_group`` is of the first and of stacks, ``base_period`` and what
        follows ``event_window`` until ``strata`` of the first alone: the others have comparisons
        and reference years of their own.
    event_window : (int, int), optional
        First and last year of a stack since its cohort began.
    comparison_on : sequence of str
        What comparison schools are weighted to have in common with each cohort: ``level`` and
        ``trend`` of the outcome before it, or names of ``characteristics``. Without any, schools
        count alike.
    comparison_weights : {"entropy", "nearest"}
        Entropy balancing, or the nearest neighbours of each school of the cohort.
    characteristics : mapping of str to array (n,), optional
        Numbers that do not change within schools.
    covariates : mapping of str to array (n,), optional
        Numbers by name, taken in the base year of each cell; NaN where they are missing: schools
        that lack one then are not in the cell.
    adjustment : {"regression", "doubly_robust", "inverse_probability"}
        How effects are adjusted for covariates.
    weights : array (n,), optional
        Positive weights, taken in the last year before a cohort; schools count alike by default.
    weighted_by, clustered_on : str
        What weights and clusters are, for ``method``.
    cluster : array (n,), optional
        Label of the cluster above the school, such as its district.
    strata : array (n,), optional
        Label of the school's stratum, within which cohorts are permuted. Nothing is permuted where
        schools differ in covariates, weights or clusters, as they are not exchangeable then.
    drawn_by_lot : bool
        Whether cohorts were drawn by lot, within strata where there are any: then a permutation is
        a draw of the design, and the test by all of them is exact.
    draws : int
        Permutations; 0 for none.
    seed : int or numpy.random.Generator
        Of the permutations.

    Raises
    ------
    ValueError
        Where no school is treated, none can be compared with, or no cohort informs an effect,
        where a school has two rows in a year, and where covariates, weights or clusters cannot be
        used: see ``adjusted_cohorts``.
    """
    known = np.isfinite(np.asarray(outcome, dtype=np.float64))
    whole = panel_of_rows(outcome, school=school, year=year, cohort=cohort, n_pupils=n_pupils)
    rows = RowsOfSchools(
        np.asarray(school), np.asarray(year), covariates or {}, adjustment, weights, weighted_by,
        cluster, clustered_on,
    )  # fmt: skip
    _refuse_both(rows, method, comparison_on)
    _refuse_unused(method, comparison_group, base_period, comparison_on, event_window)
    if method != "callaway_santanna":
        made = estimate_by_regression(
            whole, method, comparison_group=comparison_group, anticipation=anticipation,
            event_window=event_window,
        )  # fmt: skip
        within = None if strata is None else (school, strata)
        return _of_regression(whole, made, within, comparison_group, anticipation, draws, seed)
    number = numbered(np.asarray(school)[known])[1]
    informed = informed_panel(
        number, np.asarray(year)[known].astype(np.int64), whole.cohort[number],
        not_yet=comparison_group == "not_yet_treated", anticipation=anticipation,
    )  # fmt: skip
    own = np.zeros(len(whole.schools), dtype=np.int64)
    own[number] = informed.cohort
    kept = np.zeros(len(whole.schools), dtype=bool)
    kept[number] = informed.kept
    panel = replace(whole, cohort=own).kept(kept)
    if not rows.plain:
        return _adjusted(panel, rows, comparison_group, base_period, anticipation, informed.notes)
    cells = plan_cells(panel, comparison_group, base_period, anticipation)
    alike = None
    if comparison_on:
        of_schools = {
            name: _of_schools(panel, school, values)
            for name, values in (characteristics or {}).items()
        }
        alike = weigh_comparisons(panel, cells, comparison_on, of_schools, comparison_weights)
        panel, draws = alike.panel, 0  # schools that do not weigh alike cannot change places
        cells = plan_cells(panel, comparison_group, base_period, anticipation)
    averages = plan_averages(
        cells, treated_schools(panel, cells), base_period=base_period, anticipation=anticipation
    )
    matrix = np.column_stack([row.weights for row in averages])
    effects = (
        effects_of_cells(panel, cells, matrix) if alike is None
        else weighted_effects(panel, cells, matrix, alike)
    )  # fmt: skip
    panel, effects = _resting(panel, effects)
    found = cohort_variances(panel, effects)
    judged = judge_rows(found)
    check = lottery = None
    if draws:
        layers = None if strata is None else _strata_of(panel, school, strata)
        check = _checked(panel, cells, averages, found, judged, layers, draws, seed, anticipation)
    if draws and drawn_by_lot:
        by_group = group_loadings(panel.groups, panel.sizes, panel.years, cells, matrix)
        lottery = design_check(
            panel.outcome, panel.group, by_group, layers, draws=draws,
            random=np.random.default_rng(seed),
        )  # fmt: skip
    return StaggeredFit(
        panel, cells, averages, found, judged, check, comparison_group, base_period, anticipation,
        (*informed.notes, *(alike.notes if alike else ())),
        comparisons=alike.found if alike else (), lottery=lottery,
    )  # fmt: skip


def _refuse_both(rows: RowsOfSchools, method: str, comparison_on: Sequence[str]) -> None:
    """Raise where covariates, weights or clusters are given with what takes none."""
    if method != "callaway_santanna" and comparison_on:
        raise ValueError(
            f"`method: {method}` has comparisons of its own, which `comparison_on: "
            f"[{', '.join(comparison_on)}]` cannot weight; take `method: callaway_santanna`, or "
            "remove it"
        )
    if rows.plain:
        return
    if method != "callaway_santanna":
        raise ValueError(
            f"`method: {method}` takes no covariates, weights or clusters; take `method: "
            "callaway_santanna`, or remove them"
        )
    if comparison_on:
        raise ValueError(
            f"`comparison_on: [{', '.join(comparison_on)}]` weights the schools compared with, and "
            "is not combined with covariates, weights or clusters; name the covariates under "
            "`comparison_on`, or remove it"
        )


def _refuse_unused(
    method: Literal["callaway_santanna"] | Regression,
    comparison_group: ComparisonGroup,
    base_period: BasePeriod,
    comparison_on: Sequence[str],
    event_window: tuple[int, int] | None,
) -> None:
    """Raise where an option is given that a method has no use for."""
    first = method == "callaway_santanna"
    own = method in ("sun_abraham", "imputation")
    unused = {
        "comparison_group": own and comparison_group != "never_treated",
        "base_period": not first and base_period != "varying",
        "comparison_on": not first and bool(comparison_on),
        "event_window": method != "stacked" and event_window is not None,
    }
    for name, idle in unused.items():
        if idle:
            raise ValueError(
                f"method {method!r} has no use for `{name}`; leave it out, or take another method"
            )


def _of_regression(
    whole: SchoolPanel,
    made: LinearForms,
    strata: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None,
    comparison_group: ComparisonGroup,
    anticipation: int,
    draws: int,
    seed: int | np.random.Generator,
) -> StaggeredFit:
    """Judge the rows of another estimator; strata are labels of schools, and their strata."""
    panel, effects = _resting(whole, made.effects)
    found = cohort_variances(panel, effects)
    judged = judge_rows(found)
    check = None
    if draws:
        layers = None if strata is None else _strata_of(panel, *strata)
        by_group = made.by_group[[whole.groups.index(g) for g in panel.groups]]
        check = _checked(panel, made.cells, made.averages, found, judged, layers, draws, seed,
                         anticipation, by_group)  # fmt: skip
    return StaggeredFit(
        panel, made.cells, made.averages, found, judged, check, comparison_group, "universal",
        anticipation, made.notes, described=made.described,
    )  # fmt: skip


def _adjusted(
    panel: SchoolPanel,
    rows: RowsOfSchools,
    comparison_group: ComparisonGroup,
    base_period: BasePeriod,
    anticipation: int,
    notes: tuple[str, ...],
) -> StaggeredFit:
    """Fit given covariates, weights or clusters."""
    made = adjust_cohorts(panel, rows, comparison_group, base_period, anticipation)
    units = made.adjusted.panel
    found = cohort_variances(units, made.adjusted.effects)
    return StaggeredFit(
        made.panel, made.cells, made.averages, found, judge_rows(found), None, comparison_group,
        base_period, anticipation, (*notes, *made.notes), adjusted=rows.described(), units=units,
        school_loadings=made.adjusted.school_loadings,
    )  # fmt: skip


def _resting(panel: SchoolPanel, effects: Effects) -> tuple[SchoolPanel, Effects]:
    """Return the panel and effects without schools on which none rests."""
    if effects.contributions is None:
        used = np.abs(effects.loadings).max((1, 2))[panel.group] > 0
        if used.all():
            return panel, effects
        kept = panel.kept(used)
        at = [panel.groups.index(g) for g in kept.groups]
        return kept, replace(effects, loadings=effects.loadings[at])
    used = np.abs(effects.loadings).max((1, 2)) > 0
    return panel.kept(used), replace(
        effects, loadings=effects.loadings[used], contributions=effects.contributions[used]
    )


def _of_schools(panel: SchoolPanel, school: npt.NDArray[Any], values: FloatArray) -> FloatArray:
    """Return one number of each school; NaN if its rows have none."""
    found = np.full(len(panel.schools), np.nan)
    at = np.minimum(np.searchsorted(panel.schools, school), len(panel.schools) - 1)
    rows = (panel.schools[at] == school) & np.isfinite(values)
    found[at[rows]] = values[rows]
    return found


def _strata_of(
    panel: SchoolPanel, school: npt.NDArray[Any], strata: npt.NDArray[Any]
) -> npt.NDArray[np.intp]:
    """Return the number of each school's stratum."""
    first: dict[Any, str] = {}
    for name, stratum in zip(school.tolist(), strata.tolist(), strict=True):
        first.setdefault(name, str(stratum))
    labels = np.array([first[name] for name in panel.schools.tolist()])
    return np.unique(labels, return_inverse=True)[1].astype(np.intp)


def _checked(
    panel: SchoolPanel,
    cells: Sequence[Cell],
    averages: Sequence[Average],
    found: CohortVariances,
    judged: JudgedRows,
    strata: npt.NDArray[np.intp] | None,
    draws: int,
    seed: int | np.random.Generator,
    anticipation: int,
    by_group: FloatArray | None = None,
) -> PermutationCheck:
    """Permute the cohorts; where schools lack years, these count as their expected value.

    The groups' loadings are those of averages of cells unless others are given.
    """
    matrix = np.column_stack([row.weights for row in averages])
    loadings = found.effects.loadings if by_group is None else by_group
    if by_group is None and not found.effects.by_group:
        loadings = group_loadings(panel.groups, panel.sizes, panel.years, cells, matrix)
    left = np.nan_to_num(group_residuals(panel.outcome, panel.group, len(panel.groups)))
    names = [row.term for row in averages]
    return permutation_check(
        left, panel.group, loadings, found.effects.points, judged.own.std_error, judged.own.df,
        alone=np.isnan(judged.own.std_error),
        before=[names.index(term) for term in pretrend_terms(averages, anticipation)],
        strata=strata, draws=draws, random=np.random.default_rng(seed),
    )  # fmt: skip
