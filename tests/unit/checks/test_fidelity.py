"""Claims about fidelity, dosage and contrast."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.checks.fidelity import contrast, dosage, fidelity, school_year
from schooltrial.refusal import Refusal

ARMS = {"A": "programme", "B": "programme", "C": "control", "D": "control"}


def _component(**keys: Any) -> dict[str, Any]:
    return {
        "label": "Coaching", "indicator": "hours", "source": "log", "unit": "school",
        "total": "sum", "unit_threshold": 10.0, "sample_threshold": 0.5, "contrast": True, **keys,
    }  # fmt: skip


def _log(rows: list[tuple[str, str, str, float]], component: str = "coaching") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["school", "leader", "period", "value"])
    return frame.assign(component=component)


LOG = _log([
    ("A", "1", "2019-09", 6), ("A", "1", "2020-02", 6), ("A", "2", "2019-09", 12),
    ("B", "3", "2019-09", 4), ("C", "4", "2020-01", 3),
])  # fmt: skip


def test_a_school_year_is_named_by_its_spring() -> None:
    periods = pd.Series(["2019-06", "2019-07", "2019-12", "2020-01", "2021"])
    assert school_year(periods, 7).tolist() == [2019, 2020, 2020, 2020, 2021]


def test_a_period_that_is_no_month_is_refused_by_its_value() -> None:
    with pytest.raises(Refusal, match="autumn"):
        school_year(pd.Series(["2019-09", "autumn"]), 7)


def test_a_schools_total_is_the_mean_over_its_leaders() -> None:
    found = fidelity(LOG, {"coaching": _component()}, ARMS, "control", 7).iloc[0]
    assert (found["n_units"], found["n_met"], found["share_met"], found["met"]) == (
        2,
        1,
        0.5,
        "yes",
    )


def test_every_leader_is_a_unit_where_the_threshold_is_theirs() -> None:
    found = fidelity(LOG, {"coaching": _component(unit="leader")}, ARMS, "control", 7).iloc[0]
    assert (found["n_units"], found["n_met"]) == (3, 2)


def test_a_programme_school_without_a_row_counts_as_not_met() -> None:
    found = fidelity(LOG[LOG["school"] != "B"], {"coaching": _component(sample_threshold=0.6)},
                     ARMS, "control", 7).iloc[0]  # fmt: skip
    assert (found["n_units"], found["n_met"], found["met"]) == (2, 1, "no")


def test_the_threshold_itself_counts_as_met() -> None:
    found = fidelity(LOG, {"coaching": _component(unit_threshold=12.0)}, ARMS, "control", 7)
    assert found["n_met"].tolist() == [1]


def test_a_control_school_that_received_the_programme_is_named() -> None:
    doses = dosage(LOG, ARMS, 7)
    found = contrast(doses, {"coaching": _component()}, ARMS, "control").set_index("arm")
    assert found.loc["control", "verdict"] == "crossover: C"
    assert found.loc["control", "mean"] == pytest.approx(1.5)
    assert found.loc["programme", "n_with_any"] == 2
    allowed = contrast(doses, {"coaching": _component(contrast=False)}, ARMS, "control")
    assert (allowed["verdict"] == "").all()


@given(st.lists(st.floats(0, 50), min_size=1, max_size=12))
def test_the_doses_of_a_school_add_up_to_its_log(values: list[float]) -> None:
    log = _log([("A", "1", f"2020-{at + 1:02d}", value) for at, value in enumerate(values)])
    assert dosage(log, ARMS, 13)["value"].sum() == pytest.approx(sum(values))


def test_a_log_without_leaders_is_read_by_school() -> None:
    log = LOG.drop(columns="leader")
    assert dosage(log, ARMS, 7)["n_leaders"].eq(1).all()
    found = fidelity(log, {"coaching": _component()}, ARMS, "control", 7).iloc[0]
    assert (found["n_units"], found["n_met"]) == (2, 1)
