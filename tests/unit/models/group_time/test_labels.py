"""Labels become numbers in the same order however they are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from schooltrial.models.group_time.labels import numbered


@pytest.mark.parametrize(
    "values",
    [
        np.array([7, 3, 3, 12, 7]),
        np.array([-5, 4, -5, 0]),
        np.array([1, 10**12, 1]),
        np.array([2016, 2010, 2016], dtype=np.uint16),
        np.array(["b", "a", "b"]),
        np.array([1.5, np.pi, 1.5]),
        np.array([], dtype=np.int64),
    ],
    ids=str,
)
def test_numbers_are_those_of_sorting(values: npt.NDArray[Any]) -> None:
    labels, position = numbered(values)
    expected, at = np.unique(values, return_inverse=True)
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(position, at)
    assert labels.dtype == values.dtype
