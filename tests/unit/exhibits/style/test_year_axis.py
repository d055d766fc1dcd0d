"""The axis of years: whole years that were measured, the last of them always named."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from matplotlib.figure import Figure

from schooltrial.exhibits.style.year_axis import named_times, set_years
from support.drawn_artists import tick_words


def test_one_year_is_named_once_and_nothing_lies_between_years() -> None:
    panel = Figure().subplots()
    panel.plot([2025], [1.0], "o")
    set_years(panel, [2025, 2025])
    assert tick_words(panel.xaxis) == ["2025"]
    assert panel.get_xlim() == (2024.5, 2025.5)


def test_of_seventeen_years_every_third_is_named_and_the_last_is_among_them() -> None:
    panel = Figure().subplots()
    set_years(panel, range(2008, 2025))
    assert tick_words(panel.xaxis) == ["2009", "2012", "2015", "2018", "2021", "2024"]
    assert panel.get_xlim() == (2007.5, 2024.5)


def test_years_that_were_not_measured_are_not_named() -> None:
    panel = Figure().subplots()
    set_years(panel, [2019, 2022])
    assert tick_words(panel.xaxis) == ["2019", "2022"]


def test_no_year_leaves_the_axis_as_it_is() -> None:
    panel = Figure().subplots()
    set_years(panel, [])
    assert panel.get_xlim() == (0.0, 1.0)


@pytest.mark.parametrize(
    ("times", "anchor", "most", "named"),
    [
        ([-2, -1, 0, 1], 0, 8, [-2, -1, 0, 1]),
        (range(-6, 6), 0, 6, [-6, -4, -2, 0, 2, 4]),
        (range(-7, 6), 0, 5, [-6, -3, 0, 3]),
        ([-3, 0], 0, 8, [-3, -2, -1, 0]),
        ([], 0, 8, []),
    ],
)
def test_times_are_named_in_equal_steps_the_start_among_them(
    times: Iterable[int], anchor: int, most: int, named: list[int]
) -> None:
    assert named_times(times, anchor, most) == named
