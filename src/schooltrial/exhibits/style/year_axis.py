"""The axis of years: whole years that were measured, and no ticks between them."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.axes import Axes

MOST = 8
"""Years that are named on an axis; where there are more, every second, third … is."""

MARGIN = 0.5
"""Years that an axis runs beyond the first and the last of them."""


def set_years(panel: Axes, years: Iterable[int], most: int = MOST) -> None:
    """Name years on the horizontal axis of a panel, the last of them always.

    Parameters
    ----------
    panel : Axes
    years : iterable of int
        The years that are drawn, in any order; none leaves the axis as it is.
    most : int
        Years that there is room for.
    """
    held = sorted({int(year) for year in years})
    if not held:
        return
    step = -(-len(held) // most)
    shown = held[::-1][::step][::-1]
    panel.set_xticks(shown, [str(year) for year in shown])
    panel.set_xlim(held[0] - MARGIN, held[-1] + MARGIN)


def named_times(times: Iterable[int], anchor: int, most: int = MOST) -> list[int]:
    """Return the times that an axis names: all between the ends, or every second, third ….

    Parameters
    ----------
    times : iterable of int
        Those that are drawn, in any order.
    anchor : int
        A time that is named if it lies between the ends, such as the start of a programme.
    most : int
        Times that there is room for.
    """
    held = sorted({int(time) for time in times})
    if not held:
        return []
    step = -(-(held[-1] - held[0] + 1) // most)
    return [time for time in range(held[0], held[-1] + 1) if (time - anchor) % step == 0]
