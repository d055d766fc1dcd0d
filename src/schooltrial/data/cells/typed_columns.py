"""Turn the text of a raw column into typed values, with a line in the log for every change.

What is done to a cell depends on its text alone, so it is done to each distinct text once, and
then to the rows that hold it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from schooltrial.data.cells import identifiers
from schooltrial.data.cells.cleaning_log import FORMULA, CleaningLog
from schooltrial.data.cells.dates import advice, parse_dates
from schooltrial.data.cells.missing_codes import (
    Notation,
    NotObserved,
    alike_as_numbers,
    coded_by_numbers,
    find_absent,
    values_of,
)
from schooltrial.data.cells.numbers import EXACT_BELOW, MINUS, parsed
from schooltrial.data.cells.suppression import suppressed
from schooltrial.data.cells.text_columns import Mask, RawCells, TextColumn
from schooltrial.data.cells.value_labels import ValueLabels
from schooltrial.protocol.content.column_map import (
    NUMBERS,
    Column,
    RawFile,
    SuppressionCodes,
    formats_of,
)
from schooltrial.protocol.content.variables import NAMING
from schooltrial.refusal import Fault
from schooltrial.wording import exact

SHOWN_PER_COLUMN = 5

NOTATIONS = ((",", ""), (".", ""), (".", ","), (",", "."), (",", " "), (".", " "), (".", "'"))
"""Signs before the decimals and between thousands with which a column may be written."""

CLOSE_CODE = 0.75
"""Share of the letters of two codes in common, from which one is likely a slip of the other."""

MOSTLY = 0.9
"""Share of the texts of a column that another notation must read, so that it is the column's."""


SHOWN_CHARACTERS = 80


MISSING = "set to missing"


TRUTHS = {
    **dict.fromkeys(("1", "y", "yes", "t", "true"), 1),
    **dict.fromkeys(("0", "n", "no", "f", "false"), 0),
}
"""Words for a flag, to advise on; none is read as such unless the protocol says so."""


SCHOOL_YEAR = re.compile(r"\s*((?:19|20)\d\d)\s*[-/–]\s*(?:\d\d)?\d\d\s*")
"""A school year as text: 2016-17."""


MADE_A_DATE = re.compile(
    r"[0-9]{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}"
)
"""What a spreadsheet makes of a range of numbers that could be a day."""


Arrays = dict[str, pa.Array]


@dataclass(frozen=True)
class Limits:
    """The range of an outcome, and what is done with a score outside."""

    outcome: str
    low: float
    high: float
    refused: bool


@dataclass(frozen=True)
class DateLimit:
    """The last day that a date can have, and what is done with a later one."""

    latest: pd.Timestamp
    refused: bool


