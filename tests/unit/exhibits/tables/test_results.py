"""The results table as a reader sees it, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan
from typing import Any

import pandas as pd
import pytest

from schooltrial.document.tables import NotedTable, fragment
from schooltrial.exhibits.tables.plain_labels import PlainLabels
from schooltrial.exhibits.tables.results import results_table, selected, with_term_labels
from schooltrial.protocol.content.sections import Deviation, StudyLine
from support.html_cells import aligned_right, caption, notes, rows

STUDY: StudyLine = {"title": "A trial", "synthetic": False, "protocol": "0123456789abcdef"}
ONE_YEAR = {"estimator": "cluster_robust", "where": {"year": [2020]}}
MODELS: Any = {
    "itt": {"label": "Offer", "confidence_level": 0.95, **ONE_YEAR},
    "cace": {"label": "Take-up", "confidence_level": 0.95, **ONE_YEAR},
}
OUTCOMES: Any = {
    "maths": {"label": "Maths", "measured_on": "pupil", "units_label": "SD"},
    "ela": {"label": "English", "measured_on": "pupil", "units_label": "points"},
}
YEARS: Any = {"baseline": [2019], "programme": [2020], "follow_up": []}
LABELS = PlainLabels({"took_up": "Took it up", "girl": "Girls", "maths": "Maths"})


def _row(model: str, outcome: str, term: str, **keys: Any) -> dict[str, Any]:
    return {
        "model": model, "outcome": outcome, "term": term, "estimand": "ITT", "estimate": 0.12345,
        "std_error": 0.05, "conf_low": -0.01, "conf_high": 0.25, "statistic": 2.469, "df": 18.26,
        "p_value": 0.0234, "effect_size": 0.2, "n_individuals": 1234, "n_schools": 40,
        "method": "REML", "note": nan, "converged": True, **keys,
    }  # fmt: skip


ESTIMATES = pd.DataFrame(
    [
        _row("cace", "maths", "first stage of took_up", estimand="first stage", estimate=nan,
             std_error=nan, conf_low=nan, conf_high=nan, statistic=30.0, df=inf, p_value=0.0004,
             effect_size=nan),
        _row("itt", "ela", "treated", note="few schools", converged=False),
        _row("itt", "maths", "treated", estimate=-0.5),
        _row("itt", "maths", "intercept", estimand="coefficient"),
        _row("itt", "maths", "treated[girl=1]", estimand="effect by group",
             note="of girls; kept with an indicator of missing: maths_before 12"),
    ]
)  # fmt: skip


def _table(
    rows: pd.DataFrame, outcomes: Any = OUTCOMES, deviations: Sequence[Deviation] = ()
) -> NotedTable:
    return results_table(rows, MODELS, outcomes, YEARS, LABELS, deviations)


@pytest.fixture(scope="module")
def page() -> str:
    """Return the table of these estimates."""
    return fragment(_table(selected(ESTIMATES, MODELS, OUTCOMES)), STUDY)


def test_rows_are_those_of_effects_in_the_order_of_models_then_outcomes_then_the_estimates() -> (
    None
):
    rows = selected(ESTIMATES, MODELS, OUTCOMES)
    assert rows[["model", "outcome", "term"]].to_numpy().tolist() == [
        ["itt", "maths", "treated"],
        ["itt", "maths", "treated[girl=1]"],
        ["itt", "ela", "treated"],
        ["cace", "maths", "first stage of took_up"],
    ]
    assert list(rows.columns) == list(ESTIMATES.columns)


@pytest.mark.parametrize(
    "estimand",
    ["ITT", "ATT", "CACE", "Anderson-Rubin set", "take-up", "first stage", "effect by group",
     "joint test"],
)  # fmt: skip
def test_every_estimand_of_the_plan_is_selected(estimand: str) -> None:
    one = pd.DataFrame([_row("itt", "maths", "treated", estimand=estimand)])
    assert len(selected(one, MODELS, OUTCOMES)) == 1


def test_each_estimate_stands_with_its_error_interval_test_numbers_and_what_to_know_of_it(
    page: str,
) -> None:
    numbers = ["0.050", "−0.010 to 0.250", "2.47", "18.3", "0.023", "0.200", "1,234", "40"]
    assert rows(page) == [
        ["Offer"],
        ["Maths", "ITT", "SD", "−0.500", *numbers, "REML"],
        ["Maths", "effect by group: Girls 1", "SD", "0.123", *numbers,
         "REML; of girls; 12 pupils without Maths at baseline, kept with a missing indicator"],
        ["English", "ITT", "points", "0.123", *numbers,
         "REML; did not converge: no finding; few schools"],
        ["Take-up"],
        ["Maths", "first stage: Took it up", "", "", "", "", "30.00", "∞", "<0.001", "", "1,234",
         "40", "REML"],
    ]  # fmt: skip


def test_the_page_is_named_so_that_the_report_can_point_at_it(page: str) -> None:
    assert 'id="results"' in page


def test_columns_are_headed_and_numbers_stand_to_the_right(page: str) -> None:
    (heads,) = rows(page, "thead")
    assert caption(page) == "Results"
    assert heads == [
        "Outcome", "Estimand and term", "Unit", "Estimate", "SE", "95% CI", "Statistic", "df", "p",
        "Effect size", "Pupils", "Schools", "Method and notes",
    ]  # fmt: skip
    assert aligned_right(page) == heads[3:12]


def test_deviations_from_the_plan_stand_below_the_table_and_only_where_there_are_any(
    page: str,
) -> None:
    note, *others = notes(page)
    assert note.startswith("Statistic: t, or F for a joint test")
    assert others == ["A trial. Protocol 0123456789ab"]
    deviations: list[Deviation] = [
        {"date": "2021-05-01", "what": "no texts", "why": "no numbers"},
        {"date": "2021-06-01", "what": "one year more", "why": "schools closed"},
    ]
    chosen = selected(ESTIMATES, MODELS, OUTCOMES)
    told = notes(fragment(_table(chosen, deviations=deviations), STUDY))
    assert told[1] == (
        "Deviations from the plan. 2021-05-01: No texts. Why: No numbers. 2021-06-01: One year "
        "more. Why: Schools closed."
    )
    assert len(told) == 3


@pytest.mark.parametrize(
    ("level", "changed", "headings"),
    [
        ("pupil", {}, ["Pupils", "Schools"]),
        ("pupil", {"n_schools": 0}, ["Pupils"]),
        ("teacher", {}, ["Teachers", "Schools"]),
        ("school", {"n_individuals": nan}, ["Schools"]),
    ],
)
def test_numbers_are_headed_by_whom_they_count_and_left_out_where_there_are_none(
    level: str, changed: dict[str, float], headings: list[str]
) -> None:
    outcomes: Any = {name: {**one, "measured_on": level} for name, one in OUTCOMES.items()}
    page = fragment(_table(ESTIMATES.assign(**changed), outcomes), STUDY)
    (names,) = rows(page, "thead")
    assert names[names.index("Effect size") + 1 : -1] == headings


def test_pupils_and_teachers_in_one_table_are_people() -> None:
    outcomes: Any = {**OUTCOMES, "ela": {**OUTCOMES["ela"], "measured_on": "teacher"}}
    (names,) = rows(fragment(_table(ESTIMATES, outcomes), STUDY), "thead")
    assert "Individuals" in names


def test_an_effect_on_a_yes_no_outcome_is_in_percentage_points() -> None:
    passed: Any = {"maths": {**OUTCOMES["maths"], "scale": "binary"}}
    row = pd.DataFrame([_row("itt", "maths", "treated", estimate=0.113, conf_low=-0.02)])
    cells = _table(row, passed).table.cells
    assert cells[["Unit", "Estimate"]].to_numpy().tolist() == [["percentage points", "11.300"]]
    assert cells["95% CI"].iloc[0].startswith("−2.000 to ")


def test_the_data_keep_the_names_of_terms_and_have_their_labels_beside() -> None:
    told = with_term_labels(selected(ESTIMATES, MODELS, OUTCOMES), LABELS)
    assert list(told.columns[2:4]) == ["term", "term_label"]
    assert told[["term", "term_label"]].to_numpy().tolist() == [
        ["treated", "Intervention"], ["treated[girl=1]", "Girls 1"], ["treated", "Intervention"],
        ["first stage of took_up", "Took it up"],
    ]  # fmt: skip
    assert told["note"].iloc[1].endswith("maths_before 12")
