"""Labels lie where they cover nothing, near the points that they name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from schooltrial.exhibits.style.label_placement import (
    Box,
    free_place,
    marker_box,
    place_label,
    segment_box,
    text_box,
)

UNIT = Box(0, 0, 10, 10)


@pytest.fixture
def panel() -> Iterator[Axes]:
    """Return a panel of 400 × 300 pixels, on which a unit of data is 4 × 3 pixels."""
    figure = Figure(figsize=(5, 4), dpi=100)
    panel = figure.add_axes((0.1, 0.125, 0.8, 0.75))
    panel.set_xlim(0, 100)
    panel.set_ylim(0, 100)
    yield panel
    figure.clear()


@pytest.mark.parametrize(
    ("other", "overlap"),
    [
        (Box(5, 5, 15, 15), True),
        (Box(2, 2, 3, 3), True),
        (Box(-5, -5, 15, 15), True),
        (Box(10, 0, 20, 10), False),  # they touch
        (Box(-10, 0, 0, 10), False),
        (Box(0, 10, 10, 20), False),
        (Box(0, -10, 10, 0), False),
        (Box(5, 20, 15, 30), False),
    ],
)
def test_boxes_overlap_where_they_have_area_in_common(other: Box, overlap: bool) -> None:
    assert UNIT.overlaps(other) is overlap
    assert other.overlaps(UNIT) is overlap


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        (Box(0, 0, 10, 10), True),
        (Box(1, 1, 9, 9), True),
        (Box(-1, 1, 9, 9), False),
        (Box(1, -1, 9, 9), False),
        (Box(1, 1, 11, 9), False),
        (Box(1, 1, 9, 11), False),
    ],
)
def test_a_box_is_inside_where_no_side_sticks_out(box: Box, inside: bool) -> None:
    assert box.inside(UNIT) is inside


def test_a_marker_takes_its_size_in_points_about_its_place(panel: Axes) -> None:
    # The panel's corner is pixel (50, 50); 7.2 points are 10 pixels at 100 dots per inch.
    box = marker_box(panel, 50, 50, 7.2)
    assert (box.left, box.right) == pytest.approx((245, 255))
    assert (box.bottom, box.top) == pytest.approx((195, 205))


def test_a_segment_is_two_pixels_thick(panel: Axes) -> None:
    box = segment_box(panel, 10, 20, 50)
    assert (box.left, box.right, box.bottom, box.top) == pytest.approx((90, 130, 199, 201))


def test_a_text_has_a_margin_of_its_length_and_of_pixels(panel: Axes) -> None:
    text = panel.text(50, 50, "A label")
    extent = text.get_window_extent()
    box = text_box(text)
    aside = 1.5 + extent.width / 24
    assert (extent.x0 - box.left, box.right - extent.x1) == pytest.approx((aside, aside))
    assert (extent.y0 - box.bottom, box.top - extent.y1) == pytest.approx((1.5, 1.5))


def test_the_first_place_is_taken_that_lies_in_the_panel_and_covers_nothing(panel: Axes) -> None:
    text = panel.text(0, 0, "A label", ha="center", va="center")
    outside, covered, free, later = (99.0, 50.0), (50.0, 50.0), (50.0, 80.0), (50.0, 20.0)
    taken = [marker_box(panel, 50, 50, 10)]
    assert free_place(panel, text, [outside, covered, free, later], taken) == free
    assert text.get_position() == free
    assert free_place(panel, text, [outside, covered], taken) is None


def _label(panel: Axes, taken: list[Box], x: float = 50, y: float = 50) -> Annotation:
    box = place_label(panel, "A label", x, y, taken, size=8, colour="black", line="grey")
    (label,) = panel.texts
    assert isinstance(label, Annotation)
    assert label.xy == (x, y)
    assert box == text_box(label)
    return label


def test_a_label_stands_to_the_right_of_its_point_where_that_is_free(panel: Axes) -> None:
    label = _label(panel, [marker_box(panel, 50, 50, 4)])
    assert label.get_position() == pytest.approx((9, 0))
    assert (label.get_horizontalalignment(), label.get_verticalalignment()) == ("left", "center")
    assert label.arrow_patch is None
    assert (label.get_fontsize(), label.get_color()) == (8, "black")


def test_a_label_moves_to_the_left_where_the_panel_ends(panel: Axes) -> None:
    label = _label(panel, [], x=98)
    assert label.get_horizontalalignment() == "right"
    assert label.get_position()[0] < 0
    assert text_box(label).right <= 450  # the panel's right edge in pixels


def test_a_label_that_must_go_far_is_tied_to_its_point_by_a_line(panel: Axes) -> None:
    label = _label(panel, [marker_box(panel, 50, 50, 50)])
    across, up = label.get_position()
    assert across**2 + up**2 > 14**2
    assert label.arrow_patch is not None
    assert not text_box(label).overlaps(marker_box(panel, 50, 50, 50))


@pytest.mark.parametrize(
    ("taken", "sign", "vertical"),
    [(Box(0, 0, 500, 203), 1, "bottom"), (Box(0, 197, 500, 400), -1, "top")],
)
def test_a_label_above_its_point_rests_on_it_and_one_below_hangs_from_it(
    panel: Axes, taken: Box, sign: int, vertical: str
) -> None:
    label = _label(panel, [taken])  # the point is at pixel (250, 200)
    assert label.get_position()[1] * sign > 0
    assert (label.get_horizontalalignment(), label.get_verticalalignment()) == ("center", vertical)


def test_the_line_to_a_far_label_does_not_run_through_another_text(panel: Axes) -> None:
    blocked = Box(50, 0, 285, 400)  # all but the right; the point is at pixel (250, 200)
    other_text = Box(290, 180, 300, 220)
    box = text_box(_label(panel, [blocked, other_text]))
    across, up = (box.left + box.right) / 2 - 250, (box.bottom + box.top) / 2 - 200
    for x in range(290, 301):
        y = 200 + up * (x - 250) / across
        assert not other_text.bottom <= y <= other_text.top


def test_where_nothing_is_free_the_label_covers_as_little_as_it_can(panel: Axes) -> None:
    everything = Box(0, 0, 500, 400)
    lower = Box(0, 0, 500, 190)  # covered twice: the label goes to the upper half
    label = _label(panel, [everything, lower])
    assert text_box(label).bottom >= 190
    assert text_box(label).inside(Box(50, 50, 450, 350))
