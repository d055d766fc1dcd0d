"""An effect size in other words: percentile points, and months of progress."""

from __future__ import annotations

from math import isfinite, nan

from schooltrial.models.effect_size.months_of_progress import convert_to_months
from schooltrial.models.effect_size.pupil_level import improvement_index

MONTHS_TABLE = (
    "Months of progress: from the effect size by the table of the EEF Teaching and Learning "
    "Toolkit; the table of EEF’s trial reports, not included here, can give a month less for a "
    "small effect."
)
"""What is said wherever months are printed."""

MOST_DECIMALS = 6


def percentile_points(
    effect_size: float, low: float = nan, high: float = nan
) -> tuple[float, float, float]:
    """Return the improvement index of an effect size and of the ends of its interval.

    Parameters
    ----------
    effect_size, low, high : float
        In standard deviations; NaN where not known.

    Returns
    -------
    tuple of float
        Percentile points, from −50 to 50: by how many ranks in a hundred an average member of the
        comparison group would move.
    """
    first, second, third = (
        improvement_index(size) if isfinite(size) else nan for size in (effect_size, low, high)
    )
    return first, second, third


def percentile_points_text(effect_size: float, low: float = nan, high: float = nan) -> str:
    """Return percentile points as a table shows them: ``+3 (−2 to +8)``; empty if not known.

    A bound that rounds to 0 has the decimals that show its sign, so that an interval without zero
    does not seem to include it.
    """
    return _with_interval(
        *(_signed(points) for points in percentile_points(effect_size, low, high))
    )


def months_text(effect_size: float, low: float = nan, high: float = nan) -> str:
    """Return months of progress as a table shows them: ``+1 (−1 to +3)``; empty if not known.

    The table of months is whole: 0 stands for effects from −0.01 to 0.01, so that 0 may be the end
    of an interval that does not include a zero effect. 12 and −12 stand for that and more.
    """
    return _with_interval(*(_months(size) for size in (effect_size, low, high)))


def _with_interval(value: str, low: str, high: str) -> str:
    return f"{value} ({low} to {high})" if value and low and high else value


def _signed(points: float) -> str:
    """Return a number with its sign, whole where that shows the sign."""
    if not isfinite(points):
        return ""
    if points == 0:
        return "0"
    text = next(
        (
            shown
            for digits in range(MOST_DECIMALS)
            if (shown := f"{points:+.{digits}f}").strip("+-0.")
        ),
        "0",
    )
    return text.replace("-", "−")


def _months(effect_size: float) -> str:
    if not isfinite(effect_size):
        return ""
    months = convert_to_months(effect_size)
    return f"{months:+d}".replace("-", "−") if months else "0"
