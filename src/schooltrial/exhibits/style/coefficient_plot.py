"""A plot of coefficients with their confidence intervals, of one fit or several."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from schooltrial.document.numbers import decimals_of, number
from schooltrial.exhibits.style.figures import (
    ARM_COLOURS,
    ARM_MARKERS,
    FAINT,
    INK,
    LETTERS,
    new_figure,
    rendered,
    styled,
)
from schooltrial.exhibits.style.text_lines import wrap
from schooltrial.models.inference.estimate import Estimate
from schooltrial.refusal import UserError

KINDS = ("svg", "pdf", "png")

LABEL = 2.4
"""Inches of a line of a label."""


@dataclass(frozen=True, repr=False)
class Plot:
    """A drawing that notebooks show and that can be saved.

    Attributes
    ----------
    title : str
    words : str
        What it shows, in numbers, for those who do not see it.
    figure : matplotlib.figure.Figure
    """

    title: str
    words: str
    figure: Figure

    data = ""
    """CSV file of its numbers; a plot made in a notebook has none."""

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG."""
        return rendered(self.figure, ["svg"])["svg"].decode()

    def save(self, path: str | Path) -> Path:
        """Save the plot as SVG, PDF or PNG, by the ending of the file's name."""
        file = Path(path)
        kind = file.suffix.removeprefix(".").lower()
        if kind not in KINDS:
            raise UserError(f"{file.name}: a plot is saved as .svg, .pdf or .png")
        file.write_bytes(rendered(self.figure, [kind])[kind])
        return file

    def __repr__(self) -> str:
        return f"{self.title}: {self.words}"

    def _repr_html_(self) -> str:
        drawing = self.svg[self.svg.index("<svg") :]
        described = f'<figure role="img" aria-label="{html.escape(self.words)}">'
        return f"{described}{drawing}</figure>"


def plot_estimates(
    fits: Mapping[str, Sequence[Estimate]], title: str = "Estimates", foot: str = ""
) -> Plot:
    """Plot the coefficients of fits, each with its confidence interval and its numbers.

    Parameters
    ----------
    fits : mapping
        Name of a fit → its rows; the same term of several fits is drawn together.
    title : str
        Heading of the plot.
    foot : str
        Line below it, such as the study and whether its data are synthetic.

    Raises
    ------
    UserError
        Where no row has a number.
    """
    drawn = [
        (term, head, row)
        for term in dict.fromkeys(row.term for rows in fits.values() for row in rows)
        for head, rows in fits.items()
        for row in rows
        if row.term == term and isfinite(row.estimate)
    ]
    if not drawn:
        raise UserError("there is nothing to plot: no term has an estimate")
    digits = shown_decimals([row.estimate for _, _, row in drawn])
    words = "; ".join(f"{_name(t, h, fits)} {_told(row, digits)}" for t, h, row in drawn)
    return Plot(title, f"{words}.", _drawing(drawn, list(fits), digits, foot, len(fits) > 1))


def shown_decimals(estimates: Sequence[float]) -> int:
    """Return the decimals of estimates: three at most, more only where they would all be zeros."""
    sizes = [abs(value) for value in estimates if isfinite(value) and value]
    wanted = max(map(decimals_of, sizes), default=2)
    return min(wanted, 3) if max(sizes, default=1.0) >= 0.001 else wanted


def _name(term: str, head: str, fits: Mapping[str, object]) -> str:
    return f"{term}, {head}" if len(fits) > 1 else term


def _told(row: Estimate, digits: int) -> str:
    value = number(row.estimate, digits)
    if not isfinite(row.conf_low) or not isfinite(row.conf_high):
        return value
    return f"{value} ({number(row.conf_low, digits)} to {number(row.conf_high, digits)})"


@styled
def _drawing(
    drawn: Sequence[tuple[str, str, Estimate]],
    heads: Sequence[str],
    digits: int,
    foot: str,
    several: bool,
) -> Figure:
    font = FontProperties(size=LETTERS)
    named = [wrap(f"{t}, {h}" if several else t, LABEL, font) for t, h, _ in drawn]
    line = max(0.32, 0.16 * max(map(len, named)))
    figure, (panel,) = new_figure(1.0 + line * len(drawn))
    for at, (_, head, row) in enumerate(drawn):
        which = heads.index(head)
        colour = ARM_COLOURS[which % len(ARM_COLOURS)]
        if isfinite(row.conf_low) and isfinite(row.conf_high):
            panel.plot([row.conf_low, row.conf_high], [at, at], color=colour, lw=1.6)
        marker = ARM_MARKERS[which % len(ARM_MARKERS)]
        panel.plot(row.estimate, at, marker, color=colour, ms=5)
    panel.axvline(0, color=FAINT, lw=0.8, zorder=0)
    panel.set_ylim(len(drawn) - 0.5, -0.5)
    panel.set_yticks(range(len(drawn)), ["\n".join(lines) for lines in named])
    panel.tick_params(left=False, labelsize=LETTERS)
    panel.set_xlabel("Estimate with 95% confidence interval")
    beside = cast(Axes, panel.secondary_yaxis("right"))
    beside.set_yticks(range(len(drawn)), [_told(row, digits) for _, _, row in drawn])
    beside.tick_params(right=False, labelcolor=INK)
    for side in ("left", "right"):
        panel.spines[side].set_visible(False)
        beside.spines[side].set_visible(False)
    if foot:
        figure.supxlabel(foot, x=0.01, ha="left", fontsize=7, color=FAINT)
    return figure
