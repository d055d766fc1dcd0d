"""Claims about schools as rows of a cross-section."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from schooltrial.data.panel.school_sample import (
    add_school_baselines,
    build_school_sample,
)
from schooltrial.data.rows.school_rows import rows_of_outcome
from schooltrial.protocol.content.sections import Outcome
from support.sections import planned_outcome

OUTCOMES: dict[str, Outcome] = {
    "maths": planned_outcome(measured_on="school", baseline_year=2019),
    "ela": planned_outcome(measured_on="school"),
}
COLUMNS = ["school", "arm", "treated", "year", "outcome", "mean", "n_pupils", "size"]


def cells(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Return cells: school, treated, year, outcome, mean, pupils."""
    made = [
        (school, ["control", "programme"][treated], float(treated), year, outcome, mean, n, 300)
        for school, treated, year, outcome, mean, n in rows
    ]
    return pd.DataFrame(made, columns=COLUMNS)


PUBLISHED = cells(
    ("S1", 0, 2019, "maths", 40.0, 30), ("S1", 0, 2020, "maths", 41.0, 31),
    ("S1", 0, 2020, "ela", 50.0, 29), ("S2", 1, 2020, "maths", 45.0, np.nan),
)  # fmt: skip
BOUNDED = cells(("S3", 1, 2020, "maths", np.nan, 8)).assign(mean_low=0.0, mean_high=10.0)


def build(bounded: pd.DataFrame = BOUNDED) -> pd.DataFrame:
    """Return the sample, with school and year as its rows."""
    cells, bounds = (
        add_school_baselines(part, PUBLISHED, OUTCOMES) for part in (PUBLISHED, bounded)
    )
    made = build_school_sample(cells, bounds, OUTCOMES, first_year=2020)
    return made.set_index(["school", "year"])


def test_a_school_has_one_row_a_year_with_all_its_outcomes_and_attributes() -> None:
    sample = build()
    assert sample.index.tolist() == [("S1", 2019), ("S1", 2020), ("S2", 2020), ("S3", 2020)]
    row = sample.loc[("S1", 2020)]
    assert (row["maths"], row["ela"], row["size"], row["cluster"]) == (41.0, 50.0, 300, "S1")
    assert (row["maths_n_pupils"], row["ela_n_pupils"]) == (31, 29)
    assert np.isnan(sample.loc[("S2", 2020), "ela"])


def test_the_baseline_is_of_the_outcome_and_0_with_an_indicator_where_there_is_none() -> None:
    sample = build()
    names = ["maths_before", "maths_before_missing"]
    assert sample.loc[("S1", 2020), names].tolist() == [40.0, 0.0]
    assert sample.loc[("S2", 2020), names].tolist() == [0.0, 1.0]
    assert "ela_before" not in sample


def test_a_bounded_value_is_where_the_model_puts_it() -> None:
    sample = build().reset_index()
    for rule, value in (("left_out", np.nan), ("midpoint", 5.0), ("against", 0.0),
                        ("in_favour", 10.0)):  # fmt: skip
        rows = rows_of_outcome(sample, "maths", rule).set_index("school")
        np.testing.assert_equal(rows.loc["S3", "maths"], value)
        assert rows.loc["S2", "maths"] == 45.0


def test_the_pupils_of_a_row_are_those_behind_the_outcome() -> None:
    sample = build(BOUNDED[:0]).reset_index()
    then = sample["year"] == 2020
    assert rows_of_outcome(sample[then], "ela", "left_out")["n_pupils"].tolist()[0] == 29
    assert rows_of_outcome(sample[then], "maths", "midpoint")["n_pupils"].tolist()[0] == 31


def test_a_study_without_values_of_schools_has_no_row() -> None:
    none = PUBLISHED[:0]
    assert build_school_sample(none, BOUNDED[:0], [], 2020).empty
