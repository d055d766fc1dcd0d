"""Raw files become standard tables; every change is in the log, with its count."""

import json
from io import BytesIO
from typing import Any

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from schooltrial.data.tables.keys import KEYS
from schooltrial.data.tables.reading import Study
from schooltrial.data.tables.standard_tables import empty_table, read_batches
from schooltrial.refusal import Refusal
from support.small_trial import SmallTrial


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
        ("roster_2020.csv", "sex", "code matched in upper and lower case"): 1,
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
    trial.reading("pupils")["duplicate_rows"] = "keep_one"
    roster = trial.files["roster_2019.csv"]
    roster += [roster[3], roster[3], roster[8]]
    trial.obtain()
    pd.testing.assert_frame_equal(_table(trial, "pupils"), before)
    entry = _log(trial)["roster_2019.csv", "", "identical rows: one was kept"]
    assert (entry["cells"], entry["rows"], entry["before"]) == (0, 3, "row 162")
    assert entry["after"] == "left out; row 4"


def test_of_rows_with_the_same_key_the_one_with_most_days_is_kept(trial: SmallTrial) -> None:
    trial.reading("pupils")["duplicate_keys"] = "days_enrolled"
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
    trial.reading("pupils")["columns"]["days_present"]["placeholder_years"] = [2019]
    trial.obtain()
    pupils = _table(trial, "pupils")
    assert pupils.loc[pupils["year"] == 2019, "days_present"].isna().all()
    assert pupils.loc[pupils["year"] == 2020, "days_present"].notna().all()
    rule = "placeholder of that year set to missing"
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
    trial.reading("schools")["collapse_repeats"] = True
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


def test_the_list_of_raw_files_holds_each_sheet_with_the_tables_that_it_fills(
    trial: SmallTrial,
) -> None:
    book = openpyxl.Workbook()
    for name in ("schools", "assignment"):
        sheet = book.create_sheet(name)
        for cells in trial.files.pop(f"{name}.csv"):
            sheet.append(cells)
        trial.reading(name).update({"file": "lists.xlsx", "sheet": name})
    content = BytesIO()
    book.save(content)
    trial.raw["lists.xlsx"] = content.getvalue()
    trial.obtain()
    listed = pd.read_csv(trial.path("raw_files.csv")).dropna(subset=["sheet"]).set_index("sheet")
    assert listed["tables"].to_dict() == {"assignment": "assignment", "schools": "schools"}
    assert listed["rows"].tolist() == [8, 8]


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


def _school_scores(trial: SmallTrial, cells: list[str], **spec: Any) -> pd.DataFrame:
    """Publish one outcome by school, and return the table of school scores."""
    rows = [[f"S{at}", "2019", text] for at, text in enumerate(cells, start=1)]
    trial.files["rates.csv"] = [["code", "spring", "rate"], *rows]
    value = {"column": "rate", "type": "number", **spec}
    columns = {"school": {"column": "code"}, "year": {"column": "spring"}}
    trial.protocol["tables"]["school_scores"] = [
        {"file": "rates.csv", "columns": columns, "outcomes": {"rate": value}}
    ]
    trial.protocol["outcomes"]["rate"] = {
        "label": "Rate", "family": "tests", "measured_on": "school", "range": [0, 100],
    }  # fmt: skip
    trial.obtain()
    return _table(trial, "school_scores").set_index("school")


def test_suppressed_rates_become_missing_and_are_logged_by_how_they_are_written(
    trial: SmallTrial,
) -> None:
    cells = ["*", "<10", "≥95", "20-29", "55.5%", "n<10", "s", "-"]
    table = _school_scores(trial, cells, suppressed="missing", percent=True, missing=["-"])
    assert table["value"].dropna().to_dict() == {"S5": 55.5}
    log = _log(trial)
    for kind in ("*", "<k", ">k", "range", "n<k", "s"):
        entry = log["rates.csv", "rate", f"suppressed cell written {kind!r} set to missing"]
        assert entry["cells"] == 1
    assert len(log) == 7


@pytest.mark.parametrize("cell", ["*", "s", "<10", "20-29"])
def test_a_suppressed_cell_that_is_not_declared_is_refused_with_the_key_that_declares_it(
    trial: SmallTrial, cell: str
) -> None:
    trial.set("roster_2019.csv", 4, "days_present", cell)
    trial.set("roster_2019.csv", 5, "days_present", "absent")
    with pytest.raises(Refusal) as refusal:
        trial.obtain()
    remedies = {fault.row: fault.remedy for fault in refusal.value.faults}
    assert "`suppressed`" in remedies[4]
    assert "`suppressed`" not in remedies[5]


