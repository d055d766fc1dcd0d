"""Figures as files: the formats that are asked for, and text that can be searched."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure
from pypdf import PdfReader

from schooltrial.document.drawing import size_of
from schooltrial.exhibits.style.figures import foot, new_figure, rendered, styled
from schooltrial.exhibits.writing import write_figure
from schooltrial.protocol.content.sections import StudyLine

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


def test_text_in_a_pdf_can_be_searched_and_its_letters_lie_in_the_file() -> None:
    pdf = PdfReader(BytesIO(rendered(_figure(), ["pdf"])["pdf"]))
    (page,) = pdf.pages
    assert STUDY["title"] in page.extract_text()
    assert "Bold words" in page.extract_text()
    held: Any = page["/Resources"]
    fonts = [font.get_object() for font in held["/Font"].values()]
    told = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts]
    assert len(told) == 2  # upright and bold
    assert all("/FontFile2" in one.get_object() for one in told)


def test_a_pdf_has_the_size_of_the_drawing_its_title_and_what_it_shows() -> None:
    made = rendered(_figure(), ["svg", "pdf"], title="A trial", alt="One panel, and 12.")
    pdf = PdfReader(BytesIO(made["pdf"]))
    assert pdf.metadata is not None
    assert pdf.metadata.title == "A trial"
    box = pdf.pages[0].mediabox
    assert (float(box.width), float(box.height)) == pytest.approx(size_of(made["svg"]), abs=0.01)
    assert "/StructTreeRoot" in pdf.root_object
    assert b"One panel, and 12." in made["pdf"]


def test_a_drawing_that_does_not_say_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="size in points"):
        size_of(b'<svg viewBox="0 0 9 9"><path d="M0 0"/></svg>')


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
