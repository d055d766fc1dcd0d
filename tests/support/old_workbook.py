"""Write the older kind of Excel workbook (.xls, BIFF8), which no package of the project writes.

Only what tests need: numbers, texts and error values, each with a number format. The layout is that
of [MS-XLS] and, for the file of sectors around it, of [MS-CFB].
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECTOR = 512
END, FREE, TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
ERROR_CODES = {"#DIV/0!": 0x07, "#N/A": 0x2A, "#REF!": 0x17}


@dataclass(frozen=True)
class Shown:
    """A number with its number format, or an error value."""

    value: float | str
    format_code: str = "General"


Cell = Shown | float | str


def write_xls(path: Path, rows: Sequence[Sequence[Cell]], sheet: str = "Sheet1") -> Path:
    """Write one sheet to a workbook of the older kind."""
    codes = sorted({cell.format_code for row in rows for cell in row if isinstance(cell, Shown)})
    globals_ = [_record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 6))]
    globals_.append(_record(0x0042, struct.pack("<H", 1200)))
    globals_ += [
        _record(
            0x0031, struct.pack("<HHHHHBBBB", 200, 0, 8, 400, 0, 0, 0, 0, 0) + _text("Arial", 1)
        )
    ]
    for number, code in enumerate(codes, start=164):
        globals_.append(_record(0x041E, struct.pack("<H", number) + _text(code, 2)))
    for number in [0, *range(164, 164 + len(codes))]:
        globals_.append(_record(0x00E0, struct.pack("<HHH", 0, number, 1) + bytes(14)))
    body = [_record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 6))]
    width = max(len(row) for row in rows)
    body.append(_record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0)))
    for at, row in enumerate(rows):
        body += [_cell(at, number, cell, codes) for number, cell in enumerate(row)]
    body.append(_record(0x000A, b""))
    length = sum(map(len, globals_)) + 4 + 6 + len(_text(sheet, 1)) + 4
    globals_.append(_record(0x0085, struct.pack("<IBB", length, 0, 0) + _text(sheet, 1)))
    globals_.append(_record(0x000A, b""))
    path.write_bytes(_compound("Workbook", b"".join([*globals_, *body])))
    return path


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _text(text: str, wide: int) -> bytes:
    return len(text).to_bytes(wide, "little") + b"\0" + text.encode("latin-1")


def _cell(row: int, column: int, cell: Cell, codes: Sequence[str]) -> bytes:
    shown = cell if isinstance(cell, Shown) else Shown(cell, "")
    style = 1 + codes.index(shown.format_code) if shown.format_code in codes else 0
    place = struct.pack("<HHH", row, column, style)
    if isinstance(shown.value, str) and shown.value in ERROR_CODES:
        return _record(0x0205, place + bytes([ERROR_CODES[shown.value], 1]))
    if isinstance(shown.value, str):
        return _record(0x0204, place + _text(shown.value, 2))
    return _record(0x0203, place + struct.pack("<d", shown.value))


def _compound(name: str, content: bytes) -> bytes:
    """Return a compound file with one stream, long enough to need no sectors of smaller size."""
    content = content.ljust(max(4096, -(-len(content) // SECTOR) * SECTOR), b"\0")
    sectors = len(content) // SECTOR
    chain = [TABLE, END, *range(3, sectors + 2), END]
    fat = struct.pack(f"<{len(chain)}I", *chain)
    assert len(chain) <= SECTOR // 4, "one sector of the table is enough for tests"
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    head += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END, 0, END, 0)
    head += struct.pack("<109I", 0, *[FREE] * 108)
    folder = _entry("Root Entry", 5, 1, END, 0) + _entry(name, 2, FREE, 2, len(content))
    return head + fat.ljust(SECTOR, b"\xff") + folder.ljust(SECTOR, b"\0") + content


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    written = (name + "\0").encode("utf-16-le")
    entry = written.ljust(64, b"\0") + struct.pack("<HBB", len(written), kind, 1)
    entry += struct.pack("<III", FREE, FREE, child) + bytes(36)
    return entry + struct.pack("<IQ", start, size)
