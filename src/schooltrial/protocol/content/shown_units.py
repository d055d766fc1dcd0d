"""The units in which readers see an outcome: a yes/no outcome in per cent, not as a share of 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

PERCENTAGE_POINTS = "percentage points"


def is_binary(outcome: Mapping[str, Any]) -> bool:
    """Return whether an outcome is a yes or a no."""
    return outcome.get("scale") == "binary"


def times_shown(outcome: Mapping[str, Any]) -> float:
    """Return what the numbers of an outcome are multiplied by before they are shown."""
    return 100.0 if is_binary(outcome) else 1.0


def effect_unit(outcome: Mapping[str, Any]) -> str:
    """Return the unit of an effect: percentage points for yes or no, or for per cent."""
    return PERCENTAGE_POINTS if is_binary(outcome) else difference_unit(outcome["units_label"])


def difference_unit(unit: str) -> str:
    """Return the unit of a difference: of per cents, percentage points."""
    of_shares = unit == "%" or unit.startswith(("per cent", "percent "))
    return PERCENTAGE_POINTS if of_shares or unit == "percent" else unit


def mean_unit(outcome: Mapping[str, Any]) -> str:
    """Return the unit of a mean: ``% of pupils`` if it is yes/no; ``%`` of percentages."""
    if not is_binary(outcome):
        unit = str(outcome["units_label"])
        return "%" if unit == PERCENTAGE_POINTS else unit
    return f"% of {outcome['measured_on']}s"


def as_shown(
    data: pd.DataFrame, outcomes: Mapping[str, Mapping[str, Any]], columns: Sequence[str]
) -> pd.DataFrame:
    """Return a table with the numbers of yes/no outcomes in per cent.

    Parameters
    ----------
    data : DataFrame
        With a column ``outcome``.
    outcomes : mapping
        The protocol's outcomes; rows of others stay as they are.
    columns : sequence of str
        Those in the unit of the outcome.
    """
    factor = (
        data["outcome"].map({name: times_shown(one) for name, one in outcomes.items()}).fillna(1.0)
    )
    if data.empty or (factor == 1).all():
        return data
    shown = [name for name in columns if name in data]
    return data.assign(**{name: data[name].astype("float64") * factor for name in shown})
