"""The effects of the programme: estimate and interval by outcome and model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import fsum, isfinite, nan
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import MaxNLocator

from schooltrial.document.numbers import effect_decimals, interval, number, p_text, signed
from schooltrial.exhibits.style.figures import (
    CONTROL,
    FAINT,
    INK,
    LETTERS,
    MUTED,
    TREATED,
    foot,
    new_figure,
    nothing_drawn,
    styled,
)
from schooltrial.exhibits.style.text_lines import width_of, wrap
from schooltrial.protocol.content.filters import years_named
from schooltrial.protocol.content.people import people_counted
from schooltrial.protocol.content.sections import Arm, Model, Outcome, StudyLine, Years
from schooltrial.protocol.content.shown_units import as_shown, effect_unit
from schooltrial.wording import plural

SHOWN = ("ITT", "ATT", "CACE")


LABEL, LINE = 4.7, 0.15
"""Inches of a line of a model's label, which stands above its interval, and its height."""


PLOT, HALF = 0.22, 0.085
"""Inches of an interval's line, and of half its numbers."""


AROUND, HEAD = 0.7, 0.6
"""Inches of a panel's title and axis, and of what stands above and below all panels."""


APART = 8.0
"""Points between the columns of numbers at the right."""


EDGE = 0.12
"""Inches at the sides: letters are spaced by whole pixels, and wider where these are larger."""


ARM = re.compile(r"treated\[arm=(.+)\]")


def drawn(
    estimates: pd.DataFrame,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    years: Years,
    arms: Sequence[Arm] = (),
) -> pd.DataFrame:
    """Return one row per effect, in protocol order: outcomes, then models.

    ``counted`` says whom ``n_individuals`` counts. Where a study has several intervention groups,
    the label of an effect of one of them names it.
    """
    names = {str(arm["name"]): str(arm["label"]) for arm in arms}
    rows = estimates[estimates["estimand"].isin(SHOWN) & estimates["estimate"].notna()].copy()
    primary = [outcome for outcome, section in outcomes.items() if section["primary"]]
    roles = {name: model["role"] for name, model in models.items()}
    rows["primary"] = (rows["model"].map(roles) == "primary") & rows["outcome"].isin(primary)
    rows["model_label"] = [
        models[model]["label"] + _of_arm(term, names, models[model].get("arms") or [])
        for model, term in zip(rows["model"], rows["term"], strict=True)
    ]
    rows["conf_level"] = rows["model"].map(
        {name: model["confidence_level"] for name, model in models.items()}
    )
    rows["outcome_label"] = rows["outcome"].map({n: o["label"] for n, o in outcomes.items()})
    rows["units_label"] = rows["outcome"].map({n: effect_unit(o) for n, o in outcomes.items()})
    rows = as_shown(rows, outcomes, ["estimate", "conf_low", "conf_high"])
    rows["counted"] = [
        people_counted(models[model], outcomes[outcome], years)
        for model, outcome in zip(rows["model"], rows["outcome"], strict=True)
    ]
    rows["_outcome"] = rows["outcome"].map({name: i for i, name in enumerate(outcomes)})
    rows["_model"] = rows["model"].map({name: i for i, name in enumerate(models)})
    rows = rows.sort_values(["_outcome", "_model", "term"], ignore_index=True)
    kept = [
        "outcome", "outcome_label", "units_label", "model", "model_label", "estimand", "primary",
        "subgroup",
    ]  # fmt: skip
    sizes = ["estimate", "conf_low", "conf_high", "conf_level", "p_value"]
    return rows[[*kept, *sizes, "counted", "n_individuals", "n_schools"]]


def _of_arm(term: str, names: Mapping[str, str], compared: Sequence[str]) -> str:
    """Return what separates an arm's effect from those of the others.

    ``compared`` are the groups that a model names; where one of several is compared with the
    control group, which is the first of ``names``, the term itself does not say which.
    """
    found = ARM.fullmatch(term)
    if found:
        return f": {names.get(found[1], found[1])}"
    alone = [arm for arm in compared if arm in list(names)[1:]]
    return f": {names[alone[0]]}" if len(alone) == 1 and len(names) > 2 else ""


