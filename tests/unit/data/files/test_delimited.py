"""Whatever pyarrow reads is what the module csv reads, to the letter and to the line."""

import csv
import io

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.files import delimited
from schooltrial.data.files.delimited import DelimitedText, decoded, split
from schooltrial.refusal import Refusal

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
