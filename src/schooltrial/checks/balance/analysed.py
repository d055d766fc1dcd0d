"""The people of the primary analysis, as they were at baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.data.rows.analysed import is_analysed
from schooltrial.data.rows.filters import among
from schooltrial.protocol.content.sections import Model

PLACE = ["school", "cluster", "block", "arm", "treated", "teacher"]


def primary_analysis(models: Mapping[str, Model], outcomes: Sequence[str]) -> tuple[str, str]:
    """Return the first primary model and its first outcome among those named; empty if none."""
    for name, model in models.items():
        for outcome in model["outcomes"]:
            if model["role"] == "primary" and outcome in outcomes:
                return name, outcome
    return "", ""


def analysed_rows(
    pupils: pd.DataFrame,
    model: Model,
    outcome: str,
    baseline: int,
    person: str = "pupil",
    take_up: str | None = None,
    scored: Sequence[str] = (),
) -> pd.DataFrame | None:
    """Return one row per analysed pupil (or teacher), with what is known of the baseline year.

    Parameters
    ----------
    pupils : DataFrame
        The sample, pupil × year.
    model : mapping
        The primary model.
    outcome : str
        Its outcome.
    baseline : int
        Baseline year.
    person : {"pupil", "teacher"}
        Whose sample it is.
    take_up : str, optional
        What a model of the effect on compliers needs too.
    scored : sequence of str
        Outcomes whose score from before is of the baseline year. The sample holds that of everyone
        on a roster then, also of those whose class or teacher was not randomised.

    Returns
    -------
    DataFrame or None
        School, block and arm are those of the analysis; all else is of the baseline year, missing
        for pupils who were not in the sample then, their scores apart. None where no analysed pupil
        was there: another cohort was analysed, and nothing of its baseline is known beside what the
        covariates of the model hold.
    """
    analysed = analysed_pupils(pupils, model, outcome, person, take_up).drop_duplicates(person)
    then = pupils[(pupils["year"] == baseline) & among(pupils[person], analysed[person])]
    if then.empty:
        return None
    place = [name for name in PLACE if name in pupils and name != person]
    before = then.drop(columns=place)
    known = {name: score_before(analysed, name) for name in scored if name in before}
    joined = analysed[[person, *place]].merge(before, on=person, how="left")
    for name, score in known.items():
        joined[name] = joined[name].fillna(score.reset_index(drop=True))
    return joined.assign(year=baseline).sort_values(person, ignore_index=True)


def score_before(rows: pd.DataFrame, outcome: str) -> pd.Series:
    """Return the score from before of each row; missing if there is none (the sample holds 0)."""
    name = f"{outcome}_before"
    if name not in rows:
        return pd.Series(float("nan"), rows.index)
    return rows[name].mask(rows[f"{name}_missing"] == 1)


def analysed_pupils(
    pupils: pd.DataFrame,
    model: Model,
    outcome: str,
    person: str = "pupil",
    take_up: str | None = None,
) -> pd.DataFrame:
    """Return the rows that the model is fitted to: in its population, and complete."""
    kept = is_analysed(pupils, model, outcome, take_up)
    return pupils[kept].sort_values(["year", person], ignore_index=True)
