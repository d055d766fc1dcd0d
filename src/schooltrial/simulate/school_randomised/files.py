"""The clean truth turned into files as a school district would send them, mess included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.random_streams import stream
from schooltrial.simulate.base import faults
from schooltrial.simulate.school_randomised.faults import spoil_roster, spoil_scores
from schooltrial.simulate.school_randomised.parameters import LEVEL_GRADES, SUBJECTS, Parameters
from schooltrial.simulate.school_randomised.programme import programme_costs, programme_log

SUBJECT_CODES = {"maths": "MATH", "ela": "READ"}


NO_ROW = "no_row"


FIRST_WORDS = ("Amber", "Cobalt", "Copper", "Indigo", "Ochre", "Russet", "Silver", "Umber")


SECOND_WORDS = ("Abacus", "Anchor", "Compass", "Lantern", "Pendulum", "Sextant")


ACCENTED_WORDS = ("Étoile", "Forêt", "Lumière")


@dataclass(frozen=True)
class RawFiles:
    """Raw files, their encodings, the faults planted in them, and the pupils with final status."""

    files: dict[str, pd.DataFrame]
    encodings: dict[str, str]
    faults: list[dict[str, Any]]
    pupils: pd.DataFrame


def randomisation_seed(seed: int) -> int:
    """Return the seed of a draw that is made here, as the allocation list records it."""
    return int(stream(seed, "assignment").integers(2**31))


def school_names(n: int, accented: int) -> list[str]:
    """Return n distinct invented names; the first few bear an accent, and all say synthetic."""
    most = len(FIRST_WORDS) * len(ACCENTED_WORDS)
    if accented > min(n, most):
        raise ValueError(
            f"accented_names is {accented}, but only {min(n, most)} of the {n} school names can "
            "bear an accent; lower it."
        )
    names = []
    for index in range(n):
        first = FIRST_WORDS[index % len(FIRST_WORDS)]
        turn = index // len(FIRST_WORDS)
        second = SECOND_WORDS[turn % len(SECOND_WORDS)]
        if index < accented:
            second = ACCENTED_WORDS[turn]
        number = "" if turn < len(SECOND_WORDS) else f" {turn // len(SECOND_WORDS) + 1}"
        names.append(f"{first} {second} School{number} (synthetic)")
    return names


def raw_files(
    parameters: Parameters,
    schools: pd.DataFrame,
    pupils: pd.DataFrame,
    seed: int,
    draw_seed: int | None = None,
) -> RawFiles:
    """Return the files of a trial.

    Parameters
    ----------
    parameters : Parameters
        How many of each fault to plant.
    schools, pupils : pandas.DataFrame
        The complete data.
    seed : int
        Seed of the study; each file and fault has its own stream.
    draw_seed : int, optional
        Seed of the draw, as the list tells it; by default that of `randomisation_seed`.

    Returns
    -------
    RawFiles
        ``schools.csv``, ``assignment_list.csv``, ``programme_log.csv``, ``programme_costs.csv``
        where there are ingredients, and for each year
        ``roster_<year>.csv`` and ``scores_<year>.csv``.

    Raises
    ------
    ValueError
        If more cells are to be spoilt than a file has, or a renamed column or an encoding is of a
        file or column that is not there.
    """
    pupils = pupils.copy()
    draw_seed = randomisation_seed(seed) if draw_seed is None else draw_seed
    files = {
        "schools.csv": _schools(schools),
        "assignment_list.csv": _assignment(parameters, schools, draw_seed),
        "programme_log.csv": programme_log(parameters, schools, seed),
    }
    if parameters.ingredients:
        files["programme_costs.csv"] = programme_costs(parameters, files["programme_log.csv"])
    planted = [faults.record("accented_names", "schools.csv", parameters.accented_names,
                             "school names with a letter beyond ASCII")]  # fmt: skip
    for year, rows in pupils.groupby("year", sort=True):
        name = f"roster_{year}.csv"
        roster, found = spoil_roster(parameters, _roster(parameters, schools, rows, seed),
                                            name, seed)  # fmt: skip
        files[name] = roster
        planted.append(faults.record("pupils_on_two_rosters", name,
                                     int((rows["other_school"] >= 0).sum()),
                                     "pupils who change school inside the year"))  # fmt: skip
        planted += found
        name = f"scores_{year}.csv"
        scores, absent = _scores(parameters, rows, int(year), seed)
        files[name], found, spoilt = spoil_scores(parameters, scores, name, seed)
        for code, count in absent.items():
            planted.append(faults.record(f"absent_{code}", name, count, _ABSENT.format(code)))
        planted += found
        for subject, code in SUBJECT_CODES.items():
            pupils.loc[spoilt[code], f"{subject}_status"] = "impossible"
    planted += faults.rename_columns(parameters.renamed_columns, files)
    encodings, found = faults.encode(parameters.encodings, files)
    return RawFiles(files, encodings, planted + found, pupils)


_ABSENT = "tests not sat, shown as '{}'"


def _schools(schools: pd.DataFrame) -> pd.DataFrame:
    spans = {level: f"{grades[0]}-{grades[-1]}" for level, grades in LEVEL_GRADES.items()}
    frame = schools[["school_code", "school_name", "district", "level"]].copy()
    frame["grades"] = schools["level"].map(spans)
    frame["charter"] = np.where(schools["charter"], "Y", "N")
    return frame.sort_values("school_code", ignore_index=True)


def _assignment(parameters: Parameters, schools: pd.DataFrame, draw_seed: int) -> pd.DataFrame:
    frame = schools[["school_code", "district", "level", "block", "arm"]].copy()
    frame["date_drawn"] = parameters.assignment_date
    frame["draw_seed"] = str(draw_seed)
    return frame.sort_values(["block", "school_code"], ignore_index=True)


def _roster(
    parameters: Parameters, schools: pd.DataFrame, rows: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Return a year's roster: a row per pupil, two for those who change school inside the year."""
    year = int(rows["year"].iloc[0])
    both = rows[rows["other_school"] >= 0]
    second = both.assign(
        school=both["other_school"], days=both["other_days"], entry_day=both["other_entry_day"]
    )
    spells = pd.concat([rows, second], ignore_index=True)
    # About 284 calendar days from the first school day to the last.
    elapsed = spells["entry_day"].to_numpy() * 284 // parameters.school_days
    entry = np.datetime64(f"{year - 1}-09-04") + elapsed.astype("timedelta64[D]")
    attended = np.rint(spells["days"].to_numpy() * spells["attendance"].to_numpy() / 100)
    roster = pd.DataFrame({
        "student_id": spells["pupil_id"].to_numpy(dtype=object),
        "school_code": schools["school_code"].to_numpy(dtype=object)[spells["school"]],
        "grade": _text(spells["grade"]),
        "sex": np.where(spells["male"], "M", "F").astype(object),
        "lunch_status": spells["lunch"].to_numpy(dtype=object),
        "english_learner": np.where(spells["english_learner"], "Y", "N").astype(object),
        "special_education": np.where(spells["special_education"], "Y", "N").astype(object),
        "entry_date": entry.astype(str).astype(object),
        "days_enrolled": _text(spells["days"]),
        "days_present": _text(attended.astype(int)),
    }, dtype=object)  # fmt: skip
    return roster.sort_values(["school_code", "student_id"], ignore_index=True)


