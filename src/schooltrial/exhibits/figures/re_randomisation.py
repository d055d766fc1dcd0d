"""Re-randomisation: the statistic under every assignment that could have been, and as observed."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from schooltrial.document.numbers import number, p_text
from schooltrial.exhibits.style.alt_words import few, span, told
from schooltrial.exhibits.style.figures import (
    CONTROL,
    INK,
    LETTERS,
    MUTED,
    SHADE,
    TREATED,
    foot,
    new_figure,
    nothing_drawn,
    styled,
)
from schooltrial.exhibits.style.text_fitting import add_shared_key
from schooltrial.protocol.content.sections import Model, Outcome, StudyLine

STATISTICS = {
    "studentised": "effect ÷ its standard error",
    "HC2": "effect ÷ its standard error",
    "classical": "effect ÷ its standard error",
    "coefficient": "effect",
}
"""What is compared with re-randomisations → in the words of a reader."""


HEAD, HIGH = 0.75, 2.2
"""Inches of what stands above and below, and of a line of panels."""

ABOVE = LETTERS + 8
"""Points between a panel and its title, in which the observed value stands, off all bars."""

EDGE = 0.75
"""Share of the half axis beyond which the observed value is written towards its middle."""


def drawn(
    draws: pd.DataFrame, models: Mapping[str, Model], outcomes: Mapping[str, Outcome]
) -> pd.DataFrame:
    """Return the shares of bins with the names of models and outcomes; subgroups are left out.

    Parameters
    ----------
    draws : DataFrame
        Of ``estimates/models/<model>.draws.csv``, one model below the other.
    models, outcomes : mapping
        The protocol's sections.
    """
    parts = [name for name in models if name.rpartition("__")[0] in models]
    rows = draws[~draws["model"].isin(parts)].reset_index(drop=True)
    rows["model_label"] = rows["model"].map({name: one["label"] for name, one in models.items()})
    labels = {name: one["label"] for name, one in outcomes.items()}
    return rows.assign(outcome_label=rows["outcome"].map(labels))


@styled
def re_randomisation_plot(data: pd.DataFrame, study: StudyLine) -> Figure:
    """Draw one panel per model and outcome: the draws, and the observed statistic among them."""
    if data.empty:
        return nothing_drawn("No effect was compared with re-randomisations.", study)
    panels_of = [rows for _, rows in data.groupby(["model", "outcome"], sort=False)]
    columns = min(len(panels_of), 2)
    lines = -(-len(panels_of) // columns)
    figure, panels = new_figure(HEAD + HIGH * lines, lines, columns)
    several = data["model"].nunique() > 1
    for panel, rows in zip(panels, panels_of, strict=False):
        _draw(panel, rows)
        label = rows["outcome_label"].iloc[0]
        told = f"{label}. {rows['model_label'].iloc[0]}" if several else label
        panel.set_title(told, fontsize=LETTERS, pad=ABOVE)
    for spare in panels[len(panels_of) :]:
        spare.set_axis_off()
    add_shared_key(figure, panels, columns=3, size=LETTERS)
    foot(figure, study)
    return figure


def _draw(panel: Axes, rows: pd.DataFrame) -> None:
    first, at = rows.iloc[0], float(rows["observed"].iloc[0])
    ends = [*rows["bin_low"], float(rows["bin_high"].iloc[-1])]
    panel.stairs(rows["share"], ends, fill=True, color=CONTROL, alpha=0.75,
                 label="share of re-randomisations")  # fmt: skip
    reach = 1.04 * max(abs(ends[0]), abs(ends[-1]), abs(at))
    for low, high in ((-reach, -abs(at)), (abs(at), reach)):
        panel.axvspan(low, high, color=SHADE, lw=0, zorder=0)
    panel.axvline(at, color=TREATED, lw=2.2, label="observed")
    panel.axvline(-at, color=TREATED, lw=0.9, ls=":", label="as large, of the other sign")
    panel.set_xlim(-reach, reach)
    panel.set_ylim(0, 1.04 * float(rows["share"].max()))
    side = "center" if abs(at) < EDGE * reach else "right" if at > 0 else "left"
    panel.annotate(
        number(at, 2), (at, 1.0), (0, 2), xycoords=panel.get_xaxis_transform(), ha=side,
        va="bottom", textcoords="offset points", fontsize=LETTERS, color=INK, fontweight="bold",
    )  # fmt: skip
    panel.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g}%")
    panel.xaxis.set_major_locator(MaxNLocator(5))
    panel.yaxis.set_major_locator(MaxNLocator(4))
    panel.set_xlabel(f"{STATISTICS[str(first['statistic_name'])]}\n{_counted(first, chr(10))}")
    panel.xaxis.label.set_color(MUTED)


def _counted(row: pd.Series, between: str = "; ") -> str:
    """Say how many re-randomisations there were, and the p-value."""
    p = p_text(row["p_value"])
    sign = p if p.startswith("<") else f"= {p}"
    which = "all " if bool(row["exact"]) else ""
    return (
        f"{which}{int(row['replications']):,} re-randomisations{between}p {sign.replace('<', '< ')}"
    )


def alt_text(data: pd.DataFrame) -> str:
    """Return what the figure shows, in numbers: the observed statistic and those of draws."""
    if data.empty:
        return "No effect was compared with re-randomisations."
    parts = []
    for _, rows in data.groupby(["model", "outcome"], sort=False):
        first, held = rows.iloc[0], rows[rows["share"] > 0]
        parts.append(
            f"{first['outcome_label']}, {first['model_label']}: {_counted(first)}; "
            f"{STATISTICS[str(first['statistic_name'])]} observed "
            f"{told(float(first['observed']))}, "
            f"re-randomised {span([held['bin_low'].min(), held['bin_high'].max()])}"
        )
    return f"The effect among re-randomisations. {few(parts, 'panels')}"
