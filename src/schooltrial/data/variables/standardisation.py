"""Put outcomes on a common scale: by the control group, by all, or by published norms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from schooltrial.protocol.content.sections import Norm, Outcome
from schooltrial.refusal import Fault, refuse
from schooltrial.wording import exact

Scale = tuple[float, float]
"""A mean and an SD."""


def standardise(
    frame: pd.DataFrame, outcome: str, *, within: Sequence[str], reference: np.ndarray
) -> pd.Series:
    """Return the outcome with mean 0 and SD 1 among the reference rows of each cell.

    z = (y − ȳ) / s, ȳ and s (divisor n − 1) being those of the reference rows of the same cell.
    Where a cell has fewer than two reference rows with different values, the result is missing:
    there is nothing to measure it by.

    Parameters
    ----------
    frame : DataFrame
        Rows with the outcome.
    outcome : str
        Column that is standardised.
    within : sequence of str
        Columns that make the cells; those that the frame lacks are left out.
    reference : ndarray of bool
        Rows whose mean and SD are taken.
    """
    cell = cells_of(frame, [name for name in within if name in frame])
    values = frame[outcome].to_numpy("float64")
    used = reference & (cell >= 0)
    known = pd.Series(values[used]).groupby(cell[used]).agg(["mean", "std"])
    known = known[known["std"] > 0].reindex(range(int(cell.max(initial=-1)) + 2))
    # A row without a cell is −1, and takes the last place, which is always missing.
    mean, spread = known["mean"].to_numpy()[cell], known["std"].to_numpy()[cell]
    return pd.Series((values - mean) / spread, index=frame.index)


def cells_of(frame: pd.DataFrame, within: Sequence[str]) -> np.ndarray:
    """Return the number of each row's cell; −1 where one of its variables is missing."""
    cell = np.zeros(len(frame), dtype=np.int64)
    lacking = np.zeros(len(frame), dtype=bool)
    for name in within:
        code, found = pd.factorize(frame[name])
        lacking |= code < 0
        cell = cell * len(found) + code
    return np.where(lacking, -1, cell)


def scale_at_baseline(
    then: pd.DataFrame, name: str, *, control: str, year: int, level: str
) -> Scale:
    """Return mean and SD of an outcome in the control group of its baseline year.

    Raises
    ------
    Refusal
        Where fewer than two of the group have it, or all have the same value.
    """
    values = then.loc[(then["arm"] == control).to_numpy(bool), name].astype("float64")
    mean, spread = float(values.mean()), float(values.std())
    if not spread > 0:
        found = f"{name} has {values.notna().sum()} values in the control group in {year}, "
        found += "without variation" if values.notna().any() else "the baseline year"
        expected = "different values in the control group in the baseline year"
        remedy = "set another `baseline_year`, or set `standardise: control`"
        refuse([Fault(f"{level}s table", found, expected, remedy, column=f"outcomes.{name}")])
    return mean, spread


def standardise_by_control(pupils: pd.DataFrame, outcome: str, *, control: str) -> pd.Series:
    """Return the outcome with mean 0 and SD 1 in the control group, within grade and year.

    Raises
    ------
    Refusal
        Where all of the control group have the same value, in every grade and year.
    """
    reference = (pupils["arm"] == control).to_numpy("bool")
    scaled = standardise(pupils, outcome, within=["grade", "year"], reference=reference)
    known = pupils.loc[reference, outcome].dropna()
    if scaled.isna().all() and len(known) > 1 and known.nunique() == 1:
        found = (
            f"{outcome} is {exact(known.iloc[0])} for all {len(known):,} of the control group, so "
            "that they have no standard deviation to measure effects by"
        )
        remedy = (
            "remove `standardise: control`; if the programme itself is counted (hours, sessions), "
            "it is no outcome: read it into `take_up` or the log of the programme"
        )
        expected = "different values in the control group"
        refuse([Fault("protocol", found, expected, remedy, column=f"outcomes.{outcome}")])
    return scaled


