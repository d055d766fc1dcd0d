"""Split delimited text into cells, exactly.

The columns are read by pyarrow wherever nothing in the file can be read in two ways. Where the
quotation marks, the ends of lines or the number of cells are out of the ordinary, the module
``csv`` goes through the file again, slowly, and tells the line of each fault.
"""

from __future__ import annotations

import array
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv

from schooltrial.data.cells.text_columns import RawCells, Rows, TextColumn
from schooltrial.refusal import Fault, Refusal, refuse

SHOWN_ROWS = 5


BLOCK = 4 << 20


MARKS = {";": ";", ",": ",", "|": "|", "\t": "\\t"}


ENCODINGS = {"utf-8": "utf-8", "latin-1": "latin-1", "windows-1252": "cp1252"}


BYTE_ORDER_MARK = b"\xef\xbb\xbf"


QUOTE, NEWLINE, RETURN = b'"', b"\n", b"\r"


@dataclass(frozen=True)
class DelimitedText:
    """A delimited file in memory.

    Attributes
    ----------
    file : str
        Its name, for messages.
    content : bytes
        UTF-8, without byte-order mark.
    delimiter : str
    header_row : int
        Line of the header.
    """

    file: str
    content: bytes
    delimiter: str = ","
    header_row: int = 1

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line and cells of each row that is not blank, from the header on.

        Raises
        ------
        Refusal
            At quotation marks that do not pair, and at a cell that is far too long.
        """
        text = io.TextIOWrapper(io.BytesIO(self.content), encoding="utf-8", newline="")
        for _ in range(self.header_row - 1):
            text.readline()
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        before = self.header_row - 1
        try:
            for cells in reader:
                if cells:
                    yield before + 1, cells
                before = reader.line_num + self.header_row - 1
        except csv.Error as error:
            raise Refusal([self._not_split(error, before + 1)]) from error

    def _not_split(self, error: csv.Error, row: int) -> Fault:
        if "field larger" in str(error):
            found = f"a cell of more than {csv.field_size_limit():,} characters"
            remedy = "check the quotation marks on that line, the ends of lines and the delimiter"
            return Fault(self.file, found, "rows, each on a line of its own", remedy, row=row)
        found = f"the quotation marks do not pair ({error})"
        remedy = "close the quotation mark that is opened on this line, or double one inside a cell"
        return Fault(self.file, found, 'cells quoted as "…"', remedy, row=row)


def decoded(content: bytes, encoding: str, file: str) -> bytes:
    """Return a text as UTF-8, without byte-order mark.

    Raises
    ------
    Refusal
        Where bytes are not of the encoding, or there is a NUL byte.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        remedy = "save the file as UTF-8"
        refuse([Fault(file, "the file is UTF-16", f"text in {encoding}", remedy, row=1)])
    if not content.isascii():
        if encoding == "utf-8":
            content = content.removeprefix(BYTE_ORDER_MARK)
        _check_encoding(content, encoding, file)
        _check_mark(content, encoding, file)
        if encoding != "utf-8":
            content = content.decode(ENCODINGS[encoding]).encode("utf-8")
    if b"\0" in content:
        row = content[: content.index(b"\0")].count(NEWLINE) + 1
        refuse([Fault(file, "a NUL byte", "plain text", "export the file again", row=row)])
    return content


def _check_mark(content: bytes, encoding: str, file: str) -> None:
    """Refuse a byte-order mark that would become part of the first name."""
    if not content.startswith(BYTE_ORDER_MARK):
        return
    if encoding == "utf-8":
        found, remedy = "a byte-order mark that stands twice", "save the file as UTF-8 again"
    else:
        found, remedy = "a byte-order mark of UTF-8", "set `encoding: utf-8` in the protocol"
    refuse([Fault(file, found, f"text in {encoding}", remedy, row=1)])


