"""Dosage: what each school received of each component, month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schooltrial.exhibits.figure_style import foot, new_figure, styled

NAMED = 45
"""Schools that a panel names; where there are more, the lines alone are drawn."""
TICKS = 9


@styled
def dosage_plot(
    data: pd.DataFrame,
    components: Mapping[str, Mapping[str, Any]],
    arms: Sequence[Mapping[str, str]],
    study: Mapping[str, Any],
) -> Figure:
    """Draw one panel per component: a line per school, a column per month; blank is no record.

    Schools are in the order of what they received in all, within arms, the programme's first.
    """
    names = list(data["component"].unique())
    schools = _order(data, arms)
    lines = max(len(schools), 8)
    figure, panels = new_figure(1.6 + 0.11 * lines, 1, len(names))
    for panel, name in zip(panels, names, strict=True):
        image = _draw_component(panel, data[data["component"] == name], schools)
        label = components[name]["label"] if name in components else str(name)
        panel.set_title(label)
        bar = figure.colorbar(image, ax=panel, location="bottom", shrink=0.85, pad=0.02, aspect=30)
        bar.set_label(components.get(name, {}).get("indicator", ""), fontsize=7)
        bar.ax.tick_params(labelsize=7)
    labels = {arm["name"]: arm["label"] for arm in arms}
    sizes = schools.groupby("arm", sort=False).size()
    told = ";  ".join(f"{labels[arm]}: {size} schools" for arm, size in sizes.items())
    panels[0].set_ylabel(f"schools, from the top: {told}", fontsize=7)
    if len(schools) <= NAMED:
        panels[0].set_yticks(range(len(schools)), list(schools["school"]), fontsize=6)
    for panel in panels[1:]:
        panel.set_yticks([])
    foot(figure, study)
    return figure


def _order(data: pd.DataFrame, arms: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    totals = data.groupby(["arm", "school"], as_index=False)["value"].sum()
    place = {arm["name"]: -at for at, arm in enumerate(arms)}
    totals["_arm"] = totals["arm"].map(place)
    return totals.sort_values(
        ["_arm", "value", "school"], ascending=[True, False, True], ignore_index=True
    )


def _draw_component(panel: Axes, data: pd.DataFrame, schools: pd.DataFrame) -> Any:
    periods = sorted(data["period"].astype("str").unique())
    shares = np.full((len(schools), len(periods)), np.nan)
    place = {school: at for at, school in enumerate(schools["school"])}
    along = {period: at for at, period in enumerate(periods)}
    for row in data.itertuples():
        shares[place[row.school], along[str(row.period)]] = row.value
    image = panel.imshow(shares, cmap="Oranges", vmin=0, aspect="auto", interpolation="none")
    step = max(1, -(-len(periods) // TICKS))
    panel.set_xticks(range(0, len(periods), step), periods[::step], rotation=90, fontsize=6.5)
    panel.set_yticks([])
    panel.tick_params(length=2)
    return image
