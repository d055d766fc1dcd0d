"""The school × year cells that a panel model is fitted to."""

from __future__ import annotations

import pandas as pd

from schooltrial.analysis.design_matrix import compared
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.data.panel.bounded_cells import with_bounded_cells
from schooltrial.data.panel.school_panel import build_school_panel
from schooltrial.data.rows.analysed import refuse_lacking
from schooltrial.data.rows.filters import matches
from schooltrial.protocol.sections import Years, first_year


def cells_of_pupils(pupils: pd.DataFrame, plan: PlannedModel) -> pd.DataFrame:
    """Return the means of the model's outcomes over the pupils whom its `where` keeps."""
    model = plan.model
    refuse_lacking(pupils, plan.sampled, plan.fits())
    rows, cluster = compared(pupils, model), model["cluster"]
    staggered = "cohort" in rows
    if cluster is None:
        return build_school_panel(rows, model["outcomes"], model["where"], staggered=staggered)
    rows = rows[rows[cluster].notna()]
    cells = build_school_panel(rows, model["outcomes"], model["where"], staggered=staggered)
    if cluster in cells:
        return cells
    # A school that lies in several groups keeps one row for each, and the estimator refuses it.
    groups = rows[["school", cluster]].drop_duplicates().astype({"school": "str"})
    return cells.merge(groups, on="school", how="left")


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
