"""The flow diagram as drawn: every word in its box, whatever the groups and their names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text

from schooltrial.checks.flow.boxes import COLUMNS
from schooltrial.exhibits.figures.flow import flow_plot
from schooltrial.exhibits.style.figures import CONTROL, FAINT, INK, SETTINGS, TREATED
from schooltrial.protocol.content.sections import Arm, StudyLine
from support.drawn_artists import hues, points

STUDY: StudyLine = {"title": "A trial with a title that is rather long", "synthetic": True,
         "protocol": "a" * 64}  # fmt: skip
LABELS = {"ela": "English language arts, proficient or advanced, as published by the state"}
LONG = "schools merged by 2020 with another that was assigned Donaudampfschifffahrtsgesellschaften"


def _boxes(arms: list[Arm]) -> pd.DataFrame:
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


def _arms(count: int) -> list[Arm]:
    label = "Schools offered version {} of the leadership programme"
    return [
        {"name": f"a{at}", "label": label.format(at), "share": None, "in_models": True}
        for at in range(count)
    ]


def _figure(count: int) -> Figure:
    figure = flow_plot(_boxes(_arms(count)), _arms(count), LABELS, STUDY)
    with mpl.rc_context(SETTINGS):
        figure.draw_without_rendering()
    return figure


def test_each_number_is_right_of_the_last_line_of_its_text_at_the_edge_of_its_box() -> None:
    boxes = _boxes(_arms(2))
    for letters in range(20):  # of which one or another ends where a line does
        texts = ["pupils who joined " + "i" * letters for _ in boxes.index]
        figure = flow_plot(boxes.assign(text=texts), _arms(2), LABELS, STUDY)
        with mpl.rc_context(SETTINGS):
            figure.draw_without_rendering()
        written = [text for text in figure.axes[0].texts if text.get_text()]
        numbers = [text for text in written if text.get_text().replace(",", "").isdigit()]
        assert len(numbers) == len(boxes)
        for number in numbers:
            x, y = number.get_position()
            beside = [text for text in written if text.get_position()[1] == y
                      and 0 < x - text.get_position()[0] < 2.5]  # fmt: skip
            nearest = max(beside, key=lambda text: text.get_position()[0])
            assert nearest.get_window_extent().x1 < number.get_window_extent().x0
        rights = {round(number.get_position()[0], 6) for number in numbers}
        assert len(rights) == 3  # of the first box, and of the boxes of two arms


@pytest.mark.parametrize("count", [2, 3, 4])
def test_no_line_leaves_its_box_and_none_lies_on_another(count: int) -> None:
    figure = _figure(count)
    (panel,) = figure.axes
    boxes = [p.get_window_extent() for p in panel.patches if isinstance(p, Rectangle)]
    assert len(boxes) == 1 + 3 * count
    whole = figure.bbox
    assert len(panel.texts)
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


def test_two_or_three_arms_fit_a_printed_column_and_four_a_page() -> None:
    assert _figure(3).get_figwidth() <= 3.6
    assert _figure(2).get_figwidth() <= 3.6
    assert _figure(4).get_figwidth() <= 7.2
    assert min(float(t.get_fontsize()) for t in _figure(2).axes[0].texts if t.get_text()) >= 6.5


def test_every_count_and_every_arms_name_is_drawn() -> None:
    drawn = " ".join(text.get_text() for text in _figure(3).axes[0].texts)
    for arm in _arms(3):
        assert f"Allocation: {arm['label']}" in drawn
    assert "− schools merged" in drawn
    assert "1,200,345" in drawn
    assert "+ pupils who came 5" in drawn
    assert f"{LABELS['ela']}, 2010 to 2019" in drawn


SHORT: Any = [{"name": "c", "label": "Control"}, {"name": "t", "label": "Tutored"}]
SMALL = pd.DataFrame(
    [
        ["assigned", "all", "", "", "school", "in", "schools in the files", 1234, "", "", ""],
        ["assigned", "all", "", "", "school", "lost", "schools left out", 4, "", "", ""],
        ["allocated", "c", "", "", "school", "in", "schools", 615, "", "", ""],
        ["allocated", "c", "", "", "pupil", "had", "with pupils", 9000, "", "", ""],
        ["followed up", "c", "", 2020, "school", "lost", "schools closed", 2, "", "", ""],
        ["followed up", "c", "", 2020, "pupil", "joined", "pupils who came", 30, "", "", ""],
        ["analysed", "c", "ela", 2020, "pupil", "in", "pupils", 8000, "", "", "itt"],
        ["analysed", "c", "ela", 2020, "pupil", "in", "pupils", 7900, "", "", "did"],
        ["analysed", "c", "maths", 2020, "pupil", "in", "pupils", 7000, "", "", "itt"],
        ["allocated", "t", "", "", "school", "in", "schools", 619, "", "", ""],
        ["analysed", "t", "maths", 2020, "pupil", "in", "pupils", 0, "", "", "itt"],
    ],
    columns=COLUMNS,
)
SHORT_LABELS = {"ela": "English"}


@pytest.fixture(scope="module")
def small() -> Iterator[Figure]:
    """Return the diagram of two groups; nobody of the second was followed up."""
    made = flow_plot(SMALL, SHORT, SHORT_LABELS, STUDY)
    yield made
    made.clear()


def _rectangles(figure: Figure) -> list[Rectangle]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


def _texts_in(figure: Figure, box: Rectangle) -> list[Text]:
    """Return the texts that begin in a box, from its top."""
    x, y, right, bottom = (
        box.get_x(), box.get_y(), box.get_x() + box.get_width(), box.get_y() + box.get_height(),
    )  # fmt: skip
    found = [
        text
        for text in figure.axes[0].texts
        if text.get_text() and x <= text.get_position()[0] <= right
        and y <= text.get_position()[1] <= bottom
    ]  # fmt: skip
    return sorted(found, key=lambda text: text.get_position()[1])


def _told(figure: Figure) -> list[list[str]]:
    """Return the lines of each box, a number after its text."""
    return [
        [": ".join(text.get_text() for text in line)
         for _, line in groupby(_texts_in(figure, box), lambda text: text.get_position()[1])]
        for box in _rectangles(figure)
    ]  # fmt: skip


def test_each_box_tells_its_stage_and_its_counts_line_by_line(small: Figure) -> None:
    assert _told(small) == [
        ["Randomised", "schools in the files: 1,234", "− schools left out: 4"],
        ["Allocation: Control", "schools: 615", "with pupils: 9,000"],
        ["Allocation: Tutored", "schools: 619"],
        ["Follow-up", "− schools closed: 2", "+ pupils who came: 30"],
        ["Follow-up", "none"],
        [
            "Analysis", "English, 2020 (itt)", "pupils: 8,000", "English, 2020 (did)",
            "pupils: 7,900", "maths, 2020", "pupils: 7,000",
        ],
        ["Analysis", "maths, 2020", "pupils: 0"],
    ]  # fmt: skip


def test_an_assignment_that_was_not_randomised_is_not_said_to_be() -> None:
    figure = flow_plot(SMALL, SHORT, SHORT_LABELS, STUDY, randomised=False)
    assert _told(figure)[0][0] == "Assigned, not randomised"


def test_headings_are_bold_and_what_left_or_came_or_is_a_part_is_set_in(small: Figure) -> None:
    top, allocated, *_ = _rectangles(small)
    told = {
        text.get_text(): (
            round(text.get_position()[0] - box.get_x(), 9), text.get_fontweight() == "bold",
        )
        for box in (top, allocated)
        for text in _texts_in(small, box)
        if text.get_horizontalalignment() == "left"
    }  # fmt: skip
    assert told == {
        "Randomised": (0.06, True), "schools in the files": (0.06, False),
        "− schools left out": (0.15, False), "Allocation: Control": (0.06, True),
        "schools": (0.06, False), "with pupils": (0.15, False),
    }  # fmt: skip
    _, none = _texts_in(small, _rectangles(small)[4])
    assert (none.get_text(), none.get_fontweight()) == ("none", "normal")
    analysis = [
        text
        for text in _texts_in(small, _rectangles(small)[5])
        if text.get_horizontalalignment() == "left"
    ]
    assert [text.get_fontweight() == "bold" for text in analysis] == [
        True, True, False, True, False, True, False,
    ]  # fmt: skip


def test_boxes_of_a_stage_stand_side_by_side_at_one_height_framed_by_their_arms_colour(
    small: Figure,
) -> None:
    top, *others = _rectangles(small)
    for left, right in zip(others[::2], others[1::2], strict=True):
        assert (left.get_y(), left.get_height()) == (right.get_y(), right.get_height())
        assert right.get_x() - left.get_x() == pytest.approx(1.8)  # inches of a column
        assert hues([left.get_edgecolor(), right.get_edgecolor()]) == [CONTROL, TREATED]
        assert hues([left.get_facecolor()]) == ["#ffffff"]
        assert (left.get_x(), left.get_width()) == pytest.approx((0.06, 1.68))
    assert hues([top.get_edgecolor()]) == [INK]
    assert top.get_x() + top.get_width() / 2 == pytest.approx(1.8)  # in the middle of two columns
    assert top.get_width() == pytest.approx(1.4 * 1.8 - 0.12)
    assert top.get_y() == 0.06
    assert [box.get_height() for box in (top, others[0], others[2], others[4])] == pytest.approx(
        [0.12 + 0.122 * lines for lines in (3, 3, 3, 7)]  # as tall as the arm with more lines
    )


def test_stages_follow_one_another_downwards_with_a_gap(small: Figure) -> None:
    top, *others = _rectangles(small)
    column = [top, *others[::2]]
    for upper, lower in pairwise(column):
        gap = lower.get_y() - upper.get_y() - upper.get_height()
        assert gap == pytest.approx(0.2)
    low, high = small.axes[0].get_ylim()
    assert low == small.get_figheight() > column[-1].get_y() + column[-1].get_height()
    assert high == 0
    assert small.axes[0].get_xlim() == (0, 3.6)


def _arrows(figure: Figure) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Return start and end of every arrow."""
    return [
        (text.get_position(), (float(text.xy[0]), float(text.xy[1])))
        for text in figure.axes[0].texts
        if isinstance(text, Annotation)
    ]


