"""Which rows belong together: clusters, blocks and their nesting.

A clustering turns labels of any kind (numbers, strings, categories) into the order in which rows
are visited and the places where one group ends and the next begins. Rows that already lie group by
group are left where they are, so that a sorted file of millions of pupils is never permuted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.arrays import IntArray


@dataclass(frozen=True)
class Clustering:
    """Rows gathered into groups.

    Attributes
    ----------
    starts : (J,) int array
        Position, in visiting order, of the first row of each group.
    order : (N,) int array or None
        Visiting order of the rows; ``None`` when the rows already lie group by group.
    labels : (J,) array
        The label of each group.
    n_rows : int
        Number of rows N.
    """

    starts: IntArray
    order: IntArray | None
    labels: NDArray[Any]
    n_rows: int

    @property
    def count(self) -> int:
        """Number of groups J."""
        return len(self.starts)

    @property
    def sizes(self) -> IntArray:
        """Rows in each group, n_j."""
        return np.diff(self.starts, append=self.n_rows)

    @property
    def codes(self) -> IntArray:
        """The group (0 … J − 1) of each row, in the order of the data."""
        in_order = np.repeat(np.arange(self.count), self.sizes)
        if self.order is None:
            return in_order
        codes = np.empty(self.n_rows, dtype=np.intp)
        codes[self.order] = in_order
        return codes


def _run_starts(values: NDArray[Any]) -> IntArray:
    changes = np.flatnonzero(np.asarray(values[1:] != values[:-1], dtype=bool)) + 1
    return np.concatenate([np.zeros(1, dtype=np.intp), changes])


def _refuse_missing(values: NDArray[Any], what: str) -> None:
    if values.dtype.kind in "biuUSmM":
        return
    # A missing number is not equal to itself; None is the missing value of text.
    missing = np.asarray(values != values, dtype=bool)
    if values.dtype.kind == "O":
        missing = missing | np.array([value is None for value in values])
    if missing.any():
        raise ValueError(
            f"the {what} of row {int(np.argmax(missing))} is missing (and {int(missing.sum()) - 1} "
            f"others); every row needs one: drop those rows or give them a label"
        )


def _small_range_codes(values: NDArray[Any]) -> tuple[NDArray[Any], IntArray] | None:
    """Return distinct values and codes by counting, for integers in a narrow range."""
    if values.dtype.kind not in "iu":
        return None
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * len(values) + 1024:
        return None
    shifted = (values - low).astype(np.intp, copy=False)
    present = np.bincount(shifted, minlength=high - low + 1) > 0
    position = np.cumsum(present) - 1
    return np.flatnonzero(present) + low, position[shifted].astype(np.intp, copy=False)


def _distinct(values: NDArray[Any]) -> tuple[NDArray[Any], IntArray]:
    counted = _small_range_codes(values)
    if counted is not None:
        return counted
    try:
        distinct, codes = np.unique(values, return_inverse=True)
    except TypeError:  # labels of several types have no order: number them as they appear
        position: dict[Any, int] = {}
        listed = [position.setdefault(value, len(position)) for value in values]
        distinct = np.empty(len(position), dtype=object)
        distinct[:] = list(position)
        return distinct, np.array(listed, dtype=np.intp)
    return distinct, codes.reshape(-1).astype(np.intp, copy=False)


def _as_labels(labels: ArrayLike, n_rows: int | None, what: str) -> NDArray[Any]:
    codes = getattr(getattr(labels, "cat", labels), "codes", None)
    if codes is not None:  # a categorical: its codes are labels enough, −1 is missing
        values = np.asarray(codes)
        if values.size and values.min() < 0:
            raise ValueError(f"the {what} of row {int(np.argmin(values))} is missing; drop the row")
    else:
        values = np.asarray(labels)
        if values.dtype.kind not in "biufUSOmM":
            values = np.asarray(labels, dtype=object)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{what} labels must be one column with a row or more, not {values.shape}")
    if n_rows is not None and len(values) != n_rows:
        raise ValueError(f"there are {len(values)} {what} labels but {n_rows} rows of data")
    _refuse_missing(values, what)
    return values


def cluster_rows(
    labels: ArrayLike, *, n_rows: int | None = None, what: str = "cluster"
) -> Clustering:
    """Gather rows into groups by their label.

    Parameters
    ----------
    labels : (N,) array_like
        Labels of any type; a categorical is used by its codes.
    n_rows : int, optional
        The number of rows expected.
    what : str
        What the labels name, for messages.

    Returns
    -------
    Clustering

    Raises
    ------
    ValueError
        If a label is missing or there are not ``n_rows`` of them.
    """
    values = _as_labels(labels, n_rows, what)
    runs = _run_starts(values)
    distinct, run_codes = _distinct(values[runs])
    if len(distinct) == len(runs):
        return Clustering(runs, None, values[runs], len(values))
    codes = np.repeat(run_codes, np.diff(runs, append=len(values)))
    # Small integers are sorted by radix, which is linear in the number of rows.
    narrow = codes.astype(np.uint16) if len(distinct) <= 65536 else codes
    order = np.argsort(narrow, kind="stable")
    starts = np.concatenate(
        [np.zeros(1, dtype=np.intp), np.cumsum(np.bincount(codes, minlength=len(distinct)))[:-1]]
    )
    return Clustering(starts, order, distinct, len(values))


def group_of_each(inner: Clustering, codes: IntArray) -> IntArray | None:
    """Return the outer group of each inner group, or ``None`` where one is split.

    Parameters
    ----------
    inner : Clustering
        Groups that may lie whole within the groups of ``codes``.
    codes : (N,) int array
        Outer group of each row.
    """
    ordered = codes if inner.order is None else codes[inner.order]
    first = ordered[inner.starts]
    if np.array_equal(np.repeat(first, inner.sizes), ordered):
        return first
    return None
