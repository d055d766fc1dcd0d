"""Whatever pyarrow reads is what the module csv reads, to the letter and to the line."""

import csv
import io
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.files import delimited
from schooltrial.data.files.delimited import DelimitedText, decoded, split
from schooltrial.data.layout.notes_below import NotesBelow
from schooltrial.protocol.content.column_map import SIZES, SizeLimits
from schooltrial.refusal import Fault, Refusal

CELLS = st.text(st.sampled_from('ab0 ",;\n\r\té€'), max_size=4)
TABLES = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12
    )
)  # fmt: skip


def _rows(cells: RawCells) -> list[list[str]]:
    columns = [column.cells(np.arange(cells.rows)).to_pylist() for column in cells.columns.values()]
    return [list(row) for row in zip(*columns, strict=True)]


def _by_csv(content: bytes, delimiter: str) -> tuple[list[list[str]], list[int]]:
    reader = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter, strict=True)
    rows, lines, before = [], [], 0
    for row in reader:
        if any(cell.strip() for cell in row):
            rows.append(row)
            lines.append(before + 1)
        before = reader.line_num
    return rows[1:], lines[1:]


def _slowly(text: DelimitedText) -> RawCells:
    return delimited._without_blank_rows(delimited._careful(delimited._table(text)))


@given(
    TABLES,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from([",", ";", "\t"]),
    st.lists(st.integers(0, 11), max_size=2),
    st.booleans(),
    st.integers(0, 1),
)
def test_cells_and_lines_are_those_of_the_module_csv(
    table: list[list[str]], end: str, quoting: int, delimiter: str, blank: list[int],
    final_end: bool, plain: int,
) -> None:  # fmt: skip
    text = io.StringIO(newline="")
    names = [f"c{at}" for at in range(len(table[0]))]
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(names)
    for at, row in enumerate(table):
        text.write(end * blank.count(at))
        writer.writerow(row)
    content = text.getvalue().encode()
    content = content if final_end else content.removesuffix(end.encode())
    rows, lines = _by_csv(content, delimiter)
    assume(rows and all(len(row) == len(names) for row in rows))  # csv writes a lone \\r unquoted
    cells = split(DelimitedText("f.csv", content, delimiter), frozenset(names[:plain]))
    assert _rows(cells) == rows
    assert cells.line(np.arange(cells.rows)).tolist() == lines
    slow = _slowly(DelimitedText("f.csv", content, delimiter))
    assert _rows(slow) == rows
    assert slow.line(np.arange(slow.rows)).tolist() == lines


@given(st.text(st.sampled_from('a",\n\r '), max_size=14))
def test_what_csv_cannot_split_is_refused_and_what_it_can_is_read_like_it(body: str) -> None:
    content = b"x,y\n" + body.encode()
    try:
        rows, lines = _by_csv(content, ",")
    except csv.Error:
        rows, lines = [], []
    if rows and all(len(row) == len(rows[0]) and not any(map(str.strip, row[2:])) for row in rows):
        rows = [row[:2] for row in rows]  # every row ends in a delimiter
    if not rows or any(len(row) != 2 for row in rows):
        with pytest.raises(Refusal) as caught:
            split(DelimitedText("f.csv", content))
        assert caught.value.faults
        assert all(fault.expected and fault.remedy for fault in caught.value.faults)
        return
    cells = split(DelimitedText("f.csv", content))
    assert _rows(cells) == rows
    assert cells.line(np.arange(cells.rows)).tolist() == lines


