"""The school × year cells that a panel model is fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from schooltrial.analysis.design_matrix import compared, listed
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.data.panel.bounded_cells import with_bounded_cells
from schooltrial.data.panel.school_panel import build_school_panel
from schooltrial.data.panel.school_sample import with_values_by_year
from schooltrial.data.rows.analysed import (
    indispensable_columns,
    refuse_lacking,
    school_variables,
)
from schooltrial.data.rows.covariates import (
    count_missing,
    covariate_columns,
    with_missing_baselines,
)
from schooltrial.data.rows.filters import matches
from schooltrial.protocol.content.sections import (
    Model,
    Years,
    covariate_terms,
    covariate_variables,
    first_year,
)
from schooltrial.refusal import Fault, Refusal
from schooltrial.wording import named

KEYS = ["school", "year"]


def cells_of_pupils(pupils: pd.DataFrame, plan: PlannedModel) -> pd.DataFrame:
    """Return the means of the model's outcomes over the pupils that its `where` keeps.

    What the model names of schools (clusters, weights, groups) is a column of the cells; where its
    effects are split by a variable of pupils, a school and year has a cell for each level. The
    covariates of a cell are the means of its pupils': a category is the share at each level.
    """
    model = plan.model
    refuse_lacking(pupils, plan.sampled, plan.fits())
    rows = compared(pupils, model)
    _refuse_varying(rows, plan)
    groups = indispensable_columns(model, None)
    groups += [model["active_from"]] if model["active_from"] else []
    rows = rows[rows[indispensable_columns(model, None)].notna().all(axis=1)]
    staggered = "cohort" in rows
    if not model["covariates"]:
        cells = build_school_panel(
            rows, model["outcomes"], model["where"], staggered=staggered, also=groups
        )
        _refuse_split(cells, model, groups)
        return _with_school_variables(cells, rows, plan)
    parts = []
    for outcome in model["outcomes"]:
        own = _with_covariates(rows, model, outcome)
        cells = build_school_panel(own, [outcome], staggered=staggered, also=groups)
        _refuse_split(cells, model, groups)
        parts.append(_with_means(cells, own, model, outcome))
    return pd.concat(parts, ignore_index=True)


def _with_covariates(rows: pd.DataFrame, model: Model, outcome: str) -> pd.DataFrame:
    """Return the rows of an outcome, less those that lack a covariate where the model drops them.

    Raises
    ------
    ValueError
        Where a covariate is missing that the model refuses.
    """
    kept = rows[matches(rows, model["where"]) & rows[outcome].notna()]
    variables = covariate_variables(model, outcome)
    kept = with_missing_baselines(kept, model)
    if model["missing_covariates"] == "indicator":
        return kept
    counts = count_missing(kept, variables)
    if counts and model["missing_covariates"] == "refuse":
        raise ValueError(
            f"outcome {outcome!r}: covariates are missing for some of the {len(kept):,} pupils who "
            f"have it: {listed(counts)}; the model has `missing_covariates: refuse`. Complete the "
            "files, or set `missing_covariates: indicator` (keep these pupils, with an indicator) "
            "or `drop` (leave them out)"
        )
    return kept[kept[variables].notna().all(axis=1)]


def covariate_bases(model: Model, outcome: str) -> list[tuple[str, bool]]:
    """Return a model's covariate terms without the year, and whether each is crossed with it."""
    found = []
    for term in covariate_terms(model, outcome):
        parts = term.split(":")
        base = ":".join(part for part in parts if part != "year")
        if base:
            found.append((base, "year" in parts))
    return found


def _with_means(
    cells: pd.DataFrame, rows: pd.DataFrame, model: Model, outcome: str
) -> pd.DataFrame:
    """Return cells with the means of their pupils' covariates."""
    bases = list(dict.fromkeys(base for base, _ in covariate_bases(model, outcome)))
    coded = pd.DataFrame(covariate_columns(rows, bases), index=rows.index)
    coded = coded[[name for name in coded if name not in cells]]
    splits = [name for name in (model["effects_by"], model["moderator"]) if name in cells]
    keys = [*KEYS, *splits]
    groups = [rows[name].astype("str") for name in keys]
    means = coded.groupby(groups, observed=True).mean()
    wanted = pd.MultiIndex.from_arrays([cells[name].astype("str") for name in keys])
    return cells.join(means.reindex(wanted).reset_index(drop=True))


