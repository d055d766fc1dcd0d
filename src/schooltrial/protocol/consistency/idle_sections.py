"""Keys outside models that other keys, or tables that are not read, leave without any effect.

What is planned and whose table may still come (costs, components of the programme) is no such key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from schooltrial.protocol.consistency.parallel_trends import rests_on_trends
from schooltrial.protocol.content.column_map import all_columns
from schooltrial.protocol.content.sections import Content, Outcome
from schooltrial.protocol.content.variables import STANDARD_VARIABLES
from schooltrial.refusal import Fault

WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb")
TYPED = (".dta", ".sav", ".zsav", ".por", ".sas7bdat", ".xpt", ".parquet")

KEEPING = {"repeated_grade": "keep", "grade_out_of_step": "keep", "merged_schools": "before"}
"""Keys of `cleaning` with the values that change no row: true of every study."""

MADE = ("year", "school", "block", "arm", "cluster", "n_pupils")
"""Names that the pipeline makes."""


@dataclass(frozen=True)
class _Given:
    """A protocol, completed, and as it is written.

    Attributes
    ----------
    content : Content
        All defaults filled.
    written : mapping
        The keys that the file has.
    shown : str
        How messages name the file.
    """

    content: Content
    written: Mapping[str, Any]
    shown: str

    def has(self, section: str, key: str) -> bool:
        """Return whether the file has a key of a section."""
        return key in (self.written.get(section) or {})

    def reads(self, table: str, variable: str) -> bool:
        """Return whether any file of a table reads a variable."""
        readings = self.content["tables"].get(table, [])
        return any(name == variable for one in readings for name, _ in all_columns(one))

    def fault(self, place: str, found: str, expected: str, remedy: str) -> Fault:
        return Fault(self.shown, f"`{place}` {found}", expected, remedy, column=place)


def idle_section_faults(
    content: Content, written: Mapping[str, Any], shown: str
) -> Iterator[Fault]:
    """Yield keys outside models that can do nothing, with what would make them act.

    Parameters
    ----------
    content : Content
        The protocol, completed.
    written : mapping
        The protocol as it is written, its keys by today's names.
    shown : str
        How messages name the protocol.
    """
    given = _Given(content, written, shown)
    for part in (
        _of_cleaning, _of_outcomes, _of_subgroups, _of_years, _of_take_up, _of_raw_files,
        _of_labels, _of_randomisation, _of_readings, _of_balance,
        _of_parallel_trends,
    ):  # fmt: skip
        yield from part(given)


def _of_cleaning(given: _Given) -> Iterator[Fault]:
    tables = given.content["tables"]
    cleaning: Mapping[str, Any] = {**given.content["cleaning"]}
    grade = given.reads("pupils", "grade")
    entered = given.reads("pupils", "entered") or given.reads("teachers", "entered")
    for key, acts, lacking, remedy in (
        ("repeated_grade", grade, "the table of pupils has no column `grade`",
         "add `grade: {column: …, type: integer}` to the columns of `tables.pupils`, or delete the "
         "key"),
        ("grade_out_of_step", grade, "the table of pupils has no column `grade`",
         "add `grade: {column: …, type: integer}` to the columns of `tables.pupils`, or delete the "
         "key"),
        ("assigned_on", entered, "the table of pupils has no column `entered` (date of enrolment)",
         "add `entered: {column: …, type: date}` to the columns of `tables.pupils`, or delete the "
         "key"),
        ("future_dates", bool(cleaning["latest_date"]), "`latest_date` is not given",
         "add `latest_date: YYYY-MM-DD`, or delete the key"),
        ("merged_schools", "crosswalk" in tables, "the table `crosswalk` is not read",
         "add `tables.crosswalk`, or delete the key"),
        ("mean_tolerance", "published_means" in tables, "the table `published_means` is not read",
         "add `tables.published_means`, or delete the key"),
    ):  # fmt: skip
        harmless = key in KEEPING and cleaning[key] == KEEPING[key]
        if given.has("cleaning", key) and not acts and not harmless:
            yield given.fault(f"cleaning.{key}", f"has no effect: {lacking}",
                              "a key with an effect", remedy)  # fmt: skip
    shares = cleaning["match_at_least"]
    for table in shares if isinstance(shares, dict) else ():
        if table not in tables:
            yield given.fault(
                f"cleaning.match_at_least.{table}",
                f"has no effect: the table `{table}` is not read",
                "tables that are read", f"delete it, or add `tables.{table}`",
            )  # fmt: skip


def _of_outcomes(given: _Given) -> Iterator[Fault]:
    for name, outcome in given.content["outcomes"].items():
        place = f"outcomes.{name}"
        own = given.written["outcomes"][name]
        if "out_of_range" in own and outcome["range"] is None:
            yield given.fault(
                f"{place}.out_of_range", "has no effect: the outcome has no `range`",
                "`out_of_range` with a `range`", "add `range: [least, greatest]`, or delete it",
            )  # fmt: skip
        if outcome["norms"] and outcome["standardise"] != "norms":
            yield given.fault(
                f"{place}.norms", f"have no effect with `standardise: {outcome['standardise']}`",
                "`standardise: norms`", "set `standardise: norms`, or remove `norms`",
            )  # fmt: skip
        if outcome["standardise"] == "norms" and not outcome["norms"]:
            yield given.fault(
                f"{place}.standardise", "is `norms`, and the outcome has none",
                "mean and SD of the norm group",
                "add `norms: [{mean: 100, sd: 15}]`, or set `standardise: control`",
            )  # fmt: skip
        if outcome["months_of_progress"]:
            yield from _of_months(given, f"{place}.months_of_progress", outcome)


def _of_months(given: _Given, place: str, outcome: Outcome) -> Iterator[Fault]:
    """Yield why an effect cannot be given in months: the table is of pupils' attainment in SDs."""
    whose, scale = outcome["measured_on"], outcome["scale"]
    for wrong, found, remedy in (
        (whose != "pupil", f"has no meaning for an outcome of {whose}s", "remove it"),
        (scale == "binary", "has no meaning for a yes/no outcome", "remove it"),
        (scale != "binary" and outcome["standardise"] == "none",
         "has no meaning for an outcome that is not in standard deviations",
         "add `standardise: control`, or remove it"),
        (not outcome["primary"], "has no effect: the outcome is not primary",
         "add `primary: true`, or remove it"),
    ):  # fmt: skip
        if wrong:
            yield given.fault(
                place, found, "months of a primary, standardised attainment outcome of pupils",
                remedy,
            )  # fmt: skip


