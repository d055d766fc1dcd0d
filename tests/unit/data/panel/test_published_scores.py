"""Outcomes that are published by school come into the panel as they are analysed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.refusal import Refusal
from support.standard_study import ASSIGNMENT, build, model, outcome, reasons

PANEL = [
    "school", "block", "arm", "treated", "cohort", "year", "outcome", "mean", "n_pupils", "region",
]  # fmt: skip


def table(*rows: tuple[Any, ...], pupils: bool = True) -> pd.DataFrame:
    columns = ["school", "year", "value", *(["n_pupils"] if pupils else [])]
    return pd.DataFrame(list(rows), columns=columns).assign(outcome="rate")


def cleaned(scores: pd.DataFrame, **keys: Any) -> Any:
    plain: dict[str, Any] = {"outcomes": {"rate": outcome(measured_on="school")}}
    return build({"school_scores": scores, **keys.pop("tables", {})}, **plain | keys)


def test_a_staggered_panel_has_the_cohort_and_what_is_known_of_schools() -> None:
    lot = ASSIGNMENT.assign(cohort=[None, 2020, None, 2021])
    rows = [(school, 2020, 60.0 + at) for at, school in enumerate(["S1", "S2", "S3", "S4", "S5"])]
    sample = cleaned(table(*rows, pupils=False), kind="staggered", tables={"assignment": lot})
    assert list(sample.panel) == PANEL
    assert sample.panel["mean"].tolist() == [60, 61, 62, 63]
    assert sample.panel["treated"].tolist() == [0, 1, 0, 1]
    assert sample.panel["cohort"].fillna(0).tolist() == [0, 2020, 0, 2021]
    assert sample.panel["n_pupils"].isna().all()
    assert reasons(sample, "school score") == {"school is not in the allocation list": 1}


def test_suppressed_values_leave_with_the_reason_and_are_not_analysed() -> None:
    itt = model(outcomes=["rate"], estimator="difference_in_differences")
    scores = table(("S1", 2019, 50.0, 9), ("S1", 2020, np.nan, 4), ("S2", 2020, 70.0, 30))
    sample = cleaned(scores, models={"itt": itt})
    assert reasons(sample, "school score") == {"not published, or suppressed": 1}
    assert reasons(sample, "school") == {
        "no value of the school in the panel in that year": 5,
        "every value of the school was suppressed, or only a bound": 1,
    }
    told = sample.flow[sample.flow["step"] == "analysed: itt, rate"]
    remained = told.groupby("reason")["remained"].sum()
    assert set(remained) == {len(sample.panel)} == {2}


def test_schools_without_values_are_told_apart_where_they_closed_or_merged() -> None:
    changes = pd.DataFrame(
        [("S1", 2020, None, "closed"), ("S2", 2020, "S3", "merged")],
        columns=["from_school", "from_year", "to_school", "change"],
    )
    rows = [("S3", 2020, 60.0, 9), ("S4", 2020, 70.0, 9)]
    sample = cleaned(table(*rows), tables={"crosswalk": changes})
    assert reasons(sample, "school") == {
        "the school had closed": 1,
        "the school had merged with another school of the study": 2,
    }


def test_school_scores_are_standardised_within_the_year() -> None:
    rows = [
        (school, year, 10.0 * at + year) for year in (2019, 2020)
        for at, school in enumerate(["S1", "S2", "S3", "S4"])
    ]  # fmt: skip
    declared = {"rate": outcome(measured_on="school", standardise="all")}
    sample = cleaned(table(*rows, pupils=False), outcomes=declared)
    by_year = sample.panel.groupby("year")["mean"].agg(["mean", "std"])
    np.testing.assert_allclose(by_year, [[0, 1], [0, 1]], atol=1e-12)


def test_the_parts_of_a_split_school_are_averaged_by_their_pupils() -> None:
    changes = pd.DataFrame(
        [("S5", 2020, "S1", "split")], columns=["from_school", "from_year", "to_school", "change"]
    )
    scores = table(("S1", 2020, 40.0, 30), ("S5", 2020, 80.0, 10), ("S2", 2020, 7.0, 5))
    sample = cleaned(scores, tables={"crosswalk": changes})
    assert sample.panel[["school", "mean", "n_pupils"]].to_numpy().tolist() == [
        ["S1", 50, 40],
        ["S2", 7, 5],
    ]
    with pytest.raises(Refusal, match="several rows after the crosswalk"):
        cleaned(scores.drop(columns="n_pupils"), tables={"crosswalk": changes})
