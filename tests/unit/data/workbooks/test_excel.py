"""A workbook is read as its sheet shows it, or refused with what would make it readable."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.cells.cleaning_log import CleaningLog
from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.cells.typed_columns import ColumnReader
from schooltrial.data.files.raw_files import read_raw
from schooltrial.data.workbooks.number_formats import is_percentage, percentage
from schooltrial.protocol.content.column_map import SIZES, SizeLimits
from schooltrial.refusal import Fault, Refusal
from support.old_workbook import Shown, write_xls
from support.sections import reading

LONG = 12345678901234567


def _read(path: Path, **keys: Any) -> RawCells:
    return read_raw(path, path.name, reading(path.name, **keys))


def _texts(cells: RawCells, column: str) -> list[str]:
    found: list[str] = cells.columns[column].cells(np.arange(cells.rows)).to_pylist()
    return found


def _refusal(path: Path, **keys: Any) -> Fault:
    with pytest.raises(Refusal) as caught:
        _read(path, **keys)
    (fault,) = caught.value.faults
    assert fault.expected
    assert fault.remedy
    return fault


def _book(path: Path, rows: Any, change: Callable[[Any], object] | None = None) -> Path:
    book = openpyxl.Workbook()
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row, start=1):
            held = cell.value if isinstance(cell, Shown) else cell
            made = book.active.cell(number, column, held)
            if isinstance(cell, Shown):
                made.number_format = cell.format_code
    if change is not None:
        change(book.active)
    book.save(path)
    return path


def _rewritten(path: Path, change: Callable[[str], str], part: str = "sheet1.xml") -> Path:
    """Change the text of one part of a workbook."""
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            text = change(content.decode()).encode() if name.endswith(part) else content
            packed.writestr(name, text)
    return path


RATES: list[list[Any]] = [
    ["school", "rate"],
    ["S1", Shown(0.572, "0.0%")],
    ["S2", "60%-69%"],
    ["S3", Shown(1.0, "0%")],
    ["S4", Shown(0.07, "0.00%")],
]


@pytest.mark.parametrize("name", ["f.xlsx", "f.xls"])
def test_a_number_shown_as_a_percentage_is_read_as_it_is_shown(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    cells = _read(_book(path, RATES) if name.endswith("x") else write_xls(path, RATES))
    assert _texts(cells, "rate") == ["57.2%", "60%-69%", "100%", "7%"]


def test_a_percentage_is_refused_with_its_format_unless_the_protocol_reads_them(
    tmp_path: Path,
) -> None:
    path = _book(tmp_path / "f.xlsx", RATES[:2])
    column = {"column": "rate", "type": "number"}
    for percent, values, faults in ((False, [None], 1), (True, [57.2], 0)):
        part = reading(path.name, columns={"rate": {**column, "percent": percent}})
        reader = ColumnReader(read_raw(path, path.name, part), CleaningLog("t", "f.xlsx"), part)
        found = reader.read("rate", "rate", part["columns"]["rate"])["rate"].to_pylist()
        assert (found, len(reader.faults)) == (values, faults)
        for fault in reader.faults:
            assert fault.found == "the value '57.2%'"
            assert "the number format '0.0%'" in fault.expected
            assert "`percent: true`" in fault.remedy


@pytest.mark.parametrize(
    ("code", "value", "percent"),
    [
        ("0%", 0.5, True), ("0.00%;[Red]-0.00%", -0.5, True), ("General", 0.5, False),
        ('0"%"', 57.0, False), (r"0\%", 57.0, False), ("0.0_%", 57.0, False),
        ('0%;-0%;"none"', 0.0, False), ("[<=1]0%;0", 0.5, True), ("[<=1]0%;0", 57.0, False),
        ("[=1]0;0%", 1.0, False), ("[<>1]0%;0", 0.2, True), ("[Color 10]0.0%", 0.2, True),
    ],
)  # fmt: skip
def test_a_format_multiplies_only_where_its_per_cent_sign_is_no_text(
    code: str, value: float, percent: bool
) -> None:
    assert is_percentage(code, value) is percent


@given(st.floats(-1e6, 1e6, allow_nan=False, width=32))
def test_a_percentage_has_all_digits_of_the_number(value: float) -> None:
    text = percentage(value)
    assert re.fullmatch(r"-?\d+(\.\d*[1-9])?%", text)
    assert float(text.rstrip("%")) == pytest.approx(value * 100, rel=1e-12)


def test_a_share_among_percentages_that_is_not_shown_as_one_is_refused(tmp_path: Path) -> None:
    cells = _read(_book(tmp_path / "f.xlsx", [*RATES, ["S5", 0.61], ["S6", 57]]))
    ((row, (found, remedy)),) = cells.spoilt["rate"].items()
    assert (cells.line(np.array([row]))[0], "the number 0.61" in found) == (6, True)
    assert "format the cell like the others" in remedy


@pytest.mark.parametrize("name", ["f.xlsx", "f.xls"])
def test_identifiers_of_more_digits_than_a_sheet_keeps_are_marked(
    tmp_path: Path, name: str
) -> None:
    rows: list[list[Any]] = [["pupil"], [LONG], [str(LONG)], [123456789012345], [2.0**53]]
    path = tmp_path / name
    if name.endswith("x"):
        _book(path, rows)
    else:
        write_xls(path, [[float(x) if isinstance(x, int) else x for x in row] for row in rows])
    cells = _read(path)
    assert cells.inexact["pupil"].tolist() == [True, False, False, True]


def test_sixteen_digits_are_kept_by_the_file_but_not_by_a_spreadsheet_that_took_them_in(
    tmp_path: Path,
) -> None:
    exact = [["pupil"], [1234567890123451], [1234567890123460]]
    assert not _read(_book(tmp_path / "a.xlsx", exact)).inexact["pupil"].any()
    rounded = [["pupil"], [1234567890123450], [1234567890123460], [17]]
    marked = _read(_book(tmp_path / "b.xlsx", rounded)).inexact["pupil"]
    assert marked.tolist() == [True, True, False]


def test_a_stray_cell_far_away_is_refused_before_the_sheet_is_read(tmp_path: Path) -> None:
    def stray(sheet: Any) -> None:
        sheet["XFD1048576"] = "x"

    fault = _refusal(_book(tmp_path / "f.xlsx", [["id"], [1]], stray))
    assert fault.found == (
        "the cells of sheet 'Sheet' cover A1:XFD1048576, 17,179,869,184 cells in all"
    )
    assert "stray cell" in fault.remedy
    assert "limits" not in fault.remedy  # so many cells exhaust the memory


def test_a_stray_cell_is_found_also_where_the_sheet_says_it_is_small(tmp_path: Path) -> None:
    def stray(sheet: Any) -> None:
        sheet["XFD1048576"] = "x"

    path = _book(tmp_path / "f.xlsx", [["id"], [1]], stray)
    _rewritten(path, lambda xml: re.sub(r'<dimension ref="[^"]*"', '<dimension ref="A1:A2"', xml))
    assert "A1:XFD1048576" in _refusal(path).found


def test_a_sheet_that_only_says_it_is_huge_is_read(tmp_path: Path) -> None:
    path = _book(tmp_path / "f.xlsx", [["id"], [1]])
    far = '<dimension ref="A1:XFD1048576"'
    _rewritten(path, lambda xml: re.sub(r'<dimension ref="[^"]*"', far, xml))
    assert _texts(_read(path), "id") == ["1"]


def test_cells_that_are_only_formatted_do_not_make_a_sheet_large(tmp_path: Path) -> None:
    def formatted(sheet: Any) -> None:
        for row in (5, 900_000, 1_048_576):
            sheet.cell(row, 16_384).number_format = "0.00"

    assert _texts(_read(_book(tmp_path / "f.xlsx", [["id"], [1]], formatted)), "id") == ["1"]


def test_the_limit_of_cells_can_be_raised_and_lowered(tmp_path: Path) -> None:
    path = _book(tmp_path / "f.xlsx", [["a", "b"], [1, 2], [3, 4]])
    six: SizeLimits = {**SIZES, "workbook_cells": 6}
    assert read_raw(path, path.name, reading(path.name), sizes=six).rows == 2
    with pytest.raises(Refusal, match="6 cells in all"):
        read_raw(path, path.name, reading(path.name), sizes={**SIZES, "workbook_cells": 5})


def test_a_workbook_that_unpacks_to_more_than_is_allowed_is_refused(tmp_path: Path) -> None:
    path = _book(tmp_path / "f.xlsx", [["id"], *[["a" * 100]] * 200])
    sizes: SizeLimits = {**SIZES, "decompressed_bytes": 10_000}
    with pytest.raises(Refusal, match="decompressed_bytes"):
        read_raw(path, path.name, reading(path.name), sizes=sizes)


def test_a_part_that_is_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    path = _book(tmp_path / "f.xlsx", [["id"], *[[at] for at in range(500)]])
    with zipfile.ZipFile(path) as packed:
        size = packed.getinfo("xl/worksheets/sheet1.xml").file_size
    content = path.read_bytes().replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    path.write_bytes(content)
    assert "not readable as an Excel workbook" in _refusal(path).found


def test_merged_cells_are_refused_where_their_column_is_read(tmp_path: Path) -> None:
    rows = [["school", "pupil"], ["S1", 1], [None, 2], ["S2", 3]]
    path = _book(tmp_path / "f.xlsx", rows, lambda sheet: sheet.merge_cells("A2:A3"))
    cells = _read(path)
    ((row, (found, remedy)),) = cells.spoilt["school"].items()
    assert (int(cells.line(np.array([row]))[0]), "A2:A3" in found) == (3, True)
    assert "unmerge" in remedy
    assert cells.spoilt["pupil"] == {}


@pytest.mark.parametrize("name", ["f.xlsx", "f.xls"])
def test_an_error_value_is_told_in_the_cell_where_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("x"):
        _book(path, [["a", "b"], [1, 2], [3, "#N/A"]])
    else:
        write_xls(path, [["a", "b"], [1.0, 2.0], [3.0, "#N/A"]])
    cells = _read(path)
    ((row, (found, _)),) = cells.spoilt["b"].items()
    assert (row, found) == (1, "the error value #N/A")


def test_a_formula_that_no_spreadsheet_computed_is_told(tmp_path: Path) -> None:
    cells = _read(_book(tmp_path / "f.xlsx", [["a"], [1], ["=1+1"]]))
    assert cells.spoilt["a"][1][0] == "a formula without a value"  # though the row seems blank


def test_a_formula_that_gives_an_empty_text_is_an_empty_cell(tmp_path: Path) -> None:
    path = _book(tmp_path / "f.xlsx", [["a", "b"], ["=X", 1], [2, 3]])
    text = '<c r="A2" t="str"><f>""</f><v></v></c>'
    _rewritten(path, lambda xml: re.sub(r'<c r="A2".*?</c>', text, xml))
    cells = _read(path)
    assert (_texts(cells, "a"), cells.spoilt["a"]) == (["", "2"], {})


def test_the_first_sheet_is_not_read_where_it_is_hidden(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Lookup"
    book.active.sheet_state = "hidden"
    sheet = book.create_sheet("Pupils")
    for row in (["id"], [1]):
        sheet.append(row)
    path = tmp_path / "f.xlsx"
    book.save(path)
    fault = _refusal(path)
    assert fault.found.startswith("the first sheet, 'Lookup', is hidden")
    assert fault.remedy == 'add the name of the sheet: `sheet: "Pupils"`'
    assert _texts(_read(path, sheet="Pupils"), "id") == ["1"]


def test_times_and_durations_are_marked_as_no_identifiers(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["at"], [datetime.time(1, 23)], [datetime.timedelta(hours=30)], [datetime.date(2020, 3, 1)],
        ["1:23"],
    ]  # fmt: skip
    cells = _read(_book(tmp_path / "f.xlsx", rows))
    assert cells.dated["at"].tolist() == [True, True, True, False]


def test_names_with_a_prefix_are_read_as_names_without_one(tmp_path: Path) -> None:
    path = _book(tmp_path / "f.xlsx", [["id", "rate"], [1, Shown(0.25, "0%")], [2, "#N/A"]])

    def prefixed(xml: str) -> str:
        xml = re.sub(r"<(/?)(\w)", r"<\1x:\2", xml)
        return xml.replace('xmlns="', 'xmlns:x="')

    cells = _read(_rewritten(path, prefixed))
    assert _texts(cells, "rate") == ["25%", ""]
    assert cells.spoilt["rate"][1][0] == "the error value #N/A"


def test_cells_without_a_place_are_counted(tmp_path: Path) -> None:
    path = _book(tmp_path / "f.xlsx", [["id", "rate"], [1, Shown(0.25, "0%")]])
    _rewritten(path, lambda xml: re.sub(r'(<(?:c|row)) r="\w+"', r"\1", xml))
    assert _texts(_read(path), "rate") == ["25%"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<html><table><tr><td>id</td></tr></table></html>", "an HTML or XML page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Workbook/>", "an HTML or XML page"),
        (b"id\tscore\n1\t2\n", "not readable as an Excel workbook"),
        (b"", "not readable as an Excel workbook"),
    ],
)
@pytest.mark.parametrize("name", ["f.xls", "f.xlsx"])
def test_what_is_only_named_as_a_workbook_is_refused(
    tmp_path: Path, name: str, content: bytes, found: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert found in _refusal(path).found


def test_a_header_on_two_rows_takes_its_upper_names_from_merged_cells(tmp_path: Path) -> None:
    rows = [
        ["Results of 2020", None, None, None],
        ["School", "Maths", None, "Region"],
        [None, "score", "n", None],
        ["S1", 12, 30, "North"],
    ]
    path = _book(tmp_path / "f.xlsx", rows, lambda sheet: sheet.merge_cells("B2:C2"))
    cells = _read(path, header_row=[2, 3])
    assert list(cells.columns) == ["School", "Maths score", "Maths n", "Region"]
    assert cells.line(np.array([0])).tolist() == [4]


def test_notes_below_a_sheet_are_left_out_where_the_protocol_says_so(tmp_path: Path) -> None:
    rows = [
        ["id", "score"],
        [1, 2],
        [3, 4],
        [None, None],
        ["Source: the state", None],
        ["Total", 6],
    ]
    path = _book(tmp_path / "f.xlsx", rows)
    cells = _read(path, notes_below=["Source", "Total"])
    assert _texts(cells, "id") == ["1", "3"]
    assert cells.notes == [(5, "Source: the state"), (6, "Total, 6")]
    with pytest.raises(Refusal, match="row 6 below it looks like data"):
        _read(path, notes_below=True)


@pytest.mark.parametrize("name", ["f.xlsx", "f.xls"])
@given(data=st.data())
def test_no_spoilt_workbook_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("spoilt")
    path = folder / name
    content = _GOOD.get(name)
    if content is None:
        made = _book(path, RATES) if name == "f.xlsx" else write_xls(path, RATES)
        content = _GOOD.setdefault(name, made.read_bytes())
    spoilt = bytearray(content)
    for at in data.draw(st.lists(st.integers(0, len(spoilt) - 1), max_size=8)):
        spoilt[at] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))]))
    with suppress(Refusal):
        _read(path)


_GOOD: dict[str, bytes] = {}
