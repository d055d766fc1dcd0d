"""The school × year cells that a panel model is fitted to."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schooltrial.analysis.design_matrix import compared
from schooltrial.data.panel.bounded_cells import with_bounded_cells
from schooltrial.data.panel.school_panel import build_school_panel
from schooltrial.data.rows.analysed import refuse_lacking
from schooltrial.data.rows.filters import matches
from schooltrial.protocol.sections import Model, Outcome, Years


def read_panel_cells(
    sample: str,
    panel: str,
    bounded: str,
    schools: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    years: Years,
) -> pd.DataFrame:
    """Return cells of the model's outcomes and population.

    Outcomes of pupils are averaged over the pupils whom `where` keeps; outcomes of schools are
    taken from the panel, with cells that were published as bounds as `bounded_cells` says, and
    `where` may name what is known of schools.
    """
    level = outcomes[model["outcomes"][0]]["level"]
    fitted = [(name, model, outcome) for outcome in model["outcomes"]]
    if level == "pupil":
        pupils = pd.read_parquet(sample)
        refuse_lacking(pupils, level, fitted)
        return build_school_panel(compared(pupils, model), model["outcomes"], model["where"])
    first_year = max(years["before"]) + 1
    cells = with_bounded_cells(
        pd.read_parquet(panel), pd.read_parquet(bounded), model["bounded_cells"], first_year
    )
    known = pd.read_parquet(schools)
    new = ["school", *[name for name in known if name not in cells]]
    cells = cells.merge(known[new], on="school", how="left")
    refuse_lacking(cells, level, fitted)
    cells = compared(cells, model)
    kept = matches(cells, model["where"]) & cells["outcome"].isin(model["outcomes"])
    return cells[kept].reset_index(drop=True)