def _of_subgroups(given: _Given) -> Iterator[Fault]:
    models = given.content["models"]
    named = {name for model in models.values() for name in model["subgroups"]}
    first = next(iter(models), "itt")
    for name in given.content["subgroups"]:
        if name not in named:
            yield given.fault(
                f"subgroups.{name}", "has no effect: no model names it",
                "a subgroup that a model names",
                f"name it in a model (`models: {{{first}: {{subgroups: [{name}]}}}}`), or delete "
                "it",
            )  # fmt: skip


def _of_years(given: _Given) -> Iterator[Fault]:
    estimators = {model["estimator"] for model in given.content["models"].values()}
    named = given.content["years"]["reference"] is not None
    if named and "difference_in_differences" not in estimators:
        yield given.fault(
            "years.reference", "has no effect: no model has an event study",
            "a model of `difference_in_differences`",
            "delete it, or add such a model (staggered_adoption uses the last year before each "
            "cohort began)",
        )  # fmt: skip
    if given.content["years"]["lasts"] is not None and "staggered_adoption" not in estimators:
        yield given.fault(
            "years.lasts", "has no effect: no model compares cohorts",
            "a model of `staggered_adoption`",
            "delete it, or add such a model (where all schools began together, `years.programme` "
            "and `years.follow_up` give the duration)",
        )  # fmt: skip


def _of_take_up(given: _Given) -> Iterator[Fault]:
    if given.has("take_up", "label") and not given.content["take_up"]["variable"]:
        yield given.fault(
            "take_up.label", "has no effect: `take_up.variable` is not given",
            "the variable with this label", "add `take_up: {variable: …}`, or delete it",
        )  # fmt: skip


def _of_raw_files(given: _Given) -> Iterator[Fault]:
    if "raw_folder" in given.written and "simulation" in given.content:
        yield given.fault(
            "raw_folder", "has no effect: a simulated study writes its own raw files",
            "`raw_folder` or `simulation`",
            "remove `raw_folder`; or, to read files, remove `simulation`",
        )  # fmt: skip


