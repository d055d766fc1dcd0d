"""The columns of a model, built from the protocol's section and the analysed sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.data.rows.coding import code_columns, is_flag, is_number
from schooltrial.data.rows.covariates import (
    CATEGORIES,
    count_baselines_held_as_0,
    count_missing,
    count_unknown_baselines,
    covariate_columns,
    with_missing_baselines,
)
from schooltrial.data.rows.filters import has_level, levels, matches
from schooltrial.protocol.content.sections import (
    Model,
    covariate_terms,
    covariate_variables,
    needed_variables,
    single_cluster,
)

Array = npt.NDArray[np.float64]


COLLINEAR = 1e-9


@dataclass(frozen=True)
class DesignMatrix:
    """One outcome's rows and columns, ready for an estimator.

    Attributes
    ----------
    outcome : array (n,)
        Outcome of the pupils that are complete.
    columns : dict of str to array (n,)
        Regressors by name, without intercept and blocks: treatment terms first.
    treatment_terms : tuple of str
        The columns that carry the effect.
    rows : DataFrame (n rows)
        The pupils (or teachers), for cluster, school, block, arm, treated.
    incomplete : dict of str to int
        Variable → pupils of the population who lack it and are left out; one may lack several.
    indicated : dict of str to int
        Covariate → pupils who lack it and are kept, with an indicator.
    clustered_on : str or None
        Variable whose groups errors are clustered on; None for the unit that was assigned.
    weighted_by : str or None
        Variable of the rows' weights.
    held_as_0 : dict of str to int
        Baseline score → pupils who have none and enter with 0, as its indicator is no covariate.
    """

    outcome: Array
    columns: dict[str, Array]
    treatment_terms: tuple[str, ...]
    rows: pd.DataFrame
    incomplete: dict[str, int]
    indicated: dict[str, int] = field(default_factory=dict)
    clustered_on: str | None = None
    weighted_by: str | None = None
    held_as_0: dict[str, int] = field(default_factory=dict)

    @property
    def regressors(self) -> Array:
        """The columns side by side, (n, p)."""
        return np.column_stack(list(self.columns.values()))

    @property
    def unit(self) -> npt.NDArray[Any]:
        """The unit that was assigned, of every row: its school, teacher or pupil."""
        return np.asarray(self.rows["cluster"].to_numpy())

    @property
    def cluster(self) -> npt.NDArray[Any]:
        """The group of every row within which errors may be alike."""
        return np.asarray(self.rows[self.clustered_on or "cluster"].to_numpy())

    @property
    def weights(self) -> Array | None:
        """The weights of the rows; None if every row counts alike."""
        if self.weighted_by is None:
            return None
        return np.asarray(self.rows[self.weighted_by].to_numpy("float64"))


def build_design_matrix(
    sample: pd.DataFrame, model: Model, outcome: str, take_up: str | None = None
) -> DesignMatrix:
    """Build the columns of one model for one outcome.

    A category enters as indicators of all its levels but the first; ``a:b`` as indicators of all
    cells but the first; a number as it is. Pupils who lack the outcome, or a variable that splits
    the effect or forms groups, are left out, and counted; `missing_covariates` of the model says
    what becomes of those who lack a covariate. Columns that are constant in the rows that are left
    are dropped.

    Parameters
    ----------
    sample : DataFrame
        The analysed sample.
    model : Model
        The protocol's section.
    outcome : str
        A column of the sample.
    take_up : str, optional
        The column of take-up, where the model needs it.

    Raises
    ------
    ValueError
        Where no pupil is left, or only one group is; and where a covariate is missing that the
        model refuses, or for all pupils of a group.
    """
    population = compared(sample[matches(sample, model["where"])], model)
    population = with_missing_baselines(population, model)
    terms = covariate_terms(model, outcome)
    needed = list(dict.fromkeys([*needed_variables(model, outcome), *filter(None, [take_up])]))
    if model["missing_covariates"] == "refuse":
        _refuse_missing(population, model, outcome)
    lacking = population[needed].isna()
    rows = population[~lacking.any(axis=1)].reset_index(drop=True)
    if rows.empty or rows["treated"].nunique() < 2:
        arms = ", ".join(sorted(rows["arm"].unique())) or "none"
        raise ValueError(
            f"outcome {outcome!r}: {len(rows)} of {len(population)} {rows_are(sample)} are "
            f"complete, in the groups: {arms}. Both groups are needed; {_most_missing(lacking)}"
            f"{_to_check(lacking, outcome)}"
        )
    treatment = dict(_treatment_columns(rows, model))
    if not any(column.any() for column in treatment.values()):
        active = ", ".join(map(str, model["active_years"]))
        when = f" in the active years {active}" if active else ""
        when += f" from its {model['active_from']} on" if model["active_from"] else ""
        raise ValueError(
            f"outcome {outcome!r}: none of the {rows_are(sample)} is treated{when}; "
            "check `active_years`, `active_from` and `where` of the model"
        )
    indicated = count_missing(rows, covariate_variables(model, outcome))
    _refuse_missing_in_an_arm(rows, list(indicated), outcome)
    indicated |= count_unknown_baselines(rows, covariate_variables(model, outcome))
    if model["weights"]:
        _refuse_weights(rows[model["weights"]], outcome)
    covariates = {
        name: column
        for name, column in covariate_columns(rows, terms).items()
        if np.ptp(column) > 0
    }
    incomplete = count_missing(population, needed)
    split = _level_columns(rows, model, terms, outcome)
    return DesignMatrix(
        rows[outcome].to_numpy("float64"),
        {**treatment, **covariates, **split},
        tuple(treatment),
        rows,
        incomplete,
        indicated,
        single_cluster(model),
        model["weights"],
        count_baselines_held_as_0(rows, model, outcome),
    )


def compared(rows: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Return the rows of the two groups that a model compares; all where it names none."""
    return rows[rows["arm"].isin(model["arms"])] if model["arms"] else rows


