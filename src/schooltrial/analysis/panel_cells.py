"""The school × year cells that a panel model is fitted to."""

from __future__ import annotations

import pandas as pd

from schooltrial.analysis.design_matrix import compared
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.data.panel.bounded_cells import with_bounded_cells
from schooltrial.data.panel.school_panel import build_school_panel
from schooltrial.data.rows.analysed import refuse_lacking, school_variables
from schooltrial.data.rows.filters import matches
from schooltrial.protocol.sections import Years, first_year
from schooltrial.refusal import Fault, Refusal
from schooltrial.wording import named


def cells_of_pupils(pupils: pd.DataFrame, plan: PlannedModel) -> pd.DataFrame:
    """Return the means of the model's outcomes over the pupils whom its `where` keeps."""
    model = plan.model
    refuse_lacking(pupils, plan.sampled, plan.fits())
    rows, cluster = compared(pupils, model), model["cluster"]
    staggered = "cohort" in rows
    if cluster is not None:
        rows = rows[rows[cluster].notna()]
    cells = build_school_panel(rows, model["outcomes"], model["where"], staggered=staggered)
    cells = _with_school_variables(cells, rows, plan)
    if cluster is None or cluster in cells:
        return cells
    # A school that lies in several groups keeps one row for each, and the estimator refuses it.
    groups = rows[["school", cluster]].drop_duplicates().astype({"school": "str"})
    return cells.merge(groups, on="school", how="left")


def _with_school_variables(
    cells: pd.DataFrame, pupils: pd.DataFrame, plan: PlannedModel
) -> pd.DataFrame:
    """Join what the model reads of schools, having seen that it is one value in each."""
    names = [name for name in school_variables(plan.model) if name not in cells]
    if not names:
        return cells
    known = pupils[["school", *names]].astype({"school": "str"})
    for name in names:
        several = known.groupby("school")[name].nunique()
        several = several[several > 1]
        if len(several):
            total = known["school"].nunique()
            raise Refusal([
                Fault(
                    f"model {plan.name}", f"{name!r} varies within {len(several)} of {total} "
                    f"schools ({named(several.index)})", "a variable that is one value in a school",
                    "name a variable of schools, or take `estimator: cluster_robust`, which reads "
                    "those of pupils", column=name,
                )
            ])  # fmt: skip
    first = known.groupby("school")[names].first().reset_index()
    return cells.merge(first, on="school", how="left")


def cells_of_schools(
    panel: pd.DataFrame,
    bounded: pd.DataFrame,
    schools: pd.DataFrame,
    plan: PlannedModel,
    years: Years,
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
    """
    model = plan.model
    cells = with_bounded_cells(panel, bounded, model["bounded_cells"], first_year(years))
    new = ["school", *[name for name in schools if name not in cells]]
    cells = cells.merge(schools[new], on="school", how="left")
    refuse_lacking(cells, plan.sampled, plan.fits())
    cells = compared(cells, model)
    kept = matches(cells, model["where"]) & cells["outcome"].isin(model["outcomes"])
    if model["cluster"]:
        kept &= cells[model["cluster"]].notna()
    return cells[kept].reset_index(drop=True)


def read_panel_cells(
    sample: str, panel: str, bounded: str, schools: str, plan: PlannedModel, years: Years
) -> pd.DataFrame:
    """Read the cells of a model's outcomes: means over pupils, or what is known of schools."""
    if plan.sampled == "pupil":
        return cells_of_pupils(pd.read_parquet(sample), plan)
    return cells_of_schools(
        pd.read_parquet(panel), pd.read_parquet(bounded), pd.read_parquet(schools), plan, years
    )
