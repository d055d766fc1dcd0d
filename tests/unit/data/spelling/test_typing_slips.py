"""A code that is close to one known is recognised, and one that is another code is not."""

from __future__ import annotations

import pytest

from schooltrial.data.spelling.typing_slips import likely_meant, turned


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


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("021565", ["021655", "030000"], "021655"),
        ("021565", ["021566"], None),
        ("12", ["21", "12"], "21"),
        ("11", ["11"], None),
        ("1232", ["2132", "1322"], None),
    ],
)
def test_two_neighbouring_signs_that_changed_places_are_a_question(
    name: str, known: list[str], meant: str | None
) -> None:
    assert turned(name, known) == meant
