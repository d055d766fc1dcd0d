"""Split delimited text into cells, exactly.

The columns are read by pyarrow wherever nothing in the file can be read in two ways. Where the
quotation marks, the ends of lines or the number of cells are out of the ordinary, the module
``csv`` goes through the file again, slowly, and tells the line of each fault.
"""

from __future__ import annotations

import array
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.csv

from schooltrial.data.cells.text_columns import Mask, RawCells, Rows, TextColumn
from schooltrial.data.cells.typed_values import no_rows
from schooltrial.data.layout.header import Header, joined_names, too_many_columns
from schooltrial.data.layout.notes_below import SUGGESTED, NotesBelow, TableRows, notes_of
from schooltrial.protocol.content.column_map import SIZES, SizeLimits
from schooltrial.refusal import Fault, Refusal, refuse

SHOWN_ROWS = 5


BLOCK = 4 << 20


WHOLE, DECIMALS = re.compile(r"[-+]?\d+"), re.compile(r"\d+")
"""The two cells that a number with a decimal comma becomes where commas separate the columns."""


DECIMAL_COMMA = (
    "if its numbers have a decimal comma, export the file with semicolons between the columns and "
    'set `delimiter: ";"` and `decimal: ","`, or export it with decimal points'
)


NEARBY, LONGEST_NEARBY = 30, 100_000
"""Lines at the top of a file, and bytes, in which names are looked for."""


MARKS = {";": ";", ",": ",", "|": "|", "\t": "\\t"}


ENCODINGS = {"utf-8": "utf-8", "latin-1": "latin-1", "windows-1252": "cp1252", "utf-16": "utf-16"}


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
    header_row : int or sequence of int
        Line of the header, or lines where it is written on several.
    notes_below : bool, str or list of str
        Whether there are notes below the table, or the texts with which they begin.
    sizes : mapping
        How long lines and how many columns may be.
    """

    file: str
    content: bytes
    delimiter: str = ","
    header_row: int | Sequence[int] = 1
    notes_below: NotesBelow = False
    sizes: SizeLimits = field(default_factory=lambda: SIZES)

    @property
    def header_rows(self) -> list[int]:
        """Lines of the header."""
        given = self.header_row
        return [given] if isinstance(given, int) else list(given)

    def rows(self, *, blank: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Yield line and cells of each row from the header on; blank lines only if asked for.

        Raises
        ------
        Refusal
            At quotation marks that do not pair, and at a cell that is far too long.
        """
        text = io.TextIOWrapper(io.BytesIO(self.content), encoding="utf-8", newline="")
        above = self.header_rows[0] - 1
        for _ in range(above):
            text.readline()
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        before = above
        try:
            for cells in reader:
                if cells or blank:
                    yield before + 1, cells
                before = reader.line_num + above
        except csv.Error as error:
            raise Refusal([self._not_split(error, before + 1)]) from error

    def nearby(self) -> list[tuple[int, list[str]]]:
        """Return line and cells of the first lines, to look for names that were not found."""
        end = self.content.find(NEWLINE, 0)
        for _ in range(NEARBY - 1):
            end = self.content.find(NEWLINE, end + 1) if end >= 0 else end
        first = self.content[: end if end >= 0 else len(self.content)][:LONGEST_NEARBY]
        lines = first.decode("utf-8", "replace").splitlines()
        return [
            (number, [cell.strip().strip('"').strip() for cell in line.split(self.delimiter)])
            for number, line in enumerate(lines, start=1)
        ]

    def _not_split(self, error: csv.Error, row: int) -> Fault:
        if "field larger" in str(error):
            found = f"a cell of more than {csv.field_size_limit():,} characters"
            remedy = "check the quotation marks on this line, the line ends and the delimiter"
            return Fault(self.file, found, "one row per line", remedy, row=row)
        found = f"the quotation marks do not pair ({error})"
        remedy = "close the quotation mark that opens on this line, or double it inside a cell"
        return Fault(self.file, found, 'cells quoted as "…"', remedy, row=row)


