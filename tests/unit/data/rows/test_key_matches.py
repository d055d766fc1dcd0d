"""Identifiers are matched as they are spelt; those that differ in spelling alone are found."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.rows.key_matches import (
    KeyMatch,
    Keys,
    keys_of,
    match_keys,
    spelt_in_two_ways,
    together,
)


def _texts(names: list[str]) -> pa.Array:
    return pa.array(names, pa.large_string())


def _keys(names: list[str], table: str = "scores") -> Keys:
    return keys_of(table, "pupil", _texts(names), 2020)


def _match(names: list[str], among: list[str], **more: bool) -> KeyMatch:
    return match_keys(_keys(names), _keys(among, "pupils"), **more)


def test_shares_are_of_identifiers_and_rows_are_counted() -> None:
    found = _match(["a", "a", "b", "x", "x", "x"], ["a", "b", "c", "d"])
    assert (found.share, found.share_found) == (2 / 3, 0.5)
    assert (found.rows_unmatched, found.examples(), found.others(1)) == (3, ["x"], ["c"])


@given(st.lists(st.sampled_from("abcdefgh")), st.lists(st.sampled_from("abcdefgh")))
def test_matched_and_unmatched_are_all_and_as_sets_say(here: list[str], there: list[str]) -> None:
    found = _match(here, there)
    assert int(found.matched.sum()) == len(set(here) & set(there)) == int(found.found.sum())
    assert int(found.unmatched.sum()) == len(set(here) - set(there))
    assert found.alike.count == 0


@pytest.mark.parametrize(
    ("name", "other", "differ"),
    [
        ("940", "0940", ["leading zeros"]),
        ("1001.0", "1001", ["a decimal `.0`"]),
        ("s1", "S1", ["capital letters"]),
        (" S1", "S1", ["blanks"]),
    ],
)
def test_one_identifier_that_would_match_in_another_spelling_is_found(
    name: str, other: str, differ: list[str]
) -> None:
    alike = _match([name, "77"], [other, "77", "78"]).alike
    assert (alike.names, alike.others, alike.count, alike.differ) == ([name], [other], 1, differ)


def test_two_spellings_that_both_match_are_two_identifiers() -> None:
    assert _match(["940", "0940"], ["0940", "940"]).alike.count == 0


def test_two_spellings_in_one_table_of_one_row_each_are_two_identifiers() -> None:
    assert _match(["940", "0940"], ["0940"], one_row_each=True).alike.count == 0
    assert _match(["940", "0940"], ["0940"]).alike.count == 1


def test_a_prefix_is_found_in_either_table_but_not_from_one_identifier() -> None:
    assert _match(["P1", "P2"], ["1", "2", "3"]).alike.differ == ["a prefix"]
    assert _match(["01", "02"], ["P1", "P2", "P3"]).alike.others == ["P1", "P2"]
    assert _match(["S1"], ["1", "2"]).alike.count == 0
    assert _match(["S1", "S2"], ["T1", "T2"]).alike.count == 0


def test_identifiers_of_rows_that_the_protocol_leaves_out_are_no_mismatch() -> None:
    keys, among = _keys(["a", "b", "x"]), _keys(["a", "b"], "pupils")
    found = match_keys(keys, among, _texts(["x"]))
    assert (found.share, found.rows_unmatched, int(found.known.sum())) == (1.0, 0, 1)


def test_parts_together_count_the_rows_of_each_identifier() -> None:
    whole = together([_keys(["a", "b", "b"]), _keys(["b", "c"])])
    assert dict(zip(whole.names.to_pylist(), whole.rows.tolist(), strict=True)) == {
        "a": 1, "b": 3, "c": 1,
    }  # fmt: skip


def test_a_person_whose_identifier_changes_its_spelling_between_years_is_found() -> None:
    units = _texts(["0940", "941", "940", "0941", "7"])
    years = [(2019, np.array([0, 1, 4])), (2020, np.array([2, 3, 4]))]
    assert spelt_in_two_ways(units, years) == [
        ("0940", 2019, "940", 2020), ("941", 2019, "0941", 2020),
    ]  # fmt: skip


def test_two_spellings_on_one_roster_are_two_people() -> None:
    units = _texts(["0940", "940"])
    both = [(2019, np.array([0, 1])), (2020, np.array([1]))]
    assert spelt_in_two_ways(units, both) == []


def test_identifiers_of_several_parts_are_alike_part_by_part() -> None:
    assert _match(["12-3"], ["1-23", "2-3"]).alike.count == 0
    assert _match(["12-3"], ["1-23", "123"]).alike.others == ["123"]
    units = _texts(["12-3", "1-23", "7-1", "71"])
    years = [(2019, np.array([0, 2])), (2020, np.array([1, 3]))]
    assert spelt_in_two_ways(units, years) == [("7-1", 2019, "71", 2020)]
