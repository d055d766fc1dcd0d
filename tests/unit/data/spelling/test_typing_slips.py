"""A code that is close to one known is recognised, and one that is another code is not."""

from __future__ import annotations

import pytest

from schooltrial.data.spelling.typing_slips import likely_meant


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("101O", ["1010", "1011"], "1010"),
        ("l0l0", ["1010", "1011"], "1010"),
        ("SO1", ["S01", "S02"], "S01"),
        ("S1", ["51", "52"], "51"),
        ("St Marys", ["St. Mary's", "St. Luke's"], "St. Mary's"),
        ("Northfeild High", ["Northfield High", "Southfield High"], "Northfield High"),
        ("1012", ["1010", "1011"], None),
        ("9999", ["1010", "9998"], None),
        ("School A", ["School B"], None),
        ("School 1", ["School 2"], None),
        ("North", ["South"], None),
        ("101O", ["1010", "lOlO"], None),
        ("", ["1010"], None),
    ],
)
def test_a_slip_has_one_likely_meaning(name: str, known: list[str], meant: str | None) -> None:
    assert likely_meant(name, known) == meant
