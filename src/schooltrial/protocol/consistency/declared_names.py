"""The names that a protocol declares, and what is no such name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from schooltrial.protocol.content.column_map import NUMBERS, Column
from schooltrial.refusal import Fault


@dataclass(frozen=True)
class Names:
    """What a protocol declares, to look names up in.

    Attributes
    ----------
    shown : str
        How messages name the protocol.
    years : list of int
        Years of the study.
    outcomes, arms : list of str
    variables : list of str
        Variables that models and filters may name.
    columns : mapping of str to Column
        Variables that are read, and how.
    numbers : list of str
        Variables that are numbers, but not read.
    """

    shown: str
    years: list[int]
    outcomes: list[str]
    variables: list[str]
    columns: Mapping[str, Column]
    numbers: list[str]
    arms: list[str]

    def check(
        self, where: str, name: Any, kind: str, known: Sequence[Any], remedy: str = ""
    ) -> Iterator[Fault]:
        """Yield a fault where the name is not known, with the one that was probably meant.

        Where a remedy is given, that is said in place of a name.
        """
        if name in known:
            return
        close = get_close_matches(str(name), list(map(str, known)), n=1, cutoff=0.6)
        likely = f"did you mean {close[0]!r}?" if close else f"declare it, or name another {kind}"
        remedy = remedy or likely
        found = f"{where} names {name!r}, but the protocol has no such {kind}"
        expected = "one of " + ", ".join(map(str, known))
        yield Fault(self.shown, found, expected, remedy, column=where)

    def check_number(self, where: str, variable: str) -> Iterator[Fault]:
        """Yield a fault where a variable that is read holds no numbers."""
        spec = self.columns.get(variable)
        kind = spec["type"] if spec else "number"
        if kind not in NUMBERS:
            yield Fault(
                self.shown, f"{where} computes with {variable!r}, which is read as {kind}",
                "a number", "set `type: number` on its column, or name another variable",
                column=where,
            )  # fmt: skip
