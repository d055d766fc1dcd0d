"""Goodman-Bacon weights: the comparisons of two cohorts that a two-way effect averages."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from schooltrial.exhibits.style.alt_words import few, signed, span
from schooltrial.exhibits.style.figures import (
    ARM_COLOURS,
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
from schooltrial.exhibits.style.text_fitting import add_shared_key
from schooltrial.models.cohort_regressions.goodman_bacon import (
    ALREADY,
    ALWAYS,
    FORBIDDEN,
    NEVER,
    NOT_YET,
)
from schooltrial.protocol.content.sections import Model, Outcome, StudyLine
from schooltrial.wording import percent, plural

KINDS = {
    NEVER: ("o", CONTROL),
    NOT_YET: ("s", ARM_COLOURS[2]),
    ALREADY: ("X", TREATED),
    ALWAYS: ("v", ARM_COLOURS[3]),
}
"""Whom a cohort is compared with → marker and colour."""

KEYS = ["outcome", "kind", "treated_cohort", "compared_cohort", "estimate", "weight"]
"""What models of the same schools have in common, and are drawn once."""


def drawn(
    comparisons: pd.DataFrame, models: Mapping[str, Model], outcomes: Mapping[str, Outcome]
) -> pd.DataFrame:
    """Return the comparisons of the primary outcomes, with the effect that they average.

    Models that are fitted to the same schools have the same comparisons, which are drawn once;
    those of subgroups are in the table alone.

    Parameters
    ----------
    comparisons : DataFrame
        Of ``checks/goodman_bacon.csv``: a row for each comparison of two cohorts.
    models, outcomes : mapping
        The protocol's sections.
    """
    primary = [name for name, one in outcomes.items() if one["primary"]] or list(outcomes)
    of_parts = {name for name in models if name.rpartition("__")[0] in models}
    found = comparisons[
        comparisons["outcome"].isin(primary) & comparisons["kind"].isin(list(KINDS))
        & ~comparisons["model"].isin(of_parts)
    ]  # fmt: skip
    rows = found.drop_duplicates(KEYS).copy()
    several = rows.groupby("outcome")["model"].transform("nunique") > 1
    told = rows["model"].map({name: f". {one['label']}" for name, one in models.items()})
    rows["model_label"] = told.where(several, "")
    rows["outcome_label"] = rows["outcome"].map({n: o["label"] for n, o in outcomes.items()})
    rows["units_label"] = rows["outcome"].map({n: o["units_label"] for n, o in outcomes.items()})
    rows["forbidden"] = rows["kind"].isin(FORBIDDEN)
    keys = [rows["model"], rows["outcome"]]
    rows["two_way"] = (rows["weight"] * rows["estimate"]).groupby(keys).transform("sum")
    share = rows["weight"].where(rows["forbidden"], 0.0)
    rows["share_forbidden"] = share.groupby(keys).transform("sum")
    return rows.reset_index(drop=True)


@styled
def bacon_weights_plot(data: pd.DataFrame, study: StudyLine) -> Figure:
    """Draw one panel per model and outcome: estimate against weight, by kind of comparison."""
    if data.empty:
        return nothing_drawn(
            "No two-way effect of a primary outcome could be decomposed into comparisons.", study
        )
    panels_of = [rows for _, rows in data.groupby(["model", "outcome"], sort=False)]
    figure, panels = two_column_figure(len(panels_of), 1.2, 2.6)
    for panel, rows in zip(panels, panels_of, strict=False):
        _draw(panel, rows)
    add_shared_key(figure, panels, columns=2, size=LETTERS)
    foot(figure, study)
    return figure


def _draw(panel: Axes, rows: pd.DataFrame) -> None:
    panel.axhline(0, color=FAINT, lw=0.8)
    panel.axhline(
        rows["two_way"].iloc[0],
        color=INK,
        lw=1.2,
        ls="--",
        label="two-way effect, each school alike",
    )
    for kind, (marker, colour) in KINDS.items():
        mine = rows[rows["kind"] == kind]
        if len(mine):
            told = " (forbidden)" if kind in FORBIDDEN else ""
            panel.plot(mine["weight"], mine["estimate"], marker, color=colour, ms=6, mec="white",
                       mew=0.6, zorder=3, label=f"compared with {kind}{told}")  # fmt: skip
    title = f"{rows['outcome_label'].iloc[0]}{rows['model_label'].iloc[0]}"
    panel.set_title(title, fontsize=LETTERS)
    panel.margins(y=0.1)
    panel.set_ylabel(f"estimate, {rows['units_label'].iloc[0]}")
    most = float(rows["weight"].max())
    panel.set_xlim(-0.03 * most, 1.08 * most)
    panel.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g}%"))
    told = percent(float(rows["share_forbidden"].iloc[0]))
    panel.set_xlabel(f"weight in the two-way effect\nof forbidden comparisons: {told}")
    panel.xaxis.set_major_locator(MaxNLocator(4))
    panel.yaxis.set_major_locator(MaxNLocator(5))


def alt_text(data: pd.DataFrame) -> str:
    """Return what the figure shows, in numbers: each two-way effect and what it averages."""
    if data.empty:
        return "No two-way effect was decomposed."
    parts = []
    for _, rows in data.groupby(["model", "outcome"], sort=False):
        first = rows.iloc[0]
        kinds = [
            f"{kind}, {percent(float(mine['weight'].sum()))} of the weight, estimates "
            f"{span(mine['estimate'])}"
            for kind in KINDS
            if len(mine := rows[rows["kind"] == kind])
        ]
        parts.append(
            f"{first['outcome_label']}{first['model_label']}: two-way effect "
            f"{signed(first['two_way'])} {first['units_label']} from "
            f"{plural(len(rows), 'comparison')} ({'; '.join(kinds)}); forbidden comparisons weigh "
            f"{percent(float(first['share_forbidden']))}"
        )
    return f"Estimates of comparisons of cohorts by weight. {few(parts, 'panels')}"
