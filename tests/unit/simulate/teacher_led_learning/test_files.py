import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.teacher_led_learning.parameters import Parameters
from schooltrial.simulate.teacher_led_learning.trial import simulate

DISTRICTS = ("north", "centre", "south")
SHEETS = tuple(f"observations_{name}.csv" for name in DISTRICTS)
KEY = ["teacher_id", "spring", "occasion", "rater"]
SMALL: dict[str, Any] = {
    "blocks": (("North", "elementary", 4), ("Centre", "elementary", 4), ("South", "elementary", 4)),
    "pupils_per_school": 60.0,
    "class_size": 10.0,
}


@pytest.fixture(scope="module")
def trial() -> SimulatedTrial:
    return simulate(Parameters(), seed=2023)


def planted(trial: SimulatedTrial, fault: str) -> dict[str, int]:
    return {f["file"]: f["count"] for f in trial.truth["faults"] if f["fault"] == fault}


def observations(trial: SimulatedTrial) -> dict[str, pd.DataFrame]:
    return {name: trial.files[name] for name in SHEETS}


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return sheets read by the stated rules: rater codes normalised, numbers with a point."""
    clean = frame.drop_duplicates().copy()
    clean["rater"] = clean["rater"].str.strip().str.upper()
    clean["value"] = pd.to_numeric(clean["score"].str.replace(",", "."), errors="coerce")
    clean["sheet"] = clean["sheet"].astype(int)
    return clean


def test_observations_hold_the_recorded_number_of_each_fault(trial: SimulatedTrial) -> None:
    staff = {t for name, f in trial.files.items() if name.startswith("staff")
             for t in f.rename(columns={"TeacherNo": "teacher_id"})["teacher_id"]}  # fmt: skip
    for name, frame in observations(trial).items():
        assert frame.duplicated().sum() == planted(trial, "duplicate_sheets")[name] == 5
        once = frame.drop_duplicates()
        odd = ~once["rater"].str.fullmatch(r"[A-Z]{3}\d{2}")
        assert odd.sum() == planted(trial, "restyled_raters")[name] == 20
        ahead = once["observed_on"].str[:4].astype(int) > once["spring"].astype(int)
        assert ahead.sum() == planted(trial, "future_dates")[name] == 3
        assert (once["score"] == "ABS").sum() == planted(trial, "absent_raters")[name] > 0
        clean = typed(frame)
        wild = clean["value"].notna() & ~clean["value"].between(1, 4)
        assert wild.sum() == planted(trial, "impossible_sheet_scores")[name] == 4
        stranger = ~clean["teacher_id"].isin(staff)
        assert stranger.sum() == planted(trial, "unknown_teachers")[name] == 2
        again = clean.duplicated(KEY)
        assert again.sum() == planted(trial, "conflicting_sheets")[name] == 4
        accents = (~frame["lesson"].map(str.isascii)).sum()
        assert accents == planted(trial, "accented_lessons")[name] > 0


def test_two_sheets_of_one_lesson_and_rater_have_different_scores(trial: SimulatedTrial) -> None:
    for frame in observations(trial).values():
        clean = typed(frame)
        twice = clean[clean.duplicated(KEY, keep=False)]
        assert (twice.groupby(KEY)["value"].nunique() == 2).all()
        assert twice["value"].between(1, 4).all()


def test_some_teachers_have_a_winter_lesson_before_the_autumn_one(trial: SimulatedTrial) -> None:
    for name, frame in observations(trial).items():
        clean = typed(frame)
        ahead = clean["observed_on"].str[:4].astype(int) > clean["spring"].astype(int)
        days = clean[~ahead].groupby(["teacher_id", "spring", "occasion"])["observed_on"].max()
        wide = days.unstack()
        wrong = wide["winter"] < wide["autumn"]
        assert wrong.sum() == planted(trial, "disordered_dates")[name] == 3
        both = wide[["spring", "autumn"]].dropna()
        assert (both["spring"] > both["autumn"]).all()


def test_missed_occasions_have_no_sheet(trial: SimulatedTrial) -> None:
    sheets = trial.complete["observations"]
    missed = sheets[sheets["status"] == "missed"].drop_duplicates(["staff", "occasion"])
    for name, district in zip(SHEETS, ("North", "Centre", "South"), strict=True):
        count = (missed["district"] == district).sum()
        assert count == planted(trial, "missed_occasions")[name]
        planned = (sheets["district"] == district).sum()
        rows = typed(trial.files[name])
        strangers = planted(trial, "unknown_teachers")[name]
        corrected = planted(trial, "conflicting_sheets")[name]
        assert len(rows) == planned - 2 * count + strangers + corrected
    assert len(missed) / (len(sheets) / 2) == pytest.approx(0.06, abs=0.01)


def test_cleaning_by_the_stated_rules_gives_back_the_true_scores(trial: SimulatedTrial) -> None:
    """The latest sheet stands, scores outside the rubric go, raters are read without case."""
    complete, teachers = trial.complete["observations"], trial.complete["teachers"]
    truth = complete[complete["status"] == "held"].assign(
        teacher_id=lambda f: teachers["teacher_id"].to_numpy(dtype=object)[f["staff"]],
        occasion=lambda f: np.array(["autumn", "winter", "spring"], dtype=object)[f["occasion"]],
        spring=lambda f: f["year"].astype(str),
    )
    rows = pd.concat([typed(frame) for frame in observations(trial).values()])
    rows = rows[rows["value"].between(1, 4) & rows["teacher_id"].isin(teachers["teacher_id"])]
    kept = rows.sort_values("sheet").drop_duplicates(KEY, keep="last")
    found = kept.set_index(KEY)["value"].sort_index()
    expected = truth.set_index(KEY)["score"].sort_index()
    assert len(found) == sum(trial.truth["n_sheets"].values())
    assert found.index.equals(expected.index)
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())
    by_year = kept.groupby("spring")["teacher_id"].nunique()
    assert by_year.to_dict() == trial.truth["n_analysed"]["practice"]


def test_one_district_writes_decimal_commas_and_semicolons(trial: SimulatedTrial) -> None:
    south = trial.files["observations_south.csv"]
    assert trial.delimiters == {"observations_south.csv": ";"}
    commas = south["score"].str.contains(",", regex=False).sum()
    assert planted(trial, "decimal_commas") == {"observations_south.csv": commas}
    for name in SHEETS[:2]:
        assert not trial.files[name]["score"].str.contains(",", regex=False).any()
    # A reader that splits the file at commas, or takes the comma for a thousands mark, is wrong.
    raw = south.to_csv(index=False, sep=";")
    assert ";" in raw.splitlines()[0]
    assert not south["score"].str.contains(".", regex=False).any()


def test_one_survey_lost_the_leading_zeros_of_the_teachers(trial: SimulatedTrial) -> None:
    staff = trial.files["staff_2024.csv"]["teacher_id"]
    survey = trial.files["survey_2024.csv"]["teacher_id"]
    short = (survey.str.len() < 5).sum()
    assert planted(trial, "lost_zeros") == {"survey_2024.csv": short}
    assert short > 50
    assert set(survey.str.zfill(5)) == set(staff)
    for year in (2022, 2023, 2025):
        assert (trial.files[f"survey_{year}.csv"]["teacher_id"].str.len() == 5).all()


def test_surveys_hold_the_true_knowledge_of_those_who_answered(trial: SimulatedTrial) -> None:
    teachers = trial.complete["teachers"]
    for year in (2022, 2024):
        frame = trial.files[f"survey_{year}.csv"]
        answered = frame[frame["score"] != ""]
        empty = planted(trial, "unreturned_surveys")[f"survey_{year}.csv"]
        assert len(frame) - len(answered) == empty > 0
        assert len(answered) == trial.truth["n_analysed"]["knowledge"][str(year)]
        assert (frame["returned_on"] == "").sum() == empty
        truth = teachers[teachers["year"] == year].set_index("teacher_id")["knowledge_score"]
        ids = answered["teacher_id"].str.zfill(5)
        np.testing.assert_allclose(answered["score"].astype(float), truth[ids], atol=1e-9)


def test_rosters_name_the_teacher_of_each_pupil_but_a_few(trial: SimulatedTrial) -> None:
    for year in (2022, 2025):
        name = f"roster_{year}.csv"
        once = trial.files[name].drop_duplicates()
        assert (once["teacher_id"] == "").sum() == planted(trial, "unlinked_pupils")[name] == 8
        staff = trial.files[f"staff_{year}.csv"].rename(columns={"TeacherNo": "teacher_id"})
        school = staff.set_index("teacher_id")["school_code"]
        taught = once[once["teacher_id"] != ""]
        assert (school[taught["teacher_id"]].to_numpy() == taught["school_code"].to_numpy()).all()
        truth = trial.pupils[trial.pupils["year"] == year].set_index("pupil_id")
        days = taught.assign(days=taught["days_enrolled"].astype(int)).sort_values("days")
        main = days.drop_duplicates("student_id", keep="last").set_index("student_id")
        both = main.index[main["school_code"] == truth.loc[main.index, "school_code"]]
        assert (main.loc[both, "teacher_id"] == truth.loc[both, "teacher_id"]).all()
        assert len(both) > 0.99 * len(truth)


def test_pupil_files_have_the_faults_of_the_school_trial_too(trial: SimulatedTrial) -> None:
    for year in (2022, 2023, 2024, 2025):
        once = trial.files[f"scores_{year}.csv"].drop_duplicates()
        wild = once["rit_score"].isin(["999", "0", "-1"]).sum()
        assert wild == planted(trial, "impossible_scores")[f"scores_{year}.csv"] == 4
        roster = trial.files[f"roster_{year}.csv"]
        assert (
            roster.duplicated().sum()
            == planted(trial, "duplicate_roster_rows")[f"roster_{year}.csv"]
        )


@pytest.mark.slow
def test_files_survive_being_written_in_their_encoding(trial: SimulatedTrial) -> None:
    assert trial.encodings["observations_centre.csv"] == "latin-1"
    assert set(trial.encodings) == set(trial.files)
    for name, frame in trial.files.items():
        code, mark = trial.encodings[name], trial.delimiters.get(name, ",")
        raw = frame.to_csv(index=False, sep=mark).encode(code)
        back = pd.read_csv(
            io.BytesIO(raw), dtype=str, keep_default_na=False, encoding=code, sep=mark
        )
        assert (back.to_numpy() == frame.to_numpy()).all(), name
    raw = trial.files["observations_centre.csv"].to_csv(index=False).encode("latin-1")
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")


def test_one_staff_list_calls_the_teachers_column_otherwise(trial: SimulatedTrial) -> None:
    odd = [name for name, frame in trial.files.items() if "TeacherNo" in frame]
    assert odd == list(planted(trial, "renamed_column")) == ["staff_2022.csv"]


def test_every_fault_names_a_file_that_is_written_and_a_count(trial: SimulatedTrial) -> None:
    assert trial.truth["faults"]
    for fault in trial.truth["faults"]:
        assert fault["file"] in trial.files
        assert fault["count"] >= 0
    told = [(fault["fault"], fault["file"]) for fault in trial.truth["faults"]]
    assert len(told) == len(set(told))


def test_observations_without_mess_have_none() -> None:
    counts = (
        "restyled_raters", "impossible_sheet_scores", "duplicate_sheets", "conflicting_sheets",
        "future_dates", "disordered_dates", "unknown_teachers", "unlinked_pupils",
    )  # fmt: skip
    rates = ("missed_occasion_rate", "absent_rater_rate", "unreturned_survey_rate")
    none: dict[str, Any] = dict.fromkeys(counts, 0) | dict.fromkeys(rates, 0.0)
    clean = Parameters(
        **SMALL, **none, lost_zero_years=(), decimal_comma_districts=(), renamed_columns=(),
        encodings=(),
    )  # fmt: skip
    trial = simulate(clean, 1)
    for name in SHEETS:
        kinds = {f["fault"]: f["count"] for f in trial.truth["faults"] if f["file"] == name}
        accents = kinds.pop("accented_lessons")
        assert accents > 0
        assert set(kinds.values()) == {0}
    assert trial.truth["n_analysed"]["practice"] == trial.truth["n_teachers"]
    assert trial.truth["n_analysed"]["knowledge"] == trial.truth["n_teachers"]
    assert trial.delimiters == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conflicting_sheets": 10**6}, "lower conflicting_sheets"),
        ({"disordered_dates": 1, "occasions": (("spring", "04-15"),)}, "0 places for it"),
        pytest.param(
            {"encodings": (("staff.csv", "utf-8"),)},
            "'staff.csv', which the trial",
            marks=pytest.mark.slow,
        ),
        ({"renamed_columns": (("staff_2022.csv", "a", "b"),)}, "column 'a' of 'staff_2022.csv'"),
    ],
)
def test_a_fault_that_cannot_be_planted_is_refused(change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(Parameters(**(SMALL | change)), 1)
