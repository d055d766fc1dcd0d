"""Cells that are not what they should be: numbers, dates, codes and identifiers."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl

from support.spoilt_trial import (
    Accepted,
    Case,
    Left,
    Logged,
    Planted,
    Refused,
    Spoil,
    SpoiltTrial,
    all_of,
    cell,
    every_cell,
    protocol,
)

ROSTER, SCORES = "roster_2020.csv", "scores_2020.csv"


def _refused(*faults: Planted) -> Refused:
    return Refused(faults)


def _when_linked(*faults: Planted) -> Refused:
    return Refused(faults, "clean")


def _score(text: str, remedy: str = "`missing: ") -> Refused:
    """Return the answer to a text in the seventh row of the scores."""
    fault = Planted(SCORES, f"the value {text!r}", 7, "score", "a number", remedy)
    return _refused(fault)


def _no_number(name: str, text: str, remedy: str = "`missing: ") -> Case:
    return Case(name, cell(SCORES, 7, "score", text), _score(text, remedy))


def _pupil(found: str, expected: str, remedy: str, row: int = 5) -> Refused:
    return _refused(Planted(ROSTER, found, row, "pupil_id", expected, remedy))


def _named(trial: SpoiltTrial) -> None:
    """Give schools a name."""
    trial.reading("schools")["columns"]["name"] = {"column": "name"}
    for row, cells in enumerate(trial.files["schools.csv"]):
        cells.append(f"School {row}" if row else "name")


def _dated(trial: SpoiltTrial) -> None:
    """Give pupils of 2020 the day on which they entered."""
    for year in (2019, 2020):
        for row, cells in enumerate(trial.files[f"roster_{year}.csv"]):
            cells.append(f"{year}-09-{row % 28 + 1:02d}" if row else "entered")
    spec = {"column": "entered", "type": "date"}
    trial.reading("pupils")["columns"]["entered"] = spec
    trial.protocol["cleaning"] = {"latest_date": "2021-07-31"}


def _date(text: str, expected: str = "a date as YYYY-MM-DD", remedy: str = "`format") -> Refused:
    return _refused(Planted(ROSTER, f"the value {text!r}", 9, "entered", expected, remedy))


def workbook(change: Callable[[Any], object] = lambda sheet: None) -> Spoil:
    """Hold the schools in a workbook whose cells can be of any kind."""

    def spoil(trial: SpoiltTrial) -> None:
        rows = trial.files.pop("schools.csv")
        trial.reading("schools")["file"] = "schools.xlsx"
        trial.on_disk.append(lambda folder: _save(rows, change, folder / "schools.xlsx"))

    return spoil


def _save(rows: Sequence[Sequence[str]], change: Callable[[Any], object], path: Path) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    change(book.active)
    book.save(path)


def _put(place: str, value: Any, kind: str = "") -> Callable[[Any], object]:
    def put(sheet: Any) -> None:
        sheet[place] = value
        if kind:
            sheet[place].data_type = kind

    return put


def _in_workbook(found: str, column: str, expected: str = "", remedy: str = "") -> Refused:
    return _refused(Planted("schools.xlsx", found, 4, column, expected, remedy))


LIKE_S3 = "\u04053"  # with a Cyrillic letter that looks like an S
NUMBERS = [
    _no_number("words for a number", "absent"),
    _no_number("a decimal comma that is not declared", "201,5"),
    _no_number("a thousands separator that is not declared", "1,201.5"),
    _no_number("a blank as thousands separator", "1 201"),
    Case(
        "a minus sign of typographers", cell(SCORES, 7, "score", "\u221212"),
        Accepted(
            (
                Logged(SCORES, "score", "minus sign (U+2212) read as a minus", 1),
                Logged(SCORES, "score", "reading outside 0 to 500 set to missing", 1),
            ),
            (Left("reading was not observed", 1),),
        ),
    ),
    _no_number("digits of another script", "\uff12\uff10\uff11"),
    _no_number("NaN in letters", "NaN"),
    _no_number("infinity in letters", "-inf"),
    _no_number("a number beyond what a computer holds", "1e999"),
    _no_number("a hexadecimal number", "0xC8"),
    _no_number("a boolean for a number", "TRUE"),
    _no_number("an error value of a spreadsheet for a number", "#N/A"),
    _no_number("a broken reference of a spreadsheet for a number", "#REF!"),
    Case(
        "a per cent sign that is not declared", cell(SCORES, 7, "score", "55%"),
        _refused(Planted(SCORES, "the value '55%'", 7, "score", "a number", "`percent: true`")),
    ),
    _no_number("a suppressed cell that is not declared", "<10", "set `suppressed` of the column"),
    _no_number("a formula for a number", "=1+1"),
    _no_number("a date for a number", "2020-03-01"),
    Case(
        "a decimal comma that is declared", lambda trial: None, Accepted(),
        all_of(
            protocol("tables.scores.0.decimal", ","),
            *(every_cell(f"scores_{year}.csv", "score", lambda text: f'"{text.replace(".", ",")}"')
              for year in (2019, 2020)),
        ),
    ),
    Case(
        "a thousands separator in the wrong place",
        all_of(protocol("tables.scores.0.thousands", ","), cell(SCORES, 7, "score", "20,1")),
        _score("20,1"),
    ),
    Case(
        "blanks that do not break around numbers", cell(SCORES, 7, "score", "\u00a0 201\u00a0"),
        Accepted((Logged(SCORES, "score", "blanks around the text removed", 1),)),
        cell(SCORES, 7, "score", "201"),
    ),
    Case(
        "negative scores",
        all_of(cell(SCORES, 2, "score", "-99"), cell(SCORES, 8, "score", "-99")),
        Accepted(
            (Logged(SCORES, "score", "maths outside 0 to 500 set to missing", 2),),
            (Left("maths was not observed", 2),),
        ),
    ),
    Case(
        "negative scores where they are to be refused",
        all_of(
            protocol("outcomes.maths.out_of_range", "refuse"),
            cell(SCORES, 2, "score", "-99"), cell(SCORES, 8, "score", "999"),
        ),
        _refused(
            Planted(SCORES, "the value '-99'", 2, "score", "a score of 'maths' from 0 to 500", "out_of_range"),
            Planted(SCORES, "the value '999'", 8, "score", "a score of 'maths' from 0 to 500", "out_of_range"),
        ),
    ),
    Case(
        "grades that are no whole numbers, and out of range",
        all_of(cell(ROSTER, 5, "grade", "4.5"), cell(ROSTER, 6, "grade", "40"), cell(ROSTER, 7, "grade", "4th")),
        _refused(
            Planted(ROSTER, "the value '4.5'", 5, "grade", "a whole number"),
            Planted(ROSTER, "the value '40'", 6, "grade", "a value from 3 to 8", "correct the cell"),
            Planted(ROSTER, "the value '4th'", 7, "grade", "a number"),
        ),
    ),
    Case(
        "the same error in hundreds of rows", every_cell(SCORES, "score", lambda text: "-"),
        _refused(
            Planted(SCORES, "the value '-' (in 320 rows)", 2, "score", "a number", "missing"),
        ),
    ),
    Case(
        "codes that are in no list", all_of(cell(ROSTER, 5, "sex", "x"), cell(SCORES, 6, "subject", "ART")),
        _refused(
            Planted(ROSTER, "the value 'x'", 5, "sex", "one of 'F', 'M'", "add the code"),
            Planted(SCORES, "the value 'ART'", 6, "subject", "one of 'MATH', 'READ'"),
        ),
    ),
    Case(
        "codes in small letters", cell(ROSTER, 2, "sex", "m"),
        Accepted((Logged(ROSTER, "sex", "code matched in upper and lower case", 1),)),
    ),
    Case(
        "a line break in a code", cell("schools.csv", 4, "district", "N\n"),
        Accepted((Logged("schools.csv", "district", "blanks around the text removed", 1),)),
    ),
    Case("a line break in a name", lambda trial: None, Accepted(),
         all_of(_named, cell("schools.csv", 4, "name", "Third\nSchool"))),
    Case(
        "a name that a spreadsheet would run", cell("schools.csv", 4, "name", "=cmd()"),
        Accepted((Logged("schools.csv", "name", "a spreadsheet would run as a formula", 1),)),
        _named,
    ),
]  # fmt: skip

DATES = [
    Case("a day that does not exist", cell(ROSTER, 9, "entered", "2020-02-30"), _date("2020-02-30"), _dated),
    Case("a date in another order", cell(ROSTER, 9, "entered", "31/12/2019"), _date("31/12/2019"), _dated),
    Case("a date as the number of a spreadsheet", cell(ROSTER, 9, "entered", "43831"), _date("43831"), _dated),
    Case("the word today for a date", cell(ROSTER, 9, "entered", "today"), _date("today"), _dated),
    Case("the word now for a date", cell(ROSTER, 9, "entered", "now"), _date("now"), _dated),
    Case("a date of two digits for the year", cell(ROSTER, 9, "entered", "20-01-05"), _date("20-01-05"), _dated),
    Case(
        "a date in the future", cell(ROSTER, 9, "entered", "2029-09-01"),
        _date("2029-09-01", "a date up to 2021-07-31", "future_dates"), _dated,
    ),
    Case(
        "a date in the future that becomes missing",
        all_of(protocol("cleaning.future_dates", "missing"), cell(ROSTER, 9, "entered", "2029-09-01")),
        Accepted((Logged(ROSTER, "entered", "date after 2021-07-31 set to missing", 1),)), _dated,
    ),
]  # fmt: skip

IDENTIFIERS = [
    Case(
        "identifiers that could be paths",
        all_of(cell(ROSTER, 5, "pupil_id", "../0004"), cell(SCORES, 6, "pupil_id", "0003\\x")),
        _refused(
            Planted(ROSTER, "the value '../0004'", 5, "pupil_id", "an identifier without /", "change the identifier"),
            Planted(SCORES, "the value '0003\\\\x'", 6, "pupil_id", "an identifier without /"),
        ),
    ),
    Case(
        "a control character in an identifier", cell(ROSTER, 5, "pupil_id", "00\x1b[31m04"),
        _pupil("the value '00\\x1b[31m04'", "control characters", "change the identifier"),
    ),
    Case(
        "a sign that turns the direction of writing", cell(ROSTER, 5, "pupil_id", "00\u202e04"),
        _pupil("the value '00\\u202e04'", "invisible", "change the identifier"),
    ),
    Case(
        "a blank of no width in an identifier", cell(ROSTER, 5, "pupil_id", "0004\u200b"),
        _pupil("the value '0004\\u200b'", "invisible", "change the identifier"),
    ),
    Case(
        "a very long identifier", cell(ROSTER, 5, "pupil_id", "4" * 5000),
        _pupil("the value '4444", "up to 200 characters", "check the delimiter"),
    ),
    Case(
        "a formula as an identifier", cell(ROSTER, 5, "pupil_id", "=cmd()"),
        Accepted(
            (Logged(ROSTER, "pupil_id", "a spreadsheet would run as a formula", 1),),
            (Left("score of a pupil without an enrolment record in that year", 2),),
        ),
    ),
    Case(
        "a formula as the identifier of a school", cell("schools.csv", 4, "school_code", "=1+S3"),
        _refused(Planted("assignment.csv", "school S3 is not in the table of schools", 4, "school_code", "", "schools")),
    ),
    Case(
        "an empty identifier, one of blanks and one not observed",
        all_of(cell(ROSTER, 5, "pupil_id", ""), cell(ROSTER, 6, "pupil_id", " \u00a0 "), cell(SCORES, 7, "pupil_id", "ABS")),
        _refused(
            Planted(ROSTER, "'pupil' is part of the key", 5, "pupil_id", "a value in every row", "fill the cell"),
            Planted(ROSTER, "'pupil' is part of the key", 6, "pupil_id"),
            Planted(SCORES, "'pupil' is part of the key", 7, "pupil_id"),
        ),
    ),
    Case(
        "blanks around an identifier", cell(ROSTER, 5, "pupil_id", "\u00a00004 "),
        Accepted((Logged(ROSTER, "pupil_id", "blanks around the text removed", 1),)),
    ),
    Case(
        "leading zeros that are lost", cell(ROSTER, 5, "pupil_id", "4"),
        _when_linked(
            Planted(SCORES, "1 pupil of 160 is not in roster_2020.csv, but would match", None, "pupil_id", "", "`pupil: {column: pupil_id, width: 4, pad: true}`"),
            Planted(ROSTER, "1 pupil of roster_2019.csv would also be in", None, "pupil_id", "", "`pupil: {column: pupil_id, width: 4, pad: true}`"),
        ),
    ),
    Case(
        "leading zeros that are lost where a width is declared",
        all_of(protocol("tables.pupils.0.columns.pupil.width", 4), cell(ROSTER, 5, "pupil_id", "4"), cell(ROSTER, 6, "pupil_id", "00005")),
        _refused(
            Planted(ROSTER, "the value '4'", 5, "pupil_id", "4 characters", "`pad: true`"),
            Planted(ROSTER, "the value '00005'", 6, "pupil_id", "4 characters", "`width`"),
        ),
    ),
    Case(
        "leading zeros that are lost and put back", cell(ROSTER, 5, "pupil_id", "4"),
        Accepted((Logged(ROSTER, "pupil_id", "leading zeros restored", 1),)),
        protocol("tables.pupils.0.columns.pupil", {"column": "pupil_id", "width": 4, "pad": True}),
    ),
    Case(
        "an identifier that a spreadsheet made a power of ten", cell(ROSTER, 5, "pupil_id", "1.23E+11"),
        _pupil("the value '1.23E+11'", "not a number that a spreadsheet shortened", "format the column as text"),
    ),
    Case(
        "an identifier that a spreadsheet made a date", cell(ROSTER, 5, "pupil_id", "04-Mar"),
        _pupil("the value '04-Mar'", "not a date made by a spreadsheet", "format the column as text"),
    ),
    Case(
        "an error value of a spreadsheet as an identifier", cell(ROSTER, 5, "pupil_id", "#N/A"),
        _pupil("the value '#N/A'", "not an error value of a spreadsheet", "correct the formula"),
    ),
    Case(
        "an error value of a spreadsheet as a name", cell("schools.csv", 4, "name", "#REF!"),
        _refused(Planted("schools.csv", "the value '#REF!'", 4, "name", "not an error value", "correct the formula")),
        _named,
    ),
    Case(
        "a letter of another script that looks the same, in a roster", cell(ROSTER, 5, "school_code", LIKE_S3),
        _when_linked(
            Planted(ROSTER, "they differ by letters of another alphabet", None, "school_code", "", f'respell: {{"{LIKE_S3}": "S3"}}'),
        ),
    ),
    Case(
        "a letter of another script that looks the same, in the assignment",
        cell("assignment.csv", 4, "school_code", LIKE_S3),
        _refused(Planted("assignment.csv", f"school {LIKE_S3} is not in the table of schools", 4, "school_code", "", "differs by letters of another alphabet")),
    ),
    Case(
        "an accent that is written in two ways",
        all_of(cell("assignment.csv", 4, "school_code", "E\u03013"), cell("schools.csv", 4, "school_code", "\u00c93")),
        _refused(Planted("assignment.csv", "is not in the table of schools", 4, "school_code", "", "differs by letters of another alphabet")),
    ),
]  # fmt: skip

WORKBOOKS = [
    Case("numbers that a workbook holds as text", lambda trial: None, Accepted(), workbook()),
    Case(
        "an identifier that a workbook holds as a date", workbook(_put("A4", datetime.date(2019, 3, 1))),
        _in_workbook("a date, 2019-03-01, where an identifier is read", "school_code", "", "format the column as text"),
    ),
    Case(
        "an identifier that a workbook holds as a fraction", workbook(_put("A4", 3.5)),
        _in_workbook("a number, 3.5, where an identifier is read", "school_code"),
    ),
    Case(
        "a boolean where codes are read", workbook(_put("B4", True)),
        _in_workbook("the value 'TRUE'", "district", "one of 'N', 'S'"),
    ),
    Case(
        "an error value in a workbook", workbook(_put("B4", "#N/A", "e")),
        _in_workbook("the error value #N/A", "district", "a value", "correct the formula"),
    ),
    Case(
        "a formula in a workbook that was never computed", workbook(_put("B4", "=B3")),
        _in_workbook("a formula without a value", "district", "a value", "save it"),
    ),
    Case(
        "a header in cells that were merged",
        workbook(lambda sheet: (sheet.insert_rows(1), sheet.merge_cells("A1:B1"), _put("A1", "Schools")(sheet))),
        _refused(
            Planted("schools.xlsx",
            "none of the columns on this line is in the protocol; the file has Schools", 1,
            remedy="`header_row: 2`")
        ),
    ),
]  # fmt: skip
