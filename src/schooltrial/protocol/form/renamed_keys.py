"""Keys of protocols that have a new name: found in a protocol written in the old words.

The names are in ``renamed_keys.yaml``, and nowhere else: refusals, the command that rewrites a
protocol (`schooltrial.protocol.migrate`) and the table of ``docs/migrating.md`` rest on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shlex import quote
from typing import Any

from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.refusal import Fault

Place = tuple[str | int, ...]
"""Where a key is: the keys above it and its own; items of lists by their number."""

LISTED = 12
"""Old keys that a refusal lists one by one; the rest are counted in its last line."""


@dataclass(frozen=True)
class Renaming:
    """One key, or one value of a key, with its new name.

    Attributes
    ----------
    section : tuple of str
        The keys above it in their new words; of a value, its key too. ``*`` is any key, ``#`` any
        item of a list.
    old, new : str
    of_value : bool
        Whether it is a value that has a new word.
    """

    section: tuple[str, ...]
    old: str
    new: str
    of_value: bool = False


@dataclass(frozen=True)
class OldWord:
    """One old word of a protocol.

    Attributes
    ----------
    place : tuple
        Where its key is, as the protocol writes it.
    renamed : tuple
        The same in the new words.
    renaming : Renaming
    both : bool
        Whether the section has the key under its new name too.
    """

    place: Place
    renamed: Place
    renaming: Renaming
    both: bool = False

    def __str__(self) -> str:
        old, new = shown_place(self.place), shown_place(self.renamed)
        if self.renaming.of_value:
            return f"`{new}: {self.renaming.old}` is now `{new}: {self.renaming.new}`"
        return f"`{old}` is now `{new}`"


@dataclass(frozen=True)
class Reworded:
    """A protocol in the new words.

    Attributes
    ----------
    content : Any
    found : tuple of OldWord
        The old words that it had, in the order of the file.
    places : dict
        Where a key is in ``content`` → where the file has it, for all that is not where it was.
    """

    content: Any
    found: tuple[OldWord, ...]
    places: dict[str, str]

    def written(self, key: str) -> str:
        """Return a key of ``content``, or one that is missing there, as the file has it."""
        above, after = key, ""
        while above:
            if above in self.places:
                return self.places[above] + after
            above, dot, last = above.rpartition(".")
            after = f"{dot}{last}{after}"
        return key


@cache
def read_renamings() -> tuple[Renaming, ...]:
    """Return every new name."""
    content = parse_yaml(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return tuple(
        Renaming(tuple(section.split(".")) if section else (), old, new, kind == "values")
        for kind, sections in content.items()
        for section, names in sections.items()
        for old, new in names.items()
    )


@cache
def _by_section(of_value: bool) -> dict[tuple[str, ...], dict[str, Renaming]]:
    found: dict[tuple[str, ...], dict[str, Renaming]] = {}
    for one in read_renamings():
        if one.of_value == of_value:
            found.setdefault(one.section, {})[one.old] = one
    return found


def _is_place_of(section: tuple[str, ...], place: Place) -> bool:
    return len(section) == len(place) and all(
        isinstance(at, int) if part == "#" else isinstance(at, str) and part in ("*", at)
        for part, at in zip(section, place, strict=True)
    )


def find_renaming(place: Place, word: str, of_value: bool = False) -> Renaming | None:
    """Return the new name of a word; None if it has none.

    Parameters
    ----------
    place : tuple
        The keys above a key, or those of a value, in their new words.
    word : str
        The key or the value.
    of_value : bool, optional
        Whether it is a value.
    """
    for section, names in _by_section(of_value).items():
        if word in names and _is_place_of(section, place):
            return names[word]
    return None


def shown_place(place: Place) -> str:
    """Return a place as a reader writes it, such as ``tables.pupils.0.rows_with``."""
    return ".".join(map(str, place))


def reword(content: Any) -> Reworded:
    """Return a protocol in the new words, with the old words that it had.

    Where a section has a key under both its names, the value of the new one is kept.
    """
    found: list[OldWord] = []
    places: dict[str, str] = {}

    def visit(value: Any, place: Place, renamed: Place) -> Any:
        if place != renamed:
            places[shown_place(renamed)] = shown_place(place)
        if isinstance(value, dict):
            return visit_section(value, place, renamed)
        if isinstance(value, list):
            return [visit(one, (*place, at), (*renamed, at)) for at, one in enumerate(value)]
        if isinstance(value, str) and (one := find_renaming(renamed, value, of_value=True)):
            found.append(OldWord(place, renamed, one))
            return one.new
        return value

    def visit_section(section: Mapping[str, Any], place: Place, renamed: Place) -> Any:
        made: dict[str, Any] = {}
        for key, value in section.items():
            one = find_renaming(renamed, key)
            below = (*renamed, one.new if one else key)
            if one:
                both = one.new in section
                found.append(OldWord((*place, key), below, one, both))
                if both:
                    continue
            made[str(below[-1])] = visit(value, (*place, key), below)
        return made

    return Reworded(visit(content, (), ()), tuple(found), places)


def renaming_faults(found: Sequence[OldWord], shown: str) -> list[Fault]:
    """Return a fault for each old word of a protocol; the last one names the remedy.

    Parameters
    ----------
    found : sequence of OldWord
    shown : str
        How messages name the file.
    """
    twice = [given_twice(one, shown) for one in found if one.both]
    plain = [one for one in found if not one.both]
    if not plain:
        return twice
    first = " (first delete the keys that are given twice)" if twice else ""
    remedy = (
        f"run `python -m schooltrial.protocol.migrate {quote(shown)}`, which rewrites the file and "
        f"keeps its comments{first}; or rename the keys by hand, by the table in docs/migrating.md"
    )
    listed = plain if len(plain) <= LISTED + 1 else plain[:LISTED]
    faults = [Fault(shown, str(one), "", "", column=shown_place(one.place)) for one in listed]
    rest = plain[len(listed) :]
    if rest:
        words = ", ".join(dict.fromkeys(f"`{one.renaming.old}`" for one in rest))
        told = f"{len(rest)} more keys were renamed ({words})"
        faults.append(Fault(shown, told, "", "", column=shown_place(rest[0].place)))
    last = faults.pop()
    return [*twice, *faults, Fault(last.file, last.found, "", remedy, column=last.column)]


def given_twice(one: OldWord, shown: str) -> Fault:
    """Return the fault of a key that a section has under its old and under its new name."""
    old, new = one.renaming.old, one.renaming.new
    return Fault(
        shown,
        f"`{old}` and `{new}` are both given; `{new}` is the new name of `{old}`",
        f"`{new}` alone",
        f"delete one of the two; keep its value under `{new}`",
        column=shown_place(one.place),
    )
