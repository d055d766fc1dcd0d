"""Labels at line ends lie as near to their lines as they can without lying over one another."""

from __future__ import annotations

from itertools import pairwise

import pytest

from schooltrial.exhibits.style.axis_limits import interval_limits
from schooltrial.exhibits.style.end_labels import LineEnd, height_of, spread


def test_labels_that_have_room_stay_where_their_lines_end() -> None:
    assert spread([0.1, 0.5, 0.9], [0.2, 0.2, 0.2]) == [0.1, 0.5, 0.9]


def test_labels_without_room_are_moved_apart_about_their_common_middle() -> None:
    assert spread([0.5, 0.5], [0.2, 0.2]) == pytest.approx([0.4, 0.6])
    places = spread([0.1, 0.48, 0.5, 0.52], [0.1, 0.2, 0.2, 0.2])
    assert places[0] == 0.1
    assert all(other - one >= 0.2 - 1e-9 for one, other in pairwise(places[1:]))


def test_labels_need_more_height_where_they_are_wrapped() -> None:
    ends = [LineEnd(0, 0, "Schools of a long name", "#000000")]
    assert height_of(ends, room=0.6, size=9) > 1.5 * height_of(ends, room=6.0, size=9)


def test_usual_intervals_are_whole_and_one_many_times_as_long_is_cut() -> None:
    low, high = interval_limits([0.0, 1.0], [0.5, 0.5], [-0.5, 1.5])
    assert low < -0.5
    assert high > 1.5
    cut, _ = interval_limits([0.0, 1.0], [0.5, 0.5, 400.0], [-0.5, 1.5, -800.0])
    assert -5 < cut < low
