"""What the report shows of the checks holds what a reader needs to judge it."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd

from schooltrial.checks.attrition.rates import COLUMNS
from schooltrial.report.tables.checks import (
    attrition_shown,
    movers_shown,
    who_left_sentence,
    who_left_shown,
)

LABELS = {"maths": "Maths", "male": "Male", "sex": "Sex"}
ARMS = {"control": "Control", "a": "A", "t": "T"}


def test_the_note_of_attrition_is_shown() -> None:
    row: dict[str, Any] = dict.fromkeys(COLUMNS, nan) | {
        "kind": "lost", "outcome": "maths", "year": 2020, "level": "schools", "arm": "a",
        "verdict": "low", "note": "no data received: 1",
    }  # fmt: skip
    (shown,) = attrition_shown(pd.DataFrame([row]), [2020], LABELS, {}, ARMS).cells.to_dict(
        "records"
    )
    assert shown["Note"] == "no data received: 1"
    assert shown["Outcome"] == "Maths"


def test_who_left_tells_each_term_by_its_name_with_estimate_and_p() -> None:
    terms = [("male", "", "treated:male"), ("sex", "girl", "treated:sex: girl"), ("", "", "both")]
    rows = [
        {"outcome": "maths", "year": 2020, "arm": "a", "variable": variable, "category": category,
         "term": term, "n_lost_control": 1200, "n_lost_treated": 7, "estimate": 0.04,
         "p_value": 0.0,
         "note": nan}
        for variable, category, term in terms
    ]  # fmt: skip
    shown = who_left_shown(pd.DataFrame(rows), LABELS, ARMS).cells
    assert shown["Term"].tolist() == ["intervention × Male", "intervention × Sex: girl", "both"]
    assert set(shown["Estimate (pp)"]) == {"4.0"}
    assert set(shown["p"]) == {"<0.001"}
    assert set(shown["Lost: intervention and control"]) == {"7 and 1,200"}
    assert set(shown["Note"]) == {""}


def test_a_row_of_attrition_tells_counts_shares_the_boundaries_and_the_verdict() -> None:
    row: dict[str, Any] = {
        "kind": "lost", "outcome": "maths", "year": 2020, "level": "pupils", "arm": "t",
        "n_control": 1200.0, "count_control": 60.0, "rate_control": 0.05, "n_treated": 1000.0,
        "count_treated": 125.0, "rate_treated": 0.125, "overall": 0.0841, "differential": -0.075,
        "boundary_cautious": 0.063, "boundary_optimistic": 0.109, "verdict_cautious": "high",
        "verdict_optimistic": "low", "bias_cautious": 0.06149, "bias_optimistic": 0.03,
        "verdict": "high", "note": nan,
    }  # fmt: skip
    before = {**row, "year": 2019}
    joined = {
        **dict.fromkeys(COLUMNS, nan), "kind": "joined late", "outcome": nan, "year": 2020,
        "level": "pupils", "arm": "t", "n_treated": 1000.0, "count_treated": 4.0,
        "rate_treated": 0.004,
    }  # fmt: skip
    both = pd.DataFrame([before, row, joined])
    (lost,) = attrition_shown(both, [2020], LABELS, {}, ARMS).cells.to_dict("records")
    assert lost == {
        "Quantity": "lost (outcome not measured)", "Outcome": "Maths", "Year": "2020",
        "Level": "pupils",
        "Group": "T",
        "Control": "60 of 1,200 (5.0%)", "Intervention": "125 of 1,000 (12.5%)",
        "Overall attrition (%)": "8.4",
        "Differential attrition (pp)": "−7.5",
        "WWC limit (pp)": "6.3 (cautious), 10.9 (optimistic)", "Verdict": "high",
        "Implied bias (SD)": "0.061",
    }  # fmt: skip
    moved = movers_shown(both, [2020], LABELS, ARMS)
    assert moved is not None
    (late,) = moved.cells.to_dict("records")
    assert late == {
        "Who": "joined later", "Year": "2020", "Level": "pupils", "Group": "T", "Control": "",
        "Intervention": "4 of 1,000 (0.4%)", "Difference (pp)": "",
    }  # fmt: skip
    assert movers_shown(pd.DataFrame([row]), [2020], LABELS, ARMS) is None
    teachers = {**joined, "level": "teachers", "kind": "promoted"}
    assert movers_shown(pd.DataFrame([teachers]), [2020], LABELS, ARMS) is None
    analysed = {**joined, "outcome": "maths", "kind": "joined, of those analysed"}
    named = movers_shown(pd.DataFrame([analysed]), [2020], LABELS, ARMS)
    assert named is not None
    assert named.cells["Who"].tolist() == ["analysed for Maths, not enrolled at the assignment"]


def test_people_in_units_that_stay_have_a_row_only_where_a_unit_left() -> None:
    everyone: dict[str, Any] = dict.fromkeys(COLUMNS, nan) | {
        "kind": "lost", "outcome": "maths", "year": 2020, "level": "pupils", "arm": "a",
        "n_control": 100.0, "count_control": 10.0, "n_treated": 90.0, "count_treated": 9.0,
    }  # fmt: skip
    stayed = {**everyone, "level": "pupils in schools that stay"}

    def levels(*rows: dict[str, Any]) -> list[str]:
        shown = attrition_shown(pd.DataFrame(rows), [2020], LABELS, {}, ARMS)
        return [str(level) for level in shown.cells["Level"]]

    assert levels(stayed, everyone) == ["pupils"]
    assert levels({**stayed, "count_treated": 4.0}, everyone) == [
        "pupils in retained schools",
        "pupils",
    ]


def test_joint_tests_of_who_left_are_told_beside_how_many_single_terms_have_a_small_p() -> None:
    def term(variable: object, words: str, p: float) -> dict[str, Any]:
        return {"outcome": "maths", "year": 2020, "arm": "a", "variable": variable,
                "term": words, "p_value": p}  # fmt: skip

    single = [term("male", f"treated:{at}", p) for at, p in enumerate((0.01, 0.5, *[0.3] * 18))]
    rows = pd.DataFrame([*single, term(nan, "all interactions = 0", 0.0001)])
    assert who_left_sentence(rows, LABELS, {"control": "Control", "a": "A"}) == (
        "Joint tests of whether leavers differ between groups: Maths, 2020: p < 0.001. Of 20 "
        "single terms, 1 has p below 0.05; about 1 would by chance alone."
    )
    assert who_left_sentence(rows[:-1], LABELS, ARMS) == ""


def test_an_outcome_that_several_models_analyse_is_told_with_the_model() -> None:
    rows = pd.DataFrame({
        "outcome": "maths", "model": ["itt", "girls"], "year": 2020, "arm": "t",
        "variable": [nan, nan], "term": "all interactions = 0", "p_value": [0.2, 0.3],
    })  # fmt: skip
    told = who_left_sentence(rows, {**LABELS, "girls": "Girls", "itt": "ITT"}, {"c": "C", "t": "T"})
    assert "Maths (ITT), 2020: p = 0.200; Maths (Girls), 2020: p = 0.300." in told
    assert "Of 0 single terms, none has p below 0.05; fewer than 1 would by chance alone." in told
