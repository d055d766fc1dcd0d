"""How many observations a Stata file holds, and whether its header says so.

Readers of Stata files believe the header: of a file that holds more they read a part, silently.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from schooltrial.refusal import Fault

MODERN = b"<stata_dta>"
"""First bytes of the formats from 117 on, which are divided by tags."""


WIDTHS = {65526: 8, 65527: 4, 65528: 4, 65529: 2, 65530: 1, 32768: 8}
"""Type → bytes of a value, from format 117 on; a smaller type is a text of that many bytes."""


OLD_WIDTHS = {251: 1, 252: 2, 253: 4, 254: 4, 255: 8}
"""The same of formats 111 to 115."""


OLDEST_WIDTHS = {ord(letter): size for letter, size in zip("bilfd", (1, 2, 4, 4, 8), strict=True)}
"""The same of formats up to 110, in which the type of a text is its length and 127."""


def row_faults(path: Path) -> list[Fault]:
    """Return the fault of a file that holds more or fewer observations than its header says.

    A file that cannot be followed so far is left to the reader, which refuses it.
    """
    content = path.read_bytes()
    try:
        said, held = _modern(content) if content.startswith(MODERN) else _old(content)
    except (struct.error, IndexError, ValueError, AttributeError, KeyError, OverflowError):
        return []
    if said == held:
        return []
    found = f"the header says {said:,} observations, but the file has {held:,}"
    remedy = "open the file in Stata and save it, or download it again"
    return [Fault(path.name, found, "the number of observations in the header", remedy)]


def _modern(content: bytes) -> tuple[int, int]:
    """Return how many rows the header says, and how many there are, from format 117 on."""
    version = int(content[28:31])
    order = ">" if content[52:55] == b"MSF" else "<"
    start = content.index(b"<K>") + 3
    columns = struct.unpack_from(order + ("I" if version > 118 else "H"), content, start)[0]
    start = content.index(b"<N>", start) + 3
    said = struct.unpack_from(order + ("Q" if version > 117 else "I"), content, start)[0]
    places = struct.unpack_from(f"{order}14Q", content, content.index(b"<map>") + 5)
    types = struct.unpack_from(f"{order}{columns}H", content, places[2] + len("<variable_types>"))
    width = sum(WIDTHS.get(kind, kind) for kind in types)
    size = places[10] - places[9] - len("<data></data>")
    if content[places[9] : places[9] + 6] != b"<data>":
        raise ValueError("the map leads elsewhere")
    return said, said if width == 0 or size == said * width else size // width


@dataclass(frozen=True)
class _OldSizes:
    """Bytes of the parts of a header, which differ between the formats up to 115."""

    version: int

    @property
    def label(self) -> int:
        """Bytes of a label."""
        return 81 if self.version > 105 else 32

    @property
    def name(self) -> int:
        """Bytes of a name."""
        return 33 if self.version > 108 else 9

    @property
    def head(self) -> int:
        """Bytes before the types of the variables."""
        numbers = 4 + 2 + (4 if self.version >= 103 else 2)
        return numbers + self.label + (18 if self.version >= 105 else 0)

    def start(self, content: bytes, columns: int, order: str) -> int:
        """Return where the data begin."""
        version, label, name = self.version, self.label, self.name
        shape = 49 if version > 113 else 12 if version > 104 else 7
        at = self.head + columns * (1 + name + shape + name + label) + 2 * (columns + 1)
        while version > 104:
            wide = version > 108
            kind, length = struct.unpack_from(order + ("bi" if wide else "bh"), content, at)
            at += 5 if wide else 3
            if kind == 0:
                break
            at += length
        return at

    def width(self, types: bytes) -> int:
        """Return the bytes of an observation."""
        if self.version >= 111:
            return sum(OLD_WIDTHS.get(kind, kind) for kind in types)
        return sum(OLDEST_WIDTHS[kind] if kind < 127 else kind - 127 for kind in types)


def _old(content: bytes) -> tuple[int, int]:
    """Return how many rows the header says, and how many there are, up to format 115."""
    version, order = content[0], ">" if content[1] == 1 else "<"
    if not 102 <= version <= 115:
        raise ValueError("no such format")
    sizes = _OldSizes(version)
    (columns,) = struct.unpack_from(order + "H", content, 4)
    said = struct.unpack_from(order + ("I" if version >= 103 else "H"), content, 6)[0]
    width = sizes.width(content[sizes.head : sizes.head + columns])
    start = sizes.start(content, columns, order)
    end = start + said * width
    if width == 0:
        return said, said
    if len(content) < end:
        return said, (len(content) - start) // width
    if version < 108 or _are_labels(content, end, sizes.name, order):
        return said, said
    return said, _rows_before_labels(content, start, width, sizes.name, order)


def _are_labels(content: bytes, at: int, name: int, order: str) -> bool:
    """Return whether tables of value labels, and nothing else, lie between here and the end."""
    while at < len(content):
        if at + 4 + name + 3 > len(content):
            return False
        (length,) = struct.unpack_from(order + "i", content, at)
        called = content[at + 4 : at + 4 + name].split(b"\0")[0]
        if length < 8 or not re.fullmatch(rb"[^\W\d]\w*", called):
            return False
        at += 4 + name + 3 + length
    return at == len(content)


def _rows_before_labels(content: bytes, start: int, width: int, name: int, order: str) -> int:
    """Return after how many rows only tables of value labels are left."""
    most = (len(content) - start) // width
    for rows in range(most, -1, -1):
        if _are_labels(content, start + rows * width, name, order):
            return rows
    return most
