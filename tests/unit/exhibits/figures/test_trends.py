"""Trends as drawn: each arm's means and intervals by year, and the years of the programme."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any

import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy import stats

from schooltrial.exhibits.figures.trends import drawn, trends_plot
from schooltrial.exhibits.style.figures import CONTROL, SHADE, TREATED
from schooltrial.protocol.sections import StudyLine
from support.drawn_artists import hues, labelled, legend_words, points, segments

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
ARMS: Any = [{"name": "c", "label": "Control"}, {"name": "t", "label": "Tutored"}]
YEARS: Any = {"label": "spring of", "baseline": [2019], "programme": [2020, 2021], "follow_up": []}
OUTCOMES: Any = {
    "maths": {"label": "Maths", "units_label": "SD"},
    "ela": {"label": "English", "units_label": "points"},
    "rate": {"label": "Rate", "units_label": "per cent"},
}  # fmt: skip
TRENDS = pd.DataFrame(
    [
        ["ela", 2019, 0.0, "c", 200.0, 190.0, 210.0],
        ["maths", 2019, 0.0, "c", 0.0, -0.25, 0.25],
        ["maths", 2019, 1.0, "t", 0.125, 0.0, 0.25],
        ["maths", 2020, 0.0, "c", 0.5, 0.25, 0.75],
        ["maths", 2020, 1.0, "t", 1.0, 0.5, 1.5],
        ["rate", 2019, 0.0, "c", 50.0, 40.0, 60.0],
    ],
    columns=["outcome", "year", "treated", "arm", "mean", "low", "high"],
)


@pytest.fixture(scope="module")
def figure() -> Iterator[Figure]:
    """Return the figure of three outcomes and two arms."""
    made = trends_plot(TRENDS, OUTCOMES, YEARS, ARMS, STUDY)
    yield made
    made.clear()


def _beside(place: float, value: float) -> Any:
    return pytest.approx((place, value))


def test_each_arms_points_are_its_means_a_little_beside_one_another(figure: Figure) -> None:
    panel = figure.axes[0]
    assert points(labelled(panel, "Control")) == [_beside(2018.94, 0.0), _beside(2019.94, 0.5)]
    assert points(labelled(panel, "Tutored")) == [_beside(2019.06, 0.125), _beside(2020.06, 1.0)]


def test_each_interval_ends_where_the_data_say_at_its_point(figure: Figure) -> None:
    assert segments(figure.axes[0]) == [
        [_beside(2018.94, -0.25), _beside(2018.94, 0.25)],
        [_beside(2019.94, 0.25), _beside(2019.94, 0.75)],
        [_beside(2019.06, 0.0), _beside(2019.06, 0.25)],
        [_beside(2020.06, 0.5), _beside(2020.06, 1.5)],
    ]


def test_lines_marks_and_intervals_of_an_arm_share_its_colour(figure: Figure) -> None:
    panel = figure.axes[0]
    lines = [labelled(panel, name) for name in ("Control", "Tutored")]
    assert [line.get_color() for line in lines] == [CONTROL, TREATED]
    assert [line.get_marker() for line in lines] == ["o", "D"]
    bars = [found for found in panel.collections if isinstance(found, LineCollection)]
    assert [hues(bar.get_colors())[0] for bar in bars] == [CONTROL, TREATED]


def test_the_years_of_the_programme_are_shaded_from_half_a_year_before_to_half_after(
    figure: Figure,
) -> None:
    for panel in figure.axes[:3]:
        (shade,) = [patch for patch in panel.patches if isinstance(patch, Rectangle)]
        assert (shade.get_x(), shade.get_x() + shade.get_width()) == (2019.5, 2021.5)
        assert hues([shade.get_facecolor()]) == [SHADE]


def test_the_legend_tells_the_programmes_years_and_the_arms_once(figure: Figure) -> None:
    assert sorted(legend_words(figure)) == ["Control", "Tutored", "programme"]


def test_panels_stand_in_the_order_of_the_protocol_and_name_outcome_unit_and_years(
    figure: Figure,
) -> None:
    assert [panel.get_title(loc="left") for panel in figure.axes] == [
        "Maths",
        "English",
        "Rate",
        "",
    ]
    assert [panel.get_ylabel() for panel in figure.axes] == ["SD", "points", "per cent", ""]
    assert {panel.get_xlabel() for panel in figure.axes[:3]} == {"spring of"}
    assert [panel.axison for panel in figure.axes] == [True, True, True, False]
    assert figure.get_figheight() == pytest.approx(0.7 + 2.3 * 2)
    assert figure.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 000000000000"
    for panel in figure.axes[:3]:
        assert all(tick == round(tick) for tick in panel.get_xticks())


def test_one_outcome_fills_the_width_and_three_arms_stand_about_the_year() -> None:
    three = [*ARMS, {"name": "x", "label": "Texts"}]
    figure = trends_plot(TRENDS[TRENDS["outcome"] == "maths"], OUTCOMES, YEARS, three, STUDY)
    (panel,) = figure.axes
    assert points(labelled(panel, "Control"))[0][0] == pytest.approx(2018.88)
    assert points(labelled(panel, "Tutored"))[0][0] == pytest.approx(2019.0)
    assert figure.get_figheight() == pytest.approx(3.0)


def _panel(means: list[float], pupils: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"outcome": "y", "year": 2020, "treated": 1.0, "arm": "t", "mean": means,
         "n_pupils": pupils}
    )  # fmt: skip


@pytest.mark.parametrize("level", [0.95, 0.9])
def test_a_mean_weighs_schools_by_pupils_and_its_interval_is_that_of_the_schools(
    level: float,
) -> None:
    (row,) = drawn(_panel([1.0, 3.0], [30.0, 10.0]), level).to_dict("records")
    # Weights 3/4 and 1/4: mean 1.5; squared deviations 9/16 · 1/4 and 1/16 · 9/4, doubled.
    error = sqrt(2 * (9 / 16 / 4 + 9 / 4 / 16))
    half = stats.t.ppf((1 + level) / 2, 1) * error
    assert row["mean"] == pytest.approx(1.5)
    assert (row["low"], row["high"]) == pytest.approx((1.5 - half, 1.5 + half))
    assert (row["n_schools"], row["n_pupils"]) == (2, 40)
    assert (row["outcome"], row["year"], row["treated"], row["arm"]) == ("y", 2020, 1.0, "t")


def test_schools_count_alike_where_the_pupils_of_any_are_not_known() -> None:
    (row,) = drawn(_panel([1.0, 3.0], [30.0, float("nan")])).to_dict("records")
    assert row["mean"] == pytest.approx(2.0)
    assert row["n_pupils"] == 30


def test_rows_are_ordered_by_outcome_year_and_arm() -> None:
    cells = pd.concat(
        [
            _panel([1.0], [5.0]).assign(outcome=outcome, year=year, treated=treated)
            for outcome in ("z", "a") for year in (2021, 2020) for treated in (1.0, 0.0)
        ]
    )  # fmt: skip
    data = drawn(cells)
    assert data[["outcome", "year", "treated"]].to_numpy().tolist() == [
        [outcome, year, treated]
        for outcome in ("a", "z") for year in (2020, 2021) for treated in (0.0, 1.0)
    ]  # fmt: skip