def decoded(content: bytes, encoding: str, file: str) -> bytes:
    """Return a text as UTF-8, without byte-order mark.

    Raises
    ------
    Refusal
        Where bytes are not of the encoding, or there is a NUL byte.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") and encoding != "utf-16":
        remedy = "set `encoding: utf-16` in the protocol, or save the file as UTF-8"
        refuse([Fault(file, "the file is UTF-16", f"text in {encoding}", remedy, row=1)])
    if encoding == "utf-16":
        content = _of_utf_16(content, file)
    elif not content.isascii():
        if encoding == "utf-8":
            content = content.removeprefix(BYTE_ORDER_MARK)
        _check_encoding(content, encoding, file)
        _check_mark(content, encoding, file)
        if encoding != "utf-8":
            content = content.decode(ENCODINGS[encoding]).encode("utf-8")
    if b"\0" in content:
        row = content[: content.index(b"\0")].count(NEWLINE) + 1
        remedy = "export the file again as text; if it is UTF-16, set `encoding: utf-16`"
        refuse([Fault(file, "a NUL byte", "plain text", remedy, row=row)])
    return content


def _of_utf_16(content: bytes, file: str) -> bytes:
    try:
        text = content.decode("utf-16")
        return text.encode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        remedy = "set the `encoding` in which the file was saved, or save it as UTF-8"
        found = f"the file is not UTF-16 ({error.reason})"
        raise Refusal([Fault(file, found, "text in utf-16", remedy, row=1)]) from error


def _check_mark(content: bytes, encoding: str, file: str) -> None:
    """Refuse a byte-order mark that would become part of a name or a cell."""
    if not content.startswith(BYTE_ORDER_MARK):
        within = min(
            (at for mark in (NEWLINE, RETURN) if (at := content.find(mark + BYTE_ORDER_MARK)) >= 0),
            default=-1,
        )
        if within >= 0:
            row = content[: within + 1].count(NEWLINE) + 1
            found = "a byte-order mark inside the file, as after files were appended"
            remedy = (
                "append the files without their marks and headers, or read each file separately"
            )
            refuse([Fault(file, found, "a byte-order mark only at the start", remedy, row=row)])
        return
    if encoding == "utf-8":
        found, remedy = "two byte-order marks", "save the file as UTF-8 again"
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
        left = len(faults) - SHOWN_ROWS
        shown.append(replace(last, found=more.format(f"{left:,}"), row=None, rows=left))
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
    _check_lines(text)
    table = _table(text)
    cells = None
    if text.delimiter.isascii() and _plain_quotes(table) and not _lone_returns(text.content):
        cells = _fast(table, plain)
    found = _without_blank_rows(cells or _careful(table))
    if found.rows == 0:
        refuse([no_rows(text.file)])
    header = table.header
    return replace(
        found, nameless=header.nameless, repeated=header.repeated, notes=table.notes,
        header_row=text.header_rows[-1], nearby=text.nearby(),
    )  # fmt: skip


@dataclass(frozen=True)
class _Table:
    """The rows below the header.

    Attributes
    ----------
    text : DelimitedText
        Without the notes below the table.
    header : Header
    surplus : int
        Cells without a name at the end of every row, which a trailing delimiter makes.
    start, line : int
        Where the text below the header begins, and on which line.
    notes : list of tuple
    """

    text: DelimitedText
    header: Header
    surplus: int
    start: int
    line: int
    notes: list[tuple[int, str]]

    @property
    def body(self) -> memoryview:
        """The text below the header."""
        return memoryview(self.text.content)[self.start :]

    def holds(self, mark: bytes) -> bool:
        """Return whether a sign is somewhere below the header."""
        return self.text.content.find(mark, self.start) >= 0

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line and cells of each row in which a cell holds something, below the header."""
        for row, cells in self.text.rows():
            if row >= self.line and any(cell.strip() for cell in cells):
                yield row, cells


