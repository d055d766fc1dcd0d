import dataclasses
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.school_randomised.files import SUBJECT_CODES
from schooltrial.simulate.school_randomised.parameters import Parameters
from schooltrial.simulate.school_randomised.trial import simulate

SMALL = Parameters(
    blocks=(("North", "elementary", 4), ("North", "middle", 4)),
    pupils_per_school=60.0,
)


@pytest.fixture(scope="module")
def trial() -> SimulatedTrial:
    return simulate(Parameters(), seed=2018)


def planted(trial: SimulatedTrial, fault: str) -> dict[str, int]:
    return {f["file"]: f["count"] for f in trial.truth["faults"] if f["fault"] == fault}


def rosters(trial: SimulatedTrial) -> dict[str, pd.DataFrame]:
    return {
        name: frame.rename(columns={"StudentID": "student_id"})
        for name, frame in trial.files.items()
        if name.startswith("roster")
    }


def scores(trial: SimulatedTrial) -> dict[str, pd.DataFrame]:
    return {name: frame for name, frame in trial.files.items() if name.startswith("scores")}


def counted(
    frames: dict[str, pd.DataFrame], count: Callable[[pd.DataFrame], int]
) -> dict[str, int]:
    return {name: int(count(frame)) for name, frame in frames.items()}


def test_rosters_hold_the_recorded_number_of_each_fault(trial: SimulatedTrial) -> None:
    frames = rosters(trial)
    repeated = counted(frames, lambda f: f.duplicated().sum())
    assert repeated == planted(trial, "duplicate_roster_rows") == dict.fromkeys(frames, 6)
    once = {name: frame.drop_duplicates() for name, frame in frames.items()}
    padded = counted(once, lambda f: f["grade"].str.startswith("0").sum())
    assert padded == planted(trial, "zero_padded_grades") == dict.fromkeys(frames, 25)
    codes = ["sex", "lunch_status", "english_learner", "special_education"]
    odd = counted(once, lambda f: (~f[codes].isin(list("MFRPYN"))).to_numpy().sum())
    assert odd == planted(trial, "restyled_codes") == dict.fromkeys(frames, 40)
    two = counted(once, lambda f: f["student_id"].duplicated().sum())
    assert two == planted(trial, "pupils_on_two_rosters")
    assert sum(two.values()) > 0


def test_score_files_hold_the_recorded_number_of_each_fault(trial: SimulatedTrial) -> None:
    frames = scores(trial)
    repeated = counted(frames, lambda f: f.duplicated().sum())
    assert repeated == planted(trial, "duplicate_score_rows") == dict.fromkeys(frames, 5)
    once = {name: frame.drop_duplicates() for name, frame in frames.items()}
    for shown, name in (("ABS", "absent_ABS"), ("-99", "absent_-99"), ("", "absent_blank")):
        found = {file: int((frame["rit_score"] == shown).sum()) for file, frame in once.items()}
        assert found == planted(trial, name)
    wild = counted(once, lambda f: f["rit_score"].isin(["999", "0", "-1"]).sum())
    assert wild == planted(trial, "impossible_scores") == dict.fromkeys(frames, 4)
    known = {pupil for roster in rosters(trial).values() for pupil in roster["student_id"]}
    unknown = counted(once, lambda f: (~f["student_id"].isin(known)).sum())
    assert unknown == planted(trial, "unknown_pupils") == dict.fromkeys(frames, 3)


