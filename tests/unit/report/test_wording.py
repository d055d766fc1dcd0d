"""What the report says in words of the design and its registration."""

import pytest

from schooltrial.report.wording import analysed_sentences, registration_sentence
from schooltrial.wording import year_spans
from support.sections import small_content

NONE = {"registry": "", "identifier": "", "date": "", "url": "", "plan_sha256": None}


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({}, "No registration is stated."),
        ({"registry": "AEARCTR"}, "Registered: AEARCTR."),
        ({"identifier": "0001"}, "Registered: 0001."),
        ({"date": "2019-06-30"}, "Registered: 2019-06-30."),
        ({"url": "https://example.org"}, "Registered:"),
        (
            {"registry": "AEARCTR", "identifier": "0001", "date": "2019-06-30"},
            "Registered: AEARCTR 0001, 2019-06-30.",
        ),
    ],
)
def test_whatever_is_stated_of_the_registration_is_told(stated: dict[str, str], told: str) -> None:
    assert registration_sentence({**NONE, **stated}) == told


def test_years_in_a_row_are_told_as_a_span() -> None:
    assert year_spans([2012, 2009, 2013, 2014]) == "2009, 2012–2014"
    assert year_spans([2015, 2017, 2018]) == "2015, 2017, 2018"
    assert year_spans([]) == ""


def test_who_is_analysed_is_said_in_plain_words_models_of_the_same_rows_together() -> None:
    content = small_content()
    content["sample"]["keep"] = {"grade": {"at_least": 3}}
    content["outcomes"]["reading"]["population"] = {"girl": [1]}
    content["models"]["again"] = {**content["models"]["itt"], "label": "Again"}
    assert analysed_sentences({**content}, {"girl": "Girl"}) == [
        "The sample keeps: grade at least 3.",
        "Reading is measured of: Girl is 1.",
        "Analyses are of school year 2020 unless stated below.",
        "Difference in differences: all records.",
    ]
    content["models"]["third"] = {**content["models"]["itt"], "label": "Third", "where": {}}
    assert (
        analysed_sentences({**content}, {})[-1] == "Difference in differences; Third: all records."
    )