def _refuse_split(cells: pd.DataFrame, model: Model, named: Sequence[str]) -> None:
    """Raise where a variable that must be of schools differs between pupils of a school and year.

    Clusters apart, of which the estimator says what is wrong.
    """
    splits = {model["effects_by"], model["moderator"]}
    for name in named:
        if name in splits or name == model["cluster"]:
            continue
        cell = cells[[*KEYS, "outcome", *(one for one in splits if one in cells), name]]
        cell = cell.astype("str").drop_duplicates()
        twice = cell[cell.duplicated(cell.columns[:-1].tolist())]
        if len(twice):
            one = twice.iloc[0]
            raise ValueError(
                f"{name!r} has several values among the pupils of school {one['school']} in "
                f"{one['year']}, and must be of schools and years here. Name a variable of "
                "schools, or take `estimator: cluster_robust` with `fixed_effects: [school, "
                "year]`, whose rows are pupils"
            )


def _refuse_varying(pupils: pd.DataFrame, plan: PlannedModel) -> None:
    """Raise where what a staggered model reads of schools differs within a school."""
    if plan.model["estimator"] != "staggered_adoption":
        return
    known = pupils["school"].astype("str")
    for name in school_variables(plan.model):
        several = pupils[name].groupby(known).nunique()
        several = several[several > 1]
        if len(several):
            raise Refusal([
                Fault(
                    f"model {plan.name}", f"{name!r} varies within {len(several)} of "
                    f"{known.nunique()} schools ({named(several.index)})",
                    "a variable that is one value in a school",
                    "name a variable of schools, or take `estimator: cluster_robust`, which reads "
                    "those of pupils", column=name,
                )
            ])  # fmt: skip


def _with_school_variables(
    cells: pd.DataFrame, pupils: pd.DataFrame, plan: PlannedModel
) -> pd.DataFrame:
    """Join what the model reads of schools."""
    names = [name for name in school_variables(plan.model) if name not in cells]
    if not names:
        return cells
    known = pupils[["school", *names]].astype({"school": "str"})
    first = known.groupby("school")[names].first().reset_index()
    return cells.merge(first, on="school", how="left")


def cells_of_schools(
    panel: pd.DataFrame,
    bounded: pd.DataFrame,
    schools: pd.DataFrame,
    plan: PlannedModel,
    years: Years,
    school_sample: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the cells of the model's outcomes of schools, for the schools that its `where` keeps.

    Parameters
    ----------
    panel : DataFrame
        Cells of school, year and outcome.
    bounded : DataFrame
        Cells that were published as bounds; `bounded_cells` of the model says what they become.
    schools : DataFrame
        What is known of schools, which `where` may name.
    plan : PlannedModel
    years : mapping
        The protocol's section.
    school_sample : DataFrame, optional
        What is known of schools year by year, other outcomes among it.
    """
    model = plan.model
    cells = with_bounded_cells(panel, bounded, model["bounded_cells"], first_year(years))
    new = ["school", *[name for name in schools if name not in cells]]
    cells = cells.merge(schools[new], on="school", how="left")
    if school_sample is not None:
        cells = with_values_by_year(cells, school_sample)
    refuse_lacking(cells, plan.sampled, plan.fits())
    cells = compared(cells, model)
    kept = matches(cells, model["where"]) & cells["outcome"].isin(model["outcomes"])
    for name in indispensable_columns(model, None):
        kept &= cells[name].notna()
    return cells[kept].reset_index(drop=True)


def read_panel_cells(
    sample: str,
    panel: str,
    bounded: str,
    schools: str,
    plan: PlannedModel,
    years: Years,
    school_sample: str | None = None,
) -> pd.DataFrame:
    """Read the cells of a model's outcomes: means over pupils, or what is known of schools."""
    if plan.sampled == "pupil":
        return cells_of_pupils(pd.read_parquet(sample), plan)
    by_year = None if school_sample is None else pd.read_parquet(school_sample)
    return cells_of_schools(
        pd.read_parquet(panel), pd.read_parquet(bounded), pd.read_parquet(schools), plan, years,
        by_year,
    )  # fmt: skip
