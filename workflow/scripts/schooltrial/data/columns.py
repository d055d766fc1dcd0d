"""Turn the text of a raw column into typed values, with a line in the log for every change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.data.cleaning_log import LogEntry
from schooltrial.refusal import Fault

SHOWN_PER_COLUMN = 5


@dataclass
class ColumnReader:
    """Reads the columns of one file, gathering faults and log entries.

    Attributes
    ----------
    table, file : str
        Standard table that is filled, and raw file, for messages.
    missing : tuple of str
        Texts that mean *not observed* in any column.
    """

    table: str
    file: str
    missing: tuple[str, ...]
    faults: list[Fault] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)

    def read(self, text: pd.Series, spec: Mapping[str, Any]) -> pd.Series:
        """Return typed values of one column; faulty cells become missing and are collected.

        A category keeps its levels in the order of the protocol's codes, the first being the one
        that others are compared with.

        Parameters
        ----------
        text : Series of str
            Cells, the index being the line in the file.
        spec : mapping
            The column's section of the protocol.
        """
        name = str(text.name)
        stripped = text.str.strip()
        self._note(name, "blanks around the text removed", text, stripped, text != stripped)
        absent = stripped.isin([*self.missing, *spec["missing"]])
        coded = absent & (stripped != "")
        self._note(name, "code for not observed set to missing", stripped, "", coded)
        if spec["required"]:
            self.fault_cells(
                name, stripped, absent, "a value in every row", "fill the cell, or drop `required`"
            )
        values = (
            self._decode(name, stripped, absent, spec)
            if spec["codes"]
            else self._parse(name, stripped, absent, spec)
        )
        return self._within_range(name, values, stripped, spec)

    def not_observed(self, name: str, values: pd.Series, where: pd.Series) -> pd.Series:
        """Set placeholders of years without a measurement to missing."""
        where = where & values.notna()
        self._note(
            name,
            "not observed in that year: placeholder set to missing",
            values.astype(str),
            "",
            where,
        )
        return values.mask(where)

    def _decode(
        self, name: str, text: pd.Series, absent: pd.Series, spec: Mapping[str, Any]
    ) -> pd.Series:
        codes = {str(key): value for key, value in spec["codes"].items()}
        lookup = text
        if spec["ignore_case"]:
            codes = {key.casefold(): value for key, value in codes.items()}
            lookup = text.str.casefold()
            exact = text.isin([str(key) for key in spec["codes"]])
            self._note(
                name, "code read without regard to case", text, lookup, ~exact & lookup.isin(codes)
            )
        unknown = ~absent & ~lookup.isin(codes)
        listed = ", ".join(repr(str(key)) for key in spec["codes"])
        self.fault_cells(
            name,
            text,
            unknown,
            f"one of {listed}",
            "correct the cell, or add the code to the protocol",
        )
        if spec["type"] == "category":
            codes = {key: str(value) for key, value in codes.items()}
            levels = list(dict.fromkeys(codes.values()))
            values = lookup.where(~absent & ~unknown).map(codes)
            return pd.Series(pd.Categorical(values, categories=levels), index=text.index)
        return self._as_type(lookup.where(~absent & ~unknown).map(codes), spec["type"])

    def _parse(
        self, name: str, text: pd.Series, absent: pd.Series, spec: Mapping[str, Any]
    ) -> pd.Series:
        kind = spec["type"]
        known = text.where(~absent)
        if kind in ("identifier", "category"):
            return known
        if kind == "date":
            dates = pd.to_datetime(known, format="%Y-%m-%d", errors="coerce")
            self.fault_cells(
                name, text, known.notna() & dates.isna(), "a date as YYYY-MM-DD", "correct the cell"
            )
            return dates
        numbers = pd.to_numeric(known, errors="coerce").astype("float64")
        bad = known.notna() & ~np.isfinite(numbers.to_numpy())
        self.fault_cells(
            name, text, bad, "a number", "correct the cell, or list the text under `missing`"
        )
        if kind in ("integer", "flag"):
            broken = numbers.notna() & (numbers != numbers.round())
            self.fault_cells(
                name, text, broken, "a whole number", "correct the cell, or read it as `number`"
            )
            numbers = numbers.mask(broken)
        if kind == "flag":
            odd = numbers.notna() & ~numbers.isin([0, 1])
            self.fault_cells(name, text, odd, "0 or 1", "correct the cell, or give codes")
        return self._as_type(numbers.mask(bad), kind)

    @staticmethod
    def _as_type(values: pd.Series, kind: str) -> pd.Series:
        if kind == "integer":
            return values.astype("Int64")
        return (
            values.astype("float64")
            if kind in ("number", "flag")
            else values.astype("str").where(values.notna())
        )

    def _within_range(
        self, name: str, values: pd.Series, text: pd.Series, spec: Mapping[str, Any]
    ) -> pd.Series:
        if spec["range"] is None:
            return values
        low, high = spec["range"]
        outside = (values < low) | (values > high)
        outside = outside.fillna(False).astype(bool)
        self.fault_cells(
            name, text, outside, f"a value from {low:g} to {high:g}", "correct the cell"
        )
        return values.mask(outside)

    def fault_cells(
        self, name: str, text: pd.Series, where: pd.Series, expected: str, remedy: str
    ) -> None:
        """Collect a fault for each of the first cells at fault, and a count of the others."""
        rows = text.index[where.to_numpy(dtype=bool)]
        for row in rows[:SHOWN_PER_COLUMN]:
            self.faults.append(
                Fault(
                    self.file,
                    f"the value {text[row]!r}",
                    expected,
                    remedy,
                    row=int(row),
                    column=name,
                )
            )
        if len(rows) > SHOWN_PER_COLUMN:
            more = len(rows) - SHOWN_PER_COLUMN
            self.faults.append(
                Fault(
                    self.file, f"the same fault in {more} more rows", expected, remedy, column=name
                )
            )

    def _note(
        self, name: str, rule: str, before: pd.Series, after: pd.Series | str, where: pd.Series
    ) -> None:
        rows = before.index[where.to_numpy(dtype=bool)]
        if len(rows):
            became = after if isinstance(after, str) else str(after[rows[0]])
            self.log.append(
                LogEntry(self.table, self.file, name, rule, len(rows), str(before[rows[0]]), became)
            )