@styled
def effects_plot(data: pd.DataFrame, study: StudyLine) -> Figure:
    """Draw one panel per outcome: estimates with intervals, primary analyses filled."""
    if data.empty:
        return nothing_drawn("The protocol's models estimate no effect of the offer.", study)
    sizes = data.groupby("outcome", sort=False).size()
    font = FontProperties(size=LETTERS)
    names = ["\n".join(wrap(text, LABEL, font)) for text in data["model_label"]]
    data = data.assign(named=names)
    data["tall"] = [LINE * (name.count("\n") + 1) + PLOT for name in names]
    heights = list(data.groupby("outcome", sort=False)["tall"].sum())
    figure, panels = new_figure(
        HEAD + AROUND * len(sizes) + fsum(heights), rows=len(sizes), height_ratios=heights
    )
    shown = [_effect_text(row) for _, row in data.iterrows()]
    font = FontProperties(size=LETTERS, weight="bold")
    head = f"Estimate ({_levels(data)} CI)"
    second = APART + max(72 * width_of(text, font) for text in [head, *shown]) + APART
    for panel, (_, rows) in zip(panels, data.groupby("outcome", sort=False), strict=True):
        same_unit = data[data["units_label"] == rows["units_label"].iloc[0]]
        _draw_outcome(panel, rows.reset_index(drop=True), _limits(same_unit), second)
    _head(panels[0], head, APART)
    said = ""
    for panel, (_, rows) in zip(panels, data.groupby("outcome", sort=False), strict=True):
        counted = count_head(rows)
        if counted != said:  # once, until others are counted
            _head(panel, counted, second)
            panel.set_title(panel.get_title(loc="left"), pad=18)  # above the heads of the numbers
        said = counted
    figure.set_layout_engine("constrained", w_pad=EDGE)
    figure.suptitle(_legend(data), x=0.01, ha="left", fontsize=LETTERS, color=MUTED)
    foot(figure, study)
    return figure


def _head(panel: Axes, words: str, offset: float) -> None:
    """Write above a column of numbers at the right of a panel what they are."""
    panel.annotate(
        words, (1, 1), (offset, 5), xycoords="axes fraction", textcoords="offset points",
        fontsize=LETTERS, color=MUTED,
    )  # fmt: skip


def count_head(rows: pd.DataFrame) -> str:
    """Return the words for what some effects count: ``pupils (schools)``.

    A trial without schools has none to count; where the size of schools is not known, they alone
    are counted.
    """
    people = "n" if rows["counted"].nunique() > 1 else str(rows["counted"].iloc[0])
    schools = "schools" if _in_schools(rows) else ""
    if rows["n_individuals"].isna().all():
        return schools
    return f"{people} ({schools})" if schools else people


def _count_text(row: pd.Series, in_schools: bool, people: bool) -> str:
    """Return how many an effect is of, under the head of `count_head`."""
    schools = f"{row['n_schools']:,.0f}"
    if not people:
        return schools if in_schools else ""
    count = "–" if pd.isna(row["n_individuals"]) else f"{row['n_individuals']:,.0f}"
    return f"{count} ({schools})" if in_schools else count


def _in_schools(rows: pd.DataFrame) -> bool:
    return bool((rows["n_schools"].fillna(0) > 0).any())


def alt_text(data: pd.DataFrame) -> str:
    """Return what the figure shows, in numbers: the primary effects, then how many others."""
    if data.empty:
        return "No effect was estimated."
    first = data[data["primary"].astype(bool)]
    told = [
        f"{row['outcome_label']} ({row['model_label']}): {_signed(row['estimate'])} "
        f"{row['units_label']}, "
        f"{row['conf_level']:.0%} CI {interval(row['conf_low'], row['conf_high']) or 'not known'}, "
        f"p = {p_text(row['p_value']) or 'not known'}".replace("p = <", "p < ")
        for _, row in first.iterrows()
    ]
    others = data.drop(first.index)
    within = f", from {_signed(others['estimate'].min())} to {_signed(others['estimate'].max())}"
    same = within if len(others) > 1 and others["units_label"].nunique() == 1 else ""
    sentences = [f"Primary effects: {'; '.join(told)}."] if told else []
    if len(others):
        sentences.append(f"{plural(len(others), 'other estimate')}{same}.")
    effects = plural(len(data), "effect")
    return f"Forest plot of {effects} by outcome and model. {' '.join(sentences)}"


def _signed(value: float) -> str:
    """Return an effect with its sign."""
    return f"+{number(value)}" if value > 0 else number(value)


def _effect_text(row: pd.Series) -> str:
    """Return estimate and interval, to as many decimals as show on which side of zero each is."""
    sizes = [float(row[name]) for name in ("estimate", "conf_low", "conf_high")]
    known = [abs(size) for size in sizes if isfinite(size)]
    digits = 3 if max(known, default=0.0) < 2 else 1
    digits = effect_decimals(digits, *sizes)
    told = signed(sizes[0], digits)
    return f"{told} ({interval(sizes[1], sizes[2], digits) or 'not known'})"


