"""The boundary figure draws the table's points, and no label covers another or a point."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from schooltrial.exhibits.figures.attrition_boundary import attrition_plot, drawn
from schooltrial.exhibits.style.figures import rendered
from schooltrial.exhibits.style.label_placement import Box, marker_box, text_box

STUDY = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
ARMS: Any = [{"name": "control", "label": "Control"}, {"name": "programme", "label": "Programme"}]
OUTCOMES: Any = {
    "maths": {"label": "Maths"},
    "ela": {"label": "English language arts"},
    "attendance": {"label": "Attendance rate"},
}
LEVELS = ("schools", "pupils in schools that stay", "pupils")


def _table(seed: int = 0, arms: tuple[str, ...] = ("programme",)) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        {
            "quantity": "lost", "outcome": outcome, "year": year, "level": level, "arm": arm,
            "overall": 0.0 if level == "schools" else round(rng.uniform(0.1, 0.2), 4),
            "differential": 0.0 if level == "schools" else round(rng.uniform(-0.07, 0.07), 4),
            "verdict_cautious": "low", "verdict_optimistic": "low",
        }
        for outcome in OUTCOMES for year in (2019, 2020) for level in LEVELS for arm in arms
    ]  # fmt: skip
    moved = {**rows[0], "quantity": "joined late", "outcome": "", "level": "pupils"}
    unmeasured = {**rows[1], "overall": np.nan, "differential": np.nan}
    return pd.DataFrame([*rows, moved, unmeasured])


def _labels(figure: Figure) -> list[Text]:
    return [text for text in figure.axes[0].texts if text.get_text()]


def test_the_points_are_the_rows_of_the_table_in_per_cent() -> None:
    table = _table()
    data = drawn(table, OUTCOMES, ARMS, [2020])
    lost = table[(table["quantity"] == "lost") & (table["year"] == 2020)].dropna()
    assert data["overall"].tolist() == pytest.approx((100 * lost["overall"]).tolist())
    assert data["differential"].tolist() == pytest.approx((100 * lost["differential"]).tolist())
    assert set(data["detail"]) == {""}
    both = drawn(table, OUTCOMES, ARMS, [2019, 2020])
    assert set(both["detail"]) == {"2019", "2020"}


@pytest.mark.parametrize("seed", range(4))
def test_no_label_covers_another_or_a_point_or_leaves_the_panel(seed: int) -> None:
    data = drawn(_table(seed), OUTCOMES, ARMS, [2019, 2020])
    figure = attrition_plot(data, "cautious", STUDY)
    panel = figure.axes[0]
    boxes = [text_box(label) for label in _labels(figure)]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    for x, y in zip(data["overall"], data["differential"].abs(), strict=True):
        assert not any(box.overlaps(marker_box(panel, x, y, 4)) for box in boxes)
    extent = panel.get_window_extent()
    whole = Box(extent.x0, extent.y0, extent.x1, extent.y1)
    assert all(box.inside(whole) for box in boxes)


def test_every_point_is_named_and_coinciding_points_share_a_label() -> None:
    data = drawn(_table(), OUTCOMES, ARMS, [2019, 2020])
    texts = "\n".join(
        label.get_text() for label in _labels(attrition_plot(data, "cautious", STUDY))
    )
    for name in ("Maths: 2019", "English language arts: 2020", "Attendance rate: 2020"):
        assert name in texts
    assert texts.count("all outcomes: 2019; 2020") == 1


@pytest.mark.parametrize("boundary", ["cautious", "optimistic"])
def test_zones_levels_and_the_boundary_that_decides_are_named(boundary: Any) -> None:
    figure = attrition_plot(drawn(_table(), OUTCOMES, ARMS, [2020]), boundary, STUDY)
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert f"{boundary} boundary (decides)" in texts
    assert sum("(decides)" in text for text in texts) == 1
    assert {"low by both boundaries", "high by both boundaries", *LEVELS} <= set(texts)
    assert "low by the optimistic one only" in texts
    assert any(text.startswith("SYNTHETIC DATA.  A trial") for text in texts)


def test_several_arms_are_told_apart_by_colour_and_named() -> None:
    arms: Any = [*ARMS, {"name": "coaching", "label": "Coaching only"}]
    data = drawn(_table(arms=("programme", "coaching")), OUTCOMES, arms, [2020])
    assert data.groupby("arm")["colour"].nunique().tolist() == [1, 1]
    assert data["colour"].nunique() == 2
    texts = [text.get_text() for text in attrition_plot(data, "cautious", STUDY).findobj(Text)]
    assert {"Programme", "Coaching only"} <= set(texts)


def test_attrition_beyond_the_table_and_none_at_all_can_be_drawn() -> None:
    data = drawn(_table(), OUTCOMES, ARMS, [2020])
    wide = attrition_plot(data.assign(overall=80.0, differential=30.0), "cautious", STUDY)
    assert wide.axes[0].get_xlim()[1] > 80
    assert wide.axes[0].get_ylim()[1] > 30
    assert attrition_plot(data[:0], "cautious", STUDY).axes


def test_the_same_figure_is_the_same_bytes() -> None:
    data = drawn(_table(), OUTCOMES, ARMS, [2020])
    first, second = (rendered(attrition_plot(data, "cautious", STUDY)) for _ in range(2))
    assert first == second


WITH_TEACHERS = (*LEVELS, "teachers in schools that stay", "teachers")


def test_every_level_is_drawn_and_named_teachers_too() -> None:
    table = _table()
    rows = table[table["level"] == "pupils"]
    more = [rows.assign(level=level, overall=rows["overall"] + 0.15) for level in WITH_TEACHERS[3:]]
    data = drawn(pd.concat([table, *more]), OUTCOMES, ARMS, [2020])
    figure = attrition_plot(data, "cautious", STUDY)
    panel = figure.axes[0]
    marked = [
        (x, y)
        for line in panel.lines
        if line.get_marker() in {"s", "D", "o", "^", "v"}
        for x, y in np.asarray(line.get_xydata()).tolist()
    ]
    assert sorted(marked) == sorted(zip(data["overall"], data["differential"].abs(), strict=True))
    (legend,) = figure.legends
    assert set(WITH_TEACHERS) <= {text.get_text() for text in legend.get_texts()}
    assert len({line.get_marker() for line in legend.get_lines()} - {"None"}) == 5
    right = max(text.get_window_extent().x1 for text in legend.get_texts())
    assert right <= figure.bbox.x1


def test_assigned_teachers_are_the_units_and_their_pupils_are_told_apart() -> None:
    table = _table().replace({"schools": "teachers", LEVELS[1]: "pupils of teachers that stay"})
    data = drawn(table, OUTCOMES, ARMS, [2020])
    figure = attrition_plot(data, "cautious", STUDY, "teacher")
    names = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"teachers", "pupils of teachers that stay", "pupils"} <= names
