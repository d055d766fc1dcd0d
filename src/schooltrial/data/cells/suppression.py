"""Cells that a publisher suppressed because few pupils are concerned, and their bounds.

States print ``*`` or ``s``, ``n<10`` where fewer than ten pupils were tested, ``<10``, ``GE95`` or
``95 or more`` where the rate is near its end, and ranges as ``20-29``. The value is not known; some
of them say between which bounds it lies. ``suppression_codes.yaml`` lists them, with sources.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import nan
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.protocol.form.strict_yaml import parse_yaml

NUMBER = r"(\d+(?:\.\d+)?)\s*%?"


LONGEST = 60
"""Characters of the longest text that is compared with the notations."""


PLAIN = r"[+-]?[0-9][0-9.,'\s]*%?"
"""How a cell looks that is a number, or is none for another reason than that it was withheld."""


NOTATIONS = Path(__file__).parent / "suppression_codes.yaml"


class Notation(NamedTuple):
    """One way to write a withheld number."""

    kind: str
    pattern: re.Pattern[str]
    tells: Literal["low", "high", "range", "nothing"]


@cache
def notations() -> tuple[Notation, ...]:
    """Return the known notations, the first that fits first."""
    return tuple(
        Notation(
            str(one["kind"]),
            re.compile(one["pattern"].replace("{k}", NUMBER), re.IGNORECASE),
            one["shows"],
        )
        for one in parse_yaml(NOTATIONS.read_text("utf-8"))
    )


@dataclass(frozen=True)
class Suppressed:
    """Which texts are of suppressed cells, and what they say of the value.

    Attributes
    ----------
    kind : array of str, shape (n,)
        How the notation is called, or the text of a protocol's own; empty where the text is of no
        suppressed cell.
    low, high : array of float, shape (n,)
        Bounds of the value; missing at an end that the text leaves open.
    """

    kind: npt.NDArray[np.object_]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    @property
    def hidden(self) -> npt.NDArray[np.bool_]:
        """Whether the cell is a suppressed one."""
        return np.asarray(self.kind != "", dtype=np.bool_)

    @property
    def telling(self) -> npt.NDArray[np.bool_]:
        """Whether the cell says something of the value."""
        return self.hidden & ~(np.isnan(self.low) & np.isnan(self.high))

    def beyond(self, least: float, most: float) -> npt.NDArray[np.bool_]:
        """Tell which cells name a bound outside a range; none if the range is not known."""
        below = (self.low < least) | (self.high < least)
        return np.asarray(below | (self.low > most) | (self.high > most), dtype=np.bool_)

    def within(
        self, least: float, most: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return both ends, an open one being that of the range, or infinite where none is known.

        A cell that tells nothing of the value (``*``, ``n<10``) has no bounds: it is missing.
        """
        told = self.telling
        ends = (self.low, least, -np.inf), (self.high, most, np.inf)
        low, high = (
            np.where(told & np.isnan(end), limit if np.isfinite(limit) else unknown, end)
            for end, limit, unknown in ends
        )
        return low, high


def suppressed(
    text: pd.Series, decimal: str = ".", codes: Mapping[str, str | Sequence[float]] | None = None
) -> Suppressed:
    """Find the suppressed cells among texts without blanks around.

    ``<10`` and ``≤10`` both give the upper bound 10: a bound need not be reached.

    Parameters
    ----------
    text : Series of str
    decimal : str
        Decimal mark of the column.
    codes : mapping, optional
        Further texts, as a protocol declares them: text → `missing`, or least and greatest value.
        They come before the known notations.
    """
    own = {code.casefold(): value for code, value in (codes or {}).items()}
    size = len(text)
    kind, bounds = np.full(size, "", dtype=object), np.full((size, 2), nan)
    given = text.fillna("").astype("str")
    perhaps = (given != "") & ~given.str.fullmatch(PLAIN)
    if own:
        perhaps |= given.str.casefold().isin(list(own))
    for at in np.flatnonzero(perhaps.to_numpy(dtype=bool)):
        kind[at], *bounds[at] = _read(str(given.iloc[at]), decimal, own)
    return Suppressed(kind, bounds[:, 0], bounds[:, 1])


def _read(
    text: str, decimal: str, own: Mapping[str, str | Sequence[float]]
) -> tuple[str, float, float]:
    if text.casefold() in own:
        meant = own[text.casefold()]
        return (text, nan, nan) if isinstance(meant, str) else (text, meant[0], meant[1])
    if len(text) > LONGEST:
        return "", nan, nan
    written = text.replace(decimal, ".")
    for notation in notations():
        match = notation.pattern.fullmatch(written)
        if match is None:
            continue
        bounds = [float(bound) for bound in match.groups() if bound is not None]
        if notation.tells == "high":
            return notation.kind, nan, bounds[0]
        if notation.tells == "low":
            return notation.kind, bounds[0], nan
        if notation.tells == "range":
            in_order = bounds[0] <= bounds[1]
            return (notation.kind, bounds[0], bounds[1]) if in_order else ("", nan, nan)
        return notation.kind, nan, nan
    return "", nan, nan


ENDS = ("value_low", "value_high")


def is_bounded(scores: pd.DataFrame) -> pd.Series:
    """Tell which rows have no published value, but both of its bounds.

    Parameters
    ----------
    scores : DataFrame
        ``value`` and, where bounds are read, ``value_low`` and ``value_high``.
    """
    if not set(ENDS) <= set(scores):
        return pd.Series(False, index=scores.index)
    return scores["value"].isna() & scores[list(ENDS)].notna().all(axis=1)
