from math import nan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.cells.suppression import NOTATIONS, suppressed
from schooltrial.protocol.form.strict_yaml import parse_yaml


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


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("GE95", 95, nan), ("GE 95%", 95, nan), ("GT50", 50, nan), ("95 or more", 95, nan),
        ("95% or more", 95, nan), ("at least 95", 95, nan), ("More than 90%", 90, nan),
        ("LE5", nan, 5), ("LT50", nan, 50), ("<=5%", nan, 5), ("5% or less", nan, 5),
        ("Less than 5%", nan, 5), ("5 or lower", nan, 5), ("60%-69%", 60, 69),
        ("80% - <90%", 80, 90), ("6-9", 6, 9), ("20 to 24", 20, 24), ("40 — 49", 40, 49),
    ],
)  # fmt: skip
def test_a_rate_that_is_withheld_keeps_the_bounds_that_its_cell_tells(
    text: str, low: float, high: float
) -> None:
    found = suppressed(pd.Series([text]))
    np.testing.assert_array_equal([found.low[0], found.high[0]], [low, high])
    assert found.telling[0]


@pytest.mark.parametrize(
    "text",
    [
        "Fewer than 10", "fewer than ten", "Fewer than 10 students", "5 or fewer", "<10 students",
        "less than 10 pupils", "less than ten", "n<10", "N ≤ 5", "PS", "n/a", "N/A", "NA", "*",
        "SUPP", "supp", "NE", "x", "c", "z", "[c]", "low", ":", "N/R", "NR", "N/D", "W", "-", "–",
        "s", "N", "Too few students", "‡", "not applicable", "LOWCOV",
    ],
)  # fmt: skip
def test_a_count_of_pupils_or_a_bare_code_tells_nothing_of_a_rate(text: str) -> None:
    found = suppressed(pd.Series([text]))
    assert found.hidden[0]
    assert not found.telling[0]


def test_a_protocol_adds_texts_that_come_before_the_known_ones() -> None:
    codes: dict[str, str | list[float]] = {
        "LOW N": "missing", "HI": [90.0, 100.0], "*": [0.0, 5.0], "-1": "missing",
    }  # fmt: skip
    found = suppressed(pd.Series(["low n", "HI", "*", "-1", "1", "12"]), codes=codes)
    assert found.hidden.tolist() == [True, True, True, True, False, False]
    np.testing.assert_array_equal(found.low[:4], [nan, 90, 0, nan])
    np.testing.assert_array_equal(found.high[:4], [nan, 100, 5, nan])


def test_every_notation_names_its_publisher_and_source_and_whether_it_was_checked() -> None:
    every = parse_yaml(NOTATIONS.read_text("utf-8"))
    keys = {"kind", "pattern", "shows", "meaning", "publisher", "source", "year", "checked"}
    for one in every:
        assert set(one) == keys, one
        assert one["publisher"]
        assert one["source"]
        bounds = {"nothing": 0, "low": 1, "high": 1, "range": 2}[one["shows"]]
        assert one["pattern"].count("{k}") == bounds, one["kind"]


@pytest.mark.parametrize("text", ["-5", "95", "29-20", "S1", "<", "*5", "5*", "2019-20-21", "n<"])
def test_other_text_is_no_suppressed_cell(text: str) -> None:
    assert suppressed(pd.Series([text])).kind[0] == ""


@given(st.floats(-1e6, 1e6, allow_nan=False))
def test_a_plain_number_is_never_taken_for_a_range(number: float) -> None:
    assert suppressed(pd.Series([f"{number}", f"{number:.2f}"])).kind.tolist() == ["", ""]


def test_bounds_are_read_with_the_decimal_mark_of_the_file() -> None:
    found = suppressed(pd.Series(["<2,5"]), decimal=",")
    assert found.high[0] == 2.5
