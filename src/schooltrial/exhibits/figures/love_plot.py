"""The love plot: differences of the groups at baseline, people against the bands of WWC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from schooltrial.document.numbers import difference_text, number
from schooltrial.exhibits.style.figures import (
    FAINT,
    INK,
    LETTERS,
    MUTED,
    READABLE,
    SHADE,
    foot,
    new_figure,
    styled,
)
from schooltrial.exhibits.style.text_fitting import add_key
from schooltrial.protocol.content.sections import Arm, Balance, StudyLine
from schooltrial.wording import exact, plural

LEVELS = {"pupil": ("o", "pupils"), "teacher": ("s", "teachers"), "school": ("D", "school means")}


SAMPLES = {"randomised": ("white", 6.4), "assigned": ("white", 6.4), "analysed": (INK, 3.6)}


WHITE_BAND, OUTER_BAND = "#dfe8dc", SHADE


FARTHEST, NEAR = 1.0, 1.3
"""Where a difference is larger than the second of these SDs, the axis runs to the first and a
little farther, and what is beyond it is an arrow at the edge, so that bands stay readable."""


MARGIN, INSIDE = 1.15, 0.95
"""How much farther the axis runs than the farthest difference, and the share of it in which a mark
is whole."""


TOP = 1.6
"""Lines above the first for the limits of the bands."""


NOT_KNOWN = "not known"


DRAWN = [
    "level", "label", "standardised_difference", "wwc_effect_size", "wwc_measure", "wwc_band",
    "sample", "arm",
]  # fmt: skip


ROW, ONE_ROW = 0.21, 2.15


def drawn(balance: pd.DataFrame) -> pd.DataFrame:
    """Return what the figure draws, ``size``: one row per group, sample, level and variable.

    For people it is the effect size that the standard holds to its bands (Hedges' g, or the Cox
    index of a flag or level), for school means the standardised difference, which has no band.
    ``reading`` says of a size that it is infinite, or not known: it has a mark at the edge.
    """
    kept = balance[[name for name in DRAWN if name in balance]].copy()
    kept["sample"] = kept["sample"].fillna("") if "sample" in kept else "randomised"
    kept["arm"] = kept["arm"].astype("object").fillna("") if "arm" in kept else ""
    own = kept["standardised_difference"]
    known = kept.get("wwc_effect_size", own)
    kept["size"] = known.fillna(own).where(kept["level"] != "school", own)
    kept["reading"] = [_reading(size) for size in kept["size"]]
    return kept.reset_index(drop=True)


def alt_text(data: pd.DataFrame) -> str:
    """Return what the figure shows, in numbers: how many differences, and the largest."""
    sizes = data["size"].abs()
    known = data[np.isfinite(sizes)]
    beyond = f"{len(data) - len(known)} infinite or not known."
    more = f" {beyond}" if len(known) < len(data) else ""
    if known.empty:
        return f"Love plot of {plural(len(data), 'baseline difference')}.{more}"
    row = known.loc[sizes[known.index].idxmax()]
    group = LEVELS[str(row["level"])][1]
    return (
        f"Love plot of {plural(len(data), 'standardised baseline difference')}. The largest is "
        f"{number(float(row['size']), 2)} SD: {row['label']} ({group}, {row['sample']}).{more}"
    )


def _reading(size: float) -> str:
    """Return what a size is that no axis can hold; empty for a number."""
    if np.isnan(size):
        return NOT_KNOWN
    return "infinite" if np.isinf(size) else ""


@styled
def balance_plot(
    data: pd.DataFrame,
    settings: Balance,
    study: StudyLine,
    year_label: str,
    arms: Sequence[Arm] = (),
    control: str = "control",
) -> Figure:
    """Draw differences, intervention minus control: pupils, then teachers, then schools.

    Bands lie behind people alone. The whole sample is hollow and the analysed one filled; each
    intervention group has a panel.

    Parameters
    ----------
    data : DataFrame
        From `drawn`.
    settings : mapping
        The protocol's ``balance`` section, for the bands.
    study : mapping
        Title, whether synthetic, and protocol hash.
    year_label : str
        Name of the baseline year.
    arms : sequence of mapping
        The design's arms, for the names of the panels where there are several.
    control : str
        What the group without the programme is called: control or comparison.
    """
    lines = data[["level", "label"]].drop_duplicates()
    lines = lines.sort_values(
        "level", key=lambda level: level.map(list(LEVELS).index), kind="stable", ignore_index=True
    )
    compared = list(dict.fromkeys(data["arm"])) or [""]
    figure, panels = new_figure(
        ONE_ROW + ROW * max(len(lines), 3), columns=len(compared), width=READABLE
    )
    names = {str(arm["name"]): str(arm["label"]) for arm in arms}
    other = str(arms[0]["label"]) if arms else control
    for panel, arm in zip(panels, compared, strict=True):
        _panel(panel, data[data["arm"] == arm], lines, settings, data["size"])
        panel.set_xlabel(f"intervention − {control}, in SDs\n({_axis(data)})")
        if len(compared) > 1:
            panel.set_title(
                f"{names.get(arm, arm)} − {other}", fontsize=LETTERS, fontweight="normal"
            )
            panel.set_xlabel("in SDs\n(" + _axis(data).replace("; ", ";\n") + ")")
        if panel is not panels[0]:
            panel.set_yticklabels([])
    handles, said = panels[0].get_legend_handles_labels()
    add_key(
        figure, handles, said, loc="outside upper left", columns=2, size=LETTERS, columnspacing=1.5,
        title=f"Baseline balance, {year_label}", alignment="left", borderaxespad=0.0,
    )  # fmt: skip
    foot(figure, study)
    return figure


def _people(lines: pd.DataFrame) -> str:
    """Return the people that the bands are for."""
    levels = [level for level in LEVELS if level != "school" and (lines["level"] == level).any()]
    return " and ".join(LEVELS[level][1] for level in levels)


def _axis(data: pd.DataFrame) -> str:
    """Return the name of the axis: what is drawn of people, of school means, or of both."""
    whose = _people(data)
    of_people = [f"{whose}: effect size"] if whose else []
    of_schools = ["schools: difference"] if (data["level"] == "school").any() else []
    return "; ".join([*of_people, *of_schools])


def _panel(
    panel: Axes,
    data: pd.DataFrame,
    lines: pd.DataFrame,
    settings: Balance,
    every: pd.Series,
) -> None:
    inner, outer = settings["equivalent_to"], settings["adjust_to"]
    people = int((lines["level"] != "school").sum())
    both = [(outer, OUTER_BAND, "--", "adjust for it"), (inner, WHITE_BAND, "-", "balanced")]
    bands, whose = both if people else [], _people(lines)
    for bound, colour, edge, verdict in bands:
        # School means have no band: the patch ends where they begin.
        panel.add_patch(
            Rectangle(
                (-bound, -0.6), 2 * bound, people + 0.1, fc=colour, ec=FAINT, ls=edge, lw=0.6,
                label=f"{whose} within ±{exact(bound)} SD: {verdict}",
            )
        )  # fmt: skip
    for (bound, *_), side in zip(bands, (1, -1), strict=False):
        # One on each side, so that they are apart on any scale.
        panel.text(side * bound, -0.7, f"{'−' if side < 0 else ''}{exact(bound)}", ha="center",
                   va="bottom", fontsize=LETTERS, color=MUTED)  # fmt: skip
    panel.axvline(0, color=FAINT, lw=0.8)
    reach = _reach(every, outer)
    height = {key: at for at, key in enumerate(zip(lines["level"], lines["label"], strict=True))}
    for level, (marker, name) in LEVELS.items():
        for sample, (filling, size) in SAMPLES.items():
            rows = data[(data["level"] == level) & (data["sample"] == sample)]
            if rows.empty:
                continue
            at = [height[level, label] for label in rows["label"]]
            differences = rows["size"].to_numpy()
            panel.plot(
                differences, at, marker, color=INK, mfc=filling, ms=size, mew=0.9,
                markevery=list(np.abs(differences) <= INSIDE * reach), label=f"{name}, {sample}",
            )  # fmt: skip
            _arrows(panel, differences, at, reach, -0.26 if filling == "white" else 0.26)
    counts = lines["level"].value_counts()
    ends = np.cumsum([counts.get(level, 0) for level in LEVELS])
    for end in {int(end) for end in ends[:-1] if 0 < end < len(lines)}:
        panel.axhline(end - 0.5, color=FAINT, lw=0.8, ls=":")
    panel.set_yticks(range(len(lines)), list(lines["label"]))
    panel.tick_params(axis="y", length=0)
    panel.set_ylim(len(lines) - 0.4, -TOP if people else -0.6)
    panel.set_xlim(-reach, reach)


def _reach(differences: pd.Series, outer: float) -> float:
    finite = differences[np.isfinite(differences)].abs()
    farthest = float(finite.max()) if len(finite) else 0.0
    if np.isinf(differences).any() or farthest > NEAR:
        farthest = FARTHEST
    return max(outer * 1.3, farthest * MARGIN)


def _arrows(
    panel: Axes, differences: Any, heights: Sequence[int], reach: float, lift: float
) -> None:
    """Draw an arrow at the edge, with its number, for each difference beyond it.

    One that is not known has a cross there instead, and the words.
    """
    for value, height in zip(differences, heights, strict=True):
        if abs(value) <= INSIDE * reach:
            continue
        if np.isnan(value):
            panel.plot([reach * 0.975], [height], "x", color=INK, ms=4.5)
            panel.text(
                reach * 0.95, height + lift, NOT_KNOWN,
                ha="right", va="center", fontsize=LETTERS, color=INK,
            )  # fmt: skip
            continue
        side = 1 if value > 0 else -1
        panel.plot(
            [side * reach * 0.975], [height], ">" if side > 0 else "<", color=INK, ms=4.5
        )  # fmt: skip
        number = difference_text(value, 2)
        panel.text(
            side * reach * 0.95, height + lift, number,
            ha="right" if side > 0 else "left", va="center", fontsize=LETTERS, color=INK,
        )  # fmt: skip
