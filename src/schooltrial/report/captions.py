"""The sentences of a caption that hold only of some drawings of its figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from schooltrial.exhibits.figures import trends
from schooltrial.exhibits.figures.event_study import vertical_limits
from schooltrial.exhibits.figures.love_plot import FARTHEST
from schooltrial.exhibits.figures.school_means import BEFORE, CROWD, PRETEST, pairs_of
from schooltrial.exhibits.figures.timeline import FEW, TEST

Fact = Callable[[pd.DataFrame], bool]

LEAST_SQUARES = ("cluster_robust", "randomisation_inference", "wild_bootstrap")
"""Estimators that average over people."""


def _has(column: str, *values: str) -> Fact:
    """Return whether a column of what is drawn has any of some values."""
    return lambda rows: column in rows and bool(rows[column].isin(values).any())


def _several(column: str) -> Fact:
    """Return whether a column of what is drawn has more than one value."""
    return lambda rows: column in rows and bool(rows[column].nunique() > 1)


def _numbered(rows: pd.DataFrame) -> bool:
    """Return whether there is room for how many were measured."""
    return 1 <= int(rows.loc[rows["kind"] == TEST, "start"].nunique()) <= FEW


def _both_samples(rows: pd.DataFrame) -> bool:
    return bool(rows["sample"].eq("analysed").any() and rows["sample"].ne("analysed").any())


def _people_alone(rows: pd.DataFrame) -> bool:
    return bool(rows["level"].isin(["pupil", "teacher"]).any() and rows["level"].ne("school").all())


def _people_and_schools(rows: pd.DataFrame) -> bool:
    people = rows["level"].isin(["pupil", "teacher"])
    return bool(people.any() and rows["level"].eq("school").any())


def _arrows(rows: pd.DataFrame) -> bool:
    sizes = rows["size"].astype("float64").abs()
    return bool((sizes > FARTHEST).any())


def _share_scale(rows: pd.DataFrame) -> bool:
    """Return whether two outcomes have one unit."""
    return bool((rows.groupby("units_label")["outcome"].nunique() > 1).any())


def _runs_farther(rows: pd.DataFrame) -> bool:
    """Return whether an interval or band runs beyond its panel."""
    return any(_cut(of_unit) for _, of_unit in rows.groupby("units_label"))


def _cut(rows: pd.DataFrame) -> bool:
    ends = rows[["conf_low", "conf_high", "band_low", "band_high"]]
    return _beyond(ends, vertical_limits(rows))


def _beyond(ends: pd.DataFrame, limits: tuple[float, float]) -> bool:
    numbers = ends.astype("float64").to_numpy()
    known = numbers[np.isfinite(numbers)]
    return bool((known < limits[0]).any() or (known > limits[1]).any())


def _means_run_farther(rows: pd.DataFrame) -> bool:
    """Return whether the interval of a mean runs beyond its panel."""
    return any(
        _beyond(of_unit[["conf_low", "conf_high"]], trends.vertical_limits(of_unit))
        for _, of_unit in rows.groupby("mean_unit")
    )


def _endless(rows: pd.DataFrame) -> bool:
    """Return whether an interval has no end on one side."""
    return bool(np.isinf(rows[["conf_low", "conf_high"]].astype("float64")).any(axis=None))


def _both_averages(rows: pd.DataFrame) -> bool:
    """Return whether some estimates average over schools, and others over people in schools."""
    if not rows["n_schools"].notna().any():
        return False
    estimators = set(rows["estimator"])
    return "multilevel" in estimators and not estimators.isdisjoint(LEAST_SQUARES)


def _overlapping(rows: pd.DataFrame) -> bool:
    """Return whether two intervals of an outcome and year have a part in common."""
    known = rows[rows["conf_low"].notna()].sort_values(["outcome", "year", "conf_low"])
    highest = known.groupby(["outcome", "year"])["conf_high"].transform(lambda ends: ends.cummax())
    before = highest.groupby([known["outcome"], known["year"]]).shift()
    return bool((known["conf_low"] <= before).any())


def _in_control_sd(rows: pd.DataFrame) -> bool:
    """Return whether an outcome was standardised by the control group in each year."""
    return bool(rows["standardise"].eq("control").any())


def _seen_once(rows: pd.DataFrame) -> bool:
    """Return whether a school was measured before the programme only, or after it only."""
    known = rows[rows["mean"].notna()]
    both = known[known["outcome"].isin(known.loc[known["when"] == BEFORE, "outcome"])]
    times = both.groupby(["outcome", "school"])["when"].nunique()
    return bool((times < both["when"].nunique()).any())


def _crowded(rows: pd.DataFrame) -> bool:
    """Return whether a ribbon shows the schools of a group."""
    return any(
        len(pairs_of(group).dropna()) > CROWD for _, group in rows.groupby(["outcome", "arm"])
    )


def _measured_after_only(rows: pd.DataFrame) -> bool:
    """Return whether an outcome was not measured before the programme."""
    before = rows.loc[(rows["when"] == BEFORE) & rows["mean"].notna(), "outcome"]
    return not rows["outcome"].isin(before).all()


FACTS: dict[str, dict[str, Fact]] = {
    "timeline": {
        "if_counts": _numbered,
        "if_randomised": _has("lane", "Randomised"),
        "if_assigned": _has("lane", "Assigned, not randomised"),
    },
    "love_plot": {
        "if_both_samples": _both_samples,
        "if_people": _people_alone,
        "if_people_and_schools": _people_and_schools,
        "if_arrows": _arrows,
        "if_crosses": _has("reading", "not known"),
    },
    "effects": {
        "if_scale": _share_scale,
        "if_both_averages": _both_averages,
        "if_endless": _endless,
    },
    "trends": {
        "if_intervals": _overlapping,
        "if_control_sd": _in_control_sd,
        "if_arrowheads": _means_run_farther,
    },
    "event_study": {
        "if_scale": _share_scale,
        "if_models": _several("model"),
        "if_arrowheads": _runs_farther,
    },
    "school_means": {
        "if_before": _has("when", BEFORE),
        "if_after_only": _measured_after_only,
        "if_pretest": _has("years", PRETEST),
        "if_ribbon": _crowded,
        "if_once": _seen_once,
        "if_control_sd": _in_control_sd,
    },
    "flow": {
        "if_lost": _has("kind", "lost"),
        "if_joined": _has("kind", "joined"),
    },
}  # fmt: skip
"""Figure → the key of a sentence of its caption → whether it holds of what is drawn."""


def sentences(name: str, words: Mapping[str, str], rows: pd.DataFrame | None) -> list[str]:
    """Return the sentences of a figure's caption that hold of what is drawn.

    Parameters
    ----------
    name : str
        Of the figure.
    words : mapping
        Its entry in ``exhibits/captions.yaml``.
    rows : DataFrame or None
        What it draws; None where that is not known.
    """
    if rows is None or rows.empty:
        return []
    return [words[key] for key, holds in FACTS.get(name, {}).items() if holds(rows)]
