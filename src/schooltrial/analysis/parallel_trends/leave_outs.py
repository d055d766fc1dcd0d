"""An effect without one cohort, block or year at a time: whether a single part carries it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from schooltrial.analysis.parallel_trends.refits import CheckedModel
from schooltrial.protocol.content.sections import reference_year

Row = dict[str, object]


def leave_out_rows(checked: CheckedModel, fitted: float) -> Iterator[Row]:
    """Yield the effect without each cohort, block, year or level of a variable in turn.

    A part on which the effect does not rest, such as an early year, has no row.

    Parameters
    ----------
    checked : CheckedModel
    fitted : float
        The effect with all parts.
    """
    for what in checked.settings["leave_out"]:
        for row in _without_each(checked, what):
            if row["estimate"] != fitted:
                yield row


def _without_each(checked: CheckedModel, what: str) -> Iterator[Row]:
    check = f"leave out {what}"
    labels = _labels(checked, what)
    levels = sorted(labels.dropna().unique().tolist())
    if not levels:
        yield checked.row(check, "treated", note=f"the schools of this model have no {what}")
    elif len(levels) == 1:
        yield checked.row(
            check, "treated", levels[0], note=f"one {what} only: nothing is left without it"
        )
    else:
        for level in levels:
            left = checked.cells[(labels != level).fillna(True).to_numpy("bool")]
            other = replace(checked, cells=left)
            if what == "year":
                other = _without_year(other, int(level))
            yield other.effect(check, level)


def _labels(checked: CheckedModel, what: str) -> pd.Series:
    """Return the level of each cell, as text; missing if it is in none."""
    cells = checked.cells
    if what not in cells:
        return pd.Series(pd.NA, index=cells.index, dtype="string")
    column = cells[what]
    if what == "cohort" and "treated" in cells:
        column = column.where(cells["treated"] == 1)
    if what in ("cohort", "year"):
        column = column.astype("Int64")
    return column.astype("string")


def _without_year(checked: CheckedModel, year: int) -> CheckedModel:
    """Return the model in the years that remain, the last before the programme as reference."""
    years = checked.years
    baseline = [one for one in years["baseline"] if one != year]
    programme = [one for one in years["programme"] if one != year]
    follow_up = [one for one in years["follow_up"] if one != year]
    reference = years["reference"]
    if reference_year(years) == year:
        reference = max(baseline, default=None)
    active = [one for one in checked.plan.model["active_years"] if one != year]
    left = checked.with_model(active_years=active)
    return replace(
        left,
        years={
            **years, "baseline": baseline, "programme": programme, "follow_up": follow_up,
            "reference": reference,
        },
    )  # fmt: skip
