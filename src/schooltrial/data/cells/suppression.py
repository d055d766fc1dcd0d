"""Cells that a publisher withheld because few pupils stand behind them, and what they still say.

States print ``*`` or ``s``, ``n<10`` where fewer than ten pupils were tested, ``<10`` or ``≥95``
where the rate is near its end, and ranges as ``20-29``. The value is not known; the last two say
between which bounds it lies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt
import pandas as pd

NUMBER = r"(\d+(?:\.\d+)?)\s*%?"


KINDS: dict[str, re.Pattern[str]] = {
    "*": re.compile(r"\*+"),
    "s": re.compile(r"[sS]"),
    "n<k": re.compile(r"[nN]\s*(?:<|≤|<=)\s*\d+"),
    "<k": re.compile(r"(?:<=?|≤)\s*" + NUMBER),
    ">k": re.compile(r"(?:>=?|≥)\s*" + NUMBER + r"|" + NUMBER + r"\s*\+"),
    "range": re.compile(NUMBER + r"\s*(?:-|–|—|to)\s*" + NUMBER),
}
"""How suppressed cells are written; a range is told from a negative number by its first digit."""


TELLING = ("<k", ">k", "range")
"""The kinds that say something of the value."""


@dataclass(frozen=True)
class Suppressed:
    """Which texts are of suppressed cells, and what they say of the value.

    Attributes
    ----------
    kind : array of str, shape (n,)
        A key of ``KINDS``; empty where the text is of no suppressed cell.
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

    def beyond(self, least: float, most: float) -> npt.NDArray[np.bool_]:
        """Tell which cells name a bound outside a range; none where the range is not known."""
        below = (self.low < least) | (self.high < least)
        return np.asarray(below | (self.low > most) | (self.high > most), dtype=np.bool_)

    def within(
        self, least: float, most: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return both ends, an open one being that of the range, or infinite where none is known.

        A cell that tells nothing of the value (``*``, ``n<10``) has no bounds: it is missing.
        """
        told = self.hidden & ~(np.isnan(self.low) & np.isnan(self.high))
        ends = (self.low, least, -np.inf), (self.high, most, np.inf)
        low, high = (
            np.where(told & np.isnan(end), limit if np.isfinite(limit) else unknown, end)
            for end, limit, unknown in ends
        )
        return low, high


def suppressed(text: pd.Series, decimal: str = ".") -> Suppressed:
    """Find the suppressed cells among texts without blanks around.

    ``<10`` and ``≤10`` both give the upper bound 10: a bound need not be reached.
    """
    found = [_read(str(cell).replace(decimal, ".")) for cell in text.fillna("")]
    kind = np.array([kind for kind, _, _ in found], dtype=object)
    bounds = np.array([bound for _, *bound in found], dtype=np.float64).reshape(len(found), 2)
    return Suppressed(kind, bounds[:, 0], bounds[:, 1])


def _read(text: str) -> tuple[str, float, float]:
    if len(text) > 40:
        return "", nan, nan
    for kind, pattern in KINDS.items():
        match = pattern.fullmatch(text)
        if match is None:
            continue
        bounds = [float(bound) for bound in match.groups() if bound is not None]
        if kind == "<k":
            return kind, nan, bounds[0]
        if kind == ">k":
            return kind, bounds[0], nan
        if kind == "range":
            return (kind, bounds[0], bounds[1]) if bounds[0] <= bounds[1] else ("", nan, nan)
        return kind, nan, nan
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
