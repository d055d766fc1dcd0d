"""Every figure looks alike: its groups, its foot, its panels and its files."""

from __future__ import annotations

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from schooltrial.exhibits.style.figures import (
    ARM_COLOURS,
    ARM_MARKERS,
    CONTROL,
    FAINT,
    READABLE,
    TREATED,
    arm_styles,
    foot,
    foot_text,
    new_figure,
    rendered,
    styled,
)
from schooltrial.protocol.content.sections import StudyLine

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0123456789abcdef"}
REAL: StudyLine = {**STUDY, "synthetic": False}


def test_the_first_arm_is_drawn_as_control_and_the_second_as_treated() -> None:
    first, second = arm_styles(
        [
            {"name": "c", "label": "Control", "share": None, "in_models": True},
            {"name": "t", "label": "Tutored", "share": None, "in_models": True},
        ]
    )
    assert (first.name, first.label, first.colour, first.marker) == ("c", "Control", CONTROL, "o")
    assert (second.name, second.label, second.colour, second.marker) == (
        "t", "Tutored", TREATED, "D",
    )  # fmt: skip


def test_six_arms_differ_in_colour_and_in_marker_and_the_seventh_is_drawn_as_the_first() -> None:
    styles = arm_styles(
        [{"name": str(at), "label": str(at), "share": None, "in_models": True} for at in range(7)]
    )
    assert len({style.colour for style in styles[:6]}) == 6
    assert len({style.marker for style in styles[:6]}) == 6
    assert (styles[6].colour, styles[6].marker) == (ARM_COLOURS[0], ARM_MARKERS[0])


@pytest.mark.parametrize(
    ("study", "text", "colour"),
    [
        (STUDY, "SYNTHETIC DATA.  A trial.  Protocol 0123456789ab", TREATED),
        (REAL, "A trial.  Protocol 0123456789ab", FAINT),
    ],
)
def test_the_foot_names_study_and_protocol_and_stands_out_where_data_are_synthetic(
    study: StudyLine, text: str, colour: str
) -> None:
    figure = Figure()
    foot(figure, study)
    assert foot_text(study) == figure.get_supxlabel() == text
    (drawn,) = figure.texts
    assert drawn.get_color() == colour
    assert drawn.get_horizontalalignment() == "left"
    assert drawn.get_position()[0] == 0.01


def test_panels_come_in_reading_order_on_a_figure_of_the_houses_width() -> None:
    figure, panels = new_figure(3.0, rows=2, columns=2, height_ratios=[1.0, 3.0])
    assert (figure.get_figwidth(), figure.get_figheight()) == (READABLE, 3.0)
    places = [panel.get_position() for panel in panels]
    assert places[0].x0 < places[1].x0
    assert places[0].y0 == places[1].y0 > places[2].y0
    assert places[2].height == pytest.approx(3 * places[0].height)


def test_the_house_style_holds_while_a_figure_is_drawn_and_not_after() -> None:
    seen = {}

    @styled
    def draw(name: str) -> Figure:
        seen[name] = {
            key: mpl.rcParams[key]
            for key in ("axes.spines.top", "axes.titlelocation", "figure.dpi", "legend.frameon")
        }
        return Figure()

    before = dict(mpl.rcParams)
    draw("one")
    assert seen["one"] == {
        "axes.spines.top": False, "axes.titlelocation": "left", "figure.dpi": 200,
        "legend.frameon": False,
    }  # fmt: skip
    assert dict(mpl.rcParams) == before


def test_a_figure_becomes_one_file_of_each_format_without_its_hour() -> None:
    @styled
    def draw() -> Figure:
        figure, (panel,) = new_figure(1.0)
        panel.set_title("Title")
        return figure

    files = rendered(draw())
    assert files["svg"].startswith(b"<?xml")
    assert files["pdf"].startswith(b"%PDF")
    assert files["png"].startswith(b"\x89PNG")
    assert list(files) == ["svg", "pdf", "png"]
    for told in (b"<dc:date>", b"CreationDate", b"ModDate", b"Software", b"/Producer"):
        assert not any(told in content for content in files.values()), told
    assert rendered(draw()) == files