def test_cleaning_by_the_stated_rules_gives_back_the_true_analysed_sample(
    trial: SimulatedTrial,
) -> None:
    for year in (2017, 2020):
        roster = rosters(trial)[f"roster_{year}.csv"].drop_duplicates().copy()
        roster["days"] = roster["days_enrolled"].astype(int)
        home = roster.sort_values("days").groupby("student_id")["school_code"].last()
        truth = trial.pupils[trial.pupils["year"] == year].set_index("pupil_id")
        pd.testing.assert_series_equal(
            home.sort_index(),
            truth["school_code"].sort_index(),
            check_names=False,
            check_dtype=False,
        )
        table = scores(trial)[f"scores_{year}.csv"].drop_duplicates()
        value = pd.to_numeric(table["rit_score"], errors="coerce")
        kept = table[value.between(100, 350) & table["student_id"].isin(home.index)]
        for subject, code in SUBJECT_CODES.items():
            clean = kept[kept["subject"] == code].set_index("student_id")["rit_score"].astype(int)
            valid = truth.loc[truth[f"{subject}_status"] == "valid", subject]
            assert len(clean) == trial.truth["n_analysed"][subject][str(year)]
            assert (clean.sort_index() == valid.sort_index()).all()


def test_days_present_give_the_attendance_of_the_truth_to_the_day(trial: SimulatedTrial) -> None:
    roster = rosters(trial)["roster_2020.csv"].drop_duplicates()
    truth = trial.pupils[trial.pupils["year"] == 2020].set_index("pupil_id")["attendance"]
    days = roster[["days_enrolled", "days_present"]].astype(int)
    expected = days["days_enrolled"] * roster["student_id"].map(truth) / 100
    assert (np.abs(days["days_present"] - expected) <= 0.5).all()
    assert days["days_enrolled"].between(1, 176).all()


def test_files_survive_being_written_in_their_encoding(trial: SimulatedTrial) -> None:
    assert trial.encodings["schools.csv"] == "cp1252"
    assert trial.encodings["roster_2019.csv"] == "utf-8-sig"
    assert set(trial.encodings) == set(trial.files)
    for name, frame in trial.files.items():
        code = trial.encodings[name]
        raw = frame.to_csv(index=False).encode(code)
        back = pd.read_csv(io.BytesIO(raw), dtype=str, keep_default_na=False, encoding=code)
        assert (back.to_numpy() == frame.to_numpy()).all(), name
    raw = trial.files["schools.csv"].to_csv(index=False).encode("cp1252")
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    accents = sum(not name.isascii() for name in trial.files["schools.csv"]["school_name"])
    assert accents == planted(trial, "accented_names")["schools.csv"] == 2


def test_one_roster_calls_the_pupils_column_otherwise(trial: SimulatedTrial) -> None:
    odd = [name for name, frame in trial.files.items() if "StudentID" in frame]
    assert odd == list(planted(trial, "renamed_column")) == ["roster_2017.csv"]


def test_a_trial_without_mess_has_none() -> None:
    faults = (
        "duplicate_roster_rows", "duplicate_score_rows", "restyled_codes", "zero_padded_grades",
        "impossible_scores", "unknown_pupils", "accented_names",
    )  # fmt: skip
    no_faults: Any = dict.fromkeys(faults, 0)
    clean = dataclasses.replace(
        SMALL, **no_faults,
        within_year_mover_rate=0.0, missing_test_rate=0.0, renamed_columns=(), encodings=(),
    )  # fmt: skip
    trial = simulate(clean, 1)
    assert trial.truth["faults"]
    assert all(fault["count"] == 0 for fault in trial.truth["faults"])
    assert set(trial.encodings.values()) == {"utf-8"}
    assert trial.truth["n_analysed"]["maths"] == trial.truth["n_pupils"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"impossible_scores": 10**6}, "lower impossible_scores"),
        ({"renamed_columns": (("roster_1.csv", "a", "b"),)}, "'roster_1.csv', which the trial"),
        ({"encodings": (("roster.csv", "utf-8"),)}, "'roster.csv', which the trial"),
        ({"accented_names": 9}, "only 8 of the 8 school names"),
        ({"district_shift": (("North", 2.0), ("South", -2.0)),
          "blocks": (("North", "middle", 2), ("South", "middle", 2))}, "district_shift smaller"),
    ],
)  # fmt: skip
def test_a_fault_that_cannot_be_planted_is_refused(change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(dataclasses.replace(SMALL, **change), 1)
