"""Cohorts as drawn: in their own time, against comparisons."""

from __future__ import annotations

from math import isnan
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from schooltrial.exhibits.figures.cohorts import (
    COMPARISON,
    OTHERS,
    cohorts_plot,
    drawn,
    since_start,
)
from schooltrial.exhibits.style.figures import CONTROL, rendered
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import labelled, overlapping_texts, points, smallest_letters, words

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
OUTCOMES: Any = {"maths": {"label": "Maths", "units_label": "SD", "primary": True}}
SHOCK = {2014: 0.0, 2015: -9.0, 2016: -9.0, 2017: -8.0}


def _panel(cohorts: dict[str, float | None], effect: float = 3.0) -> pd.DataFrame:
    """Return schools whose level is their place, in years with shocks that strike all alike."""
    rows = [
        {
            "outcome": "maths", "school": school, "cohort": cohort, "year": year,
            "mean": 10.0 * place + shock + (effect if cohort and year >= cohort else 0.0),
        }
        for place, (school, cohort) in enumerate(cohorts.items())
        for year, shock in SHOCK.items()
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"cohort": "Int64"})


PANEL = _panel({"a": 2016, "b": 2016, "c": 2017, "d": None, "e": None})


def _of(data: pd.DataFrame, cohort: str) -> pd.DataFrame:
    return data[data["cohort"] == cohort].set_index("year")


def test_means_are_by_calendar_year_and_changes_by_own_time_free_of_what_strikes_all() -> None:
    data = drawn(PANEL, OUTCOMES)
    first, last = _of(data, "2016"), _of(data, "2017")
    assert first["mean"].tolist() == [5.0, -4.0, -1.0, 0.0]
    assert first["since"].tolist() == [-2, -1, 0, 1]
    assert first["change"].tolist() == [0.0, 0.0, 3.0, 3.0]
    assert last["change"].tolist() == [0.0, 0.0, 0.0, 3.0]
    assert first["begun"].tolist() == [False, False, True, True]
    assert _of(data, COMPARISON)["mean"].tolist() == [35.0, 26.0, 26.0, 27.0]


def test_a_change_is_that_of_schools_seen_in_both_years() -> None:
    lacking = PANEL[~((PANEL["school"] == "a") & (PANEL["year"] == 2015))]
    first = _of(drawn(lacking, OUTCOMES), "2016")
    assert first["n_changed"].tolist() == [1, 1, 1, 1]
    assert first["n_seen"].tolist() == [2, 1, 2, 2]
    assert first["change"].tolist() == [0.0, 0.0, 3.0, 3.0]


def test_where_all_begin_each_is_compared_with_those_that_have_not_begun() -> None:
    data = drawn(_panel({"a": 2016, "b": 2017}), OUTCOMES)
    first, last = _of(data, "2016"), _of(data, "2017")
    assert set(data["compared"]) == {"not yet treated"}
    assert first["change"].tolist()[:3] == [0.0, 0.0, 3.0]
    assert isnan(first["change"].iloc[3])  # all have begun
    assert last["change"].isna().all()  # the other had begun in its base year
    assert COMPARISON not in set(data["cohort"])


def test_a_cohort_without_a_year_before_is_in_calendar_time_alone() -> None:
    data = drawn(_panel({"a": 2014, "b": 2016, "d": None}), OUTCOMES)
    assert _of(data, "2014")["change"].isna().all()
    assert _of(data, "2014")["mean"].notna().all()


def _figure(panel: pd.DataFrame = PANEL) -> Figure:
    return cohorts_plot(drawn(panel, OUTCOMES), OUTCOMES, STUDY)


