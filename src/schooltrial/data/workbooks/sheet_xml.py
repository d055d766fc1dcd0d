"""Content of an Excel sheet's XML (.xlsx) that the fast reader does not give.

These are the number formats that show a percentage, formulas that failed or were never computed,
and how far the cells reach. The XML is searched by patterns rather than parsed, so that a large
book stays fast; cells are looked at one by one only where the book has such formats or formulas.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from schooltrial.data.workbooks.number_formats import BUILT_IN

Place = tuple[int, int]
"""Row and column of a cell, from 0."""


COLUMNS = 16_384
"""Columns that a sheet can have."""


@dataclass(frozen=True)
class SheetFacts:
    """What is known of the cells of one sheet beyond their values.

    Attributes
    ----------
    formats : mapping
        Place of a cell whose number format has a per cent sign → that format.
    errors : mapping
        Place → the error value that a formula gave.
    uncomputed : set
        Places of formulas that no spreadsheet has computed.
    """

    formats: Mapping[Place, str] = field(default_factory=dict)
    errors: Mapping[Place, str] = field(default_factory=dict)
    uncomputed: frozenset[Place] = frozenset()


@dataclass(frozen=True)
class UsedRange:
    """How far the cells of a sheet reach: numbers of rows and columns, and the last cell."""

    rows: int
    columns: int
    last: str


@dataclass(frozen=True)
class PackedSheet:
    """One sheet of a workbook as XML, with the formats of its numbers.

    Attributes
    ----------
    content : bytes
    formats : sequence of str
        Number format of each style of the book; empty where it has no per cent sign.
    """

    content: bytes
    formats: tuple[str, ...]

    def used_range(self, most: int) -> UsedRange:
        """Return how far the cells that hold something reach.

        Parameters
        ----------
        most : int
            Cells that may be read; columns are looked for only as far as they could exceed it.
        """
        prefix = self._prefix()
        rows = [
            int(row) for row in re.findall(rb"<%brow\b[^>]*?\sr=[\"'](\d+)" % prefix, self.content)
        ]
        count = max(rows, default=len(re.findall(rb"<%brow\b" % prefix, self.content)))
        if rows == sorted(rows):
            count = min(count, self._last_row(prefix) or count)
        allowed = most // max(count, 1)
        if allowed >= COLUMNS:
            return UsedRange(count, 1, f"row {count}")
        letters = 3 if allowed >= 702 else 2 if allowed >= 26 else 1
        start = b' r="' if b' r="' in self.content else rb"\sr=[\"']"
        pattern = start + rb"([A-Z]{%d,3})\d+[\"'](?:[^>]*[^/>])?>(?!</%bc>)" % (
            letters,
            prefix,
        )
        found = {match[1] for match in re.finditer(pattern, self.content)}
        widest = max(found, key=lambda name: (len(name), name), default=b"A").decode()
        return UsedRange(count, column_number(widest) + 1, f"{widest}{count}")

    def _last_row(self, prefix: bytes) -> int | None:
        """Return the row of the last cell that holds something, where rows are in order."""
        close, begin = b"</%bc>" % prefix, b"<%bc " % prefix
        end = self.content.rfind(close)
        while end >= 0:
            start = self.content.rfind(begin, 0, end)
            if start < 0 or self.content.find(b">", start) + 1 < end:
                break  # some writers close an empty cell with a tag of its own: go on before it
            end = self.content.rfind(close, 0, start)
        start = self.content.rfind(begin, 0, max(end, 0))
        found = re.match(rb"<[^>]*?\sr=[\"'][A-Z]+(\d+)", self.content[start : start + 500])
        return int(found[1]) if end >= 0 and found else None

    def facts(self) -> SheetFacts:
        """Return what is known of the cells beyond their values."""
        prefix = self._prefix()
        styles = [at for at, code in enumerate(self.formats) if code]
        percent = bool(styles) and (0 in styles or self._has_style(styles))
        formulas = any(mark in self.content for mark in (b"<%bf" % prefix, b' t="e"', b" t='e'"))
        if not percent and not formulas:
            return SheetFacts()
        formats: dict[Place, str] = {}
        errors: dict[Place, str] = {}
        uncomputed: set[Place] = set()
        for place, attributes, body in _cells(self.content, prefix):
            kind = _attribute(rb"t", attributes) or b"n"
            value = _text(body, b"<%bv" % prefix)
            if kind == b"e":
                errors[place] = value or "an error"
            elif b"<%bf" % prefix in body and not value and kind != b"str":
                uncomputed.add(place)
            elif kind == b"n" and value:
                style = int(_attribute(rb"s", attributes) or 0)
                if style < len(self.formats) and self.formats[style]:
                    formats[place] = self.formats[style]
        return SheetFacts(formats, errors, frozenset(uncomputed))

    def _has_style(self, styles: list[int]) -> bool:
        marks = [mark % style for style in styles for mark in (b' s="%d"', b" s='%d'")]
        return any(mark in self.content for mark in marks)

    def _prefix(self) -> bytes:
        """Return the prefix of the names of elements, with its colon; most books have none."""
        found = re.search(rb"<((?:\w+:)?)worksheet\b", self.content[:4096])
        return found[1] if found else b""


def column_number(letters: str) -> int:
    """Return the number of a column, from 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def column_letters(number: int) -> str:
    """Return the letters of a column that is counted from 0."""
    letters = ""
    while number >= 0:
        letters = chr(ord("A") + number % 26) + letters
        number = number // 26 - 1
    return letters