def _check_encoding(content: bytes, encoding: str, file: str) -> None:
    try:
        content.decode(ENCODINGS[encoding])
        return
    except UnicodeDecodeError:
        pass
    faults = []
    remedy = "set `encoding` in the protocol to windows-1252 or latin-1, or save as UTF-8"
    for row, line in enumerate(content.split(NEWLINE), start=1):
        try:
            line.decode(ENCODINGS[encoding])
        except UnicodeDecodeError as error:
            found = f"byte 0x{line[error.start]:02x} is not {encoding}"
            faults.append(Fault(file, found, f"text in {encoding}", remedy, row=row))
    refuse(_first(faults, f"{{}} more lines are not {encoding}"))


def _first(faults: list[Fault], more: str) -> list[Fault]:
    """Return the first faults, and how many more there are."""
    shown = faults[:SHOWN_ROWS]
    if len(faults) > SHOWN_ROWS:
        last = faults[-1]
        found = more.format(len(faults) - SHOWN_ROWS)
        shown.append(Fault(last.file, found, last.expected, last.remedy))
    return shown


def split(text: DelimitedText, plain: frozenset[str] = frozenset()) -> RawCells:
    """Return the cells of a delimited file.

    Parameters
    ----------
    text : DelimitedText
    plain : set of str
        Columns in which nearly every text differs; they are not dictionary-encoded.

    Raises
    ------
    Refusal
        With the line of each row that has another number of cells than the header, of quotation
        marks that do not pair, and with what is wrong with the header.
    """
    header, below = _header(text)
    refuse(header_faults(header, text.file, text.header_row))
    body = memoryview(text.content)[below:]
    if text.delimiter.isascii() and _plain_quotes(text) and not _lone_returns(text.content):
        cells = _fast(text, header, body, plain)
        if cells is not None:
            return cells
    return _careful(text, header)


def _header(text: DelimitedText) -> tuple[list[str], int]:
    """Return the names of the columns, and where the rows below them begin."""
    rows = text.rows()
    row, cells = next(rows, (0, []))
    following = next(rows, None) if row else None
    names = [name.strip() for name in cells]
    _check_delimiter(text, names)
    if following is None:
        raise Refusal([no_rows(text.file)])
    return names, _offset(text.content, following[0])


def _offset(content: bytes, line: int) -> int:
    """Return where a line begins."""
    at = 0
    for _ in range(line - 1):
        found = content.find(NEWLINE, at)
        if found < 0:
            return len(content)
        at = found + 1
    return at


def no_rows(file: str) -> Fault:
    """Return the fault of a file that holds nothing below its header."""
    return Fault(file, "the file holds no rows", "a header and rows", "check the export")


def _check_delimiter(text: DelimitedText, names: list[str]) -> None:
    if len(names) != 1:
        return
    other = [mark for mark in MARKS if mark != text.delimiter and mark in names[0]]
    if other:
        found = f"the header is one cell: {names[0][:80]!r}"
        remedy = f'set `delimiter: "{MARKS[other[0]]}"` in the protocol'
        expected = f"columns separated by {text.delimiter!r}"
        refuse([Fault(text.file, found, expected, remedy, row=text.header_row)])


def header_faults(header: list[str], file: str, row: int) -> list[Fault]:
    """Return the faults of names that stand twice, or are empty between others."""
    faults = [
        Fault(file, f"the column {name!r} stands twice", "each column once", "rename one", row=row)
        for name in sorted({name for name in header if name and header.count(name) > 1})
    ]
    if sum(not name for name in header) > 1:
        found = f"{sum(not name for name in header)} columns have no name"
        remedy = "name them, or set `header_row` where the names stand on a lower line"
        faults.append(Fault(file, found, "one header row with each column's name", remedy, row=row))
    return faults