@dataclass
class ColumnReader:
    """Reads the columns of one file, gathering faults and log entries.

    Attributes
    ----------
    cells : RawCells
    log : CleaningLog
    reading : mapping
        The file's section of the protocol: `missing`, `decimal`, `thousands`.
    dates : DateLimit, optional
    last_year : int
        A year of two digits is the last one up to this year that ends in them.
    faults : list of Fault
    faulty : dict of str to list
        Raw column → rows of the cells at fault.
    """

    cells: RawCells
    log: CleaningLog
    reading: RawFile
    dates: DateLimit | None = None
    last_year: int = 2068
    faults: list[Fault] = field(default_factory=list)
    faulty: dict[str, list[npt.NDArray[np.integer]]] = field(default_factory=dict)

    def read(self, variable: str, raw: str, spec: Column, limits: Limits | None = None) -> Arrays:
        """Return the variable's values, one per row; faulty cells are missing and are collected.

        A category keeps its levels in the order of the protocol's codes, the first being the one
        that others are compared with.

        Parameters
        ----------
        variable, raw : str
            Standard variable, and the column of the file.
        spec : mapping
            The column's section of the protocol.
        limits : Limits, optional
            Of the outcome that a column of a wide file holds.

        Returns
        -------
        dict
            The variable, and ``<variable>_low`` and ``<variable>_high`` where bounds are read.
        """
        column = self.cells.columns[raw]
        self.refuse_spoilt(raw)
        identifier = spec["type"] == "identifier" and not spec["codes"]
        if identifier and self._needs_nothing(column, raw, spec):
            return {variable: column.texts}
        column, held = column.distinct(), None
        if raw in self.cells.numbers and spec["type"] in NUMBERS:
            column, held = column.told_apart(self.cells.numbers[raw])
        column, values = self.labelled(raw, column, spec)
        one = OneColumn(self, variable, raw, column, spec, held, values)
        text, absent = one.stripped()
        if spec["codes"]:
            return {variable: one.decoded(text, absent, limits)}
        if identifier:
            return {variable: one.identifiers(text, absent)}
        if spec["type"] == "category":
            return {variable: one.words(text, absent)}
        if spec["type"] == "date":
            return {variable: one.dates(text, absent)}
        return one.numbers(text, absent, limits)

    def value_labels(self, raw: str, column: TextColumn) -> ValueLabels | None:
        """Return the labels of a column's values, if the file has any or declares some missing."""
        labels, declared = self.cells.labels.get(raw), self.cells.declared_missing.get(raw)
        if not labels and not declared:
            return None
        return ValueLabels.of(column, labels or {}, declared or ())

    def labelled(
        self, raw: str, column: TextColumn, spec: Column
    ) -> tuple[TextColumn, ValueLabels | None]:
        """Return a column with labels in place of codes, if it is one of text, and both."""
        values = self.value_labels(raw, column)
        if values is not None and (spec["codes"] or spec["type"] not in NUMBERS):
            column = values.applied(column)
        return column, values

    def refuse_spoilt(self, raw: str) -> None:
        """Collect cells of a workbook whose formula failed, or was never computed."""
        for row, (found, remedy) in self.cells.spoilt.get(raw, {}).items():
            self.fault_rows(raw, np.array([row]), "a value", remedy, found)

    def _needs_nothing(self, column: TextColumn, raw: str, spec: Column) -> bool:
        cells = self.cells
        marks = (cells.dated, cells.broken, cells.inexact, cells.labels, cells.declared_missing)
        if any(raw in marked for marked in marks):
            return False
        if any(spec[key] for key in ("written_as_decimals", "respell", "without", "letters")):
            return False
        return identifiers.needs_nothing(column, self.missing(spec), spec["width"])

    def missing(self, spec: Column) -> list[str]:
        """Return the codes that mean *not observed* in a column."""
        return [*self.reading["missing"], *spec["missing"]]

    def notation(self, spec: Column) -> Notation:
        """Return how a column writes its numbers: as it says itself, or else as its file does."""
        file = self.reading
        return Notation(
            file["decimal"] if spec["decimal"] is None else spec["decimal"],
            file["thousands"] if spec["thousands"] is None else spec["thousands"],
            spec["percent"],
        )

    def not_observed(self, text: pd.Series, spec: Column, held: Mask | None = None) -> NotObserved:
        """Find the texts of a column, without blanks around, that mean *not observed*."""
        codes, notation = [str(code) for code in spec["codes"]], self.notation(spec)
        numeric = coded_by_numbers(codes, notation) if codes else spec["type"] in NUMBERS
        missing = ["", *self.missing(spec)]
        if "" in codes:  # an empty cell with a code is not missing, whatever the file's list says
            missing = [code for code in missing if code]
        found = find_absent(text, missing, notation if numeric else None, held)
        return found.but_not(text.isin(codes).to_numpy(dtype=bool)) if codes else found

    def fault_rows(
        self, raw: str, rows: npt.NDArray[np.integer], expected: str,
        remedy: str | Callable[[str], str], found: str = "",
    ) -> None:  # fmt: skip
        """Collect a fault for each of the first texts at fault, and a count of the other rows.

        A text that is in several rows is one fault: it has one cause. A remedy may depend on the
        text of the cell.
        """
        column, advice = self.cells.columns[raw], remedy if isinstance(remedy, str) else ""
        self.faulty.setdefault(raw, []).append(rows)
        _, first, counts = np.unique(
            column.row_numbers()[rows], return_index=True, return_counts=True
        )
        shown = np.argsort(first)[:SHOWN_PER_COLUMN]
        for row, count in zip(rows[first[shown]], counts[shown], strict=True):
            line = int(self.cells.line(np.array([row]))[0])
            code = column.cell(int(row))
            text = self.cells.labels.get(raw, {}).get(code, code).strip()
            what = found or f"the value {shortened(code.strip())!r}"
            if not found and text != code.strip():
                what += f", labelled {shortened(text)!r}"
            if count > 1:
                what += f" (in {count:,} rows)"
            advice = remedy if isinstance(remedy, str) else remedy(text)
            self.faults.append(
                Fault(self.log.file, what, expected, advice, row=line, column=raw, rows=int(count))
            )
        left = len(rows) - int(counts[shown].sum())
        if left:
            what = f"the same error in {left:,} more rows"
            self.faults.append(Fault(self.log.file, what, expected, advice, column=raw, rows=left))

    def changed(self, raw: str, rule: str, rows: npt.NDArray[np.integer], after: str = "") -> None:
        """Log cells that became another text, by their rows."""
        if len(rows):
            before = self.cells.columns[raw].cells(rows)
            self.log.cells(raw, rule, self.cells.line(rows), before, after)


