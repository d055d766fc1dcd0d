"""How often each row of a panel's table rejects what is true, scenario by scenario.

Rows of a balanced panel without covariates run many panels at once (`panel_batch`); where schools
lack years, have covariates or are clustered, and in permutation, panels go one by one through the
library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from benchmarks.panel_batch import (
    Joint,
    Moments,
    Rows,
    joint_of,
    joint_rejects,
    moments_of,
    regimes_of,
    rows_of,
    t_rejects,
)
from benchmarks.panel_trials import (
    EFFECT,
    YEARS,
    Design,
    Scenario,
    panel_stream,
    simulate_panels,
)
from numpy.typing import NDArray

from schooltrial.models.cohort_inference.variances import FEW_SCHOOLS
from schooltrial.models.group_time.averages import SLOPE, plan_averages, pretrend_terms
from schooltrial.models.group_time.cells import plan_cells, treated_schools
from schooltrial.models.group_time.loadings import group_loadings
from schooltrial.models.group_time.panel import SchoolPanel

FloatArray = NDArray[np.float64]

PART = 500  # panels of one stream
KINDS = {
    "ATT": "overall",
    "effect by group": "cohorts",
    "event study": "event times",
    "calendar year": "calendar years",
    "group-time effect": "group-time effects",
    "pre-trend slope": "slope before",
}
JOINT, BAND = "joint pre-trend", "band"
TRUTHS = ("mean effect", "effect of these schools")


@dataclass(frozen=True)
class DesignRows:
    """The rows of a design.

    Attributes
    ----------
    terms, kinds : tuple of str
    loadings : array (groups, years, rows)
    band, before : tuple of int
        Rows of the event study, and those of them before the programme.
    """

    terms: tuple[str, ...]
    kinds: tuple[str, ...]
    loadings: FloatArray
    band: tuple[int, ...]
    before: tuple[int, ...]


class Tally(NamedTuple):
    """Rejections of one row by one rule, of the panels in which it has a test, of those asked."""

    rule: str
    truth: str
    kind: str
    term: str
    rejected: float
    panels: int
    asked: int
    df: float


Worker = Callable[[tuple[Scenario, int, int]], list[Tally]]
"""Simulates and analyses a part of a scenario's panels: scenario, number of the part, panels."""


@cache
def rows_of_design(design: Design) -> DesignRows:
    """Return the rows that the library plans for a design."""
    cohort = design.cohort()
    panel = SchoolPanel(
        np.zeros((len(cohort), len(YEARS))), np.array(YEARS), cohort, np.arange(len(cohort))
    )
    cells = plan_cells(panel, design.comparison_group)
    averages = plan_averages(cells, treated_schools(panel, cells))
    matrix = np.column_stack([row.weights for row in averages])
    terms = tuple(row.term for row in averages)
    before = set(pretrend_terms(averages))
    return DesignRows(
        terms,
        tuple(KINDS[row.estimand] for row in averages),
        group_loadings(panel.groups, panel.sizes, panel.years, cells, matrix),
        tuple(k for k, row in enumerate(averages) if row.estimand == "event study"),
        tuple(k for k, term in enumerate(terms) if term in before and term != SLOPE),
    )


def run_part(part: tuple[Scenario, int, int]) -> list[Tally]:
    """Simulate a part of a scenario's panels and count what each rule rejects."""
    scenario, number, draws = part
    rng = panel_stream(scenario, number)
    panels = simulate_panels(scenario, draws, rng)
    design, plan = scenario.design, rows_of_design(scenario.design)
    group = np.unique(design.cohort(), return_inverse=True)[1].astype(np.int64)
    moments = moments_of(panels.outcome, group)
    effects = moments_of(panels.effect, group)
    realised = np.einsum("sht,htr->sr", effects.mean, plan.loadings)
    after = np.array([[g > 0 and t >= g for t in YEARS] for g in np.unique(design.cohort())])
    expected = 0.0 * after if scenario.effects == "none" else EFFECT * after
    mean = np.einsum("ht,htr->r", expected, plan.loadings)
    truths = {TRUTHS[0]: np.broadcast_to(mean, realised.shape)}
    if scenario.effects == "heterogeneous":
        truths[TRUTHS[1]] = realised
    found: list[Tally] = []
    for rule, (rows, joint) in by_rule(moments, design, plan).items():
        for truth, value in truths.items():
            found += _tallied(rule, truth, rows, joint, plan, value)
    return found


