"""Which rows lie in cells of school and year that inform a model of changes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.models.cohort_regressions.linear_forms import Regression, estimate_by_regression
from schooltrial.models.group_time.cells import plan_cells, schools_of
from schooltrial.models.group_time.panel import NEVER, SchoolPanel
from schooltrial.protocol.content.sections import (
    Model,
    Years,
    reference_year,
)


def find_informative_cells(
    frame: pd.DataFrame, complete: pd.Series, model: Model, years: Years
) -> pd.Series:
    """Return which rows are in a cell that a model of changes uses.

    The change of a school is measured from a year before to the year itself: a cell informs it
    only where the school has the other one too. For a difference in differences that is any year
    before the programme. For staggered adoption it is the base year of a group-time effect (the
    last year of the panel before the cohort began), and the cells are those that are estimated.

    Parameters
    ----------
    frame : DataFrame
        Rows of pupils or cells: ``school``, ``year``, and where cohorts are compared ``cohort``.
    complete : Series of bool
        Rows that the model takes.
    model : Model
        One of ``difference_in_differences`` and ``staggered_adoption``.
    years : Years
        The protocol's section.
    """
    cells = frame.loc[complete, ["school", "year"]].drop_duplicates()
    held = pd.MultiIndex.from_frame(cells.astype({"school": "str", "year": "int64"}))
    school = frame["school"].astype("str")
    year = frame["year"].to_numpy("int64")

    def has(other: np.ndarray | int) -> np.ndarray:
        wanted = pd.MultiIndex.from_arrays([school, np.broadcast_to(other, len(frame))])
        return np.asarray(wanted.isin(held))

    if model["estimator"] == "staggered_adoption":
        informs = _of_cohorts(frame, complete, model)
    else:
        before = years["baseline"] or [reference_year(years)]
        then = np.logical_or.reduce([has(int(one)) for one in before])
        informs = then | np.isin(year, before)
    return pd.Series(informs, index=frame.index) & complete


def _of_cohorts(frame: pd.DataFrame, complete: pd.Series, model: Model) -> npt.NDArray[np.bool_]:
    """Return which rows inform an effect of their year, or of years before the programme.

    Of schools on which no effect after the programme began rests, none does. A year from which
    others are measured informs as such where the school, or nobody, has begun by then: a school
    that is never treated and lacks the base year of the cohorts that have begun says nothing of it.
    """
    nobody = np.zeros(len(frame), dtype=bool)
    inside = complete.to_numpy("bool")
    if not inside.any():
        return nobody
    began = np.zeros(len(frame))
    if "cohort" in frame:
        began = np.nan_to_num(frame["cohort"].to_numpy("float64", na_value=np.nan))
    schools, row = np.unique(frame["school"].astype("str"), return_inverse=True)
    there, column = np.unique(frame["year"].to_numpy("int64"), return_inverse=True)
    seen = np.full((len(schools), len(there)), np.nan)
    seen[row[inside], column[inside]] = 0.0
    known = np.isfinite(seen).any(axis=0)
    cohort = np.zeros(len(schools), dtype=np.int64)
    cohort[row] = began.astype(np.int64)
    if model["method"] != "callaway_santanna":
        panel = SchoolPanel(seen[:, known], there[known], cohort, schools)
        found = np.zeros(seen.shape, dtype=bool)
        found[:, known] = _of_regression(panel, model["method"], model)
        return np.asarray(found[row, column])
    later = model["comparison_group"] == "not_yet_treated"
    outside = cohort > there[known].max()
    # Not treated in any year of the panel: comparisons, or of no use.
    cohort = np.where(outside & later, NEVER, cohort)
    used = SchoolPanel(seen[:, known], there[known], cohort, schools)
    kept = used.seen.any(axis=1) & ~(outside & (not later))
    panel = used.kept(kept)
    cells = plan_cells(
        panel, model["comparison_group"], model["base_period"], model["anticipation"]
    )
    effects = {cell.cohort for cell in cells if cell.since >= 0}
    rests = np.zeros(len(panel.schools), dtype=bool)
    marked = np.zeros(panel.outcome.shape, dtype=bool)
    for cell in (cell for cell in cells if cell.cohort in effects):
        own, others = schools_of(panel, cell)
        at, base = np.searchsorted(panel.years, [cell.year, cell.base])
        marked[own | others, at] = True
        marked[own | (others & (cell.base < min(effects))), base] = True
        rests |= (own | others) & (cell.since >= 0)
    found = np.zeros(seen.shape, dtype=bool)
    found[np.ix_(kept, known)] = marked & rests[:, None]
    return np.asarray(found[row, column])


def _of_regression(panel: SchoolPanel, method: Regression, model: Model) -> npt.NDArray[np.bool_]:
    """Return the cells that a regression of cohorts gives a weight, (N, T)."""
    window = model["event_window"]
    seen = np.asarray(panel.seen.any(axis=1))
    kept = panel.kept(seen)
    weighed = np.zeros(panel.outcome.shape, dtype=bool)
    try:
        effects = estimate_by_regression(
            kept, method, comparison_group=model["comparison_group"],
            anticipation=model["anticipation"],
            event_window=(window[0], window[1]) if window else None,
        ).effects  # fmt: skip
    except ValueError:  # the model is refused for it, and nobody is analysed
        return weighed
    loadings = np.abs(effects.loadings)
    if effects.by_group:
        loadings = loadings[kept.group]
    rests = loadings[:, :, 0].max(axis=1) > 0  # the first row is the overall effect
    weighed[seen] = (loadings.max(axis=2) > 0) & rests[:, None] & kept.seen
    return weighed