@dataclass
class OneColumn:
    """One column on its way from text to values; masks and values are of its distinct texts."""

    reader: ColumnReader
    variable: str
    raw: str
    column: TextColumn
    spec: Column
    held: Mask | None = None
    """Which texts are of cells that are held as numbers."""
    values: ValueLabels | None = None
    """Codes and labels of the texts, where the file has labels or declares some missing."""

    def stripped(self) -> tuple[pd.Series, Mask]:
        """Return the texts without blanks around them, and which mean *not observed*."""
        given = pd.Series(self.column.texts.to_pandas(), dtype="str")
        text = given.str.strip()
        self._changed("blanks around the text removed", text != given, given, text)
        found = self.reader.not_observed(text, self.spec, self.held)
        absent = found.absent
        coded = absent & ~found.as_numbers & (text != "").to_numpy(dtype=bool)
        self._changed("code for not observed set to missing", coded, text, "")
        rule = "code for not observed, compared as a number, set to missing"
        self._changed(rule, found.as_numbers, text, "")
        if self.values is not None:
            absent = self._of_file(text, absent, self.values)
        if self.spec["required"]:
            self.fault(absent, "a value in every row", "fill the cell, or set `required: false`")
        return text, absent

    def _of_file(self, text: pd.Series, absent: Mask, values: ValueLabels) -> Mask:
        """Return which texts are missing, those too of which the file or a label says so."""
        declared = values.declared & ~absent
        rule = "code that the file declares missing (user-missing) set to missing"
        self._changed(rule, declared, text, "")
        listed = values.listed(self.reader.missing(self.spec)) & ~absent & ~declared
        self._changed("code whose label means not observed set to missing", listed, text, "")
        return absent | declared | listed

    def _unclear(self, numbers: npt.NDArray[np.float64], limits: Limits | None) -> None:
        """Refuse a labelled code in a column of numbers unless the protocol explains it."""
        ranged = self.spec["range"] is not None or limits is not None
        if self.values is None or ranged or self.spec["type"] == "flag":
            return
        labelled = self.values.labelled() & ~np.isnan(numbers)
        if not labelled.any():
            return
        low, high = exact(float(np.nanmin(numbers))), exact(float(np.nanmax(numbers)))
        first = next((x for x, here in zip(self.values.labels, labelled, strict=True) if here), "")
        self.fault(
            labelled, "a number without a label, or within the range",
            f'add `missing: ["{first}"]` to the column if it means not observed, or '
            f"`range: [{low}, {high}]` if it is a valid number",
        )  # fmt: skip

    def decoded(self, text: pd.Series, absent: Mask, limits: Limits | None) -> pa.Array:
        """Return the values of the protocol's codes."""
        codes = {str(key): value for key, value in self.spec["codes"].items()}
        lookup = text
        if self.spec["ignore_case"]:
            exact = text.isin(list(codes))
            listed_as = {key.casefold(): key for key in codes}
            lookup = text.str.casefold().replace(listed_as)
            other = ~exact & lookup.isin(list(codes)) & ~absent
            self._changed("code matched in upper and lower case", other, text, lookup)
            lookup = text.where(exact, lookup)
        unknown = ~absent & ~lookup.isin(list(codes)).to_numpy(dtype=bool)
        if unknown.any():
            same = alike_as_numbers(text, list(codes), self.reader.notation(self.spec))
            found = unknown & same.notna().to_numpy(dtype=bool)
            self._changed("code compared as a number", found, text, same.fillna(""))
            lookup, unknown = lookup.where(~found, same), unknown & ~found
        listed = ", ".join(repr(str(key)) for key in self.spec["codes"])
        self.fault(unknown, f"one of {listed}", partial(_remedy_of_code, codes=list(codes)))
        known = lookup.astype(object).where(~absent & ~unknown, None)
        if self.spec["type"] in ("category", "identifier"):
            named = known.map({key: str(value) for key, value in codes.items()})
            levels = list(dict.fromkeys(str(value) for value in codes.values()))
            return self._texts(named, levels)
        numbers = known.map(codes).astype("float64").to_numpy(copy=True)
        return self._numbers(self._within_range(numbers, text, limits))

    def identifiers(self, text: pd.Series, absent: Mask) -> pa.Array:
        """Return identifiers as written, refusing those that a workbook has spoilt."""
        marked = ((self.reader.cells.dated, "a date"), (self.reader.cells.broken, "a number"))
        for held, what in marked:
            rows = identifiers.held_otherwise(held.get(self.raw), self.column, absent)
            for row in rows[:SHOWN_PER_COLUMN]:
                found = f"{what}, {self.column.cell(int(row))}, where an identifier is read"
                self.reader.fault_rows(
                    self.raw, np.array([row]), "an identifier as text or whole number",
                    identifiers.FORMAT, found,
                )  # fmt: skip
        rows = identifiers.held_otherwise(
            self.reader.cells.inexact.get(self.raw), self.column, absent
        )
        for row in rows[:SHOWN_PER_COLUMN]:
            found = f"the number {self.column.cell(int(row))}, of more digits than the file keeps"
            self.reader.fault_rows(
                self.raw, np.array([row]), "an identifier as text", identifiers.KEPT, found
            )
        if self.values is not None:
            self._shared(self.values)
        if self.spec["written_as_decimals"]:
            text = self.without_decimals(text, absent)
        text = self.respelt(text, absent)
        if self.variable in NAMING:
            # what a spreadsheet shows for a failed formula is told as such, by `words`
            told = absent | identifiers.errors_of_spreadsheets(text)
            for bad, expected, remedy in identifiers.unfit(text):
                self.fault(bad & ~told, expected, remedy)
        return self.words(text, absent)

    def _shared(self, values: ValueLabels) -> None:
        """Refuse identifiers that a common label would make one."""
        for first, second, label in values.shared():
            self.fault(
                np.array([code == second for code in values.codes], dtype=bool),
                "different identifiers",
                "give the values different labels, or read their codes: `value_labels: false`",
                f"the codes {first} and {second} have the same label, {shortened(label)!r}",
            )  # fmt: skip

    def respelt(self, text: pd.Series, absent: Mask) -> pd.Series:
        """Spell identifiers as other files do: without some texts, in some letters, of a width."""
        spec = self.spec
        for part in spec["without"]:
            without = text.str.replace(part, "", regex=False)
            text = self._kept_as(f"{part!r} removed from the identifier", without, text, absent)
        if spec["letters"]:
            cased = text.str.upper() if spec["letters"] == "upper" else text.str.lower()
            text = self._kept_as(f"identifier in {spec['letters']} letters", cased, text, absent)
        if spec["width"] is not None:
            text = self.of_width(text, absent, int(spec["width"]))
        named = text.replace(spec["respell"]) if spec["respell"] else text
        return self._kept_as("identifier spelled as in other files", named, text, absent)

    def _kept_as(
        self, rule: str, changed: pd.Series, text: pd.Series, absent: Mask
    ) -> pd.Series:  # fmt: skip
        """Return texts as they became where they are not missing, with a line in the log."""
        where = (changed != text).to_numpy(dtype=bool) & ~absent
        self._changed(rule, where, text, changed)
        return changed.where(where, text)

    def without_decimals(self, text: pd.Series, absent: Mask) -> pd.Series:
        """Take the decimal part of zeros off identifiers that a file holds as decimals."""
        mark = self.reader.notation(self.spec).decimal
        whole, other = identifiers.written_as_decimals(text, mark)
        self.fault(
            other & ~absent, f"an identifier as a whole number, or with `{mark}0` at its end",
            "correct the cell; if such decimals belong to the identifiers, remove "
            "`written_as_decimals` from the protocol",
        )  # fmt: skip
        shortened_ = text.str.replace(rf"{re.escape(mark)}0+$", "", regex=True)
        cut = whole & ~absent
        self._changed("zero decimals removed from the identifier", cut, text, shortened_)
        return shortened_.where(cut, text)

    def of_width(self, text: pd.Series, absent: Mask, width: int) -> pd.Series:
        """Return identifiers with the zeros put back that they lost, where the protocol says so."""
        lost, wrong = identifiers.too_short(text, width)
        expected, remedy = f"{width} characters", "correct the cell, or the `width` in the protocol"
        self.fault(wrong.to_numpy(dtype=bool) & ~absent, expected, remedy)
        short = lost.to_numpy(dtype=bool) & ~absent
        if not self.spec["pad"]:
            remedy = "restore the leading zeros, or set `pad: true` in the protocol"
            self.fault(short, expected, remedy)
            return text
        padded = text.str.zfill(width).where(short, text)
        self._changed("leading zeros restored", short, text, padded)
        return padded

    def words(self, text: pd.Series, absent: Mask) -> pa.Array:
        """Return texts as written; formulas that a spreadsheet would run are kept, and logged."""
        failed = identifiers.errors_of_spreadsheets(text) & ~absent
        remedy = "correct the formula, or set the text to missing (`missing`)"
        self.fault(failed, "text, not an error value of a spreadsheet", remedy)
        formula = text.str.match(FORMULA.pattern).to_numpy(dtype=bool) & ~absent
        rows = self.column.holds(formula) if formula.any() else np.empty(0, np.int64)
        if len(rows):
            rule = "text that a spreadsheet would run as a formula (kept as text)"
            self.reader.log.note(self.raw, rule, len(rows), self.column.cell(int(rows[0])))
        return self._texts(text.astype(object).where(~absent, None))

    def dates(self, text: pd.Series, absent: Mask) -> pa.Array:
        """Return dates in the format declared; typed files hold them as YYYY-MM-DD."""
        shapes, last_year = formats_of(self.spec), self.reader.last_year
        known = text.where(~absent)
        found = parse_dates(known, shapes, last_year)
        if self.reader.cells.typed:
            held = parse_dates(known.where(found.days.isna()), "YYYY-MM-DD", last_year)
            found = found.or_else(held)
        dates = found.days
        bad = ~absent & dates.isna().to_numpy() & ~found.two_ways
        expected = f"a date as {' or '.join(shapes)}"
        if bad.any():
            remedy = advice(known, bad, shapes, last_year)
            self.fault(bad & ~found.no_day, expected, remedy)
            self.fault(bad & found.no_day, f"{expected} that exists in the calendar", remedy)
        remedy = "list only one of the formats under `format`, or split the column by source"
        self.fault(found.two_ways, f"{expected}, the same day in both formats", remedy)
        timed = found.timed
        self._changed("time of day after the date left out", timed, text, dates.astype("str"))
        rows = self.column.holds(found.short_year)
        if len(rows):
            rule = f"two-digit years read as {last_year - 99} to {last_year}"
            self.reader.log.note(self.raw, rule, len(rows), self.column.cell(int(rows[0])))
        limit = self.reader.dates
        if limit is not None:
            late = (dates > limit.latest).to_numpy(dtype=bool)
            day = f"{limit.latest:%Y-%m-%d}"
            if limit.refused:
                remedy = "correct the cell, or set `cleaning.future_dates: missing`"
                self.fault(late, f"a date up to {day}", remedy)
            else:
                self._changed(f"date after {day} set to missing", late, text, "")
            dates = dates.mask(late)
        return self._spread(pa.array(dates, pa.timestamp("us"), from_pandas=True))

    def numbers(self, text: pd.Series, absent: Mask, limits: Limits | None) -> Arrays:
        """Return numbers; of suppressed cells also the bounds, where these are read."""
        notation = self.reader.notation(self.spec)
        decimal = notation.decimal
        bounds: Arrays = {}
        if self.spec["suppressed"] != "refuse":
            absent, bounds = self._suppressed(text, absent, decimal, limits)
        known = text.where(~absent)
        numbers = values_of(known, notation, self.held)
        typeset = known.str.startswith(MINUS).fillna(False).to_numpy(bool) & np.isfinite(numbers)
        if typeset.any():
            hyphen = text.str.replace(MINUS, "-", regex=False)
            self._changed("minus sign (U+2212) read as a minus", typeset, text, hyphen)
        bad = ~absent & ~np.isfinite(numbers)
        self._no_numbers(known, bad, decimal)
        numbers[bad] = np.nan
        kind = self.spec["type"]
        if kind in ("integer", "flag"):
            broken = ~np.isnan(numbers) & (numbers != np.round(numbers))
            self.fault(broken, "a whole number", "correct the cell, or read it as `number`")
            numbers[broken] = np.nan
            large = np.abs(numbers) >= EXACT_BELOW
            self.fault(large, "a number below 2^53", "read the column as `identifier`")
            numbers[large] = np.nan
        if kind == "flag":
            odd = ~np.isnan(numbers) & ~np.isin(numbers, [0, 1])
            self.fault(odd, "0 or 1", "correct the cell, or add `codes` to the column")
        self._unclear(numbers, limits)
        return {self.variable: self._numbers(self._within_range(numbers, text, limits)), **bounds}

    def _no_numbers(self, text: pd.Series, bad: Mask, decimal: str) -> None:
        """Refuse texts that are no numbers, with the remedy that loses no data first."""
        if not bad.any():
            return
        known = self._suppression_codes()
        withheld = bad & suppressed(text.where(bad), decimal, known).hidden
        remedy = (
            "if the number was withheld, set `suppressed` of the column to `missing`, or to "
            "`bounds` to keep the range that such cells give"
        )
        self.fault(withheld, "a number", remedy)
        per_cent = bad & text.str.fullmatch(r"[-+]?[\d.,]+\s*%").fillna(False).to_numpy(dtype=bool)
        remedy = "add `percent: true` to the column: a cell shown as 57.2% is then read as 57.2"
        code = self.reader.cells.formats.get(self.raw)
        expected = "a number" + (
            f"; the sheet shows it with the number format {code!r}" if code else ""
        )
        self.fault(per_cent, expected, remedy)
        other = self._in_other_notation(text, bad)
        rows = self.column.holds(bad & ~withheld & ~per_cent & ~other)
        self.reader.fault_rows(self.raw, rows, "a number", self._remedy)

    def _in_other_notation(self, text: pd.Series, bad: Mask) -> Mask:
        """Refuse once a column whose numbers are written otherwise, and return its texts at fault.

        Columns of one file that are written alike have the same fault, which is shown once.
        """
        notation, none = self.reader.notation(self.spec), np.zeros(len(bad), dtype=bool)
        known = text.notna().to_numpy(dtype=bool)
        for decimal, thousands in NOTATIONS:
            found = np.isfinite(
                parsed(text, decimal=decimal, thousands=thousands, percent=notation.percent)
            )
            if (found & bad).sum() < 2 or (found & known).sum() < MOSTLY * known.sum():
                continue
            keys = [f"`decimal: {json.dumps(decimal)}`"] if decimal != notation.decimal else []
            keys += [f"`thousands: {json.dumps(thousands)}`"] * (thousands != notation.thousands)
            own = self.spec["decimal"] is not None or self.spec["thousands"] is not None
            where = "to the column" if own else "below each `file` of that name in the protocol"
            signs = [f"{decimal!r} before the decimals"] if decimal != notation.decimal else []
            signs += [f"{thousands!r} between thousands"] if thousands else []
            self.reader.faults.append(
                Fault(
                    self.reader.log.file,
                    f"its numbers have {' and '.join(signs)}",
                    f"numbers with {notation.decimal!r} before the decimals"
                    + (f" and {notation.thousands!r} between thousands" * bool(notation.thousands)),
                    f"add {' and '.join(keys)} {where}",
                    column=self.raw if own else None,
                )
            )
            self.reader.faulty.setdefault(self.raw, []).append(self.column.holds(bad & found))
            return bad & found
        return none

    def _remedy(self, text: str) -> str:
        """Return what to do with a text that is no number, the likeliest cause first."""
        code = json.dumps(shortened(text), ensure_ascii=False)
        last = "use `missing` only for values that mean 'not observed'"
        school_year = SCHOOL_YEAR.fullmatch(text)
        if school_year and self.variable in ("cohort", "year"):
            ends = int(school_year[1]) + 1
            return (
                f"a school year: give the number by which `years` names it, as in "
                f"`codes: {{{code}: {ends}}}`"
            )
        if self.variable == "cohort":
            return f"if it means never, add `missing: [{code}]` to the column"
        if self.spec["type"] == "flag":
            codes = self._truth_codes() or f"{{{code}: 1}}"
            return f"add `codes: {codes}` to the column, or correct the cell; {last}"
        absent = f"add `missing: [{code}]` to the column if nothing was observed"
        own = f"`suppressed: missing` and `suppression_codes: {{{code}: missing}}`"
        withheld = f"add {own} if a number was withheld"
        decimal = self.reader.notation(self.spec).decimal
        comma = "," if decimal == "." else "."
        if re.fullmatch(rf"[-+]?\d+{re.escape(comma)}\d+", text):
            return (
                f"other cells of the column have {decimal!r} before the decimals, these have "
                f"{comma!r}: write all alike; otherwise {absent}, or {withheld}"
            )
        if MADE_A_DATE.fullmatch(text):
            first = "restore the cell (a spreadsheet turns a range such as 5-9 into a date)"
            return f"{first}; otherwise {absent}, or {withheld}"
        if any(character.isdigit() for character in text):
            return f"correct the cell; otherwise {absent}, or {withheld}"
        return f"{absent}; {withheld}; otherwise correct the cell"

    def _truth_codes(self) -> str:
        """Return codes for every text of a column of truth values; empty if some is another."""
        texts = {str(text).strip() for text in self.column.texts.to_pylist()}
        texts -= {"", *self.reader.missing(self.spec)}
        known = {text: TRUTHS.get(text.casefold()) for text in sorted(texts, reverse=True)}
        if None in known.values():
            return ""
        return json.dumps(known, ensure_ascii=False)

    def _suppression_codes(self) -> SuppressionCodes:
        return {**self.reader.reading["suppression_codes"], **self.spec["suppression_codes"]}

    def _suppressed(
        self, text: pd.Series, absent: Mask, decimal: str, limits: Limits | None
    ) -> tuple[Mask, Arrays]:
        """Set suppressed cells to missing, and return the bounds that they tell."""
        found = suppressed(text.where(~absent), decimal, self._suppression_codes())
        bounded = self.spec["suppressed"] == "bounds"
        for kind in dict.fromkeys(found.kind[found.kind != ""]):
            of_kind = found.kind == kind
            bounds = bounded and bool(found.telling[of_kind].any())
            rule = f"suppressed cell written {kind!r} {'read as bounds' if bounds else MISSING}"
            self._changed(rule, of_kind, text, "")
        if not bounded:
            return absent | found.hidden, {}
        least, most = self.spec["range"] or ((limits.low, limits.high) if limits else (np.nan,) * 2)
        beyond = found.beyond(least, most)
        remedy = "correct the cell, or the `range` of the column or outcome (0 to 1 or 0 to 100)"
        self.fault(beyond, f"bounds from {exact(least)} to {exact(most)}", remedy)
        low, high = found.within(least, most)
        return absent | found.hidden, {
            f"{self.variable}_{end}": self._spread(pa.array(values, from_pandas=True))
            for end, values in (("low", low), ("high", high))
        }

    def _within_range(
        self, numbers: npt.NDArray[np.float64], text: pd.Series, limits: Limits | None
    ) -> npt.NDArray[np.float64]:
        if self.spec["range"] is not None:
            low, high = self.spec["range"]
            outside = (numbers < low) | (numbers > high)
            if self.spec["out_of_range"] == "refuse":
                expected = f"a value from {exact(low)} to {exact(high)}"
                remedy = "correct the cell, or set `out_of_range: missing` for the column"
                self.fault(outside, expected, remedy)
            else:
                rule = f"value outside {exact(low)} to {exact(high)} set to missing"
                self._changed(rule, outside, text, "")
            numbers[outside] = np.nan
        if limits is not None:
            outside = (numbers < limits.low) | (numbers > limits.high)
            if limits.refused:
                self.fault(outside, *out_of_range(limits))
            else:
                self._changed(out_of_range_rule(limits), outside, text, "")
            numbers[outside] = np.nan
        return numbers

    def _numbers(self, numbers: npt.NDArray[np.float64]) -> pa.Array:
        values = pa.array(numbers, from_pandas=True)
        return self._spread(values.cast(pa.int64()) if self.spec["type"] == "integer" else values)

    def _spread(self, values: pa.Array) -> pa.Array:
        """Return the value of each row, held once for each distinct text."""
        return pa.DictionaryArray.from_arrays(pa.array(self.column.row_numbers()), values)

    def _texts(self, named: pd.Series, levels: list[str] | None = None) -> pa.Array:
        """Return the text of each row, encoded by its level."""
        if levels is None:
            numbers, distinct = pd.factorize(named.to_numpy(dtype=object))
            levels = [str(level) for level in distinct]
        else:
            numbers = pd.Index(levels, dtype=object).get_indexer(named.to_numpy(dtype=object))
        of_rows = numbers.astype(np.int32)[self.column.row_numbers()]
        absent = of_rows < 0 if bool((numbers < 0).any()) else None
        return pa.DictionaryArray.from_arrays(
            pa.array(of_rows, mask=absent), pa.array(levels, pa.string())
        )

    def fault(
        self, where: Mask, expected: str, remedy: str | Callable[[str], str], found: str = ""
    ) -> None:
        """Collect a fault for the rows that hold some of the texts."""
        if where.any():
            self.reader.fault_rows(self.raw, self.column.holds(where), expected, remedy, found)

    def _changed(
        self, rule: str, where: Mask | pd.Series, before: pd.Series, after: pd.Series | str
    ) -> None:
        marked = np.asarray(where, dtype=bool)
        if not marked.any():
            return
        if self.values is not None:
            before = self.values.shown(before)  # as the file holds them
        rows = self.column.holds(marked)
        numbers = pa.array(self.column.row_numbers()[rows])
        was, became = (
            text if isinstance(text, str)
            else pa.DictionaryArray.from_arrays(numbers, pa.array(text, pa.string()))
            for text in (before, after)
        )  # fmt: skip
        self.reader.log.cells(self.raw, rule, self.reader.cells.line(rows), was, became)


def _remedy_of_code(text: str, codes: Sequence[str]) -> str:
    """Return how a text that is no code of the protocol comes to be one, likeliest first."""
    same = next((code for code in codes if code.casefold() == text.casefold()), None)
    if same is not None:
        return (
            f"did you mean {same!r}? Add `ignore_case: true` to the column: capital and small "
            "letters are then alike"
        )
    names = [code for code in codes if not code.isdigit()]  # 11 is no slip of 1
    close = get_close_matches(text, names, n=1, cutoff=CLOSE_CODE)
    meant = f"did you mean {close[0]!r}? Then " if close else ""
    return f"{meant}correct the cell, or add the code to the protocol"


def out_of_range(limits: Limits) -> tuple[str, str]:
    """Return what is expected of a score, and the remedy."""
    expected = f"a score of {limits.outcome!r} from {exact(limits.low)} to {exact(limits.high)}"
    return expected, "correct the cell, or set `out_of_range: missing` for the outcome"


def out_of_range_rule(limits: Limits) -> str:
    """Return how the log calls a score that is out of its range."""
    return f"{limits.outcome} outside {exact(limits.low)} to {exact(limits.high)} set to missing"


def shortened(text: str) -> str:
    """Return a text that fits into a message."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