def _plain_quotes(text: DelimitedText) -> bool:
    """Return whether each quotation mark opens or closes a whole cell, or is doubled inside one.

    Then there is one way to read them. Marks alternate between opening, after a separator, and
    closing, before one; a closing mark right before an opening one is a doubled mark.
    """
    if QUOTE not in text.content:
        return True
    bytes_ = np.frombuffer(text.content, dtype=np.uint8)
    at = np.flatnonzero(bytes_ == QUOTE[0])
    if len(at) % 2:
        return False
    ends = np.frombuffer(text.delimiter.encode() + b"\r\n", dtype=np.uint8)
    opening, closing = at[::2], at[1::2]
    doubled = np.zeros(len(opening), dtype=bool)
    doubled[1:] = opening[1:] == closing[:-1] + 1
    after = np.isin(bytes_[np.maximum(opening - 1, 0)], ends) | (opening == 0)
    before = np.isin(bytes_[np.minimum(closing + 1, len(bytes_) - 1)], ends)
    before |= closing == len(bytes_) - 1
    before[:-1] |= doubled[1:]
    return bool((after | doubled).all() and before.all())


def _lone_returns(content: bytes) -> bool:
    return RETURN in content and content.count(RETURN) != content.count(b"\r\n")


def _fast(
    text: DelimitedText, header: list[str], body: memoryview, plain: frozenset[str]
) -> RawCells | None:
    """Return the cells as pyarrow reads them; None where it cannot split the file."""
    names = [str(at) for at in range(len(header))]
    encoded = pa.dictionary(pa.int32(), pa.string())
    kinds = {
        at: pa.string() if name in plain else encoded
        for at, name in zip(names, header, strict=True)
    }
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            pyarrow.csv.ReadOptions(column_names=names, block_size=BLOCK),
            pyarrow.csv.ParseOptions(
                delimiter=text.delimiter, newlines_in_values=QUOTE in text.content
            ),
            pyarrow.csv.ConvertOptions(
                column_types=kinds, strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    columns = {
        name: TextColumn.of(table[at]) for at, name in zip(names, header, strict=True) if name
    }
    lines, first = _lines(text, body, table.num_rows)
    return RawCells(text.file, columns, table.num_rows, lines, first)


def _lines(text: DelimitedText, body: memoryview, rows: int) -> tuple[Rows | None, int]:
    """Return the line of each row; None and the first where they follow one another."""
    first = text.content[: len(text.content) - len(body)].count(NEWLINE) + 1
    ends = text.content.count(NEWLINE) - first + 1
    if rows == ends + (bytes(body[-1:]) != NEWLINE):
        return None, first
    bytes_ = np.frombuffer(body, dtype=np.uint8)
    line_ends = np.flatnonzero(bytes_ == NEWLINE[0])
    quotes = np.flatnonzero(bytes_ == QUOTE[0])
    outside = np.searchsorted(quotes, line_ends) % 2 == 0
    starts = np.append(0, line_ends[outside] + 1)
    starts = starts[starts < len(bytes_)]
    blank = np.isin(bytes_[starts], np.frombuffer(b"\r\n", dtype=np.uint8))
    return np.searchsorted(line_ends, starts[~blank]) + first, first


def _careful(text: DelimitedText, header: list[str]) -> RawCells:
    """Return the cells as the module ``csv`` reads them; first it looks for rows of other length.

    The distinct texts are kept, and for each row their numbers.
    """
    expected = f"{len(header)} cells, as in the header"
    remedy = "check the delimiter and the quotation marks on that line"
    faults = [
        Fault(text.file, f"the row has {len(cells)} cells", expected, remedy, row=row)
        for row, cells in text.rows()
        if len(cells) != len(header)
    ]
    refuse(_first(faults, "{} more rows have another number of cells"))
    known: list[dict[str, int]] = [{} for _ in header]
    codes = [array.array("i") for _ in header]
    lines = array.array("q")
    rows = text.rows()
    next(rows)
    for line, cells in rows:
        lines.append(line)
        for cell, texts, numbers in zip(cells, known, codes, strict=True):
            numbers.append(texts.setdefault(cell, len(texts)))
    columns = {
        name: TextColumn(pa.array(texts, pa.string()), np.asarray(numbers, dtype=np.int32))
        for name, texts, numbers in zip(header, known, codes, strict=True)
        if name
    }
    return RawCells(text.file, columns, len(lines), np.asarray(lines, dtype=np.int64))
