"""Raw files become standard tables; every change is in the log, with its count."""

from typing import Any

import pandas as pd

from schooltrial.data.standard_tables import KEYS, empty_table
from small_trial import SmallTrial


def _log(trial: SmallTrial) -> dict[tuple[str, str, str], dict[str, Any]]:
    log = pd.read_csv(trial.path("cleaning_log.csv"), keep_default_na=False)
    return {(row["file"], row["column"], row["rule"]): dict(row) for _, row in log.iterrows()}


def _table(trial: SmallTrial, name: str) -> pd.DataFrame:
    return pd.read_parquet(trial.path(f"{name}.parquet"))


def test_a_clean_file_leaves_an_empty_log(trial: SmallTrial) -> None:
    trial.obtain()
    assert _log(trial) == {}


def test_tables_are_sorted_by_key_whatever_the_order_of_the_rows(trial: SmallTrial) -> None:
    trial.obtain()
    before = {name: _table(trial, name) for name in KEYS}
    for rows in trial.files.values():
        rows[1:] = rows[:0:-1]
    trial.obtain()
    for name, frame in before.items():
        pd.testing.assert_frame_equal(_table(trial, name), frame)


def test_identifiers_keep_their_leading_zeros(trial: SmallTrial) -> None:
    trial.obtain()
    assert _table(trial, "pupils")["pupil"].iloc[0] == "0001"


def test_levels_of_a_category_are_in_the_order_of_the_codes(trial: SmallTrial) -> None:
    trial.reading("schools")["columns"]["district"]["codes"] = {"S": "south", "N": "north"}
    trial.obtain()
    assert list(_table(trial, "schools")["district"].cat.categories) == ["south", "north"]


def test_a_category_may_be_coded_by_numbers(trial: SmallTrial) -> None:
    trial.reading("pupils")["columns"]["grade"] = {
        "column": "grade",
        "type": "category",
        "codes": {"3": 3, "4": 4, "5": 5},
    }
    trial.obtain()
    assert _table(trial, "pupils")["grade"].isna().sum() == 0
    assert list(_table(trial, "pupils")["grade"].cat.categories) == ["3", "4", "5"]


def test_the_log_counts_the_cells_that_each_rule_touched(trial: SmallTrial) -> None:
    for row in (2, 3, 4):
        trial.set("scores_2019.csv", row, "score", "ABS")
    for row in (5, 6):
        trial.set("roster_2020.csv", row, "sex", " M ")
    trial.set("roster_2020.csv", 7, "sex", "f")
    for row in (9, 11, 12):
        trial.set("scores_2020.csv", row, "score", "9999")
    trial.obtain()
    log = _log(trial)
    counts = {key: entry["cells"] for key, entry in log.items()}
    assert counts == {
        ("scores_2019.csv", "score", "code for not observed set to missing"): 3,
        ("roster_2020.csv", "sex", "blanks around the text removed"): 2,
        ("roster_2020.csv", "sex", "code read without regard to case"): 1,
        ("scores_2020.csv", "score", "reading outside 0 to 500 set to missing"): 2,
        ("scores_2020.csv", "score", "maths outside 0 to 500 set to missing"): 1,
    }
    entry = log["scores_2019.csv", "score", "code for not observed set to missing"]
    assert (entry["before"], entry["after"]) == ("ABS", "")
    scores = _table(trial, "scores")
    assert scores["value"].isna().sum() == 3 + 3
    assert scores["value"].max() <= 500


def test_identical_rows_are_kept_once_and_logged(trial: SmallTrial) -> None:
    trial.obtain()
    before = _table(trial, "pupils")
    trial.reading("pupils")["identical_rows"] = "keep_one"
    roster = trial.files["roster_2019.csv"]
    roster += [roster[3], roster[3], roster[8]]
    trial.obtain()
    pd.testing.assert_frame_equal(_table(trial, "pupils"), before)
    entry = _log(trial)["roster_2019.csv", "", "identical rows: one was kept"]
    assert (entry["cells"], entry["rows"], entry["before"]) == (0, 3, "row 162")
    assert entry["after"] == "left out; row 4"


def test_of_rows_with_the_same_key_the_one_with_most_days_is_kept(trial: SmallTrial) -> None:
    trial.reading("pupils")["same_key"] = "days_enrolled"
    roster = trial.files["roster_2019.csv"]
    fewer, more = list(roster[1]), list(roster[2])
    fewer[1:5] = ["S8", fewer[2], fewer[3], "20"]
    more[1:5] = ["S8", more[2], more[3], "181"]
    roster += [fewer, more]
    trial.obtain()
    pupils = _table(trial, "pupils").query("year == 2019").set_index("pupil")
    assert len(pupils) == 160
    assert pupils.loc["0001", "school"] == "S1"
    assert pupils.loc["0002", "school"] == "S8"
    rule = "rows with the same key: the one with most days_enrolled was kept"
    assert _log(trial)["roster_2019.csv", "", rule]["rows"] == 2


