"""Hold the names of a protocol against each other: what refers to nothing is a fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from schooltrial.protocol.design import design_faults
from schooltrial.protocol.table_readings import NUMBERS, all_columns, range_faults, table_faults
from schooltrial.refusal import Fault


@dataclass(frozen=True)
class _Names:
    """What a protocol declares, to look names up in."""

    shown: str
    years: list[int]
    outcomes: list[str]
    variables: list[str]
    columns: dict[str, Mapping[str, Any]]
    derived: list[str]

    def check(self, where: str, name: Any, kind: str, known: Sequence[Any]) -> Iterator[Fault]:
        """Yield a fault where the name is not known, with the one that was probably meant."""
        if name in known:
            return
        close = get_close_matches(str(name), list(map(str, known)), n=1, cutoff=0.6)
        remedy = f"did you mean {close[0]!r}?" if close else f"declare it, or name another {kind}"
        found = f"{where} names {name!r}, which is no {kind} of this protocol"
        expected = "one of " + ", ".join(map(str, known))
        yield Fault(self.shown, found, expected, remedy, column=where)

    def check_filter(self, where: str, kept: Mapping[str, Sequence[Any]]) -> Iterator[Fault]:
        """Yield variables of a filter that are not known, and values that they never take."""
        for variable, values in kept.items():
            place = f"{where}.{variable}"
            yield from self.check(place, variable, "variable", self.variables)
            for value in values:
                yield from self.check_value(place, variable, value)

    def check_value(self, where: str, variable: str, value: Any) -> Iterator[Fault]:
        """Yield a fault where a variable never takes a value: a year, a code's level, a number."""
        spec = self.columns.get(variable, {"type": "", "codes": {}})
        if variable == "year":
            yield from self.check(where, value, "year", self.years)
        elif spec["type"] == "category" and spec["codes"]:
            levels = list(dict.fromkeys(map(str, spec["codes"].values())))
            yield from self.check(where, str(value), f"level of {variable!r}", levels)
        elif isinstance(value, str) and (spec["type"] in NUMBERS or variable in self.derived):
            yield Fault(
                self.shown, f"{where} names {value!r}, but {variable!r} is a number", "a number",
                "write the number without quotes", column=where,
            )  # fmt: skip

    def check_number(self, where: str, variable: str) -> Iterator[Fault]:
        """Yield a fault where a variable that is read holds no numbers."""
        kind = self.columns.get(variable, {"type": "number"})["type"]
        if kind not in NUMBERS:
            yield Fault(
                self.shown, f"{where} reckons with {variable!r}, which is read as {kind}",
                "a number", "set its `type`, or name another variable", column=where,
            )  # fmt: skip


def reference_faults(content: Mapping[str, Any], shown: str) -> Iterator[Fault]:
    """Yield names that refer to nothing: an outcome, variable, level or year not declared."""
    names = _Names(
        shown,
        [year for part in ("before", "during", "after") for year in content["years"][part]],
        list(content["outcomes"]),
        known_variables(content),
        {name: spec for reading in _readings(content) for name, spec in all_columns(reading)},
        list(content["variables"]),
    )
    yield from _year_faults(content, names)
    yield from table_faults(content, names)
    for name, variable in content["variables"].items():
        place = f"variables.{name}.from"
        yield from names.check(place, variable["from"], "variable", names.variables)
        if "at_least" in variable:
            yield from names.check_number(f"variables.{name}.at_least", variable["from"])
        if "equals" in variable:
            place = f"variables.{name}.equals"
            yield from names.check_value(place, variable["from"], variable["equals"])
    for name, outcome in content["outcomes"].items():
        yield from _outcome_faults(name, outcome, names)
    for part in ("pupil_variables", "school_variables", "teacher_variables"):
        for variable in content["balance"][part]:
            known = [*names.variables, *names.outcomes]
            yield from names.check(f"balance.{part}", variable, "variable or outcome", known)
    yield from names.check_filter("balance.where", content["balance"]["where"])
    yield from names.check_filter("sample.keep", content["sample"]["keep"])
    for name, subgroup in content["subgroups"].items():
        yield from names.check_filter(f"subgroups.{name}.where", subgroup["where"])
    if content["compliance"]["variable"]:
        place = "compliance.variable"
        yield from names.check(
            place, content["compliance"]["variable"], "variable", names.variables
        )
    for name in content["power"]["by_outcome"]:
        yield from names.check("power.by_outcome", name, "outcome", names.outcomes)
    known_arms = [arm["name"] for arm in content["design"]["arms"]]
    for name, part in content["implementation"]["components"].items():
        for arm in part["arms"]:
            yield from names.check(f"implementation.components.{name}.arms", arm, "arm", known_arms)
    for name, model in content["models"].items():
        yield from _model_faults(f"models.{name}", model, content["outcomes"], names)
    yield from design_faults(content, shown)


