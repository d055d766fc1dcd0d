"""The parameters of a generator, as the ``simulation`` section of a protocol gives them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
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
    ``__post_init__`` to refuse what no trial can have; it then calls this one first.
    """

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, frozen(getattr(self, field.name)))

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
