import dataclasses
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.within_school_lottery.parameters import LotteryParameters
from schooltrial.simulate.within_school_lottery.trial import simulate

SMALL = LotteryParameters(
    blocks=(("North", "elementary", 4), ("South", "elementary", 2)), pupils_per_school=160.0
)
SURVEY = {"knowledge": "K_TOTAL", "practice": "P_MEAN"}
RANGES = dict(LotteryParameters().teacher_range)


@pytest.fixture(scope="module")
def trial() -> SimulatedTrial:
    return simulate(LotteryParameters(), seed=2022)


def planted(trial: SimulatedTrial, fault: str) -> dict[str, int]:
    return {f["file"]: f["count"] for f in trial.truth["faults"] if f["fault"] == fault}


def named(trial: SimulatedTrial, start: str) -> dict[str, pd.DataFrame]:
    return {
        name: frame.rename(columns={"employee": "teacher_id"})
        for name, frame in trial.files.items()
        if name.startswith(start)
    }


def counted(
    frames: dict[str, pd.DataFrame], count: Callable[[pd.DataFrame], int]
) -> dict[str, int]:
    return {name: int(count(frame)) for name, frame in frames.items()}


def number(text: pd.Series) -> pd.Series:
    return pd.to_numeric(text.str.replace(",", "."), errors="coerce")


# ---- the lottery list ----------------------------------------------------------------------------


def test_one_applicant_stands_twice_on_the_list_to_the_letter(trial: SimulatedTrial) -> None:
    listed = named(trial, "lottery")
    assert counted(listed, lambda f: f.duplicated().sum()) == planted(trial, "double_applicants")
    once = listed["lottery_list.csv"].drop_duplicates()
    assert once["teacher_id"].is_unique
    assert len(once) == trial.truth["n_applicants"] == len(listed["lottery_list.csv"]) - 1


def test_those_who_withdrew_keep_the_arm_that_was_drawn_and_did_not_attend(
    trial: SimulatedTrial,
) -> None:
    listed = trial.files["lottery_list.csv"].drop_duplicates()
    withdrew = listed[listed["remark"] != ""]
    assert len(withdrew) == planted(trial, "withdrawn_applicants")["lottery_list.csv"] == 2
    assert withdrew["result"].isin(["OFFER", "WAIT"]).all()
    assert (withdrew["attended"].str.strip().str.upper() == "N").all()


def test_take_up_is_yes_or_no_some_of_it_in_another_style(trial: SimulatedTrial) -> None:
    listed = trial.files["lottery_list.csv"].drop_duplicates()
    odd = ~listed["attended"].isin(["Y", "N"])
    assert int(odd.sum()) == planted(trial, "restyled_take_up")["lottery_list.csv"] == 6
    people = trial.complete["teachers"].set_index("teacher_id")["took_up"]
    took_up = listed["attended"].str.strip().str.upper() == "Y"
    assert (took_up.to_numpy() == people.loc[listed["teacher_id"]].to_numpy()).all()


def test_hours_have_a_decimal_comma_and_are_above_zero_for_those_who_took_it_up() -> None:
    trial = simulate(dataclasses.replace(SMALL, take_up_record="hours"), 1)
    listed = trial.files["lottery_list.csv"].drop_duplicates()
    assert listed["attended"].str.fullmatch(r"\d+,\d").all()
    people = trial.complete["teachers"].set_index("teacher_id")["took_up"]
    took_up = people.loc[listed["teacher_id"]].to_numpy()
    hours = number(listed["attended"]).to_numpy()
    assert ((hours > 0) == took_up).all()
    assert hours[took_up].mean() == pytest.approx(90.0, rel=0.05)
    assert planted(trial, "restyled_take_up") == {}


def test_the_list_holds_all_applicants_and_nobody_else(trial: SimulatedTrial) -> None:
    people = trial.complete["teachers"]
    listed = trial.files["lottery_list.csv"]["teacher_id"]
    assert set(listed) == set(people.loc[people["applied"], "teacher_id"])
    register = set(trial.files["staff_2023.csv"]["teacher_id"])
    assert set(listed) < register
    assert len(register) == trial.truth["n_teachers"]


# ---- rosters, surveys and registers --------------------------------------------------------------


