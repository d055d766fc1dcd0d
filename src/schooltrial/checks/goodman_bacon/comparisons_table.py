"""The comparisons that a two-way effect averages, for the panel models of a staggered design."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.cohort_regressions.goodman_bacon import decompose_two_way_effect
from schooltrial.refusal import words_of
from schooltrial.wording import plural

COLUMNS = [
    "model", "outcome", "kind", "treated_cohort", "compared_cohort", "estimate", "weight",
    "n_schools", "note",
]  # fmt: skip

NOT_AVAILABLE = "not available"
"""The kind of a row that says why there is no decomposition."""


def decompose_cells(cells: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return the comparisons behind each outcome's two-way effect.

    Parameters
    ----------
    cells : DataFrame
        ``school, cohort, year, outcome, mean``: the cells that the model is fitted to.
    model : str
        Its name.

    Returns
    -------
    DataFrame
        ``model, outcome, kind`` (what the schools compared with are: never treated, not yet
        treated, already treated, treated in every year), ``treated_cohort, compared_cohort`` (0 for
        never), ``estimate`` (in units of the outcome), ``weight`` (they sum to 1), ``n_schools``
        (seen in every year, which it rests on) and ``note``. An outcome whose effect cannot be
        decomposed has one row, with kind ``not available`` and the reason.
    """
    rows = [
        {"model": model, "outcome": outcome, **found}
        for outcome, part in cells[cells["mean"].notna()].groupby("outcome", sort=False)
        for found in _of_outcome(part)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_outcome(cells: pd.DataFrame) -> Iterator[dict[str, object]]:
    try:
        outcome, years, cohort = _wide(cells)
        found = decompose_two_way_effect(outcome, years, cohort)
    except ValueError as error:
        yield {"kind": NOT_AVAILABLE, "treated_cohort": nan, "compared_cohort": nan,
               "estimate": nan, "weight": nan, "n_schools": cells["school"].nunique(),
               "note": words_of(error)}  # fmt: skip
        return
    note = ""
    if found.left_out:
        are = "is" if found.left_out == 1 else "are"
        note = f"{plural(found.left_out, 'school')} not seen in every year {are} left out"
    for one in found.comparisons:
        yield {"kind": one.kind, "treated_cohort": one.treated_cohort,
               "compared_cohort": one.compared_cohort, "estimate": one.estimate,
               "weight": one.weight, "n_schools": found.n_schools, "note": note}  # fmt: skip


def _wide(cells: pd.DataFrame) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.int64]]:
    """Return outcomes by school and year, the years, and the cohort of each school."""
    repeated = cells[cells.duplicated(["school", "year"])]
    if len(repeated):
        one = repeated.iloc[0]
        raise ValueError(
            f"school {one['school']} has two rows in {int(one['year'])}: a panel of schools has "
            "one for each year"
        )
    wide = cells.pivot(index="school", columns="year", values="mean")
    cohort = cells.groupby("school")["cohort"].first().reindex(wide.index)
    return (
        wide.to_numpy("float64"),
        wide.columns.to_numpy("int64"),
        cohort.fillna(0).to_numpy("int64"),
    )
