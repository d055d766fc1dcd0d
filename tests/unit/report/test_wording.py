"""What the report says in words of the design and its registration."""

from typing import Any

import pytest

from schooltrial.report.wording import (
    analysed_sentences,
    block_word,
    block_words,
    design_sentence,
    measured_sentence,
    registration_sentence,
    stated,
)
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
        "Difference in differences: not limited to these.",
    ]
    content["models"]["third"] = {**content["models"]["itt"], "label": "Third", "where": {}}
    assert (
        analysed_sentences({**content}, {})[-1]
        == "Difference in differences; Third: not limited to these."
    )


def test_an_effect_over_several_years_is_said_to_be_averaged() -> None:
    years = {
        "label": "spring", "baseline": [2015], "programme": [2016, 2017, 2018], "follow_up": [],
        "to_come": [], "reference": None, "lasts": None,
    }  # fmt: skip

    def told(*models: dict[str, Any]) -> str:
        return measured_sentence({"years": years, "models": dict(enumerate(models))})

    panel = {"role": "primary", "estimator": "staggered_adoption", "where": {}}
    ols = {"role": "primary", "estimator": "cluster_robust", "where": {"year": [2018]}}
    assert told(panel) == "spring 2016–2018, averaged over these years"
    assert told({**panel, "where": {"year": [2015, 2018]}}) == "spring 2018"
    assert told(ols, {**panel, "role": "sensitivity"}) == "spring 2018"
    assert told(ols, {**ols, "where": {"year": [2017]}}) == "spring 2017 and 2018"
    assert told({**ols, "where": {"year": [2017, 2018]}}).endswith("averaged over these years")
    assert told({**ols, "where": {}}) == "spring 2018"


def test_a_label_of_blocks_that_says_no_more_is_left_out() -> None:
    def told(label: str) -> str:
        design = {"kind": "paired", "block_label": label, "unit": "school", "randomised": True}
        return design_sentence({"design": design})

    assert told("Matched set") == "Schools were randomised within matched sets."
    assert told("district") == "Schools were randomised within matched sets (district)."
    assert told("pair of schools") == "Schools were randomised within pairs of schools."


def test_blocks_have_one_name_on_every_page() -> None:
    def named(kind: str, label: str) -> tuple[str, str]:
        design = {"kind": kind, "block_label": label}
        return block_word(design), block_words(design)

    assert named("paired", "pair of schools") == ("pair of schools", "pairs of schools")
    assert named("paired", "block") == ("matched set", "matched sets")
    assert named("blocked", "District") == ("district", "districts")
    assert named("blocked", "block") == ("block", "blocks")
    assert named("blocked", "class in a school") == ("class in a school", "classes in a school")
    assert named("blocked", "Local authority") == ("local authority", "local authorities")


@pytest.mark.parametrize(
    "label",
    ["district and level", "district, level", "region × size", "region by size", "sex-by-grade"],
)
def test_blocks_of_several_columns_are_combinations_of_them(label: str) -> None:
    design = {"kind": "blocked", "block_label": label}
    assert block_words(design) == f"combinations of {label}"
    assert block_words({"kind": "paired", "block_label": label}) == f"matched sets ({label})"


def test_what_a_protocol_does_not_state_is_said_to_be_so() -> None:
    assert stated("") == "Not stated."
    assert stated("A foundation") == "A foundation."
