"""What is wrong with a raw file is told with file, row, column, value and remedy."""

import copy
import hashlib
from collections.abc import Callable

import pytest

from schooltrial.refusal import Fault
from support.small_trial import SmallTrial

Refused = Callable[[], list[Fault]]


def test_the_small_trial_itself_is_good(trial: SmallTrial) -> None:
    trial.obtain()
    trial.clean()
    assert "sample.parquet" in trial.written()


def test_a_missing_raw_file_is_named_with_the_file_that_was_probably_meant(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.reading("schools")["file"] = "school.csv"
    (fault,) = refused()
    assert (fault.file, fault.row) == ("school.csv", None)
    assert fault.found == "no such file"
    assert fault.remedy == "did you mean 'schools.csv'?"


def test_a_missing_folder_is_told_as_such(trial: SmallTrial, refused: Refused) -> None:
    trial.reading("schools")["file"] = "elsewhere/schools.csv"
    (fault,) = refused()
    assert "the folder 'elsewhere' does not exist" in fault.found
    assert "raw_folder" in fault.remedy


def test_a_missing_column_is_named_with_those_that_are_there(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.files["roster_2020.csv"][0][2] = "grades"
    (fault,) = refused()
    assert (fault.file, fault.row, fault.column) == ("roster_2020.csv", 1, "grade")
    assert fault.found == (
        "no column for 'grade'; the file has pupil_id, school_code, grades, sex, days_enrolled, "
        "days_present"
    )
    assert fault.remedy == "did you mean 'grades'?"


def test_a_column_under_two_of_its_names_is_not_guessed(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.reading("schools")["columns"]["district"]["column"] = ["district", "area"]
    trial.files["schools.csv"] = [[*row, row[1]] for row in trial.files["schools.csv"]]
    trial.files["schools.csv"][0][2] = "area"
    (fault,) = refused()
    assert fault.found.startswith("several columns for 'district'")
    assert fault.expected == "one of district, area"


def test_an_unknown_arm_is_named_with_its_row_and_the_arms_there_are(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.set("assignment.csv", 4, "arm", "X")
    (fault,) = refused()
    assert str(fault) == (
        "assignment.csv, row 4, column 'arm': the value 'X'\n"
        "    expected: one of 'C', 'T'\n"
        "    fix:      Correct the cell, or add the code to the protocol."
    )


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("t", "did you mean 'T'? Add `ignore_case: true` to the column: capital and small letters "
         "are then alike"),
        ("ART", "correct the cell, or add the code to the protocol"),
    ],
)  # fmt: skip
def test_a_code_in_other_letters_is_recognised(
    trial: SmallTrial, refused: Refused, text: str, fix: str
) -> None:
    trial.set("assignment.csv", 4, "arm", f"{text} ")
    (fault,) = refused()
    assert (fault.found, fault.remedy) == (f"the value {text!r}", fix)


def test_a_slip_in_a_code_is_recognised(trial: SmallTrial, refused: Refused) -> None:
    trial.set("scores_2020.csv", 6, "subject", "MATHS")
    (fault,) = refused()
    assert fault.remedy == (
        "did you mean 'MATH'? Then correct the cell, or add the code to the protocol"
    )


def test_a_school_in_two_arms_is_named_with_both_rows(trial: SmallTrial, refused: Refused) -> None:
    trial.files["assignment.csv"].append(["S3", "2", "T"])
    (fault,) = refused()
    assert (fault.file, fault.row, fault.column) == ("assignment.csv", 10, "arm")
    assert fault.found == (
        "school S3 is in two groups: 'programme' here, 'control' in row 4 of assignment.csv"
    )
    assert fault.expected == "one group per school"
    assert "never choose one" in fault.remedy


def test_a_pupil_in_two_schools_in_one_year_is_named_with_both_rows(
    trial: SmallTrial, refused: Refused
) -> None:
    row = trial.files["roster_2020.csv"][1]
    trial.files["roster_2020.csv"].append([row[0], "S8", *row[2:]])
    (fault,) = refused()
    assert (fault.file, fault.row, fault.column) == ("roster_2020.csv", 162, "school_code")
    assert fault.found == (
        "pupil 0001 is in two schools in 2020: S8 here, S1 in row 2 of roster_2020.csv"
    )
    assert "`duplicate_keys: " in fault.remedy


def test_a_row_that_repeats_another_to_the_letter_is_refused(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.files["scores_2019.csv"].insert(5, trial.files["scores_2019.csv"][3])
    (fault,) = refused()
    assert (fault.file, fault.row) == ("scores_2019.csv", 6)
    assert "identical to an earlier row" in fault.found
    assert "`duplicate_rows: keep_one`" in fault.remedy


def test_two_different_scores_for_one_pupil_year_and_outcome_are_refused(
    trial: SmallTrial, refused: Refused
) -> None:
    pupil, subject, _ = trial.files["scores_2019.csv"][3]
    trial.files["scores_2019.csv"].append([pupil, subject, "1"])
    (fault,) = refused()
    assert (fault.file, fault.row) == ("scores_2019.csv", 322)
    assert fault.found == (
        "pupil 0002, year 2019, outcome maths is also in row 4 of scores_2019.csv"
    )
    assert fault.expected == "one row per pupil and year and outcome"


@pytest.mark.parametrize("text", ["absent", "12,5", "1_000", "0x1A", "inf", "nan", "True"])
def test_text_in_a_score_is_named_with_row_and_value(
    trial: SmallTrial, refused: Refused, text: str
) -> None:
    trial.set("scores_2020.csv", 7, "score", f'"{text}"')
    (fault,) = refused()
    assert (fault.file, fault.row, fault.column) == ("scores_2020.csv", 7, "score")
    assert fault.found == f"the value {text!r}"
    assert fault.expected == "a number"
    assert f'`missing: ["{text}"]`' in fault.remedy


def test_a_text_in_many_rows_is_one_fault(trial: SmallTrial, refused: Refused) -> None:
    for row in range(2, 10):
        trial.set("roster_2019.csv", row, "sex", "?")
    (fault,) = refused()
    assert (fault.row, fault.found) == (2, "the value '?' (in 8 rows)")


def test_of_many_texts_five_are_told_and_the_others_counted(
    trial: SmallTrial, refused: Refused
) -> None:
    for row in range(2, 10):
        trial.set("roster_2019.csv", row, "sex", f"?{row}")
    faults = refused()
    assert [fault.row for fault in faults] == [2, 3, 4, 5, 6, None]
    assert faults[-1].found == "the same error in 3 more rows"


def test_a_decimal_comma_is_told_once_a_file_and_the_fix_reads_it(
    trial: SmallTrial, refused: Refused
) -> None:
    files = [name for name in trial.files if name.startswith("scores_")]
    for name in files:
        header, *rows = trial.files[name]
        at = header.index("score")
        for row in rows:
            row[at] = f'"{int(float(row[at]))},5"' if row[at] else ""
    faults = refused()
    assert [fault.file for fault in faults] == sorted(files)
    for fault in faults:
        assert fault.found == "its numbers have ',' before the decimals"
        assert fault.remedy.startswith('add `decimal: ","` below each `file`')
    trial.reading("scores")["decimal"] = ","
    trial.obtain()


def test_faults_of_several_files_and_tables_stand_in_one_message(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.set("assignment.csv", 2, "arm", "X")
    trial.set("roster_2019.csv", 3, "grade", "eleven")
    trial.set("roster_2020.csv", 4, "grade", "11")
    trial.set("scores_2020.csv", 5, "subject", "ART")
    trial.reading("schools")["file"] = "nowhere.csv"
    found = {(fault.file, fault.row) for fault in refused()}
    assert found == {
        ("nowhere.csv", None),
        ("assignment.csv", 2),
        ("roster_2019.csv", 3),
        ("roster_2020.csv", 4),
        ("scores_2020.csv", 5),
    }


def test_a_wrong_delimiter_is_told_once_and_named(trial: SmallTrial, refused: Refused) -> None:
    trial.raw["roster_2020.csv"] = trial.text("roster_2020.csv", ";").encode()
    (fault,) = refused()
    assert (fault.file, fault.row) == ("roster_2020.csv", 1)
    assert fault.expected == "columns separated by ','"
    assert fault.remedy == 'set `delimiter: ";"` in the protocol'


def test_a_file_in_gzip_that_breaks_off_is_refused(trial: SmallTrial, refused: Refused) -> None:
    trial.reading("schools")["file"] = "schools.csv.gz"
    trial.raw["schools.csv.gz"] = trial.compress("schools.csv")[:-12]
    (fault,) = refused()
    assert fault.file == "schools.csv.gz"
    assert "the gzip file is incomplete" in fault.found
    assert fault.remedy == "download the file again"


def test_a_file_in_gzip_is_read_like_the_file_in_it(trial: SmallTrial) -> None:
    trial.reading("schools")["file"] = "schools.csv.gz"
    trial.raw["schools.csv.gz"] = trial.compress("schools.csv")
    trial.obtain()
    assert "schools.parquet" in trial.written()


def test_another_content_than_the_checksum_says_is_refused(
    trial: SmallTrial, refused: Refused
) -> None:
    stated = hashlib.sha256(trial.text("schools.csv").encode()).hexdigest()
    trial.reading("schools")["sha256"] = stated
    trial.set("schools.csv", 2, "district", "S")
    (fault,) = refused()
    assert fault.expected == f"the SHA-256 in the protocol, {stated}"
    assert fault.found.startswith("its SHA-256 is ")
    assert "restore the file" in fault.remedy


def test_bytes_that_are_not_utf_8_are_named_with_their_row(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.set("schools.csv", 4, "school_code", "É3")
    trial.raw["schools.csv"] = trial.text("schools.csv").encode("latin-1")
    (fault,) = refused()
    assert (fault.file, fault.row) == ("schools.csv", 4)
    assert fault.found == "byte 0xc9 is not utf-8"
    assert "windows-1252" in fault.remedy


def test_a_row_of_unequal_length_is_named_with_its_row(trial: SmallTrial, refused: Refused) -> None:
    trial.files["roster_2019.csv"][8].append("more")
    (fault,) = refused()
    assert (fault.file, fault.row) == ("roster_2019.csv", 9)
    assert fault.found == "the row has 7 cells"
    assert fault.expected == "6 cells, as in the header"


def test_a_row_number_is_the_line_of_the_file_also_after_blank_and_broken_lines(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.reading("schools")["columns"]["name"] = {"column": "name"}
    lines = ["school_code,district,name", 'S1,N,"two', 'lines"', "", "S2,Q,plain"]
    trial.raw["schools.csv"] = "\n".join(lines).encode()
    fault, *others = refused()
    assert (fault.row, fault.column, fault.found) == (5, "district", "the value 'Q'")
    assert {one.file for one in others} == {"assignment.csv"}  # whose other schools it lacks


def test_a_quotation_mark_that_is_never_closed_is_named_where_it_opens(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.set("roster_2019.csv", 100, "days_present", '"170')
    (fault,) = refused()
    assert (fault.file, fault.row) == ("roster_2019.csv", 100)
    assert "quotation marks do not pair" in fault.found


def test_a_form_feed_inside_a_cell_does_not_break_the_row(trial: SmallTrial) -> None:
    trial.reading("schools")["columns"]["name"] = {"column": "name"}
    for row, cells in enumerate(trial.files["schools.csv"]):
        cells.append(f"a\x0cb\x85\u2028{row}" if row else "name")
    trial.obtain()


def test_a_name_that_two_columns_bear_is_refused_where_it_is_read(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.files["scores_2019.csv"][0][2] = "subject"
    trial.reading("scores")["columns"]["value"] = {"position": 3, "type": "number"}
    (fault,) = refused()
    assert (fault.file, fault.row) == ("scores_2019.csv", 1)
    assert fault.found == "2 columns are called 'subject': columns 2, 3"
    assert fault.remedy.startswith("use the number of the column: `position: 2`")


@pytest.mark.parametrize("missing", [["", "ABS"], ["ABS"]])
def test_an_empty_key_is_named_with_its_row_whatever_counts_as_missing(
    trial: SmallTrial, refused: Refused, missing: list[str]
) -> None:
    trial.reading("scores")["missing"] = missing
    trial.set("scores_2020.csv", 12, "pupil_id", " ")
    (fault,) = refused()
    assert (fault.file, fault.row, fault.column) == ("scores_2020.csv", 12, "pupil_id")
    assert "'pupil' is part of the key of scores" in fault.found


def test_a_year_outside_the_protocol_is_refused_with_those_there_are(
    trial: SmallTrial, refused: Refused
) -> None:
    _year_in_a_column(trial)
    trial.set("roster.csv", 5, "year", "2031")
    (fault,) = refused()
    assert (fault.file, fault.row, fault.column) == ("roster.csv", 5, "year")
    assert fault.found == "the value '2031'"
    assert fault.expected == "a year of the protocol: 2019, 2020"


def test_a_year_that_is_no_number_is_refused_also_where_no_type_is_given(
    trial: SmallTrial, refused: Refused
) -> None:
    _year_in_a_column(trial)
    trial.set("roster.csv", 6, "year", "20x9")
    (fault,) = refused()
    assert (fault.row, fault.column, fault.expected) == (6, "year", "a number")


def test_a_year_in_a_column_that_is_not_the_one_in_the_name_is_refused(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.reading("pupils")["columns"]["year"] = {"column": "year", "type": "integer"}
    for year in (2019, 2020):
        name = f"roster_{year}.csv"
        trial.files[name] = [[*row, str(year)] for row in trial.files[name]]
        trial.files[name][0][-1] = "year"
    trial.set("roster_2020.csv", 9, "year", "2019")
    (fault,) = refused()
    assert (fault.file, fault.row) == ("roster_2020.csv", 9)
    assert fault.expected == "2020, the year in the file name or in `year`"


def test_an_unknown_outcome_code_is_refused_with_those_there_are(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.set("scores_2020.csv", 9, "subject", "ART")
    (fault,) = refused()
    assert (fault.file, fault.row, fault.column) == ("scores_2020.csv", 9, "subject")
    assert (fault.found, fault.expected) == ("the value 'ART'", "one of 'MATH', 'READ'")


def test_an_outcome_read_as_text_that_the_protocol_does_not_declare_is_refused(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.reading("scores")["columns"]["outcome"] = {"column": "subject"}
    faults = refused()
    assert faults[0].found == "the outcome 'MATH' (in 160 rows)"
    assert faults[0].expected == "one of maths, reading, attendance"


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("grade", "3.5", "a whole number"),
        ("grade", "12", "a value from 3 to 8"),
        ("school_code", "", "a value in every row"),
        ("days_enrolled", "many", "a number"),
    ],
)
def test_a_cell_of_the_wrong_kind_is_named_with_what_was_expected(
    trial: SmallTrial, refused: Refused, column: str, text: str, expected: str
) -> None:
    trial.set("roster_2020.csv", 20, column, text)
    (fault,) = refused()
    assert (fault.row, fault.column, fault.found) == (20, column, f"the value {text!r}")
    assert fault.expected == expected


def test_facts_repeated_on_many_rows_must_agree(trial: SmallTrial, refused: Refused) -> None:
    trial.reading("schools").update(collapse_repeats=True)
    trial.files["schools.csv"] += [["S1", "N"], ["S2", "S"]]
    (fault,) = refused()
    assert (fault.row, fault.column) == (11, "school_code")
    assert fault.found == "school S2 is also in row 3 of schools.csv"


def test_a_header_without_rows_and_an_empty_file_are_refused(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.raw["schools.csv"] = b"school_code,district\n"
    trial.raw["assignment.csv"] = b""
    assert {(f.file, f.found) for f in refused()} == {
        ("schools.csv", "the file has no data rows"),
        ("assignment.csv", "the file has no data rows"),
    }


def _year_in_a_column(trial: SmallTrial) -> None:
    """Put both rosters into one file, with the year in a column whose type is not given."""
    header, *first = trial.files.pop("roster_2019.csv")
    _, *second = trial.files.pop("roster_2020.csv")
    rows = [[*cells, "2019"] for cells in first] + [[*cells, "2020"] for cells in second]
    trial.files["roster.csv"] = [[*header, "year"], *rows]
    trial.reading("pupils").update(file="roster.csv")
    trial.reading("pupils")["columns"]["year"] = {"column": "year"}


def test_rows_that_a_decimal_comma_makes_too_long_are_told_of_it_first(
    trial: SmallTrial, refused: Refused
) -> None:
    for cells in trial.files["scores_2020.csv"][1:]:
        cells[2] = cells[2].replace(".", ",")
    (fault,) = refused()
    assert fault.remedy.startswith("if its numbers have a decimal comma, export the file with")


def test_some_cells_with_a_decimal_comma_are_told_to_differ_from_the_others(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.set("scores_2020.csv", 7, "score", '"203,5"')
    (fault,) = refused()
    assert fault.remedy.startswith("other cells of the column have '.' before the decimals")


def test_a_column_that_none_of_the_files_has_is_told_at_the_line_of_the_protocol(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.reading("pupils")["columns"]["grade"]["column"] = "garde"
    (fault,) = refused()
    lines = (trial.folder / "trial.yaml").read_text("utf-8").splitlines()
    assert fault.file == "trial.yaml"
    assert "garde" in lines[(fault.row or 0) - 1]
    assert fault.found.startswith("no column 'garde' in roster_2019.csv and roster_2020.csv; the")
    assert fault.remedy == "did you mean 'grade'?"


def test_a_line_that_names_a_column_rightly_is_not_accused_for_another_that_does_not(
    trial: SmallTrial, refused: Refused
) -> None:
    extra = copy.deepcopy(trial.reading("pupils"))
    extra["columns"]["grade"]["column"] = "garde"
    trial.protocol["tables"]["pupils"].append(extra)
    columns = {fault.column for fault in refused() if "grade" in str(fault.column)}
    assert columns == {"tables.pupils.1.columns.grade.column"}
