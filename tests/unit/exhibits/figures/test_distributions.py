"""Distributions as drawn: bars or a line per year, a mark over every heap, a panel per outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from schooltrial.exhibits.figures.distributions import alt_text, distributions_plot, drawn
from schooltrial.exhibits.style.figures import CONTROL, FAINT, INK, TREATED
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import hues, labelled, legend_words, points, tick_words, with_marker

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
OUTCOMES: Any = {
    "maths": {"label": "Maths"},
    "ela": {"label": "English"},
    "rate": {"label": "Rate"},
}
COLUMNS = ["outcome", "year", "bin_low", "bin_high", "n", "share", "heap"]
ARMS: Any = [{"name": "c", "label": "Control"}, {"name": "t", "label": "Tutored"}]
NO_MEANS = pd.DataFrame({
    "table": pd.Series(dtype="str"), "variable": pd.Series(dtype="str"), "year": [], "arm": [],
    "rows": [], "missing": [], "mean": [],
})  # fmt: skip


def _bins(outcome: str, year: int, shares: list[float], heap: int = -1) -> list[list[Any]]:
    """Return bins of two units each from 10 on."""
    return [
        [outcome, year, 10.0 + 2 * at, 12.0 + 2 * at, 5, share, at == heap]
        for at, share in enumerate(shares)
    ]


FEW = [0.2, 0.5, 0.3]
MANY = [0.04] * 12 + [0.52]
DATA = pd.DataFrame(
    [
        *_bins("ela", 2020, MANY, heap=12),
        *[row for year in (2018, 2019, 2020, 2021) for row in _bins("maths", year, FEW)],
        *_bins("rate", 2020, [1 / 12] * 12),
    ],
    columns=COLUMNS,
).assign(arm=None)
DATA.loc[
    (DATA["outcome"] == "maths") & (DATA["year"] == 2019) & (DATA["bin_low"] == 12.0), "heap"
] = True


@pytest.fixture(scope="module")
def figure() -> Iterator[Figure]:
    """Return the figure of three outcomes."""
    made = distributions_plot(DATA, OUTCOMES, ARMS, STUDY)
    yield made
    made.clear()


def _bars(panel: Axes) -> list[list[Rectangle]]:
    """Return the bars of each year."""
    return [[*found] for found in panel.containers if isinstance(found, BarContainer)]


def _middles(bars: list[Rectangle]) -> list[float]:
    return [bar.get_x() + bar.get_width() / 2 for bar in bars]


def test_each_outcome_has_a_panel_in_the_order_of_the_protocol_and_the_spare_one_is_blank(
    figure: Figure,
) -> None:
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    assert titles == ["Maths", "English", "Rate", ""]
    assert [panel.axison for panel in figure.axes] == [True, True, True, False]


def test_a_few_values_have_a_bar_each_side_by_side_by_year_about_the_value(figure: Figure) -> None:
    bars = _bars(figure.axes[0])
    assert len(bars) == 4
    # Values 11, 13 and 15 lie 2 apart: four bars fill 1.6 of it, 0.4 each.
    for place, of_year in enumerate(bars):
        assert [bar.get_height() for bar in of_year] == FEW
        assert {round(bar.get_width(), 12) for bar in of_year} == {0.4}
        shift = 0.4 * (place - 1.5)
        assert _middles(of_year) == pytest.approx([value + shift for value in (11, 13, 15)])


def test_the_axis_names_the_values_that_have_bars_and_ends_half_a_step_beyond_them() -> None:
    bins = [["passed", 2020, at, at, 5, share, False]
            for at, share in ((0, 0.25), (1, 0.75))]  # fmt: skip
    outcomes: Any = {"passed": {"label": "Passed"}}
    data = pd.DataFrame(bins, columns=COLUMNS).assign(arm=None)
    figure = distributions_plot(data, outcomes, ARMS, STUDY)
    (panel,) = figure.axes
    assert tick_words(panel.xaxis) == ["0", "1"]
    assert panel.get_xlim() == (-0.5, 1.5)
    (year,) = _bars(panel)
    assert [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in year] == [
        (0.0, 0.25), (1.0, 0.75),
    ]  # fmt: skip


def test_twelve_values_still_have_bars_and_thirteen_bins_are_a_line_through_their_middles(
    figure: Figure,
) -> None:
    _, english, rate, _ = figure.axes
    assert [len(bars) for bars in _bars(rate)] == [12]
    assert _bars(english) == []
    line = labelled(english, "last year")
    assert points(line) == [(11.0 + 2 * at, share) for at, share in enumerate(MANY)]


def test_the_last_year_stands_out_the_first_is_told_apart_and_those_between_are_faint(
    figure: Figure,
) -> None:
    first, *between, last = _bars(figure.axes[0])
    assert hues(bars[0].get_facecolor() for bars in (first, last)) == ["#ffffff", INK]
    assert hues([first[0].get_edgecolor()]) == [INK], "hollow, and seen without colour"
    assert hues(bars[0].get_facecolor() for bars in between) == [FAINT, FAINT]
    assert set(legend_words(figure)) == {
        "first year", "years between", "last year", "a value that many have",
    }  # fmt: skip


def test_the_one_year_there_is_is_drawn_as_the_last(figure: Figure) -> None:
    assert labelled(figure.axes[1], "last year").get_color() == INK


def test_a_heap_is_marked_over_the_bar_of_its_year_or_the_middle_of_its_bin(
    figure: Figure,
) -> None:
    maths, english, rate, _ = figure.axes
    (mark,) = with_marker(maths, "v")
    assert points(mark)[0] == pytest.approx((13.0 + 0.4 * (1 - 1.5), 0.5)), "second of four years"
    assert mark.get_color() == TREATED
    (mark,) = with_marker(english, "v")
    assert points(mark) == [(35.0, 0.52)]
    assert with_marker(rate, "v") == []


def test_the_axes_are_named_and_leave_room_over_the_highest_share(figure: Figure) -> None:
    for panel, highest in zip(figure.axes, (0.5, 0.52, 1 / 12), strict=False):
        assert panel.get_xlabel().startswith("value in the files, 20")
        assert panel.get_ylabel() == "share of values"
        assert panel.get_ylim() == pytest.approx((0, 1.08 * highest))


def test_one_outcome_fills_the_width_and_without_any_the_figure_says_so() -> None:
    one = distributions_plot(DATA[DATA["outcome"] == "ela"], OUTCOMES, ARMS, STUDY)
    assert [panel.get_title(loc="left") for panel in one.axes] == ["English"]
    none = distributions_plot(DATA[:0], OUTCOMES, ARMS, STUDY)
    (panel,) = none.axes
    assert [text.get_text() for text in panel.texts] == ["No outcome was read."]
    assert not panel.axison
    assert none.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 000000000000"


def test_a_heap_lies_in_the_bin_of_its_outcome_and_year_that_begins_at_or_below_it() -> None:
    bins = pd.DataFrame(
        [*_bins("maths", 2019, FEW), *_bins("maths", 2020, FEW), *_bins("ela", 2019, FEW)],
        columns=COLUMNS,
    ).drop(columns="heap")
    heaps = pd.DataFrame(
        {
            "outcome": ["maths", "maths"], "year": [2019, 2020], "value": [12.0, 11.0],
            "verdict": ["heap", ""],
        }
    )  # fmt: skip
    data = drawn(bins, heaps, NO_MEANS, OUTCOMES, ARMS)
    assert data.loc[data["heap"], ["outcome", "year", "bin_low"]].to_numpy().tolist() == [
        ["maths", 2019, 12.0]
    ]
    assert "heap" not in bins, "what was given is left as it was"


STAYS: Any = {"stays": {"label": "Stays", "scale": "binary"}}
BINS = pd.DataFrame(
    [["stays", year, at, at, 10, 0.5] for year in (2019, 2020) for at in (0.0, 1.0)],
    columns=["outcome", "year", "bin_low", "bin_high", "n", "share"],
)
HEAPS = pd.DataFrame({"outcome": [], "year": [], "value": [], "verdict": []})
MEANS = pd.DataFrame(
    [
        ["observations", "stays", "2019", "c", 80, 0, 0.9],
        ["observations", "stays", "2019", "t", 60, 10, 0.5],
        ["observations", "stays", "2019", "not assigned", 99, 0, 0.1],
        ["observations", "stays", "2020", "c", 80, 0, 0.75],
        ["observations", "stays", "2020", "t", 60, 60, np.nan],
        ["teachers", "stays", "2019", "c", 80, 0, 0.2],
    ],
    columns=["table", "variable", "year", "arm", "rows", "missing", "mean"],
)


def test_a_yes_or_no_is_a_share_of_yes_by_year_and_group_with_its_number() -> None:
    data = drawn(BINS, HEAPS, MEANS, STAYS, ARMS)
    assert data[["year", "arm", "n", "n_individuals", "share"]].to_numpy().tolist() == [
        [2019, "c", 72, 80, 0.9], [2019, "t", 25, 50, 0.5], [2020, "c", 60, 80, 0.75],
    ]  # fmt: skip
    (panel,) = distributions_plot(data, STAYS, ARMS, STUDY).axes
    control, tutored = _bars(panel)
    assert [bar.get_height() for bar in control] == [0.9, 0.75]
    assert hues(bars[0].get_facecolor() for bars in (control, tutored)) == [CONTROL, TREATED]
    assert control[0].get_hatch() != tutored[0].get_hatch()
    assert tick_words(panel.xaxis) == ["2019", "2020"]
    assert {text.get_text() for text in panel.texts} == {"90", "50", "75"}
    said = alt_text(data, STAYS, ARMS)
    assert said.endswith(
        "Stays: share of yes, Control 90.0% of 80 in 2019 and 75.0% of 80 in 2020; "
        "Tutored 50.0% of 50 in 2019."
    )


def test_a_yes_or_no_of_nobody_assigned_is_drawn_by_its_values() -> None:
    data = drawn(BINS, HEAPS, NO_MEANS, STAYS, ARMS)
    (panel,) = distributions_plot(data, STAYS, ARMS, STUDY).axes
    assert tick_words(panel.xaxis) == ["0", "1"]
    assert "10 values" not in alt_text(data, STAYS, ARMS)
    assert "from 0 to 1; 50.0% of them are 0, the most frequent value" in alt_text(
        data, STAYS, ARMS
    )
