"""School moments of a Parquet file, read in batches: memory by schools, not by pupils."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from schooltrial.models.moments.school_moments import (
    INTERCEPT,
    SchoolMoments,
    compute_school_moments,
    merge,
)

BATCH_ROWS = 262_144


def moments_from_parquet(
    source: str | PathLike[str],
    *,
    outcome: str,
    fixed: Sequence[str],
    school: str,
    weights: str | None = None,
    group: str | None = None,
    intercept: bool = True,
    by_school: bool = False,
    batch_rows: int = BATCH_ROWS,
) -> SchoolMoments:
    """Read the sums of squares and products of a Parquet file's columns, batch by batch.

    Batches need not end where schools end: partial passes are merged exactly.

    Parameters
    ----------
    source : path
        The file.
    outcome, school : str
        Columns of the outcome and of the school labels.
    fixed : sequence of str
        Numeric regressors; ``"(Intercept)"`` among them is the column of ones.
    weights, group : str, optional
        Columns of the weights, and of the block, district or site.
    intercept : bool
        Put ``(Intercept)`` in front, unless ``fixed`` has it.
    by_school : bool
        Keep the cross-products of each school.
    batch_rows : int
        Rows held in memory at a time.

    Raises
    ------
    ValueError
        As ``moments.school_moments``, and when the file lacks a column or has no rows.
    """
    import pyarrow.parquet as parquet

    regressors = [name for name in fixed if name != INTERCEPT]
    read = [*regressors, outcome]
    wanted = list(dict.fromkeys([*read, school, *(c for c in (weights, group) if c is not None)]))
    total: SchoolMoments | None = None
    # reading ahead would hold the whole file in memory
    with parquet.ParquetFile(source, pre_buffer=False) as file:
        absent = [name for name in wanted if name not in file.schema_arrow.names]
        if absent:
            raise ValueError(
                f"the file has no column {', '.join(map(repr, absent))}; expected the columns that "
                f"the model names: it has {', '.join(file.schema_arrow.names)}"
            )
        for batch in file.iter_batches(batch_size=batch_rows, columns=wanted):
            if batch.num_rows == 0:
                continue
            part = compute_school_moments(
                [_numbers(batch, name) for name in read],
                _labels(batch, school),
                names=read,
                weights=None if weights is None else _numbers(batch, weights),
                group=None if group is None else _labels(batch, group),
                intercept=intercept or INTERCEPT in fixed,
                by_school=by_school,
            )
            total = part if total is None else merge(total, part)
    if total is None:
        raise ValueError("the file has no rows; expected at least one pupil: check how it was made")
    return total.select(fixed) if INTERCEPT in fixed and fixed[0] != INTERCEPT else total


def _numbers(batch: object, name: str) -> NDArray[np.generic]:
    column = batch.column(name)  # type: ignore[attr-defined]
    values: NDArray[np.generic] = column.to_numpy(zero_copy_only=False)
    return values


def _labels(batch: object, name: str) -> NDArray[np.generic]:
    """Return labels as an array; repeated text is decoded once and not for each pupil."""
    column = batch.column(name)  # type: ignore[attr-defined]
    if column.null_count:
        raise ValueError(
            f"column {name!r} has rows without a label; expected one for every pupil: drop these "
            "pupils or give each its label"
        )
    if str(column.type) in ("string", "large_string", "string_view"):
        column = column.dictionary_encode()
    if str(column.type).startswith("dictionary"):
        labels: NDArray[np.generic] = np.asarray(column.dictionary.to_pylist())
        decoded: NDArray[np.generic] = labels[column.indices.to_numpy(zero_copy_only=False)]
        return decoded
    values: NDArray[np.generic] = column.to_numpy(zero_copy_only=False)
    return values
