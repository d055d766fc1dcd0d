"""Claims about what the ratings of an outcome rest on."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.checks.rating_inputs import rating_inputs

MODEL = {"covariates": ["baseline", "girl"], "where": {"year": [2020]}}
PROTOCOL: dict[str, Any] = {
    "outcomes": {"maths": {"level": "pupil"}},
    "checks": {"attrition_boundary": "cautious"},
    "design": {"randomised": True},
    "balance": {"satisfied": 0.05, "adjustable": 0.25},
}


def _attrition(*rows: tuple[str, int, str, float, float, str]) -> pd.DataFrame:
    columns = ["level", "year", "arm", "overall", "differential", "verdict"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(quantity="lost", outcome="maths", boundary_cautious=0.05)


LOST = _attrition(
    ("schools", 2020, "a", 0.0, 0.0, "low"), ("schools", 2020, "b", 0.1, 0.2, "high"),
    ("pupils in schools that stay", 2020, "a", 0.2, 0.01, "low"),
    ("pupils", 2020, "a", 0.25, 0.02, "low"), ("pupils", 2020, "b", 0.31, 0.02, "low"),
    ("schools", 2019, "a", 0.9, 0.9, "high"),
)  # fmt: skip


def _balance(**own: float) -> pd.DataFrame:
    rows = [["analysed", "pupil", "girl", "Girl", 0.40, 0.38],
            ["randomised", "pupil", "maths", "Maths", 0.9, 0.9]]  # fmt: skip
    rows += [["analysed", "pupil", name, "Maths", value, value] for name, value in own.items()]
    names = ["sample", "level", "variable", "label", "wwc_effect_size", "standardised_difference"]
    return pd.DataFrame(rows, columns=names)


def _inputs(balance: pd.DataFrame, verdict: str = "reproduced from its seed") -> Any:
    power = pd.DataFrame({
        "outcome": ["maths"] * 3, "stage": ["randomisation", "randomisation", "analysis"],
        "mdes": [0.2, 0.3, 0.9],
    })  # fmt: skip
    return rating_inputs(
        "maths", MODEL, PROTOCOL, year=2020, attrition=LOST, balance=balance, power=power,
        assignment={"verdict": verdict, "reasons": []},
    )  # fmt: skip


def test_of_several_arms_the_worst_counts() -> None:
    found = _inputs(_balance(maths=-0.1))
    schools = next(part for part in found.attrition if part.level == "schools")
    assert (schools.verdict, schools.differential) == ("high", 0.2)
    assert (found.people_attrition, found.mdes) == (0.31, 0.3)


def test_all_people_are_no_level_of_their_own_where_units_are_told() -> None:
    levels = [part.level for part in _inputs(_balance(maths=-0.1)).attrition]
    assert levels == ["pupils in schools that stay", "schools"]


@pytest.mark.parametrize(("own", "size"), [({"maths": -0.1}, -0.1), ({}, 0.40)])
def test_the_outcomes_own_baseline_counts_and_else_the_largest_difference(
    own: dict[str, float], size: float
) -> None:
    assert _inputs(_balance(**own)).baseline_difference == size


def test_a_contradicted_assignment_is_compromised_and_a_doubted_one_is_not() -> None:
    assert _inputs(_balance(), "contradicted").compromised
    assert not _inputs(_balance(), "in doubt").compromised