def _cells(content: bytes, prefix: bytes) -> Iterator[tuple[Place, bytes, bytes]]:
    """Yield place, attributes and inner XML of each cell, counting where no place is written."""
    pattern = (
        rb"<%brow\b(?P<row>[^>]*)>|<%bc\b(?P<cell>(?:[^>]*[^>/])?)(?:/>|>(?P<body>.*?)</%bc>)"
        % (prefix, prefix, prefix)
    )
    row, column = -1, -1
    for match in re.finditer(pattern, content, flags=re.DOTALL):
        if match["row"] is not None:
            stated = _attribute(rb"r", match["row"])
            row, column = int(stated) - 1 if stated else row + 1, -1
            continue
        place = re.search(rb"(?:^|\s)r=[\"']([A-Z]+)(\d+)", match["cell"])
        column = column_number(place[1].decode()) if place else column + 1
        row = int(place[2]) - 1 if place else row
        if match["body"] is not None:
            yield (row, column), match["cell"], match["body"]


def _attribute(name: bytes, attributes: bytes) -> bytes:
    found = re.search(rb"(?:^|\s)%b=[\"']([^\"']*)" % name, attributes)
    return found[1] if found else b""


def _text(body: bytes, start: bytes) -> str:
    found = re.search(start + rb"(?:\s[^>]*)?>([^<]*)<", body)
    return found[1].decode("utf-8", "replace").strip() if found else ""


def open_sheet(packed: zipfile.ZipFile, sheet: str) -> PackedSheet:
    """Return one sheet of an open workbook.

    Raises
    ------
    KeyError
        Where the book lacks the parts that it names.
    """
    book = _target(packed, "", "officeDocument")
    elements = ElementTree.fromstring(packed.read(book)).iter()
    named = [one for one in elements if _local(one.tag) == "sheet" and one.get("name") == sheet]
    (identity,) = [value for key, value in named[0].items() if _local(key) == "id"]
    part = _target(packed, book, "worksheet", identity)
    return PackedSheet(packed.read(part), _formats(packed, book))


def _formats(packed: zipfile.ZipFile, book: str) -> tuple[str, ...]:
    """Return the number format of each style that has a per cent sign, and nothing for others."""
    try:
        root = ElementTree.fromstring(packed.read(_target(packed, book, "styles")))
    except KeyError:
        return ("",)
    codes: dict[int, str] = dict(BUILT_IN)
    for one in root.iter():
        if _local(one.tag) == "numFmt":
            codes[int(one.get("numFmtId", -1))] = one.get("formatCode", "")
    of_cells = [one for one in root if _local(one.tag) == "cellXfs"]
    styles = [codes.get(int(one.get("numFmtId", 0)), "") for part in of_cells for one in part]
    return tuple(code if "%" in code else "" for code in styles) or ("",)


def _target(packed: zipfile.ZipFile, part: str, kind: str, identity: str | None = None) -> str:
    """Return the part of a workbook that another one refers to."""
    folder, name = posixpath.split(part)
    root = ElementTree.fromstring(packed.read(posixpath.join(folder, "_rels", f"{name}.rels")))
    for one in root:
        if one.get("Type", "").endswith(f"/{kind}") and identity in (None, one.get("Id")):
            target = one.get("Target", "")
            return posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
    raise KeyError(kind)


def _local(name: str) -> str:
    """Return a name without its namespace."""
    return name.rsplit("}", 1)[-1]


DEFLATED_AT_MOST = 1032
"""How many times its size a compressed part can grow."""


def unpacked_size(path: Path, most: int) -> int:
    """Return how many bytes a workbook holds once it is unpacked, counting no further than needed.

    The sizes that the archive states are believed only of parts that cannot be larger than `most`.
    """
    size = 0
    with zipfile.ZipFile(path) as packed:
        for part in packed.infolist():
            size += part.file_size
            if size > most:
                return size
            if part.compress_size * DEFLATED_AT_MOST > most:
                with packed.open(part) as content:  # its checksum is compared at the end
                    while content.read(1 << 20):
                        pass
    return size
