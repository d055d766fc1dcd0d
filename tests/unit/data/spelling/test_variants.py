"""Identifiers that differ in spelling alone have the same simplified spelling, and no others."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schooltrial.data.spelling.variants import alike, all_simplified, differences, simplified


@pytest.mark.parametrize(
    ("name", "other", "what"),
    [
        ("940", "0940", ["leading zeros"]),
        ("S1", "S01", ["leading zeros"]),
        ("1001.0", "1001", ["a decimal `.0`"]),
        ("940.0", "0940", ["a decimal `.0`", "leading zeros"]),
        ("s1", "S1", ["capital letters"]),
        ("S 1", "S1", ["blanks"]),
        ("01-234", "01234", ["dashes"]),
        ("\u04051", "S1", ["letters of another alphabet"]),
        ("S\uff11", "S1", ["letters of another alphabet"]),
    ],
)
def test_what_differs_in_spelling_is_found_and_named(
    name: str, other: str, what: list[str]
) -> None:
    assert simplified(name) == simplified(other)
    assert differences(name, other) == what


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("940", "9400"),
        ("1.50", "1.5"),
        ("S1", "T1"),
        ("0", ""),
        ("10", "1"),
        ("A1B", "A1C"),
        ("1.0.0", "1.0"),
        ("1,000", "1"),
    ],
)
def test_identifiers_that_differ_in_more_than_spelling_stay_apart(name: str, other: str) -> None:
    assert simplified(name) != simplified(other)


@given(st.lists(st.text(alphabet="0019aBS-_ .,\u0405\uff11\u00a0\u2013", max_size=8)))
@example(["1.0.0\u00a0", "1,0", "1,00", "1,000", "0.0", "1.0-0"])
def test_many_names_are_simplified_as_each_is(names: list[str]) -> None:
    found = all_simplified(pa.array(names, pa.large_string())).to_pylist()
    assert found == [simplified(name) for name in names]


@given(st.text(alphabet="0019aBS-_ .,\u0405", max_size=8))
@example("1.0.0")
def test_simplifying_twice_is_simplifying_once(name: str) -> None:
    assert simplified(simplified(name)) == simplified(name)


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("01-234", "01234", True),
        ("12-3", "1-23", False),
        ("12 3", "12-3", True),
        ("1 23", "12 3", False),
        ("S-1", "s1", True),
    ],
)
def test_dashes_and_blanks_that_both_have_part_both_alike(
    name: str, other: str, same: bool
) -> None:
    assert alike(name, other) is alike(other, name) is same
