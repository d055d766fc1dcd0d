"""Trends as drawn: each arm's means and intervals by year, and the years of the programme."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy import stats

from schooltrial.exhibits.figures.trends import drawn, trends_plot
from schooltrial.exhibits.style.figures import CONTROL, SHADE, TREATED, rendered
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import (
    hues,
    labelled,
    legend_words,
    overlapping_texts,
    pointed_at,
    points,
    segments,
    smallest_letters,
    with_marker,
    written,
)

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
        ["ela", 2019, 0.0, "c", 200.0, 190.0, 210.0, 20, 400],
        ["maths", 2019, 0.0, "c", 0.0, -0.25, 0.25, 20, 400],
        ["maths", 2019, 1.0, "t", 0.125, 0.0, 0.25, 20, 401],
        ["maths", 2020, 0.0, "c", 0.5, 0.25, 0.75, 19, 399],
        ["maths", 2020, 1.0, "t", 1.0, 0.5, 1.5, 20, 1402],
        ["rate", 2019, 0.0, "c", 50.0, 40.0, 60.0, 1, 7],
    ],
    columns=[
        "outcome",
        "year",
        "treated",
        "arm",
        "mean",
        "conf_low",
        "conf_high",
        "n_schools",
        "n_pupils",
    ],
)
CONTROLS, TUTORED = "Control, 19–20 schools", "Tutored, 20 schools"


@pytest.fixture(scope="module")
def figure() -> Iterator[Figure]:
    """Return the figure of three outcomes and two groups."""
    made = trends_plot(TRENDS, OUTCOMES, YEARS, ARMS, STUDY)
    yield made
    made.clear()


def test_each_arms_points_are_its_means_at_their_years(figure: Figure) -> None:
    panel = figure.axes[0]
    assert points(labelled(panel, CONTROLS)) == [(2019, 0.0), (2020, 0.5)]
    assert points(labelled(panel, TUTORED)) == [(2019, 0.125), (2020, 1.0)]


def test_each_interval_ends_where_the_data_say_at_its_year(figure: Figure) -> None:
    assert segments(figure.axes[0]) == [
        [(2019, -0.25), (2019, 0.25)],
        [(2020, 0.25), (2020, 0.75)],
        [(2019, 0.0), (2019, 0.25)],
        [(2020, 0.5), (2020, 1.5)],
    ]


def test_an_interval_that_lies_over_another_is_the_thinner_and_the_darker(figure: Figure) -> None:
    below, above = (one for one in figure.axes[0].collections if isinstance(one, LineCollection))
    assert np.ravel(below.get_linewidth())[0] > 3 * np.ravel(above.get_linewidth())[0]
    assert hues(above.get_colors())[0] == TREATED
    assert hues(below.get_colors())[0] > CONTROL  # paler


def test_lines_and_marks_of_an_arm_share_its_colour(figure: Figure) -> None:
    lines = [labelled(figure.axes[0], name) for name in (CONTROLS, TUTORED)]
    assert [line.get_color() for line in lines] == [CONTROL, TREATED]
    assert [line.get_marker() for line in lines] == ["o", "D"]


def test_the_years_of_the_programme_are_shaded_from_half_a_year_before_to_half_after(
    figure: Figure,
) -> None:
    for panel in figure.axes:
        (shade,) = [patch for patch in panel.patches if isinstance(patch, Rectangle)]
        assert (shade.get_x(), shade.get_x() + shade.get_width()) == (2019.5, 2021.5)
        assert hues([shade.get_facecolor()]) == [SHADE]
    assert ["programme" in written(panel) for panel in figure.axes] == [True, False, False]


def test_lines_are_named_where_they_end_with_what_they_count(figure: Figure) -> None:
    assert not figure.legends
    assert pointed_at(figure.axes[0]) == {
        "Control\n19–20 schools\n2020: 0.50\n(0.25 to 0.75)": (2020, 0.5),
        "Tutored\n20 schools\n2020: 1.00\n(0.50 to 1.50)": (2020, 1.0),
    }
    assert pointed_at(figure.axes[2]) == {
        "Control\n1 school\n2019: 50.0\n(40.0 to 60.0)": (2019, 50.0)
    }


def test_in_a_trial_without_schools_pupils_are_counted() -> None:
    figure = trends_plot(TRENDS, OUTCOMES, YEARS, ARMS, STUDY, "pupil")
    assert "Tutored\n401–1,402 pupils" in _named(figure.axes[0])


def _named(panel: Axes) -> set[str]:
    """Return the names of lines with what they count, without their last means."""
    return {"\n".join(text.split("\n")[:2]) for text in pointed_at(panel)}


def test_panels_are_in_the_order_of_the_protocol_and_name_outcome_and_unit(
    figure: Figure,
) -> None:
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["Maths", "English", "Rate"]
    assert [panel.get_ylabel() for panel in figure.axes] == ["SD", "points", "per cent"]
    assert [panel.get_xlabel() for panel in figure.axes] == ["", "", "spring of"]
    assert figure.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 000000000000"
    for panel in figure.axes:
        assert all(tick == round(tick) for tick in panel.get_xticks())


def test_outcomes_of_one_unit_share_a_scale() -> None:
    alike: Any = {name: {**one, "units_label": "SD"} for name, one in OUTCOMES.items()}
    figure = trends_plot(TRENDS, alike, YEARS, ARMS, STUDY)
    assert len({panel.get_ylim() for panel in figure.axes}) == 1


def test_an_interval_many_times_as_long_as_the_others_is_cut_at_the_edge() -> None:
    long = TRENDS["conf_low"].mask((TRENDS["year"] == 2020) & (TRENDS["arm"] == "t"), -1e6)
    panel = trends_plot(TRENDS.assign(conf_low=long), OUTCOMES, YEARS, ARMS, STUDY).axes[0]
    assert panel.get_ylim()[0] > -10
    (mark,) = with_marker(panel, "v")
    assert points(mark) == [(2020, panel.get_ylim()[0])]


COHORTS = pd.concat(
    [
        TRENDS[TRENDS["outcome"] == "maths"].assign(
            cohort=pd.array([None, start, None, start], "Int64")
        )
        for start in (2019, 2020)
    ]
).drop_duplicates(["year", "arm", "cohort"])


def test_each_cohort_has_a_line_that_is_hollow_until_it_begins() -> None:
    (panel,) = trends_plot(COHORTS, OUTCOMES, YEARS, ARMS, STUDY).axes
    assert _named(panel) == {
        "Control\n19–20 schools", "Began 2019\n20 schools", "Began 2020\n20 schools",
    }  # fmt: skip
    hollow = [line for line in panel.lines if line.get_markerfacecolor() == "white"]
    assert [points(line) for line in hollow] == [[], [], [(2019, 0.125)]]
    dotted = [points(line)[0][0] for line in panel.lines if line.get_linestyle() == ":"]
    assert dotted == [2018.5, 2019.5]
    assert not panel.patches  # the programme's years differ, so none are shaded


def test_many_cohorts_have_a_panel_each_beside_those_that_never_began() -> None:
    more = [COHORTS.assign(cohort=COHORTS["cohort"].mask(COHORTS["cohort"].notna(), start))
            for start in range(2012, 2019)]  # fmt: skip
    data = pd.concat(more).drop_duplicates(["year", "arm", "cohort"])
    figure = trends_plot(data, OUTCOMES, YEARS, ARMS, STUDY)
    shown = [panel.get_title(loc="left").strip() for panel in figure.axes if panel.axison]
    assert shown == [f"{start}: 20 schools" for start in range(2012, 2019)]
    assert len(legend_words(figure)) == 2


@pytest.mark.parametrize(
    ("outcomes", "arms", "cohorts"),
    [pytest.param(12, 2, 0, marks=pytest.mark.slow), (1, 6, 0), (2, 2, 12)],
)
def test_texts_are_apart_and_at_one_column_no_smaller_than_six_points(
    outcomes: int, arms: int, cohorts: int
) -> None:
    measured: Any = {
        f"o{at}": {"label": f"Outcome number {at}", "units_label": "points"}
        for at in range(outcomes)
    }
    names: Any = [{"name": f"a{at}", "label": f"Schools of group {at}"} for at in range(arms)]
    rows = [
        [outcome, year, 1.0, f"a{arm}", cohort or None, arm + 0.1, arm - 1.0, arm + 1.0, 9, 99]
        for outcome in measured for year in range(2012, 2022) for arm in range(arms)
        for cohort in (range(2010, 2010 + cohorts) if arm and cohorts else [0])
    ]  # fmt: skip
    columns = [*TRENDS.columns[:4], "cohort", *TRENDS.columns[4:]]
    data = pd.DataFrame(rows, columns=columns).astype({"cohort": "Int64"})
    data = data if cohorts else data.drop(columns="cohort")
    figure = trends_plot(data, measured, YEARS, names, STUDY)
    rendered(figure, ["svg"])
    assert smallest_letters(figure, 88) >= 6
    assert overlapping_texts(figure) == []


def test_lines_end_with_their_last_mean_and_interval_where_there_is_room() -> None:
    def ends(names: list[str]) -> list[str]:
        data = pd.concat([TRENDS[TRENDS["outcome"] == "maths"].assign(outcome=n) for n in names])
        measured: Any = {name: {**OUTCOMES["maths"], "label": name} for name in names}
        panel = trends_plot(data, measured, YEARS, ARMS, STUDY).axes[0]
        return sorted(pointed_at(panel))

    assert ends(["m"]) == [
        "Control\n19–20 schools\n2020: 0.50\n(0.25 to 0.75)",
        "Tutored\n20 schools\n2020: 1.00\n(0.50 to 1.50)",
    ]
    assert ends([f"m{at}" for at in range(12)]) == []


def test_a_mean_that_is_zero_but_for_its_last_digits_is_told_as_zero() -> None:
    data = TRENDS[TRENDS["outcome"] == "maths"].replace(0.5, 3e-17)
    (panel,) = trends_plot(data, {"maths": OUTCOMES["maths"]}, YEARS, ARMS, STUDY).axes
    assert any("2020: 0.00\n" in text for text in pointed_at(panel))


def test_rows_of_cohorts_are_told_apart() -> None:
    cells = _panel([1.0, 3.0, 5.0], [5.0, 5.0, 5.0])
    cells["cohort"] = pd.array([2019, 2020, None], "Int64")
    data = drawn(cells)
    assert data["cohort"].tolist()[:2] == [2019, 2020]
    assert pd.isna(data["cohort"].iloc[2])
    assert data["mean"].tolist() == [1.0, 3.0, 5.0]


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
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((1.5 - half, 1.5 + half))
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