def _refuse_missing(population: pd.DataFrame, model: Model, outcome: str) -> None:
    """Raise where one who has the outcome lacks a covariate."""
    observed = population[population[outcome].notna()]
    counts = count_missing(observed, covariate_variables(model, outcome))
    if counts:
        raise ValueError(
            f"outcome {outcome!r}: covariates are missing for some of the {len(observed):,} "
            f"{rows_are(population)} that have it: {listed(counts)}; the model has "
            "`missing_covariates: refuse`. Complete the files, or set "
            "`missing_covariates: indicator` (keep these rows, with an indicator) or "
            "`drop` (leave them out)"
        )


def _refuse_missing_in_an_arm(rows: pd.DataFrame, variables: Sequence[str], outcome: str) -> None:
    """Raise where a group has no value of a covariate: its indicator would be the treatment."""
    for variable in variables:
        absent = rows[variable].isna().groupby(rows["arm"].astype("str")).all()
        if absent.any():
            arms = "every group" if absent.all() else "the group " + ", ".join(absent.index[absent])
            raise ValueError(
                f"outcome {outcome!r}: the covariate {variable!r} is missing for all "
                f"{rows_are(rows)} of {arms} that are analysed, so that it can adjust nothing. "
                "Check the column and the `missing` texts of its file, or take it out of "
                "`covariates`"
            )


def _refuse_weights(weights: pd.Series, outcome: str) -> None:
    """Raise where a weight is no positive number."""
    is_number = pd.api.types.is_numeric_dtype(weights)
    wrong = weights[~(weights > 0)] if is_number else weights
    if len(wrong):
        raise ValueError(
            f"outcome {outcome!r}: `weights: {weights.name}` must be above 0 in every row, and is "
            f"{wrong.iloc[0]!r} in one ({len(wrong):,} of {len(weights):,} rows are not). Leave "
            "these rows out by `where`, or name another variable"
        )


