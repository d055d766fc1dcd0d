"""Contents that mislead: refused with all that is wrong, or kept with a line in the log."""

import datetime
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from schooltrial.refusal import Fault
from support.small_trial import SmallTrial

Refused = Callable[[], list[Fault]]


def _log(trial: SmallTrial) -> pd.DataFrame:
    return pd.read_csv(trial.path("cleaning_log.csv"), keep_default_na=False)


def _table(trial: SmallTrial, name: str) -> pd.DataFrame:
    return pd.read_parquet(trial.path(f"{name}.parquet"))


def test_a_single_line_of_ten_megabytes_is_refused_in_few_words(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.raw["schools.csv"] = b"S" * 10_000_000
    trial.raw["assignment.csv"] = b"school_code,pair,arm\n" + b"S1" * 5_000_000
    faults = refused()
    assert {(fault.file, fault.row) for fault in faults} == {
        ("schools.csv", 1),
        ("assignment.csv", 2),
    }
    assert all(len(str(fault)) < 500 for fault in faults)


def test_a_cell_of_many_characters_is_shown_shortened(trial: SmallTrial, refused: Refused) -> None:
    trial.set("scores_2020.csv", 7, "score", "9x" * 1000)
    (fault,) = refused()
    assert fault.row == 7
    assert len(fault.found) < 120


def test_a_nul_byte_is_named_with_its_line(trial: SmallTrial, refused: Refused) -> None:
    trial.set("roster_2019.csv", 5, "sex", "F\0")
    (fault,) = refused()
    assert (fault.file, fault.row, fault.found) == ("roster_2019.csv", 5, "a NUL byte")


def test_lines_in_two_encodings_are_all_named(trial: SmallTrial, refused: Refused) -> None:
    trial.reading("schools")["columns"]["name"] = {"column": "name"}
    lines = [b"school_code,district,name"]
    for at in range(1, 9):
        name = "Étoile".encode("cp1252" if at % 2 else "utf-8")
        lines.append(f"S{at},N,".encode() + name)
    trial.raw["schools.csv"] = b"\n".join(lines)
    assert [fault.row for fault in refused()] == [2, 4, 6, 8]


def test_a_file_in_utf_16_is_named_as_such(trial: SmallTrial, refused: Refused) -> None:
    trial.raw["schools.csv"] = trial.text("schools.csv").encode("utf-16")
    (fault,) = refused()
    assert fault.found == "the file is UTF-16"
    assert "set `encoding: utf-16`" in fault.remedy
    trial.reading("schools")["encoding"] = "utf-16"
    trial.obtain()


def test_two_header_rows_that_were_merged_are_refused(trial: SmallTrial, refused: Refused) -> None:
    rows = trial.files["roster_2020.csv"]
    rows.insert(0, ["Pupil", "", "", "", "Days", ""])
    (fault,) = refused()
    assert (fault.row, fault.expected) == (1, "the column names")
    assert "`header_row: 2`" in fault.remedy
    trial.reading("pupils")["header_row"] = 2
    trial.files["roster_2019.csv"].insert(0, rows[0])
    trial.obtain()


def test_a_second_header_row_among_the_rows_is_refused_with_its_cells(
    trial: SmallTrial, refused: Refused
) -> None:
    rows = trial.files["roster_2020.csv"]
    rows.insert(80, list(rows[0]))
    assert {(fault.row, fault.column) for fault in refused()} == {
        (81, "grade"), (81, "sex"), (81, "days_enrolled"), (81, "days_present")
    }  # fmt: skip


def test_an_unreadable_file_that_fills_two_tables_is_told_once(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.raw["schools.csv"] = b"school_code,district,pair,arm\nS1,N\n"
    trial.reading("assignment")["file"] = "schools.csv"
    (fault,) = refused()
    assert fault.found == "the row has 2 cells"


@pytest.mark.parametrize("text", ["=cmd()", "+1+2", "@SUM(A1)", "-x", "=1|2"])
def test_text_that_a_spreadsheet_would_run_is_kept_and_told(trial: SmallTrial, text: str) -> None:
    trial.reading("schools")["columns"]["name"] = {"column": "name"}
    for row, cells in enumerate(trial.files["schools.csv"]):
        cells.append(text if row == 3 else "plain" if row else "name")
    trial.obtain()
    assert text in set(_table(trial, "schools")["name"])
    (entry,) = _log(trial).to_dict("records")
    assert entry["rule"] == "text that a spreadsheet would run as a formula (kept as text)"
    assert (entry["cells"], entry["rows"]) == (1, 0)
    assert entry["before"] == entry["after"] == f"'{text}"


@pytest.mark.parametrize("text", ["../S3", "S/3", "S\\3", "..", "S\x073", "S\x7f3"])
def test_an_identifier_that_could_be_a_path_is_refused(
    trial: SmallTrial, refused: Refused, text: str
) -> None:
    trial.set("schools.csv", 4, "school_code", text)
    (fault,) = refused()
    assert (fault.row, fault.column, fault.found) == (4, "school_code", f"the value {text!r}")
    assert fault.expected.startswith("an identifier without /, \\, .., control characters")


def test_a_pupil_whose_identifier_could_be_a_path_is_refused(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.set("roster_2020.csv", 9, "pupil_id", "0/08")
    assert [(fault.row, fault.column) for fault in refused()] == [(9, "pupil_id")]


def test_lost_leading_zeros_are_refused_or_put_back_as_declared(
    trial: SmallTrial, refused: Refused
) -> None:
    pupil = trial.reading("pupils")["columns"]["pupil"]
    pupil["width"] = 4
    trial.set("roster_2020.csv", 2, "pupil_id", "1")
    trial.set("roster_2020.csv", 3, "pupil_id", "12345")
    trial.set("roster_2020.csv", 4, "pupil_id", "A3")
    short, *other = sorted(refused(), key=lambda fault: fault.row or 0)
    assert (short.row, short.expected) == (2, "4 characters")
    assert "`pad: true`" in short.remedy
    assert [fault.row for fault in other] == [3, 4]
    pupil["pad"] = True
    trial.set("roster_2020.csv", 3, "pupil_id", "2")
    trial.set("roster_2020.csv", 4, "pupil_id", "0003")
    trial.obtain()
    (entry,) = _log(trial).to_dict("records")
    assert (entry["rule"], entry["cells"]) == ("leading zeros restored", 2)
    assert set(_table(trial, "pupils")["pupil"].str.len()) == {4}


def _workbook(trial: SmallTrial, cells: list[list[Any]]) -> None:
    trial.folder.mkdir(exist_ok=True)
    frame = pd.DataFrame(cells, dtype=object)
    frame.to_excel(trial.folder / "schools.xlsx", header=False, index=False)
    trial.reading("schools")["file"] = "schools.xlsx"


def test_identifiers_that_a_workbook_made_dates_or_fractions_are_refused(
    trial: SmallTrial, refused: Refused
) -> None:
    rows: list[list[Any]] = [["school_code", "district"]]
    rows += [[datetime.date(2019, 3, 1), "N"], [12.5, "N"], [3, "S"], ["S4", "S"]]
    _workbook(trial, rows)
    first, second = refused()
    assert (first.row, first.found) == (2, "a date, 2019-03-01, where an identifier is read")
    assert (second.row, second.found) == (3, "a number, 12.5, where an identifier is read")
    assert "format the column as text" in second.remedy


def test_whole_numbers_of_a_workbook_are_identifiers_without_a_point(trial: SmallTrial) -> None:
    codes = {f"S{at}": str(at) for at in range(1, 9)}
    for name in ("assignment.csv", "roster_2019.csv", "roster_2020.csv"):
        for row in trial.files[name][1:]:
            at = 0 if name == "assignment.csv" else 1
            row[at] = codes[row[at]]
    rows = trial.files["schools.csv"]
    _workbook(trial, [rows[0], *[[int(codes[code]), district] for code, district in rows[1:]]])
    trial.obtain()
    assert list(_table(trial, "schools")["school"]) == [str(at) for at in range(1, 9)]


def _dated(trial: SmallTrial, text: str, **spec: Any) -> None:
    trial.reading("schools")["columns"]["opened"] = {"column": "opened", "type": "date", **spec}
    for row, cells in enumerate(trial.files["schools.csv"]):
        cells.append((text if row == 5 else "31/12/1999") if row else "opened")


def test_a_date_in_another_format_than_declared_is_refused(
    trial: SmallTrial, refused: Refused
) -> None:
    _dated(trial, "1999-12-31", format="DD/MM/YYYY")
    (fault,) = refused()
    assert (fault.row, fault.expected) == (6, "a date as DD/MM/YYYY")


@pytest.mark.parametrize("rule", ["refuse", "missing"])
def test_a_date_in_the_future_is_dealt_with_as_declared(
    trial: SmallTrial, refused: Refused, rule: str
) -> None:
    _dated(trial, "01/02/2121", format="DD/MM/YYYY")
    trial.protocol["cleaning"] = {"latest_date": "2020-12-31", "future_dates": rule}
    if rule == "refuse":
        (fault,) = refused()
        assert (fault.row, fault.expected) == (6, "a date up to 2020-12-31")
        assert "`cleaning.future_dates: missing`" in fault.remedy
        return
    trial.obtain()
    assert _table(trial, "schools")["opened"].isna().sum() == 1
    (entry,) = _log(trial).to_dict("records")
    assert (entry["cells"], entry["before"], entry["after"]) == (1, "01/02/2121", "")


def test_a_score_out_of_range_is_refused_where_declared(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.protocol["outcomes"]["maths"]["out_of_range"] = "refuse"
    trial.set("scores_2020.csv", 2, "score", "-1")
    trial.set("scores_2020.csv", 3, "score", "-1")
    (fault,) = refused()
    assert (fault.row, fault.column, fault.found) == (2, "score", "the value '-1'")
    assert fault.expected == "a score of 'maths' from 0 to 500"


def test_a_suppressed_cell_is_no_number_unless_it_is_declared(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.set("scores_2020.csv", 2, "score", "<10")
    (fault,) = refused()
    assert (fault.row, fault.expected) == (2, "a number")


@pytest.mark.parametrize(
    ("text", "notation"),
    [("1,5", {}), ("1.5", {"decimal": ","}), ("1,50", {"thousands": ","}), ("55%", {})],
)
def test_a_number_in_another_notation_than_declared_is_refused(
    trial: SmallTrial, refused: Refused, text: str, notation: dict[str, str]
) -> None:
    trial.reading("pupils")["columns"]["days_present"] |= notation
    trial.set("roster_2020.csv", 2, "days_present", f'"{text}"')
    (fault,) = refused()
    assert (fault.row, fault.found, fault.expected) == (2, f"the value {text!r}", "a number")


def test_a_whole_number_that_a_double_cannot_hold_is_refused(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.set("roster_2020.csv", 2, "days_present", "9007199254740993")
    (fault,) = refused()
    assert (fault.expected, fault.row) == ("a number below 2^53", 2)


def test_one_pupil_in_two_files_of_a_year_is_refused_with_both(
    trial: SmallTrial, refused: Refused
) -> None:
    other = {**trial.reading("pupils"), "file": "late_{year}.csv"}
    trial.protocol["tables"]["pupils"].append(other)
    for year in (2019, 2020):
        header, *rows = trial.files[f"roster_{year}.csv"]
        late = rows[0] if year == 2020 else ["9999", *rows[0][1:]]
        trial.files[f"late_{year}.csv"] = [header, late]
    (fault,) = refused()
    assert (fault.file, fault.row) == ("late_2020.csv", 2)
    assert fault.found == "pupil 0001, year 2020 is also in row 2 of roster_2020.csv"
