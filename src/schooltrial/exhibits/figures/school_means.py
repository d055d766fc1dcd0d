"""School means: every school's mean outcome, by block and arm, in the years analysed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schooltrial.data.rows.ordering import places
from schooltrial.exhibits.style.figures import FAINT, arm_styles, foot, new_figure, styled
from schooltrial.protocol.sections import Arm, Outcome, StudyLine


def drawn(
    panel: pd.DataFrame, outcomes: Mapping[str, Outcome], years: Sequence[int]
) -> pd.DataFrame:
    """Return the mean of each school for each primary outcome, over the named years."""
    primary = [name for name, outcome in outcomes.items() if outcome["primary"]] or list(outcomes)
    cells = panel[panel["outcome"].isin(primary) & panel["year"].isin(list(years))].copy()
    cells["n_pupils"] = cells["n_pupils"].fillna(1)
    cells["total"] = cells["mean"] * cells["n_pupils"]
    keys = ["outcome", "block", "school", "arm", "treated"]
    sums = cells.groupby(keys, as_index=False)[["total", "n_pupils"]].sum()
    sums["mean"] = sums["total"] / sums["n_pupils"]
    sums["_order"] = sums["block"].astype("str").map(places(sums["block"]))
    sums = sums.sort_values(["outcome", "_order", "treated", "school"], ignore_index=True)
    return sums[[*keys, "mean", "n_pupils"]]


@styled
def school_means_plot(
    data: pd.DataFrame,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    study: StudyLine,
    block_label: str,
    year_label: str,
) -> Figure:
    """Draw one panel per primary outcome: a line per block, a mark per school sized by pupils."""
    names = [name for name in outcomes if (data["outcome"] == name).any()]
    blocks = list(dict.fromkeys(data["block"]))
    figure, panels = new_figure(1.5 + 0.23 * max(len(blocks), 6), 1, len(names))
    for panel, name in zip(panels, names, strict=True):
        _draw_outcome(panel, data[data["outcome"] == name], blocks, arms)
        panel.set_title(f"{outcomes[name]['label']}, {year_label}")
        panel.set_xlabel(f"school mean, {outcomes[name]['units_label']}")
    panels[0].set_ylabel(block_label)
    for panel in panels[1:]:
        panel.set_yticklabels([])
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper right", ncols=4, fontsize=8)
    foot(figure, study)
    return figure


def _draw_outcome(panel: Axes, data: pd.DataFrame, blocks: list[str], arms: Sequence[Arm]) -> None:
    place = {block: at for at, block in enumerate(blocks)}
    for block, rows in data.groupby("block"):
        panel.plot(
            [rows["mean"].min(), rows["mean"].max()], [place[str(block)]] * 2, color=FAINT, lw=0.6
        )
    largest = data["n_pupils"].max()
    for arm in arm_styles(arms):
        rows = data[data["arm"] == arm.name]
        panel.scatter(
            rows["mean"], rows["block"].map(place), s=12 + 45 * rows["n_pupils"] / largest,
            marker=arm.marker, color=arm.colour, alpha=0.8, lw=0, label=arm.label, zorder=3,
        )  # fmt: skip
    panel.set_yticks(range(len(blocks)), blocks)
    panel.set_ylim(len(blocks) - 0.5, -0.5)
