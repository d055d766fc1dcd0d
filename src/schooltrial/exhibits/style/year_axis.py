"""The axis of years: whole years that were measured, and no ticks between them."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.axes import Axes

MOST = 8
"""Years that are named on an axis; where there are more, every second, third … is."""

MARGIN = 0.5
"""Years that an axis runs beyond the first and the last of them."""


def set_years(panel: Axes, years: Iterable[int]) -> None:
    """Name years on the horizontal axis of a panel, the last of them always.

    Parameters
    ----------
    panel : Axes
    years : iterable of int
        The years that are drawn, in any order; none leaves the axis as it is.
    """
    held = sorted({int(year) for year in years})
    if not held:
        return
    step = -(-len(held) // MOST)
    shown = held[::-1][::step][::-1]
    panel.set_xticks(shown, [str(year) for year in shown])
    panel.set_xlim(held[0] - MARGIN, held[-1] + MARGIN)
