"""The missingness map: the share of cells that are missing, by variable and year."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from schooltrial.checks.data_quality.codebook import OF_NO_ARM
from schooltrial.checks.data_quality.missingness import empty_by_design
from schooltrial.exhibits.style.alt_words import few
from schooltrial.exhibits.style.cell_mesh import draw_cells
from schooltrial.exhibits.style.figures import INK, LETTERS, foot, new_figure, styled
from schooltrial.exhibits.style.text_lines import wrap
from schooltrial.exhibits.style.year_axis import MOST
from schooltrial.protocol.content.sections import StudyLine
from schooltrial.wording import percent, plural

LABEL = 1.9
"""Inches of a line of a label."""


LINE = 0.24
"""Inches of a variable's line."""


def drawn(missing: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of the check that are drawn: every variable of a table that has cells."""
    designed = missing["variable"].map(empty_by_design) | missing["table"].isin(OF_NO_ARM)
    rows = missing[(missing["rows"] > 0) & ~designed].copy()
    rows["label"] = [labels.get(name) or name.replace("_", " ") for name in rows["variable"]]
    return rows


SHADES = 40
"""Shades from none to all missing: a cell that lacks 3% differs from one that lacks nothing."""


@styled
def missingness_plot(data: pd.DataFrame, study: StudyLine) -> Figure:
    """Draw one line per variable and one column per year; the darker, the more is missing."""
    lines = list(dict.fromkeys(zip(data["table"], data["variable"], strict=True)))
    names = data.drop_duplicates(["table", "variable"])["label"]
    years = sorted(data["year"].astype("str").unique(), key=lambda year: (year == "all", year))
    shares = np.full((len(lines), len(years)), np.nan)
    place = {line: at for at, line in enumerate(lines)}
    for row in data.itertuples():
        shares[place[row.table, row.variable], years.index(str(row.year))] = row.share
    figure, (panel,) = new_figure(1.4 + LINE * len(lines))
    draw_cells(panel, shares, greatest=1.0, shades=SHADES)
    font = FontProperties(size=LETTERS)
    shown = [
        "\n".join(wrap(f"{table}: {name}", LABEL, font))
        for (table, _), name in zip(lines, names, strict=True)
    ]
    panel.set_yticks(range(len(lines)), shown)
    step = -(-len(years) // MOST)
    named = range(len(years))[::-1][::step][::-1]  # the last always
    panel.set_xticks(list(named), [years[at] for at in named])
    panel.tick_params(length=0, labelsize=LETTERS)
    panel.spines[:].set_visible(False)
    for at, along in zip(*np.nonzero(shares > 0), strict=True):
        share = shares[at, along]
        text = f"{100 * share:.0f}" if share >= 0.01 else "<1"
        panel.text(along, at, text, ha="center", va="center", fontsize=LETTERS,
                   color="white" if share > 0.6 else INK)  # fmt: skip
    panel.set_title("Missing cells, per cent")
    foot(figure, study)
    return figure


def alt_text(data: pd.DataFrame) -> str:
    """Return what the figure shows, in numbers: which variables lack most."""
    lines = data.drop_duplicates(["table", "variable"])
    lacking = data[data["share"] > 0].sort_values("share", ascending=False, kind="stable")
    worst = lacking.drop_duplicates(["table", "variable"])
    first = (
        f"Share of missing cells of {plural(len(lines), 'variable')} in "
        f"{plural(data['table'].nunique(), 'table')}, by year."
    )
    if worst.empty:
        return f"{first} No cell is missing."
    parts = [
        f"{row['table']}, {row['label']}"
        f"{'' if str(row['year']) == 'all' else ', ' + str(row['year'])}: "
        f"{percent(float(row['share']))} of {int(row['rows']):,}"
        for _, row in worst.iterrows()
    ]
    return f"{first} {len(worst)} have missing cells, most: {few(parts, 'variables')}"
