"""Filters of a protocol, compared with its variables and their possible values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schooltrial.protocol.consistency.declared_names import Names
from schooltrial.protocol.content.column_map import NUMBERS
from schooltrial.protocol.content.filters import (
    GROUPS,
    ORDERED,
    conditions,
    in_words,
    leaves,
    possible_years,
)
from schooltrial.protocol.form.json_schema import is_day
from schooltrial.refusal import Fault


def filter_faults(
    names: Names, place: str, where: Mapping[str, Any], variables: Sequence[str]
) -> Iterator[Fault]:
    """Yield variables of a filter that are not known, and conditions that nothing can meet.

    Parameters
    ----------
    names : Names
        What the protocol declares.
    place : str
        Where the filter is, as ``models.itt.where``.
    where : mapping
        The filter.
    variables : sequence of str
        Those that it may name.
    """
    for name, rule in where.items():
        below = f"{place}.{name}"
        if name in GROUPS:
            for at, part in enumerate(rule):
                yield from filter_faults(names, f"{below}.{at}", part, variables)
            continue
        yield from names.check(below, name, "variable", variables)
        for kind, value in conditions(rule).items():
            spot = below if isinstance(rule, list) else f"{below}.{kind}"
            for one in _values({kind: value}):
                yield from value_faults(names, spot, name, one, ordered=kind in ORDERED)
        if isinstance(rule, Mapping):
            yield from _contradictions(names, below, name, rule)
    yield from _no_year(names, place, where)


def value_faults(
    names: Names, place: str, variable: str, value: Any, *, ordered: bool = False
) -> Iterator[Fault]:
    """Yield a fault where a variable never takes a value, or has no order that is asked for."""
    spec = names.columns.get(variable)
    kind = spec["type"] if spec else ""
    number = kind in NUMBERS or variable in names.numbers
    told = None
    if variable == "year":
        if not isinstance(value, int):
            told = f"{value!r} is not a year", "a whole number", "write the year without quotes"
        elif not ordered:
            yield from names.check(place, value, "year", names.years)
    elif kind == "date":
        if not (isinstance(value, str) and is_day(value)):
            found = f"{value!r} is not a date, but {variable!r} is read as a date"
            told = found, "a day as YYYY-MM-DD", "write the date as in '2020-09-01'"
    elif number and isinstance(value, str):
        found = f"{place} names {value!r}, but {variable!r} is a number"
        told = found, "a number", "write the number without quotes"
    elif kind == "flag" and not ordered and value not in (0, 1):
        found = f"{value!r} is not a value of the yes/no variable {variable!r}"
        told = found, "1 for yes, 0 for no", f"write `{variable}: [1]` or `{variable}: [0]`"
    elif ordered and spec and not number:
        found = f"{variable!r} is read as {kind}, and its values have no order"
        remedy = f"list the values, `{variable}: [...]`, or read it as `type: number`"
        told = found, "a number or a date", remedy
    elif variable == "arm":
        yield from names.check(place, value, "arm", names.arms)
    elif spec and kind == "category" and spec["codes"]:
        known = list(dict.fromkeys(map(str, spec["codes"].values())))
        yield from names.check(place, str(value), f"category of {variable!r}", known)
    if told is not None:
        yield _fault(names, place, *told)


def _contradictions(
    names: Names, place: str, variable: str, rule: Mapping[str, Any]
) -> Iterator[Fault]:
    """Yield a fault where no value meets all conditions of a variable."""
    if rule.get("is_missing") and len(rule) > 1:
        yield _fault(
            names, place, f"{variable!r} must be missing and must have a value",
            "conditions that a row can meet",
            f"write `any_of: [{{{variable}: {{is_missing: true}}}}, {{{variable}: ...}}]`",
        )  # fmt: skip
    low = [rule[kind] for kind in ("at_least", "above") if kind in rule]
    high = [rule[kind] for kind in ("at_most", "below") if kind in rule]
    strict = "above" in rule or "below" in rule
    for least in low:
        for most in high:
            if isinstance(least, str) == isinstance(most, str) and (
                least > most or (least == most and strict)
            ):
                yield _fault(
                    names, place, f"no value is {in_words({'it': dict(rule)})[3:]}",
                    "a minimum below the maximum", "correct one of the two values",
                )  # fmt: skip
                return


def _no_year(names: Names, place: str, where: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield a fault where conditions on the year leave none, its values being years."""
    named = [rule for name, rule in leaves(where) if name == "year"]
    values = [v for rule in named for v in _values(rule)]
    if named and all(isinstance(value, int) for value in values):
        listed = any("in" in rule and not set(rule["in"]) <= set(names.years) for rule in named)
        if not listed and not possible_years(where, names.years):
            years = ", ".join(map(str, names.years))
            found = f"{in_words(where)} keeps no year of the study"
            expected = f"a condition that one of {years} meets"
            yield _fault(names, place, found, expected, "correct the condition")


def _values(rule: Mapping[str, Any]) -> Iterator[Any]:
    for kind, value in rule.items():
        if kind in ("in", "not_in"):
            yield from value
        elif kind != "is_missing":
            yield value


def _fault(names: Names, place: str, found: str, expected: str, remedy: str) -> Fault:
    return Fault(names.shown, found, expected, remedy, column=place)
