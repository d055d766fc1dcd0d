"""Rows of a staggered model whose effect is split by a variable of schools."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.panel.split_effects import slope_of_effect, split_by_level
from schooltrial.models.panel.staggered_adoption import StaggeredFit
from schooltrial.protocol.content.sections import Model
from schooltrial.wording import exact

BY_GROUP, DIFFERENCE, JOINT = "effect by group", "difference in effect", "joint test"


def split_rows(
    fitted: StaggeredFit, cells: pd.DataFrame, model: Model
) -> tuple[list[tuple[str, Estimate]], list[str]]:
    """Return the rows of `effects_by` and `moderator`, each with its estimand, and their notes.

    Parameters
    ----------
    fitted : StaggeredFit
    cells : DataFrame
        Cells of school and year, with the variables of schools.
    model : mapping
        A moderator that is a number of more than two values is a slope; one of another kind gives
        the differences from its first level.
    """
    rows: list[tuple[str, Estimate]] = []
    notes: list[str] = []
    level = model["confidence_level"]
    if by := model["effects_by"]:
        found = split_by_level(fitted, _levels(fitted, cells, by), by, level=level)
        rows += [(BY_GROUP, one) for one in found.effects]
        rows += [(JOINT, found.equal)] if found.equal else []
        notes += found.notes
    if by := model["moderator"]:
        numbers = pd.api.types.is_numeric_dtype(cells[by]) and cells[by].nunique() > 2
        found = (
            slope_of_effect(fitted, _numbers(fitted, cells, by), by, level=level) if numbers
            else split_by_level(fitted, _levels(fitted, cells, by), by, level=level)
        )  # fmt: skip
        rows += [(DIFFERENCE, one) for one in found.differences]
        if found.equal is not None and len(found.differences) > 1:
            rows.append((JOINT, found.equal))
        notes += found.notes
    return rows, notes


def _of_schools(fitted: StaggeredFit, cells: pd.DataFrame, name: str) -> pd.Series:
    """Return a variable of the fit's schools, in their order."""
    known = cells.dropna(subset=[name]).drop_duplicates("school")
    values = known.set_index(known["school"].astype("str"))[name]
    return values.reindex(list(fitted.schools))


def _numbers(fitted: StaggeredFit, cells: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    return np.asarray(_of_schools(fitted, cells, name).to_numpy("float64", na_value=np.nan))


def _levels(fitted: StaggeredFit, cells: pd.DataFrame, name: str) -> npt.NDArray[np.object_]:
    return np.array(list(_written(_of_schools(fitted, cells, name))), dtype=object)


def _written(values: pd.Series) -> Iterator[str | None]:
    """Yield levels as labels write them: whole numbers without a point; None if missing."""
    numbers = pd.api.types.is_numeric_dtype(values)
    for value in values:
        yield None if pd.isna(value) else exact(float(value)) if numbers else str(value)
