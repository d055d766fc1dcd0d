"""Ends of an axis of intervals: points and usual intervals whole, endless ones cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

REACH = 1.5
"""Times the span of points and usual intervals up to which longer ones are drawn."""

ROOM = 0.04
"""Share of the span that is left free at both ends."""


def interval_limits(
    points: Sequence[float],
    half_widths: Sequence[float],
    ends: Iterable[float],
    reach: float = REACH,
) -> tuple[float, float]:
    """Return the ends of the axis of points and their intervals.

    An interval that rests on one or two schools is many times as long as the others; drawn whole,
    it would press the others to a line.

    Parameters
    ----------
    points : sequence of float
        At least one.
    half_widths : sequence of float
        Half the length of each interval that is known.
    ends : iterable of float
        Ends of intervals, which are shown up to ``reach``; those not known are left out.
    reach : float
        Times the span of points and usual intervals up to which longer ones are drawn.
    """
    known = [half for half in half_widths if np.isfinite(half)]
    usual = float(np.median(known)) if known else 0.15 * (max(points) - min(points))
    low, high = min(points) - usual, max(points) + usual
    span = (high - low) or 1.0
    finite = [end for end in ends if np.isfinite(end)]
    low = max(min([low, *finite]), low - reach * span / 2)
    high = min(max([high, *finite]), high + reach * span / 2)
    room = ROOM * ((high - low) or 1.0)
    return low - room, high + room