def test_an_arrow_leads_to_each_box_of_an_arm_and_none_from_the_last(small: Figure) -> None:
    boxes = _rectangles(small)
    arrows = _arrows(small)
    assert len(arrows) == 6  # two from the top box, two from each of two stages
    ends = sorted((round(x, 6), round(y, 6)) for _, (x, y) in arrows)
    assert ends == sorted(
        (round(box.get_x() + box.get_width() / 2, 6), round(box.get_y(), 6)) for box in boxes[1:]
    )
    for (x, start), (same, end) in arrows:
        assert x == same
        assert start < end
    # Those between stages begin at the lower edge of the box above.
    starts = sorted(round(start, 6) for (_, start), _ in arrows)[2:]
    edges = sorted(round(box.get_y() + box.get_height(), 6) for box in boxes[1:5])
    assert starts == edges


@pytest.mark.parametrize("count", [2, 3])
def test_a_bar_half_way_parts_the_top_box_into_the_arms(count: int) -> None:
    figure = _figure(count)
    top = _rectangles(figure)[0]
    bottom = top.get_y() + top.get_height()
    stem, bar = (points(line) for line in figure.axes[0].lines)
    each = {2: 1.8, 3: 1.2}[count]
    middle = each * count / 2
    assert stem == [pytest.approx((middle, bottom)), pytest.approx((middle, bottom + 0.1))]
    assert bar == [
        pytest.approx((each / 2, bottom + 0.1)),
        pytest.approx((each * (count - 0.5), bottom + 0.1)),
    ]  # fmt: skip
    assert len(_arrows(figure)) == 3 * count
    for (_, start), _ in _arrows(figure)[:count]:
        assert start == pytest.approx(bottom + 0.1)


