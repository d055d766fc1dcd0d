"""Claims about how the errors of estimators become refusals."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pandas as pd
import pytest

from schooltrial.refusal import NOT_COMPUTED, Refusal, refused_as


def _said(error: pytest.ExceptionInfo[Refusal]) -> str:
    (fault,) = error.value.faults
    assert fault.file == "model m, outcome score"
    return fault.found


def test_an_estimators_own_words_are_kept() -> None:
    with pytest.raises(Refusal) as refused, refused_as("model m, outcome score"):
        raise ValueError("the outcome does not vary; look at its column")
    assert _said(refused) == "the outcome does not vary; look at its column"


@pytest.mark.parametrize(
    "fail",
    [
        lambda: np.linalg.solve(np.zeros((2, 2)), np.ones(2)),
        lambda: np.zeros((2, 3)) @ np.zeros((2, 3)),
        lambda: pd.DataFrame({"a": [1]}).merge(pd.DataFrame({"a": [1, 1]}), validate="1:1"),
        lambda: int(float("nan")),
        lambda: sqrt(-1.0),
        lambda: 1 / 0,
    ],
)
def test_what_a_library_says_of_its_arrays_reaches_nobody(fail: object) -> None:
    with pytest.raises(Refusal) as refused, refused_as("model m, outcome score"):
        fail()  # type: ignore[operator]
    assert _said(refused) == NOT_COMPUTED
