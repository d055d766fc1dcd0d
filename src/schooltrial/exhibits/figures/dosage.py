"""Dosage: what each school received of each component, month by month."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from schooltrial.exhibits.style.alt_words import few, span, told
from schooltrial.exhibits.style.cell_mesh import CellMesh, add_scale, draw_cells
from schooltrial.exhibits.style.figures import FAINT, INK, LETTERS, foot, new_figure, styled
from schooltrial.protocol.content.sections import Arm, Component, StudyLine
from schooltrial.wording import plural

NAMED = 45
"""Schools that a panel names; where there are more, the lines alone are drawn."""


TICKS = {1: 24, 2: 12, 3: 7}
"""Panels abreast → periods that an axis names at most."""


ABREAST = 3
"""Components up to which panels stand abreast."""


LINE, TALLEST, AROUND = 0.145, 7.0, 1.6
"""Inches of the line of a school, of all lines below one another at most, and around a panel."""


MONTH = re.compile(r"(\d{4})-(\d{2})")


@styled
def dosage_plot(
    data: pd.DataFrame,
    components: Mapping[str, Component],
    arms: Sequence[Arm],
    study: StudyLine,
) -> Figure:
    """Draw one panel per component: a line per school, a column per month; blank is no record.

    Schools are in the order of what they received in all, within arms, the last arm's first and
    control's last; a rule parts the groups. Months without a record keep their place in time.
    """
    names = list(data["component"].unique())
    schools = _order(data, arms)
    lines = max(len(schools), 8)
    abreast = min(len(names), ABREAST)
    rows = -(-len(names) // abreast)
    tall = min(LINE * lines, TALLEST / rows)
    figure, panels = new_figure(0.6 + (AROUND + tall) * rows, rows, abreast)
    columns = _columns(data["period"].astype("str"))
    for spare in panels[len(names) :]:
        spare.set_axis_off()
    panels = panels[: len(names)]
    for panel, name in zip(panels, names, strict=True):
        mine = data[data["component"] == name]
        cells = _draw_component(panel, mine, schools, columns, TICKS[abreast])
        component = components.get(name)
        label = component["label"] if component else str(name)
        panel.set_title(label, fontsize=LETTERS)
        bar = add_scale(figure, panel, cells, component["indicator"] if component else "")
        bar.xaxis.set_major_locator(MaxNLocator(3))
    labels = {arm["name"]: arm["label"] for arm in arms}
    sizes = schools.groupby("arm", sort=False).size()
    told = ";  ".join(f"{labels[arm]}: {size}" for arm, size in sizes.items())
    figure.suptitle(
        f"Schools with a record, from the top: {told}", x=0.01, ha="left", fontsize=LETTERS,
        color=INK,
    )  # fmt: skip
    for panel in panels:
        for edge in sizes.cumsum().iloc[:-1]:
            panel.axhline(edge - 0.5, color=FAINT, linewidth=0.8)
    if len(schools) <= NAMED and tall >= LINE * lines:
        for panel in panels[::abreast]:
            panel.set_yticks(range(len(schools)), list(schools["school"]))
    foot(figure, study)
    return figure


def _order(data: pd.DataFrame, arms: Sequence[Arm]) -> pd.DataFrame:
    totals = data.groupby(["arm", "school"], as_index=False)["value"].sum()
    place = {arm["name"]: -at for at, arm in enumerate(arms)}
    totals["_arm"] = totals["arm"].map(place)
    return totals.sort_values(
        ["_arm", "value", "school"], ascending=[True, False, True], ignore_index=True
    )


def _columns(periods: pd.Series) -> list[str]:
    """Return the periods along the axis: every month from first to last, where they are months."""
    held = sorted(periods.unique())
    found = [MONTH.fullmatch(period) for period in held]
    months = [12 * int(month[1]) + int(month[2]) - 1 for month in found if month]
    if len(months) < len(held):
        return held
    return [f"{at // 12}-{at % 12 + 1:02d}" for at in range(months[0], months[-1] + 1)]


def _draw_component(
    panel: Axes, data: pd.DataFrame, schools: pd.DataFrame, columns: Sequence[str], most: int
) -> CellMesh:
    doses = np.full((len(schools), len(columns)), np.nan)
    place = {school: at for at, school in enumerate(schools["school"])}
    along = {period: at for at, period in enumerate(columns)}
    for row in data.itertuples():
        doses[place[row.school], along[str(row.period)]] = row.value
    cells = draw_cells(panel, doses)
    step = max(1, -(-len(columns) // most))
    panel.set_xticks(range(0, len(columns), step), columns[::step], rotation=90)
    panel.set_yticks([])
    panel.tick_params(length=2)
    return cells


def alt_text(data: pd.DataFrame, components: Mapping[str, Component], arms: Sequence[Arm]) -> str:
    """Return what the figure shows, in numbers: what schools of each group received a month."""
    labels = {str(arm["name"]): str(arm["label"]) for arm in arms}
    parts = []
    for (name, arm), rows in data.groupby(["component", "arm"], sort=False):
        component = components.get(str(name))
        periods = sorted(rows["period"].astype("str").unique())
        parts.append(
            f"{component['label'] if component else name}"
            f"{', ' + component['indicator'] if component else ''}, {labels.get(str(arm), arm)}: "
            f"{plural(rows['school'].nunique(), 'school')} with a record, {periods[0]} to "
            f"{periods[-1]}; mean per record {told(float(rows['value'].mean()))}, "
            f"{span(rows['value'])}; in all, schools received "
            f"{span(rows.groupby('school')['value'].sum())}"
        )
    return f"Dosage by component, school and period. {few(parts, 'lines') or 'None recorded.'}"