def test_a_single_arm_has_the_room_of_two_columns() -> None:
    figure = flow_plot(SMALL, SHORT[:1], SHORT_LABELS, STUDY)
    assert figure.get_figwidth() == pytest.approx(3.6)
    assert len(_rectangles(figure)) == 4


def test_a_stage_that_no_arm_has_is_not_drawn() -> None:
    figure = flow_plot(SMALL[SMALL["stage"] != "followed up"], SHORT, SHORT_LABELS, STUDY)
    assert [lines[0] for lines in _told(figure)[1:]] == [
        "Allocation: Control", "Allocation: Tutored", "Analysis", "Analysis",
    ]  # fmt: skip
    assert len(_arrows(figure)) == 4


@pytest.mark.parametrize(("synthetic", "colour", "lines"), [(True, TREATED, 2), (False, FAINT, 1)])
def test_study_and_protocol_stand_below_the_last_box_wrapped_to_its_width(
    synthetic: bool, colour: str, lines: int
) -> None:
    figure = flow_plot(SMALL, SHORT, SHORT_LABELS, {**STUDY, "synthetic": synthetic})
    last = _rectangles(figure)[-1]
    bottom = last.get_y() + last.get_height()
    below = [text for text in figure.axes[0].texts if text.get_position()[1] > bottom]
    told = " ".join(text.get_text() for text in below)
    assert told == (
        f"{'SYNTHETIC DATA.  ' if synthetic else ''}{STUDY['title']}.  Protocol {'a' * 12}"
    )
    assert {text.get_color() for text in below} == {colour}
    assert {text.get_fontweight() for text in below} == {"normal"}
    assert [text.get_position()[1] - bottom for text in below] == pytest.approx(
        [0.06 + 0.122 * (at + 0.5) for at in range(lines)]
    )
    assert len(below) == lines
    assert all(text.get_position()[1] < figure.get_figheight() for text in below)


