"""Compare the readings of a protocol with the needs of its standard tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from schooltrial.protocol.consistency.declared_names import Names
from schooltrial.protocol.consistency.filter_references import filter_faults
from schooltrial.protocol.content.column_map import (
    NUMBERS,
    Column,
    JoinedFile,
    KeyedFile,
    RawFile,
    Reading,
    all_columns,
    carries_year,
    formats_of,
    names_of_columns,
    parts_of,
)
from schooltrial.protocol.content.date_format import EXAMPLE, suggestion, why_not
from schooltrial.protocol.content.levels import CLASSES
from schooltrial.protocol.content.sections import Content, Design, Outcome
from schooltrial.protocol.content.variables import NAMING, NEEDED, YEARS
from schooltrial.refusal import Fault

MEASURED = ("scores", "observations", "school_scores", "published_means")
"""Tables that hold an outcome and its value on each row, or outcomes in columns of their own."""


RULES = ("refuse", "drop_all")
"""Words of `duplicate_keys` that name no variable."""


COUNTED = ("value", "n_pupils", "quantity", "unit_cost")
"""Variables of standard tables that are numbers, wherever they stand; so are outcomes."""


def table_faults(content: Content, names: Names) -> Iterator[Fault]:
    """Yield what a reading lacks to fill its table, and columns that cannot be read so."""
    for table, readings in content["tables"].items():
        for at, reading in enumerate(readings):
            place = f"tables.{table}.{at}"
            yield from _lacking(place, table, reading, content["design"], names)
            yield from _reading_faults(place, table, reading, names)
            for part, columns in (
                ("columns", reading["columns"]),
                ("outcomes", reading["outcomes"]),
            ):
                for variable, spec in columns.items():
                    where = f"{place}.{part}.{variable}"
                    yield from _column_faults(where, spec, names)
                    if part == "outcomes" or variable in COUNTED:
                        yield from _number_faults(where, spec, names)
                    yield from _clash_faults(where, spec, reading["missing"], names)
                    yield from _notation_faults(where, spec, reading, names)
                    yield from _bounds_faults(where, variable, spec, content["outcomes"], names)
        yield from _type_faults(f"tables.{table}", readings, names)


def _lacking(
    place: str, table: str, reading: Reading, design: Design, names: Names
) -> Iterator[Fault]:
    needed = list(NEEDED[table])
    if table == "assignment":
        needed.insert(0, design["unit"])
        needed += ["block"] if design["kind"] in ("blocked", "paired") else []
        needed += ["cohort"] if design["kind"] == "staggered" else []
    if table == "pupils":
        needed += ["school"] if design["schools"] is not False else []
        needed += [design["unit"]] if design["unit"] in CLASSES else []
    if table in MEASURED and not reading["outcomes"]:
        needed += ["outcome", "value"]
    there = [name for name, _ in all_columns(reading)]
    there += ["year"] if carries_year(reading) else []
    for variable in [name for name in needed if name not in there]:
        yield Fault(
            names.shown, f"{place} has no {variable!r}", "columns for " + ", ".join(needed),
            f"add {variable!r} to its `columns`", column=f"{place}.columns",
        )  # fmt: skip


def _reading_faults(place: str, table: str, reading: Reading, names: Names) -> Iterator[Fault]:
    yield from _file_faults(place, reading, names)
    for outcome in reading["outcomes"]:
        yield from names.check(f"{place}.outcomes", outcome, "outcome", names.outcomes)
    if reading["year"] is not None:
        yield from names.check(f"{place}.year", reading["year"], "year", names.years)
        if "{year}" in reading["file"]:
            yield Fault(
                names.shown, f"{place} has both `year: {reading['year']}` and {{year}} in its file "
                "name",
                "one source of the year", "delete one of the two", column=f"{place}.year",
            )  # fmt: skip
    given = {**dict(all_columns(reading)), **reading["outcomes"]}
    yield from _row_faults(place, reading, given, names)
    if reading["outcomes"] and table not in MEASURED:
        yield Fault(
            names.shown, f"{place} reads outcomes, but {table} holds none",
            "`outcomes` under " + ", ".join(MEASURED), "move them there, or read them as columns",
            column=f"{place}.outcomes",
        )  # fmt: skip
    yield from _repeat_faults(place, reading, list(given), names)
    if reading["duplicate_keys"] == "drop_all" and table == "assignment":
        yield Fault(
            names.shown, f"{place} drops units that are in the allocation list twice",
            "each unit once, as it was randomised",
            "correct the allocation list, or ask who keeps it (a unit left out of it would count "
            "as never randomised)", column=f"{place}.duplicate_keys",
        )  # fmt: skip
    before: dict[str, Column] = dict(reading["columns"])
    for at, joined in enumerate(reading["join"]):
        yield from _join_faults(f"{place}.join.{at}", reading, before, joined, names)
        before |= joined["columns"]


def _row_faults(
    place: str, file: KeyedFile, known: Mapping[str, Column], names: Names
) -> Iterator[Fault]:
    """Yield what `keep_if_any` and `where` name, but the file does not read."""
    for variable in file["keep_if_any"]:
        yield from names.check(
            f"{place}.keep_if_any", variable, "variable that is read there", list(known)
        )
    variables = [*known, *(["year"] if carries_year(file) else [])]
    of_reading = replace(names, columns=known, numbers=[])
    yield from filter_faults(of_reading, f"{place}.where", file["where"], variables)


def _repeat_faults(
    place: str, file: KeyedFile, known: Sequence[str], names: Names
) -> Iterator[Fault]:
    """Yield a rule for rows that share a key which names nothing that is read."""
    rule = file["duplicate_keys"]
    by = rule["by"] if isinstance(rule, dict) else rule if rule not in RULES else None
    if by is not None:
        yield from names.check(f"{place}.duplicate_keys", by, "variable that is read there", known)
    elif isinstance(rule, dict) and rule["keep"] in ("largest", "smallest"):
        yield Fault(
            names.shown, f"{place}.duplicate_keys has `keep: {rule['keep']}` but no `by`",
            "a variable that is read there", "add `by: <variable>`",
            column=f"{place}.duplicate_keys",
        )  # fmt: skip


def _join_faults(
    place: str,
    reading: Reading,
    main: Mapping[str, Column],
    joined: JoinedFile,
    names: Names,
) -> Iterator[Fault]:
    """Yield what a joined file lacks; `main` is what the file and those joined before it give."""
    yield from _file_faults(place, joined, names)
    for part, there, file in (("this", main, reading), ("the joined", joined["columns"], joined)):
        known = [*there, *(["year"] if carries_year(file) else [])]
        for variable in joined["on"]:
            kind = f"variable that {part} file reads"
            yield from names.check(f"{place}.on", variable, kind, known)
    by_year = "year" in joined["on"]
    if "{year}" in joined["file"] and not carries_year(reading) and not by_year:
        yield Fault(
            names.shown, f"{place} has a file per year, but there is one main file for all years",
            "`{year}` in the names of both files, or rows that are matched by year",
            "write `on: [..., year]`, or name one file", column=f"{place}.file",
        )  # fmt: skip
    if joined["year"] is not None:
        yield from names.check(f"{place}.year", joined["year"], "year", names.years)
        if "{year}" in joined["file"] or not by_year:
            yield Fault(
                names.shown, f"{place} has the year {joined['year']}, which has no effect",
                "`year` only where the file name has no `{year}` and rows are matched by year",
                "add `year` to `on`, or delete `year`", column=f"{place}.year",
            )  # fmt: skip
    yield from _row_faults(place, joined, joined["columns"], names)
    yield from _repeat_faults(place, joined, list(joined["columns"]), names)
    for variable in joined["fill"]:
        yield from _fill_faults(place, variable, main, joined, names)
    for variable, spec in joined["columns"].items():
        yield from _column_faults(f"{place}.columns.{variable}", spec, names)
        yield from _clash_faults(f"{place}.columns.{variable}", spec, joined["missing"], names)
        yield from _notation_faults(f"{place}.columns.{variable}", spec, joined, names)
        if variable in main and variable not in [*joined["on"], *joined["fill"]]:
            yield Fault(
                names.shown, f"{place} reads {variable!r}, which the main file also reads",
                "each variable from one file, or `fill`",
                f"write `fill: [{variable}]` to fill in where the main file has no value; or "
                "rename one; or match rows by it (`on`)",
                column=f"{place}.columns.{variable}",
            )  # fmt: skip


def _file_faults(place: str, file: RawFile, names: Names) -> Iterator[Fault]:
    """Yield keys of a file that would not act on a file of its kind, or lines out of order."""
    lines = file["header_row"]
    if isinstance(lines, list) and lines != sorted(set(lines)):
        yield Fault(
            names.shown, f"{place} has the header lines {lines}",
            "increasing line numbers",
            f"write `header_row: {sorted(set(lines))}`", column=f"{place}.header_row",
        )  # fmt: skip
    ending = next((end for end in TYPED_FILES if file["file"].lower().endswith(end)), None)
    if ending and file["notes_below"]:
        yield Fault(
            names.shown, f"{place} has `notes_below`, but {ending} files cannot have notes",
            "`notes_below` of a text file or a workbook", "delete it",
            column=f"{place}.notes_below",
        )  # fmt: skip
    if ending and file["header_row"] != 1:
        yield Fault(
            names.shown, f"{place} has `header_row`, but {ending} files store their column names",
            "`header_row` of a text file or a workbook", "delete it",
            column=f"{place}.header_row",
        )  # fmt: skip
    if file["value_labels"] and not file["file"].lower().endswith(LABELLED_FILES):
        yield Fault(
            names.shown, f"{place} has `value_labels`, but its file has no value labels",
            "`value_labels` of " + ", ".join(LABELLED_FILES), "delete it",
            column=f"{place}.value_labels",
        )  # fmt: skip


TYPED_FILES = (".dta", ".sav", ".zsav", ".por", ".sas7bdat", ".xpt", ".parquet")
"""Endings of files that know the names and types of their columns."""


LABELLED_FILES = (".dta", ".sav", ".zsav", ".por")
"""Endings of files whose values can have labels."""


def _fill_faults(
    place: str, variable: str, main: Mapping[str, Column], joined: JoinedFile, names: Names
) -> Iterator[Fault]:
    """Yield a variable that is to be filled, but that one of the files does not read."""
    for part, there in (("the main", main), ("the joined", joined["columns"])):
        kind = f"variable that {part} file reads"
        yield from names.check(f"{place}.fill", variable, kind, list(there))
    if variable in joined["on"]:
        yield Fault(
            names.shown, f"{place} fills {variable!r}, but rows are matched by it",
            "a variable that is not in `on`", "delete it from `fill`", column=f"{place}.fill",
        )  # fmt: skip


def _column_faults(where: str, spec: Column, names: Names) -> Iterator[Fault]:
    yield from _source_faults(where, spec, names)
    yield from _naming_faults(where, spec, names)
    yield from range_faults(where, spec["range"], names)
    for year in spec["placeholder_years"]:
        yield from names.check(f"{where}.placeholder_years", year, "year", names.years)
    number = spec["type"] in NUMBERS
    identifier = spec["type"] == "identifier"
    for key, given, fits, needed in (
        ("range", spec["range"], number, "integer or number"),
        ("percent", spec["percent"], number, "integer or number"),
        ("decimal", spec["decimal"], number, "integer or number"),
        ("thousands", spec["thousands"], number, "integer or number"),
        ("width", spec["width"], identifier, "identifier"),
        ("pad", spec["pad"], identifier, "identifier"),
        ("parts", spec["parts"], identifier, "identifier"),
        ("written_as_decimals", spec["written_as_decimals"], identifier, "identifier"),
        ("respell", spec["respell"], identifier, "identifier"),
        ("without", spec["without"], identifier, "identifier"),
        ("letters", spec["letters"], identifier, "identifier"),
    ):
        if given not in (None, False, [], {}) and not fits:
            yield Fault(
                names.shown, f"{where} has a {key}, but is read as {spec['type']}",
                f"`{key}` for a column of type {needed}", f"set `type`, or remove `{key}`",
                column=f"{where}.{key}",
            )  # fmt: skip
    for shape in formats_of(spec) if spec["type"] == "date" else []:
        why = why_not(shape)
        if why is not None:
            yield Fault(
                names.shown, f"{where} has the format {shape!r}, which is not a date format: {why}",
                f"a format such as {EXAMPLE}", suggestion(shape), column=f"{where}.format",
            )  # fmt: skip
    if spec["pad"] and spec["width"] is None:
        yield Fault(
            names.shown, f"{where} has `pad: true` but no `width`", "`width`",
            "add `width: <number of characters>`", column=f"{where}.pad",
        )  # fmt: skip
    texts = [value for value in spec["codes"].values() if isinstance(value, str)]
    if number and texts:
        yield Fault(
            names.shown, f"{where} has the code value {texts[0]!r}, but is read as {spec['type']}",
            "codes with numbers as values", "set `type: category`, or use numbers as values",
            column=f"{where}.codes",
        )  # fmt: skip
    odd = [value for value in spec["codes"].values() if value not in texts and value not in (0, 1)]
    if spec["type"] == "flag" and odd:
        yield Fault(
            names.shown, f"{where} has the code value {odd[0]!r}, but is read as flag",
            "codes with the values 0 and 1", "use the values 0 and 1, or set `type: number`",
            column=f"{where}.codes",
        )  # fmt: skip


def _naming_faults(where: str, spec: Column, names: Names) -> Iterator[Fault]:
    """Yield a variable that names somebody, or a school, and is read as something else."""
    variable = where.rsplit(".", 1)[1]
    of_outcome = ".outcomes." in where  # a name that is taken, which has a fault of its own
    if variable in NAMING and not of_outcome and spec["type"] not in ("identifier", "category"):
        yield Fault(
            names.shown, f"{where} is read as {spec['type']}", f"{variable!r} as an identifier",
            f"remove `type: {spec['type']}`: identifiers are read as written, with leading zeros",
            column=f"{where}.type",
        )  # fmt: skip
    if variable in YEARS and spec["type"] not in ("identifier", "integer", "number"):
        yield Fault(
            names.shown, f"{where} is read as {spec['type']}", f"{variable!r} as a year",
            "set `type: integer`, or rename the variable if it is not a year",
            column=f"{where}.type",
        )  # fmt: skip


def _source_faults(where: str, spec: Column, names: Names) -> Iterator[Fault]:
    """Yield a variable that is read from no column, from both one and its parts, or one part."""
    source = names_of_columns(spec)
    if spec["position"] is not None and (spec["parts"] or source):
        other = "parts" if spec["parts"] else "column"
        yield Fault(
            names.shown, f"{where} has both `{other}` and `position`", "one of the two",
            "remove `position`, or delete `column` to read it by its number",
            column=f"{where}.position",
        )  # fmt: skip
    elif spec["parts"] and source:
        yield Fault(
            names.shown, f"{where} has both `column` and `parts`", "one of the two",
            "remove `column`: the parts make up the identifier", column=f"{where}.parts",
        )  # fmt: skip
    elif len(spec["parts"]) == 1:
        yield Fault(
            names.shown, f"{where} has a single part", "two or more parts",
            "use `column` instead of `parts`", column=f"{where}.parts",
        )  # fmt: skip
    elif not spec["parts"] and not source and spec["position"] is None:
        yield Fault(
            names.shown, f"the key 'column' is missing in {where}",
            "the name of a column of the raw file",
            "add `column: <name in the file>`, or its number in the file: `position: 3`",
            column=f"{where}.column",
        )  # fmt: skip
    wide = [part["column"] for part in parts_of(spec) if part["pad"] and part["width"] is None]
    for column in wide:
        yield Fault(
            names.shown, f"the part {column!r} of {where} has `pad: true` but no `width`",
            "`width`", "add `width: <number of characters>` to the part", column=f"{where}.parts",
        )  # fmt: skip
    if spec["parts"] and spec["codes"]:
        yield Fault(
            names.shown, f"{where} has both `parts` and `codes`", "an identifier as it is written",
            "remove `codes`", column=f"{where}.codes",
        )  # fmt: skip
    if spec["out_of_range"] == "missing" and spec["range"] is None:
        yield Fault(
            names.shown, f"{where} has `out_of_range: missing` but no `range`",
            "`range`", "add `range: [least, greatest]`", column=f"{where}.out_of_range",
        )  # fmt: skip


def _number_faults(where: str, spec: Column, names: Names) -> Iterator[Fault]:
    if spec["type"] not in NUMBERS:
        yield Fault(
            names.shown, f"{where} is read as {spec['type']}", "integer, number or flag",
            "set `type: number`", column=f"{where}.type",
        )  # fmt: skip


def range_faults(where: str, limits: Sequence[float] | None, names: Names) -> Iterator[Fault]:
    """Yield a fault where nothing, or one value alone, lies between the ends of a range."""
    if limits is not None and not limits[0] < limits[1]:
        yield Fault(
            names.shown, f"{where} has the range {limits[0]} to {limits[1]}",
            "the least value, then a greater one", "correct the range", column=f"{where}.range",
        )  # fmt: skip


def _clash_faults(
    where: str, spec: Column, file_missing: Sequence[str], names: Names
) -> Iterator[Fault]:
    """Yield texts that have a code and yet mean that nothing was observed."""
    folded = str.casefold if spec["ignore_case"] else str
    # An empty cell with a code is no missing one; the file's own list has it by default.
    of_file = [text for text in file_missing if text]
    missing = {folded(text) for text in [*of_file, *spec["missing"]]}
    for text in [text for text in spec["codes"] if folded(text) in missing]:
        yield Fault(
            names.shown, f"{where} has a code for {text!r}, which is also listed in `missing`",
            "each text either coded or missing",
            "delete it from `codes` or from `missing` (of the file, or of the column)",
            column=f"{where}.codes",
        )  # fmt: skip


def _notation_faults(where: str, spec: Column, file: RawFile, names: Names) -> Iterator[Fault]:
    """Yield a column of numbers in which one mark would be both a decimal and a separator."""
    decimal = file["decimal"] if spec["decimal"] is None else spec["decimal"]
    thousands = file["thousands"] if spec["thousands"] is None else spec["thousands"]
    if spec["type"] in NUMBERS and not spec["codes"] and decimal == thousands:
        yield Fault(
            names.shown, f"{where} uses {decimal!r} both as decimal mark and as thousands "
            "separator", "two different marks", "set both `decimal` and `thousands`",
            column=f"{where}.thousands",
        )  # fmt: skip


def _bounds_faults(
    where: str, variable: str, spec: Column, outcomes: Mapping[str, Outcome], names: Names
) -> Iterator[Fault]:
    """Yield a fault where suppressed cells are read as bounds, but an open end has no range."""
    for text, meant in spec["suppression_codes"].items():
        if not isinstance(meant, str) and not meant[0] <= meant[1]:
            yield Fault(
                names.shown, f"{where} reads {text!r} as {meant[0]} to {meant[1]}",
                "the least value, then the greatest", "correct the two numbers",
                column=f"{where}.suppression_codes",
            )  # fmt: skip
    if spec["suppressed"] == "refuse" and spec["suppression_codes"]:
        yield Fault(
            names.shown, f"{where} has `suppression_codes` with `suppressed: refuse`",
            "`suppressed: missing` or `suppressed: bounds`", "add `suppressed: missing`",
            column=f"{where}.suppressed",
        )  # fmt: skip
    if spec["suppressed"] == "refuse":
        return
    if spec["type"] not in NUMBERS or spec["codes"]:
        yield Fault(
            names.shown, f"{where} has `suppressed`, but is not a numeric column without codes",
            "a number without codes", "set `type: number`, or delete `suppressed`",
            column=f"{where}.suppressed",
        )  # fmt: skip
    if spec["suppressed"] != "bounds" or spec["range"] is not None:
        return
    of = [variable] if variable in outcomes else list(outcomes) if variable == "value" else []
    if not of or any(outcomes[name]["range"] is None for name in of):
        yield Fault(
            names.shown, f"{where} reads suppressed cells as bounds, but `≥95` has no upper end",
            "a range of the column, or of its outcomes", "add `range`",
            column=f"{where}.suppressed",
        )  # fmt: skip


def _type_faults(place: str, readings: Sequence[Reading], names: Names) -> Iterator[Fault]:
    """Yield variables that one file of a table reads as something else than another."""
    known: dict[str, str] = {}
    for at, reading in enumerate(readings):
        for variable, spec in all_columns(reading):
            kind = known.setdefault(variable, spec["type"])
            if {kind, spec["type"]} <= {"number", "flag"} or kind == spec["type"]:
                continue
            yield Fault(
                names.shown, f"{variable!r} is read as {spec['type']} here and as {kind} in "
                "another file",
                "the same type in all files of a table", "set the same `type` in both",
                column=f"{place}.{at}.columns.{variable}",
            )  # fmt: skip
