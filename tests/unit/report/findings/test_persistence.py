"""What the summary says of effects after the programme ended, from rows of the long table."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd
import pytest

from schooltrial.report.findings.persistence import (
    during_sentence,
    persistence_shown,
    persistence_told,
)

PROTOCOL: dict[str, Any] = {
    "models": {"rollout": {"label": "Roll-out", "role": "primary", "confidence_level": 0.95}},
    "outcomes": {
        "ela": {"label": "English", "primary": True, "units_label": "points", "standardise": "none"}
    },
}


def _row(term: str, estimate: float, half: float, note: str = "") -> dict[str, Any]:
    return {
        "model": "rollout", "outcome": "ela", "estimand": "persistence", "subgroup": "all",
        "term": term, "estimate": estimate, "std_error": half / 2, "df": 9.0, "p_value": 0.1,
        "conf_low": estimate - half, "conf_high": estimate + half, "note": note,
    }  # fmt: skip


def _rows(
    after: float,
    half: float = 2.0,
    *,
    during: float = 6.0,
    change_half: float = 2.0,
    years: int = 2,
) -> pd.DataFrame:
    carried = "based on cohort 2016, 17 schools"
    return pd.DataFrame([
        _row("treated[during]", during, 2.0),
        _row(f"treated[after={years}]", after, half, carried),
        _row(f"treated[after={years}] - treated[during]", after - during, change_half, carried),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (_rows(5.0), "5.0 points (95% CI 3.0 to 7.0). It differs from zero, and is not "
         "clearly different from that on the same schools during the programme (6.0)."),
        (_rows(3.0), "3.0 points (95% CI 1.0 to 5.0). It differs from zero, and is lower "
         "than that on the same schools during the programme (6.0)."),
        (_rows(1.0), "It is not clearly different from zero, and is lower than that on the "
         "same schools during the programme (6.0)."),
        (_rows(4.0, 9.0, change_half=8.0), "It is not clearly different from zero, nor from that "
         "on the same schools during the programme (6.0)."),
        (_rows(9.0), "and is higher than that on the same"),
    ],
)  # fmt: skip
def test_the_effect_after_is_held_against_none_and_against_that_during(
    rows: pd.DataFrame, told: str
) -> None:
    (found,) = persistence_told(rows, PROTOCOL)
    assert found.startswith("English: two years after the programme ended, the effect was ")
    assert told in found
    assert found.endswith(" Estimated from cohort 2016, 17 schools.")


def test_where_no_effect_during_is_told_from_zero_the_summary_says_so_first() -> None:
    (found,) = persistence_told(_rows(0.5, during=1.0), PROTOCOL)
    assert found.startswith(
        "English: the effect during the programme is not clearly different from zero (1.0; "
    )


def test_the_longest_time_stands_first_and_what_lies_beyond_three_years_in_the_table() -> None:
    parts = [_rows(5.0, years=years).iloc[1:] for years in (1, 2, 3, 4, 7)]
    rows = pd.concat([_rows(5.0).iloc[:1], *parts], ignore_index=True)
    (found,) = persistence_told(rows, PROTOCOL)
    assert found.startswith("English: three years after")
    told = "Two years after it was 5.0 (95% CI 3.0 to 7.0; cohort 2016, 17 schools)."
    assert 0 < found.index(told) < found.index("One year after it was")
    assert "up to 7 after" in found
    assert "Four" not in found


def test_many_cohorts_are_counted_and_a_few_are_named() -> None:
    rows = _rows(5.0)
    few, many = "based on cohorts 2015 and 2016, 9 schools", "based on cohorts 2014, 2015, 2016 "
    for note, told in (
        (few, " Estimated from cohorts 2015 and 2016, 9 schools."),
        (f"{many}and 2017, 1,012 schools", " Estimated from 4 cohorts, 1,012 schools."),
    ):
        (found,) = persistence_told(rows.assign(note=note), PROTOCOL)
        assert found.endswith(told)


def test_a_row_without_an_interval_says_why() -> None:
    rows = _rows(5.0)
    bare = rows["term"] == "treated[after=2]"
    rows.loc[bare, ["std_error", "conf_low", "conf_high"]] = nan
    rows.loc[bare, "note"] = "based on cohort 2016, 1 school; cohort 2016 is one school"
    (found,) = persistence_told(rows, PROTOCOL)
    assert found == (
        "English: two years after the programme ended, the effect was 5.000 points, without an "
        "interval: cohort 2016 is one school. Estimated from cohort 2016, 1 school."
    )


def test_an_effect_during_that_has_no_interval_is_not_said_to_include_zero() -> None:
    rows = _rows(5.0)
    rows[["std_error", "conf_low", "conf_high"]] = nan
    rows["note"] = "based on cohort 2016, 1 school; no standard error: every cohort is one school"
    (found,) = persistence_told(rows, PROTOCOL)
    assert found.startswith("English: two years after the programme ended, the effect was ")
    assert "without an interval: no standard error: every cohort is one school." in found
    assert "includes zero" not in found
    assert "interval  to " not in found


def test_a_panel_that_ends_with_the_programme_says_that_nothing_is_known_of_later() -> None:
    rows = pd.DataFrame([_row("treated[during]", 6.0, 2.0, "no year lies after the programme")])
    assert persistence_told(rows, PROTOCOL) == ["English: no year lies after the programme."]
    assert persistence_told(rows.iloc[:0], PROTOCOL) == []


def test_models_that_are_not_primary_and_subgroups_stand_in_the_table_alone() -> None:
    rows = pd.concat([_rows(5.0), _rows(5.0).assign(subgroup="East")])
    assert len(persistence_told(rows, PROTOCOL)) == 1
    other = {**PROTOCOL, "models": {"rollout": {**PROTOCOL["models"]["rollout"], "role": "x"}}}
    assert persistence_told(rows, other) == []
    table = persistence_shown(rows, PROTOCOL["outcomes"], PROTOCOL["models"])
    assert table is not None
    assert "2 years after: change from during" in set(table.cells["Effect"])


def test_an_average_with_years_after_the_programme_says_so_and_the_effect_during() -> None:
    told = during_sentence(_rows(5.0), PROTOCOL, "rollout", "ela")
    assert told == (
        "This averages all years since the start, also those after the programme ended; during "
        "the programme, the effect was +6.0 (4.0 to 8.0) points."
    )
    assert during_sentence(_rows(5.0)[:1], PROTOCOL, "rollout", "ela") == ""  # none after
    assert during_sentence(_rows(5.0)[1:], PROTOCOL, "rollout", "ela") == ""  # none during
    assert during_sentence(_rows(5.0), PROTOCOL, "another", "ela") == ""


def test_a_share_that_cannot_be_estimated_has_no_number_beside_these_words() -> None:
    rows = _rows(5.0)
    rows.loc[rows.index[-1], ["term", "estimate", "conf_low", "conf_high", "note"]] = [
        "treated[after=2] / treated[during]", 173.7, nan, nan,
        "no standard error: a ratio; the ratio cannot be estimated: the effect may be zero",
    ]  # fmt: skip
    table = persistence_shown(rows, PROTOCOL["outcomes"], PROTOCOL["models"])
    assert table is not None
    last = table.cells.iloc[-1]
    assert last["Note"] == "the ratio cannot be estimated: the effect may be zero"
    assert (last["Effect"], last["Estimate"]) == ("2 years after: share of during", "")
