"""Observations of a teacher are averaged over raters, then over occasions."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from support.standard_study import build, model, outcome, reasons, roster

TEACHERS = roster(
    [("t1", 2019, "S1"), ("t2", 2019, "S2"), ("t1", 2020, "S1"), ("t2", 2020, "S2"),
     ("t3", 2020, "S5")], unit="teacher",
)  # fmt: skip
SEEN = [
    ("t1", 2020, "practice", "autumn", "a", 1.0),
    ("t1", 2020, "practice", "autumn", "b", 3.0),
    ("t1", 2020, "practice", "spring", "a", 8.0),
    ("t1", 2020, "exam", "spring", "a", 50.0),
    ("t1", 2019, "practice", "spring", "a", 4.0),
    ("t2", 2020, "practice", "spring", "c", None),
    ("t3", 2020, "practice", "spring", "a", 9.0),
]


def cleaned(observations: pd.DataFrame, **keys: Any) -> Any:
    declared = {"practice": outcome(measured_on="teacher"), "exam": outcome(measured_on="teacher")}
    tables = {"teachers": TEACHERS, "observations": observations}
    return build(tables, **{"outcomes": declared} | keys)


def observations() -> pd.DataFrame:
    columns = ["teacher", "year", "outcome", "occasion", "rater", "value"]
    return pd.DataFrame(SEEN, columns=columns)


def test_two_raters_of_one_occasion_weigh_as_much_as_one() -> None:
    sample = cleaned(observations())
    rows = sample.teachers.set_index(["teacher", "year"])
    assert rows.loc[("t1", 2020), "practice"] == ((1 + 3) / 2 + 8) / 2
    assert rows.loc[("t1", 2020), "exam"] == 50
    assert rows.loc[("t1", 2020), ["n_occasions", "n_raters"]].tolist() == [2, 2]
    assert rows["practice"].isna().tolist() == [False, True, False, True]
    assert rows["n_occasions"].tolist() == [1, 0, 2, 0]
    assert rows["arm"].tolist() == ["control", "programme"] * 2
    assert reasons(sample, "teacher") == {"school is not in the allocation list": 1}
    assert sum(reasons(sample, "observation").values()) == 1


def test_a_study_without_occasions_and_raters_has_one_of_each() -> None:
    plain = observations().drop(columns=["occasion", "rater"])
    rows = cleaned(plain).teachers.set_index(["teacher", "year"])
    assert rows.loc[("t1", 2020), "practice"] == pytest.approx((1 + 3 + 8) / 3)
    assert rows.loc[("t1", 2020), ["n_occasions", "n_raters"]].tolist() == [1, 1]


def test_teachers_have_baselines_and_analyses_of_their_own() -> None:
    declared = {"practice": outcome(measured_on="teacher", baseline_year=2019)}
    itt = model(outcomes=["practice"], covariates=["baseline"], where={"year": [2020]})
    sample = cleaned(observations(), outcomes=declared, models={"itt": itt})
    later = sample.teachers[sample.teachers["year"] == 2020]
    assert later["practice_before"].tolist() == [4, 0]
    assert later["practice_before_missing"].tolist() == [0, 1]
    assert later["practice_before_school"].fillna(-1).tolist() == [4, -1]
    told = sample.flow[sample.flow["step"] == "analysed: itt, practice"]
    assert set(told["level"]) == {"teacher"}
    assert told.groupby("reason")["remained"].sum().to_dict() == {
        "practice was not observed": 1,
        "a covariate was not observed": 1,
    }