def test_bounds_of_suppressed_rates_stand_beside_the_value_and_end_at_the_range(
    trial: SmallTrial,
) -> None:
    table = _school_scores(trial, ["*", "<10", "≥95", "20–29", "55"], suppressed="bounds")
    found = table[["value", "value_low", "value_high"]].fillna(-1).astype(int)
    assert found.to_numpy().tolist() == [
        [-1, -1, -1], [-1, 0, 10], [-1, 95, 100], [-1, 20, 29], [55, -1, -1]
    ]  # fmt: skip


def test_bounds_in_a_long_file_end_at_the_range_of_the_rows_own_outcome(trial: SmallTrial) -> None:
    value = trial.reading("scores")["columns"]["value"]
    value["suppressed"] = "bounds"
    trial.protocol["outcomes"]["maths"]["range"] = [100, 400]
    trial.protocol["outcomes"]["attendance"]["range"] = [0, 100]
    trial.set("scores_2019.csv", 2, "score", ">250")
    trial.set("scores_2019.csv", 3, "score", ">250")
    trial.obtain()
    scores = _table(trial, "scores").query("pupil == '0001' and year == 2019")
    bounds = scores.set_index("outcome")[["value_low", "value_high"]]
    assert bounds.loc["maths"].tolist() == [250, 400]
    assert bounds.loc["reading"].tolist() == [250, 500]


def test_numbers_are_read_in_the_notation_of_the_file_or_of_the_column(trial: SmallTrial) -> None:
    for year in (2019, 2020):
        for row in trial.files[f"scores_{year}.csv"][1:]:
            row[2] = row[2].replace(".", ",")
    reading = trial.reading("scores")
    reading |= {"delimiter": ";", "decimal": ","}
    for year in (2019, 2020):
        trial.raw[f"scores_{year}.csv"] = trial.text(f"scores_{year}.csv", ";").encode()
    trial.set("roster_2020.csv", 2, "days_present", '"1,140"')
    trial.reading("pupils")["columns"]["days_present"]["thousands"] = ","
    trial.obtain()
    assert _table(trial, "scores")["value"].between(100, 300).all()
    assert _table(trial, "pupils")["days_present"].max() == 1140


@pytest.mark.parametrize("ending", [".parquet", ".dta", ".xlsx"])
def test_a_number_held_as_such_is_never_read_in_the_notation_of_text(
    trial: SmallTrial, ending: str
) -> None:
    reading = trial.reading("pupils")
    reading |= {"decimal": ",", "thousands": "."}
    reading["columns"]["days_present"]["type"] = "number"
    held = [1.044, 2.0, 1234567.5, 0.125]
    for year in (2019, 2020):
        rows = trial.files[f"roster_{year}.csv"]
        frame = pd.DataFrame(rows[1:], columns=rows[0])
        frame["days_present"] = [held[row % 4] for row in range(len(frame))]
        write = {
            ".parquet": frame.to_parquet,
            ".dta": lambda path, frame=frame: frame.to_stata(path, write_index=False),
            ".xlsx": lambda path, frame=frame: frame.to_excel(path, index=False),
        }[ending]
        write(trial.folder / f"typed_{year}{ending}")
    reading["file"] = f"typed_{{year}}{ending}"
    trial.obtain()
    assert set(_table(trial, "pupils")["days_present"]) == set(held)


def test_a_workbook_may_hold_numbers_beside_text_in_the_notation_of_the_file(
    trial: SmallTrial,
) -> None:
    reading = trial.reading("schools")
    reading |= {"file": "schools.xlsx", "decimal": ",", "thousands": "."}
    reading["columns"]["size"] = {"column": "size", "type": "number"}
    rows = trial.files["schools.csv"]
    frame = pd.DataFrame(rows[1:], columns=rows[0]).astype(object)
    cells = [1.044, "1.044", "1,5", 1.5]
    frame["size"] = [cells[row % 4] for row in range(len(frame))]
    trial.write()
    frame.to_excel(trial.folder / "schools.xlsx", index=False)
    trial.obtain()
    sizes = _table(trial, "schools").set_index("school")["size"]
    expected = [1.044, 1044.0, 1.5, 1.5]
    at = {school: row % 4 for row, school in enumerate(frame["school_code"])}
    assert sizes.to_dict() == {school: expected[row] for school, row in at.items()}


