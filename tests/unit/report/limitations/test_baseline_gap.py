"""A gap before the programme has its direction, and the estimate that leaves it out."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from schooltrial.report.limitations.baseline_gap import (
    BaselineGap,
    gap_sentences,
    without_covariates,
)
from unit.report.pages.test_leader_summary import SCORES

GAP = BaselineGap(
    model="itt", outcome="maths", label="Maths", measure="Maths before",
    group="pupils in programme schools", comparison="pupils in control schools", size=-0.179,
    adjusted=True, scored=True,
)  # fmt: skip
ROW = {
    "outcome": "maths", "model": "itt", "arm": "a", "approach": "complete cases",
    "estimate": 0.09, "conf_low": -0.02, "conf_high": 0.2, "n_individuals": 100,
}  # fmt: skip


def test_two_gaps_of_the_same_groups_are_one_sentence_that_says_which_is_adjusted_for() -> None:
    arts = replace(GAP, label="Arts", measure="Arts before", size=0.2, adjusted=False)
    assert gap_sentences([GAP, arts], 0.05, 0.25) == [
        "Before the programme, pupils in programme schools scored 0.18 SD lower in Maths before "
        "and 0.20 SD higher in Arts before than pupils in control schools (up to 0.05 SD counts "
        "as alike). The primary analysis takes account of these differences, but not for Arts."
    ]


def test_gaps_of_several_groups_are_one_text_and_one_too_large_to_adjust_for_is_named() -> None:
    schools = replace(
        GAP, group="programme schools", comparison="control schools", measure="Maths of the school",
        size=0.5, scored=False,
    )  # fmt: skip
    assert gap_sentences([GAP, schools], 0.05, 0.25) == [
        "Before the programme, pupils in programme schools scored 0.18 SD lower in Maths before "
        "than pupils in control schools; programme schools were 0.50 SD higher in Maths of the "
        "school than control schools (up to 0.05 SD counts as alike). The primary analysis takes "
        "account of these differences. The WWC accepts an adjustment up to 0.25 SD; the difference "
        "in Maths of the school is larger."
    ]
    assert gap_sentences([], 0.05, 0.25) == []


def test_an_estimate_without_covariates_is_told_where_it_is_of_the_same_people() -> None:
    adjusted = {**ROW, "approach": "complete cases, adjusted"}
    found = without_covariates(SCORES, pd.DataFrame([ROW, adjusted]))
    assert found is not None
    assert found.size == "+0.09 (−0.02 to 0.20)"
    others = pd.DataFrame([{**ROW, "n_individuals": 90}, adjusted])
    assert without_covariates(SCORES, others) is None


def test_an_estimate_that_stands_among_the_other_analyses_is_not_told_twice() -> None:
    clear = replace(SCORES, low=0.02, high=0.2)
    assert without_covariates(clear, pd.DataFrame([ROW])) is None
