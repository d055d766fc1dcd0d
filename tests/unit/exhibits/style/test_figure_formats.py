"""Figures as files: the formats that are asked for, and text that can be searched."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from schooltrial.exhibits.style.figures import foot, new_figure, rendered, styled
from schooltrial.exhibits.writing import write_figure
from schooltrial.protocol.sections import StudyLine

STUDY: StudyLine = {
    "title": "A school trial: ×½ β",
    "protocol": "0123456789abcdef",
    "synthetic": False,
}


@styled
def _figure() -> Figure:
    figure, (panel,) = new_figure(2.0)
    panel.set_title("Bold words")
    foot(figure, STUDY)
    return figure


def _characters(pdf: bytes) -> set[str]:
    """Return the characters that the glyphs of a PDF's fonts are said to stand for."""
    found: set[str] = set()
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S):
        try:
            text = zlib.decompress(stream).decode("latin-1")
        except zlib.error:
            continue
        for first, last, meaning in re.findall(r"<(\w+)> <(\w+)> (<\w+>|\[[^]]*\])\n", text):
            codes = [int(code, 16) for code in re.findall(r"<(\w+)>", meaning)]
            if meaning.startswith("<"):
                codes = [codes[0] + step for step in range(int(last, 16) - int(first, 16) + 1)]
            found |= {chr(code) for code in codes}
    return found


def test_text_in_a_pdf_can_be_searched_and_its_letters_lie_in_the_file() -> None:
    pdf = rendered(_figure(), ["pdf"])["pdf"]
    wanted = set(STUDY["title"] + "Bold words") - {" "}
    assert wanted <= _characters(pdf)
    fonts = re.findall(rb"/Subtype /Type3", pdf)
    assert len(fonts) == pdf.count(b"/ToUnicode") > 0
    assert b"/BaseFont" in pdf
    assert pdf.count(b"/CharProcs") == len(fonts)


def test_a_figure_is_written_in_the_formats_that_have_a_path(tmp_path: Path) -> None:
    data = pd.DataFrame({"x": [1.0]})
    paths = {kind: str(tmp_path / f"figure.{kind}") for kind in ("csv", "txt", "svg", "png")}
    png = paths.pop("png")
    write_figure(_figure(), data, "One point, at 1.", STUDY, **paths)
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv", ".txt", ".svg"}
    write_figure(_figure(), data, "One point, at 1.", STUDY, **paths, png=png)
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv", ".txt", ".svg", ".png"}
    assert Path(png).read_bytes().startswith(b"\x89PNG")
    assert Path(paths["svg"]).read_bytes().startswith(b"<?xml")


def test_letters_that_the_font_lacks_are_said_once() -> None:
    figure, (panel,) = new_figure(1.0)
    panel.set_title("数学")
    with pytest.warns(UserWarning, match="lacks 2") as heard:
        rendered(figure)
    assert [str(warning.message) for warning in heard] == [
        "The font of the figure lacks 2 of its letters."
    ]
