"""The filters of a protocol: which variables they name, what they say, and what follows from it.

A filter is a mapping of variable → the values that are kept, or → conditions that must all hold;
``any_of``, ``all_of`` and ``none_of`` are lists of filters. All entries of a filter must hold.

A missing value is neither one of a list nor outside it, neither above a number nor below: what a
filter says of it is not known. A row is kept only if the filter holds whatever a missing value
may be (the three-valued logic of Kleene), so that ``not_in`` and ``none_of`` keep no row of which
it is not known. Only ``is_missing`` is known of every row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NotRequired, TypedDict, TypeVar

from schooltrial.wording import exact

Value = str | float
"""What a filter compares with: a text, a number, or a day as YYYY-MM-DD."""

# `in` is a word of the language, which a class could not have as a key.
Conditions = TypedDict(
    "Conditions",
    {
        "in": NotRequired[list[Value]],
        "not_in": NotRequired[list[Value]],
        "at_least": NotRequired[Value],
        "at_most": NotRequired[Value],
        "above": NotRequired[Value],
        "below": NotRequired[Value],
        "is_missing": NotRequired[bool],
    },
)
"""What must hold of one variable; all of it."""

Filter = dict[str, list[Any] | Conditions]
"""Variable → values that are kept, or conditions; ``any_of``, ``all_of``, ``none_of`` → filters."""

GROUPS = ("any_of", "all_of", "none_of")

ORDERED = {"at_least": "at least", "at_most": "at most", "above": "above", "below": "below"}
"""Condition that needs an order → its words."""

Rows = TypeVar("Rows", bool, Any)


@dataclass(frozen=True)
class Truth(Generic[Rows]):
    """What is known of a filter, of one row or of many; where neither holds, nothing is.

    Attributes
    ----------
    holds, fails : bool or array of bool
        Where it is known to hold, and where it is known not to.
    """

    holds: Rows
    fails: Rows

    def __and__(self, other: Truth[Rows]) -> Truth[Rows]:
        return Truth(self.holds & other.holds, self.fails | other.fails)

    def __or__(self, other: Truth[Rows]) -> Truth[Rows]:
        return Truth(self.holds | other.holds, self.fails & other.fails)

    def __invert__(self) -> Truth[Rows]:
        return Truth(self.fails, self.holds)


def evaluate(
    where: Mapping[str, Any],
    judge: Callable[[str, Mapping[str, Any]], Truth[Rows]],
    kept: Truth[Rows],
) -> Truth[Rows]:
    """Return what is known of a filter.

    Parameters
    ----------
    where : mapping
        The filter.
    judge : callable
        Takes a variable and its conditions; returns what is known of them.
    kept : Truth
        What is known of an empty filter: it holds.
    """
    found = kept
    for name, rule in where.items():
        if name in GROUPS:
            parts = [evaluate(part, judge, kept) for part in rule]
            joined = parts[0]
            for part in parts[1:]:
                joined = joined & part if name == "all_of" else joined | part
            found = found & (~joined if name == "none_of" else joined)
        else:
            found = found & judge(name, conditions(rule))
    return found


def conditions(rule: Any) -> Mapping[str, Any]:
    """Return what must hold of a variable, as conditions; a list of values is the condition in."""
    return rule if isinstance(rule, Mapping) else {"in": rule}


def leaves(where: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each variable of a filter with its conditions, in groups too."""
    for name, rule in where.items():
        if name in GROUPS:
            for part in rule:
                yield from leaves(part)
        else:
            yield name, conditions(rule)


def named_variables(where: Mapping[str, Any]) -> list[str]:
    """Return the variables that a filter names, each once."""
    return list(dict.fromkeys(name for name, _ in leaves(where)))


def conjunction(first: Mapping[str, Any], second: Mapping[str, Any]) -> Filter:
    """Return the filter that keeps what both keep."""
    if set(first) & set(second):
        return {"all_of": [dict(first), dict(second)]}
    return {**first, **second}


def possible_years(where: Mapping[str, Any], years: Iterable[int]) -> list[int]:
    """Return the years, in order, of which a filter may keep a row, whatever its other values."""
    return [year for year in sorted(years) if not _of_year(where, year).fails]


def years_named(where: Mapping[str, Any], years: Iterable[int]) -> list[int]:
    """Return the years of which a filter may keep a row; none if it names no year at all."""
    return possible_years(where, years) if "year" in named_variables(where) else []


def mentioned_years(where: Mapping[str, Any]) -> set[int]:
    """Return the years that a filter mentions, with the one before and the one after each.

    A filter that names years judges all others as it judges one of these.
    """
    rules = [rule for name, rule in leaves(where) if name == "year"]
    values = {
        int(value)
        for rule in rules
        for kind, given in rule.items()
        if kind != "is_missing"
        for value in (given if kind in ("in", "not_in") else [given])
    }
    return {year + step for year in values for step in (-1, 0, 1)}


def _of_year(where: Mapping[str, Any], year: int) -> Truth[bool]:
    def judge(variable: str, rule: Mapping[str, Any]) -> Truth[bool]:
        if variable != "year":
            return Truth(holds=False, fails=False)
        held = all(_holds_of(year, kind, value) for kind, value in rule.items())
        return Truth(held, not held)

    return evaluate(where, judge, Truth(holds=True, fails=False))


def _holds_of(year: int, kind: str, value: Any) -> bool:
    if kind == "is_missing":
        return not value
    if kind in ("in", "not_in"):
        return (year in [float(one) for one in value]) == (kind == "in")
    bound = float(value)
    return {
        "at_least": year >= bound,
        "at_most": year <= bound,
        "above": year > bound,
        "below": year < bound,
    }[kind]


def in_words(where: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> str:
    """Return a filter as a reader says it: ``year is 2020 and grade at least 4``.

    Parameters
    ----------
    where : mapping
        The filter; one that keeps everything has no words.
    labels : mapping, optional
        Variable → its name in exhibits.
    """
    parts = [_entry(name, rule, labels or {}) for name, rule in where.items()]
    return " and ".join(part for part in parts if part)


def _entry(name: str, rule: Any, labels: Mapping[str, str]) -> str:
    if name in GROUPS:
        parts = [part for part in (in_words(part, labels) for part in rule) if part]
        if name == "all_of":
            return " and ".join(parts)
        joined = " or ".join(parts)
        if name == "none_of":
            return f"not ({joined})"
        return f"({joined})" if len(parts) > 1 else joined
    said = [_condition(kind, value) for kind, value in conditions(rule).items()]
    return f"{labels.get(name, name)} {' and '.join(said)}"


def _condition(kind: str, value: Any) -> str:
    if kind in ORDERED:
        return f"{ORDERED[kind]} {value_in_words(value)}"
    if kind == "is_missing":
        return "is missing" if value else "is not missing"
    said = one_of_words(value)
    return f"is {said}" if kind == "in" else f"is not {said}"


def one_of_words(values: Sequence[Any]) -> str:
    """Return values as alternatives: ``3, 4 or 5``."""
    *most, last = map(value_in_words, values)
    return f"{', '.join(most)} or {last}" if most else last


def value_in_words(value: Any) -> str:
    """Return a value as it is written; a number to all its digits."""
    return value if isinstance(value, str) else exact(value)
