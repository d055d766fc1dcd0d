"""Faults planted in rosters and scores of pupils, so that cleaning has something to find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.random_streams import stream
from schooltrial.simulate.base.faults import pick, record
from schooltrial.simulate.school_randomised.parameters import Parameters

CODED = ("sex", "lunch_status", "english_learner", "special_education")


IMPOSSIBLE = ("999", "0", "-1")


UNKNOWN_FROM = 2_000_000
"""Pupils that are on no roster are numbered from here; all others lie below."""


def spoil_roster(
    parameters: Parameters, roster: pd.DataFrame, file: str, seed: int
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return a roster with faults, and the record of them."""
    roster = roster.copy()
    n = len(roster)
    cells = pick(n * len(CODED), parameters.restyled_codes, "restyled_codes", file, seed)
    restyle = ("{1}", " {0}", "{0} ", " {1}")
    for order, cell in enumerate(cells):
        row, column = cell // len(CODED), CODED[cell % len(CODED)]
        code = roster.loc[row, column]
        roster.loc[row, column] = restyle[order % len(restyle)].format(code, code.lower())
    rows = pick(n, parameters.zero_padded_grades, "zero_padded_grades", file, seed)
    roster.loc[rows, "grade"] = "0" + roster.loc[rows, "grade"]
    repeats = pick(n, parameters.duplicate_roster_rows, "duplicate_roster_rows", file, seed)
    roster = pd.concat([roster, roster.loc[repeats]], ignore_index=True)
    return roster, [
        record("restyled_codes", file, len(cells), "codes in lower case or padded with a blank"),
        record("zero_padded_grades", file, len(rows), "grades written 03 and not 3"),
        record("duplicate_roster_rows", file, len(repeats), "exact repeats of a row"),
    ]


def spoil_scores(
    parameters: Parameters, scores: pd.DataFrame, file: str, seed: int
) -> tuple[pd.DataFrame, list[dict[str, Any]], dict[str, NDArray[np.int64]]]:
    """Return a score file with faults, their record, and which pupils lost a score by subject.

    ``scores`` is indexed by the row of the pupils' frame, which the last result names again.
    """
    source = scores.index.to_numpy()
    scores = scores.reset_index(drop=True)
    numeric = np.flatnonzero(scores["rit_score"].str.fullmatch(r"\d+").to_numpy(dtype=bool))
    chosen = pick(len(numeric), parameters.impossible_scores, "impossible_scores", file, seed)
    rows = numeric[chosen]
    scores.loc[rows, "rit_score"] = [IMPOSSIBLE[k % len(IMPOSSIBLE)] for k in range(len(rows))]
    spoilt = {
        str(code): source[rows[(scores.loc[rows, "subject"] == code).to_numpy()]]
        for code in scores["subject"].unique()
    }
    strangers = _strangers(scores, parameters.unknown_pupils, file, seed)
    repeats = pick(len(scores), parameters.duplicate_score_rows, "duplicate_score_rows", file, seed)
    found = [
        record("impossible_scores", file, len(rows), "scores outside the range of the scale"),
        record("unknown_pupils", file, len(strangers), "rows of a pupil who is on no roster"),
        record("duplicate_score_rows", file, len(repeats), "exact repeats of a row"),
    ]
    return pd.concat([scores, strangers, scores.loc[repeats]], ignore_index=True), found, spoilt


def _strangers(scores: pd.DataFrame, count: int, file: str, seed: int) -> pd.DataFrame:
    """Return copies of ordinary rows under the numbers of pupils who are on no roster."""
    numeric = scores.index[scores["rit_score"].str.fullmatch(r"\d{3}").to_numpy(dtype=bool)]
    numeric = numeric[scores.loc[numeric, "rit_score"] != IMPOSSIBLE[0]]
    rows = numeric[pick(len(numeric), count, "unknown_pupils", file, seed)]
    numbers = stream(seed, "unknown numbers", file).choice(900_000, count, replace=False)
    return scores.loc[rows].assign(student_id=[str(UNKNOWN_FROM + k) for k in numbers])
