"""Did other pupils leave the intervention group than the control group? Attrition by baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.checks.attrition.analyses import PrimaryModels
from schooltrial.checks.attrition.baseline_covariates import BaselineColumn, baseline_columns
from schooltrial.checks.attrition.roster import Roster, draw_up_roster
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.inference.estimate import Estimate
from schooltrial.protocol.content.sections import Arm, Outcome, Years

ESTIMATE = [
    "estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "n_individuals",
    "n_schools", "method", "note",
]  # fmt: skip


COLUMNS = [
    "outcome", "model", "year", "arm", "variable", "category", "term", "n_lost_control",
    "n_lost_treated", "lost_control", "kept_control", "lost_treated", "kept_treated",
    *("n_units" if name == "n_schools" else name for name in ESTIMATE),
]  # fmt: skip


def who_left(
    assignment: pd.DataFrame,
    pupils: pd.DataFrame,
    *,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    analysis_years: Sequence[int],
    baseline: int,
    covariates: Sequence[str],
    unit: str = "school",
    level: float = 0.95,
    years: Years | None = None,
    primary: PrimaryModels | None = None,
    schools: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Regress being lost on group, baseline and their interactions.

    Parameters
    ----------
    assignment, pupils, outcomes, arms, baseline, unit
        As for ``attrition``.
    analysis_years : sequence of int
        Years of the primary analysis.
    covariates : sequence of str
        Variables and outcomes of pupils, as known at baseline.
    level : float
        Of confidence intervals.
    years, primary, schools : optional
        As for ``bound_effects``: who is lost depends on the primary models.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``. For each outcome, year and arm: a row per covariate, with its mean
        among those lost and kept in both groups, and the interaction ``treated:covariate`` of a
        linear probability model with block effects (in shares lost per SD of a number, or from
        0 to 1 of a flag or an indicator); then the joint test that all interactions are zero, and
        that the interactions and the group are. Standard errors CR2 by unit of assignment,
        Satterthwaite df; joint tests AHT. Without an attrition to explain there is one row that
        says so.
    """
    mine = {name: part for name, part in outcomes.items() if part["measured_on"] == "pupil"}
    judged = (primary or PrimaryModels()).analyses(pupils, mine, arms, years)
    rows: list[list[Any]] = []
    for year, name, found in judged.by_year(analysis_years):
        listed = draw_up_roster(
            assignment, pupils, unit=unit, year=year, baseline=baseline, schools=schools
        )
        for analysis in found:
            whose = listed.of_population(pupils, analysis.population, judged.primary.since)
            for arm in analysis.arms:
                part = whose.of([arms[0]["name"], arm])
                lost = part.analysed_outcome(pupils, name, analysis.rows).isna()
                columns = baseline_columns(part, covariates, outcomes)
                head = [name, analysis.model, year, arm]
                rows += _compare(part, lost, head, columns, level)
    return pd.DataFrame(rows, columns=COLUMNS)


def _compare(
    listed: Roster,
    lost: pd.Series,
    head: list[Any],
    columns: Sequence[BaselineColumn],
    level: float,
) -> Iterator[list[Any]]:
    treated = listed.people["arm"] == head[-1]
    counts = [int(lost[~treated].sum()), int(lost[treated].sum())]
    why = _nothing_to_explain(lost, treated, columns)
    if why:
        units = listed.people["unit"].nunique()
        yield [*head, "", "", "", *counts, *[nan] * 4, *[nan] * 7, len(lost), units, "", why]
        return
    fit = _fit(listed, lost, treated, columns)
    for column in columns:
        means = [
            column.values[(treated == is_treated) & (lost == is_lost)].mean()
            for is_treated in (False, True)
            for is_lost in (True, False)
        ]
        term = f"treated:{column.name}"
        row = [*head, column.variable, column.category, term, *counts, *means]
        if term in fit.names:
            yield [*row, *_cells(fit.estimates([term], level=level)[0])]
        else:
            why = "determined by the other columns"
            yield [*row, *[nan] * 7, fit.n_rows, fit.n_clusters, "", why]
    yield from _joint(fit, head, counts)


def _nothing_to_explain(
    lost: pd.Series, treated: pd.Series, columns: Sequence[BaselineColumn]
) -> str:
    if not len(lost) or treated.all() or not treated.any():
        return "a group has no individuals on the roster"
    if lost.all() or not lost.any():
        return "all outcomes are missing" if lost.all() else "no attrition"
    return "" if columns else "no covariate was known at baseline"


def _fit(
    listed: Roster, lost: pd.Series, treated: pd.Series, columns: Sequence[BaselineColumn]
) -> LeastSquaresFit:
    d = treated.to_numpy(dtype=np.float64)
    regressors = [d, *[column.filled.to_numpy() for column in columns]]
    regressors += [d * column.filled.to_numpy() for column in columns]
    names = ["treated", *[column.name for column in columns]]
    names += [f"treated:{column.name}" for column in columns]
    blocks = listed.people["block"].to_numpy()
    several = listed.people["block"].nunique() > 1
    return fit_least_squares_columns(
        lost.to_numpy(dtype=np.float64),
        regressors if several else [np.ones(len(d)), *regressors],
        names=names if several else ["(Intercept)", *names],
        cluster=None if listed.unit == "pupil" else listed.people["unit"].to_numpy(),
        absorb=blocks if several else None,
    )


def _cells(row: Estimate) -> list[Any]:
    return [getattr(row, name) for name in ESTIMATE]


def _joint(fit: LeastSquaresFit, head: list[Any], counts: list[int]) -> Iterator[list[Any]]:
    """Yield the joint tests; with too few units for as many terms they are undefined."""
    interactions = [name for name in fit.names if name.startswith("treated:")]
    arm = [name for name in ("treated",) if name in fit.names]
    for label, terms in (
        ("all interactions = 0", interactions),
        ("group and all interactions = 0", [*arm, *interactions]),
    ):
        row = [*head, "", "", label, *counts, *[nan] * 4]
        if not terms or len(terms) >= fit.n_clusters:
            why = "too few units for this many terms" if terms else "no term is identified"
            yield [*row, *[nan] * 7, fit.n_rows, fit.n_clusters, "", why]
        else:
            yield [*row, *_cells(fit.joint_test(terms, name=label).row)]
