"""What the report shows of the lot and of balance: every digit, and what each row is of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.balance.omnibus import OMNIBUS_COLUMNS
from schooltrial.checks.balance.standardised_differences import COLUMNS
from schooltrial.report.tables import assignment as assignment_tables
from schooltrial.report.tables.balance import equivalence_shown, omnibus_shown


def test_counts_are_counts_and_a_level_keeps_its_digits() -> None:
    tests = pd.DataFrame({
        "check": ["assigned once", "ranks"], "finding": ["", ""], "value": [0.0, 0.85894],
        "threshold": [0.0, 0.00125], "p": [np.nan, 0.368], "verdict": "passed", "reason": ["", ""],
    })  # fmt: skip
    told = assignment_tables.tests_shown(tests)
    assert told["value"].tolist() == ["0", "0.8589"]
    assert told["threshold"].tolist() == ["0", "0.00125"]
    assert told["p"].tolist() == ["", ".368"]


def test_only_units_of_which_something_was_said_are_listed_and_all_are_counted() -> None:
    units = pd.DataFrame({
        "unit": ["010", "017", "020"], "block": "N", "arm": "control", "drawn_arm": np.nan,
        "verdict": ["failed", "passed", "noted"], "reason": ["drawn to x", "", "took it up"],
    })  # fmt: skip
    told = assignment_tables.units_shown(units)
    assert told is not None
    assert told["unit"].tolist() == ["010", "020"]
    assert "drawn_arm" not in told
    verdict = {"units": {"failed": 1, "in doubt": 0, "noted": 1, "passed": 1}}
    said = assignment_tables.units_told(verdict, "school")
    assert said == "Of 3 schools, one by one: 1 failed, 1 noted, 1 passed."


def _omnibus(**cells: object) -> pd.DataFrame:
    row = dict.fromkeys(OMNIBUS_COLUMNS, np.nan) | {"draws": 400, "exact": True, "arm": "a"}
    return pd.DataFrame([row | {"note": "", **cells}])


@pytest.mark.parametrize(
    ("scope", "label", "what"),
    [
        ("all", "all together", "all together"),
        ("category", "Region", "category: Region"),
        ("pre-trend", "Maths", "years before: Maths"),
    ],
)
def test_every_joint_test_says_what_it_is_of_and_shows_the_p_of_its_f(
    scope: str, label: str, what: str
) -> None:
    told = omnibus_shown(
        _omnibus(scope=scope, label=label, level="pupil", covariates=5, p_f=0.0004, sample="s")
    ).iloc[0]
    assert told["what"] == what
    assert told["of"] == "unit means of pupils"  # they are not weighted by pupils
    assert (told["covariates"], told["p of F"]) == ("5", "<.001")


def test_equivalence_says_how_many_of_those_analysed_have_a_baseline() -> None:
    row = dict.fromkeys(COLUMNS, np.nan) | {
        "level": "pupil", "sample": "analysed", "label": "Maths", "n_control": 20, "n_treated": 10,
        "missing": 90, "wwc_effect_size": -0.06, "wwc_measure": "Hedges' g", "arm": "a",
        "wwc_band": "adjustment needed",
    }  # fmt: skip
    rows = pd.DataFrame([row, {**row, "level": "school"}, {**row, "sample": "randomised"}])
    told = equivalence_shown(rows)
    assert told is not None
    assert len(told) == 1
    assert told["baseline known"][0] == "30 of 120 (25.0%)"
    assert (told["effect size"][0], told["band"][0]) == ("−0.060", "adjustment needed")
    assert equivalence_shown(rows[1:]) is None