def _scores(
    parameters: Parameters, rows: pd.DataFrame, year: int, seed: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return a year's scores in long form, indexed by the row of the pupils' frame."""
    rng = stream(seed, "score file", year)
    codes = [code for code, _ in parameters.absent_codes]
    shares = [share for _, share in parameters.absent_codes]
    parts, counts = [], dict.fromkeys(codes, 0)
    for subject in SUBJECTS:
        absent = (rows[f"{subject}_status"] == "absent").to_numpy()
        shown = rng.choice(np.array(codes, dtype=object), len(rows), p=shares)
        for code in codes:
            counts[code] += int((absent & (shown == code)).sum())
        text = np.where(absent, np.where(shown == "blank", "", shown), _text(rows[subject]))
        day = np.datetime64(f"{year}-04-20") + rng.integers(0, 30, len(rows)).astype(
            "timedelta64[D]"
        )
        part = pd.DataFrame({
            "student_id": rows["pupil_id"].to_numpy(dtype=object),
            "subject": SUBJECT_CODES[subject],
            "rit_score": text,
            "test_date": day.astype(str).astype(object),
        }, index=rows.index, dtype=object)  # fmt: skip
        parts.append(part[~(absent & (shown == NO_ROW))])
    return pd.concat(parts).sort_values(["student_id", "subject"], kind="stable"), counts


def _text(values: Any) -> np.ndarray[Any, np.dtype[np.object_]]:
    """Return whole numbers as text, cell by cell the same object for the same number."""
    numbers, place = np.unique(np.asarray(values), return_inverse=True)
    return np.array([str(number) for number in numbers], dtype=object)[place]