def rows_are(rows: pd.DataFrame) -> str:
    """Return what the rows of an analysed sample are, in the plural."""
    return next((f"{one}s" for one in ("pupil", "teacher") if one in rows), "schools")


def listed(counts: Mapping[str, int]) -> str:
    """Return variables with how many lack them, in words."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _arm_columns(rows: pd.DataFrame) -> list[tuple[str, Array]]:
    """Return the treatment indicator, or one of each group where there are several."""
    arms = sorted(rows.loc[rows["treated"] == 1, "arm"].unique())
    if len(arms) < 2:
        return [("", rows["treated"].to_numpy("float64"))]
    return [(f"arm={arm}", (rows["arm"] == arm).to_numpy("float64")) for arm in arms]


def _most_missing(lacking: pd.DataFrame) -> str:
    """Name the variables that nobody has, or else the one that most lack."""
    empty = [str(name) for name in lacking if len(lacking) and lacking[name].all()]
    if empty:
        return f"missing for all of them: {', '.join(empty)}; "
    counts = lacking.sum()
    if len(lacking) == 0 or counts.max() == 0:
        return ""
    return f"most lack {counts.idxmax()!r} ({int(counts.max())}); "


def _to_check(lacking: pd.DataFrame, outcome: str) -> str:
    """Say where to look when no row is left, the likeliest cause first."""
    if lacking.empty:
        return (
            "no row of the sample is in `where`: check its values, `sample.keep` and the files of "
            "these years; if there are no data of a year yet, list it in `years: {to_come: […]}`"
        )
    if lacking[outcome].all():
        return (
            f"check the column from which {outcome} is read, its `missing` codes and `range`, and "
            "the years in `where`; if there are no data of a year yet, list it in "
            "`years: {to_come: […]}`"
        )
    return "check `where` and the covariates of the model"


def _treatment_columns(rows: pd.DataFrame, model: Model) -> Iterator[tuple[str, Array]]:
    """Yield the treatment indicator, split by a category and moderated by another as declared."""
    parts = _arm_columns(rows)
    if model["active_years"]:
        active = rows["year"].isin(model["active_years"]).to_numpy("float64")
        parts = [(arm, column * active) for arm, column in parts]
    if model["active_from"]:
        first = rows[model["active_from"]].to_numpy("float64", na_value=np.nan)
        begun = rows["year"].to_numpy("float64") >= first  # a missing year is never reached
        parts = [(arm, column * begun) for arm, column in parts]
    by = model["effects_by"]
    if by:
        parts = [
            (", ".join(filter(None, [arm, f"{by}={level}"])), column * has_level(rows[by], level))
            for arm, column in parts
            for level in levels(rows[by])
        ]
    for inner, column in parts:
        yield (f"treated[{inner}]" if inner else "treated"), np.asarray(column, dtype="float64")
    moderator = model["moderator"]
    if moderator:
        for level in levels(rows[moderator])[1:]:
            for inner, column in parts:
                name = ", ".join(filter(None, [inner, f"{moderator}={level}"]))
                yield (
                    f"treated[{name}]",
                    np.asarray(column * has_level(rows[moderator], level), dtype="float64"),
                )


def _level_columns(
    rows: pd.DataFrame, model: Model, terms: Sequence[str], outcome: str
) -> dict[str, Array]:
    """Return indicators of the levels by which the effect is split, where no covariate has them.

    Without them the effect at a level would hold what sets its people apart in either group.

    Raises
    ------
    ValueError
        Where a level is in one group alone, and no fixed effect takes it out.
    """
    found: dict[str, Array] = {}
    for name in filter(None, (model["effects_by"], model["moderator"])):
        if _is_absorbed(rows, name, model):
            continue
        for level in levels(rows[name]):
            inside = has_level(rows[name], level).to_numpy("bool")
            if rows["treated"][inside].nunique() == 1:
                raise ValueError(
                    f"outcome {outcome!r}: all {int(inside.sum()):,} rows at {name}={level} are "
                    "in one group, so that there is no effect to estimate there. Leave them out "
                    "with `where`, or join levels"
                )
        if not any(_has_levels(rows, name, term.split(":")) for term in terms):
            coded = code_columns(
                rows, [name], levels="all but the first", categories=[name], between="="
            )
            found |= {column.label: column.values.to_numpy("float64") for column in coded}
    return found


def _is_absorbed(rows: pd.DataFrame, variable: str, model: Model) -> bool:
    """Return whether the groups of a fixed effect, or the blocks, hold one level each."""
    groups = [*model["fixed_effects"], *(["block"] if model["blocks"] == "fixed" else [])]
    return variable in groups or any(
        not rows[[name, variable]].astype("str").drop_duplicates()[name].duplicated().any()
        for name in groups
    )


def _has_levels(rows: pd.DataFrame, variable: str, parts: Sequence[str]) -> bool:
    """Return whether a covariate has an indicator of each level, or of finer cells."""
    if variable not in parts:
        return False
    values = rows[variable]
    return len(parts) > 1 or variable in CATEGORIES or not is_number(values) or is_flag(values)


def with_block_effects(design: DesignMatrix, *, fixed: bool) -> tuple[dict[str, Array], list[str]]:
    """Return the columns of a model with an intercept, and the names of those left out.

    With ``fixed``, one indicator per block but the first comes first. A column that is determined
    by those before it (a covariate of schools that does not vary within blocks) is left out and
    named; blocks come before treatment, and treatment before covariates.

    Raises
    ------
    ValueError
        Where a treatment term is determined by the blocks: the design does not inform it.
    """
    blocks = indicators(design.rows["block"]) if fixed else {}
    return without_determined({**blocks, **design.columns}, design.treatment_terms)


def side_by_side(columns: Mapping[str, Array], names: Sequence[str], n_rows: int) -> Array:
    """Return the named columns as a matrix of so many rows, also where none is named."""
    chosen = [np.asarray(columns[name], dtype="float64") for name in names]
    return np.column_stack(chosen) if chosen else np.empty((n_rows, 0))


def without_determined(
    columns: dict[str, Array], treatment_terms: Sequence[str], *, intercept: bool = True
) -> tuple[dict[str, Array], list[str]]:
    """Return the columns that those before them (and a constant) do not determine, and the others.

    Raises
    ------
    ValueError
        Where a treatment term is among the others.
    """
    first = np.ones(len(next(iter(columns.values())))) if intercept else None
    matrix = np.column_stack([*([] if first is None else [first]), *columns.values()])
    kept, basis = [], np.empty((len(matrix), 0))
    for at, column in enumerate(matrix.T):
        left = column - basis @ (basis.T @ column)
        left = left - basis @ (basis.T @ left)
        length = float(np.linalg.norm(left))
        if length > COLLINEAR * float(np.linalg.norm(column)):
            basis = np.column_stack([basis, left / length])
            kept.append(at)
    names = list(columns)
    dropped = [name for at, name in enumerate(names, start=int(intercept)) if at not in kept]
    lost = [name for name in dropped if name in treatment_terms]
    if lost:
        raise ValueError(
            f"{', '.join(lost)}: determined by the blocks and the terms before it; no block holds "
            "both groups of it. Leave the blocks out, or make them coarser"
        )
    return {name: columns[name] for name in names if name not in dropped}, dropped


def indicators(values: pd.Series) -> dict[str, Array]:
    """Return one indicator per level but the first: fixed effects of blocks."""
    name = str(values.name)
    coded = code_columns(
        values.to_frame(), [name], levels="all but the first", categories=[name], between="="
    )
    return {column.label: column.values.to_numpy("float64") for column in coded}
