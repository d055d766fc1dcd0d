"""Plain labels in place of the names by which estimates and their notes call variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from schooltrial.wording import listed, plural_of

WHOLE = ("treated", "nan", "")
"""Terms of the whole intervention group."""

INTERVENTION = "Intervention"

INSIDE = re.compile(r"treated\[(.*?)\](?= [-/] |$)")
"""A term of a part of the intervention group, alone or compared; inside the brackets, of which."""

WRITTEN = re.compile(r"(first stage of |)(\w+)(, robust set|)")
"""A variable as a term, or the test of one: its estimand says which test."""

ABOUT = re.compile(r"(per|effects are equal across) (\w+)")
"""Words of a term that a variable ends."""

NAME = re.compile(r"\b[a-z][a-z0-9_]*\b")
UNDERSCORED = re.compile(r"\b[a-z][a-z0-9]*_[a-z0-9_]*\b")
INDICATED = "kept with an indicator of missing: "
LISTS = (INDICATED, "left out: ")
"""How the notes begin that list variables by name."""

COUNTED = re.compile(r"([a-z][a-z0-9_]*) (\d[\d,]*)")
"""A variable of a note, and how many lack it."""

SINGULAR = re.compile(r"singular \(variance estimated at zero: ([^)]*)\)")
"""The note of a multilevel model that found no variance at some levels."""

AT_BASELINE = {
    "": "{} at baseline",
    "_school": "{} of the school at baseline",
    "_missing": "missing {} at baseline",
}
"""Endings of the variables that are made of an outcome in its baseline year, and their labels."""


YES_NO = {"1": "yes", "0": "no"}

OF_DESIGN = ("arm", "cohort", "year", "since", "after")
"""Names before a level in a term that are no variable of people or schools."""


@dataclass(frozen=True)
class PlainLabels:
    """What readers call the variables and groups that estimates name.

    Attributes
    ----------
    variables : mapping
        Variable → its label.
    arms : mapping
        Group → its label.
    yes_no : frozenset of str
        Variables whose levels 1 and 0 are yes and no, as `yes_no_variables` finds them.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    arms: Mapping[str, str] = field(default_factory=dict)
    yes_no: frozenset[str] = frozenset()

    def of_effect(self, estimand: str, term: str) -> str:
        """Return the estimand, and of what it is where that is not the whole intervention group."""
        return estimand if term in WHOLE else f"{estimand}: {self.of_term(term)}"

    def of_term(self, term: str) -> str:
        """Return a term of the table of estimates in words.

        ``treated`` is "Intervention", and ``treated[half=upper]`` the label of ``half`` with the
        level. Words by which a protocol calls a contrast stay as they are.
        """
        if term in WHOLE:
            return INTERVENTION
        alone, about = WRITTEN.fullmatch(term), ABOUT.fullmatch(term)
        if alone:
            return self._of_variable(alone[2])
        if about:
            return f"{about[1]} {self._of_variable(about[2])}"
        return INSIDE.sub(self._of_parts, term)

    def of_note(self, note: str, people: str = "records") -> str:
        """Return a note with labels in place of the names of variables that it lists.

        Names are replaced where they are lists of a note (``left out: a, b``), or bear an
        underscore: any other word may be plain English. ``people`` are those who lack a covariate.
        """
        made = {
            f"{name}_before{ending}": words.format(label)
            for name, label in self.variables.items()
            for ending, words in AT_BASELINE.items()
        }
        named = {**made, **self.variables}

        def label(found: re.Match[str]) -> str:
            return named.get(found[0], found[0])

        return "; ".join(
            _indicated(part, named, people) if part.startswith(INDICATED)
            else (NAME if part.startswith(LISTS) else UNDERSCORED).sub(label, part)
            for part in SINGULAR.sub(_variance_of_zero, note).split("; ")
        )  # fmt: skip

    def _of_parts(self, inside: re.Match[str]) -> str:
        """Return the conditions of a term: groups, variables with their levels, or words."""
        return ", ".join(map(self._of_part, inside[1].split(", ")))

    def _of_part(self, part: str) -> str:
        name, _, level = part.partition("=")
        if not level:
            return self.of_term(name)
        if name in self.yes_no:
            return f"{self._of_variable(name)}: {YES_NO[level]}"
        return (
            self.arms.get(level, level) if name == "arm" else f"{self._of_variable(name)} {level}"
        )

    def _of_variable(self, name: str) -> str:
        return self.variables.get(name, name.replace("_", " "))


def yes_no_variables(terms: Iterable[str]) -> frozenset[str]:
    """Return the variables that terms split by 1 and 0 alone, which are yes and no.

    Parameters
    ----------
    terms : iterable of str
        Terms of the table of estimates.
    """
    levels: dict[str, set[str]] = {}
    for term in terms:
        for inside in INSIDE.findall(term):
            for part in inside.split(", "):
                name, equals, level = part.partition("=")
                if equals:
                    levels.setdefault(name, set()).add(level)
    return frozenset(
        name for name, found in levels.items() if found == set(YES_NO) and name not in OF_DESIGN
    )


def _indicated(part: str, named: Mapping[str, str], people: str) -> str:
    """Return who lacks which covariate, in words."""
    lacking = [
        f"{count.rstrip(',')}{'' if at else f' {people}'} without {named.get(name, name)}"
        for at, (name, count) in enumerate(COUNTED.findall(part.removeprefix(INDICATED)))
    ]
    return f"{listed(lacking)}, kept with a missing indicator" if lacking else part


def _variance_of_zero(found: re.Match[str]) -> str:
    """Return in words that variances are estimated at zero: those between schools."""
    terms = found[1].split(", ")
    if any(" " in term for term in terms):
        return f"variance estimated at zero: {listed(terms)}"
    return (
        f"the variance between {listed([plural_of(term) for term in terms])} is estimated at zero"
    )
