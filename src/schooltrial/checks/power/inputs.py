"""Inputs of power: units by group and block, sizes, and variances as observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.data.rows.analysed import is_analysed
from schooltrial.data.rows.covariates import covariate_columns
from schooltrial.data.rows.filters import matches_in_some_year
from schooltrial.models.inference.student_t import t_quantile
from schooltrial.models.power.allocation import Allocation, counted_allocation
from schooltrial.models.power.minimum_detectable_effect import Precision
from schooltrial.protocol.content.sections import Model, covariate_terms


@dataclass(frozen=True)
class Analysed:
    """The rows that a model fits, in two groups.

    Attributes
    ----------
    units : DataFrame
        One row per unit of assignment: ``block``, ``treated`` and ``n``, its pupils.
    covariates : int
        Covariates that vary between units only, counted after those that blocks determine.
    sd : float
        Standard deviation of the outcome within arms, pooled.
    explained : float
        Where a unit is one row: share of that variance that blocks and covariates explain; else
        NaN.
    """

    units: pd.DataFrame
    covariates: int
    sd: float
    explained: float = nan


def blocks_in_sample(sample: pd.DataFrame | None) -> pd.Series:
    """Return unit → block as the sample has it, for assignments that name no block."""
    if sample is None:
        return pd.Series(dtype="str")
    known = sample.dropna(subset=["cluster"]).drop_duplicates("cluster")
    return known["block"].astype("str").set_axis(known["cluster"].astype("str"))


def compared_units(
    assignment: pd.DataFrame, unit: str, control: str, arm: str, known: pd.Series
) -> pd.DataFrame:
    """Return the units that were assigned to two groups: index the unit, ``block``, ``treated``.

    Where the assignment names no block, that of schools is one; that of teachers and pupils is
    their school, from the assignment or as the sample knows it (``known``).
    """
    arms = assignment["arm"].astype("str")
    kept = assignment[arms.isin([control, arm])]
    names = kept[unit].astype("str")
    block = pd.Series("all", index=kept.index)
    if "block" in kept:
        block = kept["block"].astype("str")
    elif unit != "school":
        block = kept["school"].astype("str") if "school" in kept else names.map(known)
    treated = (kept["arm"].astype("str") == arm).astype(int)
    units = pd.DataFrame({"block": block, "treated": treated})
    return units.set_axis(pd.Index(names, name=unit)).dropna(subset=["block"])


def with_lost(units: pd.DataFrame, lost: Mapping[str, int], arms: Sequence[str]) -> pd.DataFrame:
    """Return the units, with randomised units without data added.

    Their blocks are not known: each is counted in the block that has the fewest units of its group
    beside those of the other, where a pair lacks one of its two.

    Parameters
    ----------
    units : DataFrame
        From `compared_units`.
    lost : mapping
        Group → how many.
    arms : sequence of str
        The control group and the other.
    """
    found = units
    for treated, arm in enumerate(arms):
        for at in range(lost.get(arm, 0)):
            own = (found["treated"] == treated).groupby(found["block"]).sum()
            other = found.groupby("block").size() - own
            one = pd.DataFrame(
                {"block": [(own - other).idxmin()], "treated": [treated]},
                index=pd.Index([f"no data received, {arm} {at + 1}"], name=found.index.name),
            )
            found = pd.concat([found, one])
    return found


def roster_sizes(sample: pd.DataFrame, where: Mapping[str, Any], years: Sequence[int]) -> pd.Series:
    """Return each unit's rows per year, of individuals that the filter keeps in any year."""
    there = sample[sample["year"].isin(years)]
    kept = there[matches_in_some_year(there, where)]
    counted = kept.groupby(kept["cluster"].astype("str"), observed=True).size()
    return counted / max(kept["year"].nunique(), 1)


def analysed_rows(
    sample: pd.DataFrame, model: Model, outcome: str, control: str, arm: str
) -> pd.DataFrame:
    """Return the rows of two groups that a model fits: those that are complete."""
    rows = sample[is_analysed(sample, model, outcome)]
    return rows[rows["arm"].astype("str").isin([control, arm]) & rows["cluster"].notna()]


