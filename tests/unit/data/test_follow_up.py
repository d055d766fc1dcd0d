"""Who is still there, who came, and who changed arm."""

from __future__ import annotations

import pandas as pd

from schooltrial.data.follow_up import mobility, record_follow_up
from schooltrial.data.ledger import Ledger

ROWS = [
    # pupil, year, school, arm, grade
    ("stays", 2018, "1", "control", 4), ("stays", 2020, "1", "control", 6),
    ("moves", 2018, "1", "control", 4), ("moves", 2020, "2", "control", 6),
    ("crosses", 2018, "2", "control", 5), ("crosses", 2020, "3", "treated", 7),
    ("leaves", 2018, "3", "treated", 4),
    ("finishes", 2018, "3", "treated", 7),
    ("joins", 2020, "3", "treated", 3),
]  # fmt: skip


def pupils() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=["pupil", "year", "school", "arm", "grade"])


def told(ledger: Ledger) -> dict[str, tuple[int, int, int]]:
    """Return reason → entered, left, remained over both arms."""
    flow = ledger.flow().groupby("reason")[["entered", "left", "remained"]].sum()
    return {str(row.Index): (row.entered, row.left, row.remained) for row in flow.itertuples()}


def test_those_who_left_are_told_from_those_who_finished_the_studys_grades() -> None:
    ledger = Ledger(1)
    record_follow_up(pupils(), 2018, [2020], ledger)
    assert told(ledger) == {
        "beyond the study's grades by 2020": (5, 1, 4),
        "in no roster of the study in 2020": (4, 1, 3),
    }


def test_without_grades_everyone_who_is_gone_is_in_no_roster() -> None:
    ledger = Ledger(1)
    record_follow_up(pupils().drop(columns="grade"), 2018, [2020], ledger)
    assert told(ledger) == {"in no roster of the study in 2020": (5, 2, 3)}


def test_a_repeated_cross_section_has_nobody_to_follow() -> None:
    frame = pupils()
    frame["pupil"] = [f"pupil {n}" for n in range(len(frame))]
    ledger = Ledger(1)
    record_follow_up(frame, 2018, [2020], ledger)
    assert ledger.counts == []


def test_a_baseline_in_the_analysed_year_follows_nobody() -> None:
    ledger = Ledger(1)
    record_follow_up(pupils(), 2020, [2020], ledger)
    assert ledger.counts == []


def test_every_pupil_analysed_is_counted_by_where_he_was_at_baseline() -> None:
    found = mobility(pupils(), 2018, [2020])
    rows = {(row.arm, row.where_at_baseline): row.n_pupils for row in found.itertuples()}
    assert rows == {
        ("control", "the same school"): 1,
        ("control", "another school of the same arm"): 1,
        ("treated", "a school of the other arm"): 1,
        ("treated", "no school of the study"): 1,
    }
    assert found["n_pupils"].sum() == (pupils()["year"] == 2020).sum()