def test_rosters_hold_the_recorded_number_of_each_fault(trial: SimulatedTrial) -> None:
    frames = named(trial, "roster")
    repeated = counted(frames, lambda f: f.duplicated().sum())
    assert repeated == planted(trial, "duplicate_roster_rows") == dict.fromkeys(frames, 4)
    once = {name: frame.drop_duplicates() for name, frame in frames.items()}
    odd = counted(once, lambda f: (~f["teacher_id"].str.fullmatch(r"\d{5}")).sum())
    assert odd == planted(trial, "respelt_teachers") == dict.fromkeys(frames, 20)
    padded = counted(once, lambda f: f["grade"].str.startswith("0").sum())
    assert padded == planted(trial, "zero_padded_grades") == dict.fromkeys(frames, 15)
    codes = ["sex", "lunch_status", "english_learner", "special_education"]
    restyled = counted(once, lambda f: (~f[codes].isin(list("MFRPYN"))).to_numpy().sum())
    assert restyled == planted(trial, "restyled_codes") == dict.fromkeys(frames, 20)
    two = counted(once, lambda f: f["student_id"].duplicated().sum())
    assert two == planted(trial, "pupils_on_two_rosters")


def test_a_teachers_id_is_the_same_once_blanks_go_and_zeros_are_put_back(
    trial: SimulatedTrial,
) -> None:
    people = trial.complete["teachers"]
    pupils = trial.pupils[trial.pupils["year"] == 2023].set_index("pupil_id")
    roster = trial.files["roster_2023.csv"].drop_duplicates()
    roster = roster.sort_values("days_enrolled", key=lambda days: days.astype(int))
    home = roster.groupby("student_id")["teacher_id"].last().str.strip().str.zfill(5)
    expected = people["teacher_id"].loc[pupils["teacher"]].to_numpy()
    assert (home.loc[pupils.index].to_numpy() == expected).all()


@pytest.mark.parametrize(
    ("respelling", "pattern"), [("blanks", r" 0\d{4}|0\d{4} "), ("lost_zeros", r"\d{4}")]
)
def test_the_other_spelling_is_the_one_asked_for(respelling: str, pattern: str) -> None:
    roster = simulate(dataclasses.replace(SMALL, respelling=respelling), 1).files["roster_2023.csv"]
    odd = roster.loc[~roster["teacher_id"].str.fullmatch(r"\d{5}"), "teacher_id"]
    assert len(odd) == 20
    assert odd.str.fullmatch(pattern).all()


def test_surveys_hold_the_recorded_number_of_each_fault(trial: SimulatedTrial) -> None:
    frames = named(trial, "survey")
    for shown, code in (("", "blank"), ("-9", "-9"), ("n/a", "n/a")):
        found = counted(frames, lambda f, text=shown: (f["K_TOTAL"] == text).sum())  # type: ignore[misc]
        assert found == planted(trial, f"missing_{code}")
    in_post = trial.complete["teacher_years"].groupby("year")["in_post"].sum()
    absent = counted(frames, lambda f: -len(f))
    absent = {name: int(in_post[int(name[7:11])]) + rows for name, rows in absent.items()}
    assert absent == planted(trial, "missing_no_row")
    assert sum(absent.values()) > 0
    wild = dict.fromkeys(frames, 0)
    for name, frame in frames.items():
        for outcome, column in SURVEY.items():
            values = number(frame[column].where(~frame[column].isin(["-9"]))).dropna()
            wild[name] += int((~values.between(*RANGES[outcome])).sum())
    assert wild == planted(trial, "impossible_survey_scores") == dict.fromkeys(frames, 2)


def test_cleaning_by_the_stated_rules_gives_back_the_true_analysed_sample(
    trial: SimulatedTrial,
) -> None:
    people = trial.complete["teachers"]
    applicants = set(people.loc[people["applied"], "teacher_id"])
    ids = people["teacher_id"]
    years = trial.complete["teacher_years"]
    for year in (2022, 2023, 2024):
        survey = trial.files[f"survey_{year}.csv"]
        mine = survey[survey["teacher_id"].isin(applicants)].set_index("teacher_id")
        rows = years[years["year"] == year]
        for outcome, column in SURVEY.items():
            values = number(mine[column].where(mine[column] != "-9")).dropna()
            values = values[values.between(*RANGES[outcome])]
            assert len(values) == trial.truth["n_analysed"][outcome][str(year)]
            truth = pd.Series(rows[outcome].to_numpy(), ids.loc[rows["teacher"]].to_numpy())
            assert (np.abs(truth.loc[values.index] - values) <= 0.5).all()
        taught = trial.files[f"roster_{year}.csv"].drop_duplicates()
        home = taught.sort_values("days_enrolled", key=lambda days: days.astype(int))
        home = home.groupby("student_id")["teacher_id"].last().str.strip().str.zfill(5)
        pupils = set(home.index[home.isin(applicants)])
        assert len(pupils) == trial.truth["n_lottery_pupils"][str(year)]
        scores = trial.files[f"scores_{year}.csv"].drop_duplicates()
        value = pd.to_numeric(scores["rit_score"], errors="coerce")
        kept = scores[value.between(100, 350) & scores["student_id"].isin(pupils)]
        counts = kept["subject"].value_counts()
        assert counts["MATH"] == trial.truth["n_analysed"]["maths"][str(year)]
        assert counts["READ"] == trial.truth["n_analysed"]["ela"][str(year)]