def test_rows_are_sorted_by_year_then_outcome_and_each_year_is_a_row_group(
    trial: SmallTrial,
) -> None:
    trial.obtain()
    scores = _table(trial, "scores").astype({"outcome": "str"})
    key = ["year", "outcome", "pupil"]
    pd.testing.assert_frame_equal(scores, scores.sort_values(key, ignore_index=True))
    read = pd.read_parquet(trial.path("scores.parquet"), filters=[("year", "==", 2020)])
    assert len(read) == 320
    assert pq.ParquetFile(trial.path("scores.parquet")).num_row_groups == 2


def test_teachers_are_observed_once_by_nobody_in_particular_unless_told(trial: SmallTrial) -> None:
    trial.files["staff.csv"] = [["t", "year", "s"], ["T1", "2019", "S1"], ["T1", "2020", "S1"]]
    trial.files["visits.csv"] = [["t", "year", "score", "by"], ["T1", "2019", "3", ""]]
    teacher = {"teacher": {"column": "t"}, "year": {"column": "year"}}
    tables = trial.protocol["tables"]
    tables["teachers"] = [{"file": "staff.csv", "columns": {**teacher, "school": {"column": "s"}}}]
    practice = {"practice": {"column": "score", "type": "number"}}
    tables["observations"] = [{"file": "visits.csv", "columns": teacher, "outcomes": practice}]
    trial.protocol["outcomes"]["practice"] = {"label": "P", "family": "p", "measured_on": "teacher"}
    trial.obtain()
    first = _table(trial, "observations")
    assert first[["occasion", "rater"]].to_numpy().tolist() == [["1", ""]]
    teacher["rater"] = {"column": "by"}
    trial.files["visits.csv"].append(["T1", "2019", "4", "R2"])
    trial.obtain()
    assert _table(trial, "observations")["rater"].tolist() == ["", "R2"]


def test_the_unit_that_was_assigned_is_the_key_of_the_assignment(trial: SmallTrial) -> None:
    trial.protocol["design"] = {**trial.protocol["design"], "kind": "blocked", "unit": "pupil"}
    del trial.protocol["models"]["did"]  # of schools, in which there are both arms
    columns = trial.reading("assignment")["columns"]
    columns["pupil"] = {"column": "pupil_id"}
    rows = [[row[1], row[1], "CT"[at % 2], row[0]]
            for at, row in enumerate(trial.files["roster_2019.csv"][1:])]  # fmt: skip
    trial.files["assignment.csv"] = [["school_code", "pair", "arm", "pupil_id"], *rows]
    trial.obtain()
    assert len(_table(trial, "assignment")) == 160
    trial.files["assignment.csv"].append([*rows[0][:2], "T", rows[0][3]])
    with pytest.raises(Refusal) as caught:
        trial.obtain()
    (fault,) = caught.value.faults
    assert fault.found == (
        "pupil 0001 is in two groups: 'programme' here, 'control' in row 2 of assignment.csv"
    )
    assert fault.expected == "one group per pupil"


def test_a_cohort_that_is_empty_means_never_and_is_a_year_otherwise(trial: SmallTrial) -> None:
    trial.reading("assignment")["columns"]["cohort"] = {"column": "first"}
    for row, cells in enumerate(trial.files["assignment.csv"]):
        cells.append(("2020" if row % 2 else "") if row else "first")
    trial.obtain()
    cohort = _table(trial, "assignment")["cohort"]
    assert (cohort.dtype, cohort.isna().sum(), cohort.max()) == ("Int64", 4, 2020)