def test_a_text_that_is_wrapped_hangs_and_a_word_wider_than_the_box_is_cut() -> None:
    figure = _figure(2)
    lost = next(
        text for text in figure.axes[0].texts if text.get_text().startswith("− schools merged")
    )
    box = next(
        box for box in _rectangles(figure) if lost in _texts_in(figure, box)
    )  # fmt: skip
    heading, first, *others = _texts_in(figure, box)
    assert heading.get_text() == "Follow-up"
    assert first is lost
    hanging = others[: [o.get_text().startswith("+ ") for o in others].index(True)]
    number = hanging.pop()
    assert number.get_text() == "1,200,345"
    joined = "".join(text.get_text().replace(" ", "").rstrip("-") for text in [first, *hanging])
    assert joined == f"− {LONG}".replace(" ", "")
    assert {round(text.get_position()[0] - first.get_position()[0], 9) for text in hanging} == {
        0.09
    }


def test_cohorts_of_an_arm_have_a_column_each_beside_the_comparison() -> None:
    late = SMALL[SMALL["arm"] == "t"]
    parts = [
        SMALL[SMALL["arm"] != "t"].assign(cohort=""), late.assign(cohort="2016"),
        late.assign(cohort="2017", n=7),
    ]  # fmt: skip
    figure = flow_plot(pd.concat(parts), SHORT, SHORT_LABELS, STUDY)
    heads = [" ".join(lines) for lines in _told(figure)[1:4]]
    assert [head.removeprefix("Allocation: ").split(" schools")[0] for head in heads] == [
        "Control", "Tutored that began in 2016", "Tutored that began in 2017",
    ]  # fmt: skip
    assert heads[2].endswith("7")
    assert figure.get_figwidth() == pytest.approx(3.6)
