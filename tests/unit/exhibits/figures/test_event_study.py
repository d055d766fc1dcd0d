"""Event study as drawn: points, intervals, bands, the reference, and who carries each year."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from schooltrial.exhibits.figures.event_study import (
    BEGINS,
    NO_INTERVAL,
    OF_BEFORE,
    OF_PARTLY,
    OF_SINCE,
    REFERENCE,
    YEAR_BEFORE,
    drawn,
    event_study_plot,
    vertical_limits,
)
from schooltrial.exhibits.style.figures import CONTROL, SHADE, TREATED, rendered
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import (
    hues,
    labelled,
    legend_words,
    overlapping_texts,
    points,
    smallest_letters,
    tick_words,
    words,
)

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
    "confidence_level": 0.95, "base_period": "varying", "role": "primary",
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


@pytest.mark.parametrize(("anticipation", "base"), [(0, -1), (1, -2)])
def test_with_one_base_its_point_is_hollow_at_zero(anticipation: int, base: int) -> None:
    others = ROWS[ROWS["term"] != f"treated[since={base}]"]
    data = _drawn(others, base_period="universal", anticipation=anticipation)
    assert data.loc[data["reference"], ["time", "estimate"]].to_numpy().tolist() == [[base, 0]]
    assert set(data["base"]) == {f"the year −{-base} of each cohort"}
    (panel,) = event_study_plot(data, STUDY, "spring").axes
    mark = labelled(panel, REFERENCE)
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
    starts = [line for line in panel.lines if line.get_label() == BEGINS]
    assert [points(line)[0][0] for line in starts] == [2015.5, 2016.5]
    partly = labelled(panel, OF_PARTLY)
    assert [at for at, _ in points(partly)] == [2016]
    assert hues([partly.get_markerfacecolor(), partly.get_markeredgecolor()]) == [
        "#ffffff",
        TREATED,
    ]
    assert [at for at, _ in points(labelled(panel, OF_SINCE))] == [2017]
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
    since = labelled(panel, OF_SINCE)
    before = labelled(panel, OF_BEFORE)
    assert (since.get_color(), since.get_marker()) == (TREATED, "o")
    assert (before.get_color(), before.get_marker()) == (CONTROL, "s")
    ends = [
        [(float(x), float(y)) for x, y in one]
        for found in panel.collections
        for one in found.get_segments()  # type: ignore[attr-defined]
    ]
    assert ends[-2:] == [[(0.0, 0.0), (0.0, 2.0)], [(1.0, 1.0), (1.0, 3.0)]]
    assert [(0.0, -1.0), (0.0, 3.0)] in ends


def test_below_each_year_are_how_many_schools_and_cohorts_carry_it() -> None:
    (panel,) = event_study_plot(_drawn(), STUDY, "spring").axes
    assert tick_words(panel.xaxis) == [
        "−2\n+0.25\n−0.75 to 1.25\n4\n1", "−1\n−0.50\n−1.50 to 0.50\n9\n2",
        "0\n+1.00\n0.00 to 2.00\n9\n2", "1\n+2.00\n1.00 to 3.00\n5\n1",
    ]  # fmt: skip
    assert panel.get_xlabel().endswith(
        "below: effect, 95% interval, intervention schools and cohorts"
    )
    many = ROWS.copy()
    many = pd.concat([many, *(pd.DataFrame([_cell(2000 + g, 2000 + g)]) for g in range(10))])
    (panel,) = event_study_plot(_drawn(many), STUDY, "spring").axes
    assert tick_words(panel.xaxis)[2].endswith("\n9\n12")


def _models(count: int, outcomes: int = 1) -> tuple[pd.DataFrame, Any]:
    """Return the points of models and outcomes, and the outcomes."""
    models: Any = {f"m{at}": {**MODEL, "label": f"Model {at}"} for at in range(count)}
    measured: Any = {
        f"o{at}": {"label": f"Outcome {at}", "units_label": "SD", "primary": True}
        for at in range(outcomes)
    }
    rows = [ROWS.assign(model=model, outcome=name) for model in models for name in measured]
    return drawn(pd.concat(rows), models, measured, YEARS), measured


def test_models_have_a_line_each_whose_times_are_named_at_the_first_and_the_last() -> None:
    data, _ = _models(4, 2)
    figure = event_study_plot(data, STUDY, "spring")
    panels = [panel for panel in figure.axes if panel.axison]
    assert len(panels) == 8
    named = [panel.xaxis.get_tick_params()["labelbottom"] for panel in panels]
    assert named == [True, True, False, False, False, False, True, True]
    assert [panel.get_title(loc="left") for panel in panels[:3]] == [
        "Outcome 0\n(SD)", "Outcome 1\n(SD)", "",
    ]  # fmt: skip
    assert [word for word in words(figure) if word.startswith("Model ")] == [
        f"Model {at}" for at in range(4)
    ]
    rendered(figure, ["svg"])
    tall = [panel.get_window_extent().height for panel in panels[::2]]
    assert tall[0] > 2 * tall[1]


def test_the_primary_model_comes_first_wherever_the_plan_has_it() -> None:
    models: Any = {"other": {**MODEL, "role": "sensitivity"}, "m": MODEL}
    rows = pd.concat([ROWS.assign(model="other"), ROWS])
    assert list(dict.fromkeys(drawn(rows, models, OUTCOMES, YEARS)["model"])) == ["m", "other"]


def test_all_panels_of_one_unit_share_a_scale() -> None:
    data, _ = _models(3, 2)
    data.loc[data["model"] == "m2", "conf_high"] += 3
    panels = [panel for panel in event_study_plot(data, STUDY, "spring").axes if panel.axison]
    assert len({panel.get_ylim() for panel in panels}) == 1


def test_of_more_than_three_outcomes_the_first_model_alone_is_drawn() -> None:
    data, _ = _models(3, 12)
    assert set(data["model"]) == {"m0"}
    assert len([one for one in event_study_plot(data, STUDY, "spring").axes if one.axison]) == 12


@pytest.mark.parametrize(
    ("models", "outcomes"),
    [(1, 1), (1, 12), *(pytest.param(*size, marks=pytest.mark.slow) for size in ((9, 2), (4, 3)))],
)
def test_texts_are_apart_and_at_one_column_no_smaller_than_six_points(
    models: int, outcomes: int
) -> None:
    data, _ = _models(models, outcomes)
    figure = event_study_plot(data, STUDY, "spring")
    rendered(figure, ["svg"])
    assert smallest_letters(figure, 88) >= 6
    assert overlapping_texts(figure) == []
    assert figure.get_figheight() / figure.get_figwidth() < 2.2  # a page


def _below(models: int, outcomes: int, years: int = 0) -> list[str]:
    data, _ = _models(models, outcomes)
    if years:
        data = pd.concat([data.assign(time=data["time"] + 5 * at) for at in range(years)])
        data = data.drop_duplicates("time").reset_index(drop=True)
    panel = next(one for one in event_study_plot(data, STUDY, "spring").axes if one.axison)
    return tick_words(panel.xaxis)


def test_below_each_year_of_one_model_are_its_effect_and_interval() -> None:
    told = [" ".join(text.split("\n")[1:4]) for text in _below(1, 1)]
    data, _ = _models(1, 1)
    for said, (_, row) in zip(told, data.iterrows(), strict=True):
        sizes = [row["estimate"], row["conf_low"], row["conf_high"]]
        effect, low, high = (f"{abs(size):.2f}" for size in sizes)
        wanted = "0 –" if row["reference"] else f"{effect} {low} to {high}"
        assert said.replace("−", "").replace("+", "").startswith(wanted)


@pytest.mark.parametrize(("models", "outcomes", "years"), [(1, 1, 6), (1, 12, 0), (3, 2, 0)])
def test_where_numbers_have_no_room_they_are_left_to_the_data(
    models: int, outcomes: int, years: int
) -> None:
    assert not any(" to" in text or "+" in text for text in _below(models, outcomes, years))


def test_a_year_whose_variance_is_not_known_is_a_cross_without_an_interval() -> None:
    unknown = dict.fromkeys(("conf_low", "conf_high", "band_low", "band_high"), nan)
    rows = ROWS.assign(**unknown)
    figure = event_study_plot(_drawn(rows), STUDY, "spring")
    assert NO_INTERVAL in legend_words(figure)
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
    figure = event_study_plot(_drawn(rows), STUDY, "spring")
    rendered(figure, ["svg"])
    named = [word.split("\n")[0] for word in tick_words(figure.axes[0].xaxis)]
    assert "0" in named
    assert len(named) <= 16
    assert labelled(figure.axes[0], OF_SINCE).get_markersize() < 5


def test_one_year_before_is_the_reference_alone() -> None:
    data = _drawn(ROWS[~ROWS["term"].str.contains("=-")])
    assert data[["time", "reference"]].to_numpy().tolist() == [[-1, True], [0, False], [1, False]]
    key = _key(data)
    assert REFERENCE in key
    assert OF_BEFORE not in key


@pytest.mark.parametrize("method", ["sun_abraham", "stacked"])
def test_regressions_of_cohorts_have_one_base_whatever_the_cells_have(method: str) -> None:
    data = _drawn(ROWS[ROWS["term"] != "treated[since=-1]"], method=method)
    assert data.loc[data["reference"], "time"].tolist() == [-1]


def test_without_points_the_figure_says_so() -> None:
    none = event_study_plot(_drawn(ROWS[10:]), STUDY, "spring")
    assert words(none)[0] == "The protocol's panel models estimate no event study."