def by_rule(moments: Moments, design: Design, plan: DesignRows) -> dict[str, tuple[Rows, Joint]]:
    """Return all rows and the joint test by own variances, by two regimes, and as they are told."""
    cohorts = [int(g) for g in np.unique(design.cohort())]
    start = [int(np.searchsorted(YEARS, g)) if g else len(YEARS) for g in cohorts]
    found: dict[str, tuple[Rows, Joint]] = {}
    for rule in ("own", "two regimes"):
        regimes = regimes_of(cohorts, pooled=rule == "two regimes")
        found[rule] = (
            rows_of(moments, plan.loadings, regimes, start),
            joint_of(moments, plan.loadings, regimes, start, plan.before),
        )
    borrows = borrowing(design, plan)
    own, two = found["own"], found["two regimes"]
    rows = Rows(*(np.where(borrows, b, a) for a, b in zip(own[0], two[0], strict=True)))
    found["rule"] = (rows, two[1] if borrows[list(plan.before)].any() else own[1])
    return found


def borrowing(design: Design, plan: DesignRows) -> NDArray[np.bool_]:
    """Return the rows that rest on a treated cohort of under ten schools, (rows,)."""
    treated = design.cohorts if design.never else design.cohorts[:-1]
    first = 1 if design.never else 0
    used = np.abs(plan.loadings[first : first + len(treated)]).max(axis=1) > 1e-14
    return np.asarray((used & (np.array(treated) < FEW_SCHOOLS)[:, None]).any(axis=0))


def _tallied(
    rule: str, truth: str, rows: Rows, joint: Joint, plan: DesignRows, value: FloatArray
) -> Iterator[Tally]:
    rejected = t_rejects(rows, value)
    for k, (term, kind) in enumerate(zip(plan.terms, plan.kinds, strict=True)):
        yield tally(rule, truth, kind, term, rejected[:, k], rows.df[:, k])
    band = list(plan.band)
    shown = Rows(*(each[:, band] for each in rows))
    missed = t_rejects(shown, value[:, band], 0.05 / len(band)).max(axis=1)
    yield tally(rule, truth, BAND, BAND, missed, shown.df.min(axis=1))
    yield tally(rule, truth, JOINT, JOINT, joint_rejects(joint, len(plan.before)), joint.df)


def tally(
    rule: str, truth: str, kind: str, term: str, rejected: FloatArray, df: FloatArray
) -> Tally:
    """Count one row's rejections, NaN being no test."""
    known = ~np.isnan(rejected)
    median = float(np.median(df[~np.isnan(df)])) if (~np.isnan(df)).any() else np.nan
    return Tally(
        rule, truth, kind, term, float(rejected[known].sum()), int(known.sum()), len(known), median
    )


def run_scenarios(
    run: Worker, scenarios: Sequence[Scenario], draws: int, processes: int, part: int = PART
) -> Iterator[tuple[Scenario, list[Tally]]]:
    """Yield each scenario with its tallies, as they are ready: the same on any number of cores."""
    sizes = [min(part, draws - k * part) for k in range(-(-draws // part))]
    work = [(one, k, size) for one in scenarios for k, size in enumerate(sizes)]
    with ProcessPoolExecutor(processes) as pool:
        pending: list[list[Tally]] = []
        for (scenario, _, _), found in zip(work, pool.map(run, work), strict=True):
            pending.append(found)
            if len(pending) == len(sizes):
                yield scenario, together(pending)
                pending = []


def together(parts: Sequence[Sequence[Tally]]) -> list[Tally]:
    """Return the tallies of several parts as one; df are the mean of the parts' medians.

    A part may lack a row, where schools lack years.
    """
    rows: dict[tuple[str, str, str, str], list[Tally]] = {}
    for one in (row for part in parts for row in part):
        rows.setdefault((one.rule, one.truth, one.kind, one.term), []).append(one)
    return [
        same[0]._replace(
            rejected=sum(one.rejected for one in same),
            panels=sum(one.panels for one in same),
            asked=sum(one.asked for one in same),
            df=_mean([one.df for one in same]),
        )
        for same in rows.values()
    ]


def _mean(values: Sequence[float]) -> float:
    known = [one for one in values if not np.isnan(one)]
    return float(np.mean(known)) if known else np.nan
