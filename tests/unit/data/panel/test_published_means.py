"""Means made from pupils are held against those that were published."""

from __future__ import annotations

import pandas as pd

from schooltrial.data.panel.published_means import AGGREGATES
from support.standard_study import build, outcome, roster, scores

PUPILS = roster([(f"p{at}", 2020, f"S{1 + at // 2}") for at in range(12)])
SCORES = scores([(f"p{at}", 2020, float(at)) for at in range(10)])


def published(*rows: tuple[str, float | None], year: int = 2020) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=["school", "value"])
    return frame.assign(year=year, outcome="maths").astype({"value": "float64"})


def checked(table: pd.DataFrame, **keys: object) -> pd.DataFrame:
    tables = {"pupils": PUPILS, "scores": SCORES, "published_means": table}
    declared = {"maths": outcome(standardise="all")}
    found = build(tables, outcomes=declared, cleaning={"mean_tolerance": 0.25}, **keys).aggregates
    assert list(found) == AGGREGATES
    return found


def test_a_difference_up_to_the_tolerance_agrees() -> None:
    found = checked(published(("S1", 0.75), ("S2", 2.5), ("S3", 4.0)))
    assert found["verdict"].tolist() == ["agrees", "agrees", "differs"]
    assert found["difference"].tolist() == [-0.25, 0.0, 0.5]
    assert found["n_pupils"].tolist() == [2, 2, 2]


def test_schools_out_of_the_trial_are_compared_too_and_absent_values_are_told() -> None:
    found = checked(published(("S5", 8.5), ("S6", 3.0), ("S4", None), ("S9", 1.0)))
    verdicts = dict(zip(found["school"], found["verdict"], strict=True))
    assert verdicts == {
        "S4": "not published",
        "S5": "agrees",
        "S6": "no pupil has a score",
        "S9": "no pupil has a score",
    }


def test_published_means_of_a_school_under_its_old_id_are_found() -> None:
    changes = pd.DataFrame(
        [("S9", 2020, "S1", "renamed")], columns=["from_school", "from_year", "to_school", "change"]
    )
    tables = {
        "pupils": PUPILS, "scores": SCORES, "crosswalk": changes,
        "published_means": published(("S9", 0.5)),
    }  # fmt: skip
    (row,) = build(tables).aggregates.itertuples()
    assert (row.school, row.verdict) == ("S1", "agrees")


def test_without_published_means_the_table_is_empty_with_its_columns() -> None:
    assert checked(published()).empty
