"""Read SPSS and SAS files as text cells, with the labels of values and the codes declared missing.

The reader is ReadStat's. What holds of Stata files holds of these: numbers that are not whole, or
not exact, are marked, to be refused where an identifier is read, and dates are written YYYY-MM-DD.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from schooltrial.data.cells.text_columns import RawCells
from schooltrial.data.cells.typed_values import readable, shown
from schooltrial.data.statistical.readstat import FileFacts, read_apart
from schooltrial.data.statistical.stata_parquet import label_texts, of_arrays
from schooltrial.protocol.content.column_map import RawFile, SizeLimits
from schooltrial.refusal import Fault, refuse

SPSS = (".sav", ".zsav", ".por")


SAS = (".sas7bdat", ".xpt")


KINDS = {**dict.fromkeys(SPSS, "an SPSS file"), **dict.fromkeys(SAS, "a SAS file")}


SAV_MARKS = (b"$FL2", b"$FL3")
"""First bytes of SPSS system files."""


COUNT_AT, LAYOUT_AT = 80, 64
"""Where an SPSS system file says how many cases it has, and by a number in which order of bytes."""


RECORD = 80
"""Length of the records of a SAS transport file, which the last one fills."""


DATES = ["MONYY", "YYMM", "YYQ", "WEEKDATE", "WORDDATE", "E8601DA", "B8601DA", "IS8601DA", "NLDATE"]
"""Formats of SAS that show a day, beyond those that the reader knows."""


def read_spss(path: Path, reading: RawFile, sizes: SizeLimits) -> RawCells:
    """Return the cells of an SPSS file; the row is the number of the case.

    Codes that the file declares missing (user-missing) are kept apart, to be set to missing and
    logged where their column is read.
    """
    kind = KINDS[path.suffix.lower()]
    with readable(path, kind):
        if path.suffix.lower() == ".por":
            frame, facts = read_apart("read_por", str(path))
        else:
            content, said = _uncounted(path.read_bytes())
            frame, facts = read_apart("read_sav", content, user_missing=True)
            refuse(_row_faults(path, said, len(frame)))
        return _cells(path.name, frame, facts, reading, sizes, {})


def _uncounted(content: bytes) -> tuple[bytes, int]:
    """Return a system file that does not say how many cases it has, and how many it said."""
    if content[:4] not in SAV_MARKS or len(content) < COUNT_AT + 4:
        return content, -1
    order = "<" if content[LAYOUT_AT] in (2, 3) else ">"
    (said,) = struct.unpack_from(order + "i", content, COUNT_AT)
    unknown = struct.pack(order + "i", -1)
    return content[:COUNT_AT] + unknown + content[COUNT_AT + 4 :], said


def _row_faults(path: Path, said: int, held: int) -> list[Fault]:
    if said in (-1, held):
        return []
    found = f"the header says {said:,} cases, but the file has {held:,}"
    remedy = "open the file in SPSS and save it, or download it again"
    return [Fault(path.name, found, "the number of cases in the header", remedy)]


def read_sas(path: Path, reading: RawFile, sizes: SizeLimits) -> RawCells:
    """Return the cells of a SAS file; the row is the number of the observation."""
    kind, transport = KINDS[path.suffix.lower()], path.suffix.lower() == ".xpt"
    size = path.stat().st_size
    if transport and size % RECORD:
        found = f"the file has {size:,} bytes, not a multiple of {RECORD}, so a part is missing"
        remedy = "download the file again, or export it again"
        refuse([Fault(path.name, found, "a complete SAS transport file", remedy)])
    with readable(path, kind):
        if transport:
            frame, facts = read_apart("read_xport", str(path))
        else:
            frame, facts = read_apart("read_sas7bdat", str(path), extra_date_formats=DATES)
        exact = _exact_below(facts, 8 if transport else 11)
        return _cells(path.name, frame, facts, reading, sizes, exact)


def _exact_below(facts: FileFacts, lost: int) -> dict[str, float]:
    """Return from which number on a column of short numbers does not keep every whole one.

    SAS can hold a number in three to eight bytes, of which sign and exponent take some bits.
    """
    return {
        str(name): 2.0 ** (8 * width - lost)
        for name, width in facts.storage_width.items()
        if facts.types.get(name) == "double" and 2 < width < 8
    }


def _cells(
    file: str, frame: pd.DataFrame, facts: FileFacts, reading: RawFile, sizes: SizeLimits,
    exact: Mapping[str, float],
) -> RawCells:  # fmt: skip
    labels = label_texts(facts.value_labels) if reading["value_labels"] else {}
    arrays = [pa.array(frame[name], from_pandas=True) for name in frame.columns]
    declared = {
        str(name): _within(frame[name], ranges) for name, ranges in facts.missing_ranges.items()
    }
    names = [str(name) for name in frame.columns]
    return of_arrays(file, names, arrays, sizes, labels, declared, exact)


def _within(values: pd.Series, ranges: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Return the texts of the values that a file declares missing."""
    return frozenset(
        shown(value)
        for value in values.dropna().unique().tolist()
        for one in ranges
        if _between(value, one)
    )


def _between(value: Any, limits: Mapping[str, Any]) -> bool:
    low, high = limits["lo"], limits["hi"]
    if isinstance(value, str) or isinstance(low, str):
        return isinstance(value, str) and value.strip() == str(low).strip()
    return isinstance(value, int | float) and bool(low <= value <= high)
