"""Staff lists, sheets of observations and surveys, as districts would send them, mess included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.random_streams import stream
from schooltrial.simulate.base.faults import pick, record
from schooltrial.simulate.school_randomised.programme import programme_log
from schooltrial.simulate.teacher_led_learning.observation_faults import spoil_observations
from schooltrial.simulate.teacher_led_learning.parameters import Parameters

ABSENT = "ABS"


INSTRUMENTS = {"practice": "RUBRIC", "knowledge": "SURVEY"}


EXPOSED_MONTHS = 0.3
"""Chance that a leader of an exposed control school joins the peer sessions of a month."""


@dataclass(frozen=True)
class TeacherFiles:
    """Raw files of teachers, delimiters, planted faults, and the sheets with final status."""

    files: dict[str, pd.DataFrame]
    delimiters: dict[str, str]
    faults: list[dict[str, Any]]
    sheets: pd.DataFrame


def teacher_files(
    parameters: Parameters, staff: pd.DataFrame, sheets: pd.DataFrame, seed: int
) -> TeacherFiles:
    """Return the files that are about teachers.

    Parameters
    ----------
    parameters : Parameters
        How many of each fault to plant.
    staff, sheets : pandas.DataFrame
        The complete data.
    seed : int
        Seed of the study; each file and fault has its own stream.

    Returns
    -------
    TeacherFiles
        ``staff_<year>.csv`` and ``survey_<year>.csv`` for each year, and
        ``observations_<district>.csv`` for each district, all years in one.
    """
    files: dict[str, pd.DataFrame] = {}
    delimiters: dict[str, str] = {}
    planted: list[dict[str, Any]] = []
    sheets = sheets.copy()
    for year, rows in staff.groupby("year", sort=True):
        files[f"staff_{year}.csv"] = _staff_list(rows)
        name = f"survey_{year}.csv"
        files[name], found = _survey(parameters, rows, int(str(year)), name, seed)
        planted += found
    for district, rows in sheets.groupby("district", sort=True):
        name = observation_file(str(district))
        text = _observations(parameters, staff, rows)
        text, found, wild = spoil_observations(parameters, text, name, seed)
        sheets.loc[wild, "status"] = "impossible"
        planted += [*_gaps(rows, name), *found]
        accents = int((~text["lesson"].map(str.isascii)).sum())
        what = "cells with a letter beyond ASCII"
        planted.append(record("accented_lessons", name, accents, what))
        if district in parameters.decimal_comma_districts:
            commas = text["score"].str.contains(".", regex=False)
            text["score"] = text["score"].str.replace(".", ",", regex=False)
            delimiters[name] = ";"
            planted.append(record("decimal_commas", name, int(commas.sum()),
                                  "scores with a decimal comma"))  # fmt: skip
        files[name] = text
    return TeacherFiles(files, delimiters, planted, sheets)


def observation_file(district: str) -> str:
    """Return the name of a district's file of observations."""
    return f"observations_{district.lower().replace(' ', '_')}.csv"


def _staff_list(rows: pd.DataFrame) -> pd.DataFrame:
    frame = rows[["teacher_id", "school_code", "grade", "since", "experience"]]
    names = {"since": "at_school_since", "experience": "experience_years"}
    frame = frame.rename(columns=names).astype(str).astype(object)
    return frame.sort_values("teacher_id", ignore_index=True)