def _check_lines(text: DelimitedText) -> None:
    """Refuse a line that is longer than lines may be, without looking at every byte."""
    most, content = text.sizes["line_length"], text.content
    end = NEWLINE if NEWLINE in content else RETURN
    at = 0
    while len(content) - at > most:
        last = content.rfind(end, at, at + most + 1)
        if last < 0:
            size = (content.find(end, at) + 1 or len(content)) - at
            remedy = f"check the line ends, or raise `limits: {{line_length: {size}}}`"
            row = content.count(end, 0, at) + 1
            found, expected = f"a line of {size:,} bytes", f"lines of up to {most:,} bytes"
            refuse([Fault(text.file, found, expected, remedy, row=row)])
        at = last + 1


def _table(text: DelimitedText) -> _Table:
    """Find the header, and where the table below it begins and ends."""
    rows = text.rows()
    wanted, upper, first = text.header_rows, [], None
    filled: Sequence[str] = ()  # of the first row that is not blank
    for row, cells in rows:
        if row <= wanted[-1]:
            upper += [cells] if row in wanted else []
            continue
        first = first or (row, cells)
        filled = cells
        if any(cell.strip() for cell in cells):
            break
    if len(upper) == 1 == len(wanted):
        _check_delimiter(text, [name.strip() for name in upper[0]])
    if len(upper) < len(wanted) or first is None:
        raise Refusal([no_rows(text.file)])
    names = joined_names(upper) if len(upper) > 1 else [name.strip() for name in upper[0]]
    refuse(too_many_columns(text.file, len(names), text.sizes["columns"], wanted[-1]))
    names, surplus = _trailing(names, filled)
    notes: list[tuple[int, str]] = []
    if text.notes_below:
        width = len(names)
        below = ((row, cells) for row, cells in text.rows(blank=True) if row >= first[0])
        notes = notes_of(TableRows(text.file, width, below), text.notes_below)
        if notes:
            text = replace(text, content=text.content[: _offset(text.content, notes[0][0])])
    header = Header.of(names)
    start = _offset(text.content, first[0])
    return _Table(text, header, surplus, start, first[0], notes)


def _trailing(names: list[str], first: Sequence[str]) -> tuple[list[str], int]:
    """Return the names without those of cells that a trailing delimiter makes in the header alone.

    And how many more cells without content the first row has at its end than the header has names.
    """
    more = len(first) - len(names)
    if more < 0 and not any(names[more:]):
        return names[:more], 0
    if more > 0 and not any(cell.strip() for cell in first[-more:]):
        return names, more
    return names, 0


def _offset(content: bytes, line: int) -> int:
    """Return where a line begins; lines end as they do for the module ``csv``."""
    at = 0
    if not _lone_returns(content):
        for _ in range(line - 1):
            found = content.find(NEWLINE, at)
            if found < 0:
                return len(content)
            at = found + 1
        return at
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    return sum(len(text.readline().encode()) for _ in range(line - 1))


def _check_delimiter(text: DelimitedText, names: list[str]) -> None:
    if len(names) != 1:
        return
    other = [mark for mark in MARKS if mark != text.delimiter and mark in names[0]]
    if other:
        found = f"the header is one cell: {names[0][:80]!r}"
        remedy = f'set `delimiter: "{MARKS[other[0]]}"` in the protocol'
        expected = f"columns separated by {text.delimiter!r}"
        refuse([Fault(text.file, found, expected, remedy, row=text.header_rows[-1])])


