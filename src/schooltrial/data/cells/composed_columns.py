"""Columns that a file has not, but its columns make up: identifiers of parts, and filled columns.

A trial of school × grade, or of state × cohort, has units that no single column names. An age may
be in one column for some pupils and in another for the rest. Both become one more column of the
cells, which is then read like every other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from schooltrial.data.cells.text_columns import Mask, TextColumn
from schooltrial.data.cells.typed_columns import ColumnReader, OneColumn
from schooltrial.protocol.content.column_map import NUMBERS, Column, other_columns, parts_of
from schooltrial.protocol.content.variables import ASSIGNED

Codes = npt.NDArray[np.int64]


def sources(wanted: Mapping[str, Column]) -> dict[str, Column]:
    """Return what is looked for in a file, each column under a name of its own.

    Parameters
    ----------
    wanted : mapping
        Variable → how it is read.

    Returns
    -------
    dict
        A variable that is read from one column has its name; a part, or a column from which a
        variable is filled, has the name that `source` gives.
    """
    found: dict[str, Column] = {}
    for variable, spec in wanted.items():
        if spec["parts"]:
            for at, part in enumerate(parts_of(spec), start=1):
                found[source(variable, "part", at)] = {
                    **spec,
                    "position": None,
                    "column": part["column"],
                }
        else:
            found[variable] = spec
        for at, column in enumerate(other_columns(spec), start=1):
            found[source(variable, "otherwise", at)] = {**spec, "column": column, "position": None}
    return found


def source(variable: str, kind: str, at: int) -> str:
    """Return how a part of a variable, or a column from which it is filled, is called."""
    return f"{variable} ({kind} {at})"


def compose(
    reader: ColumnReader, wanted: Mapping[str, Column], found: Mapping[str, str]
) -> dict[str, str]:
    """Add the columns that others make up to the cells of a reader.

    Parameters
    ----------
    reader : ColumnReader
        Its cells, faults and log grow.
    wanted : mapping
        Variable → how it is read.
    found : mapping
        Name of `sources` → raw column.

    Returns
    -------
    dict
        Variable → raw column, of the file or made up.
    """
    raw = {}
    for variable, spec in wanted.items():
        if spec["parts"]:
            names = [found[source(variable, "part", at)] for at in range(1, len(spec["parts"]) + 1)]
            raw[variable] = _join_parts(reader, variable, names, spec)
        else:
            raw[variable] = found[variable]
        others = [
            found[source(variable, "otherwise", at)]
            for at in range(1, len(other_columns(spec)) + 1)
        ]
        if others:
            raw[variable] = _fill(reader, variable, [raw[variable], *others], spec)
    return raw


def _join_parts(reader: ColumnReader, variable: str, names: Sequence[str], spec: Column) -> str:
    """Add the column of an identifier that others make up, and return its name."""
    cells, between = reader.cells, spec["between"]
    combined: Codes = np.zeros(cells.rows, dtype=np.int64)
    distinct: list[list[str]] = [[""]]
    absent: list[Mask] = []
    for name, part in zip(names, parts_of(spec), strict=True):
        texts, codes = _part(reader, variable, name, {**spec, **part, "required": False})
        absent.append(codes < 0)
        pairs, combined = np.unique(combined * (len(texts) + 1) + codes + 1, return_inverse=True)
        before, these = np.divmod(pairs, len(texts) + 1)
        distinct = [
            [*distinct[row], texts[text - 1] if text else ""]
            for row, text in zip(before.tolist(), these.tolist(), strict=True)
        ]
    some, every = np.any(absent, axis=0), np.all(absent, axis=0)
    for name, missing in zip(names, absent, strict=True):
        others = " and ".join(repr(other) for other in names if other != name)
        reader.fault_rows(
            name, np.flatnonzero(missing & ~every),
            f"all parts of {variable!r}, or none: {others} is not empty in this row",
            "fill the cell, or filter the row by `where` in the reading",
            f"no value in a part of {variable!r}",
        )  # fmt: skip
    joined = pa.array([between.join(parts[1:]) for parts in distinct], pa.string())
    column = TextColumn(joined, combined.astype(np.int32))
    if some.any():
        column = _blank(column, some)
    return _add(reader, variable, " + ".join(names), column, dict.fromkeys(names))


def _part(reader: ColumnReader, variable: str, name: str, spec: Column) -> tuple[list[str], Codes]:
    """Return the distinct texts of a part as they enter an identifier, and which is in each row."""
    reader.refuse_spoilt(name)
    column, values = reader.labelled(name, reader.cells.columns[name].distinct(), spec)
    one = OneColumn(reader, variable, name, column, spec, None, values)
    text, absent = one.stripped()
    absent = absent | (text == "").to_numpy(dtype=bool)
    if spec["written_as_decimals"]:
        text = one.without_decimals(text, absent)
    if spec["width"] is not None:
        text = one.of_width(text, absent, int(spec["width"]))
    between = spec["between"]
    inside = text.str.contains(between, regex=False).to_numpy(dtype=bool) & ~absent
    one.fault(
        inside, f"parts without {between!r}, which separates them",
        "set `between` to a text that is in no part, such as `between: \"|\"`",
    )  # fmt: skip
    codes, distinct = pd.factorize(text.to_numpy(dtype=object))
    codes = np.where(absent, -1, codes).astype(np.int64)
    return [str(each) for each in distinct], codes[column.row_numbers()]


def _blank(column: TextColumn, rows: Mask) -> TextColumn:
    """Return a column with some rows empty."""
    texts = pa.concat_arrays([column.texts, pa.array([""], pa.string())])
    codes = np.where(rows, len(column.texts), column.row_numbers()).astype(np.int32)
    return TextColumn(texts, codes)


def _fill(reader: ColumnReader, variable: str, names: Sequence[str], spec: Column) -> str:
    """Add a column in which another takes the place of missing values, and return its name."""
    cells = reader.cells
    for name in names:  # a formula that failed is no missing value, though it is read as empty
        reader.refuse_spoilt(name)
    first, *others = names
    texts = [reader.labelled(name, cells.columns[name].distinct(), spec)[0] for name in names]
    lacking = _lacking(reader, first, texts[0], spec)
    begins = np.cumsum([0, *(len(column.texts) for column in texts)])
    codes = texts[0].row_numbers().astype(np.int64)
    taken: dict[str, Mask | None] = {first: None}
    for at, name in enumerate(others, start=1):
        filled = lacking & ~_lacking(reader, name, texts[at], spec)
        rows = np.flatnonzero(filled)
        if len(rows):
            before, after = texts[0].cells(rows), texts[at].cells(rows)
            rule = f"missing value filled from the column {name!r}"
            reader.log.cells(first, rule, cells.line(rows), before, after)
        codes = np.where(filled, texts[at].row_numbers() + begins[at], codes)
        lacking &= ~filled
        taken[name] = filled
    if reader.log.table == "assignment" and variable in ASSIGNED:
        _refuse_contradictions(reader, variable, names, texts, spec)
    every = pa.concat_arrays([column.texts for column in texts])
    numbers, distinct = pd.factorize(every.to_numpy(zero_copy_only=False))
    column = TextColumn(pa.array(distinct, pa.string()), numbers.astype(np.int32)[codes])
    return _add(reader, variable, " or ".join(names), column, taken)


def _refuse_contradictions(
    reader: ColumnReader, variable: str, names: Sequence[str], texts: Sequence[TextColumn],
    spec: Column,
) -> None:  # fmt: skip
    """Refuse rows of the allocation list in which two columns give a unit different groups.

    One column takes the place of another where that is missing; it never settles which is right.
    """
    held = [_meant(column, spec) for column in texts]
    there = [
        ~_lacking(reader, name, column, spec) for name, column in zip(names, texts, strict=True)
    ]
    first, before = names[0], there[0]
    chosen = held[0]
    for name, values, known in zip(names[1:], held[1:], there[1:], strict=True):
        rows = np.flatnonzero(before & known & (chosen != values))
        if len(rows):
            reader.fault_rows(
                first, rows, f"the same {variable} in both columns, or only one of them filled",
                f"correct the allocation list to the {variable} that was drawn; or read the one "
                f"column alone, if {name!r} holds something else",
                f"the row has two {variable}s: {str(chosen[rows[0]])!r} here, "
                f"{str(values[rows[0]])!r} in the column {name!r}",
            )  # fmt: skip
        chosen, before = np.where(before, chosen, values), before | known


def _meant(column: TextColumn, spec: Column) -> np.ndarray:
    """Return what each row of a column means, once its codes have acted."""
    fold = str.casefold if spec["ignore_case"] else str
    codes = {fold(str(text)): str(value) for text, value in spec["codes"].items()}
    texts = [str(text or "").strip() for text in column.texts.to_pylist()]
    meant = np.array([codes.get(fold(text), fold(text)) for text in texts], dtype=object)
    return np.asarray(meant[column.row_numbers()])


def _lacking(reader: ColumnReader, name: str, column: TextColumn, spec: Column) -> Mask:
    """Return the rows in which a column has no value."""
    text = pd.Series(column.texts.to_pandas(), dtype="str").str.strip()
    held = None
    if name in reader.cells.numbers and spec["type"] in NUMBERS:
        column, held = column.told_apart(reader.cells.numbers[name])
        text = pd.Series(column.texts.to_pandas(), dtype="str").str.strip()
    absent = reader.not_observed(text, spec, held).absent | (text == "").to_numpy(dtype=bool)
    known = reader.cells.columns[name].distinct()
    values = reader.value_labels(name, known)
    if values is not None:
        of_file = values.declared | values.listed(reader.missing(spec))
        return np.asarray(absent[column.row_numbers()] | of_file[known.row_numbers()], dtype=bool)
    lacking: Mask = absent[column.row_numbers()]
    return lacking


def _add(
    reader: ColumnReader, variable: str, name: str, column: TextColumn,
    taken: Mapping[str, Mask | None],
) -> str:  # fmt: skip
    """Add a column to the cells, with what its sources mark of their cells; return its name.

    Parameters
    ----------
    taken : mapping
        Raw column → rows in which it was taken; None: in all that no other gave.
    """
    cells = reader.cells
    if name in cells.columns:
        name = f"{name} ({variable})"
    if reader.log.private & set(taken):
        reader.log.private |= {name}
    dated, broken, numbers, inexact = (
        {**held, **dict(_marked(cells.rows, held, name, taken))}
        for held in (cells.dated, cells.broken, cells.numbers, cells.inexact)
    )
    columns = {**cells.columns, name: column}
    reader.cells = replace(
        cells, columns=columns, dated=dated, broken=broken, numbers=numbers, inexact=inexact
    )
    return name


def _marked(
    rows: int, held: Mapping[str, Mask], name: str, taken: Mapping[str, Mask | None]
) -> Iterator[tuple[str, Mask]]:
    """Yield which cells of a new column are marked, where any of its sources is."""
    if not set(held) & set(taken):
        return
    marked = np.zeros(rows, dtype=bool)
    for column, where in taken.items():
        of_column = held.get(column, np.zeros(rows, dtype=bool))
        marked = marked | of_column if where is None else np.where(where, of_column, marked)
    yield name, marked
