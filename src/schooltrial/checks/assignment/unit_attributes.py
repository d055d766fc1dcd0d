"""Attributes of randomised units other than their group, from the study's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from schooltrial.data.rows.coding import code_columns
from schooltrial.randomisation.units import unit_column


@dataclass(frozen=True)
class KnownOfUnits:
    """What is known of the units; all of it may be lacking.

    Attributes
    ----------
    described : iterable of str
        Units of the table of schools (teachers, pupils).
    frame : DataFrame
        The frame of the draw.
    covariates : DataFrame
        Baseline variables, indexed by unit.
    baselines : DataFrame
        Baselines of the primary outcomes, indexed by unit, by the names of the outcomes.
    first_outcome : mapping of str to Timestamp
        First day on which the outcome was measured.
    pupils : DataFrame
        ``pupil, year, cluster, arm``.
    taken_up : Series
        Unit → share that took the programme up.
    """

    described: Iterable[str] | None = None
    frame: pd.DataFrame | None = None
    covariates: pd.DataFrame | None = None
    baselines: pd.DataFrame | None = None
    first_outcome: Mapping[str, pd.Timestamp] | None = None
    pupils: pd.DataFrame | None = None
    taken_up: pd.Series | None = None


def known_of_units(
    sample: pd.DataFrame,
    assignment: pd.DataFrame,
    unit: str,
    *,
    schools: pd.DataFrame | None = None,
    scores: pd.DataFrame | None = None,
    frame: pd.DataFrame | None = None,
    panel: pd.DataFrame | None = None,
    teachers: pd.DataFrame | None = None,
    variables: Sequence[str] = (),
    primary: Mapping[str, str] | None = None,
    baseline: int | None = None,
    before: Sequence[int] = (),
    take_up: str | None = None,
) -> KnownOfUnits:
    """Gather what is known.

    Parameters
    ----------
    sample : DataFrame
        Pupil × year.
    assignment : DataFrame
        One row per unit.
    unit : {"school", "teacher", "pupil"}
        What was assigned.
    schools, scores : DataFrame, optional
        Standard tables; of ``scores`` the dates ``tested``.
    frame : DataFrame, optional
        The frame of the draw.
    panel : DataFrame, optional
        School × year × outcome: its outcomes of the year ``baseline``, if that lies before the
        programme, are tested where schools were assigned and the sample has none of the variables.
    teachers : DataFrame, optional
        Teacher × year, for baselines of outcomes of teachers.
    variables : sequence of str
        Variables of the sample whose means in the year ``baseline`` are tested.
    primary : mapping of str to str, optional
        Primary outcomes and their names in exhibits; the baseline of each is tested on its own.
    baseline : int, optional
    before : sequence of int
        Years before the programme: tests of these years may precede the draw.
    take_up : str, optional
        A 0/1 variable of the assignment table or the sample.
    """
    own = unit_column(sample)
    pupils = sample[["pupil", "year", own, "arm"]].rename(columns={own: "cluster"})
    pupils = pupils.astype({"cluster": "str", "arm": "str"})
    means = _means(sample[sample["year"] == baseline], own, variables)
    if means is None and panel is not None and unit == "school" and baseline in before:
        means = _published(panel[panel["year"] == baseline])
    frames = [sample, *([] if teachers is None else [teachers])]
    own_baselines = _baselines(frames, panel, unit, primary or {}, baseline, before)
    return KnownOfUnits(
        described=list(schools["school"]) if schools is not None and unit == "school" else None,
        frame=frame,
        covariates=means,
        baselines=own_baselines,
        first_outcome=_first_outcome(scores, pupils, before),
        pupils=pupils,
        taken_up=_taken_up(take_up, sample, own, assignment, unit),
    )


def _means(then: pd.DataFrame, own: str, variables: Sequence[str]) -> pd.DataFrame | None:
    """Return the mean of each column of the variables, by unit."""
    names = [name for name in dict.fromkeys(variables) if name in then and len(then)]
    columns = code_columns(then, names, levels="all")
    if not columns:
        return None
    frame = pd.DataFrame({column.label: column.values for column in columns})
    return frame.groupby(then[own].astype("str").to_numpy()).mean()


def _baselines(
    frames: Sequence[pd.DataFrame],
    panel: pd.DataFrame | None,
    unit: str,
    primary: Mapping[str, str],
    year: int | None,
    before: Sequence[int],
) -> pd.DataFrame | None:
    """Return the mean baseline of each primary outcome by unit, where one is known.

    It is the outcome itself where the baseline year lies before the programme, else what the
    sample holds of the years before: the pupil's own score, or that of the school.
    """
    found: dict[str, pd.Series] = {}
    for outcome, label in primary.items():
        names = [f"{outcome}_before", f"{outcome}_before_school"]
        names = [outcome, *names] if year in before else names
        for frame in frames:
            then = frame[frame["year"] == year] if len(frame) else frame
            known = [values for name in names if (values := _known(then, name)).notna().any()]
            if known and label not in found:
                own = then[unit_column(then)].astype("str")
                found[label] = known[0].groupby(own.to_numpy()).mean()
        if label not in found and panel is not None and unit == "school" and year in before:
            published = _published(panel[panel["year"] == year])
            if published is not None and outcome in published:
                found[label] = published[outcome]
    return pd.DataFrame(found) if found else None


def _known(then: pd.DataFrame, name: str) -> pd.Series:
    """Return a column, missing if it was filled because nothing was known."""
    if name not in then:
        return pd.Series(dtype="float64")
    values, filled = then[name].astype("float64"), f"{name}_missing"
    return values.mask(then[filled] == 1) if filled in then else values


def _published(then: pd.DataFrame) -> pd.DataFrame | None:
    """Return the outcomes of schools that were published in a year."""
    if then.empty:
        return None
    keyed = then.assign(school=then["school"].astype("str"))
    return keyed.pivot_table(index="school", columns="outcome", values="mean", observed=True)


def _first_outcome(
    scores: pd.DataFrame | None, pupils: pd.DataFrame, before: Sequence[int]
) -> dict[str, pd.Timestamp] | None:
    if scores is None or "tested" not in scores or "pupil" not in scores:
        return None
    after = scores.loc[~scores["year"].isin(list(before)), ["pupil", "year", "tested"]].dropna()
    linked = after.merge(pupils, on=["pupil", "year"])
    if linked.empty:
        return None
    first = pd.to_datetime(linked["tested"]).groupby(linked["cluster"].to_numpy()).min()
    return {str(unit): day for unit, day in first.items()}


def _taken_up(
    variable: str | None, sample: pd.DataFrame, own: str, assignment: pd.DataFrame, unit: str
) -> pd.Series | None:
    if variable is None:
        return None
    if variable in assignment:
        return assignment.groupby(assignment[unit].astype("str"))[variable].mean()
    if variable in sample:
        return sample.groupby(sample[own].astype("str"))[variable].mean()
    return None
