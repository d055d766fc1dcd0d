"""The cells of a raw file as text: each column's distinct texts, and the text of each row.

Whatever a file was (delimited text, a workbook, Stata, Parquet), its cells are text from here on.
A column of ten million rows has few distinct texts, so what is done to cells is done to these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Rows = npt.NDArray[np.int64]


Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TextColumn:
    """One raw column.

    Attributes
    ----------
    texts : Array of string
        The distinct texts; or one text per row, where ``codes`` is None.
    codes : array of int, optional
        For each row, the number of its text.
    """

    texts: pa.StringArray
    codes: npt.NDArray[np.int32] | None = None

    @classmethod
    def of(cls, values: pa.ChunkedArray | pa.Array) -> TextColumn:
        """Return a column from text, dictionary-encoded or not."""
        if isinstance(values, pa.ChunkedArray):
            if pa.types.is_dictionary(values.type):
                values = values.unify_dictionaries()
            values = values.combine_chunks()
        if isinstance(values, pa.ChunkedArray):  # of no chunk at all
            values = pa.array([], type=values.type)
        if pa.types.is_dictionary(values.type):
            return cls(values.dictionary, values.indices.to_numpy(zero_copy_only=False))
        return cls(values)

    def __len__(self) -> int:
        return len(self.texts) if self.codes is None else len(self.codes)

    def distinct(self) -> TextColumn:
        """Return the column with each text once."""
        return self if self.codes is not None else TextColumn.of(self.texts.dictionary_encode())

    def row_numbers(self) -> npt.NDArray[np.int32]:
        """Return for each row the number of its text."""
        return np.arange(len(self), dtype=np.int32) if self.codes is None else self.codes

    def told_apart(self, marked: Mask) -> tuple[TextColumn, Mask]:
        """Return the column with the texts of marked rows held apart from the same of others.

        Parameters
        ----------
        marked : array of bool, shape (rows,)

        Returns
        -------
        column : TextColumn
            In which a text may stand twice: once of marked rows, once of others.
        of_texts : array of bool
            For each of its texts, whether it is of marked rows.
        """
        both = self.row_numbers().astype(np.int64) * 2 + marked
        pairs, codes = np.unique(both, return_inverse=True)
        texts = self.texts.take(pa.array(pairs // 2))
        return TextColumn(texts, codes.astype(np.int32)), pairs % 2 == 1

    def holds(self, of_texts: Mask) -> Rows:
        """Return the rows whose text is one of those marked."""
        return np.flatnonzero(of_texts if self.codes is None else of_texts[self.codes])

    def take(self, rows: npt.NDArray[np.integer]) -> TextColumn:
        """Return the column of some rows."""
        if self.codes is None:
            return TextColumn(self.texts.take(pa.array(rows)))
        return TextColumn(self.texts, self.codes[rows])

    def cells(self, rows: npt.NDArray[np.integer]) -> pa.Array:
        """Return the text in each of some rows, dictionary-encoded where the column is."""
        if self.codes is None:
            return self.texts.take(pa.array(rows))
        return pa.DictionaryArray.from_arrays(pa.array(self.codes[rows]), self.texts)

    def cell(self, row: int) -> str:
        """Return the text in one row."""
        return str(self.texts[row if self.codes is None else int(self.codes[row])].as_py())


@dataclass(frozen=True)
class RawCells:
    """One raw file.

    Attributes
    ----------
    file : str
        Its name.
    columns : dict of str to TextColumn
        By name, in the order of the file.
    rows : int
        Rows below the header.
    lines : array of int, optional
        The line of each row; None where row ``i`` (from 0) is line ``first + i``.
    first : int
        Line of the first row: below the header in text and workbooks; 1 in files without one.
    dated, broken : dict of str to array of bool
        Columns of a workbook with cells that are held as dates; columns of typed files with
        numbers that are not whole, or not exact.
    numbers : dict of str to array of bool
        Columns with cells that are held as numbers: these are not written in the notation that the
        protocol declares for text.
    spoilt : dict of str to dict
        Columns of a workbook with formulas that failed or were never computed: row → what is found
        there, and the remedy.
    inexact : dict of str to array of bool
        Columns with cells that are held as numbers of more digits than the file keeps.
    formats : dict of str to str
        Columns of a workbook with numbers that are shown as percentages → a format of theirs.
    labels : dict of str to dict
        Columns whose values have labels in the file: text of the value → its label.
    declared_missing : dict of str to set of str
        Columns of which the file itself declares some values missing.
    typed : bool
        True where dates were held as such, and are written YYYY-MM-DD here.
    nameless : set of str
        Keys of `columns` that are no names: these columns have none in the file.
    repeated : dict of str to list of int
        A name that several columns bear → their numbers, from 1.
    header_row : int
        Line on which the column names are.
    nearby : list of tuple
        Line and cells of the first rows of the file, to look for names that were not found.
    notes : list of tuple
        Line and text of the rows that were left out as notes below the table.
    size, sha256 : int, str
        Of the file as it lies on disk.
    sheet : str
        Of a workbook, where the protocol names one.
    """

    file: str
    columns: dict[str, TextColumn]
    rows: int
    lines: Rows | None = None
    first: int = 2
    dated: Mapping[str, Mask] = field(default_factory=dict)
    broken: Mapping[str, Mask] = field(default_factory=dict)
    numbers: Mapping[str, Mask] = field(default_factory=dict)
    spoilt: Mapping[str, Mapping[int, tuple[str, str]]] = field(default_factory=dict)
    inexact: Mapping[str, Mask] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    declared_missing: Mapping[str, frozenset[str]] = field(default_factory=dict)
    typed: bool = False
    nameless: frozenset[str] = frozenset()
    repeated: Mapping[str, Sequence[int]] = field(default_factory=dict)
    header_row: int = 1
    nearby: Sequence[tuple[int, Sequence[str]]] = ()
    notes: Sequence[tuple[int, str]] = ()
    size: int = 0
    sha256: str = ""
    sheet: str = ""

    def without_cells(self) -> RawCells:
        """Return a description of the file, without its content."""
        return RawCells(
            self.file, {}, self.rows, size=self.size, sha256=self.sha256, notes=self.notes,
            sheet=self.sheet,
        )  # fmt: skip

    def take(self, rows: Rows) -> RawCells:
        """Return the file with some of its rows, in the order given; each keeps its line."""

        def marked(held: Mapping[str, Mask]) -> dict[str, Mask]:
            return {column: of_rows[rows] for column, of_rows in held.items()}

        place = {int(row): at for at, row in enumerate(rows)} if self.spoilt else {}
        spoilt = {
            column: {place[row]: told for row, told in cells.items() if row in place}
            for column, cells in self.spoilt.items()
        }
        return replace(
            self,
            columns={name: column.take(rows) for name, column in self.columns.items()},
            rows=len(rows),
            lines=self.line(rows),
            spoilt=spoilt,
            dated=marked(self.dated),
            broken=marked(self.broken),
            numbers=marked(self.numbers),
            inexact=marked(self.inexact),
        )

    def line(self, rows: npt.NDArray[np.integer]) -> Rows:
        """Return the line of the file of each row."""
        if self.lines is None:
            return np.asarray(rows, dtype=np.int64) + self.first
        found: Rows = self.lines[rows]
        return found


def mask(values: pa.Array) -> Mask:
    """Return a boolean array as numpy's; missing counts as false."""
    found: Mask = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    return found


