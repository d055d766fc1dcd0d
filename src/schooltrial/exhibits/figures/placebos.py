"""Placebos: estimates if there is no effect, with the observed one."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, nan

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from schooltrial.exhibits.style.alt_words import few, signed, span, with_ends
from schooltrial.exhibits.style.figures import (
    CONTROL,
    FAINT,
    LETTERS,
    SHADE,
    TREATED,
    foot,
    new_figure,
    nothing_drawn,
    styled,
)
from schooltrial.exhibits.style.text_fitting import add_shared_key
from schooltrial.protocol.content.sections import Model, Outcome, StudyLine
from schooltrial.wording import percent, plural

DRAW, OBSERVED, PLACEBO = "draw", "observed", "placebo"

YEAR, OUTCOME, COHORT = "placebo year", "placebo outcome", "placebo cohort"
"""Checks of ``checks/parallel_trends.csv`` that are placebos."""

BINS = 40

LEAST = 0.001
"""A share below it is said to be so."""

COLUMNS = [
    "model", "model_label", "outcome", "outcome_label", "units_label", "part", "placebo",
    "estimate",
    "conf_low", "conf_high", "share_as_large",
]  # fmt: skip


def drawn(
    draws: pd.DataFrame,
    checks: pd.DataFrame,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
) -> pd.DataFrame:
    """Return placebo estimates, those of placebo years, and the observed effect.

    Parameters
    ----------
    draws : DataFrame
        Of ``checks/parallel_trends_placebos.csv``: estimates where comparison schools are taken for
        treated ones; draw 0 is the effect of those that were.
    checks : DataFrame
        Of ``checks/parallel_trends.csv``; of it, the placebo years, and the placebo outcomes
        that have the same unit.
    models, outcomes : mapping
        The protocol's sections.
    """
    parts = []
    for (model, outcome), mine in draws.groupby(["model", "outcome"], sort=False):
        if not outcomes[str(outcome)]["primary"] or str(model).rpartition("__")[0] in models:
            continue
        of_model = checks[(checks["model"] == model) & checks["estimate"].notna()]
        own = of_model["outcome"] == outcome
        unit = outcomes[str(outcome)]["units_label"]
        units = of_model["outcome"].map({name: o["units_label"] for name, o in outcomes.items()})
        beside = of_model[
            ((of_model["check"] == YEAR) & own) | ((of_model["check"] == OUTCOME) & (units == unit))
        ]
        of_cohorts = of_model[(of_model["check"] == COHORT) & own]
        found = pd.concat(
            [
                mine.assign(
                    part=np.where(mine["replication"] == 0, OBSERVED, DRAW),
                    placebo=mine["replication"].astype("str"),
                ),
                beside.assign(part=PLACEBO, placebo=_names(beside, outcomes)),
            ],
            ignore_index=True,
        )
        as_large = of_cohorts["p_value"].iloc[0] if len(of_cohorts) else _as_large(mine)
        parts.append(
            found.assign(
                model=model,
                outcome=outcome,
                model_label=models[str(model)]["label"],
                outcome_label=outcomes[str(outcome)]["label"],
                units_label=unit,
                share_as_large=float(as_large),
            ).reindex(columns=COLUMNS)
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _as_large(draws: pd.DataFrame) -> float:
    """Return the share of all draws, the observed effect among them, that are as large as it."""
    observed = draws.loc[draws["replication"] == 0, "estimate"].abs()
    return float((draws["estimate"].abs() >= observed.iloc[0]).mean()) if len(observed) else nan


def _names(checks: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> list[str]:
    """Return what a placebo is of: years before the programme, or another outcome."""
    return [
        outcomes[str(outcome)]["label"] if check == OUTCOME else _years_early(setting)
        for check, setting, outcome in checks[["check", "setting", "outcome"]].itertuples(
            index=False
        )
    ]


def _years_early(setting: object) -> str:
    years = int(float(str(setting)))
    return f"begun {plural(years, 'year')} early"


@styled
def placebos_plot(data: pd.DataFrame, study: StudyLine) -> Figure:
    """Draw a line of panels per model and outcome: distribution left, placebo years right."""
    if data.empty:
        return nothing_drawn("No placebo was drawn for a primary outcome.", study)
    lines = [rows for _, rows in data.groupby(["model", "outcome"], sort=False)]
    figure, panels = new_figure(1.2 + 2.4 * len(lines), len(lines), 2)
    for at, rows in enumerate(lines):
        _draw_distribution(panels[2 * at], rows)
        _draw_placebos(panels[2 * at + 1], rows)
    add_shared_key(figure, panels, columns=2, size=LETTERS)
    foot(figure, study)
    return figure


def _draw_distribution(panel: Axes, rows: pd.DataFrame) -> None:
    values = rows.loc[rows["part"] == DRAW, "estimate"].to_numpy("float64")
    observed = rows[rows["part"] == OBSERVED]
    bins = min(BINS, max(int(np.sqrt(len(values))), 5))
    panel.hist(values, bins=bins, color=CONTROL, alpha=0.75, lw=0, label="placebo estimates")
    told, share = f"{len(values):,} placebos", float(rows["share_as_large"].iloc[0])
    if len(observed):
        at = float(observed["estimate"].iloc[0])
        panel.axvline(at, color=TREATED, lw=2, label="observed effect")
        panel.axvline(-at, color=TREATED, lw=0.9, ls=":", label="as large, of the other sign")
        size = percent(share) if share >= LEAST else f"less than {percent(LEAST)}"
        told += f"; at least as large: {size}" if isfinite(share) else ""
    title = f"{rows['outcome_label'].iloc[0]}. {rows['model_label'].iloc[0]}"
    panel.set_title(title, fontsize=LETTERS)
    panel.set_xlabel(f"estimate, {rows['units_label'].iloc[0]}\n{told}")
    panel.set_ylabel("placebos")
    panel.xaxis.set_major_locator(MaxNLocator(4))
    panel.yaxis.set_major_locator(MaxNLocator(4))


def _draw_placebos(panel: Axes, rows: pd.DataFrame) -> None:
    mine = rows[rows["part"] == PLACEBO].reset_index(drop=True)
    if mine.empty:
        panel.set_axis_off()
        return
    observed = rows.loc[rows["part"] == OBSERVED, "estimate"]
    panel.axvline(0, color=FAINT, lw=0.8)
    for at in observed:
        panel.axvline(at, color=TREATED, lw=2)
    for place in range(0, len(mine), 2):
        panel.axhspan(place - 0.5, place + 0.5, color=SHADE, lw=0, alpha=0.5)
    panel.hlines(mine.index, mine["conf_low"], mine["conf_high"], color=CONTROL, lw=1.6)
    panel.plot(mine["estimate"], mine.index, "s", color=CONTROL, ms=4.5, mec="white")
    panel.set_yticks(range(len(mine)), list(mine["placebo"]))
    panel.set_ylim(len(mine) - 0.5, -0.5)
    panel.set_title("Years and outcomes without the programme", fontsize=LETTERS)
    panel.set_xlabel(f"estimate, {rows['units_label'].iloc[0]}")
    panel.xaxis.set_major_locator(MaxNLocator(4))


def alt_text(data: pd.DataFrame) -> str:
    """Return the alt text in numbers: placebo estimates and the observed effect."""
    if data.empty:
        return "No placebo was drawn for a primary outcome."
    parts = []
    for _, rows in data.groupby(["model", "outcome"], sort=False):
        first, draws = rows.iloc[0], rows.loc[rows["part"] == DRAW, "estimate"]
        observed = [signed(at) for at in rows.loc[rows["part"] == OBSERVED, "estimate"]]
        share = float(first["share_as_large"])
        size = percent(share) if share >= LEAST else f"less than {percent(LEAST)}"
        others = [
            f"{row['placebo']} {with_ends(row['estimate'], row['conf_low'], row['conf_high'])}"
            for _, row in rows[rows["part"] == PLACEBO].iterrows()
        ]
        parts.append(
            f"{first['outcome_label']}, {first['model_label']} ({first['units_label']}): "
            f"{plural(len(draws), 'placebo')} {span(draws)}; observed "
            f"{' and '.join(observed) or 'not known'}"
            f"{f'; {size} are at least as large' if isfinite(share) else ''}"
            f"{'; ' if others else ''}{', '.join(others)}"
        )
    return f"Placebo effects. {few(parts, 'panels')}"