def standardise_by_norms(
    frame: pd.DataFrame,
    outcome: str,
    norms: Sequence[Norm],
    analysed: np.ndarray | None = None,
) -> pd.Series:
    """Return z = (y − mean) / SD by published norms.

    The norm that says most holds: that of the grade and year, else of the grade, else of the year,
    else of all. A row without a grade has only norms that name none.

    Parameters
    ----------
    frame : DataFrame
        Rows with the outcome, ``year`` and ``grade``.
    outcome : str
        Column that is standardised.
    norms : sequence of Norm
        ``mean``, ``sd`` and, where the norm is not of all, ``grade`` and ``year``.
    analysed : ndarray of bool, optional
        Rows whose scores must have a norm; by default all. The others are missing without one.

    Raises
    ------
    Refusal
        Where a grade and year with scores has no norm.
    """
    grade = frame["grade"] if "grade" in frame else pd.Series(np.nan, index=frame.index)
    keys = pd.DataFrame({"grade": grade.astype("float64"), "year": frame["year"].astype("int64")})
    code, cells = pd.factorize(pd.MultiIndex.from_frame(keys))
    chosen = [_norm(norms, *cell) for cell in cells]
    mean = np.array([np.nan if norm is None else norm["mean"] for norm in chosen], "float64")
    spread = np.array([np.nan if norm is None else norm["sd"] for norm in chosen], "float64")
    bound = frame[outcome].notna().to_numpy() & (True if analysed is None else analysed)
    scored = np.bincount(code[bound], minlength=len(cells))
    refuse(
        [
            Fault(
                "norms",
                f"{outcome} has scores of grade {exact(cell[0])} in {cell[1]}, but there is no "
                "norm for it",
                "a norm for every grade and year with scores",
                "add the norm, or exclude the grade or year in `sample.keep`",
                column=f"outcomes.{outcome}.norms",
            )
            for at, cell in enumerate(cells)
            if chosen[at] is None and scored[at] and not np.isnan(cell[0])
        ]
    )  # fmt: skip
    return pd.Series((frame[outcome].to_numpy("float64") - mean[code]) / spread[code], frame.index)


def _norm(norms: Sequence[Norm], grade: float, year: int) -> Norm | None:
    fitting = [
        norm for norm in norms if norm["grade"] in (None, grade) and norm["year"] in (None, year)
    ]
    told = [(norm["grade"] is not None, norm["year"] is not None) for norm in fitting]
    return fitting[told.index(max(told))] if fitting else None


def standardised(
    frame: pd.DataFrame,
    name: str,
    outcome: Outcome,
    *,
    control: str,
    within: Sequence[str],
    analysed: np.ndarray | None = None,
    at_baseline: Scale | None = None,
) -> pd.Series:
    """Return an outcome on the scale that the protocol declares for it.

    Parameters
    ----------
    frame : DataFrame
        Rows with the outcome, ``arm`` and what makes the cells.
    name, outcome : str and Outcome
        The column, and what the protocol says of it.
    control : str
        Name of the control group.
    within : sequence of str
        Columns that make the cells.
    analysed : ndarray of bool, optional
        Rows that set the scale; by default all. The others are measured by it.
    at_baseline : (float, float), optional
        Mean and SD of the control group in the outcome's baseline year.
    """
    rule = outcome["standardise"]
    counted = np.ones(len(frame), dtype=bool) if analysed is None else analysed
    if rule == "control":
        reference = counted & (frame["arm"] == control).to_numpy("bool")
        return standardise(frame, name, within=within, reference=reference)
    if rule == "all":
        return standardise(frame, name, within=within, reference=counted)
    if rule == "control_at_baseline" and at_baseline is not None:
        mean, spread = at_baseline
        return (frame[name].astype("float64") - mean) / spread
    if rule == "norms":
        return standardise_by_norms(frame, name, outcome["norms"], counted)
    return frame[name]


def standardised_for_all(
    frame: pd.DataFrame,
    name: str,
    outcome: Outcome,
    *,
    control: str,
    within: Sequence[str],
    analysed: np.ndarray,
    at_baseline: Scale | None = None,
) -> pd.Series:
    """Return an outcome on the scale of the analysed rows, for those outside the sample too.

    Where a cell has no scale by the rows that `standardised` takes (a grade that no class of the
    control group was in), it is that of all rows of the cell. Norms have no such substitute.
    """
    made = standardised(
        frame, name, outcome, control=control, within=within, analysed=analysed,
        at_baseline=at_baseline,
    )  # fmt: skip
    lacking = made.isna() & frame[name].notna()
    if outcome["standardise"] not in ("control", "all") or not lacking.any():
        return made
    everyone = np.ones(len(frame), dtype=bool)
    return made.where(~lacking, standardise(frame, name, within=within, reference=everyone))
