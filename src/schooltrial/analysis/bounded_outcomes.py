"""Rates of schools near the ends of their scale, where trends cannot go on side by side.

A difference-in-differences supposes that without the programme both groups would have changed by
as many points. A school at 97 per cent can rise by three. Where many cells lie near an end, and
more on one side of the comparison than on the other, equal changes are not to be expected, and the
data say how many there are.
"""

from __future__ import annotations

import pandas as pd

from schooltrial.protocol.content.sections import Outcome
from schooltrial.wording import exact, percent

NEAR = 0.05
"""Part of the scale, from either end, that counts as near it."""

MANY = 0.10
"""Share of the cells of a group near an end from which a reader is told."""


def describe_bounds(cells: pd.DataFrame, outcome: Outcome) -> str:
    """Return what a reader must know of cells near the ends of the scale; empty if they are few.

    Parameters
    ----------
    cells : DataFrame
        Of one outcome: ``treated`` and ``mean``.
    outcome : Outcome
        Its ``range`` is the scale; of a binary outcome without one, 0 to 1.
    """
    if outcome["standardise"] != "none":
        return ""  # means are no longer on the scale that the protocol gives
    limits = outcome["range"] or ([0.0, 1.0] if outcome["scale"] == "binary" else None)
    if limits is None:
        return ""
    low, high = limits
    margin = NEAR * (high - low)
    near = (cells["mean"] < low + margin) | (cells["mean"] > high - margin)
    treated = cells["treated"] == 1
    groups = {"treated schools": treated, "other schools": ~treated}
    shares = {who: float(near[rows].mean()) for who, rows in groups.items() if rows.any()}
    if max(shares.values(), default=0.0) < MANY:
        return ""
    told = " and ".join(f"{percent(share)} of the cells of {who}" for who, share in shares.items())
    return (
        f"{told} lie within {exact(round(margin, 6))} of an end of the scale ({exact(low)} to "
        f"{exact(high)}): a school near it cannot change as others do, so that trends need not be "
        "parallel there"
    )
