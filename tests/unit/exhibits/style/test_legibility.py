"""The rule of legibility finds what eyes without colour vision, and grey print, mix up."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from schooltrial.exhibits.style.figures import ARM_COLOURS, ARM_MARKERS, CONTROL, TREATED
from support.legibility import VISIONS, confusable, seen_as, told_apart


def _figure(**second: Any) -> Figure:
    figure = Figure()
    panel = figure.subplots()
    panel.plot([0, 1], [0, 1], color="#c03030")
    panel.plot([0, 1], [1, 0], color="#3a7d3a", **second)
    return figure


def test_a_vision_keeps_grey_as_it_is() -> None:
    for matrix in VISIONS.values():
        np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-5)


def test_red_and_green_of_one_lightness_are_far_apart_only_to_normal_vision() -> None:
    near = [np.linalg.norm(seen_as("#c8591a", v) - seen_as("#7d7a10", v)) for v in VISIONS]
    assert near[0] > 40
    assert max(near[1:]) < 0.75 * near[0]


def test_black_is_told_apart_from_orange_and_two_greens_are_not() -> None:
    assert told_apart("#222222", TREATED)
    assert not told_apart("#4d8055", "#558855")


@pytest.mark.parametrize("second", [{"marker": "o"}, {"linestyle": "--"}, {"linewidth": 4}])
def test_lines_of_red_and_green_need_a_second_channel(second: dict[str, Any]) -> None:
    assert len(confusable(_figure())) == 1
    assert confusable(_figure(**second)) == []


def test_words_in_the_colours_themselves_are_a_second_channel() -> None:
    figure = _figure()
    for height, colour in ((1, "#c03030"), (0, "#3a7d3a")):
        figure.axes[0].text(1, height, "name", color=colour)
    assert confusable(figure) == []


def test_groups_differ_in_colour_to_every_vision_and_otherwise_in_marker() -> None:
    for vision in VISIONS:
        assert np.linalg.norm(seen_as(CONTROL, vision) - seen_as(TREATED, vision)) > 60
    pairs = list(combinations(range(len(ARM_COLOURS)), 2))
    assert all(ARM_MARKERS[one] != ARM_MARKERS[other] for one, other in pairs)
