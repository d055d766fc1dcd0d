"""The columns of pupils that a pass reads: found by name, numeric, and of one length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.school_runs import IntArray, SchoolRuns, find_school_runs


def check_names(names: Sequence[str], n_columns: int) -> None:
    """Refuse names that do not match the columns one to one."""
    if len(names) != n_columns:
        raise ValueError(
            f"{n_columns} columns and {len(names)} names; expected one name for each column"
        )
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise ValueError(
            f"column names are given twice: {', '.join(twice)}; give each its own name"
        )


def named_column(frame: Any, name: str) -> Any:
    """Return a column of a frame or mapping as it is."""
    try:
        return frame[name]
    except KeyError:
        raise ValueError(
            f"the data have no column {name!r}; expected a column of that name: check the spelling"
        ) from None


def plain_column(frame: Any, name: str) -> Any:
    """Return a column of a frame or mapping as an array."""
    column = named_column(frame, name)
    return column.to_numpy() if hasattr(column, "to_numpy") else column


def numeric_values(column: Any, name: str, n_rows: int) -> NDArray[np.generic]:
    """Return a column as a real array of the expected length, not copied where it is one."""
    values = np.asarray(column)
    if values.dtype.kind not in "biuf":
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"column {name!r} is not numeric (found {values.dtype}); expected numbers without "
                "gaps: turn categories into indicators and drop rows with missing values first"
            ) from None
    if values.shape != (n_rows,):
        raise ValueError(
            f"column {name!r} has shape {values.shape}; expected ({n_rows},), one value for each "
            "school label"
        )
    return values


def positive_weights(weights: Any, runs: SchoolRuns) -> FloatArray:
    """Return the weights as float64, having seen that all are positive."""
    values = numeric_values(weights, "weights", runs.n_rows).astype(np.float64)
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        run = int(np.searchsorted(runs.starts, first, side="right")) - 1
        raise ValueError(
            f"{int(bad.sum())} weights are not positive numbers, the first ({values[first]}) in "
            f"school {runs.labels[runs.codes[run]]}; expected positive weights: drop pupils of "
            "weight zero and fill missing weights"
        )
    return values


def group_of_school(group: Any, runs: SchoolRuns) -> NDArray[np.generic]:
    """Return the group of each school, having seen that no school lies in two."""
    groups = find_school_runs(group)
    if groups.n_rows != runs.n_rows:
        raise ValueError(
            f"the group column has {groups.n_rows} rows and the school column {runs.n_rows}; "
            "expected the same pupils in both"
        )
    starts = np.union1d(groups.starts, runs.starts)
    group_code = groups.codes[np.searchsorted(groups.starts, starts, side="right") - 1]
    school_code = runs.codes[np.searchsorted(runs.starts, starts, side="right") - 1]
    return one_group_each(groups.labels[group_code], school_code, runs.labels)


def one_group_each(
    groups: NDArray[np.generic], codes: IntArray, schools: NDArray[np.generic]
) -> NDArray[np.generic]:
    """Return the one group of each school, or say which school lies in two."""
    _, first = np.unique(codes, return_index=True)
    own = groups[first]
    differs = np.flatnonzero(own[codes] != groups)
    if len(differs):
        at = differs[0]
        raise ValueError(
            f"school {schools[codes[at]]} lies in groups {own[codes[at]]} and {groups[at]}; "
            "expected each school in one block, district or site: if schools are numbered afresh "
            "in each group, make their labels unique first"
        )
    return own
