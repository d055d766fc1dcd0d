"""The cells of schools and years that primary models of school outcomes take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.data.bounded_cells import with_bounded_cells


def primary_cells(
    panel: pd.DataFrame,
    bounded: pd.DataFrame,
    models: Mapping[str, Any],
    outcomes: Mapping[str, Any],
    *,
    first_year: int,
) -> pd.DataFrame:
    """Return a row per cell, primary model and outcome of schools.

    Parameters
    ----------
    panel, bounded : DataFrame
        Published cells, and those published as a bound or a range.
    models, outcomes : mapping
        Sections of the protocol.
    first_year : int
        First year of the programme, for schools without a ``cohort``.

    Returns
    -------
    DataFrame
        The panel's columns, ``model`` and ``outcome``; the value stands in the outcome's column.
    """
    found = []
    for name, model in models.items():
        for outcome in model["outcomes"] if model["role"] == "primary" else []:
            if outcomes[outcome]["level"] != "school":
                continue
            cells = with_bounded_cells(panel, bounded, model["bounded_cells"], first_year)
            mine = cells[cells["outcome"] == outcome]
            found.append(mine.rename(columns={"mean": outcome}).assign(model=name))
    return pd.concat(found, ignore_index=True) if found else panel.iloc[:0].assign(model="")
