"""Filters say which years they keep and can be read out; what refers to nothing is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from schooltrial.protocol.consistency.references import reference_faults
from schooltrial.protocol.content.filters import (
    conjunction,
    in_words,
    named_variables,
    possible_years,
    years_named,
)
from schooltrial.protocol.form.schema_validation import schema_faults
from schooltrial.protocol.form.strict_yaml import parse_yaml
from support.sections import completed
from support.small_trial import PROTOCOL, schema


@pytest.mark.parametrize(
    ("where", "years"),
    [
        ({"year": [2020]}, [2020]),
        ({"year": {"at_least": 2020}}, [2020, 2021]),
        ({"year": {"above": 2019, "not_in": [2021]}}, [2020]),
        ({"grade": [3]}, [2019, 2020, 2021]),
        ({"any_of": [{"year": [2020], "grade": [3]}, {"year": [2021], "grade": [4]}]},
         [2020, 2021]),
        ({"none_of": [{"year": [2019]}]}, [2020, 2021]),
        ({"none_of": [{"year": [2019], "grade": [3]}]}, [2019, 2020, 2021]),
        ({"all_of": [{"year": {"below": 2021}}, {"year": {"above": 2019}}]}, [2020]),
    ],
)  # fmt: skip
def test_the_years_of_a_filter_are_those_of_which_it_may_keep_a_row(
    where: dict[str, Any], years: list[int]
) -> None:
    assert possible_years(where, [2021, 2019, 2020]) == years


def test_a_filter_that_names_no_year_has_none() -> None:
    assert years_named({"grade": [3]}, [2019, 2020]) == []


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({}, ""),
        ({"year": [2020], "grade": {"at_least": 4}}, "year is 2020 and Grade at least 4"),
        ({"region": ["north", "south"]}, "region is north or south"),
        ({"district": {"not_in": [4801230.0, 4801231]}},
         "district is not 4801230 or 4801231"),
        ({"grade": {"above": 3.5, "at_most": 6}}, "Grade above 3.5 and at most 6"),
        ({"grade": {"is_missing": False}}, "Grade is not missing"),
        ({"any_of": [{"grade": [3]}, {"grade": {"is_missing": True}}]},
         "(Grade is 3 or Grade is missing)"),
        ({"none_of": [{"year": [2020], "grade": [3]}]}, "not (year is 2020 and Grade is 3)"),
    ],
)  # fmt: skip
def test_a_filter_is_read_out_in_plain_words(where: dict[str, Any], words: str) -> None:
    assert in_words(where, {"grade": "Grade"}) == words


def test_the_conjunction_of_filters_forgets_neither() -> None:
    assert conjunction({"year": [2020]}, {"girl": [1]}) == {"year": [2020], "girl": [1]}
    both = conjunction({"year": {"above": 2019}}, {"year": {"below": 2021}})
    assert possible_years(both, [2019, 2020, 2021]) == [2020]
    assert named_variables(both) == ["year"]


def _faults(where: Any) -> list[str]:
    content = copy.deepcopy(parse_yaml(PROTOCOL))
    content["models"]["itt"]["where"] = where
    shape = [str(fault) for fault in schema_faults(content, schema(), "trial.yaml")]
    return shape or [
        str(fault)
        for fault in reference_faults(completed(content), "trial.yaml")
        if str(fault.column).startswith("models.itt.where")
    ]


@pytest.mark.parametrize(
    "where",
    [
        {"year": [2020]},
        {"year": {"at_least": 2020}},
        {"grade": {"at_least": 4, "not_in": [6]}},
        {"any_of": [{"girl": [1]}, {"sex": {"is_missing": True}}]},
        {"none_of": [{"all_of": [{"year": [2019]}, {"sex": ["girl"]}]}]},
    ],
)
def test_a_filter_that_has_sense_is_taken(where: Any) -> None:
    assert _faults(where) == []


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"year": 2020}, "a list or a section with keys"),
        ({"year": {"atleast": 2020}}, "Did you mean 'at_least'?"),
        ({"any_of": {"year": [2020]}}, "a list"),
        ({"any_of": []}, "any_of"),
        ({"grade": {}}, "grade"),
        ({"yaer": [2020]}, "Did you mean 'year'?"),
        ({"none_of": [{"any_of": [{"sexx": ["girl"]}]}]}, "Did you mean 'sex'?"),
        ({"year": ["2020"]}, "Write the year without quotes"),
        ({"year": {"above": 2090}}, "keeps no year of the study"),
        ({"grade": {"at_least": "four"}}, "Write the number without quotes"),
        ({"sex": {"at_least": "girl"}}, "no order"),
        ({"sex": ["gril"]}, "Did you mean 'girl'?"),
        ({"sex": {"not_in": ["gril"]}}, "Did you mean 'girl'?"),
        ({"arm": ["programm"]}, "Did you mean 'programme'?"),
        ({"grade": {"at_least": 5, "below": 5}}, "no value is at least 5 and below 5"),
        ({"grade": {"is_missing": True, "at_least": 5}}, "any_of: [{grade: {is_missing: true}}"),
    ],
)
def test_a_filter_without_sense_is_refused_with_the_remedy(where: Any, told: str) -> None:
    assert any(told in fault for fault in _faults(where)), _faults(where)
