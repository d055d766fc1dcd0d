"""The least and greatest value that an outcome can take, on the scale of the analysis.

A score's range is declared as the test was marked. Where scores are standardised, z = (y − m)/s in
each cell (grade and year), the range becomes ((a − m)/s, (b − m)/s), another in every cell; the
widest of them holds whatever cell somebody without a score would have been in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.sample.rosters import WITHIN
from schooltrial.data.tables.parquet import YearTable
from schooltrial.data.variables.composites import add_ratios
from schooltrial.data.variables.measurements import link_measurements, with_occasion_and_rater
from schooltrial.protocol.content.made_variables import is_read
from schooltrial.protocol.content.sections import Outcome

Range = tuple[float, float]


CLOSE = 1e-6
"""How far, in SD, a score may be from the line that makes it from the mark."""


def outcome_support(
    sample: pd.DataFrame,
    measured: YearTable,
    *,
    level: str,
    outcomes: Mapping[str, Outcome],
    years: Sequence[int],
) -> dict[str, Range]:
    """Return the range of each outcome on the scale of the analysis, if there is one.

    Parameters
    ----------
    sample : DataFrame
        The sample of pupils or of teachers: outcomes in the unit of analysis.
    measured : YearTable
        Scores of pupils, or observations of teachers, as they were read.
    level : {"pupil", "teacher"}
        Whose they are.
    outcomes : mapping
        Section of the protocol; those of the level are taken.
    years : sequence of int
        Years that are analysed.

    Returns
    -------
    dict of str to (float, float)
        Outcomes without a declared range are left out, but for ratios: they lie between 0 and
        their multiplier where all that were observed do (days present of days enrolled).
    """
    mine = {
        name: outcome
        for name, outcome in outcomes.items()
        if outcome["measured_on"] == level and (is_read(outcome) or outcome["ratio"])
    }
    found: dict[str, list[Range]] = {}
    for year in years:
        now = sample[sample["year"] == year]
        if not mine or now.empty:
            continue
        there = measured.read(year) if year in measured.years else pd.DataFrame()
        raw = _as_measured(now, there, level, mine)
        for name, outcome in mine.items():
            limits = _declared(raw[name], outcome)
            if limits is not None:
                found.setdefault(name, []).extend(
                    _on_scale(now, name, raw[name], outcome, limits, level)
                )
    return {
        name: (min(low for low, _ in ranges), max(high for _, high in ranges))
        for name, ranges in found.items()
        if ranges
    }


def _as_measured(
    now: pd.DataFrame, measured: pd.DataFrame, level: str, outcomes: Mapping[str, Outcome]
) -> pd.DataFrame:
    if level == "teacher" and len(measured):
        measured = with_occasion_and_rater(measured)
    read = [name for name, outcome in outcomes.items() if is_read(outcome)]
    linked = link_measurements(
        now.drop(columns=read), measured, level, outcomes, Ledger("not kept")
    )
    return add_ratios(linked, outcomes)


def _declared(raw: pd.Series, outcome: Outcome) -> Range | None:
    """Return the range of an outcome as it was measured; None if it has none, or left it."""
    limits: Range | None = None
    if outcome["range"] is not None:
        limits = (float(outcome["range"][0]), float(outcome["range"][1]))
    elif outcome["scale"] == "binary":
        limits = (0.0, 1.0)
    elif outcome["ratio"] is not None:
        limits = (0.0, float(outcome["ratio"]["times"]))
    known = raw.dropna()
    return limits if limits and known.between(*limits).all() else None


def _on_scale(
    now: pd.DataFrame, name: str, raw: pd.Series, outcome: Outcome, limits: Range, level: str
) -> Iterator[Range]:
    """Yield the range in each cell that the outcome is standardised in."""
    if outcome["standardise"] == "none":
        yield limits
        return
    cells = [column for column in WITHIN[level] if column in now]
    both = pd.DataFrame({"y": raw.to_numpy("float64"), "z": now[name].to_numpy("float64")})
    both = both.assign(**{column: now[column].to_numpy() for column in cells}).dropna()
    for _, cell in both.groupby(cells):
        lowest, highest = cell.loc[cell["y"].idxmin()], cell.loc[cell["y"].idxmax()]
        if lowest["y"] == highest["y"]:
            continue
        slope = (highest["z"] - lowest["z"]) / (highest["y"] - lowest["y"])
        made = lowest["z"] + slope * (cell["y"] - lowest["y"])
        if np.abs(made - cell["z"]).max() > CLOSE:
            message = f"{name} is not a linear function of the marks that it was made from"
            raise ValueError(message)
        low, high = (float(lowest["z"] + slope * (end - lowest["y"])) for end in limits)
        # Rounding must not put the least mark below the range.
        yield min(low, float(cell["z"].min())), max(high, float(cell["z"].max()))
