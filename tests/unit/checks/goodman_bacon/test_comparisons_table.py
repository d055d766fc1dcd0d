"""Claims about the table of comparisons that two-way effects average."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.goodman_bacon.comparisons_table import (
    COLUMNS,
    NOT_AVAILABLE,
    decompose_cells,
)
from schooltrial.checks.goodman_bacon.panel_models import decomposed_models


def _cells(lacking: int = 0) -> pd.DataFrame:
    schools = [f"{n:02d}" for n in range(12)]
    cohort = np.repeat([np.nan, 2014, 2016], 4)
    cells = pd.DataFrame(
        [(s, c, y) for s, c in zip(schools, cohort, strict=True) for y in range(2012, 2018)],
        columns=["school", "cohort", "year"],
    )
    rng = np.random.default_rng(1)
    cells = cells.assign(outcome="maths", mean=rng.normal(size=len(cells)))
    return cells.drop(index=cells.index[:lacking])


def test_every_comparison_has_a_row_and_the_weights_sum_to_one() -> None:
    found = decompose_cells(_cells(), "main")
    assert list(found.columns) == COLUMNS
    assert found[["model", "outcome"]].drop_duplicates().to_numpy().tolist() == [["main", "maths"]]
    assert sorted(found["kind"]) == [
        "already treated", "never treated", "never treated", "not yet treated"
    ]  # fmt: skip
    assert found["weight"].sum() == pytest.approx(1)
    assert (found["note"] == "").all()


def test_a_school_that_lacks_a_year_is_left_out_and_said_to_be() -> None:
    found = decompose_cells(_cells(lacking=1), "main")
    assert set(found["n_schools"]) == {11}
    assert set(found["note"]) == {"1 school not seen in every year is left out"}


def test_an_outcome_that_cannot_be_decomposed_has_a_row_that_says_why() -> None:
    (row,) = decompose_cells(_cells().query("cohort == 2014"), "main").to_dict("records")
    assert row["kind"] == NOT_AVAILABLE
    assert "no two cohorts of these differ in when they began" in row["note"]


def test_a_school_with_two_rows_in_a_year_is_named() -> None:
    cells = pd.concat([_cells(), _cells().head(1)])
    (row,) = decompose_cells(cells, "main").to_dict("records")
    assert row["note"].startswith("school 00 has two rows in 2012")


def test_difference_in_differences_and_primary_models_of_staggered_designs_are_decomposed() -> None:
    models: Any = {
        "main": {"estimator": "staggered_adoption", "role": "primary"},
        "against": {"estimator": "staggered_adoption", "role": "sensitivity"},
        "two_way": {"estimator": "difference_in_differences", "role": "sensitivity"},
        "pooled": {"estimator": "cluster_robust", "role": "primary"},
    }
    assert list(decomposed_models(models, "staggered")) == ["main", "two_way"]
    assert decomposed_models(models, "blocked") == {}
