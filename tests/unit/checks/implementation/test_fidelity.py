"""Claims about fidelity, dosage and contrast."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.checks.implementation.contrast import contrast_arms
from schooltrial.checks.implementation.dosage import measure_dosage
from schooltrial.checks.implementation.fidelity import measure_fidelity
from schooltrial.checks.implementation.log import followed, school_year
from schooltrial.data.linking.school_crosswalk import Change, Crosswalk
from schooltrial.refusal import Refusal

ARMS = {"A": "programme", "B": "programme", "C": "control", "D": "control"}


def _component(**keys: Any) -> dict[str, Any]:
    return {
        "label": "Coaching", "indicator": "hours", "source": "log", "measured_on": "school",
        "total": "sum", "unit_threshold": 10.0, "share_required": 0.5, "contrast": True,
        "arms": [], **keys,
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
    for odd in ("autumn", "2024-13", "2024-00"):
        with pytest.raises(Refusal, match=odd):
            school_year(pd.Series(["2019-09", odd]), 7)


def test_a_schools_total_is_the_mean_over_its_leaders() -> None:
    found = measure_fidelity(LOG, {"coaching": _component()}, ARMS, "control", 7).iloc[0]
    assert (found["n_units"], found["n_met"], found["share_met"], found["met"]) == (
        2,
        1,
        0.5,
        "yes",
    )


def test_every_leader_is_a_unit_where_the_threshold_is_theirs() -> None:
    found = measure_fidelity(
        LOG, {"coaching": _component(measured_on="leader")}, ARMS, "control", 7
    ).iloc[0]
    assert (found["n_units"], found["n_met"]) == (3, 2)


def test_a_programme_school_without_a_row_counts_as_not_met() -> None:
    components = {"coaching": _component(share_required=0.6)}
    found = measure_fidelity(LOG[LOG["school"] != "B"], components, ARMS, "control", 7).iloc[0]
    assert (found["n_units"], found["n_met"], found["met"]) == (2, 1, "no")


def test_the_threshold_itself_counts_as_met() -> None:
    found = measure_fidelity(LOG, {"coaching": _component(unit_threshold=12.0)}, ARMS, "control", 7)
    assert found["n_met"].tolist() == [1]


def test_a_control_school_that_received_the_programme_is_named() -> None:
    found = contrast_arms(LOG, {"coaching": _component()}, ARMS, "control", 7).set_index("arm")
    assert found.loc["control", "verdict"] == "crossover: C"
    assert found.loc["control", "mean"] == pytest.approx(1.5)
    assert found.loc["programme", "n_with_any"] == 2
    allowed = contrast_arms(LOG, {"coaching": _component(contrast=False)}, ARMS, "control", 7)
    assert (allowed["verdict"] == "").all()


@given(st.lists(st.floats(0, 50), min_size=1, max_size=12))
def test_the_doses_of_a_school_add_up_to_its_log(values: list[float]) -> None:
    log = _log([("A", "1", f"2020-{at + 1:02d}", value) for at, value in enumerate(values)])
    assert measure_dosage(log, ARMS, 13)["value"].sum() == pytest.approx(sum(values))


def test_a_log_without_leaders_is_read_by_school() -> None:
    log = LOG.drop(columns="leader")
    assert measure_dosage(log, ARMS, 7)["n_leaders"].eq(1).all()
    found = measure_fidelity(log, {"coaching": _component()}, ARMS, "control", 7).iloc[0]
    assert (found["n_units"], found["n_met"]) == (2, 1)


THREE = {"A": "coached", "B": "coached", "M": "mentored", "C": "control"}
MENTORING = _component(label="Mentoring", arms=["mentored"])


def test_a_component_is_judged_over_the_arms_that_are_to_have_it() -> None:
    log = _log([("M", "1", "2019-09", 12), ("A", "2", "2019-09", 1)], "mentoring")
    found = measure_fidelity(log, {"mentoring": MENTORING}, THREE, "control", 7).iloc[0]
    assert (found["arms"], found["n_units"], found["n_met"]) == ("mentored", 1, 1)
    every = measure_fidelity(log, {"mentoring": _component()}, THREE, "control", 7).iloc[0]
    assert (every["n_units"], every["n_met"]) == (3, 1)


def test_a_school_of_another_arm_that_received_a_component_is_a_crossover_too() -> None:
    log = _log([("M", "1", "2019-09", 12), ("A", "2", "2019-09", 1)], "mentoring")
    found = contrast_arms(log, {"mentoring": MENTORING}, THREE, "control", 7).set_index("arm")
    assert found["verdict"].to_dict() == {
        "coached": "crossover: A", "control": "not recorded", "mentored": "",
    }  # fmt: skip


def test_an_arm_of_which_the_log_holds_nothing_has_no_dose_rather_than_none() -> None:
    log = LOG[~LOG["school"].isin(["C", "D"])]
    found = contrast_arms(log, {"coaching": _component()}, ARMS, "control", 7).set_index("arm")
    assert found.loc["control", ["mean", "n_with_any", "n_at_threshold"]].isna().all()
    assert found.loc["control", "verdict"] == "not recorded"
    zero = pd.concat([log, _log([("C", "4", "2020-01", 0)])])
    told = contrast_arms(zero, {"coaching": _component()}, ARMS, "control", 7).set_index("arm")
    assert (told.loc["control", "mean"], told.loc["control", "verdict"]) == (0.0, "")


@pytest.mark.parametrize("keys", [{}, {"total": "mean"}, {"measured_on": "leader"}])
def test_contrast_and_fidelity_count_the_same_units_at_the_threshold(keys: Any) -> None:
    """A leader of two without a row of the component, and totals above a mean."""
    log = pd.concat([
        _log([("A", "1", "2019-09", 20), ("B", "3", "2019-09", 10), ("B", "3", "2019-10", 8),
              ("B", "3", "2019-11", 8)]),
        _log([("A", "2", "2019-09", 1)], "institute"),
    ])  # fmt: skip
    part = {"coaching": _component(**keys)}
    met = measure_fidelity(log, part, ARMS, "control", 7).iloc[0]
    given = contrast_arms(log, part, ARMS, "control", 7).set_index("arm").loc["programme"]
    assert (given["n_at_threshold"], given["n_units"]) == (met["n_met"], met["n_units"])


def test_a_leader_without_a_row_of_a_component_counts_in_the_doses_of_the_school() -> None:
    log = pd.concat([
        _log([("A", "1", "2019-09", 20)]), _log([("A", "2", "2019-09", 1)], "institute"),
    ])  # fmt: skip
    found = measure_dosage(log, ARMS, 7).set_index("component")
    assert found.loc["coaching", "value"] == 10.0


def test_a_missing_value_is_counted_and_is_not_a_zero_in_silence() -> None:
    log = _log([("A", "1", "2019-09", 12), ("A", "1", "2019-10", float("nan")),
                ("B", "3", "2019-09", float("nan"))])  # fmt: skip
    found = measure_fidelity(log, {"coaching": _component()}, ARMS, "control", 7).iloc[0]
    assert found["note"] == "missing values, not counted: 2"
    assert (found["n_units"], found["n_recorded"], found["n_met"]) == (2, 1, 1)
    given = contrast_arms(log, {"coaching": _component()}, ARMS, "control", 7).set_index("arm")
    assert given.loc["programme", "mean"] == 12.0


def test_rows_of_a_school_that_was_not_assigned_are_counted_in_the_note() -> None:
    log = pd.concat([LOG, _log([("Z", "9", "2020-01", 5), ("Z", "9", "2020-02", 5)])])
    found = measure_fidelity(log, {"coaching": _component()}, ARMS, "control", 7).iloc[0]
    assert found["note"] == "rows of schools not assigned, not counted: 2"
    same = measure_fidelity(LOG, {"coaching": _component()}, ARMS, "control", 7).iloc[0]
    assert found.drop("note").equals(same.drop("note"))


def test_a_log_that_takes_up_a_schools_new_name_is_of_the_school_that_was_assigned() -> None:
    changes = Crosswalk((Change("B2", 2020, "B", "renamed"), Change("X", 2020, None, "closed")))
    renamed = LOG.assign(school=LOG["school"].replace("B", "B2"))
    assert followed(renamed, ARMS, changes, 7).equals(LOG)
    early = _log([("B2", "3", "2019-03", 4), ("X", "7", "2019-09", 1)])
    assert followed(early, ARMS, changes, 7)["school"].tolist() == ["B2", "X"]