def test_a_file_that_lies_elsewhere_is_read_from_there(trial: SmallTrial) -> None:
    trial.write()
    other = trial.folder / "kept" / "f7" / "schools.csv"
    other.parent.mkdir(parents=True)
    trial.folder.joinpath("schools.csv").rename(other)
    content = trial.read().content
    study = Study(content["tables"], content["outcomes"], [2019, 2020])
    batches = list(read_batches(study, trial.folder, {"schools.csv": str(other)}))
    assert [batch.faults for batch in batches] == [[], [], []]
    assert sum(table.num_rows for table in batches[-1].tables["schools"]) == 8


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({"keep": "first"}, "S1"),
        ({"keep": "last"}, "S8"),
        ({"keep": "largest", "by": "days_enrolled"}, "S8"),
        ({"keep": "smallest", "by": "days_enrolled"}, "S1"),
    ],
)
def test_the_rule_declared_decides_which_of_two_rows_is_kept(
    trial: SmallTrial, rule: dict[str, str], kept: str
) -> None:
    trial.reading("pupils")["duplicate_keys"] = rule
    roster = trial.files["roster_2019.csv"]
    roster.append([roster[1][0], "S8", *roster[1][2:4], "190", "150"])
    trial.obtain()
    pupils = _table(trial, "pupils").query("year == 2019").set_index("pupil")
    assert pupils.loc["0001", "school"] == kept
    changes = _table(trial, "changes")
    (removed,) = changes.to_dict("records")
    assert removed["after"] == f"row {2 if kept == 'S1' else 162} was kept"
    assert json.loads(removed["before"])["school_code"] == ("S8" if kept == "S1" else "S1")


def test_a_row_whose_deciding_value_is_missing_is_never_kept_over_another(
    trial: SmallTrial,
) -> None:
    trial.reading("pupils")["duplicate_keys"] = {"keep": "smallest", "by": "days_enrolled"}
    roster = trial.files["roster_2019.csv"]
    roster.append([roster[1][0], "S8", *roster[1][2:4], "", "150"])
    trial.obtain()
    pupils = _table(trial, "pupils").query("year == 2019").set_index("pupil")
    assert pupils.loc["0001", "school"] == "S1"


@pytest.mark.parametrize("variable", ["arm", "block"])
def test_a_unit_without_an_arm_or_a_block_is_refused_with_its_row(
    trial: SmallTrial, variable: str
) -> None:
    spec = trial.reading("assignment")["columns"][variable]
    spec["required"] = False
    trial.set("assignment.csv", 3, spec["column"], "")
    with pytest.raises(Refusal) as refused:
        trial.obtain()
    (fault,) = refused.value.faults
    assert (fault.row, fault.column) == (3, spec["column"])
    assert f"no row of assignment may lack {variable!r}" in fault.found


LOG_OF_LEADERS = {
    "school": {"column": "school_code"},
    "leader": {"column": "leader"},
    "component": {"column": "component"},
    "period": {"column": "month"},
    "value": {"column": "hours", "type": "number"},
}


@pytest.mark.parametrize(
    ("leaders", "rows"), [(("L1", ""), [3]), (("", ""), []), (("L1", "L2"), [])]
)
def test_a_log_names_a_leader_in_every_row_or_in_none(
    trial: SmallTrial, leaders: tuple[str, str], rows: list[int]
) -> None:
    trial.protocol["tables"]["implementation"] = [{"file": "log.csv", "columns": LOG_OF_LEADERS}]
    head = ["school_code", "leader", "component", "month", "hours"]
    given = [
        ["0001", leader, "coaching", f"2020-0{at}", "2"] for at, leader in enumerate(leaders, 1)
    ]
    trial.files["log.csv"] = [head, *given]
    found: list[int | None] = []
    try:
        trial.obtain()
    except Refusal as refusal:
        found = [fault.row for fault in refusal.faults]
    assert found == rows


@pytest.mark.parametrize("cell", ["110-120", "<-", "≥101", "90-101"])
def test_bounds_beyond_the_range_are_refused_with_their_row(trial: SmallTrial, cell: str) -> None:
    with pytest.raises(Refusal) as refused:
        _school_scores(trial, ["55", cell], suppressed="bounds")
    assert [fault.row for fault in refused.value.faults] == [3]


def test_bounds_beyond_the_range_of_the_rows_own_outcome_are_refused(trial: SmallTrial) -> None:
    trial.reading("scores")["columns"]["value"]["suppressed"] = "bounds"
    trial.protocol["outcomes"]["maths"]["range"] = [100, 400]
    trial.protocol["outcomes"]["attendance"]["range"] = [0, 100]
    trial.set("scores_2019.csv", 2, "score", "390-410")
    with pytest.raises(Refusal) as refused:
        trial.obtain()
    assert {fault.row for fault in refused.value.faults} == {2}
