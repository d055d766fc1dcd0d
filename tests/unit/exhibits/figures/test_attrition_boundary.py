"""The boundary figure draws the table's points, and no label covers another or a point."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from schooltrial.exhibits.figures.attrition_boundary import (
    BETWEEN,
    COLUMNS,
    HIGH,
    LOW,
    attrition_plot,
    drawn,
)
from schooltrial.exhibits.style.figures import CONTROL, TREATED
from schooltrial.exhibits.style.label_placement import Box, marker_box, text_box
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import (
    labelled,
    legend_words,
    pointed_at,
    points,
    with_marker,
    written,
    zone_colours,
)

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
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
            "kind": "lost", "outcome": outcome, "year": year, "level": level, "arm": arm,
            "overall": 0.0 if level == "schools" else round(rng.uniform(0.1, 0.2), 4),
            "differential": 0.0 if level == "schools" else round(rng.uniform(-0.07, 0.07), 4),
            "verdict_cautious": "low", "verdict_optimistic": "low",
        }
        for outcome in OUTCOMES for year in (2019, 2020) for level in LEVELS for arm in arms
    ]  # fmt: skip
    moved = {**rows[0], "kind": "joined late", "outcome": "", "level": "pupils"}
    unmeasured = {**rows[1], "overall": np.nan, "differential": np.nan}
    return pd.DataFrame([*rows, moved, unmeasured])


def _labels(figure: Figure) -> list[Text]:
    """Return the texts inside the panel, those of the list below it left out."""
    listed = _lists(figure)
    return [text for text in figure.axes[0].texts if text.get_text() and text not in listed]


def _lists(figure: Figure) -> list[Text]:
    """Return the columns of the list that names numbered points."""
    return [
        text
        for text in figure.axes[0].texts
        if isinstance(text, Annotation) and text.xycoords == "axes fraction"
    ]


def test_the_points_are_the_rows_of_the_table_in_per_cent() -> None:
    table = _table()
    data = drawn(table, OUTCOMES, ARMS, [2020])
    lost = table[(table["kind"] == "lost") & (table["year"] == 2020)].dropna()
    assert data["overall"].tolist() == pytest.approx((100 * lost["overall"]).tolist())
    assert data["differential"].tolist() == pytest.approx((100 * lost["differential"]).tolist())
    assert set(data["detail"]) == {""}
    both = drawn(table, OUTCOMES, ARMS, [2019, 2020])
    assert set(both["detail"]) == {"2019", "2020"}


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))]
)
def test_no_label_covers_another_or_a_point_or_leaves_the_panel(seed: int) -> None:
    data = drawn(_table(seed), OUTCOMES, ARMS, [2019, 2020])
    figure = attrition_plot(data, "cautious", STUDY)
    panel = figure.axes[0]
    boxes = [text_box(label) for label in _labels(figure)]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    assert len(data)
    for x, y in zip(data["overall"], data["differential"].abs(), strict=True):
        assert not any(box.overlaps(marker_box(panel, x, y, 4)) for box in boxes)
    extent = panel.get_window_extent()
    whole = Box(extent.x0, extent.y0, extent.x1, extent.y1)
    assert boxes
    assert all(box.inside(whole) for box in boxes)


def test_every_point_is_named_and_coinciding_points_share_a_label() -> None:
    data = drawn(_table(), OUTCOMES, ARMS, [2019, 2020])
    figure = attrition_plot(data, "cautious", STUDY)
    texts = "\n".join(text.get_text() for text in _lists(figure))
    numbers = {text.get_text() for text in _labels(figure)} & set(map(str, range(1, 100)))
    assert numbers == {line.split("  ")[0] for line in texts.split("\n")}
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


POINTS = pd.DataFrame(
    [
        ["schools", "maths", 2020, "Programme", "Maths", "", 2.0, 1.0, "low", "low", TREATED],
        ["pupils in schools that stay", "maths", 2020, "Programme", "Maths", "", 12.0, -3.0, "low",
         "low", TREATED],
        ["pupils", "maths", 2020, "Programme", "Maths", "", 25.0, -7.0, "high", "low", TREATED],
        ["pupils", "ela", 2020, "Programme", "English", "", 25.0, -7.0, "high", "low", TREATED],
    ],
    columns=COLUMNS,
)  # fmt: skip
"""Hand-made: overall and differential attrition in per cent and percentage points."""


@pytest.fixture(scope="module")
def figure() -> Iterator[Figure]:
    """Return the figure of these points; the cautious boundary decides."""
    made = attrition_plot(POINTS, "cautious", STUDY)
    yield made
    made.clear()


@pytest.fixture(scope="module")
def panel(figure: Figure) -> Axes:
    """Return the figure's panel."""
    return figure.axes[0]


