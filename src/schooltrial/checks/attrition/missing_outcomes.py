"""Bound the effect for missing outcomes, and weight for response.

All rows compare the same pupils: those of the roster, in the group of assignment. Where a primary
model analyses an outcome, whom it does not analyse is missing here, whatever the reason; elsewhere,
of whom it was not measured. ``complete cases`` leaves these out; ``complete cases, adjusted`` does
too, and has the covariates of the primary model, which no other row has; the weights let the others
count for their like; Lee's bounds allow for a loss that goes one way; Horowitz and Manski's for any
loss at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import nan
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.checks.attrition.analyses import PrimaryModels
from schooltrial.checks.attrition.baseline_covariates import BaselineColumn, baseline_columns
from schooltrial.checks.attrition.roster import Roster, draw_up_roster
from schooltrial.data.rows.covariates import covariate_columns
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.inference.estimate import Estimate, t_estimate
from schooltrial.models.missing_outcomes.horowitz_manski_bounds import bound_by_horowitz_manski
from schooltrial.models.missing_outcomes.imbens_manski import IdentifiedSet
from schooltrial.models.missing_outcomes.inverse_probability_weights import (
    fit_response,
    response_weights,
)
from schooltrial.models.missing_outcomes.lee_bounds import LeeBounds, bound_by_lee
from schooltrial.protocol.content.sections import Arm, Outcome, Years
from schooltrial.refusal import words_of

NOT_COMPUTED = "not computed"


OF_ROWS = [f.name for f in fields(Estimate) if f.name not in ("band_low", "band_high",
                                                             "n_treated_schools")]  # fmt: skip
"""What a row says here: all of an estimate but what panels add to it."""

NAMED = {"n_schools": "n_units"}
"""Columns that count units of assignment, whatever these are."""

COLUMNS = [
    "outcome", "model", "year", "arm", "approach", *(NAMED.get(name, name) for name in OF_ROWS),
]  # fmt: skip


@dataclass(frozen=True)
class _Trial:
    """One outcome, year and group with the control group, as arrays over the enrolment records."""

    y: FloatArray
    treated: FloatArray
    block: NDArray[Any]
    unit: NDArray[Any]
    weight: FloatArray  # inverse probability of the arm within the block
    clustered: bool
    level: float
    left_out: str

    @property
    def cluster(self) -> NDArray[Any] | None:
        return self.unit if self.clustered else None

    @property
    def seen(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.y)


def bound_effects(
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
    support: Mapping[str, tuple[float, float]] | None = None,
    years: Years | None = None,
    primary: PrimaryModels | None = None,
    schools: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Estimate the effect under different assumptions about missing outcomes.

    Parameters
    ----------
    assignment, pupils, outcomes, arms, baseline, unit
        As for ``attrition``.
    analysis_years : sequence of int
        Years of the primary analysis.
    covariates : sequence of str
        Baseline variables and outcomes of pupils, for the response model.
    level : float
        Of intervals.
    support : mapping of str to (float, float), optional
        Outcome → least and greatest possible value in the unit of analysis, such as
        `outcome_support` finds. By default 0 and 1 of a binary outcome, and the range of one that
        is not standardised.
    years : Years, optional
        Section of the protocol; needed with ``primary``.
    primary, schools : optional
        As for ``attrition``. A primary model's outcomes are bounded in the years that it analyses,
        and others in ``analysis_years``.

    Returns
    -------
    DataFrame
        Columns ``outcome, model, year, arm, approach`` and those of ``Estimate``, with
        ``n_units`` for units of assignment. ``approach`` is
        ``complete cases``, ``complete cases, adjusted`` (where the primary model has covariates),
        ``response weights``, ``Lee bounds``, ``Lee bounds by block`` (where
        each block has two units or more in each group) or ``Horowitz-Manski bounds``. Bounds have
        three rows: ``lower bound``, ``upper bound``, and ``effect``, whose interval is Imbens and
        Manski's and which has no point. Where nobody is missing the first row stands alone.

    Notes
    -----
    Every pupil is weighted by the inverse of the share of the block's units that are in the
    pupil's arm, so that blocks with unequal shares do not bias a comparison without block effects.
    Blocks that lack a group are left out, and the note says so.
    """
    mine = {name: part for name, part in outcomes.items() if part["measured_on"] == "pupil"}
    judged = (primary or PrimaryModels()).analyses(pupils, mine, arms, years)
    rows: list[list[Any]] = []
    for year, name, found in judged.by_year(analysis_years):
        listed = draw_up_roster(
            assignment, pupils, unit=unit, year=year, baseline=baseline, schools=schools
        )
        limits = _support(name, outcomes[name], support or {})
        for analysis in found:
            whose = listed.of_population(pupils, analysis.population, judged.primary.since)
            y = whose.analysed_outcome(pupils, name, analysis.rows)
            for arm in analysis.arms:
                part, trial = _trial(whose, y, arms[0]["name"], arm, level)
                columns = baseline_columns(part, covariates, outcomes)
                rows += [
                    [name, analysis.model, year, arm, approach, *_cells(row, trial.left_out)]
                    for approach, row in _approaches(
                        trial, columns, limits, _told(outcomes[name]),
                        _adjusting(part, trial, pupils[analysis.rows], analysis.covariates),
                    )
                ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _support(
    name: str, outcome: Outcome, given: Mapping[str, tuple[float, float]]
) -> tuple[float, float] | None:
    if name in given:
        least, greatest = given[name]
        return float(least), float(greatest)
    if outcome["scale"] == "binary":
        return 0.0, 1.0
    if outcome["range"] is None or outcome["standardise"] != "none":
        return None
    return float(outcome["range"][0]), float(outcome["range"][1])


def _told(outcome: Outcome) -> str:
    """Return where the limits of a standardised outcome come from."""
    if outcome["standardise"] == "none" or outcome["range"] is None:
        return ""
    low, high = outcome["range"]
    return (
        f", which is the range of {low:g} to {high:g} in SD, the widest of any cell that is "
        "standardised"
    )


def _trial(
    listed: Roster, y: pd.Series, control: str, arm: str, level: float
) -> tuple[Roster, _Trial]:
    """Return the pupils of two groups, in the blocks that hold both."""
    people = listed.people
    units = people[people["arm"].isin([control, arm])][["unit", "block", "arm"]].drop_duplicates()
    count = units.groupby(["block", "arm"]).size().unstack(fill_value=0)
    count = count.reindex(columns=[control, arm], fill_value=0)
    both = count.index[(count > 0).all(axis=1)]
    kept = people["arm"].isin([control, arm]) & people["block"].isin(both)
    part = people[kept].reset_index(drop=True)
    share = count.div(count.sum(axis=1), axis=0).stack()
    place = pd.MultiIndex.from_frame(part[["block", "arm"]])
    missed = len(count) - len(both)
    trial = _Trial(
        y[kept].to_numpy(dtype=np.float64),
        (part["arm"] == arm).to_numpy(dtype=np.float64),
        part["block"].to_numpy(),
        part["unit"].to_numpy(),
        1 / share.reindex(place).to_numpy(dtype=np.float64),
        listed.unit != "pupil",
        level,
        f"blocks left out because they lack a group: {missed}" if missed else "",
    )
    return replace(listed, people=part), trial


def _adjusting(
    part: Roster, trial: _Trial, analysed: pd.DataFrame, terms: Sequence[str]
) -> list[FloatArray]:
    """Return the columns of the primary model's covariates, of those who were observed."""
    if not terms or not trial.seen.any():
        return []
    then = analysed[analysed["year"] == part.year].set_index("pupil", drop=False)
    rows = then.loc[part.people.loc[trial.seen, "pupil"]].reset_index(drop=True)
    return [column for column in covariate_columns(rows, terms).values() if np.ptp(column) > 0]


def _cells(row: Estimate, left_out: str) -> list[Any]:
    noted = replace(row, note="; ".join(filter(None, (row.note, left_out))))
    return [getattr(noted, name) for name in OF_ROWS]


def _approaches(
    trial: _Trial,
    columns: Sequence[BaselineColumn],
    limits: tuple[float, float] | None,
    told: str,
    adjusting: Sequence[FloatArray],
) -> Iterator[tuple[str, Estimate]]:
    why = _not_comparable(trial)
    if why:
        yield "complete cases", _undefined("effect", trial, why)
        return
    yield "complete cases", _difference(trial, trial.weight)
    if adjusting:
        note = "covariates of the primary model"
        yield "complete cases, adjusted", _difference(trial, trial.weight, note, adjusting)
    if trial.seen.all():
        return
    yield "response weights", _weighted(trial, columns)
    plain = bound_by_lee(
        trial.y, trial.treated, weights=trial.weight, cluster=trial.cluster, level=trial.level
    )
    yield from (("Lee bounds", row) for row in _lee_rows(plain, trial, "Lee bounds"))
    if _blocks_hold_several(trial):
        within = bound_by_lee(
            trial.y, trial.treated, cells=trial.block, weights=trial.weight,
            cluster=trial.cluster, level=trial.level,
        )  # fmt: skip
        name = "Lee bounds by block"
        yield from ((name, row) for row in _lee_rows(within, trial, name))
    name = "Horowitz-Manski bounds"
    if limits is None:
        why = "the outcome has no range in its unit of analysis"
        yield name, _undefined("effect", trial, why)
        return
    worst = bound_by_horowitz_manski(
        trial.y, trial.treated, limits, weights=trial.weight, cluster=trial.cluster,
        level=trial.level,
    )  # fmt: skip
    said = f"missing outcomes from {limits[0]:.4g} to {limits[1]:.4g}".replace("-", "−") + told
    yield from ((name, row) for row in _bound_rows(worst, trial, name, said))


def _not_comparable(trial: _Trial) -> str:
    """Return why nothing can be computed: a group, or its observed, that is empty or too few."""
    for arm in (0, 1):
        here = trial.treated == arm
        if not here.any() or not (here & trial.seen).any():
            return "nobody was observed in a group"
        if trial.clustered and len(np.unique(trial.unit[here & trial.seen])) < 2:
            return "fewer than two units were observed in a group"
    return ""


def _undefined(term: str, trial: _Trial, note: str) -> Estimate:
    seen = int(trial.seen.sum())
    return Estimate(
        term,
        nan,
        nan,
        nan,
        nan,
        nan,
        nan,
        nan,
        seen,
        _units(trial, trial.seen),
        NOT_COMPUTED,
        True,
        note,
    )


def _units(trial: _Trial, rows: NDArray[np.bool_]) -> int:
    return len(np.unique(trial.unit[rows]))


def _difference(
    trial: _Trial, weight: FloatArray, note: str = "", adjusting: Sequence[FloatArray] = ()
) -> Estimate:
    """Return the weighted difference in means of the observed, block effects taken out.

    Columns of covariates, of those observed, are taken out too.
    """
    seen = trial.seen
    several = len(np.unique(trial.block[seen])) > 1
    columns = [trial.treated[seen]] if several else [np.ones(seen.sum()), trial.treated[seen]]
    names = ["effect"] if several else ["(Intercept)", "effect"]
    even = np.ptp(weight[seen]) < 1e-9 * weight[seen].max()
    try:
        fit = fit_least_squares_columns(
            trial.y[seen],
            [*columns, *adjusting],
            names=[*names, *(f"covariate {at + 1}" for at in range(len(adjusting)))],
            cluster=trial.unit[seen] if trial.clustered else None,
            weights=None if even else weight[seen],
            absorb=trial.block[seen] if several else None,
        )
    except ValueError as error:  # fewer rows than blocks, or one cluster
        return _undefined("effect", trial, words_of(error))
    if "effect" not in fit.names:
        return _undefined("effect", trial, "no block has both groups observed")
    row = fit.estimates(["effect"], level=trial.level)[0]
    return replace(row, note="; ".join(filter(None, (row.note, note))))


def _weighted(trial: _Trial, columns: Sequence[BaselineColumn]) -> Estimate:
    """Return the effect with each observed pupil counting 1/p, p from a logistic model.

    Regressors: arm, baseline columns, their interactions with the group, and blocks.
    """
    d = trial.treated
    names, regressors = ["(Intercept)", "treated"], [np.ones(len(d)), d]
    for column in columns:
        x = column.filled.to_numpy(dtype=np.float64)
        names += [column.name, f"treated:{column.name}"]
        regressors += [x, d * x]
    for block in np.unique(trial.block)[1:]:
        names.append(f"block {block}")
        regressors.append((trial.block == block).astype(np.float64))
    seen = trial.seen
    model = fit_response(seen, regressors, names)
    answer = response_weights(seen, model)
    notes = [
        f"largest weight {answer.largest:.3g} times the mean",
        f"effective size {answer.effective_size:,.0f} of {int(seen.sum()):,}",
    ]
    if answer.unrepresented:
        notes.append(f"individuals unlike all observed ones: {answer.unrepresented:,}")
    row = _difference(trial, trial.weight * answer.weights, "; ".join(notes))
    method = f"{row.method}, inverse probability of response"
    return replace(row, method=method, converged=row.converged and model.converged)


def _blocks_hold_several(trial: _Trial) -> bool:
    units = pd.DataFrame({"block": trial.block, "arm": trial.treated, "unit": trial.unit})
    count = units.drop_duplicates().groupby(["block", "arm"]).size()
    return units["block"].nunique() > 1 and int(count.min()) > 1


def _lee_rows(found: LeeBounds, trial: _Trial, name: str) -> Iterator[Estimate]:
    trimmed = [cell for cell in found.cells if cell.trimmed_arm != "neither"]
    if len(found.cells) == 1:
        cell = found.cells[0]
        whose = {
            "treated": "of the intervention group",
            "control": "of the control group",
            "neither": "of either",
        }
        said = f"{cell.trimmed_share:.1%} {whose[cell.trimmed_arm]} trimmed"
    else:
        of_arm = sum(cell.trimmed_arm == "treated" for cell in trimmed)
        said = f"blocks where the intervention group is trimmed: {of_arm}, the control group: "
        said += str(len(trimmed) - of_arm)
    if found.empty:
        said += f"; blocks that do not count, nobody being observed in a group: {len(found.empty)}"
    yield from _bound_rows(found.bounds, trial, name, said)


def _bound_rows(found: IdentifiedSet, trial: _Trial, name: str, said: str) -> Iterator[Estimate]:
    everybody = np.ones(len(trial.y), dtype=bool)
    n, units = len(trial.y), _units(trial, everybody)
    by = "by unit of assignment" if trial.clustered else "independently of each other"
    for term, point, error in (
        ("lower bound", found.lower, found.se_lower),
        ("upper bound", found.upper, found.se_upper),
    ):
        yield t_estimate(
            term, point, error, found.df, n_individuals=n, n_schools=units,
            method=f"{name}, linearised, {by}", level=trial.level, note=said,
        )  # fmt: skip
    method = f"{name}, Imbens-Manski interval"
    yield Estimate(
        "effect", nan, nan, found.df, nan, nan, found.conf_low, found.conf_high, n, units, method,
        True, said,
    )  # fmt: skip