def analysed(
    sample: pd.DataFrame, model: Model, outcome: str, control: str, arm: str, *, blocks: bool
) -> Analysed:
    """Return the units that a model fits, from the rows that are complete.

    Parameters
    ----------
    sample : DataFrame
        The analysed sample: ``cluster``, ``block``, ``arm``, ``treated``, ``year`` and variables.
    model : Model
        The protocol's section.
    outcome : str
        A column of the sample.
    control, arm : str
        The two groups.
    blocks : bool
        Whether block effects are in the model: covariates that they determine then cost nothing.
    """
    rows = analysed_rows(sample, model, outcome, control, arm)
    cluster = rows["cluster"].astype("str")
    by_unit = rows.groupby(cluster, observed=True)
    units = pd.DataFrame(
        {
            "block": by_unit["block"].first().astype("str"),
            "treated": by_unit["treated"].first().astype(int),
            "n": by_unit.size(),
        }
    )
    if units.empty:
        return Analysed(units, 0, nan)
    fixed = _indicators(units["block"]) if blocks else np.ones((len(units), 1))
    terms = [_unit_columns(rows, cluster, term) for term in covariate_terms(model, outcome)]
    columns = np.column_stack([fixed, *(term for term in terms if term is not None)])
    gained = np.linalg.matrix_rank(columns) - np.linalg.matrix_rank(fixed)
    centred = rows[outcome] - rows.groupby("treated")[outcome].transform("mean")
    sd = float((centred**2).sum() / max(len(rows) - 2, 1)) ** 0.5
    alone = bool((units["n"] == 1).all())
    explained = _explained(columns, units, rows.set_index(cluster)[outcome], sd) if alone else nan
    return Analysed(units, int(gained), sd, explained)


def _explained(
    columns: NDArray[np.float64], units: pd.DataFrame, outcome: pd.Series, sd: float
) -> float:
    """Return 1 − s²/sd², s² being the residual variance given treatment, blocks and covariates."""
    x = np.column_stack([columns, units["treated"].to_numpy("float64")])
    y = outcome.reindex(units.index).to_numpy("float64")
    spare = len(y) - int(np.linalg.matrix_rank(x))
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return 1 - float(left @ left) / spare / sd**2 if spare > 0 and sd > 0 else nan


def _indicators(values: pd.Series) -> NDArray[np.float64]:
    return np.column_stack([(values == level).to_numpy("float64") for level in sorted(set(values))])


def _unit_columns(rows: pd.DataFrame, cluster: pd.Series, term: str) -> NDArray[np.float64] | None:
    """Return a covariate's columns by unit, standardised; None if it varies within units."""
    columns = pd.DataFrame(covariate_columns(rows, [term]), index=rows.index)
    by_unit = columns.groupby(cluster, observed=True)
    if not (by_unit.nunique() <= 1).all(axis=None):
        return None
    first = by_unit.first().to_numpy("float64")
    spread = first.std(axis=0)
    centred: NDArray[np.float64] = (first - first.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return centred


def allocation_of(units: pd.DataFrame, *, blocks: bool) -> Allocation:
    """Return the allocation of units; of one block where blocks are not in the model."""
    block = units["block"] if blocks else pd.Series("all", index=units.index)
    treated = units["treated"].groupby(block).sum()
    control = units["treated"].groupby(block).size() - treated
    return counted_allocation(treated.to_numpy("float64"), control.to_numpy("float64"))


@dataclass(frozen=True, slots=True)
class Reported:
    """The precision of an estimate that was reported.

    Attributes
    ----------
    precision : Precision
        Standard error and degrees of freedom.
    standardised : bool
        Whether it is in standard deviations; else in the outcome's unit.
    units, treated, pupils : float
        What it rests on.
    """

    precision: Precision
    standardised: bool
    units: float
    treated: float
    pupils: float


def reported_precision(
    estimates: pd.DataFrame, name: str, outcome: str, arm: str, *, level: float, sd: float
) -> Reported | None:
    """Return the standard error of a model's estimate and its df; None if there is none.

    Parameters
    ----------
    estimates : DataFrame
        The long table of estimates.
    name, outcome, arm : str
        Model, outcome and the group whose effect it is.
    level : float
        Level of its intervals.
    sd : float
        Standard deviation of the outcome; where it is not known (NaN), the scale is that of the
        effect size in the table, or where there is none the outcome's own.
    """
    rows = estimates[
        (estimates["model"] == name)
        & (estimates["outcome"] == outcome)
        & estimates["estimand"].isin(["ITT", "ATT"])
        & (estimates["std_error"] > 0)
    ]
    named = rows["term"].isin(["treated", f"treated[arm={arm}]"])
    rows = rows[named] if named.any() else rows
    if rows.empty:
        return None
    row = rows.iloc[0]
    df = float(row["df"]) if row["df"] > 0 else inf
    half = (float(row["es_conf_high"]) - float(row["es_conf_low"])) / 2
    error, standardised = float(row["std_error"]), True
    if isfinite(sd) and sd > 0:
        error /= sd
    elif isfinite(half) and half > 0:
        error = half / t_quantile((1 + level) / 2, df)
    else:
        standardised = False
    counts = [float(row[name]) for name in ("n_units", "n_treated_units", "n_individuals")]
    return Reported(Precision(error, df, "standard error of the estimate"), standardised, *counts)
