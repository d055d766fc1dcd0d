"""The files of a lottery of teachers, as districts and the university would send them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.random_streams import stream
from schooltrial.simulate.base import faults
from schooltrial.simulate.school_randomised.files import raw_files
from schooltrial.simulate.within_school_lottery.parameters import SURVEYED, LotteryParameters
from schooltrial.simulate.within_school_lottery.teachers import STRATA, draw_seed

Texts = NDArray[np.object_]


Planted = list[dict[str, Any]]


LIST = "lottery_list.csv"


NAMES = ("Émeraude", "Cobalt", "Grün", "Carmín", "Ochre", "Violeta", "Indigo", "Façade")


COLUMNS = {"knowledge": "K_TOTAL", "practice": "P_MEAN"}


DECIMALS = {"knowledge": 0, "practice": 2}


IMPOSSIBLE = {"knowledge": (999.0, -40.0), "practice": (44.0, 0.0)}


RESTYLE = ("{1}", " {0}", "{0} ", " {1}")


RESPELT = {"blanks": (" {0}", "{0} "), "lost_zeros": ("{2}",), "both": (" {0}", "{2}")}


@dataclass(frozen=True)
class LotteryFiles:
    """Raw files, how they are written, the faults in them, and the data with final status.

    Attributes
    ----------
    files : dict of str to pandas.DataFrame
        As in ``SimulatedTrial``.
    encodings, delimiters : dict of str to str
        As in ``SimulatedTrial``.
    faults : list of dict
        Their record.
    pupils, years : pandas.DataFrame
        The complete data; ``<subject>_status`` and ``<outcome>_status`` say which values can be
        had from the files (valid, absent, impossible).
    """

    files: dict[str, pd.DataFrame]
    encodings: dict[str, str]
    delimiters: dict[str, str]
    faults: Planted
    pupils: pd.DataFrame
    years: pd.DataFrame


def lottery_files(
    parameters: LotteryParameters,
    schools: pd.DataFrame,
    teachers: pd.DataFrame,
    years: pd.DataFrame,
    pupils: pd.DataFrame,
    seed: int,
) -> LotteryFiles:
    """Return the files of a trial.

    Parameters
    ----------
    parameters : LotteryParameters
        How many of each fault to plant.
    schools, teachers, years, pupils : pandas.DataFrame
        The complete data.
    seed : int
        Seed of the study; each file and fault has its own stream.

    Returns
    -------
    LotteryFiles
        ``schools.csv``, ``lottery_list.csv``, and for each year ``staff_<year>.csv``,
        ``survey_<year>.csv``, ``roster_<year>.csv`` and ``scores_<year>.csv``.

    Raises
    ------
    ValueError
        If more cells are to be spoilt than a file has, or a renamed column or an encoding is of a
        file or column that is not there.
    """
    # Rosters and scores are those of any trial; its list of schools drawn and its log are not.
    common = raw_files(parameters.pupil_population, schools, pupils, seed)
    files = {"schools.csv": common.files["schools.csv"].drop(columns="charter")}
    planted = list(common.faults)
    files[LIST], found = _lottery_list(parameters, schools, teachers, seed)
    planted += found
    years = years.assign(**{
        f"{o}_status": np.where(years["responds"], "valid", "absent") for o in SURVEYED
    })  # fmt: skip
    for year in parameters.years:
        rows = years[years["year"] == year]
        files[f"staff_{year}.csv"] = _staff(parameters, teachers, rows)
        files[f"survey_{year}.csv"], found, spoilt = _survey(parameters, teachers, rows, seed)
        planted += found
        for outcome, where in spoilt.items():
            years.loc[where, f"{outcome}_status"] = "impossible"
        roster, found = _roster(
            parameters, common.files[f"roster_{year}.csv"], schools, teachers,
            pupils[pupils["year"] == year], f"roster_{year}.csv", seed,
        )  # fmt: skip
        files[f"roster_{year}.csv"], files[f"scores_{year}.csv"] = (
            roster,
            common.files[f"scores_{year}.csv"],
        )
        planted += found
    planted += faults.rename_columns(parameters.renamed_columns, files)
    encodings, found = faults.encode(parameters.encodings, files)
    semicolons = {name: ";" for name in files if name == LIST or name.startswith("survey")}
    return LotteryFiles(files, encodings, semicolons, planted + found, common.pupils, years)


def _numbers(parameters: LotteryParameters, values: Any, decimals: int) -> list[str]:
    """Return numbers as text, with a decimal comma where the files have it."""
    mark = "," if parameters.decimal_comma else "."
    return [f"{value:.{decimals}f}".replace(".", mark) for value in np.asarray(values)]


def _lottery_list(
    parameters: LotteryParameters, schools: pd.DataFrame, teachers: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, Planted]:
    """Return the university's list: a row per applicant, with the result and the attendance."""
    rows = teachers[teachers["applied"]]
    rng = stream(seed, "lottery list")
    day = np.datetime64(parameters.assignment_date)
    applied = day - rng.integers(7, 60, len(rows)).astype("timedelta64[D]")
    frame = pd.DataFrame({
        "teacher_id": rows["teacher_id"].to_numpy(dtype=object),
        "teacher": [f"{NAMES[k % len(NAMES)]} {k + 1} (synthetic)" for k in range(len(rows))],
        "school_code": rows["school_code"].to_numpy(dtype=object),
        "school_name": schools["school_name"].to_numpy(dtype=object)[rows["school"]],
        "applied_on": applied.astype(str).astype(object),
        "places": rows["places"].astype(str).to_numpy(dtype=object),
        "result": np.where(rows["offered"], "OFFER", "WAIT").astype(object),
        "drawn_on": parameters.assignment_date,
        "draw_seed": str(draw_seed(seed)),
        "attended": _attended(parameters, rows, rng),
        "remark": "",
    }, dtype=object)  # fmt: skip
    never = np.flatnonzero((rows["stratum"] == STRATA[0]).to_numpy())
    left = never[
        faults.pick(len(never), parameters.withdrawn_applicants, "withdrawn_applicants", LIST, seed)
    ]
    later = np.datetime_as_string(day + np.timedelta64(30, "D"))
    frame.loc[left, "remark"] = f"withdrew on {later}"
    planted = [
        faults.record("withdrawn_applicants", LIST, len(left),
                      "withdrew after randomisation; they stay in the group assigned to them"),
    ]  # fmt: skip
    if parameters.take_up_record == "yes_no":
        cells = faults.pick(len(frame), parameters.restyled_take_up, "restyled_take_up", LIST, seed)
        _restyle(frame, "attended", cells, RESTYLE)
        planted.append(faults.record("restyled_take_up", LIST, len(cells),
                                     "Y or N in lower case or padded with a blank"))  # fmt: skip
    frame = frame.sort_values(["school_code", "teacher_id"], ignore_index=True)
    twice = faults.pick(len(frame), parameters.double_applicants, "double_applicants", LIST, seed)
    planted.append(faults.record("double_applicants", LIST, len(twice),
                                 "applied twice: exact repeats of a row"))  # fmt: skip
    return pd.concat([frame, frame.loc[twice]], ignore_index=True), planted


