r"""Effects of a programme that schools enter in different years (Callaway and Sant'Anna 2021).

For a cohort g, the schools that are first treated in year g, and a year t,

.. math:: ATT(g,t) = E[Y_t - Y_{g-1} \mid G=g] - E[Y_t - Y_{g-1} \mid C]

with C the schools that are never treated (or not yet by t). Two-way effects mix these with
comparisons of newly treated with already treated schools, which are biased where effects grow;
this never does. The cells are averaged: over all of them after treatment, weighted by the schools
in them (the overall effect); by years since the cohort began (the event study); and by cohort.
Every school weighs the same. Point and standard error are those of the package diff-diff: its
standard errors are from influence functions, by school, with normal quantiles as reference and no
small-sample factor.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, nan
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.models.inference.estimate import Estimate, f_estimate, t_estimate
from schooltrial.models.inference.result import Result
from schooltrial.models.inference.wald import wald_statistic
from schooltrial.models.panel.cohorts import informed_panel

Array = npt.NDArray[np.float64]


_ROUNDING = 1e-12  # of the largest outcome


NO_CHANGES = (
    "no standard error: the schools that this compares changed alike (or there is one school on "
    "each side), so that nothing is left to estimate it from"
)
"""Why an average has no standard error."""


METHODS = {"never_treated": "never treated", "not_yet_treated": "not yet treated"}


@dataclass(frozen=True)
class AverageEffect:
    """One average of ATT(g, t): what it is of, its estimate and standard error."""

    term: str
    estimate: float
    std_error: float


@dataclass(frozen=True, eq=False, repr=False)
class StaggeredFit(Result):
    """The averages of group-time effects.

    Attributes
    ----------
    overall : AverageEffect
        Over all cohorts and years after treatment began, weighted by schools.
    cells, since, cohorts : tuple of AverageEffect
        ATT(g, t); by years since the cohort began, negative ones being the pre-trend; by cohort.
    pretrend : Estimate or None
        Joint Wald test that every event time before treatment is zero; None where there is none.
    n_pupils, n_schools, n_cells : int
        Pupils (each counted in every year) and schools that an effect rests on; school × year
        cells.
    comparison_group : str
        Whom cohorts are compared with.
    warnings : tuple of str
        What the computation says of itself, such as cohorts that inform no effect.
    schools : tuple of str
        The schools that an effect rests on.
    rounding : float
        A standard error up to this is the rounding of zero.
    """

    overall: AverageEffect
    cells: tuple[AverageEffect, ...]
    since: tuple[AverageEffect, ...]
    cohorts: tuple[AverageEffect, ...]
    pretrend: Estimate | None
    n_pupils: int
    n_schools: int
    n_cells: int
    comparison_group: str
    warnings: tuple[str, ...]
    schools: tuple[str, ...] = ()
    rounding: float = 0.0

    @property
    def averages(self) -> tuple[AverageEffect, ...]:
        """All averages: the overall one, by cohort, by years since, and the cells."""
        return (self.overall, *self.cohorts, *self.since, *self.cells)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all averages."""
        return tuple(effect.term for effect in self.averages)

    @property
    def coefficients(self) -> Array:
        """Estimates of all averages."""
        return np.array([effect.estimate for effect in self.averages])

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
        compared = METHODS[self.comparison_group]
        return f"Callaway-Sant'Anna, against {compared}, influence functions by school"

    def _remarks(self) -> tuple[str, ...]:
        return self.warnings

    def _leading_terms(self) -> tuple[str, ...]:
        return tuple(effect.term for effect in (self.overall, *self.cohorts))

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
        chosen, _ = self._selected(self.overall.term if terms is None else terms)
        averages = self.averages
        return tuple(
            t_estimate(
                effect.term, effect.estimate, self._std_error(effect), inf, n_pupils=self.n_pupils,
                n_schools=self.n_schools, level=level, note=self._note(effect), method=self.method,
            )
            for effect in (averages[self.position(term)] for term in chosen)
        )  # fmt: skip

    def _std_error(self, effect: AverageEffect) -> float:
        """Return the standard error; NaN where it is the rounding of zero."""
        return effect.std_error if effect.std_error > self.rounding else nan

    def _note(self, effect: AverageEffect) -> str:
        withheld = [] if effect.std_error > self.rounding else [NO_CHANGES]
        return "; ".join([*withheld, *self.warnings])


