"""Randomised schools and teachers without data in a year: why, as far as known."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.ledger.log_texts import CLOSED, MERGED, SCHOOLS_WITH_SCORES, WITHHELD
from schooltrial.data.linking.school_crosswalk import Crosswalk, SchoolsOfYear

PUBLISHED = "published values"
"""Step of the ledger at which suppressed values leave."""


def leave_absent(
    told: pd.DataFrame, absent: pd.Series, ledger: Ledger, *, level: str, step: str, reason: str,
    schools: Sequence[str] = (), of_year: SchoolsOfYear | None = None,
) -> None:  # fmt: skip
    """Log the units without data in a year; for schools, also those that had changed.

    Parameters
    ----------
    told : DataFrame
        The assigned units of one year: ``year``, ``arm`` and the unit.
    absent : Series of bool
        Whether a unit has no data.
    ledger : Ledger
    level, step, reason : str
        As in `Ledger.leave`; the reason where nothing more is known.
    schools, of_year
        What the crosswalk makes of schools (in order of their names) in that year.
    """
    if of_year is not None:
        became = of_year.lineage[np.searchsorted(schools, told["school"])]
        merged = (became >= 0) & of_year.merged[np.maximum(became, 0)]
        changed = pd.DataFrame({CLOSED: became < 0, MERGED: merged}, index=told.index)
        for why in changed:
            gone = absent & changed.loc[told.index, why]
            told = ledger.leave(told, gone, step=step, reason=why, level=level)
            absent = absent[told.index]
    ledger.leave(told, absent, step=step, reason=reason, level=level)


def leave_without_values(
    told: pd.DataFrame, absent: pd.Series, ledgers: tuple[Ledger, Ledger], crosswalk: Crosswalk,
    assigned: Collection[str], *, reason: str,
) -> None:  # fmt: skip
    """Log the assigned schools without a value that is analysed in a year.

    Parameters
    ----------
    told, absent
        As in `leave_absent`.
    ledgers : (Ledger, Ledger)
        Of units, to be told; and of school scores, which knows whose values were suppressed.
    crosswalk : Crosswalk
    assigned : collection of str
    reason : str
        Where nothing more is known.
    """
    units, scores = ledgers
    year, step = int(told["year"].iloc[0]), SCHOOLS_WITH_SCORES
    withheld = {
        str(school)
        for part in scores.departures
        if part.step == PUBLISHED
        for school, when in zip(part.unit, part.year, strict=True)
        if when == year
    }
    hidden = absent & told["school"].isin(withheld)
    told = units.leave(told, hidden, step=step, reason=WITHHELD, level="school")
    schools = sorted({*map(str, assigned), *crosswalk.schools()})
    of_year = crosswalk.of_year(schools, assigned, year) if crosswalk.changes else None
    leave_absent(
        told, absent[told.index], units, level="school", step=step, reason=reason,
        schools=schools, of_year=of_year,
    )  # fmt: skip