def test_the_register_keeps_those_who_left_and_tells_the_truth_of_who_stayed(
    trial: SimulatedTrial,
) -> None:
    years, ids = trial.complete["teacher_years"], trial.complete["teachers"]["teacher_id"]
    assert named(trial, "staff")
    for name, register in named(trial, "staff").items():
        rows = years[years["year"] == int(name[6:10])]
        expected = rows["stays"].map({1.0: "Y", 0.0: "N"}).fillna("").to_numpy()
        found = register.set_index("teacher_id").loc[ids.loc[rows["teacher"]]]
        assert (found["here_next_october"].to_numpy() == expected).all()
        assert ((found["status"] == "left").to_numpy() == ~rows["in_post"].to_numpy()).all()
        assert ((found["grade"] == "") == (found["status"] == "left")).all()
        assert found["experience"].str.fullmatch(r"\d+,\d").all()
    assert (trial.files["staff_2022.csv"]["here_next_october"] == "").all()
    assert planted(trial, "renamed_column") == {"staff_2022.csv": 1}


def test_decimal_points_stand_where_no_commas_are_asked_for() -> None:
    point = simulate(dataclasses.replace(SMALL, decimal_comma=False), 1)
    comma = simulate(SMALL, 1)
    for name, column in (("survey_2023.csv", "P_MEAN"), ("staff_2023.csv", "experience")):
        found, expected = point.files[name][column], comma.files[name][column]
        assert (found == expected.str.replace(",", ".")).all()
        assert expected.str.contains(",").sum() == found.str.contains(r"\.").sum() > 10


# ---- how they are written ------------------------------------------------------------------------


def test_files_survive_being_written_as_they_are_said_to_be(trial: SimulatedTrial) -> None:
    assert trial.encodings["lottery_list.csv"] == "cp1252"
    assert trial.delimiters["lottery_list.csv"] == trial.delimiters["survey_2023.csv"] == ";"
    assert set(trial.encodings) == set(trial.files)
    for name, frame in trial.files.items():
        code, mark = trial.encodings[name], trial.delimiters.get(name, ",")
        raw = frame.to_csv(index=False, sep=mark).encode(code)
        back = pd.read_csv(
            io.BytesIO(raw), dtype=str, keep_default_na=False, encoding=code, sep=mark
        )
        assert (back.to_numpy() == frame.to_numpy()).all(), name
    raw = trial.files["lottery_list.csv"].to_csv(index=False).encode("cp1252")
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")


def test_a_trial_without_mess_has_none() -> None:
    none: Any = dict.fromkeys(
        ("duplicate_roster_rows", "duplicate_score_rows", "restyled_codes", "zero_padded_grades",
         "impossible_scores", "unknown_pupils", "accented_names", "double_applicants",
         "withdrawn_applicants", "restyled_take_up", "respelt_teachers",
         "impossible_survey_scores"), 0,
    )  # fmt: skip
    clean = dataclasses.replace(
        SMALL, **none, renamed_columns=(), encodings=(), within_year_mover_rate=0.0,
        missing_test_rate=0.0, nonresponse=tuple((g, 0.0) for g, _ in SMALL.nonresponse),
    )  # fmt: skip
    trial = simulate(clean, 1)
    assert trial.truth["faults"]
    assert all(fault["count"] == 0 for fault in trial.truth["faults"])
    assert trial.truth["n_analysed"]["maths"] == trial.truth["n_lottery_pupils"]
    assert trial.truth["n_analysed"]["knowledge"]["2023"] == trial.truth["n_applicants"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"impossible_survey_scores": 10**6}, "lower impossible_survey_scores"),
        ({"respelt_teachers": 10**6}, "lower respelt_teachers"),
        ({"withdrawn_applicants": 10**6}, "lower withdrawn_applicants"),
        ({"double_applicants": 10**6}, "lower double_applicants"),
        ({"renamed_columns": (("staff_1.csv", "a", "b"),)}, "'staff_1.csv', which the trial"),
        ({"encodings": (("staff.csv", "utf-8"),)}, "'staff.csv', which the trial"),
    ],
)
def test_a_fault_that_cannot_be_planted_is_refused(change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(dataclasses.replace(SMALL, **change), 1)
