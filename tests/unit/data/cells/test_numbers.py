import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.cells.numbers import parsed


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_in_full_is_read_to_the_last_bit(number: float) -> None:
    assert parsed(pd.Series([repr(number)], dtype="str"))[0] == number


@given(st.integers(-(10**12), 10**12), st.integers(0, 99), st.sampled_from([",.", ".,", " ,"]))
def test_grouped_numbers_are_read_in_the_notation_declared(
    whole: int, cents: int, marks: str
) -> None:
    thousands, decimal = marks[0], marks[1]
    text = f"{whole:,}".replace(",", thousands) + f"{decimal}{cents:02d}"
    expected = float(f"{whole}.{cents:02d}")
    assert parsed(pd.Series([text]), decimal=decimal, thousands=thousands)[0] == expected


@pytest.mark.parametrize(
    ("text", "notation"),
    [
        ("12,5", {}),
        ("1.5", {"decimal": ","}),
        ("1,23", {"thousands": ","}),
        ("1,2345", {"thousands": ","}),
        ("1234,567", {"thousands": ","}),
        ("1.234,5.6", {"thousands": ".", "decimal": ","}),
        ("85%", {}),
        ("1_000", {}),
        ("0x1A", {}),
        ("inf", {}),
        ("nan", {}),
        ("", {}),
        ("٣", {}),
        ("1 2", {}),
        ("--1", {}),
        (".", {}),
    ],
)
def test_what_is_no_number_in_the_notation_is_missing(text: str, notation: dict[str, str]) -> None:
    assert np.isnan(parsed(pd.Series([text], dtype="str"), **notation)[0])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "value"), [("85%", 85.0), ("85 %", 85.0), ("85", 85.0), ("0.5%", 0.5), ("+3.", 3.0)]
)
def test_a_per_cent_sign_is_taken_off_where_it_may_stand(text: str, value: float) -> None:
    assert parsed(pd.Series([text]), percent=True)[0] == value