def _year_faults(content: Mapping[str, Any], names: _Names) -> Iterator[Fault]:
    if len(names.years) != len(set(names.years)):
        yield Fault(
            names.shown, "a year stands in two parts of the trial, or twice in one",
            "each year once, in before, during or after", "remove it from one", column="years",
        )  # fmt: skip
    parts = [(part, content["years"][part]) for part in ("before", "during", "after")]
    for (early, first), (late, second) in pairwise((part, years) for part, years in parts if years):
        if max(first) > min(second):
            yield Fault(
                names.shown, f"{max(first)} is a year {early}, and {min(second)} a year {late}",
                "years before the programme, then those during, then those after it",
                "correct `years`", column=f"years.{late}",
            )  # fmt: skip
    for section, key in (("years", "reference"), ("balance", "year")):
        if content[section][key] is not None:
            yield from names.check(f"{section}.{key}", content[section][key], "year", names.years)


def _outcome_faults(name: str, outcome: Mapping[str, Any], names: _Names) -> Iterator[Fault]:
    yield from range_faults(f"outcomes.{name}", outcome["range"], names)
    if outcome["baseline_year"] is not None:
        place = f"outcomes.{name}.baseline_year"
        yield from names.check(place, outcome["baseline_year"], "year", names.years)
        if outcome["baseline_year"] == max(names.years, default=0):
            yield Fault(
                names.shown, f"{place} is {outcome['baseline_year']}, and no year comes after it",
                "a year before that of the outcome", "name an earlier year", column=place,
            )  # fmt: skip
    for part in ("numerator", "denominator") if outcome["made_from"] else ():
        place = f"outcomes.{name}.made_from.{part}"
        yield from names.check(place, outcome["made_from"][part], "variable", names.variables)
        yield from names.check_number(place, outcome["made_from"][part])


def _model_faults(
    where: str, model: Mapping[str, Any], outcomes: Mapping[str, Any], names: _Names
) -> Iterator[Fault]:
    for outcome in model["outcomes"]:
        yield from names.check(f"{where}.outcomes", outcome, "outcome", names.outcomes)
        baseline = outcomes.get(outcome, {"baseline_year": 0})["baseline_year"]
        if "baseline" in model["covariates"] and baseline is None:
            yield Fault(
                names.shown, f"{where} adjusts for the baseline of {outcome!r}, which has none",
                "an outcome with a `baseline_year`",
                "give it one, or take `baseline` from the covariates", column=f"{where}.covariates",
            )  # fmt: skip
    yield from names.check_filter(f"{where}.where", model["where"])
    for year in model["active_years"]:
        yield from names.check(f"{where}.active_years", year, "year", names.years)
    for part in [part for term in model["covariates"] for part in term.split(":")]:
        known = [*names.variables, "baseline"]
        yield from names.check(f"{where}.covariates", part, "variable", known)
    for part in model["absorb"]:
        yield from names.check(f"{where}.absorb", part, "variable", names.variables)
    for key in ("treatment_by", "moderator"):
        if model[key]:
            yield from names.check(f"{where}.{key}", model[key], "variable", names.variables)


def _readings(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the readings of the tables whose columns models and filters may use."""
    for table in ("schools", "assignment", "pupils", "teachers"):
        yield from content["tables"].get(table, [])


def known_variables(content: Mapping[str, Any]) -> list[str]:
    """Return the names that models and filters may use: read, derived and made by the pipeline."""
    read = {column for reading in _readings(content) for column, _ in all_columns(reading)}
    baselines = {
        made
        for name, outcome in content["outcomes"].items()
        if outcome["baseline_year"] is not None
        for made in (f"{name}_before", f"{name}_before_missing", f"{name}_before_school")
    }
    made = {"year", "school", "block", "arm", "cluster"}
    return sorted(read | set(content["variables"]) | baselines | made)
