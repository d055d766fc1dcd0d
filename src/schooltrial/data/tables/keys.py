"""The standard tables: what a row is, their order, and units that are in them twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.data.cells.text_columns import text_bytes
from schooltrial.protocol.content.variables import ASSIGNED, IDENTIFYING
from schooltrial.refusal import Fault

KEYS: dict[str, list[str]] = IDENTIFYING
"""Standard table → what identifies a row; of the assignment, the unit that was assigned."""


FILLED: dict[str, dict[str, str]] = {
    "observations": {"occasion": "1", "rater": ""},
    "implementation": {"leader": ""},
}
"""Standard table → parts of its key that a file may lack, and what stands there then."""


NEEDED: dict[str, tuple[str, ...]] = {"assignment": ("arm", "block"), "costs": ("arm",)}
"""Standard table → variables that no row of a file may leave empty, beside those of its key."""


ALL_OR_NONE: dict[str, tuple[str, ...]] = {"implementation": ("leader",)}
"""Standard table → variables that a file fills in every row, or in none: what it counts by them
would else be another thing than what it names."""


MEASURED = ("scores", "observations", "school_scores", "published_means")
"""Tables of one row per outcome, which a wide file may fill."""


FIRST = ("year", "outcome")


SHOWN_KEYS = 20


OF_LIST = "file joined to the allocation list"
"""What a file is called here whose rows are joined to the allocation list."""


_WORDS = {"arm": "group", "block": "block", "cohort": "cohort", "drawn": "date of randomisation"}


Words = list[npt.NDArray[Any]]


Mask = npt.NDArray[np.bool_]


def key_of(table: str, unit: str) -> list[str]:
    """Return the key of a table, in a trial in which `unit` was assigned."""
    return [unit] if table == "assignment" else KEYS[table]


def sorting(key: Sequence[str]) -> list[str]:
    """Return the variables of a key in the order that a table is sorted by: year, then outcome."""
    return [*(name for name in FIRST if name in key), *(n for n in key if n not in FIRST)]


def words(table: pa.Table, names: Sequence[str]) -> Words:
    """Return arrays whose order, first to last, is that of the rows by these columns.

    Numbers stay such, an encoded text is the rank of its level, and other text is packed eight
    bytes to a number; the order of text is that of its bytes. There must be no missing value.
    """
    return [word for name in names for word in _words(table[name])]


def _words(column: pa.ChunkedArray) -> Words:
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries().combine_chunks()
        ranks = np.empty(len(column.dictionary), dtype=np.int32)
        ranks[pc.sort_indices(column.dictionary).to_numpy()] = np.arange(len(ranks))
        return [_small(ranks[column.indices.to_numpy(zero_copy_only=False)])]
    values = column.combine_chunks()
    if pa.types.is_string(values.type):
        return _packed(values)
    return [_small(values.cast(pa.int64()).to_numpy(zero_copy_only=False))]


def _small(numbers: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """Return whole numbers in 16 bits where they fit, as numpy then sorts them by radix."""
    if len(numbers) == 0:
        return numbers
    low, high = numbers.min(), numbers.max()
    return (numbers - low).astype(np.uint16) if high - low < 2**16 else numbers


def _packed(texts: pa.StringArray) -> Words:
    ends, data = text_bytes(texts)
    lengths = np.diff(ends)
    size = int(lengths.max()) if len(lengths) else 0
    width = 8 * max(1, -(-size // 8))
    bytes_ = np.zeros((len(texts), width), dtype=np.uint8)
    if len(lengths) and lengths.min() == size:
        bytes_[:, :size] = data.reshape(len(texts), size)
    else:
        bytes_[np.arange(width) < lengths[:, None]] = data
    return list(bytes_.view(">u8").astype(np.uint64).T)


@dataclass(frozen=True)
class Order:
    """How rows are sorted, and which of them share a key.

    Attributes
    ----------
    rows : array of int, optional
        The rows in order; None where they are already.
    same : array of bool, shape (n - 1,)
        Of the sorted rows, whether a row has the key of the one before it.
    """

    rows: npt.NDArray[np.int64] | None
    same: npt.NDArray[np.bool_]

    def repeated(self) -> npt.NDArray[np.int64]:
        """Return, sorted, the rows that share their key with another."""
        shared = np.zeros(len(self.same) + 1, dtype=bool)
        shared[1:] |= self.same
        shared[:-1] |= self.same
        at = np.flatnonzero(shared)
        return at if self.rows is None else self.rows[at]


def ordered(parts: Words) -> Order:
    """Sort rows by their words; rows that share a key keep their order."""
    ascending, same = _compared(parts)
    if ascending:
        return Order(None, same)
    rows = _sorted(parts, stable=False)
    _, same = _compared([word[rows] for word in parts])
    if same.any():
        rows = _sorted(parts, stable=True)
    return Order(rows, same)


def _compared(parts: Words) -> tuple[bool, npt.NDArray[np.bool_]]:
    size = max(len(parts[0]) - 1, 0)
    same, below = np.ones(size, dtype=bool), np.zeros(size, dtype=bool)
    for word in parts:
        below |= same & (word[:-1] < word[1:])
        same &= word[:-1] == word[1:]
    return bool((below | same).all()), same


def _sorted(parts: Words, *, stable: bool) -> npt.NDArray[np.int64]:
    """Return the order of rows, sorting from the last word to the first."""
    varying = [word for word in parts if len(word) and (word[0] != word).any()] or parts[:1]
    rows = np.argsort(varying[-1], kind="stable" if stable else None)
    for word in varying[-2::-1]:
        rows = rows[np.argsort(word[rows], kind="stable")]
    return rows.astype(np.int64, copy=False)


@dataclass(frozen=True)
class Places:
    """Lines of the raw files of a table's rows.

    Attributes
    ----------
    files : sequence of str
        Names of the files.
    file, line : array of int
        For each row, the number of its file, and its line.
    raw : mapping
        File → variable → name of its column there.
    """

    files: Sequence[str]
    file: npt.NDArray[np.int64]
    line: npt.NDArray[np.int64]
    raw: Mapping[str, Mapping[str, str]]

    def name(self, row: int) -> str:
        """Return the file of a row."""
        return self.files[int(self.file[row])]


def key_faults(
    name: str, key: Sequence[str], table: pa.Table, order: Order, places: Places
) -> list[Fault]:
    """Name the rows that share a key, in the words of what it means for a trial."""
    starts = np.flatnonzero(order.same & ~np.append(False, order.same[:-1]))
    faults = []
    for start in starts[:SHOWN_KEYS]:
        rows = _rows_of_key(order, int(start))
        first, second = _unlike(table, rows) or sorted(rows[:2])
        faults.append(
            _key_fault(
                name, key, table.slice(first, 1).to_pylist()[0],
                table.slice(second, 1).to_pylist()[0], first, second, places,
            )
        )  # fmt: skip
    if len(starts) > SHOWN_KEYS:
        left = len(starts) - SHOWN_KEYS
        found = f"{left:,} more keys are in two or more rows"
        faults.append(replace(faults[-1], found=found, row=None, rows=left))
    return faults


def _rows_of_key(order: Order, start: int) -> list[int]:
    """Return the rows that share their key with the sorted row ``start``, which is the first."""
    end = start + 1
    while end < len(order.same) and order.same[end]:
        end += 1
    at = np.arange(start, end + 1)
    return [int(row) for row in (at if order.rows is None else order.rows[at])]


def _unlike(table: pa.Table, rows: Sequence[int]) -> tuple[int, int] | None:
    """Return two rows of a unit that differ in what it was assigned to, in their order."""
    names = [name for name in ASSIGNED if name in table.column_names]
    if not names:
        return None
    held = table.select(names).take(pa.array(sorted(rows))).to_pylist()
    other = next((at for at, row in enumerate(held) if row != held[0]), None)
    return None if other is None else (sorted(rows)[0], sorted(rows)[other])


def rows_in_conflict(columns: Sequence[npt.NDArray[np.integer]], order: Order) -> Mask:
    """Return which sorted rows share their key with a row that was assigned to something else.

    Parameters
    ----------
    columns : sequence of array
        Numbers for the values of each of `ASSIGNED` that the file reads, in the order of the file.
    order : Order

    Returns
    -------
    array of bool
        In the order of the file.
    """
    size = len(order.same) + 1
    rows = np.arange(size) if order.rows is None else order.rows
    group = np.append(0, np.cumsum(~order.same))
    first = np.flatnonzero(np.append(True, ~order.same))
    conflict: Mask = np.zeros(int(group[-1]) + 1, dtype=bool)
    for codes in columns:
        sorted_codes = codes[rows]
        differs = sorted_codes != sorted_codes[first[group]]
        conflict |= np.bincount(group, weights=differs, minlength=len(conflict)) > 0
    found: Mask = np.zeros(size, dtype=bool)
    found[rows] = conflict[group]
    return found


def _assigned_twice(
    key: Sequence[str], first: Mapping[str, Any], second: Mapping[str, Any], place: str
) -> tuple[str, str] | None:
    """Return in what two rows of a unit contradict each other, and the words for it."""
    who = " and ".join(f"{part} {second[part]}" for part in key)
    for variable in ASSIGNED:
        one, other = first.get(variable), second.get(variable)
        if one != other:
            here, there = ("none" if value is None else _shown(value) for value in (other, one))
            return variable, (
                f"{who} is in two {_WORDS[variable]}s: {here} here, {there} in {place}"
                if variable != "drawn"
                else f"{who} has two randomisation dates: {here} here, {there} in {place}"
            )
    return None


def _shown(value: Any) -> str:
    """Return a value as a message shows it."""
    if hasattr(value, "strftime"):
        return f"{value:%Y-%m-%d}"
    return repr(value)


def _key_fault(
    name: str, key: Sequence[str], first: Mapping[str, Any], second: Mapping[str, Any],
    first_row: int, row: int, places: Places,
) -> Fault:  # fmt: skip
    file, line = places.name(row), int(places.line[row])
    raw = places.raw[file]
    place = f"row {places.line[first_row]} of {places.name(first_row)}"
    who = key[0]
    if name in ("assignment", OF_LIST):
        conflict = _assigned_twice(key, first, second, place)
        if conflict is not None:
            variable, found = conflict
            return Fault(
                file, found, f"one {_WORDS[variable]} per {who}",
                f"correct the {_WORDS[variable]} in the allocation list, as its randomisation "
                "record or its keeper says; never choose one", row=line,
                column=raw.get(variable),
            )  # fmt: skip
    decides = "days_enrolled" if "days_enrolled" in raw else "{keep: last}"
    another = "another variable" if "days_enrolled" in raw else "a variable"
    if name in ("pupils", "teachers") and first.get("school") != second.get("school"):
        return Fault(
            file,
            f"{who} {second[who]} is in two schools in {second['year']}: {second['school']} here, "
            f"{first['school']} in {place}",
            f"one school per {who} and year",
            f"add `duplicate_keys: {decides}` (or {another} that decides), or correct the file",
            row=line, column=raw.get("school"),
        )  # fmt: skip
    if name == "crosswalk":
        return Fault(
            file,
            f"school {second['from_school']} becomes two schools in {second['from_year']}: "
            f"{second['to_school']!r} here, {first['to_school']!r} in {place}",
            "one new school",
            "correct the crosswalk (for a school that splits, the enrolment records give the new "
            "school)", row=line, column=raw.get("to_school"),
        )  # fmt: skip
    what = ", ".join(f"{part} {second[part]}" for part in key if second[part] != "")
    remedy = (
        "correct the file, or add `duplicate_keys: {keep: first}` (or `last`, or the variable that "
        "decides), or `duplicate_keys: drop_all` if nobody knows which row is right"
    )
    if name == OF_LIST:
        remedy = (
            "correct the file (it is joined to the allocation list, so each key must be unique)"
        )
    if name == "assignment":
        remedy = (
            f"correct the allocation list; if {who}s of several schools share names, read the "
            f"identifier from both columns, here and in the enrolment records: `{who}: {{parts: "
            f"[school, {raw.get(who, who)}]}}`"
            if who != "school"
            else "add `collapse_repeats: true` if the file repeats each school on many rows; "
            "otherwise correct the allocation list"
        )
    return Fault(
        file, f"{what} is also in {place}", "one row per " + " and ".join(key), remedy,
        row=line, column=raw.get(who),
    )  # fmt: skip
