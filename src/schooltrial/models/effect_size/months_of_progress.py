"""Months of additional progress, as the Education Endowment Foundation words an effect size."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from math import isfinite


@cache
def _lower_ends() -> tuple[tuple[float, int], ...]:
    """Return (smallest effect size in hundredths, months) of each row but that of zero."""
    table = resources.files("schooltrial.models.effect_size").joinpath("months_of_progress.csv")
    lines = table.read_text(encoding="utf-8").splitlines()
    rows = [(row["effect_size_from"], int(row["months"])) for row in csv.DictReader(lines)]
    return tuple((round(100 * float(start)), months) for start, months in rows if months > 0)


def convert_to_months(effect_size: float) -> int:
    """Convert an effect size to months of progress; a loss is negative.

    The effect size is rounded to two decimals (halves away from zero), as the table has them, and
    looked up; a negative one is mirrored.

    Parameters
    ----------
    effect_size : float
        In standard deviations.

    Returns
    -------
    int
        From −12 to 12; 12 stands for 12 months and more.

    Raises
    ------
    ValueError
        If the effect size is not a finite number.

    Notes
    -----
    Source: Teaching and Learning Toolkit, table of months' progress (``months_of_progress.csv``
    beside this module). The table rests on a year's progress of one standard deviation and is a
    way of speaking, not a measurement: report the effect size and its interval beside it.
    """
    if not isfinite(effect_size):
        raise ValueError(
            f"months of progress: the effect size is {effect_size}, not a number; "
            "leave the months out where no effect was estimated"
        )
    # 1e-9: a stored 0.185 may lie a hair below the half that it stands for.
    hundredths = int(abs(effect_size) * 100 + 0.5 + 1e-9)
    months = max((found for start, found in _lower_ends() if hundredths >= start), default=0)
    return -months if effect_size < 0 else months
