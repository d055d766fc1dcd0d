"""Labels of rows as numbers: whole numbers of a short range are counted, and nothing is sorted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from schooltrial.arrays import IntArray

_SPARSE = 4  # values of the range for each row, beyond which sorting is cheaper


def numbered(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], IntArray]:
    """Return the distinct values in their order, and the position of each row's among them.

    It is ``numpy.unique(values, return_inverse=True)``; for identifiers that are whole numbers, and
    for years, in a tenth of the time.
    """
    if values.dtype.kind in "iu" and len(values):
        low = values.min()
        reach = int(values.max()) - int(low) + 1
        if reach <= _SPARSE * len(values):
            offset = (values - low).astype(np.intp)
            there = np.zeros(reach, dtype=bool)
            there[offset] = True
            position = np.cumsum(there, dtype=np.intp) - 1
            return (np.flatnonzero(there) + low).astype(values.dtype), position[offset]
    distinct, position = np.unique(values, return_inverse=True)
    return distinct, position