def test_both_boundaries_are_those_of_the_published_table(panel: Axes) -> None:
    # What Works Clearinghouse, Standards Handbook 4.1, table II.1.
    cautious = labelled(panel, "cautious boundary (decides)")
    optimistic = labelled(panel, "optimistic boundary")
    drawn_at = [{round(at): limit for at, limit in points(line)} for line in (cautious, optimistic)]
    for found, known in zip(
        drawn_at,
        ({0: 5.7, 20: 5.4, 40: 2.6, 56: 0.2}, {0: 10.0, 20: 10.0, 40: 6.0, 65: 0.3}),
        strict=True,
    ):
        assert {at: found[at] for at in known} == pytest.approx(known)
        # From the next per cent on every difference is high, and no line is drawn.
        assert sorted(found) == list(range(max(known) + 1))
    for line in (cautious, optimistic):
        assert line.get_color() == CONTROL
        assert line.get_drawstyle() == "steps-mid"
    assert (cautious.get_linestyle(), optimistic.get_linestyle()) == ("-", "--")


def test_the_boundary_that_decides_is_the_heavier_line(panel: Axes) -> None:
    cautious = labelled(panel, "cautious boundary (decides)").get_linewidth()
    optimistic = labelled(panel, "optimistic boundary").get_linewidth()
    assert cautious > optimistic
    other = attrition_plot(POINTS, "optimistic", STUDY).axes[0]
    assert labelled(other, "optimistic boundary (decides)").get_linewidth() == cautious
    assert labelled(other, "cautious boundary").get_linewidth() == optimistic


@pytest.mark.parametrize(
    ("overall", "differential", "zone"),
    [
        (20, 3, LOW), (20, 8, BETWEEN), (20, 12, HIGH), (20.45, 5.37, LOW), (20.55, 5.37, BETWEEN),
        (60, 1, BETWEEN), (60, 3, HIGH),
    ],
)  # fmt: skip
def test_each_zone_is_filled_between_its_boundaries_which_step_half_way(
    panel: Axes, overall: float, differential: float, zone: str
) -> None:
    assert zone_colours(panel, overall, differential) == [zone]


def test_attrition_beyond_the_table_is_high_whatever_the_difference() -> None:
    wide = attrition_plot(POINTS.assign(overall=80.0, differential=20.0), "cautious", STUDY).axes[0]
    assert zone_colours(wide, 75, 0.1) == [HIGH]
    assert zone_colours(wide, 80, 20) == [HIGH]
    assert wide.get_xlim() == pytest.approx((-0.015 * 1.12 * 80, 1.12 * 80))
    assert wide.get_ylim() == pytest.approx((-0.02 * 1.12 * 20, 1.12 * 20))


def test_the_axes_reach_beyond_the_farthest_point_and_show_both_boundaries(panel: Axes) -> None:
    assert panel.get_xlim() == pytest.approx((-0.015 * 28, 28))  # 1.12 × 25
    assert panel.get_ylim() == pytest.approx((-0.02 * 13, 13))
    near = attrition_plot(POINTS[:1], "cautious", STUDY).axes[0]
    assert near.get_xlim() == pytest.approx((-0.3, 20))
    assert panel.get_xlabel() == "overall attrition (per cent)"
    assert panel.get_ylabel() == "differential attrition (percentage points)"
    title = panel.get_title(loc="left")
    assert title.split() == [
        "Attrition",
        "and",
        "the",
        "boundaries",
        "of",
        "What",
        "Works",
        "Clearinghouse",
    ]


def test_each_level_has_its_mark_and_the_sign_of_the_difference_is_left_out(panel: Axes) -> None:
    (square,), (diamond,), (dot,) = (with_marker(panel, marker)[:1] for marker in "sDo")
    assert points(square) == [(2.0, 1.0)]
    assert points(diamond) == [(12.0, 3.0)]
    assert points(dot) == [(25.0, 7.0), (25.0, 7.0)]
    assert [mark.get_color() for mark in (square, diamond, dot)] == [TREATED] * 3
    # Where points coincide the smaller marks lie within the hollow larger ones.
    assert square.get_markersize() > diamond.get_markersize() > dot.get_markersize()
    assert square.get_markerfacecolor() == diamond.get_markerfacecolor() == "white"
    assert dot.get_markerfacecolor() == TREATED
    assert not any(mark.get_clip_on() for mark in (square, diamond, dot))