def fit_staggered_adoption(
    outcome: Array,
    *,
    school: npt.NDArray[Any],
    year: npt.NDArray[Any],
    cohort: Array,
    n_pupils: Array | None = None,
    comparison_group: Literal["never_treated", "not_yet_treated"] = "never_treated",
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

    Raises
    ------
    ValueError
        Where no school is treated, none can be compared with, or no cohort informs an effect, and
        where a school has two rows in a year.
    """
    numbers, names = pd.factorize(np.asarray(school))
    panel = pd.DataFrame({
        "outcome": np.asarray(outcome, dtype="float64"), "school": numbers,
        "year": np.asarray(year, dtype="int64"), "cohort": np.nan_to_num(cohort).astype("int64"),
    })  # fmt: skip
    panel = panel[panel["outcome"].notna()]
    _refuse_repeated(panel, names)
    informed = informed_panel(
        *(panel[name].to_numpy("int64") for name in ("school", "year", "cohort")),
        not_yet=comparison_group == "not_yet_treated",
    )
    fitted = _fitted(panel.assign(cohort=informed.cohort)[informed.kept], comparison_group)
    events = fitted.aggregate("event_study")
    cohorts = fitted.aggregate("group")
    cells = fitted.to_dataframe()
    used = informed.schools[panel["school"]]
    pupils = 0
    if n_pupils is not None:
        pupils = int(np.nansum(np.asarray(n_pupils, dtype="float64")[panel.index[used]]))
    n_schools = int(informed.schools.sum())
    return StaggeredFit(
        AverageEffect("treated", float(fitted.att), float(fitted.se)),
        _effects([f"treated[cohort={g}, year={t}]" for g, t in cells[["group", "time"]].to_numpy()],
                 cells["effect"], cells["se"]),
        _effects([f"treated[since={int(e)}]" for e in events.event_time], events.att, events.se),
        _effects([f"treated[cohort={label}]" for label in cohorts.label], cohorts.att, cohorts.se),
        _pretrend(events, n_schools, pupils, informed.notes),
        pupils, n_schools, len(panel), comparison_group, informed.notes,
        tuple(str(name) for name in names[np.flatnonzero(informed.schools)]),
        _ROUNDING * float(panel["outcome"].abs().max()),
    )  # fmt: skip


def _refuse_repeated(panel: pd.DataFrame, names: npt.NDArray[Any]) -> None:
    """Raise where a school has two rows in a year."""
    repeated = panel[panel.duplicated(["school", "year"])]
    if len(repeated):
        one = repeated.iloc[0]
        raise ValueError(
            f"school {names[int(one['school'])]} has two rows in {int(one['year'])}: a panel of "
            "schools has one for each year. Where a school holds both arms, or two cohorts, take "
            "`estimator: cluster_robust` with `fixed_effects: [school, year]`"
        )


def _fitted(panel: pd.DataFrame, comparison_group: str) -> Any:
    from diff_diff import CallawaySantAnna  # late: it takes a second to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return CallawaySantAnna(
            control_group=comparison_group, estimation_method="reg", base_period="varying"
        ).fit(panel, outcome="outcome", unit="school", time="year", first_treat="cohort")


def _effects(terms: Sequence[str], points: Any, errors: Any) -> tuple[AverageEffect, ...]:
    known = zip(terms, np.asarray(points, float), np.asarray(errors, float), strict=True)
    return tuple(AverageEffect(term, float(a), float(b)) for term, a, b in known if np.isfinite(b))


def _pretrend(events: Any, n_schools: int, n_pupils: int, notes: Sequence[str]) -> Estimate | None:
    """Test that the effects before treatment are all zero, by their joint covariance."""
    index = [float(e) for e in events.vcov_index]
    before = [at for at, time in enumerate(index) if time < 0]
    points = dict(zip(map(float, events.event_time), np.asarray(events.att, float), strict=True))
    b = np.array([points[index[at]] for at in before])
    v = np.asarray(events.vcov, dtype="float64")[np.ix_(before, before)]
    statistic = wald_statistic(b, v) if before else nan
    if isnan(statistic):
        return None
    return f_estimate(
        "no difference in trend before the programme", statistic / len(b),
        len(b), inf, n_pupils=n_pupils, n_schools=n_schools,
        method="Callaway-Sant'Anna, Wald test of the event times before treatment",
        note="; ".join(notes),
    )  # fmt: skip
