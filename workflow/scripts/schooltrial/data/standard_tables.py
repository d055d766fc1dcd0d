"""The standard tables that every study is read into: their keys, and how raw files fill them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.data.cleaning_log import LogEntry
from schooltrial.data.columns import SHOWN_PER_COLUMN, ColumnReader
from schooltrial.data.reading import expand_years, find_columns, read_text
from schooltrial.refusal import Fault, Refusal, refuse

KEYS: dict[str, list[str]] = {
    "schools": ["school"],
    "assignment": ["school"],
    "pupils": ["pupil", "year"],
    "scores": ["pupil", "year", "outcome"],
    "implementation": ["school", "leader", "component", "period"],
}
SOURCE = ["_file", "_row"]
RawNames = dict[str, Mapping[str, str]]
"""Raw file → variable → its column there, so that messages name what the user sees."""


def read_table(
    table: str,
    readings: Sequence[Mapping[str, Any]],
    folder: Path,
    years: Sequence[int],
    outcomes: Mapping[str, Any],
) -> tuple[pd.DataFrame, list[LogEntry]]:
    """Read all the files of one standard table.

    Parameters
    ----------
    table : str
        One of ``KEYS``.
    readings : sequence of mapping
        The table's section of the protocol.
    folder : pathlib.Path
        Folder of the raw files.
    years : sequence of int
        Years of the study; rows of other years are refused.
    outcomes : mapping
        The protocol's outcomes, for the range of scores.

    Returns
    -------
    table : DataFrame
        Sorted by key, without repeats.
    log : list of LogEntry
        Every change.

    Raises
    ------
    Refusal
        With all the faults of all the files.
    """
    faults: list[Fault] = []
    log: list[LogEntry] = []
    parts: list[pd.DataFrame] = []
    names: RawNames = {}
    for reading in readings:
        for file, year in expand_years(reading, years):
            try:
                part, entries = _read_file(table, reading, folder / file, year, years, names)
            except Refusal as refusal:
                faults += refusal.faults
                continue
            parts.append(part)
            log += entries
    refuse(faults)
    frame = pd.concat(parts, ignore_index=True)
    if table == "scores":
        frame = _within_outcome_range(frame, outcomes, log)
    refuse(_key_faults(table, frame, names))
    return frame.drop(columns=SOURCE).sort_values(KEYS[table], ignore_index=True), log


def _read_file(
    table: str,
    reading: Mapping[str, Any],
    path: Path,
    year: int | None,
    years: Sequence[int],
    names: RawNames,
) -> tuple[pd.DataFrame, list[LogEntry]]:
    text = read_text(path, reading)
    wanted = {**reading["columns"], **reading["outcomes"]}
    if "year" in wanted:
        wanted["year"] = {**wanted["year"], "type": "integer"}
    found, faults = find_columns(text, wanted, path.name)
    refuse(faults)
    names[path.name] = found
    reader = ColumnReader(table, path.name, tuple(reading["missing"]))
    text = _drop_identical(text, reading, reader)
    frame = pd.DataFrame(
        {name: reader.read(text[raw], wanted[name]) for name, raw in found.items()}
    )
    if "year" in frame:
        allowed = list(years) if year is None else [year]
        odd = frame["year"].notna() & ~frame["year"].isin(allowed)
        reader.fault_cells(
            found["year"],
            text[found["year"]],
            odd,
            "a year of the protocol: " + ", ".join(map(str, years))
            if year is None
            else f"{year}, the year in the file's name",
            "add the year to the protocol, or remove the rows"
            if year is None
            else "correct the cell, or the file's name",
        )
    elif year is not None:
        frame["year"] = pd.array([year] * len(frame), dtype="Int64")
    for name, spec in wanted.items():
        if spec["not_observed_in"]:
            frame[name] = reader.not_observed(
                found[name], frame[name], frame["year"].isin(spec["not_observed_in"])
            )
    reader.faults += _empty_keys(table, text, found, wanted, reader)
    refuse(reader.faults)
    frame[SOURCE[0]], frame[SOURCE[1]] = path.name, frame.index
    if reading["one_row_per_key"]:
        frame = _collapse(table, frame, names)
    if reading["outcomes"]:
        frame = _to_long(frame, list(reading["outcomes"]))
    return _resolve_same_key(table, frame, reading, reader), reader.log


def _drop_identical(
    text: pd.DataFrame, reading: Mapping[str, Any], reader: ColumnReader
) -> pd.DataFrame:
    if reading["one_row_per_key"]:
        return text
    repeated = text.duplicated()
    if not repeated.any():
        return text
    rows = text.index[repeated]
    if reading["identical_rows"] == "refuse":
        reader.faults += [
            Fault(
                reader.file,
                "this row repeats an earlier one to the letter",
                "each row once",
                "remove it, or set `identical_rows: keep_one` in the protocol",
                row=int(row),
            )
            for row in rows[:5]
        ]
        if len(rows) > 5:
            reader.faults.append(
                Fault(
                    reader.file,
                    f"{len(rows) - 5} more rows repeat an earlier one",
                    "each row once",
                    "as above",
                )
            )
        return text
    reader.log.append(
        LogEntry(
            reader.table,
            reader.file,
            "",
            "identical rows: one was kept",
            len(rows),
            f"row {rows[0]}",
            "left out",
        )
    )
    return text[~repeated]


def _empty_keys(
    table: str,
    text: pd.DataFrame,
    found: Mapping[str, str],
    wanted: Mapping[str, Mapping[str, Any]],
    reader: ColumnReader,
) -> list[Fault]:
    """Name the cells of the key that are empty; those of a required column are told already."""
    return [
        Fault(
            reader.file,
            f"the cell is empty or not observed, but {key!r} is part of the key of {table}",
            "a value in every row",
            "fill the cell, or remove the row",
            row=int(row),
            column=found[key],
        )
        for key in KEYS[table]
        if key in found and not wanted[key]["required"]
        for row in text.index[_absent(text[found[key]], wanted[key], reader)][:SHOWN_PER_COLUMN]
    ]


def _absent(text: pd.Series, spec: Mapping[str, Any], reader: ColumnReader) -> pd.Series:
    return text.str.strip().isin(["", *reader.missing, *spec["missing"]])


def _collapse(table: str, frame: pd.DataFrame, names: RawNames) -> pd.DataFrame:
    """Collapse facts that are repeated on many rows; where they disagree, name the rows."""
    facts = [column for column in frame if column not in SOURCE]
    distinct = frame.drop_duplicates(facts)
    refuse(_key_faults(table, distinct, names))
    return distinct


def _to_long(frame: pd.DataFrame, outcomes: list[str]) -> pd.DataFrame:
    identity = [column for column in frame if column not in outcomes]
    return frame.melt(id_vars=identity, value_vars=outcomes, var_name="outcome", value_name="value")


def _resolve_same_key(
    table: str, frame: pd.DataFrame, reading: Mapping[str, Any], reader: ColumnReader
) -> pd.DataFrame:
    """Keep, of rows that share a key, the one with the largest value of the declared column."""
    column = reading["same_key"]
    if column == "refuse":
        return frame
    if column not in frame:
        refuse(
            [
                Fault(
                    reader.file,
                    f"`same_key` names {column!r}, which is not read",
                    "one of " + ", ".join(reading["columns"]),
                    "read that column too",
                    column=column,
                )
            ]
        )
    ordered = frame.sort_values(
        [*KEYS[table], column], ascending=[True] * len(KEYS[table]) + [False], kind="stable"
    )
    repeated = ordered.duplicated(KEYS[table])
    if repeated.any():
        first = ordered[repeated].iloc[0]
        reader.log.append(
            LogEntry(
                table,
                reader.file,
                "",
                f"rows with the same key: the one with most {column} was kept",
                int(repeated.sum()),
                f"row {first['_row']}",
                "left out",
            )
        )
    return ordered[~repeated]


def _within_outcome_range(
    frame: pd.DataFrame, outcomes: Mapping[str, Any], log: list[LogEntry]
) -> pd.DataFrame:
    unknown = frame[~frame["outcome"].isin(outcomes)]
    if len(unknown):
        row = unknown.iloc[0]
        refuse(
            [
                Fault(
                    row["_file"],
                    f"the outcome {row['outcome']!r}",
                    "one of " + ", ".join(outcomes),
                    "declare it under `outcomes`, or map its code",
                    row=int(row["_row"]),
                    column="outcome",
                )
            ]
        )
    for name, outcome in outcomes.items():
        if outcome["range"] is None:
            continue
        low, high = outcome["range"]
        outside = (frame["outcome"] == name) & ((frame["value"] < low) | (frame["value"] > high))
        for file, rows in frame[outside].groupby("_file", sort=True):
            log.append(
                LogEntry(
                    "scores",
                    str(file),
                    name,
                    f"score outside {low:g} to {high:g} set to missing",
                    len(rows),
                    f"{rows['value'].iloc[0]:g}",
                    "",
                )
            )
        frame.loc[outside, "value"] = float("nan")
    return frame


def _key_faults(table: str, frame: pd.DataFrame, names: RawNames) -> list[Fault]:
    """Name the rows that share a key, in the words of what it means for a trial."""
    keys = KEYS[table]
    shared = frame[frame.duplicated(keys, keep=False)].sort_values([*keys, *SOURCE], kind="stable")
    return [
        _key_fault(table, key, rows.iloc[0], rows.iloc[1], names)
        for key, rows in shared.groupby(keys, sort=True)
    ]


def _key_fault(
    table: str, key: tuple[Any, ...], first: pd.Series, second: pd.Series, names: RawNames
) -> Fault:
    file, row = str(second["_file"]), int(second["_row"])
    raw = names[file]
    place = f"row {first['_row']} of {first['_file']}"
    if table == "assignment" and first["arm"] != second["arm"]:
        return Fault(
            file,
            f"school {key[0]} is in two arms: {second['arm']!r} here, {first['arm']!r} in {place}",
            "one arm per school",
            "correct the assignment list; never choose one",
            row=row,
            column=raw["arm"],
        )
    if table == "pupils" and first["school"] != second["school"]:
        return Fault(
            file,
            f"pupil {key[0]} is in two schools in {key[1]}: {second['school']} here, "
            f"{first['school']} in {place}",
            "one school per pupil and year",
            "correct the roster, or declare `same_key` (such as days enrolled) in the protocol",
            row=row,
            column=raw["school"],
        )
    what = ", ".join(f"{name} {value}" for name, value in zip(KEYS[table], key, strict=True))
    return Fault(
        file,
        f"{what} also stands in {place}",
        "one row per " + " and ".join(KEYS[table]),
        "correct the file, or declare `same_key` in the protocol",
        row=row,
        column=raw[KEYS[table][0]],
    )


def empty_table(table: str) -> pd.DataFrame:
    """Return a table without rows, for a study that has none of it."""
    return pd.DataFrame(columns=KEYS[table], dtype="str")