def test_each_cohort_has_a_panel_with_its_change_filled_from_its_start_on() -> None:
    first, last = _figure().axes
    assert first.get_title(loc="left").endswith("2016: 2 schools")
    assert last.get_title(loc="left") == "2017: 1 school"
    assert points(labelled(first, "the cohort, from its start")) == [(0.0, 3.0), (1.0, 3.0)]
    assert points(labelled(last, "the cohort, from its start")) == [(0.0, 3.0)]
    zero = labelled(first, "comparison schools")
    assert (zero.get_color(), [y for _, y in points(zero)]) == (CONTROL, [0, 0])


def test_the_other_cohorts_are_grey_behind_a_cohort() -> None:
    _, last = _figure().axes
    (other,) = [line for line in last.lines if line.get_label() == "other cohorts"]
    assert other.get_color() == OTHERS
    assert [y for _, y in points(other)] == [0.0, 0.0, 3.0, 3.0]


def test_panels_of_one_unit_share_a_scale_and_print_the_mean_since_the_start() -> None:
    figure = _figure(_panel({"a": 2016, "b": 2017, "d": None}, effect=-1.25))
    assert len({panel.get_ylim() for panel in figure.axes}) == 1
    assert words(figure).count("since: −1.25") == 2


def test_the_mean_since_the_start_weighs_each_school_and_year_alike() -> None:
    rows = pd.DataFrame(
        {"begun": [False, True, True], "change": [9.0, 1.0, 4.0], "n_changed": [5, 1, 3]}
    )
    assert since_start(rows) == pytest.approx(13 / 4)
    assert isnan(since_start(rows[:1]))


def test_many_cohorts_have_a_panel_of_their_mean_too_which_weighs_each_school_alike() -> None:
    schools: dict[str, float | None] = {f"s{at}": 2015 + at % 3 for at in range(4)}
    assert len(_figure(_panel({**schools, "n": None})).axes) == 3
    data = drawn(_panel({**schools, "n": None}), OUTCOMES)
    places = data["cohort"] == COMPARISON
    more = [
        data.assign(
            cohort=data["cohort"].where(places, f"20{at}"), change=data["change"] * at, n_changed=at
        )
        for at in range(30, 36)
    ]
    figure = cohorts_plot(pd.concat(more), OUTCOMES, STUDY)
    (mean,) = [line for panel in figure.axes for line in panel.lines
               if line.get_label() == "mean, from the start"]  # fmt: skip
    weighted = sum(at * at for at in range(30, 36)) / sum(range(30, 36))
    assert dict(points(mean))[0.0] == pytest.approx(3 * weighted)


@pytest.mark.parametrize(
    ("outcomes", "cohorts", "panels"),
    [
        (1, 1, 1),
        pytest.param(2, 12, 26, marks=pytest.mark.slow),
        pytest.param(12, 12, 12, marks=pytest.mark.slow),
    ],
)
def test_texts_are_apart_and_at_one_column_no_smaller_than_six_points(
    outcomes: int, cohorts: int, panels: int
) -> None:
    measured: Any = {
        f"o{at}": {"label": f"Outcome number {at}", "units_label": "points", "primary": True}
        for at in range(outcomes)
    }
    schools: dict[str, float | None] = {f"s{at}": 2016 - at for at in range(cohorts)}
    cells = [
        {"outcome": name, "school": school, "cohort": start, "year": year, "mean": 9.0 * place}
        for name in measured
        for place, (school, start) in enumerate({**schools, "n": None}.items())
        for year in range(1995, 2020)
    ]
    data = drawn(pd.DataFrame(cells).astype({"cohort": "Int64"}), measured)
    figure = cohorts_plot(data, measured, STUDY)
    rendered(figure, ["svg"])
    assert len([panel for panel in figure.axes if panel.axison]) == panels
    assert smallest_letters(figure, 88) >= 6
    assert overlapping_texts(figure) == []


def test_a_panel_without_cohorts_says_so() -> None:
    for panel in (PANEL.drop(columns="cohort"), PANEL.assign(cohort=pd.NA)):
        figure = _figure(panel)
        assert words(figure)[0] == "No school has a first treated year: there is no cohort."
