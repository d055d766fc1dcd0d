"""School means as they were read, and the schools that lie far from the others."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from schooltrial.exhibits.style.alt_words import few, signed, told
from schooltrial.exhibits.style.cell_mesh import rectangles_path
from schooltrial.exhibits.style.figures import (
    CONTROL,
    FAINT,
    INK,
    LETTERS,
    TREATED,
    foot,
    new_figure,
    nothing_drawn,
    styled,
)
from schooltrial.exhibits.style.label_placement import marker_box, place_label
from schooltrial.exhibits.style.text_fitting import fit_texts
from schooltrial.exhibits.style.year_axis import set_years
from schooltrial.protocol.content.sections import Outcome, StudyLine
from schooltrial.wording import plural

DENSE = 1500
"""Schools and years of a panel above which bars count them, as marks would cover one another."""


BIN, BROAD = 0.2, 0.84
"""SDs that a bar is high, and years that the widest is long."""


YEARS = {1: 8, 2: 4}
"""Panels abreast → years that an axis names at most."""


NAMED = 8
"""Outliers named in a panel; the others are marked, and stand in the data."""


@styled
def school_outliers_plot(
    data: pd.DataFrame, outcomes: Mapping[str, Outcome], study: StudyLine
) -> Figure:
    """Draw one panel per outcome: a mark per school and year, outliers filled and named."""
    names = [name for name in outcomes if (data["outcome"] == name).any()]
    if not names:
        return nothing_drawn("No outcome of any school was read.", study)
    columns = 2 if len(names) > 1 else 1
    lines = -(-len(names) // columns)
    figure, panels = new_figure(0.8 + 2.2 * lines, lines, columns)
    for panel, name in zip(panels, names, strict=False):
        _draw_outcome(panel, data[data["outcome"] == name])
        panel.set_title(outcomes[name]["label"], fontsize=LETTERS)
        set_years(panel, data.loc[data["outcome"] == name, "year"], YEARS[columns])
    foot(figure, study)
    fit_texts(figure)  # places are only known once the layout is settled
    for panel, name in zip(panels, names, strict=False):
        _name_farthest(panel, data[data["outcome"] == name])
    for spare in panels[len(names) :]:
        spare.set_axis_off()
    return figure


def _draw_outcome(panel: Axes, data: pd.DataFrame) -> None:
    limit = float(data["threshold"].iloc[0])
    odd = data["verdict"] == "outlier"
    for sign in (-limit, limit):
        panel.axhline(sign, color=FAINT, lw=0.8, ls="--")
    panel.axhline(0, color=FAINT, lw=0.6)
    if int((~odd).sum()) > DENSE:
        _draw_bars(panel, data[~odd])
    else:
        panel.plot(data.loc[~odd, "year"], data.loc[~odd, "z"], "o", ms=3, mfc="none", mew=0.6,
                   color=CONTROL)  # fmt: skip
    panel.plot(data.loc[odd, "year"], data.loc[odd, "z"], "D", ms=4, color=TREATED)
    panel.set_ylabel("SDs of school means")


def _draw_bars(panel: Axes, data: pd.DataFrame) -> None:
    """Draw a bar for each year and height: the longer, the more schools lie there."""
    heights = (data["z"] / BIN).round().astype("int64")
    counts = data.groupby([data["year"], heights]).size()
    reach = BROAD / 2 / float(counts.max())
    bars = rectangles_path(
        (year - reach * n, year + reach * n, (at - 0.45) * BIN, (at + 0.45) * BIN)
        for (year, at), n in counts.items()
    )
    panel.add_patch(PathPatch(bars, color=CONTROL, lw=0))


def _name_farthest(panel: Axes, data: pd.DataFrame) -> None:
    """Name the schools that lie farthest, where no name covers another or an outlier's mark."""
    odd = data[data["verdict"] == "outlier"]
    taken = [marker_box(panel, row.year, row.z, 4) for row in odd.itertuples()]
    for row in odd.sort_values("z", key=abs, ascending=False).head(NAMED).itertuples():
        box = place_label(panel, str(row.school), row.year, row.z, taken, size=LETTERS, colour=INK,
                          line=FAINT, backed=True)  # fmt: skip
        taken.append(box)


def alt_text(data: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> str:
    """Return what the figure shows, in numbers: schools beyond the threshold, the farthest."""
    parts = []
    for name in [name for name in outcomes if (data["outcome"] == name).any()]:
        rows = data[data["outcome"] == name]
        odd = rows[rows["verdict"] == "outlier"].sort_values("z", key=abs, ascending=False)
        farthest = (
            f", the farthest {odd['school'].iloc[0]} in {odd['year'].iloc[0]} at "
            f"{signed(float(odd['z'].iloc[0]))} SDs"
            if len(odd)
            else ""
        )
        parts.append(
            f"{outcomes[name]['label']}: {plural(rows['school'].nunique(), 'school')}, "
            f"{plural(rows['year'].nunique(), 'year')}; {plural(len(odd), 'mean')} beyond "
            f"{told(float(rows['threshold'].iloc[0]))} SDs{farthest}"
        )
    first = "Distance of school means from the average of schools in the year."
    return f"{first} {few(parts, 'outcomes') or 'No outcome of any school was read.'}"
