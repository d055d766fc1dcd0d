"""A figure of a study as a notebook shows it, or the sentence that says why there is none."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from schooltrial.exhibits.catalogue import FIGURES, lacking
from schooltrial.protocol.content.sections import Content
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.refusal import UserError, unknown
from schooltrial.study.layout import Layout

CAPTIONS = Path(__file__).parents[2] / "exhibits" / "captions.yaml"

OF_DATA_QUALITY = ("missingness", "distributions", "school_outliers")
"""Figures of the page on data quality."""


@dataclass(frozen=True, repr=False)
class Shown:
    """A figure, or a sentence in its place.

    Attributes
    ----------
    name, title : str
        Name of its files, and its heading.
    words : str
        What it shows, or why the study does not have it.
    svg : str
        The drawing; empty where the study does not have it.
    data : str
        CSV file of its numbers below the folder of results; empty without a figure.
    """

    name: str
    title: str
    words: str
    svg: str = ""
    data: str = ""

    def __repr__(self) -> str:
        return f"{self.title}: {self.words}"

    def _repr_html_(self) -> str:
        if not self.svg:
            return f"<p>{html.escape(self.words)}</p>"
        drawing = self.svg[self.svg.index("<svg") :]
        described = f'<figure role="img" aria-label="{html.escape(self.words)}">'
        return f"{described}{drawing}</figure>"


def show_figure(name: str, content: Content, paths: Layout) -> Shown:
    """Return a figure of a study's results, or the reason why the study does not have it.

    Parameters
    ----------
    name : str
        Such as ``love_plot``.
    content : Content
        The protocol.
    paths : Layout
        Where the results lie.

    Raises
    ------
    UserError
        Where there is no figure of that name, and where the rules have not drawn it yet.
    """
    known = (*FIGURES, *OF_DATA_QUALITY)
    if name not in known:
        raise unknown("figure", name, known)
    captions = cast(dict[str, Any], parse_yaml(CAPTIONS.read_text("utf-8")))
    title = str(captions[name]["title"])
    reasons = lacking(content)
    if name in reasons:
        reason = reasons[name]
        return Shown(name, title, f"{reason[0].upper()}{reason[1:]}.")
    drawing = paths.figure(name)
    if not drawing.is_file():
        raise UserError(f"{drawing} is not there: run the study first")
    words = drawing.with_suffix(".txt")
    told = words.read_text("utf-8").strip() if words.is_file() else str(captions[name]["alt"])
    return Shown(name, title, told, drawing.read_text("utf-8"), f"figures/{name}.csv")
