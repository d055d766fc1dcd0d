"""Event study as drawn: points, intervals, bands, the reference, and who carries each year."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from schooltrial.exhibits.figures.event_study import (
    CROWD,
    YEAR_BEFORE,
    drawn,
    event_study_plot,
    vertical_limits,
)
from schooltrial.exhibits.style.figures import CONTROL, SHADE, TREATED, rendered
from schooltrial.protocol.sections import StudyLine
from support.drawn_artists import hues, labelled, legend_words, points, tick_words, words

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
YEARS: Any = {
    "label": "spring", "baseline": [2014, 2015], "programme": [2016, 2017], "follow_up": [],
    "reference": None,
}  # fmt: skip
OUTCOMES: Any = {
    "maths": {"label": "Maths", "units_label": "SD", "primary": True},
    "ela": {"label": "English", "units_label": "SD", "primary": False},
}
MODEL: Any = {
    "label": "Cohorts", "estimator": "staggered_adoption", "active_years": [],
    "confidence_level": 0.95, "base_period": "varying",
}  # fmt: skip


def _row(term: str, estimate: float, half: float = 1.0, **cells: Any) -> dict[str, Any]:
    return {
        "model": "m", "outcome": "maths", "estimand": "event study", "term": term,
        "estimate": estimate, "conf_low": estimate - half, "conf_high": estimate + half,
        "band_low": estimate - 2 * half, "band_high": estimate + 2 * half,
        "n_treated_schools": 9, "method": "two regimes", **cells,
    }  # fmt: skip


def _cell(cohort: int, year: int) -> dict[str, Any]:
    term = f"treated[cohort={cohort}, year={year}]"
    return _row(term, 0.0, estimand="group-time effect")


ROWS = pd.DataFrame([
    _row("treated[since=-2]", 0.25, n_treated_schools=4), _row("treated[since=-1]", -0.5),
    _row("treated[since=0]", 1.0), _row("treated[since=1]", 2.0, n_treated_schools=5),
    _cell(2016, 2015), _cell(2016, 2016), _cell(2016, 2017), _cell(2017, 2015),
    _cell(2017, 2016), _cell(2017, 2017), _row("treated", 1.5, estimand="ATT"),
])  # fmt: skip


def _drawn(rows: pd.DataFrame = ROWS, **model: Any) -> pd.DataFrame:
    models: Any = {"m": {**MODEL, **model}}
    return drawn(rows, models, OUTCOMES, YEARS)


def test_each_event_time_bears_its_row_and_the_cohorts_that_are_seen_then() -> None:
    data = _drawn()
    assert data["time"].tolist() == [-2, -1, 0, 1]
    assert data["estimate"].tolist() == [0.25, -0.5, 1.0, 2.0]
    assert data["cohorts"].tolist() == ["2017", "2016 2017", "2016 2017", "2016"]
    assert data["n_treated_schools"].tolist() == [4, 9, 9, 5]
    assert data["part"].tolist() == ["before", "before", "since", "since"]


def test_only_primary_outcomes_of_panel_models_are_drawn_and_no_subgroup() -> None:
    models: Any = {
        "m": MODEL, "m__north": MODEL, "itt": {**MODEL, "estimator": "multilevel"},
    }  # fmt: skip
    copies = [
        ROWS, ROWS.assign(outcome="ela"), ROWS.assign(model="m__north"), ROWS.assign(model="itt"),
    ]  # fmt: skip
    data = drawn(pd.concat(copies), models, OUTCOMES, YEARS)
    assert set(zip(data["model"], data["outcome"], strict=True)) == {("m", "maths")}


def test_with_a_varying_base_there_is_no_reference_and_the_year_before_is_named() -> None:
    data = _drawn()
    assert not data["reference"].any()
    assert set(data["base"]) == {YEAR_BEFORE}
    assert any("each year less the year before it" in word for word in _key(data))


@pytest.mark.parametrize(("anticipation", "base"), [(0, -1), (1, -2)])
def test_with_one_base_its_point_is_hollow_at_zero(anticipation: int, base: int) -> None:
    others = ROWS[ROWS["term"] != f"treated[since={base}]"]
    data = _drawn(others, base_period="universal", anticipation=anticipation)
    assert data.loc[data["reference"], ["time", "estimate"]].to_numpy().tolist() == [[base, 0]]
    assert set(data["base"]) == {f"the year −{-base} of each cohort"}
    (panel,) = event_study_plot(data, STUDY, "spring").axes
    mark = labelled(panel, "reference, zero by definition")
    assert points(mark) == [(base, 0.0)]
    assert mark.get_markerfacecolor() == "white"


def test_years_that_the_programme_may_be_anticipated_in_are_not_years_before() -> None:
    parts = _drawn(anticipation=1).set_index("time")["part"]
    assert parts.to_dict() == {-2: "before", -1: "since", 0: "since", 1: "since"}


def test_of_several_covariances_the_first_is_drawn() -> None:
    second = ROWS.assign(conf_low=-9.0)
    pd.testing.assert_frame_equal(_drawn(pd.concat([ROWS, second])), _drawn())


def test_an_imputed_effect_has_no_single_reference() -> None:
    data = _drawn(ROWS[ROWS["term"] != "treated[since=-1]"], method="imputation")
    assert not data["reference"].any()
    assert set(data["base"]) == {"what the years before the programme predict"}


TWO_WAY = pd.DataFrame([_row(f"treated[year={year}]", 1.0) for year in (2014, 2016, 2017)])


def test_an_event_study_by_calendar_year_marks_every_start_and_is_shaded_to_the_first() -> None:
    models: Any = {"m": {**MODEL, "estimator": "difference_in_differences"}}
    data = drawn(TWO_WAY, models, OUTCOMES, YEARS, [2016, 2017])
    assert data["part"].tolist() == ["before", "before", "partly", "since"]
    assert data.loc[data["reference"], "time"].tolist() == [2015]
    (panel,) = event_study_plot(data, STUDY, "spring").axes
    starts = [line for line in panel.lines if line.get_label() == "a cohort begins"]
    assert [points(line)[0][0] for line in starts] == [2015.5, 2016.5]
    partly = labelled(panel, "some cohorts not begun, counted as if they had")
    assert [at for at, _ in points(partly)] == [2016]
    assert hues([partly.get_markerfacecolor(), partly.get_markeredgecolor()]) == [
        "#ffffff",
        TREATED,
    ]
    assert [at for at, _ in points(labelled(panel, "effect of the programme"))] == [2017]
    (shade,) = [patch for patch in panel.patches if isinstance(patch, Rectangle)]
    assert (shade.get_x() + shade.get_width(), hues([shade.get_facecolor()])) == (2015.5, [SHADE])


def test_an_event_study_by_own_start_has_the_year_before_as_its_base_and_ends_that_are_many() -> (
    None
):
    terms = ["treated[since<=-3]", "treated[since=-2]", "treated[since=0]", "treated[since>=1]"]
    models: Any = {"m": {**MODEL, "estimator": "difference_in_differences"}}
    data = drawn(pd.DataFrame([_row(term, 1.0) for term in terms]), models, OUTCOMES, YEARS)
    assert data["time"].tolist() == [-3, -2, -1, 0, 1]
    assert data["reference"].tolist() == [False, False, True, False, False]
    (panel,) = event_study_plot(data, STUDY, "spring").axes
    named = [word.split("\n")[0] for word in tick_words(panel.xaxis)]
    assert named == ["≤−3", "−2", "−1", "0", "≥1"]


def _key(data: pd.DataFrame) -> list[str]:
    return legend_words(event_study_plot(data, STUDY, "spring"))


def test_before_and_since_differ_in_colour_and_shape_and_each_interval_ends_as_told() -> None:
    (panel,) = event_study_plot(_drawn(), STUDY, "spring").axes
    since = labelled(panel, "effect of the programme")
    before = labelled(panel, "before: each year less the year before it, should be zero")
    assert (since.get_color(), since.get_marker()) == (TREATED, "o")
    assert (before.get_color(), before.get_marker()) == (CONTROL, "s")
    ends = [
        [(float(x), float(y)) for x, y in one]
        for found in panel.collections
        for one in found.get_segments()  # type: ignore[attr-defined]
    ]
    assert ends[-2:] == [[(0.0, 0.0), (0.0, 2.0)], [(1.0, 1.0), (1.0, 3.0)]]
    assert [(0.0, -1.0), (0.0, 3.0)] in ends


def test_below_each_year_are_its_schools_and_its_cohorts_or_how_many_they_are() -> None:
    (panel,) = event_study_plot(_drawn(), STUDY, "spring").axes
    assert tick_words(panel.xaxis) == [
        "−2\n4\n2017", "−1\n9\n2016\n2017", "0\n9\n2016\n2017", "1\n5\n2016",
    ]  # fmt: skip
    assert panel.get_xlabel().endswith("below each: intervention schools and cohorts")
    many = ROWS.copy()
    many = pd.concat([many, *(pd.DataFrame([_cell(2000 + g, 2000 + g)]) for g in range(10))])
    (panel,) = event_study_plot(_drawn(many), STUDY, "spring").axes
    assert tick_words(panel.xaxis)[2] == "0\n9\n12"


def test_of_panels_above_one_another_the_last_names_the_axis() -> None:
    names = [f"m{at}" for at in range(5)]
    models: Any = dict.fromkeys(names, MODEL)
    rows = pd.concat([ROWS.assign(model=name) for name in names])
    figure = event_study_plot(drawn(rows, models, OUTCOMES, YEARS), STUDY, "spring")
    named = [bool(panel.get_xlabel()) for panel in figure.axes if panel.axison]
    assert named == [False, False, False, True, True]


def test_a_year_whose_variance_is_not_known_is_a_cross_without_an_interval() -> None:
    unknown = dict.fromkeys(("conf_low", "conf_high", "band_low", "band_high"), nan)
    rows = ROWS.assign(**unknown)
    figure = event_study_plot(_drawn(rows), STUDY, "spring")
    assert "no interval: the variance is not known" in legend_words(figure)
    assert not any(len(found.get_segments()) for found in figure.axes[0].collections)  # type: ignore[attr-defined]


def test_one_endless_interval_does_not_press_the_others_to_a_line() -> None:
    rows = pd.concat([ROWS, pd.DataFrame([_row("treated[since=2]", 1.0, 400.0)])])
    low, high = vertical_limits(_drawn(rows))
    assert high - low < 20
    low, high = vertical_limits(_drawn())
    assert low < -2.5  # the bands of -0.5 and 2.0 are in
    assert high > 4.0


def test_many_years_are_drawn_smaller_and_named_at_some_with_the_start_among_them() -> None:
    times = range(-20, 12)
    rows = pd.DataFrame([_row(f"treated[since={time}]", 0.1) for time in times])
    assert len(rows) > CROWD
    figure = event_study_plot(_drawn(rows), STUDY, "spring")
    rendered(figure, ["svg"])
    named = [word.split("\n")[0] for word in tick_words(figure.axes[0].xaxis)]
    assert "0" in named
    assert len(named) <= 16
    assert labelled(figure.axes[0], "effect of the programme").get_markersize() < 5


def test_one_year_before_is_the_reference_alone() -> None:
    data = _drawn(ROWS[~ROWS["term"].str.contains("=-")])
    assert data[["time", "reference"]].to_numpy().tolist() == [[-1, True], [0, False], [1, False]]
    key = _key(data)
    assert "reference, zero by definition" in key
    assert not any("should be zero" in word for word in key)


@pytest.mark.parametrize("method", ["sun_abraham", "stacked"])
def test_regressions_of_cohorts_have_one_base_whatever_the_cells_have(method: str) -> None:
    data = _drawn(ROWS[ROWS["term"] != "treated[since=-1]"], method=method)
    assert data.loc[data["reference"], "time"].tolist() == [-1]


def test_without_points_the_figure_says_so() -> None:
    none = event_study_plot(_drawn(ROWS[10:]), STUDY, "spring")
    assert words(none)[0] == "The protocol's panel models estimate no event study."
