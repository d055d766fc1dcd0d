"""A pupil's baseline is his own score, in whatever class or school he was when he got it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.standard_study import build, model, outcome, reasons, roster, scores

LOT = pd.DataFrame({"teacher": ["t1", "t2"], "arm": ["control", "programme"]})
"""t9 teaches in the schools too, but was not in the lottery."""
ROSTER = [
    ("a", 2019, "S1", "t1", 3), ("b", 2019, "S1", "t1", 3), ("c", 2019, "S1", "t2", 3),
    ("d", 2019, "S1", "t9", 3), ("e", 2019, "S2", "t9", 4), ("f", 2019, "S2", "t9", 4),
    *((who, 2020, "S1", "t1" if who in "ace" else "t2", 4) for who in "abcdefg"),
]  # fmt: skip
THEN = {"a": 10.0, "b": 30.0, "c": 40.0, "d": 60.0, "e": 5.0, "f": 9.0}
SPREAD = np.sqrt(200)
"""SD of the control class of 2019: 10 and 30."""


def lottery(**keys: Any) -> Any:
    """Return the study of the lottery with outcomes of 2019 as baselines."""
    tables = {
        "assignment": LOT,
        "pupils": roster(ROSTER, "teacher", "grade"),
        "scores": scores([(who, 2019, value) for who, value in THEN.items()]),
        **keys.pop("tables", {}),
    }
    declared = {"maths": outcome(standardise="control", baseline_year=2019)}
    return build(tables, **{"unit": "teacher", "outcomes": declared} | keys)


def later(sample: Any, column: str) -> dict[str, float]:
    """Return pupil → a column of 2020."""
    rows = sample.pupils[sample.pupils["year"] == 2020].set_index("pupil")[column]
    return {str(name): float(value) for name, value in rows.items()}


def test_a_pupil_from_the_class_of_a_teacher_outside_the_lottery_keeps_his_score() -> None:
    sample = lottery()
    missing = later(sample, "maths_before_missing")
    assert missing == {**dict.fromkeys("abcdef", 0.0), "g": 1.0}
    found = later(sample, "maths_before")
    expected = {who: (THEN[who] - 20) / SPREAD for who in "abcd"}
    assert {who: found[who] for who in "abcd"} == pytest.approx(expected, rel=1e-12)
    assert found["g"] == 0
    assert reasons(sample)["teacher is not in the allocation list"] == 3
    assert set(sample.pupils.loc[sample.pupils["year"] == 2019, "pupil"]) == {"a", "b", "c"}


def test_a_grade_without_a_control_class_is_measured_by_all_of_that_grade() -> None:
    found = later(lottery(), "maths_before")
    assert (found["e"], found["f"]) == pytest.approx((-1 / np.sqrt(2), 1 / np.sqrt(2)))


def test_the_schools_mean_is_over_all_its_pupils_of_the_baseline_year() -> None:
    found = later(lottery(), "maths_before_school")
    expected = np.mean([(THEN[who] - 20) / SPREAD for who in "abcd"])
    assert found == pytest.approx(dict.fromkeys("abcdefg", expected), rel=1e-12)


def test_teachers_outside_the_lottery_count_in_the_mean_of_their_school() -> None:
    teachers = roster(
        [(who, year, "S1") for who in ("t1", "t2", "t9") for year in (2019, 2020)], unit="teacher"
    )
    seen = pd.DataFrame(
        {"teacher": ["t1", "t2", "t9"], "year": 2019, "outcome": "practice", "value": [1.0, 2, 6]}
    )
    sample = lottery(
        tables={"teachers": teachers, "observations": seen},
        outcomes={"practice": outcome(measured_on="teacher", baseline_year=2019)},
    )
    rows = sample.teachers[sample.teachers["year"] == 2020]
    assert rows["teacher"].tolist() == ["t1", "t2"]
    assert rows["practice_before"].tolist() == [1, 2]
    assert rows["practice_before_school"].tolist() == [3, 3]


def test_a_pupil_from_a_school_that_was_not_assigned_keeps_his_score() -> None:
    pupils = roster(
        [("a", 2019, "S1"), ("b", 2019, "S1"), ("c", 2019, "S2"), ("d", 2019, "S5"),
         ("a", 2020, "S1"), ("c", 2020, "S2"), ("d", 2020, "S2"), ("x", 2020, "S2")],
    )  # fmt: skip
    tested = scores([("a", 2019, 10), ("b", 2019, 30), ("c", 2019, 40), ("d", 2019, 60)])
    sample = build(
        {"pupils": pupils, "scores": tested},
        outcomes={"maths": outcome(standardise="control", baseline_year=2019)},
    )
    assert later(sample, "maths_before") == pytest.approx(
        {"a": -10 / SPREAD, "c": 20 / SPREAD, "d": 40 / SPREAD, "x": 0}
    )
    assert later(sample, "maths_before_school") == pytest.approx(
        {"a": 0, "c": 20 / SPREAD, "d": 20 / SPREAD, "x": 20 / SPREAD}
    )
    assert reasons(sample, "score") == {"score of a pupil not in the sample in that year": 1}


def test_a_pupil_from_a_school_that_closed_keeps_his_score() -> None:
    changes = pd.DataFrame(
        [("S3", 2019, None, "closed")], columns=["from_school", "from_year", "to_school", "change"]
    )
    pupils = roster([("a", 2019, "S3"), ("b", 2019, "S1"), ("a", 2020, "S1"), ("b", 2020, "S1")])
    sample = build(
        {"pupils": pupils, "scores": scores([("a", 2019, 7), ("b", 2019, 3)]),
         "crosswalk": changes},
        outcomes={"maths": outcome(baseline_year=2019)},
    )  # fmt: skip
    assert later(sample, "maths_before") == {"a": 7, "b": 3}
    assert later(sample, "maths_before_school") == {"a": 3, "b": 3}


def test_grades_that_are_kept_tell_who_is_analysed_and_not_whose_score_counts_before() -> None:
    sample = lottery(keep={"grade": [4]})
    assert set(sample.pupils["year"]) == {2020}
    assert sum(later(sample, "maths_before_missing").values()) == 1


def test_a_grade_that_is_not_to_be_trusted_gives_no_standard_score() -> None:
    rows = [(who, 2018, "S1", "t1", 5 if who == "a" else 2) for who in "abcd"]
    table = roster([*rows, *ROSTER], "teacher", "grade")
    for rule in ("missing", "drop"):
        sample = lottery(tables={"pupils": table}, cleaning={"grade_out_of_step": rule})
        assert later(sample, "maths_before_missing")["a"] == 1
    kept = lottery(tables={"pupils": table})
    assert later(kept, "maths_before_missing")["a"] == 0


def test_a_grade_outside_the_sample_needs_no_norm() -> None:
    norms = [{"grade": 3, "year": None, "mean": 20, "sd": 10}]
    declared = {"maths": outcome(standardise="norms", norms=norms, baseline_year=2019)}
    sample = lottery(outcomes=declared)
    assert later(sample, "maths_before") == {
        "a": -1, "b": 1, "c": 2, "d": 4, "e": 0, "f": 0, "g": 0,
    }  # fmt: skip
    assert later(sample, "maths_before_missing")["e"] == 1


def test_ratios_of_a_pupil_outside_the_lottery_are_his_baseline_too() -> None:
    table = roster(ROSTER, "teacher", "grade").assign(present=9, enrolled=10)
    ratio = {"numerator": "present", "denominator": "enrolled", "times": 100}
    declared = {"attendance": outcome(ratio=ratio, baseline_year=2019)}
    found = later(lottery(tables={"pupils": table}, outcomes=declared), "attendance_before")
    assert found == {**dict.fromkeys("abcdef", 90.0), "g": 0.0}


@given(
    rows=st.dictionaries(
        st.tuples(st.integers(1, 12), st.sampled_from([2019, 2020])),
        st.tuples(st.sampled_from(["S1", "S2", "S3", "S4", "S5"]), st.integers(3, 4)),
        max_size=24,
    ),
    tested=st.dictionaries(st.integers(1, 12), st.integers(0, 9), max_size=12),
    scale=st.sampled_from(["none", "all", "control"]),
)
@settings(deadline=None, derandomize=True)
def test_in_assigned_schools_the_baseline_is_the_outcome_of_that_year_to_the_last_digit(
    rows: dict[Any, Any], tested: dict[int, int], scale: str
) -> None:
    first = [("p0", 2019, "S1", 3)]
    pupils = roster([*first, *((f"p{who}", y, *at) for (who, y), at in rows.items())], "grade")
    sample = build(
        {
            "pupils": pupils,
            "scores": scores([(f"p{who}", 2019, value) for who, value in tested.items()]),
        },
        outcomes={"maths": outcome(standardise=scale, baseline_year=2019)},
    ).pupils
    then = sample[sample["year"] == 2019].set_index("pupil")["maths"].dropna()
    met = sample[sample["pupil"].isin(then.index)]
    assert met["maths_before"].tolist() == then[met["pupil"]].tolist()
    assert (met["maths_before_missing"] == 0).all()
    if scale != "control":
        means = sample[sample["year"] == 2019].groupby("school")["maths"].mean()
        expected = sample["school"].map(means).astype("float64")
        pd.testing.assert_series_equal(
            sample["maths_before_school"], expected, check_names=False, rtol=0, atol=0
        )


def test_an_analysis_has_those_whose_class_was_outside_the_lottery_with_their_score() -> None:
    tested = [(who, year, value) for who, value in THEN.items() for year in (2019, 2020)]
    itt = model(outcomes=["maths"], covariates=["baseline"], where={"year": [2020]})
    sample = lottery(tables={"scores": scores(tested)}, models={"itt": itt})
    told = sample.flow[sample.flow["step"] == "analysed: itt, maths"]
    assert told.groupby("reason")["remained"].sum().min() == 6