def _attended(parameters: LotteryParameters, rows: pd.DataFrame, rng: np.random.Generator) -> Texts:
    """Return take-up as the university recorded it."""
    took_up = rows["took_up"].to_numpy()
    # At least a tenth of the hours, so that hours above zero and take-up are the same.
    hours = parameters.certificate_hours * (0.1 + 0.9 * rng.beta(9, 1, len(rows)) / 0.9)
    if parameters.take_up_record == "yes_no":
        return np.where(took_up, "Y", "N").astype(object)
    return np.array(_numbers(parameters, np.where(took_up, hours, 0.0), 1), dtype=object)


def _restyle(
    frame: pd.DataFrame, column: str, rows: NDArray[np.int64], styles: tuple[str, ...]
) -> None:
    """Write cells otherwise, in place: {0} the text, {1} in lower case, {2} without zeros."""
    for order, row in enumerate(rows):
        text = frame.loc[row, column]
        frame.loc[row, column] = styles[order % len(styles)].format(
            text, text.lower(), text.lstrip("0")
        )


def _staff(
    parameters: LotteryParameters, teachers: pd.DataFrame, rows: pd.DataFrame
) -> pd.DataFrame:
    """Return a year's personnel register: those who left keep a row, without a class."""
    person = teachers.loc[rows["teacher"]].reset_index(drop=True)
    in_post = rows["in_post"].to_numpy()
    served = rows["year"].to_numpy() - person["first_year"].to_numpy()
    october = rows["stays"].map({1.0: "Y", 0.0: "N"}).fillna("")
    frame = pd.DataFrame({
        "teacher_id": person["teacher_id"].to_numpy(dtype=object),
        "school_code": person["school_code"].to_numpy(dtype=object),
        "status": np.where(in_post, "in post", "left").astype(object),
        "grade": np.where(in_post, person["grade"].astype(str), "").astype(object),
        "experience": _numbers(parameters, person["experience"].to_numpy() + served, 1),
        "here_next_october": october.to_numpy(dtype=object),
    }, dtype=object)  # fmt: skip
    return frame.sort_values(["school_code", "teacher_id"], ignore_index=True)