def _plain_quotes(table: _Table) -> bool:
    """Return whether each quotation mark opens or closes a whole cell, or is doubled inside one.

    Then there is one way to read them. Marks alternate between opening, after a separator, and
    closing, before one; a closing mark right before an opening one is a doubled mark.
    """
    if not table.holds(QUOTE):
        return True
    bytes_ = np.frombuffer(table.body, dtype=np.uint8)
    at = np.flatnonzero(bytes_ == QUOTE[0])
    if len(at) % 2:
        return False
    ends = np.frombuffer(table.text.delimiter.encode() + b"\r\n", dtype=np.uint8)
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


def _fast(table: _Table, plain: frozenset[str]) -> RawCells | None:
    """Return the cells as pyarrow reads them; None if it cannot split the file."""
    keys = table.header.keys
    width = len(keys) + table.surplus
    names = [str(at) for at in range(width)]
    encoded = pa.dictionary(pa.int32(), pa.string())
    kinds = {
        name: pa.string() if at < len(keys) and keys[at] in plain else encoded
        for at, name in enumerate(names)
    }
    try:
        read = pyarrow.csv.read_csv(
            pa.BufferReader(pa.py_buffer(table.body)),
            pyarrow.csv.ReadOptions(column_names=names, block_size=BLOCK),
            pyarrow.csv.ParseOptions(
                delimiter=table.text.delimiter, newlines_in_values=table.holds(QUOTE)
            ),
            pyarrow.csv.ConvertOptions(
                column_types=kinds, strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    every = [TextColumn.of(column) for column in read.columns]
    if any(_filled(column).any() for column in every[len(keys) :]):
        return None
    columns = dict(zip(keys, every, strict=False))
    lines, first = _lines(table, read.num_rows)
    return RawCells(table.text.file, columns, read.num_rows, lines, first)


def _filled(column: TextColumn) -> Mask:
    """Return for each of a column's texts whether it holds more than blanks."""
    return np.array([bool(text.strip()) for text in column.texts.to_pylist()], dtype=bool)


def _without_blank_rows(cells: RawCells) -> RawCells:
    """Return the rows in which any cell holds something."""
    blank: Rows | None = None
    for column in cells.columns.values():
        rows = column.holds(~_filled(column)) if blank is None else blank
        if blank is not None:
            at = column.row_numbers()[blank]
            rows = blank[~_filled_at(column, at)]
        blank = rows
        if len(blank) == 0:
            return cells
    staying = np.setdiff1d(np.arange(cells.rows), blank if blank is not None else [])
    return replace(
        cells, columns={name: column.take(staying) for name, column in cells.columns.items()},
        rows=len(staying), lines=cells.line(staying),
    )  # fmt: skip


def _filled_at(column: TextColumn, numbers: np.ndarray) -> Mask:
    """Return whether each of some texts of a column, by their numbers, holds more than blanks."""
    texts = column.texts.take(pa.array(numbers)).to_pylist()
    return np.array([bool(text.strip()) for text in texts], dtype=bool)


def _lines(table: _Table, rows: int) -> tuple[Rows | None, int]:
    """Return the line of each row; None and the first where they follow one another."""
    first, content = table.line, table.text.content
    if rows == content.count(NEWLINE, table.start) + (content[-1:] != NEWLINE):
        return None, first
    bytes_ = np.frombuffer(table.body, dtype=np.uint8)
    line_ends = np.flatnonzero(bytes_ == NEWLINE[0])
    quotes = np.flatnonzero(bytes_ == QUOTE[0])
    outside = np.searchsorted(quotes, line_ends) % 2 == 0
    starts = np.append(0, line_ends[outside] + 1)
    starts = starts[starts < len(bytes_)]
    blank = np.isin(bytes_[starts], np.frombuffer(b"\r\n", dtype=np.uint8))
    return np.searchsorted(line_ends, starts[~blank]) + first, first


def _careful(table: _Table) -> RawCells:
    """Return the cells as the module ``csv`` reads them; first it looks for rows of other length.

    The distinct texts are kept, and for each row their numbers.
    """
    keys = table.header.keys
    refuse(_unequal(table))
    known: list[dict[str, int]] = [{} for _ in keys]
    codes = [array.array("i") for _ in keys]
    lines = array.array("q")
    for line, cells in table.rows():
        lines.append(line)
        for cell, texts, numbers in zip(cells, known, codes, strict=False):
            numbers.append(texts.setdefault(cell, len(texts)))
    columns = {
        key: TextColumn(pa.array(texts, pa.string()), np.asarray(numbers, dtype=np.int32))
        for key, texts, numbers in zip(keys, known, codes, strict=True)
    }
    return RawCells(table.text.file, columns, len(lines), np.asarray(lines, dtype=np.int64))


def _unequal(table: _Table) -> list[Fault]:
    """Return the faults of rows that have another number of cells than the header."""
    width = len(table.header.keys)
    odd: list[tuple[int, int]] = []
    split_numbers = 0
    widths: Counter[int] = Counter()
    lengths: dict[int, int] = {}
    last = 0
    for row, cells in table.rows():
        lengths.setdefault(len(cells), row)
        widths[len(cells)] += 1
        if _fits(cells, width, table.surplus):
            last = row
        else:
            odd.append((row, len(cells)))
            split_numbers += _has_split_numbers(cells, width)
    if not odd:
        return []
    file, usual = table.text.file, widths.most_common(1)[0][0]
    if table.surplus and width in widths:
        return _unequal(replace(table, surplus=0))  # not every row ends in a delimiter
    decimal_comma = table.text.delimiter == "," and split_numbers > len(odd) / 2
    if usual != width + table.surplus and widths[usual] > 1:
        return [_header_elsewhere(table, usual, widths, lengths[usual], decimal_comma)]
    expected = f"{width} cells, as in the header"
    remedy = "check the delimiter and the quotation marks on this line"
    if decimal_comma:
        remedy = f"{DECIMAL_COMMA}; otherwise {remedy}"
    if odd[0][0] > last > 0:
        remedy = f"{SUGGESTED}; otherwise {remedy}"
    faults = [
        Fault(file, f"the row has {length} cells", expected, remedy, row=row) for row, length in odd
    ]
    return _first(faults, "{} more rows have another number of cells")


def _fits(cells: Sequence[str], width: int, surplus: int) -> bool:
    return len(cells) == width + surplus and not any(cell.strip() for cell in cells[width:])


def _has_split_numbers(cells: Sequence[str], width: int) -> bool:
    """Return whether a row would fit the header if commas between digits were decimal ones."""
    pairs = at = 0
    while at < len(cells) - 1:
        if WHOLE.fullmatch(cells[at].strip()) and DECIMALS.fullmatch(cells[at + 1].strip()):
            pairs, at = pairs + 1, at + 1
        at += 1
    return 0 < len(cells) - width <= pairs


def _numbered(table: _Table) -> bool:
    """Return whether the first cells count the rows, as names of rows do that R writes."""
    first = [cells[0].strip().strip('"') for _, cells in islice(table.rows(), 3)]
    return first == ["1", "2", "3"][: len(first)]


def _header_elsewhere(
    table: _Table, usual: int, widths: Counter[int], row: int, decimal_comma: bool
) -> Fault:
    """Return the fault of a header that has not as many cells as nearly every row below it."""
    width, at = len(table.header.keys), table.text.header_rows[-1]
    most = f"{widths[usual]:,} of {widths.total():,} rows below it have {usual}"
    remedy = (
        "export the file without row names, if it has any (in R: `row.names = FALSE`); otherwise "
        "check the delimiter and the quotation marks"
        if usual == width + 1
        else f"set `header_row: {row}`, if the column names are on that line"
    )
    if decimal_comma and not _numbered(table):
        remedy = f"{DECIMAL_COMMA}; otherwise {remedy}"
    return Fault(
        table.text.file, f"the header has {width} cell{'s' * (width != 1)}, but {most}",
        "one name per column", remedy, row=at,
    )  # fmt: skip