def test_the_legend_tells_the_boundaries_then_the_levels(figure: Figure) -> None:
    assert legend_words(figure) == [
        "cautious boundary (decides)", "optimistic boundary", "schools",
        "pupils in schools that stay", "pupils",
    ]  # fmt: skip


def test_the_legend_tells_the_arms_by_their_colours_where_there_are_several() -> None:
    two = pd.concat([POINTS, POINTS[:1].assign(arm="Coaching", colour=CONTROL)])
    figure = attrition_plot(two, "cautious", STUDY)
    assert legend_words(figure)[-2:] == ["Programme", "Coaching"]
    panel = figure.axes[0]
    found = {name: labelled(panel, name).get_color() for name in ("Programme", "Coaching")}
    assert found == {"Programme": TREATED, "Coaching": CONTROL}


@pytest.mark.parametrize(
    ("level", "unit", "marker", "filled"),
    [
        ("schools", "school", "s", False),
        pytest.param("teachers", "teacher", "s", False, marks=pytest.mark.slow),
        pytest.param("teachers", "school", "v", True, marks=pytest.mark.slow),
        ("teachers in schools that stay", "school", "^", False),
        pytest.param("pupils of teachers that stay", "teacher", "D", False, marks=pytest.mark.slow),
        ("pupils", "school", "o", True),
        pytest.param("pupils", "pupil", "o", True, marks=pytest.mark.slow),
    ],
)
def test_a_levels_mark_tells_units_people_and_people_in_units_that_stay(
    level: str, unit: str, marker: str, filled: bool
) -> None:
    figure = attrition_plot(POINTS[:1].assign(level=level), "cautious", STUDY, unit)
    mark = with_marker(figure.axes[0], *"sDov^")[0]
    assert mark.get_marker() == marker
    assert mark.get_markerfacecolor() == (TREATED if filled else "white")
    assert labelled(figure.axes[0], level).get_marker() == marker


def test_each_label_belongs_to_its_point_and_names_all_that_coincide(panel: Axes) -> None:
    named = [(text.get_text(), text.xy) for text in panel.texts if isinstance(text, Annotation)]
    assert named == [
        ("Maths", (2.0, 1.0)), ("Maths", (12.0, 3.0)), ("Maths\nEnglish", (25.0, 7.0)),
    ]  # fmt: skip


def test_one_label_tells_the_years_of_an_outcome_that_coincide() -> None:
    years = pd.concat([POINTS[:1].assign(detail="2019"), POINTS[:1].assign(detail="2020")])
    panel = attrition_plot(years, "cautious", STUDY).axes[0]
    assert pointed_at(panel) == {"Maths: 2019; 2020": (2.0, 1.0)}


ZONES = {
    "high by both boundaries": HIGH,
    "low by the optimistic one only": BETWEEN,
    "low by both boundaries": LOW,
}


def test_each_zones_name_lies_in_its_zone(panel: Axes) -> None:
    names = written(panel)
    assert set(names) == set(ZONES)
    for name, place in names.items():
        assert zone_colours(panel, *place) == [ZONES[name]]


@pytest.mark.parametrize(
    ("overall", "differential"),
    [(99, 3), pytest.param(99, 40, marks=pytest.mark.slow), (100, 100)],
)
def test_a_zones_name_never_lies_in_another_zone_however_much_is_lost(
    overall: float, differential: float
) -> None:
    far = POINTS[:1].assign(overall=overall, differential=differential)
    panel = attrition_plot(far, "cautious", STUDY).axes[0]
    names = written(panel)
    assert names
    for name, place in names.items():
        assert zone_colours(panel, *place) == [ZONES[name]], name


def test_what_is_drawn_bears_the_arms_name_and_colour_and_the_verdicts() -> None:
    table = _table(arms=("programme",))
    table["verdict_cautious"], table["verdict_optimistic"] = "high", "low"
    data = drawn(table, OUTCOMES, ARMS, [2020])
    assert list(data.columns) == COLUMNS
    assert len(data) == 9  # three outcomes at three levels: nobody who joined, none unmeasured
    assert set(data["arm"]) == {"Programme"}
    assert set(data["colour"]) == {TREATED}
    assert set(zip(data["verdict_cautious"], data["verdict_optimistic"], strict=True)) == {
        ("high", "low")
    }
    assert set(zip(data["outcome"], data["outcome_label"], strict=True)) == {
        (outcome, section["label"]) for outcome, section in OUTCOMES.items()
    }
    assert set(data["year"]) == {2020}
    assert data["level"].tolist()[:3] == list(LEVELS)
