"""What the report shows of the checks holds what a reader needs to judge it."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd

from schooltrial.checks.attrition.rates import COLUMNS
from schooltrial.report.tables.checks import attrition_shown, who_left_shown

LABELS = {"maths": "Maths", "male": "Male", "sex": "Sex"}


def test_the_note_of_attrition_is_shown() -> None:
    row: dict[str, Any] = dict.fromkeys(COLUMNS, nan) | {
        "quantity": "lost", "outcome": "maths", "year": 2020, "level": "schools", "arm": "a",
        "verdict": "low", "note": "in no file: 1",
    }  # fmt: skip
    (shown,) = attrition_shown(pd.DataFrame([row]), [2020], LABELS).to_dict("records")
    assert shown["note"] == "in no file: 1"
    assert shown["outcome"] == "Maths"


def test_who_left_tells_each_term_by_its_name_with_estimate_and_p() -> None:
    terms = [("male", "", "treated:male"), ("sex", "girl", "treated:sex: girl"), ("", "", "both")]
    rows = [
        {"outcome": "maths", "year": 2020, "arm": "a", "variable": variable, "category": category,
         "term": term, "n_lost_control": 1200, "n_lost_arm": 7, "estimate": 0.04, "p_value": 0.0,
         "note": nan}
        for variable, category, term in terms
    ]  # fmt: skip
    shown = who_left_shown(pd.DataFrame(rows), LABELS)
    assert shown["term"].tolist() == ["arm × Male", "arm × Sex: girl", "both"]
    assert set(shown["estimate, points"]) == {"4.0"}
    assert set(shown["p"]) == {"<.001"}
    assert set(shown["lost"]) == {"7, control 1,200"}
    assert set(shown["note"]) == {""}