def plain(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return numbers or dates one per row, where each distinct one was held once."""
    kind = values.type
    if pa.types.is_dictionary(kind) and not pa.types.is_string(kind.value_type):
        return values.cast(kind.value_type)
    return values


def taken(values: pa.Array, rows: npt.NDArray[np.integer]) -> pa.Array:
    """Return some rows of an array; numpy gathers whole numbers faster than pyarrow does."""
    if values.null_count == 0 and pa.types.is_dictionary(values.type):
        indices = values.indices.to_numpy(zero_copy_only=False)[rows]
        return pa.DictionaryArray.from_arrays(pa.array(indices), values.dictionary)
    if values.null_count == 0 and pa.types.is_string(values.type) and len(rows):
        ends, data = text_bytes(values)
        size = int(ends[1])
        if size and len(data) == size * len(values) and bool((np.diff(ends) == size).all()):
            return _of_one_length(data.view(f"V{size}")[rows], size)
    return values.take(pa.array(rows))


def _of_one_length(texts: npt.NDArray[np.void], size: int) -> pa.StringArray:
    ends = np.arange(0, size * (len(texts) + 1), size, dtype=np.int32)
    held = [None, pa.py_buffer(ends), pa.py_buffer(texts.tobytes())]
    return pa.Array.from_buffers(pa.string(), len(texts), held)


def text_bytes(texts: pa.StringArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Return where each text ends (with a 0 before the first), and the bytes of all texts."""
    _, offsets, held = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(held, dtype=np.uint8) if held is not None else np.empty(0, np.uint8)
    return ends - ends[0], data[ends[0] : ends[-1]]
