"""How every figure looks, and how it becomes bytes that are the same on every run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from io import BytesIO
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from schooltrial.document.drawing import printed
from schooltrial.exhibits.style.compact_svg import compact
from schooltrial.exhibits.style.text_fitting import fit_texts
from schooltrial.protocol.content.sections import Arm, StudyLine

P = ParamSpec("P")


CONTROL, TREATED = "#44658a", "#c8591a"


ARM_COLOURS = (CONTROL, TREATED, "#4d8055", "#7c5f9e", "#a08425", "#3d8f96")


ARM_MARKERS = ("o", "D", "s", "^", "v", "P")


INK, FAINT, SHADE = "#222222", "#8a8a8a", "#f0ece2"


MUTED = "#666666"
"""Of words that are read less often than others, and still are read on white and on the shade."""


READABLE = 5.2
"""Inches of the width of a figure, whose letters are 6 points on a printed column of 88 mm."""


LETTERS = 9.0
"""Points of the smallest letters of a figure."""


SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "text.parse_math": False,  # a label that holds two dollar signs is no formula
    "figure.constrained_layout.use": True,
    "figure.dpi": 200,  # fine enough that text is laid out at the size at which it is drawn
    "text.hinting": "none",  # widths grow with the size of letters, and take less time to find
    "svg.hashsalt": "schooltrial",
    "svg.fonttype": "none",  # words stay words: smaller, searchable, and drawn once in a PDF
}


LACKED = "Glyph .* missing"
"""How matplotlib begins to say that its font lacks a letter."""


FORMATS = ("svg", "pdf", "png")


NO_DATES = {"Date": None, "Creator": None}


@contextmanager
def _letters_missing_once(said: bool) -> Iterator[None]:
    """Let matplotlib warn once, not at every step, of letters that the font lacks.

    ``said`` is whether to say it here or leave it to who renders the figure.
    """
    with warnings.catch_warnings(record=True) as heard:
        warnings.filterwarnings("always", LACKED)
        yield
    lacked = [warning for warning in heard if str(warning.message).startswith("Glyph ")]
    for other in heard:
        if other not in lacked:
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    if lacked and said:
        count = len({str(warning.message) for warning in lacked})
        warnings.warn(f"The font of the figure lacks {count} of its letters.", stacklevel=3)


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Return a drawing function that draws in the house's style."""

    @wraps(draw)
    def drawing(*arguments: P.args, **named: P.kwargs) -> Figure:
        with mpl.rc_context(SETTINGS), _letters_missing_once(said=False):
            return draw(*arguments, **named)

    return drawing


@dataclass(frozen=True)
class ArmStyle:
    """How a group is drawn in every figure."""

    name: str
    label: str
    colour: str
    marker: str


def arm_styles(arms: Sequence[Arm]) -> list[ArmStyle]:
    """Return the style of each group, the control group first; beyond six groups they repeat."""
    return [
        ArmStyle(
            arm["name"],
            _in_key(arm["label"]),
            ARM_COLOURS[at % len(ARM_COLOURS)],
            ARM_MARKERS[at % len(ARM_MARKERS)],
        )
        for at, arm in enumerate(arms)
    ]


def _in_key(label: str) -> str:
    """Return a label that a key shows: what begins with an underscore is left out of keys."""
    return f" {label}" if label.startswith("_") else label


def blank_figure(width: float, height: float) -> Figure:
    """Return a figure of a size in inches, without panels.

    It has a canvas of its own, so that texts are measured, many times, by one renderer.
    """
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def new_figure(
    height: float,
    rows: int = 1,
    columns: int = 1,
    height_ratios: list[float] | None = None,
    width: float = READABLE,
) -> tuple[Figure, list[Axes]]:
    """Return a figure, of the house's width unless another is given, and its panels in order."""
    figure = blank_figure(width, height)
    grid = figure.subplots(rows, columns, squeeze=False, height_ratios=height_ratios)
    return figure, [panel for line in grid for panel in line]


def two_column_figure(count: int, head: float, each: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel for each of several parts, two in a line, and the panels.

    Parameters
    ----------
    count : int
        Parts; a place that is left over is empty, and without any there is one panel.
    head, each : float
        Heights in inches of what stands above and below, and of a line of panels.
    """
    columns = 2 if count > 1 else 1
    lines = max(1, -(-count // columns))
    figure, panels = new_figure(head + each * lines, lines, columns)
    for spare in panels[count:]:
        spare.set_axis_off()
    return figure, panels[: max(count, 1)]


def nothing_drawn(why: str, study: StudyLine) -> Figure:
    """Return a figure that says in a sentence why there is nothing to draw."""
    figure, (panel,) = new_figure(1.2)
    panel.set_axis_off()
    panel.text(0, 0.5, why)
    foot(figure, study)
    return figure


def foot(figure: Figure, study: StudyLine, size: float = LETTERS) -> None:
    """Write study, protocol and, where it is so, SYNTHETIC DATA under a figure."""
    colour = TREATED if study["synthetic"] else FAINT
    figure.supxlabel(foot_text(study), x=0.01, ha="left", fontsize=size, color=colour)


def foot_text(study: StudyLine) -> str:
    """Return the line of text under every figure.

    Parameters
    ----------
    study : mapping
        Title, whether synthetic, and protocol hash.
    """
    label = "SYNTHETIC DATA.  " if study["synthetic"] else ""
    protocol = f".  Protocol {study['protocol'][:12]}" if study["protocol"] else ""
    return f"{label}{study['title']}{protocol}"


def rendered(
    figure: Figure, kinds: Sequence[str] = FORMATS, title: str = "", alt: str = ""
) -> dict[str, bytes]:
    """Return the figure as SVG, PDF and PNG, or some of them, without dates.

    It is drawn once, as SVG; the others are that drawing as a page and as dots.

    Parameters
    ----------
    figure : Figure
    kinds : sequence of {"svg", "pdf", "png"}
    title, alt : str
        Of the PDF: what it is, and what it shows.
    """
    buffer = BytesIO()
    with mpl.rc_context(SETTINGS), _letters_missing_once(said=True):
        fit_texts(figure)
        with mpl.rc_context({"figure.constrained_layout.use": False}):
            figure.set_layout_engine(None)  # laid out once, and drawn once as it is written
        figure.savefig(buffer, format="svg", metadata=NO_DATES, facecolor="white")
    svg = compact(buffer.getvalue())
    made = {"svg": svg}
    for kind in ("pdf", "png"):
        if kind in kinds:
            made[kind] = printed(svg, kind, title, alt)
    return {kind: made[kind] for kind in kinds}
