"""Cohorts as drawn: in calendar time as they were, in their own time against comparisons."""

from __future__ import annotations

from math import isnan
from typing import Any

import pandas as pd
import pytest

from schooltrial.exhibits.figures.cohorts import (
    APART,
    COMPARISON,
    cohort_styles,
    cohorts_plot,
    drawn,
)
from schooltrial.exhibits.style.figures import CONTROL, rendered
from schooltrial.protocol.sections import StudyLine
from support.drawn_artists import labelled, legend_words, points, words

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


def test_each_start_is_marked_where_that_cohort_began() -> None:
    figure = cohorts_plot(drawn(PANEL, OUTCOMES), OUTCOMES, STUDY, "spring")
    calendar, own = figure.axes
    assert legend_words(figure) == [
        "never treated (2 schools)", "began 2016 (2 schools)", "began 2017 (1 school)",
    ]  # fmt: skip
    first = labelled(calendar, "began 2016 (2 schools)")
    assert points(first) == [(2016.0, -1.0), (2017.0, 0.0)]  # filled from its start on
    dotted = [line for line in calendar.lines if line.get_linestyle() == ":"]
    assert [(points(line)[0][0], line.get_color()) for line in dotted] == [
        (2015.5, first.get_color()),
        (2016.5, labelled(calendar, "began 2017 (1 school)").get_color()),
    ]
    assert points(labelled(own, "_began 2017")) == [(0.0, 3.0)]
    zero = own.lines[0]
    assert (zero.get_color(), [y for _, y in points(zero)]) == (CONTROL, [0, 0])


@pytest.mark.parametrize("count", [1, APART, APART + 1, 12])
def test_no_two_cohorts_look_alike(count: int) -> None:
    styles = cohort_styles([str(2000 + at) for at in range(count)])
    assert len(set(styles.values())) == count
    assert CONTROL not in {colour for colour, _ in styles.values()}


def test_twelve_cohorts_have_a_key_within_the_figure() -> None:
    schools: dict[str, float | None] = {f"s{at}": 2010 + at for at in range(12)}
    figure = cohorts_plot(
        drawn(_panel({**schools, "n": None}), OUTCOMES), OUTCOMES, STUDY, "spring"
    )
    rendered(figure, ["svg"])
    assert legend_words(figure)[-1] == "all cohorts, own time"
    (key,) = figure.legends
    box = key.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.get_figwidth() * figure.dpi
    assert not box.overlaps(figure.axes[0].get_window_extent())


def test_the_mean_of_many_cohorts_weighs_each_school_alike() -> None:
    schools: dict[str, float | None] = {f"s{at}": 2015 + at % 3 for at in range(4)}
    few = cohorts_plot(drawn(_panel({**schools, "n": None}), OUTCOMES), OUTCOMES, STUDY, "spring")
    assert "all cohorts, own time" not in legend_words(few)
    data = drawn(_panel({**schools, "n": None}), OUTCOMES)
    places = data["cohort"] == COMPARISON
    more = [
        data.assign(
            cohort=data["cohort"].where(places, f"20{at}"), change=data["change"] * at, n_changed=at
        )
        for at in range(30, 36)
    ]
    (_, own) = cohorts_plot(pd.concat(more), OUTCOMES, STUDY, "spring").axes
    mean = points(labelled(own, "all cohorts, own time"))
    weighted = sum(at * at for at in range(30, 36)) / sum(range(30, 36))
    assert dict(mean)[0.0] == pytest.approx(3 * weighted)


def test_a_panel_without_cohorts_says_so() -> None:
    for panel in (PANEL.drop(columns="cohort"), PANEL.assign(cohort=pd.NA)):
        figure = cohorts_plot(drawn(panel, OUTCOMES), OUTCOMES, STUDY, "spring")
        assert words(figure)[0] == "No school has a first treated year: there is no cohort."
