"""What the records of an older Excel workbook (.xls, BIFF5 and BIFF8) tell beyond the values.

The fast reader gives values alone. Here the stream of records is walked once for number formats
that show a percentage and for formulas that failed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from schooltrial.data.workbooks.number_formats import BUILT_IN
from schooltrial.data.workbooks.sheet_xml import Place, SheetFacts

COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
"""First bytes of a compound file, in which a workbook is a stream."""


BOF, EOF, BOUNDSHEET, FORMAT, XF = 0x0809, 0x000A, 0x0085, 0x041E, 0x00E0
NUMBER, RK, MULRK, FORMULA, BOOLERR = 0x0203, 0x027E, 0x00BD, 0x0006, 0x0205


BIFF8 = 0x0600


ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?",
    0x24: "#NUM!", 0x2A: "#N/A",
}  # fmt: skip


NOTHING = 0xFFFFFFFA
"""Numbers of sectors from here on end a chain."""


@dataclass(frozen=True)
class _CompoundFile:
    """A file of sectors that are chained to streams, as older Office programs write them."""

    content: bytes

    def stream(self, *names: str) -> bytes:
        """Return the stream of one of these names."""
        size = 1 << self._number("<H", 30)
        fat = self._fat(size)
        folder = self._chained(self._number("<I", 48), fat, size, self.content[size:])
        entries = {
            folder[at : at + 128][:64].decode("utf-16-le").split("\0")[0]: folder[at : at + 128]
            for at in range(0, len(folder), 128)
        }
        entry = next(entries[name] for name in names if name in entries)
        start, length = struct.unpack_from("<II", entry, 116)
        if length >= self._number("<I", 56):
            return self._chained(start, fat, size, self.content[size:])[:length]
        (root,) = struct.unpack_from("<I", folder, 116)
        small = self._chained(root, fat, size, self.content[size:])
        table = self._chained(self._number("<I", 60), fat, size, self.content[size:])
        links = struct.unpack(f"<{len(table) // 4}I", table)
        return self._chained(start, links, 1 << self._number("<H", 32), small)[:length]

    def _number(self, kind: str, at: int) -> int:
        return int(struct.unpack_from(kind, self.content, at)[0])

    def _fat(self, size: int) -> tuple[int, ...]:
        """Return for each sector the one that follows it."""
        sectors = list(struct.unpack_from("<109I", self.content, 76))
        following, left = self._number("<I", 68), self._number("<I", 72)
        while following < NOTHING and left > 0:
            each = size // 4
            listed = struct.unpack_from(f"<{each}I", self.content, (following + 1) * size)
            sectors += listed[:-1]
            following, left = listed[-1], left - 1
        parts = [
            self.content[(sector + 1) * size : (sector + 2) * size]
            for sector in sectors
            if sector < NOTHING
        ]
        table = b"".join(parts)
        return struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])

    @staticmethod
    def _chained(start: int, links: tuple[int, ...], size: int, held: bytes) -> bytes:
        parts: list[bytes] = []
        while start < NOTHING and start < len(links) and len(parts) <= len(links):
            parts.append(held[start * size : (start + 1) * size])
            start = links[start]
        return b"".join(parts)


@dataclass
class _Book:
    """Content of the first part of the stream: sheets, formats, and the format of each style."""

    version: int = BIFF8
    sheets: dict[str, int] = field(default_factory=dict)
    formats: dict[int, str] = field(default_factory=lambda: dict(BUILT_IN))
    styles: list[int] = field(default_factory=list)

    def read(self, stream: bytes) -> None:
        """Walk the records up to the end of the first part."""
        for kind, data in _records(stream, 0):
            if kind == BOF:
                self.version = struct.unpack_from("<H", data)[0]
            elif kind == BOUNDSHEET:
                self.sheets[self._text(data[6:], 1)] = struct.unpack_from("<I", data)[0]
            elif kind == FORMAT:
                wide = 2 if self.version == BIFF8 else 1
                self.formats[struct.unpack_from("<H", data)[0]] = self._text(data[2:], wide)
            elif kind == XF:
                self.styles.append(struct.unpack_from("<H", data, 2)[0])

    def _text(self, data: bytes, wide: int) -> str:
        length = int.from_bytes(data[:wide], "little")
        if self.version != BIFF8:
            return data[wide : wide + length].decode("cp1252", "replace")
        encoding, each = ("utf-16-le", 2) if data[wide] & 1 else ("latin-1", 1)
        return data[wide + 1 : wide + 1 + length * each].decode(encoding, "replace")

    def percent_format(self, style: int) -> str:
        """Return the number format of a style if it has a per cent sign."""
        code = self.formats.get(self.styles[style], "") if style < len(self.styles) else ""
        return code if "%" in code else ""


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of the records of one part, without those of charts inside it."""
    depth = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        depth += (kind == BOF) - (kind == EOF)
        if depth == 1:
            yield kind, stream[at + 4 : at + 4 + length]
        if depth <= 0:
            return
        at += 4 + length


def sheet_facts(path: Path, sheet: str) -> SheetFacts:
    """Return what is known of the cells of a sheet beyond their values."""
    stream = _CompoundFile(path.read_bytes()).stream("Workbook", "Book")
    book = _Book()
    book.read(stream)
    formats: dict[Place, str] = {}
    errors: dict[Place, str] = {}
    for kind, data in _records(stream, book.sheets[sheet]):
        if kind in (NUMBER, RK, FORMULA, BOOLERR):
            row, column, style = struct.unpack_from("<HHH", data)
            if error := _error(kind, data):
                errors[row, column] = error
            elif code := book.percent_format(style):
                formats[row, column] = code
        elif kind == MULRK:
            row, first = struct.unpack_from("<HH", data)
            for at in range((len(data) - 6) // 6):
                (style,) = struct.unpack_from("<H", data, 4 + 6 * at)
                if code := book.percent_format(style):
                    formats[row, first + at] = code
    return SheetFacts(formats, errors)


def _error(kind: int, data: bytes) -> str:
    """Return the error value that a cell holds, if it holds one."""
    if kind == BOOLERR and data[7]:
        return ERRORS.get(data[6], "an error")
    if kind == FORMULA and data[12:14] == b"\xff\xff" and data[6] == 2:
        return ERRORS.get(data[8], "an error")
    return ""
