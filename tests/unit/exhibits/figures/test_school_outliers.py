"""School outliers as drawn: a mark per school and year, and the names of those far away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from schooltrial.exhibits.figures.school_outliers import school_outliers_plot
from schooltrial.exhibits.style.figures import CONTROL, TREATED, rendered
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import pointed_at, points, with_marker

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
OUTCOMES: Any = {
    "maths": {"label": "Maths"},
    "ela": {"label": "English"},
    "rate": {"label": "Rate"},
}
COLUMNS = ["outcome", "year", "school", "z", "verdict", "threshold"]
DATA = pd.DataFrame(
    [
        ["rate", 2020, "R", 0.5, "", 2.0],
        ["maths", 2020, "A", 0.5, "", 3.0],
        ["maths", 2020, "B", -3.5, "outlier", 3.0],
        ["maths", 2021, "C", 3.25, "outlier", 3.0],
        ["maths", 2021, "D", -1.0, "", 3.0],
        ["ela", 2020, "E", 0.0, "", 3.0],
    ],
    columns=COLUMNS,
)


@pytest.fixture(scope="module")
def figure() -> Iterator[Figure]:
    """Return the figure of three outcomes; the first has two outliers."""
    made = school_outliers_plot(DATA, OUTCOMES, STUDY)
    yield made
    made.clear()


def test_each_school_and_year_is_a_mark_and_an_outlier_a_filled_one(figure: Figure) -> None:
    panel = figure.axes[0]
    (usual,), (odd,) = with_marker(panel, "o"), with_marker(panel, "D")
    assert points(usual) == [(2020.0, 0.5), (2021.0, -1.0)]
    assert points(odd) == [(2020.0, -3.5), (2021.0, 3.25)]
    assert (usual.get_color(), usual.get_markerfacecolor()) == (CONTROL, "none")
    assert (odd.get_color(), odd.get_markerfacecolor()) == (TREATED, TREATED)
    assert odd.get_markersize() > usual.get_markersize()


def test_dashed_lines_mark_the_threshold_of_each_outcome_on_both_sides(figure: Figure) -> None:
    for panel, threshold in zip(figure.axes, (3.0, 3.0, 2.0), strict=False):
        dashed = [line for line in panel.lines if line.get_linestyle() == "--"]
        heights = [np.asarray(line.get_ydata()).tolist() for line in dashed]
        assert heights == [[-threshold] * 2, [threshold] * 2]
        level = [line for line in panel.lines if list(np.asarray(line.get_ydata())) == [0, 0]]
        assert len(level) == 1
        assert level[0].get_linestyle() == "-"


def test_outliers_are_named_at_their_marks_and_no_other_school_is(figure: Figure) -> None:
    maths, english, rate, _ = figure.axes
    assert pointed_at(maths) == {"B": (2020, -3.5), "C": (2021, 3.25)}
    assert pointed_at(english) == pointed_at(rate) == {}


def test_panels_stand_in_the_order_of_the_protocol_and_the_spare_one_is_blank(
    figure: Figure,
) -> None:
    assert [panel.get_title(loc="left") for panel in figure.axes] == [
        "Maths",
        "English",
        "Rate",
        "",
    ]
    assert [panel.axison for panel in figure.axes] == [True, True, True, False]
    assert {panel.get_ylabel() for panel in figure.axes[:3]} == {"SDs of school means"}
    assert figure.get_figheight() == pytest.approx(0.8 + 2.2 * 2)
    assert figure.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 000000000000"


def test_years_are_whole_and_the_outer_ones_keep_off_the_edge(figure: Figure) -> None:
    panel = figure.axes[0]
    low, high = panel.get_xlim()
    assert (low, high) == (2020 - 0.5, 2021 + 0.5)
    assert all(tick == round(tick) for tick in panel.get_xticks())


def test_of_many_outliers_the_eight_farthest_are_named_on_whichever_side() -> None:
    far = [
        ["maths", 2010 + at, f"S{at}", (-1) ** at * (4.0 + at), "outlier", 3.0] for at in range(10)
    ]
    (panel,) = school_outliers_plot(pd.DataFrame(far, columns=COLUMNS), OUTCOMES, STUDY).axes
    assert list(pointed_at(panel)) == [f"S{at}" for at in range(9, 1, -1)]
    (odd,) = with_marker(panel, "D")
    assert len(points(odd)) == 10


def test_without_an_outcome_the_figure_says_so() -> None:
    figure = school_outliers_plot(DATA[:0], OUTCOMES, STUDY)
    (panel,) = figure.axes
    assert [text.get_text() for text in panel.texts] == ["No outcome of any school was read."]
    assert not panel.axison
    assert figure.get_figheight() < 1.5


def test_many_schools_are_counted_by_bars_whose_drawing_stays_small_and_the_same() -> None:
    chance = np.random.default_rng(2)
    rows = [
        ["maths", 2010 + at % 10, f"{at}", z, "", 3.0]
        for at, z in enumerate(chance.normal(size=5000))
    ]
    first, second = (
        rendered(school_outliers_plot(pd.DataFrame(rows, columns=COLUMNS), OUTCOMES, STUDY))
        for _ in range(2)
    )
    assert first == second
    assert b"<image" not in first["svg"]
    assert len(first["svg"]) < 40_000


def test_the_longest_bar_is_where_most_schools_lie() -> None:
    heights = [0.0] * 900 + [1.0] * 450 + [-1.0] * 300
    rows = [["maths", 2020, f"{at}", z, "", 3.0] for at, z in enumerate(heights)]
    (panel,) = school_outliers_plot(pd.DataFrame(rows, columns=COLUMNS), OUTCOMES, STUDY).axes
    (bars,) = panel.patches
    ends = np.asarray(bars.get_path().vertices).reshape(-1, 5, 2)
    lengths = {round(float(one[:, 1].mean()), 1): float(np.ptp(one[:, 0])) for one in ends}
    assert lengths[1.0] == pytest.approx(lengths[0.0] / 2, rel=1e-6)
    assert lengths[-1.0] == pytest.approx(lengths[0.0] / 3, rel=1e-6)
