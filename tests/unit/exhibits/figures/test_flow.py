"""The flow diagram as drawn: every word in its box, whatever the arms and their names."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from schooltrial.checks.flow.boxes import COLUMNS
from schooltrial.exhibits.figures.flow import flow_plot
from schooltrial.exhibits.style.figures import SETTINGS

STUDY = {"title": "A trial with a title that is rather long", "synthetic": True,
         "protocol": "a" * 64}  # fmt: skip
LABELS = {"ela": "English language arts, proficient or advanced, as published by the state"}
LONG = "schools merged by 2020 with another that was assigned Donaudampfschifffahrtsgesellschaften"


def _boxes(arms: list[dict[str, str]]) -> pd.DataFrame:
    told: list[list[Any]] = [
        ["assigned", "all", "", "", "school", "in", "schools assigned", 1234, "", "", ""]
    ]
    for arm in arms:
        name = arm["name"]
        told += [
            ["allocated", name, "", "", "school", "in", "schools allocated", 617, "", "", ""],
            ["followed up", name, "", 2020, "school", "lost", LONG, 1200345, "", "", ""],
            ["followed up", name, "", 2020, "pupil", "joined", "pupils who came", 5, "", "", ""],
            ["analysed", name, "ela", "2010 to 2019", "pupil", "in", "pupils analysed", 9, "", "",
             "itt"],
        ]  # fmt: skip
    return pd.DataFrame(told, columns=COLUMNS)


def _arms(count: int) -> list[dict[str, str]]:
    return [
        {"name": f"a{at}", "label": f"Schools offered version {at} of the leadership programme"}
        for at in range(count)
    ]


def _figure(count: int) -> Figure:
    figure = flow_plot(_boxes(_arms(count)), _arms(count), LABELS, STUDY)
    with mpl.rc_context(SETTINGS):
        figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize("count", [2, 3, 4])
def test_no_line_leaves_its_box_and_none_lies_on_another(count: int) -> None:
    figure = _figure(count)
    (panel,) = figure.axes
    boxes = [p.get_window_extent() for p in panel.patches if isinstance(p, Rectangle)]
    assert len(boxes) == 1 + 3 * count
    whole = figure.bbox
    for text in panel.texts:
        extent = text.get_window_extent()
        if not text.get_text():
            continue  # an arrow
        assert extent.x1 <= whole.x1
        around = [b for b in boxes if b.x0 <= extent.x0 <= b.x1 and b.y0 <= extent.y0 <= b.y1]
        if text.get_color() == "#222222":
            (box,) = around
            assert extent.x1 <= box.x1
            assert extent.y1 <= box.y1


def test_two_arms_fit_a_printed_column_and_four_a_page() -> None:
    assert _figure(2).get_figwidth() <= 3.6
    assert _figure(4).get_figwidth() <= 7.2
    assert min(float(t.get_fontsize()) for t in _figure(2).axes[0].texts if t.get_text()) >= 6.5


def test_every_count_and_every_arms_name_is_drawn() -> None:
    drawn = " ".join(text.get_text() for text in _figure(3).axes[0].texts)
    for arm in _arms(3):
        assert f"Allocation: {arm['label']}" in drawn
    assert "− schools merged" in drawn
    assert "1,200,345" in drawn
    assert "+ pupils who came: 5" in drawn
    assert f"{LABELS['ela']}, 2010 to 2019" in drawn
