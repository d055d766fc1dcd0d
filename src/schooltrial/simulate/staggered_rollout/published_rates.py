"""Proficiency rates as three states would publish them: rounded, suppressed, in their own form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.simulate.staggered_rollout.parameters import RolloutParameters

Texts = NDArray[np.object_]


SHOWN, SMALL, TOP, BOTTOM, RANGE = "shown", "small", "top", "bottom", "range"


WHAT = {
    SMALL: "rates not published, as too few pupils were tested",
    TOP: "high rates published as a lower bound",
    BOTTOM: "low rates published as an upper bound",
    RANGE: "rates published as a range of ten points, as few pupils were tested",
}


@dataclass(frozen=True)
class PublicationStyle:
    """How a region writes its files.

    Attributes
    ----------
    delimiter : str
        Between columns.
    encoding : str
        As Python names it.
    decimal : str
        Decimal mark of rates.
    sign : str
        What follows a rate, such as ``%``.
    suppressed, at_least, at_most : str
        What stands for a rate that is not published (``{below}`` in it for the threshold), before
        a lower and before an upper bound.
    ranges : bool
        Whether rates of few pupils are ranges.
    whole_until : int
        Up to this year rates are whole per cents; then they have one decimal.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    sign: str = ""
    suppressed: str = "*"
    at_least: str = "≥"
    at_most: str = "≤"
    ranges: bool = False
    whole_until: int = 0

    def decimals(self, year: int) -> int:
        """Return the decimals of a rate in a year."""
        return 0 if year <= self.whole_until else 1


STYLES = {
    "East": PublicationStyle(),
    "Middle": PublicationStyle(delimiter=";", encoding="cp1252", decimal=",", suppressed="s",
                               at_least=">=", at_most="<="),
    "West": PublicationStyle(delimiter="\t", sign="%", suppressed="n<{below}", ranges=True,
                             whole_until=2013),
}  # fmt: skip


def publication(
    parameters: RolloutParameters, style: PublicationStyle, n_tested: pd.Series, rate: pd.Series
) -> Texts:
    """Return how each rate is published: one of shown, small, top, bottom and range.

    Few pupils come first: below ``suppress_below`` nothing is said of a rate; where the style has
    ranges, below ``range_below`` only its range; then rates from ``top_code`` up and from
    ``bottom_code`` down are bounds.
    """
    how = np.full(len(rate), SHOWN, dtype=object)
    how[(rate >= parameters.top_code).to_numpy()] = TOP
    how[(rate <= parameters.bottom_code).to_numpy()] = BOTTOM
    if style.ranges:
        how[(n_tested < parameters.range_below).to_numpy()] = RANGE
    how[(n_tested < parameters.suppress_below).to_numpy()] = SMALL
    return how


def rate_text(
    parameters: RolloutParameters, style: PublicationStyle, rate: pd.Series, how: Texts, year: int
) -> Texts:
    """Return rates as text; those that are shown are rounded to the decimals of the year.

    Ranges are of whole per cents, the last one ``90-100``; a rate is rounded to a whole per cent
    before it is put in its range.
    """
    cells = []
    for value, published in zip(rate, how, strict=True):
        if published == SMALL:
            cells.append(style.suppressed.format(below=parameters.suppress_below))
            continue
        if published == TOP:
            text = f"{style.at_least}{parameters.top_code:g}"
        elif published == BOTTOM:
            text = f"{style.at_most}{parameters.bottom_code:g}"
        elif published == RANGE:
            low = min(int(round(value) // 10 * 10), 90)
            text = f"{low}-{100 if low == 90 else low + 9}"
        else:
            text = f"{value:.{style.decimals(year)}f}"
        cells.append(text.replace(".", style.decimal) + style.sign)
    return np.array(cells, dtype=object)


def count_text(parameters: RolloutParameters, n_tested: pd.Series) -> Texts:
    """Return numbers of pupils as text; a small one only as being below the threshold."""
    small = f"<{parameters.suppress_below}"
    return np.array(
        [small if n < parameters.suppress_below else str(n) for n in n_tested], dtype=object
    )
