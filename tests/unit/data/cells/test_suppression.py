from math import nan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.cells.suppression import suppressed


@pytest.mark.parametrize(
    ("text", "kind", "low", "high"),
    [
        ("*", "*", nan, nan),
        ("**", "*", nan, nan),
        ("s", "s", nan, nan),
        ("S", "s", nan, nan),
        ("n<10", "n<k", nan, nan),
        ("N < 10", "n<k", nan, nan),
        ("<10", "<k", nan, 10),
        ("<5%", "<k", nan, 5),
        ("≤5", "<k", nan, 5),
        ("<= 5.0", "<k", nan, 5),
        ("≥95", ">k", 95, nan),
        (">95", ">k", 95, nan),
        (">=95%", ">k", 95, nan),
        ("95+", ">k", 95, nan),
        ("95%+", ">k", 95, nan),
        ("20-29", "range", 20, 29),
        ("20–29", "range", 20, 29),
        ("20% to 29%", "range", 20, 29),
    ],
)
def test_each_way_that_states_write_them_is_known(
    text: str, kind: str, low: float, high: float
) -> None:
    found = suppressed(pd.Series([text]))
    assert found.kind[0] == kind
    np.testing.assert_array_equal([found.low[0], found.high[0]], [low, high])


@pytest.mark.parametrize("text", ["-5", "95", "29-20", "S1", "<", "*5", "5*", "2019-20-21", "n<"])
def test_other_text_is_no_suppressed_cell(text: str) -> None:
    assert suppressed(pd.Series([text])).kind[0] == ""


@given(st.floats(-1e6, 1e6, allow_nan=False))
def test_a_plain_number_is_never_taken_for_a_range(number: float) -> None:
    assert suppressed(pd.Series([f"{number}", f"{number:.2f}"])).kind.tolist() == ["", ""]


def test_bounds_are_read_with_the_decimal_mark_of_the_file() -> None:
    found = suppressed(pd.Series(["<2,5"]), decimal=",")
    assert found.high[0] == 2.5
