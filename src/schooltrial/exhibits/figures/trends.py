"""Trends by arm: mean outcome of each arm by year, and when the programme was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schooltrial.document.numbers import number
from schooltrial.exhibits.style.figures import (
    INK,
    SHADE,
    arm_styles,
    foot,
    styled,
    two_column_figure,
)
from schooltrial.exhibits.style.text_fitting import add_key
from schooltrial.exhibits.style.year_axis import set_years
from schooltrial.models.inference.student_t import t_quantile
from schooltrial.protocol.sections import Arm, Outcome, StudyLine, Years


def drawn(panel: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Return the mean of each arm by outcome and year, weighted by pupils where all are known.

    The interval takes schools as the units: the squared deviations of school means from the mean of
    their arm, weighted by pupils squared, with schools − 1 degrees of freedom.
    """
    keys = ["outcome", "year", "treated", "arm"]
    rows = []
    for key, cells in panel.groupby(keys, sort=True):
        pupils = cells["n_pupils"].astype("float64")
        counted = pupils if pupils.notna().all() else pupils * 0 + 1
        weight = counted.fillna(1) / counted.fillna(1).sum()
        mean = float((weight * cells["mean"]).sum())
        n = len(cells)
        half = np.nan
        if n > 1:
            deviation = float((weight**2 * (cells["mean"] - mean) ** 2).sum())
            half = t_quantile((1 + level) / 2, n - 1) * (deviation * n / (n - 1)) ** 0.5
        rows.append([*key, mean, mean - half, mean + half, n, int(pupils.sum())])
    return pd.DataFrame(rows, columns=[*keys, "mean", "low", "high", "n_schools", "n_pupils"])


def alt_text(data: pd.DataFrame, outcomes: Mapping[str, Outcome], arms: Sequence[Arm]) -> str:
    """Return what the figure shows, in numbers: each arm's means in its first and last year."""
    names = {str(arm["name"]): str(arm["label"]) for arm in arms}
    told = []
    for name in [name for name in outcomes if (data["outcome"] == name).any()]:
        parts = []
        for arm, rows in data[data["outcome"] == name].groupby("arm", sort=False):
            ends = rows.sort_values("year").iloc[[0, -1]]
            first, last = (
                f"{number(float(row['mean']), 2)} in {int(row['year'])}"
                for _, row in ends.iterrows()
            )
            parts.append(f"{names.get(str(arm), arm)} {first}, {last}")
        told.append(
            f"{outcomes[name]['label']} ({outcomes[name]['units_label']}): " + "; ".join(parts)
        )
    return "Means by arm and year. " + "".join(f"{text}. " for text in told).strip()


def cohort_starts(panel: pd.DataFrame) -> list[int]:
    """Return the years of the panel in which cohorts begin; none where all begin together."""
    if "cohort" not in panel:
        return []
    seen = {int(year) for year in panel["year"]}
    return sorted({int(start) for start in panel["cohort"].dropna()} & seen)


@styled
def trends_plot(
    data: pd.DataFrame,
    outcomes: Mapping[str, Outcome],
    years: Years,
    arms: Sequence[Arm],
    study: StudyLine,
    starts: Sequence[int] = (),
) -> Figure:
    """Draw one panel per outcome: a line per arm, intervals, and the programme.

    Its years are shaded or, where cohorts begin in different years (``starts``), each start is
    marked: until the last of them, the intervention arm holds schools that have not begun.
    """
    names = [name for name in outcomes if (data["outcome"] == name).any()]
    figure, panels = two_column_figure(len(names), 0.7, 2.3)
    for panel, name in zip(panels, names, strict=False):
        _draw_outcome(panel, data[data["outcome"] == name], outcomes[name], years, arms, starts)
    handles, texts = panels[0].get_legend_handles_labels()
    add_key(figure, handles, texts, loc="outside upper right", columns=4, size=8)
    foot(figure, study)
    return figure


def _draw_outcome(
    panel: Axes,
    data: pd.DataFrame,
    outcome: Outcome,
    years: Years,
    arms: Sequence[Arm],
    starts: Sequence[int],
) -> None:
    if starts:
        for at, start in enumerate(starts):
            label = "" if at else "a cohort begins"
            panel.axvline(start - 0.5, color=INK, lw=0.9, ls=":", label=label)
    else:
        panel.axvspan(
            min(years["programme"]) - 0.5,
            max(years["programme"]) + 0.5,
            color=SHADE,
            lw=0,
            label="programme",
        )
    for place, arm in enumerate(arm_styles(arms)):
        rows = data[data["arm"] == arm.name]
        at = rows["year"] + 0.12 * (place - (len(arms) - 1) / 2)
        panel.plot(
            at, rows["mean"], marker=arm.marker, color=arm.colour, lw=1.5, ms=4.5, label=arm.label
        )
        panel.vlines(at, rows["low"], rows["high"], color=arm.colour, lw=1)
    panel.set_title(outcome["label"])
    panel.set_ylabel(outcome["units_label"])
    panel.set_xlabel(years["label"])
    set_years(panel, [*data["year"], *years["programme"]])
