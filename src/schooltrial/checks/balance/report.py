"""All results on balance: by variable, jointly, and year by year; of both samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schooltrial.checks.balance.adjusted_differences import Redrawing
from schooltrial.checks.balance.analysed import analysed_rows, primary_analysis
from schooltrial.checks.balance.compared_columns import with_attributes
from schooltrial.checks.balance.omnibus import OMNIBUS_COLUMNS, balance_omnibus
from schooltrial.checks.balance.pretrends import compare_pretrends, pretrends_omnibus
from schooltrial.checks.balance.standardised_differences import (
    ANALYSED,
    ASSIGNED,
    COLUMNS,
    RANDOMISED,
    BalanceRows,
    balance_rows,
    balance_table,
)
from schooltrial.data.rows.filters import among
from schooltrial.protocol.content.sections import Model
from schooltrial.randomisation.criterion import NOT_BY_LOT


@dataclass(frozen=True)
class BalanceReport:
    """The tables of the balance checks.

    Attributes
    ----------
    balance, omnibus, pretrends : DataFrame
        See `standardised_differences.balance_table`, `omnibus.balance_omnibus` and
        `pretrends.compare_pretrends`.
    """

    balance: pd.DataFrame
    omnibus: pd.DataFrame
    pretrends: pd.DataFrame


def balance_report(
    pupils: pd.DataFrame,
    settings: Mapping[str, Any],
    labels: Mapping[str, str],
    year: int,
    *,
    arms: Sequence[str] | None = None,
    models: Mapping[str, Model] | None = None,
    outcomes: Sequence[str] = (),
    before: Sequence[int] = (),
    unit: str = "school",
    assignment: pd.DataFrame | None = None,
    schools: pd.DataFrame | None = None,
    teachers: pd.DataFrame | None = None,
    panel: pd.DataFrame | None = None,
    redrawing: Redrawing | None = None,
    populations: Mapping[str, Mapping[str, Any]] | None = None,
    take_up: str | None = None,
    scored: Sequence[str] = (),
) -> BalanceReport:
    """Compare the groups in every way that the data allow.

    Parameters
    ----------
    pupils : DataFrame
        The sample, pupil × year.
    settings, labels : mapping
        The protocol's ``balance`` section; variable → name in exhibits.
    year : int
        Baseline year.
    arms : sequence of str, optional
        Names, control first. Without them all treated are taken together, and no table of joint
        tests or years is made of several groups.
    models : mapping, optional
        Models of the protocol: the first primary one defines the analysed sample.
    outcomes : sequence of str
        Outcomes that are compared in the years before.
    before : sequence of int
        Years before the programme.
    unit : {"school", "teacher", "pupil"}
        What was assigned.
    assignment, schools : DataFrame, optional
        Standard tables: with both, schools without pupils count where schools were assigned.
    teachers, panel : DataFrame, optional
        Samples of teachers (teacher × year) and of schools (school × year × outcome). Where a study
        has no pupils, the school's own outcomes of the baseline year are compared.
    redrawing : Redrawing, optional
    populations : mapping, optional
        Outcome → the filter of those whose outcome it is.
    take_up : str, optional
        What a model of the effect on compliers needs too.
    scored : sequence of str
        Outcomes whose score from before is of the baseline year.
    """
    every = _assigned_schools(assignment, schools, arms) if unit == "school" else None
    if every is not None and pupils.empty:
        every = with_school_outcomes(every, panel, year)
    elif every is not None:
        then = pupils[pupils["year"] == year]
        every = with_attributes(every, then, list(settings["school_variables"]))
    samples = [(balance_rows(pupils, settings, year, schools=every, teachers=teachers), arms)]
    analysed = _analysed(pupils, teachers, settings, models or {}, year, every, take_up, scored)
    if analysed is not None:
        samples.append((analysed[0], _compared(arms, analysed[1])))
    tables = [
        balance_table(
            rows, settings, labels, populations=populations, arms=those, redrawing=redrawing
        )
        for rows, those in samples
    ]
    joint = [
        balance_omnibus(rows, settings, labels, arms=those, redrawing=redrawing)
        for rows, those in samples
    ]
    options: dict[str, Any] = {"arms": arms, "redrawing": redrawing}
    trends = []
    for frame, level, named in _before(pupils, teachers, panel, outcomes):
        if not len(frame) or not frame["year"].isin(list(before)).any():
            continue
        trends.append(compare_pretrends(frame, named, before, level, settings, labels, **options))
        joint.append(pretrends_omnibus(frame, named, before, labels, **options))
    by_lot = redrawing is None or redrawing.impossible != NOT_BY_LOT
    return BalanceReport(
        *(
            _stacked(parts, columns).replace({"sample": {} if by_lot else {RANDOMISED: ASSIGNED}})
            for parts, columns in (
                (tables, COLUMNS), (joint, OMNIBUS_COLUMNS), (trends, ["year", *COLUMNS])
            )
        )
    )  # fmt: skip


def _assigned_schools(
    assignment: pd.DataFrame | None, schools: pd.DataFrame | None, arms: Sequence[str] | None
) -> pd.DataFrame | None:
    """Return the schools that were assigned, with what is known of them."""
    if assignment is None or schools is None or arms is None:
        return None
    own = assignment[[name for name in ("school", "block", "arm") if name in assignment]].copy()
    own["arm"] = own["arm"].astype("str")
    own["treated"] = (own["arm"] != arms[0]).astype("float64")
    known = schools[["school", *[name for name in schools if name not in own]]]
    return own.merge(known, on="school", how="left", validate="one_to_one")


def with_school_outcomes(
    schools: pd.DataFrame, panel: pd.DataFrame | None, year: int
) -> pd.DataFrame:
    """Return schools with a column for each outcome that was published of them in a year."""
    if panel is None or panel.empty:
        return schools
    then = panel[panel["year"] == year].astype({"school": "str"})
    means = then.pivot_table(index="school", columns="outcome", values="mean", observed=True)
    new = means[[name for name in means if name not in schools]]
    return schools.merge(new, left_on="school", right_index=True, how="left")


def _analysed(
    pupils: pd.DataFrame,
    teachers: pd.DataFrame | None,
    settings: Mapping[str, Any],
    models: Mapping[str, Model],
    year: int,
    every: pd.DataFrame | None,
    take_up: str | None,
    scored: Sequence[str],
) -> tuple[BalanceRows, list[Model]] | None:
    """Return the rows of the analysed sample, and the models that analyse it.

    They are those of the first primary outcome of each level. What a school is comes from the
    table of schools, as pupils who moved bring what was known of another school in the baseline
    year; means of pupils are those of the pupils analysed there.
    """
    found: dict[str, pd.DataFrame] = {}
    fitted: list[Model] = []
    for person, frame in (("pupil", pupils), ("teacher", teachers)):
        if frame is not None:
            name, outcome = primary_analysis(models, list(frame.columns))
            if not name:
                continue
            rows = analysed_rows(frame, models[name], outcome, year, person, take_up, scored)
            found |= {} if rows is None else {person: rows}
            fitted += [] if rows is None else [models[name]]
    if not found:
        return None
    people = found.get("pupil", pupils.iloc[:0])
    there = people if len(people) else found["teacher"]
    schools = None if every is None else every[among(every["school"], there["school"])]
    rows = balance_rows(
        people, settings, None, sample=ANALYSED, schools=schools, teachers=found.get("teacher")
    )
    return rows, fitted


def _compared(arms: Sequence[str] | None, models: Sequence[Model]) -> Sequence[str] | None:
    """Return the groups that any of these models compares, the control group first."""
    if arms is None or any(not model.get("arms") for model in models):
        return arms
    named = {arm for model in models for arm in model["arms"]}
    return [arm for at, arm in enumerate(arms) if at == 0 or arm in named]


def _before(
    pupils: pd.DataFrame,
    teachers: pd.DataFrame | None,
    panel: pd.DataFrame | None,
    outcomes: Sequence[str],
) -> Iterator[tuple[pd.DataFrame, str, list[str]]]:
    """Yield, for each level, its rows and the outcomes that are measured there."""
    seen: set[str] = set()
    for frame, level in ((pupils, "pupil"), (teachers, "teacher"), (_wide(panel), "school")):
        if frame is None:
            continue
        own = [name for name in outcomes if name in frame and name not in seen]
        seen |= set(own)
        if own:
            yield frame, level, own


def _wide(panel: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return a school × year table with a column for each outcome."""
    if panel is None or panel.empty:
        return None
    keys = [name for name in ("school", "block", "arm", "treated", "year") if name in panel]
    plain = panel.astype({name: "str" for name in ("school", "block", "arm") if name in panel})
    return plain.pivot_table(index=keys, columns="outcome", values="mean").reset_index()


def _stacked(tables: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    if not filled:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(filled, ignore_index=True)