def test_placeholders_of_a_year_without_measurement_become_missing(trial: SmallTrial) -> None:
    trial.reading("pupils")["columns"]["days_present"]["not_observed_in"] = [2019]
    trial.obtain()
    pupils = _table(trial, "pupils")
    assert pupils.loc[pupils["year"] == 2019, "days_present"].isna().all()
    assert pupils.loc[pupils["year"] == 2020, "days_present"].notna().all()
    rule = "not observed in that year: placeholder set to missing"
    assert _log(trial)["roster_2019.csv", "days_present", rule]["cells"] == 160


def test_a_wide_file_gives_the_same_scores_as_a_long_one(trial: SmallTrial) -> None:
    trial.obtain()
    long = _table(trial, "scores").astype({"outcome": "str"})
    for year in (2019, 2020):
        rows = trial.files[f"scores_{year}.csv"][1:]
        wide = [["pupil_id", "m", "r"]]
        wide += [[m[0], m[2], r[2]] for m, r in zip(rows[::2], rows[1::2], strict=True)]
        trial.files[f"scores_{year}.csv"] = wide
    trial.protocol["tables"]["scores"] = [
        {
            "file": "scores_{year}.csv",
            "columns": {"pupil": {"column": "pupil_id"}},
            "outcomes": {
                "maths": {"column": "m", "type": "number"},
                "reading": {"column": "r", "type": "number"},
            },
        }
    ]
    trial.obtain()
    found = _table(trial, "scores").astype({"outcome": "str"})
    pd.testing.assert_frame_equal(found, long, check_like=True)


def test_facts_repeated_on_many_rows_become_one_row_each(trial: SmallTrial) -> None:
    trial.obtain()
    before = _table(trial, "schools")
    trial.reading("schools")["one_row_per_key"] = True
    trial.files["schools.csv"] += trial.files["schools.csv"][1:]
    trial.obtain()
    pd.testing.assert_frame_equal(_table(trial, "schools"), before)


def test_a_file_in_another_encoding_is_read_as_the_protocol_says(trial: SmallTrial) -> None:
    trial.reading("schools").update(encoding="windows-1252")
    trial.reading("schools")["columns"]["name"] = {"column": "name"}
    for row, cells in enumerate(trial.files["schools.csv"]):
        cells.append("École – Nord" if row else "name")
    trial.raw["schools.csv"] = trial.text("schools.csv").encode("cp1252")
    trial.obtain()
    assert set(_table(trial, "schools")["name"]) == {"École – Nord"}


def test_a_byte_order_mark_is_no_part_of_the_first_name(trial: SmallTrial) -> None:
    trial.raw["schools.csv"] = trial.text("schools.csv").encode("utf-8-sig")
    trial.obtain()
    assert len(_table(trial, "schools")) == 8


def test_a_date_is_read_as_a_date(trial: SmallTrial) -> None:
    trial.reading("schools")["columns"]["opened"] = {"column": "opened", "type": "date"}
    for row, cells in enumerate(trial.files["schools.csv"]):
        cells.append("1999-09-01" if row else "opened")
    trial.obtain()
    assert set(_table(trial, "schools")["opened"]) == {pd.Timestamp("1999-09-01")}


def test_a_study_without_a_table_gets_an_empty_one_with_its_key(trial: SmallTrial) -> None:
    trial.obtain()
    assert list(_table(trial, "implementation")) == KEYS["implementation"]
    assert empty_table("schools").empty


def test_the_list_of_raw_files_holds_rows_bytes_and_checksum(trial: SmallTrial) -> None:
    trial.reading("schools")["file"] = "schools.csv.gz"
    trial.raw["schools.csv.gz"] = trial.compress("schools.csv")
    trial.obtain()
    listed = pd.read_csv(trial.path("raw_files.csv")).set_index("file")
    assert listed.loc["roster_2019.csv", "rows"] == 160
    assert listed.loc["schools.csv.gz", "rows"] == 8
    size = len(trial.raw["schools.csv.gz"])
    assert listed.loc["schools.csv.gz", "bytes"] == size
    assert (listed["sha256"].str.len() == 64).all()
