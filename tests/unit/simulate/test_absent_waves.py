"""Claims about rows that are simulated for a rehearsal before outcomes exist."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.simulate.absent_waves import CORRELATION, ICC, outcome_of_year, roster_of_year

NO_SCORES = pd.DataFrame({"pupil": [], "year": [], "outcome": [], "value": []})


def _people(n: int, schools: int = 100) -> pd.DataFrame:
    at = np.arange(n)
    return pd.DataFrame({"pupil": at.astype(str), "school": (at % schools).astype(str), "year": 1})


def _outcome(**keys: Any) -> Any:
    return {"baseline_measures": [], "range": None, "scale": "continuous", **keys}


def _simulated(people: pd.DataFrame, known: pd.DataFrame, outcome: Any) -> pd.Series:
    rng = np.random.default_rng(5)
    found = outcome_of_year(people, known, "pupil", 2, "maths", outcome, rng)
    assert list(found["pupil"]) == list(people["pupil"])
    assert set(found["year"]) == {2}
    return found["value"]


def test_people_of_the_nearest_year_are_those_of_a_year_without_a_list() -> None:
    roster = pd.DataFrame({"pupil": ["a", "b", "c"], "year": [2023, 2024, 2024]})
    assert list(roster_of_year(roster, "pupil", 2025)["pupil"]) == ["b", "c"]
    assert set(roster_of_year(roster, "pupil", 2025)["year"]) == {2025}
    assert list(roster_of_year(roster, "pupil", 2022)["pupil"]) == ["a"]


def test_nobody_is_listed_twice_where_one_district_has_sent_its_list_of_the_year() -> None:
    roster = pd.DataFrame({"pupil": ["a", "b", "c", "a"], "year": [2024, 2024, 2024, 2025]})
    assert list(roster_of_year(roster, "pupil", 2025)["pupil"]) == ["b", "c"]


def test_only_those_of_whom_there_is_no_score_get_one_with_the_size_of_their_group() -> None:
    schools = pd.DataFrame({"school": ["a", "b", "c"]})
    known = pd.DataFrame(
        {"school": ["a", "b", "b"], "year": [1, 1, 2], "outcome": "maths", "value": 5.0,
         "n_pupils": [30, 40, 41], "tested": pd.Timestamp("2024-05-01")}
    )  # fmt: skip
    rng = np.random.default_rng(5)
    found = outcome_of_year(schools, known, "school", 2, "maths", _outcome(), rng)
    assert list(found["school"]) == ["a", "c"]
    assert list(found["n_pupils"]) == [30, 37]  # where it is not known, the mean of the others
    assert "tested" not in found


def test_scores_resemble_those_that_are_known_and_follow_them() -> None:
    people = _people(20_000)
    before = np.random.default_rng(1).normal(300, 40, len(people))
    known = pd.DataFrame({"pupil": people["pupil"], "year": 1, "outcome": "maths", "value": before})
    values = _simulated(people, known, _outcome())
    assert values.mean() == pytest.approx(300, abs=5)
    assert values.std() == pytest.approx(40, abs=2)
    assert np.corrcoef(before, values)[0, 1] == pytest.approx(CORRELATION, abs=0.02)


def test_a_measure_from_before_in_the_list_of_pupils_is_followed_too() -> None:
    people = _people(20_000).assign(pretest=np.random.default_rng(2).normal(size=20_000))
    values = _simulated(people, NO_SCORES, _outcome(baseline_measures=["pretest"]))
    assert np.corrcoef(people["pretest"], values)[0, 1] == pytest.approx(CORRELATION, abs=0.02)


def test_pupils_of_a_school_are_alike() -> None:
    people = _people(40_000, schools=2000)
    values = _simulated(people, NO_SCORES, _outcome())
    between = values.groupby(people["school"]).mean().var() - values.var() / 20
    assert between / values.var() == pytest.approx(ICC, abs=0.03)


def test_values_lie_in_the_range_and_a_binary_outcome_is_nought_or_one() -> None:
    values = _simulated(_people(5000), NO_SCORES, _outcome(range=[0, 10]))
    assert values.between(0, 10).all()
    assert values.mean() == pytest.approx(5, abs=0.3)
    assert values.std() == pytest.approx(10 / 6, abs=0.2)
    binary = _simulated(_people(5000), NO_SCORES, _outcome(scale="binary"))
    assert set(binary) == {0.0, 1.0}
