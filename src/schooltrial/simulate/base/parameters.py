"""The parameters of a generator, as the ``simulation`` section of a protocol gives them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from math import inf, isfinite
from typing import Any, Self

Shares = tuple[tuple[str, float], ...]
"""A mapping made immutable: pairs of a key and its number."""


Table = tuple[tuple[str, Shares], ...]
"""A mapping of mappings made immutable."""


Names = tuple[tuple[str, str], ...]
"""A mapping from text to text made immutable."""


@dataclass(frozen=True)
class ParameterSection:
    """Base of each generator's parameters: frozen at every depth, read from a protocol.

    A subclass is a frozen dataclass that gives every field a default, and may override
    ``__post_init__`` to refuse what no trial can have; it then calls this one first. A value must
    have the form of its default: a number, a text, a list or a map of such.
    """

    def __post_init__(self) -> None:
        for field in fields(self):
            value = frozen(getattr(self, field.name))
            object.__setattr__(self, field.name, value)
            if field.default is not MISSING:
                refuse_form(field.name, value, frozen(field.default))

    @classmethod
    def from_mapping(cls, section: Mapping[str, Any]) -> Self:
        """Return the parameters of a protocol's ``simulation`` section.

        Parameters
        ----------
        section : mapping
            ``{name: {"value": …, "source": …}}``; a parameter that is not named keeps its default.

        Raises
        ------
        ValueError
            If a name is unknown, a parameter has no ``value``, or no trial can have it.
        """
        known = [field.name for field in fields(cls)]
        for name, entry in section.items():
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=1)
                meant = f" Did you mean '{near[0]}'?" if near else f" Known: {', '.join(known)}."
                raise ValueError(
                    f"The simulation section has an unknown parameter '{name}'.{meant}"
                )
            if not isinstance(entry, Mapping) or "value" not in entry:
                raise ValueError(
                    f"The simulation parameter '{name}' is {entry!r}; write it as "
                    f"'{name}: {{value: …, source: \"…\"}}'."
                )
        return cls(**{name: entry["value"] for name, entry in section.items()})


def frozen(value: Any) -> Any:
    """Return mappings as tuples of pairs with text keys, and lists as tuples, at every depth."""
    if isinstance(value, Mapping):
        return tuple((str(key), frozen(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    return value


def refuse_form(name: str, value: Any, default: Any) -> None:
    """Refuse text where a number belongs, a list where a map does, and the like.

    Raises
    ------
    ValueError
        If the value has another form than the default of its parameter.
    """
    if isinstance(default, tuple):
        if not isinstance(value, tuple):
            raise ValueError(f"{name} is {value!r}; it is a list or a map.")
        if not _has_form(value, default):
            raise ValueError(f"{name} is {shown(value)}; write it in the form {shown(default)}.")
    elif isinstance(default, bool | str):
        if not isinstance(value, type(default)):
            kind = "true or false" if isinstance(default, bool) else "a text"
            raise ValueError(f"{name} is {value!r}; it is {kind}.")
    elif not _is_number(value):
        raise ValueError(f"{name} is {value!r}; it is a number.")
    elif isinstance(default, int) and value != int(value):
        raise ValueError(f"{name} is {value!r}; it is a whole number.")


def refuse_outside(
    parameters: ParameterSection,
    names: Iterable[str],
    *,
    low: float = -inf,
    high: float = inf,
    inside: bool = False,
) -> None:
    """Refuse numbers, single or in a map, below ``low`` or above ``high``.

    Parameters
    ----------
    parameters : ParameterSection
    names : iterable of str
        The parameters to look at.
    low, high : float
        The limits.
    inside : bool
        Whether the limits themselves are refused too.

    Raises
    ------
    ValueError
        At the first number outside.
    """
    for name in names:
        value = getattr(parameters, name)
        for key, number in value if isinstance(value, tuple) else (("", value),):
            within = low < number < high if inside else low <= number <= high
            if not within:
                of = f"{name} of '{key}'" if key else name
                raise ValueError(f"{of} is {number:g}; it is {_limits(low, high, inside)}.")


def _limits(low: float, high: float, inside: bool) -> str:
    if high == inf:
        return f"above {low:g}" if inside else f"{low:g} or more"
    return f"between {low:g} and {high:g}" if inside else f"from {low:g} to {high:g}"


def refuse_pairs(
    parameters: ParameterSection, names: Iterable[str], *, least: float, alike: bool = True
) -> None:
    """Refuse two numbers that are not a least and a greatest.

    Raises
    ------
    ValueError
        If there are not two, the first is below ``least``, or the second below the first (or
        equal to it, where they may not be ``alike``).
    """
    for name in names:
        value = getattr(parameters, name)
        ordered = len(value) == 2 and (value[0] <= value[1] if alike else value[0] < value[1])
        if not ordered or value[0] < least:
            more = f", {least:g} or more" if isfinite(least) else ""
            raise ValueError(f"{name} is {shown(value)}; give two numbers, the lesser first{more}.")


def refuse_missing_keys(parameters: ParameterSection, names: Iterable[str], keys: set[str]) -> None:
    """Refuse maps that lack one of the keys, each of which is needed.

    Raises
    ------
    ValueError
        At the first map that lacks some.
    """
    for name in names:
        lacking = sorted(keys - set(dict(getattr(parameters, name))))
        if lacking:
            raise ValueError(f"{name} has no entry for {', '.join(lacking)}; add one.")


def shown(value: Any) -> str:
    """Return a frozen value as it may be written in a protocol: maps and lists in one line."""
    if not isinstance(value, tuple):
        return str(value)
    if value and all(_is_pair(item) for item in value):
        return "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value) + "}"
    return "[" + ", ".join(shown(item) for item in value) + "]"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_pair(item: Any) -> bool:
    """Return whether an item is a key with what belongs to it."""
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)


def _has_form(value: Any, default: Any) -> bool:
    """Return whether a value is built as a default is, at every depth."""
    if not isinstance(default, tuple):
        if isinstance(default, bool | str):
            return isinstance(value, type(default))
        return _is_number(value)
    if not isinstance(value, tuple):
        return False
    if not default:
        return True
    alike = len({_form(item) for item in default}) == 1
    of_texts = len(default) > 1 and isinstance(default[0], str)  # such as file, column, name
    if alike and not of_texts:
        return all(_has_form(item, default[0]) for item in value)
    # A record: so many places, each of its own form.
    return len(value) == len(default) and all(map(_has_form, value, default))


def _form(item: Any) -> Any:
    """Return what makes two items of a list alike: text, number, or a list of so many."""
    if isinstance(item, tuple):
        return len(item) if not (item and isinstance(item[0], tuple)) else "several"
    return "number" if _is_number(item) else type(item).__name__