def _limits(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis that panels of one unit share; zero lies between them."""
    names = [name for name in ("estimate", "conf_low", "conf_high", "truth") if name in rows]
    sizes = rows[names].to_numpy(dtype="float64").ravel()
    sizes = np.append(sizes[np.isfinite(sizes)], 0.0)
    margin = 0.06 * float(np.ptp(sizes)) or 1.0
    return float(sizes.min()) - margin, float(sizes.max()) + margin


def _legend(data: pd.DataFrame) -> str:
    """Return what the marks mean."""
    known = "truth" in data and data["truth"].notna().any()
    truth = "; bar: the effect that was simulated" if known else ""
    return f"{_levels(data)} intervals; filled: primary{truth}"


def with_truth(
    data: pd.DataFrame,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    truth: Mapping[str, Any],
) -> pd.DataFrame:
    """Return the drawn rows with the effect that a simulation put in, as its outcome is shown.

    See `true_effects` for the rows that have one.
    """
    known = data.assign(truth=true_effects(data, models, truth))
    return as_shown(known, outcomes, ["truth"])


def true_effects(
    data: pd.DataFrame, models: Mapping[str, Model], truth: Mapping[str, Any]
) -> list[float]:
    """Return the effect that a simulation put in, in the unit of the analysis, for each row.

    Parameters
    ----------
    data : DataFrame
        From `drawn`.
    models : mapping
        The protocol's models; those of one single year have one truth.
    truth : mapping
        What the simulation knows: ``effects`` of the offer and ``cace`` (outcome → year →
        effect), ``att`` (``overall``: outcome → effect; ``region``: outcome → region → effect),
        and ``units`` where these are in the unit of the analysis; without, they are in SD.

    Returns
    -------
    list of float
        NaN where the simulation does not know the effect as it is analysed. An effect on a yes/no
        outcome is a share of 1.
    """
    return [_true_effect(row, models[str(row["model"])], truth) for row in data.to_dict("records")]


def _true_effect(row: Mapping[Any, Any], model: Model, truth: Mapping[str, Any]) -> float:
    """Return the effect of one row; NaN if the simulation does not know it as analysed."""
    outcome = str(row["outcome"])
    subgroup = str(model["where_label"]) if "__" in str(row["model"]) else ""
    if outcome not in truth.get("units", {outcome: ""}):
        return nan
    if "units" not in truth and "SD" not in str(row["units_label"]):
        return nan
    if model["estimator"] == "staggered_adoption":
        known = truth.get("att", {})
        if model.get("method") == "stacked":
            return nan  # the effect over a window of years, which the simulation does not state
        if subgroup:
            return float(known.get("region", {}).get(outcome, {}).get(subgroup, nan))
        return float(known.get("overall", {}).get(outcome, nan))
    kind = "cace" if row["estimand"] == "CACE" else "effects"
    known = truth.get(kind, {}).get(outcome, {})
    years = years_named(model["where"], map(int, known))
    if subgroup or len(years) != 1 or row["estimand"] not in ("ITT", "CACE"):
        return nan
    return float(known[str(years[0])])


def _levels(data: pd.DataFrame) -> str:
    """Return the levels of the intervals, such as ``95%`` or ``90% and 95%``."""
    return " and ".join(f"{level:.0%}" for level in sorted(data["conf_level"].unique()))


def _draw_outcome(
    panel: Axes, rows: pd.DataFrame, limits: tuple[float, float], second: float
) -> None:
    """Draw the effects of an outcome, one below the other, the label of each above it."""
    unit = LINE + PLOT  # inches between two whose label is one line
    places = list((rows["tall"].cumsum() - rows["tall"].iloc[0]) / unit)
    half = HALF / unit
    for at in places:  # zero, but not through the labels
        panel.plot([0, 0], [at - half, at + half], color=FAINT, lw=0.8)
    in_schools, people = _in_schools(rows), bool(rows["n_individuals"].notna().any())
    for at, (_, row) in zip(places, rows.iterrows(), strict=True):
        primary = row["primary"]
        colour = TREATED if primary else CONTROL
        ends = [float(row["conf_low"]), float(row["conf_high"])]
        for end, edge, mark in zip(ends, limits, "<>", strict=True):
            if np.isinf(end):
                panel.plot([edge], [at], mark, color=colour, ms=4.5, clip_on=False)
        panel.plot(np.clip(ends, *limits), [at, at], color=colour, lw=1.6)
        panel.plot(
            row["estimate"], at, "o", color=colour, mfc=colour if primary else "white", ms=5.5
        )
        counted = _count_text(row, in_schools, people)
        for words, offset in ((_effect_text(row), APART), (counted, second)):
            panel.annotate(
                words, (1, at), (offset, 0), xycoords=panel.get_yaxis_transform(),
                textcoords="offset points", va="center", fontsize=LETTERS, color=INK,
                fontweight="bold" if primary else "normal",
            )  # fmt: skip
    panel.set_xlim(*limits)
    if "truth" in rows and rows["truth"].notna().any():
        panel.plot(rows["truth"], places, "|", color=INK, ms=11, mew=1.6)
    for at, (_, row) in zip(places, rows.iterrows(), strict=True):
        panel.text(
            0, at - half, row["named"], transform=panel.get_yaxis_transform(),
            va="bottom", fontsize=LETTERS, color=INK,
            fontweight="bold" if row["primary"] else "normal",
        ).set_in_layout(False)  # fmt: skip
    panel.set_yticks([])
    panel.spines["left"].set_visible(False)
    below = 1.6 * half
    panel.set_ylim(places[-1] + below, below - float(rows["tall"].iloc[0]) / unit)
    panel.set_title(rows["outcome_label"].iloc[0])
    panel.xaxis.set_major_locator(MaxNLocator(4 if max(map(abs, limits)) < 100 else 2))
    panel.set_xlabel(f"effect, {rows['units_label'].iloc[0]}")