def _survey(
    parameters: Parameters, rows: pd.DataFrame, year: int, name: str, seed: int
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return a year's survey, and what is wrong with it."""
    day = np.datetime64(f"{year}-05-05") + stream(seed, "survey dates", year).integers(
        0, 21, len(rows)
    ).astype("timedelta64[D]")
    returned = rows["returned"].to_numpy()
    text = np.array([f"{value:.2f}" for value in rows["knowledge_score"]], dtype=object)
    ids = rows["teacher_id"].to_numpy(dtype=object)
    found = [record("unreturned_surveys", name, int((~returned).sum()), "surveys left empty")]
    if year in parameters.lost_zero_years:
        short = np.array([number.lstrip("0") for number in ids], dtype=object)
        lost = int((short != ids).sum())
        found.append(record("lost_zeros", name, lost, "ids without their leading zeros"))
        ids = short
    frame = pd.DataFrame({
        "teacher_id": ids,
        "school_code": rows["school_code"].to_numpy(dtype=object),
        "instrument": INSTRUMENTS["knowledge"],
        "score": np.where(returned, text, ""),
        "returned_on": np.where(returned, day.astype(str).astype(object), ""),
    }, dtype=object)  # fmt: skip
    return frame.sort_values(["school_code", "teacher_id"], ignore_index=True), found


def _observations(parameters: Parameters, staff: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return a district's sheets in long form, indexed by the row of the complete sheets."""
    rows = rows[rows["status"] != "missed"]
    names = np.array([name for name, _ in parameters.occasions], dtype=object)
    teacher = staff.loc[rows["staff"], ["teacher_id", "school_code"]].to_numpy(dtype=object)
    score = [f"{value:.2f}" for value in rows["score"]]
    text = pd.DataFrame({
        "school_code": teacher[:, 1],
        "teacher_id": teacher[:, 0],
        "spring": rows["year"].astype(str).to_numpy(dtype=object),
        "occasion": names[rows["occasion"]],
        "rater": rows["rater"].to_numpy(dtype=object),
        "observed_on": rows["observed_on"].to_numpy(dtype=object),
        "lesson": rows["lesson"].to_numpy(dtype=object),
        "instrument": INSTRUMENTS["practice"],
        "score": np.where(rows["status"] == "absent", ABSENT, score),
    }, index=rows.index, dtype=object)  # fmt: skip
    text = text.sort_values(["observed_on", "teacher_id", "rater"], kind="stable")
    text.insert(0, "sheet", [str(number + 1) for number in range(len(text))])
    return text


def _gaps(rows: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    missed = rows[rows["status"] == "missed"][["staff", "occasion"]].drop_duplicates()
    absent = int((rows["status"] == "absent").sum())
    return [
        record("missed_occasions", name, len(missed), "occasions of a teacher without a sheet"),
        record("absent_raters", name, absent, f"sheets whose rater did not come, '{ABSENT}'"),
    ]


def link_rosters(
    parameters: Parameters,
    files: dict[str, pd.DataFrame],
    staff: pd.DataFrame,
    pupils: pd.DataFrame,
    seed: int,
) -> list[dict[str, Any]]:
    """Add ``teacher_id`` to the rosters in place, and return the record of those left out."""
    ids = np.append(staff["teacher_id"].to_numpy(dtype=object), "")
    codes = staff["school_code"].to_numpy(dtype=object)
    found = []
    for year, rows in pupils.groupby("year", sort=True):
        name = f"roster_{year}.csv"
        taught = {
            (pupil, codes[teacher]): ids[teacher]
            for column in ("staff", "other_staff")
            for pupil, teacher in zip(rows["pupil_id"], rows[column], strict=True)
            if teacher >= 0
        }
        roster = files[name]
        keys = list(zip(roster["student_id"], roster["school_code"], strict=True))
        roster["teacher_id"] = [taught[key] for key in keys]
        # Exact repeats stay exact, so a pupil loses the teacher on all of them.
        once = roster.index[~roster.duplicated()].to_numpy()
        gone = once[pick(len(once), parameters.unlinked_pupils, "unlinked_pupils", name, seed)]
        lost = {keys[row] for row in gone}
        blank = [key in lost for key in keys]
        roster.loc[blank, "teacher_id"] = ""
        found.append(record("unlinked_pupils", name, len(gone), "pupils without a teacher"))
    return found


def exposure_log(
    parameters: Parameters, schools: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, list[str]]:
    """Return the programme log of control schools that joined peer sessions, and their codes.

    Only some months, only ``peer_sessions``; the columns are those of ``programme_log``.
    """
    controls = np.sort(schools.loc[~schools["treated"], "school_code"].to_numpy(dtype=object))
    count = min(parameters.exposed_control_schools, len(controls))
    rng = stream(seed, "exposed schools")
    codes = sorted(rng.choice(controls, count, replace=False))
    joined = schools.assign(treated=schools["school_code"].isin(codes))
    log = programme_log(parameters, joined, seed)
    log = log[log["component"] == "peer_sessions"]
    log = log[rng.random(len(log)) < EXPOSED_MONTHS]
    log = log.assign(leader_id=[f"X{leader[1:]}" for leader in log["leader_id"]])
    return log, [str(code) for code in codes]