def _survey(
    parameters: LotteryParameters, teachers: pd.DataFrame, rows: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, Planted, dict[str, Any]]:
    """Return a year's survey, a column per scale, and which answers are impossible."""
    file = f"survey_{rows['year'].iloc[0]}.csv"
    rows = rows[rows["in_post"]]
    rng = stream(seed, "survey file", file)
    codes = np.array([code for code, _ in parameters.missing_codes], dtype=object)
    shown = rng.choice(codes, len(rows), p=[share for _, share in parameters.missing_codes])
    silent = ~rows["responds"].to_numpy()
    text = np.where(shown == "blank", "", shown)
    scores = {
        o: np.array(_numbers(parameters, rows[o], DECIMALS[o]), dtype=object) for o in SURVEYED
    }
    frame = pd.DataFrame({
        "teacher_id": teachers["teacher_id"].loc[rows["teacher"]].to_numpy(dtype=object),
        **{COLUMNS[o]: np.where(silent, text, scores[o]) for o in SURVEYED},
    }, index=rows.index, dtype=object)  # fmt: skip
    planted = [
        faults.record(f"missing_{code}", file, int((silent & (shown == code)).sum()),
                      f"surveys left empty, shown as '{code}'")
        for code in codes
    ]  # fmt: skip
    spoilt = {}
    answered = rows.index[~silent]
    cells = faults.pick(
        len(answered) * len(SURVEYED), parameters.impossible_survey_scores,
        "impossible_survey_scores", file, seed,
    )  # fmt: skip
    for place, outcome in enumerate(SURVEYED):
        where = answered[cells[cells % len(SURVEYED) == place] // len(SURVEYED)]
        values = _numbers(parameters, IMPOSSIBLE[outcome], DECIMALS[outcome])
        frame.loc[where, COLUMNS[outcome]] = [values[k % len(values)] for k in range(len(where))]
        spoilt[outcome] = where
    planted.append(faults.record("impossible_survey_scores", file, len(cells),
                                 "answers outside the range of the scale"))  # fmt: skip
    frame = frame[~(silent & (shown == "no_row"))]
    return frame.sort_values("teacher_id", ignore_index=True), planted, spoilt


def _roster(
    parameters: LotteryParameters,
    roster: pd.DataFrame,
    schools: pd.DataFrame,
    teachers: pd.DataFrame,
    pupils: pd.DataFrame,
    file: str,
    seed: int,
) -> tuple[pd.DataFrame, Planted]:
    """Return a roster with the class teacher of every row, some ids in another spelling."""
    ids, codes = teachers["teacher_id"], schools["school_code"].to_numpy(dtype=object)
    two = pupils[pupils["other_school"] >= 0]
    taught = pd.concat([
        pd.Series(
            ids.loc[rows[who]].to_numpy(dtype=object),
            index=pd.MultiIndex.from_arrays([rows["pupil_id"], codes[rows[where]]]),
        )
        for rows, who, where in (
            (pupils, "teacher", "school"),
            (two, "other_teacher", "other_school"),
        )
    ])  # fmt: skip
    spells = pd.MultiIndex.from_frame(roster[["student_id", "school_code"]])
    roster = roster.drop(columns="days_present")
    roster.insert(2, "teacher_id", taught.loc[spells].to_numpy(dtype=object))
    # Rows that repeat another to the letter go on doing so.
    alone = np.flatnonzero(~roster.duplicated(keep=False).to_numpy())
    cells = faults.pick(len(alone), parameters.respelt_teachers, "respelt_teachers", file, seed)
    _restyle(roster, "teacher_id", alone[cells], RESPELT[parameters.respelling])
    what = "teachers' ids padded with a blank or without their leading zeros"
    return roster, [faults.record("respelt_teachers", file, len(cells), what)]
