"""Power curves: what the study could see, as planned, as randomised and as analysed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import nan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from schooltrial.checks.power.simulation import SIMULATED
from schooltrial.exhibits.style.alt_words import few, told
from schooltrial.exhibits.style.figures import (
    CONTROL,
    FAINT,
    INK,
    LETTERS,
    TREATED,
    foot,
    new_figure,
    styled,
)
from schooltrial.models.power.minimum_detectable_effect import (
    find_minimum_detectable_effect,
    power_of_test,
)
from schooltrial.protocol.content.sections import Arm, Outcome, StudyLine
from schooltrial.wording import plural

COLUMNS = [
    "panel", "outcome", "outcome_label", "arm", "stage", "unit_kind", "units_label", "x", "y",
    "own",
    "target_power", "effect",
]  # fmt: skip


POWER, MDES = "power by effect", "minimum detectable effect by units"


STEPS = 80


PALE = "#d3cdbf"


HEAD, HIGH = 0.95, 2.35
"""Inches of what stands above and below, and of a line of panels."""


class Style(NamedTuple):
    """How a stage is drawn."""

    label: str
    colour: str
    line: Any
    width: float
    marker: str
    size: float
    edge: str


STAGES = {
    # stages may coincide: each shows through the one that is drawn over it
    "protocol": Style("as planned", PALE, "-", 6.0, "s", 9.0, INK),
    "randomisation": Style("as randomised", CONTROL, (0, (3, 1.2)), 2.6, "D", 6.0, CONTROL),
    "assignment": Style("as assigned", CONTROL, (0, (3, 1.2)), 2.6, "D", 6.0, CONTROL),
    "analysis": Style("as analysed", TREATED, "-", 1.5, "o", 4.0, TREATED),
}


def drawn(
    power: pd.DataFrame, outcomes: Mapping[str, Outcome], *, randomised: bool = True
) -> pd.DataFrame:
    """Return the points of the curves, and the study's own points.

    Parameters
    ----------
    power : DataFrame
        From ``checks.power``.
    outcomes : mapping
        The protocol's outcomes. Those that are primary are drawn; all, where none is.
    randomised : bool, default True
        Whether units were randomised; if not, the stage of randomisation is that of assignment.

    Returns
    -------
    DataFrame
        One row per point: ``panel`` (power by effect, or minimum detectable effect by units),
        ``x``, ``y``, and ``own`` where it is the study's own. Over the number of units the arms'
        shares, the sizes, ICC and R² stay as they are, and blocks grow with units; where the
        precision is that of an estimate, its standard error goes with one over the root of units.
    """
    if not randomised:
        power = power.assign(stage=power["stage"].replace({"randomisation": "assignment"}))
    rows = [
        [
            panel, row["outcome"], outcomes[row["outcome"]]["label"], row["arm"], row["stage"],
            row["unit_kind"], row["units_label"], x, y, own, row["target_power"], row["effect"],
        ]
        for row, widest in _shown(power, outcomes)
        for panel, x, y, own in [*_power_curve(row, widest), *_mdes_curve(row)]
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _shown(
    power: pd.DataFrame, outcomes: Mapping[str, Outcome]
) -> Iterator[tuple[dict[str, Any], float]]:
    """Yield the rows of primary outcomes, each with the largest effect that its panel shows."""
    primary = [name for name, outcome in outcomes.items() if outcome["primary"]]
    power = power[power["method"] != SIMULATED]  # the curves are those of closed forms
    kept = power[power["mdes"].notna() & (power["outcome"].isin(primary) | (not primary))]
    for outcome in outcomes:
        rows = kept[kept["outcome"] == outcome]
        rows = rows[rows["model"] == rows["model"].iloc[0]] if len(rows) else rows
        for _, panel in rows.groupby(["arm", "units_label"], sort=False):
            assumed = panel["effect"].abs().max()
            widest = float(np.nanmax([1.6 * panel["mdes"].max(), 1.2 * assumed]))
            for row in panel.to_dict("records"):
                yield {str(key): value for key, value in row.items()}, widest


def _power_curve(row: Mapping[str, Any], widest: float) -> list[tuple[str, float, float, bool]]:
    effects = np.linspace(0, widest, STEPS + 1)
    power = power_of_test(effects, row["std_error"], row["df"], alpha=row["alpha"])
    curve = [(POWER, float(x), float(y), False) for x, y in zip(effects, power, strict=True)]
    return [*curve, (POWER, row["mdes"], row["target_power"], True)]


def _mdes_curve(row: Mapping[str, Any]) -> list[tuple[str, float, float, bool]]:
    """Return the MDES (in SD) with more or fewer units like these."""
    units = row["n_units"]
    if not units > 0:
        return []
    least, most = max(4.0, units / 3), 2.5 * units
    curve = []
    for x in np.unique(np.linspace(least, most, STEPS).round()):
        df = _df_of(row, float(x))
        if df >= 1:
            error = row["std_error"] * float(np.sqrt(units / x))
            found = find_minimum_detectable_effect(
                error, df, alpha=row["alpha"], power=row["target_power"]
            )
            curve.append((MDES, float(x), found, False))
    return [*curve, (MDES, float(units), row["mdes"], True)]


def _df_of(row: Mapping[str, Any], units: float) -> float:
    """Return the degrees of freedom with another number of units."""
    if np.isnan(row["icc"]):  # of a reported standard error
        return float(row["df"] * units / row["n_units"])
    blocks = row["n_blocks"] * units / row["n_units"] if row["n_blocks"] > 1 else 1
    return float(units - blocks - 1 - row["covariates_school"])


@styled
def power_plot(data: pd.DataFrame, study: StudyLine, arms: Sequence[Arm] = ()) -> Figure:
    """Draw two panels per outcome and group: power over effect, and least effect over units."""
    if data.empty:
        figure, (panel,) = new_figure(1.2)
        panel.set_axis_off()
        panel.text(0, 0.5, "Power is not known: no cluster size, ICC or estimate is available.")
        foot(figure, study)
        return figure
    subjects = list(data.groupby(["outcome", "arm", "units_label"], sort=False))
    figure, panels = new_figure(HEAD + HIGH * len(subjects), len(subjects), 2)
    several = data["arm"].nunique() > 1
    names = {str(arm["name"]): str(arm["label"]) for arm in arms}
    for at, ((_, arm, scale), rows) in enumerate(subjects):
        left, right = panels[2 * at : 2 * at + 2]
        of_arm = f", {names.get(str(arm), arm)}" if several else ""
        left.set_title(f"{rows['outcome_label'].iloc[0]}{of_arm}")
        _draw_power(left, rows[rows["panel"] == POWER], str(scale))
        _draw_mdes(right, rows[rows["panel"] == MDES], str(scale))
    _key(figure, panels[0], data)
    foot(figure, study)
    return figure


def _draw_power(panel: Axes, rows: pd.DataFrame, scale: str) -> None:
    wanted, assumed = rows["target_power"].iloc[0], rows["effect"].iloc[0]
    panel.axhline(wanted, color=FAINT, lw=0.8)
    _draw_stages(panel, rows)
    panel.set_xlim(0, rows["x"].max())
    panel.set_ylim(0, 1.02)
    panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    panel.set_ylabel("power")
    below = ""
    if assumed > 0 and scale == "SD":
        panel.axvline(assumed, color=FAINT, lw=0.8)
        below = _of_line("vertical line", assumed)
    panel.set_xlabel(f"true effect, {scale}{below}")


def _of_line(line: str, assumed: float) -> str:
    """Say what a line is below the panel: within it, curves pass wherever the line may lie."""
    return f"\n{line}: {assumed:g} assumed"


def _draw_mdes(panel: Axes, rows: pd.DataFrame, scale: str) -> None:
    if rows.empty:
        panel.set_axis_off()
        panel.text(0.5, 0.5, "the number of units\nis not known", ha="center", color=FAINT)
        return
    _draw_stages(panel, rows)
    panel.set_ylim(0, 1.12 * rows["y"].max())
    panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    panel.set_ylabel("minimum detectable effect," + (" " if scale == "SD" else "\n") + scale)
    assumed, below = rows["effect"].iloc[0], ""
    if assumed > 0 and scale == "SD":
        panel.axhline(assumed, color=FAINT, lw=0.8)
        below = _of_line("line", assumed)
    panel.set_xlabel(f"{rows['unit_kind'].iloc[0]}s in the comparison{below}")


def _draw_stages(panel: Axes, rows: pd.DataFrame) -> None:
    for stage, style in STAGES.items():
        mine = rows[rows["stage"] == stage]
        curve, own = mine[~mine["own"].astype(bool)], mine[mine["own"].astype(bool)]
        if mine.empty:
            continue
        panel.plot(curve["x"], curve["y"], color=style.colour, ls=style.line, lw=style.width)
        panel.plot(
            own["x"], own["y"], style.marker, color=style.edge, ms=style.size, mew=1.3,
            mfc=style.edge if stage == "analysis" else "white", zorder=3,
        )  # fmt: skip


def _key(figure: Figure, panel: Axes, data: pd.DataFrame) -> None:
    """Put the key above the panels, once."""
    handles = []
    for stage, style in STAGES.items():
        if (data["stage"] == stage).any():
            handles += panel.plot(
                [nan], [nan], color=style.colour, ls=style.line, lw=style.width,
                marker=style.marker, ms=style.size - 1, label=style.label, mec=style.edge,
                mfc=style.edge if stage == "analysis" else "white",
            )  # fmt: skip
    wanted = data["target_power"].iloc[0]
    figure.legend(
        handles=handles, loc="outside upper right", ncols=3, fontsize=LETTERS, handlelength=2.3,
        title=f"marks: this study, at a power of {wanted:.0%}", title_fontsize=LETTERS,
        alignment="right",
    )  # fmt: skip


def alt_text(data: pd.DataFrame, arms: Sequence[Arm] = ()) -> str:
    """Return the alt text in numbers: the MDES (in SD) at each stage."""
    if data.empty:
        return "Power is not known."
    names = {str(arm["name"]): str(arm["label"]) for arm in arms}
    several = data["arm"].nunique() > 1
    parts = []
    for (_, arm, scale), rows in data.groupby(["outcome", "arm", "units_label"], sort=False):
        own = rows[rows["own"].astype("bool")]
        stages = []
        for stage, style in STAGES.items():
            effect = own[(own["stage"] == stage) & (own["panel"] == POWER)]
            units = own[(own["stage"] == stage) & (own["panel"] == MDES)]
            if len(effect):
                size = told(float(effect["x"].iloc[0]))
                counted = [
                    f", {plural(int(row.x), str(row.unit_kind))}" for row in units.itertuples()
                ]
                stages.append(f"{size} {scale} {style.label}{''.join(counted[:1])}")
        label = rows["outcome_label"].iloc[0]
        of_arm = f", {names.get(str(arm), arm)}" if several else ""
        parts.append(f"{label}{of_arm}: {'; '.join(stages)}")
    wanted = f"{data['target_power'].iloc[0]:.0%}"
    return f"Effects that are detectable with a power of {wanted}. {few(parts, 'panels')}"
