"""Claims about what is shown of the data before any group is compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.data_quality.codebook import (
    arms_of_rows,
    build_codebook,
    means_by_arm_and_year,
)
from schooltrial.checks.data_quality.missingness import count_missing
from schooltrial.checks.data_quality.oddities import distributions, heaping
from schooltrial.checks.data_quality.outliers import outcome_rows, school_outliers


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(4)
    pupils = pd.DataFrame(
        {
            "pupil": [f"p{at}" for at in range(40)] * 2,
            "year": pd.array([2019] * 40 + [2020] * 40, dtype="Int64"),
            "school": [f"S{at % 5}" for at in range(40)] * 2,
            "sex": pd.Categorical(rng.choice(["girl", "boy"], 80), categories=["girl", "boy"]),
            "age": np.where(rng.random(80) < 0.2, np.nan, rng.normal(10, 1, 80)),
        }
    )
    scores = pupils[["pupil", "year"]].assign(outcome="maths", value=rng.normal(50, 10, 80))
    assignment = pd.DataFrame({"school": ["S0", "S1", "S2", "S3"], "arm": list("CTCT")})
    return {"assignment": assignment, "pupils": pupils, "scores": scores}


def test_a_row_has_the_arm_of_its_school_or_none(tables: dict[str, pd.DataFrame]) -> None:
    arms = arms_of_rows(tables, "school")
    assert arms["pupils"].isna().sum() == (tables["pupils"]["school"] == "S4").sum()
    joined = tables["scores"].merge(tables["pupils"], on=["pupil", "year"])
    expected = joined["school"].map({"S0": "C", "S1": "T", "S2": "C", "S3": "T"})
    assert arms["scores"].fillna("none").tolist() == expected.fillna("none").tolist()


def test_a_pupil_has_the_arm_of_the_teacher_where_teachers_were_assigned(
    tables: dict[str, pd.DataFrame],
) -> None:
    tables["pupils"]["teacher"] = ["t1", "t2"] * 40
    tables["assignment"] = pd.DataFrame({"teacher": ["t1", "t2"], "arm": ["T", "C"]})
    arms = arms_of_rows(tables, "teacher")
    assert arms["scores"].tolist() == ["T", "C"] * 40


def test_means_by_arm_and_year_add_up_to_the_mean_of_all(tables: dict[str, pd.DataFrame]) -> None:
    means = means_by_arm_and_year(tables, arms_of_rows(tables, "school"))
    for name, values in (("age", tables["pupils"]["age"]), ("maths", tables["scores"]["value"])):
        rows = means[means["variable"] == name]
        known = rows["rows"] - rows["missing"]
        assert rows["rows"].sum() == len(values)
        assert rows["missing"].sum() == values.isna().sum()
        assert (rows["mean"] * known).sum() / known.sum() == pytest.approx(values.mean())


def test_the_shares_of_a_category_add_up_to_one(tables: dict[str, pd.DataFrame]) -> None:
    means = means_by_arm_and_year(tables, arms_of_rows(tables, "school"))
    shares = means[means["variable"].str.startswith("sex=")].groupby(["year", "arm"])["mean"].sum()
    assert shares.to_numpy() == pytest.approx(1)


def test_the_codebook_lists_no_identifier(tables: dict[str, pd.DataFrame]) -> None:
    book = build_codebook(tables, {}, {})
    assert (book.loc[book["variable"].isin(["pupil", "school"]), "values"] == "").all()
    assert book.loc[book["variable"] == "sex", "values"].item() == "boy; girl"


def test_missing_cells_of_a_category_are_counted(
    tables: dict[str, pd.DataFrame],
) -> None:
    tables["pupils"].loc[:7, "sex"] = np.nan
    found = count_missing(tables, 0.2)
    sex = found[(found["variable"] == "sex") & (found["year"] == 2019)]
    assert (sex["rows"].item(), sex["missing"].item(), sex["verdict"].item()) == (40, 8, "high")


def test_a_histogram_holds_every_score_once(tables: dict[str, pd.DataFrame]) -> None:
    bins = distributions(tables["scores"])
    assert bins.groupby("year")["n"].sum().tolist() == [40, 40]
    assert bins.groupby("year")["share"].sum().to_numpy() == pytest.approx(1)


def test_the_bins_of_a_rubric_are_its_marks() -> None:
    scores = pd.DataFrame({"outcome": "practice", "year": 2020, "value": [1, 2, 2, 4]})
    bins = distributions(scores)
    assert bins["n"].tolist() == [1, 2, 0, 1]
    assert bins["bin_low"].tolist() == bins["bin_high"].tolist() == [1, 2, 3, 4]


def test_a_yes_or_no_is_two_values_and_no_bin_reaches_beyond_them() -> None:
    scores = pd.DataFrame({"outcome": "passed", "year": 2020, "value": [0.0, 1.0, 1.0]})
    bins = distributions(scores)
    assert bins["bin_low"].tolist() == bins["bin_high"].tolist() == [0, 1]
    assert bins["n"].tolist() == [1, 2]


def test_a_default_score_is_a_heap_and_a_mark_of_a_rubric_is_not() -> None:
    values = [100.0] * 20 + list(range(80))
    heap = heaping(pd.DataFrame({"outcome": "maths", "year": 2020, "value": values}), 0.1)
    assert (heap["value"].iloc[0], heap["verdict"].iloc[0]) == (100, "heap")
    assert (heap["verdict"].iloc[1:] == "").all()
    rubric = pd.DataFrame({"outcome": "practice", "year": 2020, "value": [1, 2, 3, 4] * 25})
    assert (heaping(rubric, 0.1)["verdict"] == "").all()


def test_the_school_that_was_moved_far_is_the_outlier() -> None:
    rng = np.random.default_rng(2)
    scores = pd.DataFrame(
        {
            "outcome": "maths",
            "year": 2020,
            "school": np.repeat([f"S{n:02d}" for n in range(30)], 20),
            "value": rng.normal(50, 5, 600),
        }
    )
    assert (school_outliers(scores, 3)["verdict"] == "").all()
    scores.loc[scores["school"] == "S07", "value"] += 20
    found = school_outliers(scores, 3)
    assert found.loc[found["verdict"] == "outlier", "school"].tolist() == ["S07"]


def test_scores_of_nobody_have_no_school_and_are_no_school_mean(
    tables: dict[str, pd.DataFrame],
) -> None:
    tables["scores"].loc[0, "pupil"] = "stranger"
    rows = outcome_rows(tables)
    assert len(rows) == 80
    assert rows["school"].isna().sum() == 1
    assert school_outliers(rows, 3)["n"].sum() == 79


def test_gaps_that_are_empty_by_design_are_not_called_high() -> None:
    gone = dict.fromkeys(["rate", "rate_low", "cohort"], [None] * 9 + [1.0])
    frame = pd.DataFrame({"school": list("abcdefghij"), "year": 2020, **gone})
    found = count_missing({"school_scores": frame}, 0.2).set_index("variable")["verdict"]
    assert found.to_dict() == {"rate": "high", "rate_low": "", "cohort": ""}


def test_dates_and_texts_that_are_missing_are_counted() -> None:
    frame = pd.DataFrame({
        "pupil": ["a", "b"], "year": 2020, "school": ["S1", None],
        "born": pd.to_datetime(["2012-01-01", None]),
    })  # fmt: skip
    found = count_missing({"pupils": frame}, 0.2).set_index("variable")["missing"]
    assert found.to_dict() == {"school": 1, "born": 1}


def test_pupils_of_a_tested_grade_without_a_row_count_as_missing() -> None:
    pupils = pd.DataFrame({"pupil": list("abcd"), "year": 2020, "grade": [3, 3, 3, 2]})
    scores = pd.DataFrame({"pupil": ["a", "b"], "year": 2020, "outcome": "maths"})
    tables = {"pupils": pupils, "scores": scores.assign(value=[5.0, np.nan])}
    (row,) = count_missing(tables, 0.2).query("table == 'scores'").to_dict("records")
    assert (row["rows"], row["missing"], row["no_row"]) == (3, 2, 1)


def test_costs_have_no_mean_by_arm(tables: dict[str, pd.DataFrame]) -> None:
    costs = pd.DataFrame({"ingredient": ["books"], "quantity": [3.0], "unit_cost": [9.5]})
    every = {**tables, "costs": costs}
    means = means_by_arm_and_year(every, arms_of_rows(every, "school"))
    assert "costs" not in set(means["table"])
