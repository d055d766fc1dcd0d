"""A file that is wide by year is read by one reading for each year."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.refusal import Refusal
from support.small_trial import SmallTrial

YEARS = (2019, 2020)


@pytest.fixture
def wide(trial: SmallTrial) -> SmallTrial:
    """Return the trial whose scores lie in one file, a column for each subject and year."""
    columns: dict[str, dict[str, str]] = {}
    for year in YEARS:
        for pupil, subject, score in trial.files.pop(f"scores_{year}.csv")[1:]:
            columns.setdefault(pupil, {})[f"{subject}_{year}"] = score
    header = [f"{subject}_{year}" for year in YEARS for subject in ("MATH", "READ")]
    rows = [[pupil, *(held[name] for name in header)] for pupil, held in columns.items()]
    trial.files["scores.csv"] = [["pupil_id", *header], *rows]
    trial.protocol["tables"]["scores"] = [_reading(year) for year in YEARS]
    return trial


def _reading(year: int) -> dict[str, Any]:
    return {
        "file": "scores.csv",
        "year": year,
        "columns": {"pupil": {"column": "pupil_id"}},
        "outcomes": {
            "maths": {"column": f"MATH_{year}", "type": "number"},
            "reading": {"column": f"READ_{year}", "type": "number"},
        },
    }


def _scores(trial: SmallTrial) -> pd.DataFrame:
    trial.obtain()
    scores = pd.read_parquet(trial.path("scores.parquet"))
    return scores.astype({"outcome": "str"})[["pupil", "year", "outcome", "value"]]


def test_scores_wide_by_year_are_those_of_a_file_per_year(
    wide: SmallTrial, tmp_path_factory: pytest.TempPathFactory
) -> None:
    long = SmallTrial(tmp_path_factory.mktemp("long"))
    pd.testing.assert_frame_equal(_scores(wide), _scores(long))


def test_those_who_were_not_there_in_a_year_leave_it_and_are_logged(wide: SmallTrial) -> None:
    wide.set("scores.csv", 2, "MATH_2019", "")
    wide.set("scores.csv", 2, "READ_2019", "")
    wide.set("scores.csv", 3, "MATH_2019", "")
    wide.protocol["tables"]["scores"][0]["keep_if_any"] = ["maths", "reading"]
    scores = _scores(wide)
    assert scores[scores["year"] == 2019]["pupil"].nunique() == 159
    assert scores[scores["year"] == 2020]["pupil"].nunique() == 160
    assert scores["value"].isna().sum() == 1
    log = pd.read_csv(wide.path("cleaning_log.csv"), keep_default_na=False)
    (entry,) = log[log["rows"] > 0].to_dict("records")
    assert (entry["rule"], entry["rows"], entry["before"]) == (
        "rows left out: maths and reading empty", 1, "row 2",
    )  # fmt: skip


def test_the_list_of_raw_files_tells_how_many_rows_of_the_table_each_row_makes(
    wide: SmallTrial,
) -> None:
    wide.obtain()
    raw = pd.read_csv(wide.path("raw_files.csv")).set_index("file")
    assert raw.loc["scores.csv", "tables"] == "scores × 2; scores × 2"
    assert raw.loc["scores.csv", "rows"] * 4 == len(_scores(wide))


def _faults(trial: SmallTrial) -> list[str]:
    trial.write()
    with pytest.raises(Refusal) as refusal:
        trial.read()
    return [fault.found for fault in refusal.value.faults]


def test_a_year_that_is_none_of_the_study_is_refused(wide: SmallTrial) -> None:
    wide.protocol["tables"]["scores"][1]["year"] = 2031
    assert any("2031" in found for found in _faults(wide))


def test_a_year_beside_a_file_per_year_is_refused(wide: SmallTrial) -> None:
    wide.protocol["tables"]["scores"][1]["file"] = "scores_{year}.csv"
    assert any(
        "has both `year: 2020` and {year} in its file name" in found for found in _faults(wide)
    )


def test_rows_can_only_be_kept_by_variables_that_are_read(wide: SmallTrial) -> None:
    wide.protocol["tables"]["scores"][0]["keep_if_any"] = ["mths"]
    assert any("mths" in found for found in _faults(wide))


def test_a_year_in_a_column_must_be_that_of_the_reading(trial: SmallTrial) -> None:
    trial.files["roster_2019.csv"] = [
        [*row, "year" if at == 0 else "2019"]
        for at, row in enumerate(trial.files["roster_2019.csv"])
    ]
    trial.set("roster_2019.csv", 5, "year", "2020")
    reading = trial.reading("pupils")
    columns = reading["columns"]
    dated = {**columns, "year": {"column": "year", "type": "integer"}}
    trial.protocol["tables"]["pupils"] = [
        {"file": "roster_2019.csv", "year": 2019, "columns": dated},
        {"file": "roster_2020.csv", "year": 2020, "columns": columns},
    ]
    with pytest.raises(Refusal) as refusal:
        trial.obtain()
    (fault,) = refusal.value.faults
    assert (fault.row, fault.column) == (5, "year")
    assert fault.expected == "2019, the year in the file name or in `year`"
    assert fault.remedy.startswith("correct the cell")
    for row in range(2, len(trial.files["roster_2019.csv"])):
        trial.set("roster_2019.csv", row, "year", "2020")
    with pytest.raises(Refusal) as refusal:
        trial.obtain()
    assert refusal.value.faults[0].remedy.startswith("delete `year` of this file in the protocol")