def _of_labels(given: _Given) -> Iterator[Fault]:
    content = given.content
    read = {
        name
        for readings in content["tables"].values()
        for reading in readings
        for name in [*(name for name, _ in all_columns(reading)), *reading["outcomes"]]
    }
    baselines = {
        f"{name}_before{part}"
        for name, outcome in content["outcomes"].items()
        if outcome["baseline_year"] is not None
        for part in ("", "_missing", "_school")
    }
    standard = {one.name for variables in STANDARD_VARIABLES.values() for one in variables}
    named = {*read, *content["variables"], *content["outcomes"], *baselines}
    for variable in content["variable_labels"]:
        if variable not in {*named, *standard, *MADE}:
            close = get_close_matches(variable, sorted(named), n=1, cutoff=0.6)
            yield given.fault(
                f"variable_labels.{variable}", "has no effect: the protocol has no such variable",
                "one of " + ", ".join(sorted(named)),
                f"did you mean {close[0]!r}?" if close else "correct the name, or delete it",
            )  # fmt: skip


def _of_randomisation(given: _Given) -> Iterator[Fault]:
    draw = given.content["design"]["randomisation"]
    if draw["signing_key"] and not draw["record"] and not draw["eligible_list"]:
        yield given.fault(
            "design.randomisation.signing_key", "has no effect: `record` is not given",
            "a randomisation record", "add `record: <file>.json`, or delete it",
        )  # fmt: skip


def _of_readings(given: _Given) -> Iterator[Fault]:
    for table, readings in given.content["tables"].items():
        for at, reading in enumerate(readings):
            place, own = f"tables.{table}.{at}", given.written["tables"][table][at]
            yield from _of_file(given, place, reading["file"], own)
            parts = {"columns": reading["columns"], "outcomes": reading["outcomes"]}
            for part, columns in parts.items():
                for name, spec in columns.items():
                    yield from _of_column(
                        given, f"{place}.{part}.{name}", spec["type"], own[part][name]
                    )
            for number, joined in enumerate(reading["join"]):
                below, written = f"{place}.join.{number}", own["join"][number]
                yield from _of_file(given, below, joined["file"], written)
                for name, spec in joined["columns"].items():
                    yield from _of_column(
                        given, f"{below}.columns.{name}", spec["type"], written["columns"][name]
                    )


def _of_file(given: _Given, place: str, file: str, own: Mapping[str, Any]) -> Iterator[Fault]:
    name = file.lower()
    workbook, typed = name.endswith(WORKBOOKS), name.endswith(TYPED)
    for key, acts, expected in (
        ("sheet", workbook, "`sheet` of a workbook"),
        ("delimiter", not workbook and not typed, "`delimiter` of a text file"),
        ("encoding", not workbook and not typed, "`encoding` of a text file"),
    ):
        if own.get(key) is not None and not acts:
            yield given.fault(
                f"{place}.{key}", f"has no effect on {file!r}, which is "
                + ("a workbook" if workbook else "a file with typed columns" if typed
                   else "a text file"),
                expected, "delete it, or correct the name of the file",
            )  # fmt: skip


def _of_column(given: _Given, place: str, kind: str, own: Mapping[str, Any]) -> Iterator[Fault]:
    if "format" in own and kind != "date":
        yield given.fault(
            f"{place}.format", f"has no effect: the column is read as {kind}",
            "`format` of a date", "set `type: date`, or delete it",
        )  # fmt: skip
    if "between" in own and not own.get("parts"):
        yield given.fault(
            f"{place}.between", "has no effect: the identifier has no `parts`",
            "`between` with `parts`", "name the columns under `parts`, or delete it",
        )  # fmt: skip


def _of_balance(given: _Given) -> Iterator[Fault]:
    balance, outcomes = given.content["balance"], given.content["outcomes"]
    for level, table, names in (
        ("pupil", "pupils", balance["pupil_variables"]),
        ("teacher", "teachers", balance["teacher_variables"]),
    ):
        place = f"balance.{level}_variables"
        if names and table not in given.content["tables"]:
            yield given.fault(
                place, f"has no effect: the table `{table}` is not read", f"a table of {table}",
                f"add `tables.{table}`; or move variables of schools to `balance.school_variables`",
            )  # fmt: skip
            continue
        for name in names:
            measured = outcomes[name]["measured_on"] if name in outcomes else level
            if measured != level:
                yield given.fault(
                    place, f"names {name!r}, an outcome of {measured}s: no {level} has it",
                    f"variables and outcomes of {level}s",
                    f"move it to `balance.{measured}_variables`",
                )  # fmt: skip


def _of_parallel_trends(given: _Given) -> Iterator[Fault]:
    if given.has("checks", "parallel_trends") and not rests_on_trends(given.content):
        yield given.fault(
            "checks.parallel_trends",
            "has no effect: no primary model assumes parallel trends",
            "a primary model of `difference_in_differences` or `staggered_adoption`",
            "delete it, or give such a model `role: primary`",
        )  # fmt: skip
