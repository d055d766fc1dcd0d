"""Sensitivity to parallel trends: the effect's interval as larger differences are allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from schooltrial.exhibits.style.alt_words import few, told, with_ends
from schooltrial.exhibits.style.figures import (
    CONTROL,
    FAINT,
    INK,
    LETTERS,
    TREATED,
    foot,
    nothing_drawn,
    styled,
    two_column_figure,
)
from schooltrial.exhibits.style.text_fitting import add_shared_key, head_of_line
from schooltrial.protocol.content.sections import Model, Outcome, StudyLine

ORIGINAL, BREAKDOWN = "as fitted", "breakdown"
MAGNITUDES, SMOOTHNESS = "relative magnitudes", "smoothness"

MEANS = {
    MAGNITUDES: "difference in trend allowed after the start, in multiples of the largest before",
    SMOOTHNESS: "change of slope allowed from one year to the next, {unit}",
}
"""Kind of bound → what its setting is."""

KINDS = {
    MAGNITUDES: "trends differ as before the start",
    SMOOTHNESS: "the difference in trend bends",
}
"""Kind of bound → how trends may differ under it."""

FARTHEST = 1.5
"""Times the largest bound that is drawn up to which a breakdown value is marked."""

COLUMNS = [
    "model", "model_label", "outcome", "outcome_label", "units_label", "term", "kind", "check",
    "setting",
    "estimate", "conf_low", "conf_high", "breakdown", "method",
]  # fmt: skip


def drawn(
    checks: pd.DataFrame, models: Mapping[str, Model], outcomes: Mapping[str, Outcome]
) -> pd.DataFrame:
    """Return the intervals under each bound, the original one, and the bound that lets zero in.

    Parameters
    ----------
    checks : DataFrame
        Of ``checks/parallel_trends.csv``.
    models, outcomes : mapping
        The protocol's sections.
    """
    parts = []
    for (model, outcome), mine in checks.groupby(["model", "outcome"], sort=False):
        if not outcomes[str(outcome)]["primary"] or str(model).rpartition("__")[0] in models:
            continue
        for kind in (MAGNITUDES, SMOOTHNESS):
            curve = mine[(mine["check"] == kind) & mine["conf_low"].notna()]
            if curve.empty:
                continue
            shown = [mine[mine["check"] == ORIGINAL].assign(setting=nan), curve]
            at = mine.loc[(mine["check"] == BREAKDOWN) & (mine["term"] == kind), "estimate"]
            parts.append(
                pd.concat(shown, ignore_index=True).assign(
                    model_label=models[str(model)]["label"],
                    outcome_label=outcomes[str(outcome)]["label"],
                    units_label=outcomes[str(outcome)]["units_label"],
                    kind=kind,
                    breakdown=float(at.iloc[0]) if len(at) else nan,
                )
            )
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    found = pd.concat(parts, ignore_index=True).reindex(columns=COLUMNS)
    found["setting"] = pd.to_numeric(found["setting"])
    return found


@styled
def parallel_trends_plot(data: pd.DataFrame, study: StudyLine) -> Figure:
    """Draw one panel per model, outcome, effect and kind of bound."""
    if data.empty:
        return nothing_drawn("No effect was bounded against differences in trend.", study)
    keys = ["model", "outcome", "kind"]
    panels_of = [rows.reset_index(drop=True) for _, rows in data.groupby(keys, sort=False)]
    figure, panels = two_column_figure(len(panels_of), 1.2, 2.7)
    named = ""
    for panel, rows in zip(panels, panels_of, strict=False):
        _draw(panel, rows)
        name = f"{rows['outcome_label'].iloc[0]}. {rows['model_label'].iloc[0]}"
        if name != named:  # its panels are beside one another
            head_of_line(panel, name, alone=not _pairs(panels_of))
        named = name
    add_shared_key(figure, panels, columns=2, size=LETTERS)
    foot(figure, study)
    return figure


def _pairs(panels: Sequence[pd.DataFrame]) -> bool:
    """Return whether each outcome of a model has two panels, which are a line."""
    named = [(rows["model"].iloc[0], rows["outcome"].iloc[0]) for rows in panels]
    return named[::2] == named[1::2]


def _draw(panel: Axes, rows: pd.DataFrame) -> None:
    curve, own = rows[rows["check"] != ORIGINAL], rows[rows["check"] == ORIGINAL]
    settings = curve["setting"].to_numpy("float64")
    at = float(rows["breakdown"].iloc[0])
    marked = isfinite(at) and at <= FARTHEST * settings.max()
    last = max(settings.max(), at) if marked else float(settings.max())
    span = last or 1.0
    panel.axhline(0, color=FAINT, lw=0.8)
    panel.fill_between(settings, curve["conf_low"], curve["conf_high"], color=CONTROL, alpha=0.2,
                       lw=0)  # fmt: skip
    panel.vlines(settings, curve["conf_low"], curve["conf_high"], color=CONTROL, lw=2,
                 label="interval if trends differ by so much")  # fmt: skip
    left = -0.1 * span
    panel.vlines([left] * len(own), own["conf_low"], own["conf_high"], color=TREATED, lw=2.6,
                 label="original interval: trends parallel")  # fmt: skip
    outside = ((curve["conf_low"] > 0) | (curve["conf_high"] < 0)).all()
    told = "zero is outside under every bound drawn" if outside else "zero is inside"
    if isfinite(at):
        told = f"zero is inside from {at:.2g} on"
    if marked:
        panel.axvline(at, color=INK, lw=1, ls="--", label="breakdown value: zero enters")
    panel.set_xlim(left - 0.08 * span, last + 0.08 * span)
    panel.set_title(KINDS[str(rows["kind"].iloc[0])], fontsize=LETTERS, fontweight="normal")
    panel.set_ylabel(f"effect, {rows['units_label'].iloc[0]}")
    means = MEANS[str(rows["kind"].iloc[0])].format(unit=rows["units_label"].iloc[0])
    panel.set_xlabel(f"{means}\n{told}")
    panel.yaxis.set_major_locator(MaxNLocator(5))
    panel.xaxis.set_major_locator(MaxNLocator(4))  # small bounds have long numbers


def alt_text(data: pd.DataFrame) -> str:
    """Return what the figure shows, in numbers: the interval as fitted and under each bound."""
    if data.empty:
        return "No effect was bounded against differences in trend."
    parts = []
    for _, rows in data.groupby(["model", "outcome", "kind"], sort=False):
        first, own = rows.iloc[0], rows[rows["check"] == ORIGINAL]
        curve = rows[rows["check"] != ORIGINAL].sort_values("setting")
        fitted = [
            with_ends(row["estimate"], row["conf_low"], row["conf_high"])
            for _, row in own.iterrows()
        ]
        widest = curve.iloc[-1]
        ends = f"{told(widest['conf_low'])} to {told(widest['conf_high'])}"
        at = float(first["breakdown"])
        entered = f"zero enters from {told(at)}" if isfinite(at) else "no value lets zero enter"
        parts.append(
            f"{first['outcome_label']}, {first['model_label']}, {first['kind']}: "
            f"{first['units_label']}, as fitted {' and '.join(fitted) or 'not known'}; {ends} at "
            f"{told(widest['setting'])}, the largest bound; {entered}"
        )
    return f"Intervals of the effect if trends were not parallel. {few(parts, 'panels')}"
