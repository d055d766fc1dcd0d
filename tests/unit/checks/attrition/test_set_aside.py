"""Whom the filter of the sample left out is lost, unless a characteristic put him outside."""

from __future__ import annotations

from typing import Any

import pandas as pd

from schooltrial.checks.attrition.rates import attrition
from schooltrial.checks.attrition.set_aside import SetAside, find_set_aside
from schooltrial.data.rows.filters import matches
from schooltrial.data.tables.parquet import FrameByYear
from support.standard_study import outcome

NAN = float("nan")
ARMS: Any = [{"name": name, "label": name} for name in ("control", "programme")]
YEARS: Any = {
    "label": "year", "baseline": [], "programme": [2020], "follow_up": [],
    "reference": None, "lasts": None,
}  # fmt: skip
LISTED = pd.DataFrame({"school": list("ABCD"), "arm": ["control", "programme"] * 2})
ROSTER = pd.DataFrame(
    [
        {"pupil": f"{s}{at}", "school": s, "year": 2020, "girl": float(at < 2),
         "days": 20 if (s, at) in {("A", 0), ("B", 0), ("B", 2)} else 150,
         "pretest": NAN if s == "D" else 50.0}
        for s in "ABCD" for at in range(4)
    ]
)  # fmt: skip


def _found(keep: dict[str, Any], unit: str = "school", listed: pd.DataFrame = LISTED) -> SetAside:
    return find_set_aside(
        FrameByYear(ROSTER), listed, LISTED[["school"]], person="pupil", unit=unit, keep=keep,
        variables={}, control="control", since=("days",),
    )  # fmt: skip


def _lost(keep: dict[str, Any]) -> list[int]:
    arm = ROSTER["school"].map(LISTED.set_index("school")["arm"])
    whole = ROSTER.assign(arm=arm, maths=1.0, cluster=ROSTER["school"])
    sample = whole[matches(whole, keep)].reset_index(drop=True)
    table = attrition(
        LISTED, _found(keep).added_to(sample), outcomes={"maths": outcome()}, arms=ARMS,
        years=YEARS, baseline=2020,
    )  # fmt: skip
    row = table[(table["kind"] == "lost") & (table["level"] == "pupils")].iloc[0]
    return [int(row[name]) for name in ("n_control", "count_control", "n_treated", "count_treated")]


def test_who_was_left_out_by_sex_is_outside() -> None:
    assert _lost({"girl": [1]}) == [4, 0, 4, 0]


def test_who_was_left_out_for_what_happened_since_is_lost() -> None:
    assert _lost({"days": {"at_least": 90}}) == [8, 1, 8, 2]
    assert _lost({"girl": [1], "days": {"at_least": 90}}) == [4, 1, 4, 1]


def test_who_was_left_out_because_a_value_was_missing_is_lost() -> None:
    assert _lost({"pretest": {"is_missing": False}}) == [8, 0, 8, 4]
    assert _lost({"pretest": {"at_least": 0}}) == [8, 0, 8, 4]


def test_pupils_of_a_list_who_are_outside_by_their_roster_are_named() -> None:
    people = ROSTER[["pupil"]].assign(arm="control")
    found = _found({"girl": [1]}, "pupil", people)
    assert found.outside == set(ROSTER.loc[ROSTER["girl"] == 0, "pupil"])
    assert found.rows.empty
    assert _found({}).outside == frozenset()


def test_an_entry_of_variables_that_rows_do_not_have_is_passed_over() -> None:
    assert _found({"rating": ["high"]}).rows.empty
