"""Names and codes of checks are read back as the texts that they are, however they look."""

from __future__ import annotations

from io import StringIO

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.checks.written_tables import read_check

CODES = st.from_regex(r"-?[0-9]{1,9}(\.0+)?", fullmatch=True)


@given(st.lists(st.tuples(CODES, st.integers(-(10**9), 10**9)), min_size=1, max_size=6))
def test_codes_are_read_back_to_the_last_sign_and_numbers_as_numbers(
    rows: list[tuple[str, int]],
) -> None:
    table = pd.DataFrame(rows, columns=["category", "n"])
    found = read_check(StringIO(table.to_csv(index=False)))
    assert found["category"].tolist() == [code for code, _ in rows]
    assert found["n"].tolist() == [number for _, number in rows]


def test_a_category_that_is_empty_in_some_rows_is_no_number_in_the_others() -> None:
    found = read_check(StringIO("variable,category,smd\ndistrict,4801230,0.1\nage,,0.2\n"))
    assert found["category"].fillna("").tolist() == ["4801230", ""]


def test_a_column_of_words_that_is_empty_in_all_rows_begins_with_no_word() -> None:
    found = read_check(StringIO("method,check,approach,step,where_at_baseline,n\n,,,,,1\n,,,,,2\n"))
    for name in ("method", "check", "approach", "step", "where_at_baseline"):
        assert found[name].isna().all()
        assert not found[name].str.startswith("simulation").any()
        assert (~found[name].str.startswith("simulation")).all()