@pytest.mark.parametrize(
    "body", ['"a","b"\n', '"a ""b"" c","1\n2"\n', "1,2\r\n\r\n3,4\r\n", '"",0\n', '"""",""""""\n']
)
def test_ordinary_files_need_no_second_look(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> RawCells:
        raise AssertionError("the careful pass was taken")

    monkeypatch.setattr(delimited, "_careful", slow)
    cells = split(DelimitedText("f.csv", b"x,y\n" + body.encode()))
    assert _rows(cells) == _by_csv(b"x,y\n" + body.encode(), ",")[0]


@pytest.mark.parametrize("body", ['a"b,c\n', "1,2\r3,4\n", ' "a",b\n'])
def test_text_that_can_be_read_in_two_ways_is_read_as_csv_does(
    body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forbid_pyarrow(monkeypatch)
    content = b"x,y\n" + body.encode()
    assert _rows(split(DelimitedText("f.csv", content))) == _by_csv(content, ",")[0]


def test_text_after_a_closing_mark_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _forbid_pyarrow(monkeypatch)
    with pytest.raises(Refusal) as caught:
        split(DelimitedText("f.csv", b'x,y\n1,2\n"a"b,c\n'))
    (fault,) = caught.value.faults
    assert (fault.row, "quotation marks do not pair" in fault.found) == (3, True)


def _forbid_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    def fast(*_: object) -> None:
        raise AssertionError("pyarrow read it")

    monkeypatch.setattr(delimited, "_fast", fast)


def test_columns_below_a_title_are_read_from_the_line_declared() -> None:
    content = b'"Report, of\n2019"\n\nid,score\n1,2\n3,4\n'
    cells = split(DelimitedText("f.csv", content, ",", header_row=4))
    assert list(cells.columns) == ["id", "score"]
    assert cells.line(np.arange(2)).tolist() == [5, 6]


def test_a_delimiter_that_is_no_single_byte_is_read_too() -> None:
    cells = split(DelimitedText("f.csv", "a§b\n1§2\n".encode(), "§"))
    assert _rows(cells) == [["1", "2"]]


@given(st.text(min_size=1, max_size=30), st.sampled_from(["utf-8", "latin-1", "windows-1252"]))
def test_text_comes_out_of_its_encoding_as_it_went_in(text: str, encoding: str) -> None:
    try:
        content = text.encode(delimited.ENCODINGS[encoding])
    except UnicodeEncodeError:
        return
    if "\0" in text or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        with pytest.raises(Refusal):
            decoded(content, encoding, "f.csv")
    else:
        expected = text.removeprefix("\ufeff") if encoding == "utf-8" else text
        assert decoded(content, encoding, "f.csv").decode() == expected


def _split(content: bytes, **keys: Any) -> RawCells:
    return split(DelimitedText("f.csv", content, **keys))


def _refusal(content: bytes, **keys: Any) -> Fault:
    with pytest.raises(Refusal) as caught:
        _split(content, **keys)
    (fault,) = caught.value.faults
    return fault


def test_a_lone_quotation_mark_above_the_header_does_not_matter() -> None:
    content = b'A title of 12" \n\nid,score\n1,2\n3,4\n'
    cells = _split(content, header_row=3)
    assert (_rows(cells), cells.line(np.arange(2)).tolist()) == ([["1", "2"], ["3", "4"]], [4, 5])
    assert _rows(_split(b'"\n"\nid,score\n1,2\n', header_row=3)) == [["1", "2"]]


def test_names_on_two_lines_are_joined_and_an_upper_one_holds_for_blanks_on_its_right() -> None:
    content = b"Results\nSchool,Maths,,Reading,\n,score,n,score,n\nS1,1,2,3,4\n"
    cells = _split(content, header_row=[2, 3])
    assert list(cells.columns) == ["School", "Maths score", "Maths n", "Reading score", "Reading n"]
    assert (cells.header_row, cells.line(np.arange(1)).tolist()) == (3, [4])


def test_blank_and_repeated_names_are_kept_apart() -> None:
    cells = _split(b",x,x,\n1,2,3,4\n")
    assert list(cells.columns) == ["column (1)", "x (2)", "x (3)", "column (4)"]
    assert cells.nameless == {"column (1)", "column (4)"}
    assert cells.repeated == {"x": [2, 3]}


@pytest.mark.parametrize(
    "content",
    [b"a,b,\n1,2,\n3,4,\n", b"a,b\n1,2,\n3,4,\n", b"a,b,\n1,2\n3,4\n", b"a,b\n1,2,,\n3,4,,\n"],
)
def test_a_delimiter_at_the_end_of_every_row_or_of_the_header_is_no_column(content: bytes) -> None:
    cells = _split(content)
    named = [name for name in cells.columns if name not in cells.nameless]
    assert (named, [row[:2] for row in _rows(cells)]) == (["a", "b"], [["1", "2"], ["3", "4"]])


def test_a_delimiter_at_the_end_of_some_rows_is_refused_with_their_lines() -> None:
    fault = _refusal(b"a,b\n1,2,\n3,4\n5,6\n")
    assert (fault.row, fault.found) == (2, "the row has 3 cells")


def test_a_title_above_the_header_is_told_with_the_line_of_the_header() -> None:
    fault = _refusal(b"Results of 2020\nid,score,n\n1,2,3\n4,5,6\n")
    assert fault.found == "the header has 1 cell, but 3 of 3 rows below it have 3"
    assert fault.remedy.startswith("set `header_row: 2`")


def test_row_names_without_a_name_are_told() -> None:
    fault = _refusal(b'"a","b"\n"1",2,3\n"2",4,5\n')
    assert "`row.names = FALSE`" in fault.remedy


def test_rows_of_delimiters_alone_are_blank_rows() -> None:
    cells = _split(b"a,b\n1,2\n,\n , \n3,4\n,\n")
    assert (_rows(cells), cells.line(np.arange(2)).tolist()) == ([["1", "2"], ["3", "4"]], [2, 5])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way_also_below_notes_and_titles(end: str) -> None:
    lines = ["Title", "id,n", "1,2", "3,4", "", "Source: é"]
    cells = _split(end.join(lines).encode(), header_row=2, notes_below=True)
    assert (_rows(cells), cells.notes) == ([["1", "2"], ["3", "4"]], [(6, "Source: é")])


def test_lines_that_end_in_several_ways_are_read() -> None:
    assert _rows(_split(b"id,n\r\n1,2\n3,4\r5,6")) == [["1", "2"], ["3", "4"], ["5", "6"]]


def test_a_byte_order_mark_inside_the_file_is_refused_with_its_line() -> None:
    content = b"id,n\n1,2\n\xef\xbb\xbfid,n\n3,4\n"
    with pytest.raises(Refusal) as caught:
        decoded(content, "utf-8", "f.csv")
    (fault,) = caught.value.faults
    assert fault.row == 3
    assert "read each file separately" in fault.remedy


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_where_the_protocol_says_so(encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    content = f"{mark}id,é\n1,2\n".encode(encoding)
    assert decoded(content, "utf-16", "f.csv") == "id,é\n1,2\n".encode()
    with pytest.raises(Refusal, match="Set `encoding: utf-16`"):
        decoded(content, "utf-8", "f.csv")


def test_a_line_that_is_too_long_is_refused_with_its_length() -> None:
    sizes: SizeLimits = {**SIZES, "line_length": 20}
    assert _split(b"id,n\n" + b"1,2\n" * 50, sizes=sizes).rows == 50
    fault = _refusal(b"id,n\n1,2\n" + b"1" * 30 + b",2\n", sizes=sizes)
    assert (fault.row, fault.found) == (3, "a line of 33 bytes")
    assert "`limits: {line_length: 33}`" in fault.remedy


def test_more_columns_than_are_allowed_are_refused() -> None:
    fault = _refusal(b"a,b,c\n1,2,3\n", sizes={**SIZES, "columns": 2})
    assert fault.found == "3 columns"
    assert "`limits: {columns: 3}`" in fault.remedy


@given(
    st.text(st.sampled_from('ab1 ,;"\n\r\t\ufeff.é'), max_size=40),
    st.sampled_from([1, 2, 3, [1, 2], [2, 4]]),
    st.sampled_from([False, True, "a", ["a", "b"]]),
    st.sampled_from([",", ";", "§"]),
)
def test_no_text_ends_in_a_traceback(
    text: str, header_row: Any, notes_below: NotesBelow, delimiter: str
) -> None:
    with suppress(Refusal):
        content = decoded(text.encode(), "utf-8", "f.csv")
        cells = split(DelimitedText("f.csv", content, delimiter, header_row, notes_below))
        assert all(len(column) == cells.rows for column in cells.columns.values())
        assert len(cells.line(np.arange(cells.rows))) == cells.rows


@given(st.binary(max_size=60), st.sampled_from([*delimited.ENCODINGS]))
def test_no_bytes_end_in_a_traceback(content: bytes, encoding: str) -> None:
    with suppress(Refusal):
        split(DelimitedText("f.csv", decoded(content, encoding, "f.csv")))
