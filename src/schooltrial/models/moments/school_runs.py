"""Which rows belong to which school: runs of equal labels in a column of school labels.

Pupils usually stand school by school, so that a file of five million rows has some thousand runs;
what is known of the schools is then found from the runs, and not from the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


SHORT_RUN = 8  # mean rows per run under which the file counts as scattered


_NO_LABEL = (
    "some pupils have no school label; expected one for every row: drop these pupils, or give each "
    "its school, before the moments are taken"
)


@dataclass(frozen=True)
class SchoolRuns:
    """Stretches of consecutive rows that belong to one school.

    Attributes
    ----------
    labels : array, shape (J,)
        Labels of the schools, sorted.
    starts : integer array, shape (R,)
        First row of each run; the first is 0.
    codes : integer array, shape (R,)
        School of each run, as a position in ``labels``.
    n_rows : int
        Rows in all.
    """

    labels: NDArray[np.generic]
    starts: IntArray
    codes: IntArray
    n_rows: int

    @property
    def scattered(self) -> bool:
        """Whether the pupils of a school are so scattered that runs do not pay."""
        return len(self.starts) * SHORT_RUN > self.n_rows and len(self.starts) > len(self.labels)

    def row_codes(self) -> IntArray:
        """Return the school of each row."""
        if len(self.starts) == self.n_rows:
            return self.codes
        return np.repeat(self.codes, np.diff(self.starts, append=self.n_rows))


def find_school_runs(school: object) -> SchoolRuns:
    """Return the runs of equal labels in a column of school labels.

    Parameters
    ----------
    school : array or frame column, shape (N,)
        Integers, strings or a categorical column; need not be sorted.

    Raises
    ------
    ValueError
        When the column is empty, not one-dimensional, or lacks a label in some row.
    """
    values, categories = _plain_labels(school)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(
            f"the school column has shape {values.shape}; expected one label for each pupil, and "
            "at least one pupil: check the sample that was handed over"
        )
    starts = np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1)).astype(np.int64)
    labels, codes = _sorted_codes(values[starts])
    _refuse_missing_labels(labels, categories is not None)
    if categories is not None:
        labels, codes = _sorted_categories(categories[labels.astype(np.int64)], codes)
    return SchoolRuns(labels, starts, codes, len(values))


def _plain_labels(school: object) -> tuple[NDArray[np.generic], NDArray[np.generic] | None]:
    """Return comparable values, and the categories that they index, if any."""
    categorical = getattr(school, "cat", None)
    if categorical is not None:
        return np.asarray(categorical.codes), np.asarray(categorical.categories)
    dtype = getattr(school, "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.kind == "O":
        factorise = getattr(school, "factorize", None)
        if factorise is not None:
            codes, labels = factorise()
            return np.asarray(codes), np.asarray(labels)
    values = np.asarray(school)
    if values.dtype.kind == "O" and any(label is None or label != label for label in values):
        raise ValueError(_NO_LABEL)
    return values, None


def _sorted_codes(
    values: NDArray[np.generic],
) -> tuple[NDArray[np.generic], IntArray]:
    """Return the distinct values, sorted, and the position of each value among them."""
    if values.dtype.kind in "iu" and len(values) > 1000:
        low, high = int(values.min()), int(values.max())
        if high - low < 4 * len(values):  # a table of positions is cheaper than sorting
            offset = values.astype(np.int64) - low
            present = np.zeros(high - low + 1, dtype=bool)
            present[offset] = True
            position = np.cumsum(present) - 1
            return (np.flatnonzero(present) + low).astype(values.dtype), position[offset]
    labels, codes = np.unique(values, return_inverse=True)
    return labels, codes.astype(np.int64, copy=False)


def _sorted_categories(
    labels: NDArray[np.generic], codes: IntArray
) -> tuple[NDArray[np.generic], IntArray]:
    order = np.argsort(labels, kind="stable")
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    return labels[order], position[codes]


def _refuse_missing_labels(labels: NDArray[np.generic], coded: bool) -> None:
    if coded:
        missing = bool(np.any(labels.astype(np.int64) < 0))
    elif labels.dtype.kind == "f":
        missing = bool(np.any(np.isnan(labels.astype(np.float64))))
    else:
        missing = False
    if missing:
        raise ValueError(_NO_LABEL)
