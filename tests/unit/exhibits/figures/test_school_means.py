"""School means as drawn: a line per school from before to after, and the mean of its group."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from schooltrial.exhibits.figures.school_means import (
    CROWD,
    MANY,
    PRETEST,
    SHOWN,
    alt_text,
    drawn,
    pairs_of,
    paler,
    sample_of,
    school_means_plot,
)
from schooltrial.exhibits.style.figures import CONTROL, TREATED, rendered
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import tick_words, words

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
ARMS: Any = [{"name": "c", "label": "Control"}, {"name": "t", "label": "Tutored"}]
YEARS: Any = {"label": "spring", "baseline": [2018, 2019], "programme": [2020], "follow_up": [2021]}
OUTCOMES: Any = {
    "maths": {"label": "Maths", "units_label": "SD", "primary": True},
    "ela": {"label": "English", "units_label": "SD", "primary": True},
    "rate": {"label": "Rate", "units_label": "per cent", "primary": False},
}


def _cell(school: str, year: int, mean: float, **more: Any) -> dict[str, Any]:
    arm = more.pop("arm", "c")
    return {"outcome": "maths", "block": "1", "school": school, "arm": arm,
            "treated": float(arm == "t"), "year": year, "mean": mean, "n_pupils": 10.0,
            **more}  # fmt: skip


PANEL = pd.DataFrame(
    [
        _cell("A", 2019, 0.2), _cell("A", 2020, 0.1), _cell("B", 2019, 0.0), _cell("B", 2020, 0.3),
        _cell("C", 2020, 0.9), _cell("D", 2019, -0.4, arm="t"), _cell("D", 2020, 0.4, arm="t"),
    ]
)  # fmt: skip


def _lines(panel: Axes, colour: object) -> list[Line2D]:
    return [line for line in panel.lines if line.get_color() == colour]


def test_a_schools_mean_weighs_its_years_by_pupils_and_alike_where_they_are_not_known() -> None:
    rows = [_cell("A", 2020, 1.0), _cell("A", 2021, 4.0, n_pupils=20.0)]
    (mean,) = drawn(pd.DataFrame(rows), OUTCOMES, YEARS, [2020, 2021])["mean"]
    assert mean == 3.0
    rows = [{**row, "n_pupils": nan} for row in rows]
    (mean,) = drawn(pd.DataFrame(rows), OUTCOMES, YEARS, [2020, 2021])["mean"]
    assert mean == 2.5


def test_before_is_the_last_baseline_year_with_the_outcome_and_none_that_is_analysed() -> None:
    rows = [_cell("A", 2017, 9.0), _cell("A", 2018, 1.0), _cell("A", 2020, 2.0)]
    data = drawn(pd.DataFrame(rows), OUTCOMES, YEARS, [2020])
    assert data[["when", "years", "mean"]].to_numpy().tolist() == [
        ["before", "2018", 1.0], ["after", "2020", 2.0],
    ]  # fmt: skip
    data = drawn(pd.DataFrame(rows), OUTCOMES, YEARS, [2018, 2020])
    assert data[["when", "years"]].to_numpy().tolist() == [["after", "2018, 2020"]]


def test_no_school_counts_as_treated_before_it_began() -> None:
    rows = [_cell(school, year, 1.0, arm="t", cohort=cohort)
            for school, cohort in (("A", 2020), ("B", 2021), ("C", 2022))
            for year in (2019, 2020, 2021)]  # fmt: skip
    panel = pd.DataFrame(rows).astype({"cohort": "Int64"})
    data = drawn(panel, OUTCOMES, YEARS, [2020, 2021])
    assert set(data["school"]) == {"A", "B"}
    assert set(data.loc[data["when"] == "after", "years"]) == {"2021"}


def test_without_a_primary_outcome_every_outcome_is_drawn() -> None:
    outcomes: Any = {name: {**one, "primary": False} for name, one in OUTCOMES.items()}
    rows = [_cell("A", 2020, 1.0, outcome=name) for name in OUTCOMES]
    data = drawn(pd.DataFrame(rows), outcomes, YEARS, [2020])
    assert list(data["outcome"]) == list(OUTCOMES)
    assert set(drawn(pd.DataFrame(rows), OUTCOMES, YEARS, [2020])["outcome"]) == {"maths", "ela"}


def test_each_school_has_a_line_and_the_thick_line_is_the_mean_of_those_seen_twice() -> None:
    data = drawn(PANEL, OUTCOMES, YEARS, [2020])
    (panel,) = school_means_plot(data, OUTCOMES, ARMS, STUDY, "spring").axes
    slopes = _lines(panel, paler(CONTROL))[0]
    ends = np.asarray(slopes.get_ydata()).reshape(-1, 3)
    assert ends[:, :2].tolist() == [[0.2, 0.1], [0.0, 0.3]]
    assert np.isnan(ends[:, 2]).all()  # one school's line does not run on into the next
    (mean,) = _lines(panel, CONTROL)
    assert np.asarray(mean.get_ydata()).tolist() == pytest.approx([0.1, 0.2])
    assert mean.get_linewidth() > 2 * slopes.get_linewidth()
    (other,) = _lines(panel, TREATED)
    assert np.asarray(other.get_ydata()).tolist() == [-0.4, 0.4]
    assert {"0.10", "0.20", "−0.40", "0.40"} <= set(words(panel))


def test_a_school_that_is_seen_once_has_a_hollow_mark() -> None:
    data = drawn(PANEL, OUTCOMES, YEARS, [2020])
    (panel,) = school_means_plot(data, OUTCOMES, ARMS, STUDY, "spring").axes
    hollow = [line for line in panel.lines if line.get_markerfacecolor() == "white"]
    assert [y for line in hollow for y in np.asarray(line.get_ydata()).tolist()] == [0.9]


def test_groups_are_named_with_their_schools_and_times_with_their_years() -> None:
    data = drawn(PANEL, OUTCOMES, YEARS, [2020])
    (panel,) = school_means_plot(data, OUTCOMES, ARMS, STUDY, "spring").axes
    assert {"Control\n3 schools", "Tutored\n1 school"} <= set(words(panel))
    assert tick_words(panel.xaxis) == ["2019", "2020", "2019", "2020"]
    assert panel.get_xlabel() == "spring"
    assert panel.get_ylabel() == "school mean, SD"


def test_an_outcome_not_measured_before_has_a_mark_per_school_and_none_over_another() -> None:
    rows = [_cell(f"{at}", 2020, 1.0 + (at % 3) / 10) for at in range(12)]
    data = drawn(pd.DataFrame(rows), OUTCOMES, YEARS, [2020])
    (panel,) = school_means_plot(data, OUTCOMES, ARMS, STUDY, "spring").axes
    (marks,) = _lines(panel, paler(CONTROL))
    places = {tuple(place) for place in np.asarray(marks.get_xydata()).round(6).tolist()}
    assert len(places) == 12
    assert "not measured before" in alt_text(data, OUTCOMES, ARMS)


def test_outcomes_of_one_unit_share_a_scale() -> None:
    wide = PANEL.assign(outcome="ela", mean=PANEL["mean"] * 9)
    data = drawn(pd.concat([PANEL, wide]), OUTCOMES, YEARS, [2020])
    maths, ela = school_means_plot(data, OUTCOMES, ARMS, STUDY, "spring").axes
    assert maths.get_ylim() == ela.get_ylim()


def test_five_hundred_schools_are_less_than_forty_thousand_bytes() -> None:
    chance = np.random.default_rng(1)
    rows = [_cell(f"{at}", year, float(chance.normal())) for at in range(558)
            for year in (2019, 2020)]  # fmt: skip
    data = drawn(pd.DataFrame(rows), OUTCOMES, YEARS, [2020])
    figure = school_means_plot(data, OUTCOMES, ARMS, STUDY, "spring")
    assert len(rendered(figure, ["svg"])["svg"]) < 40_000
    slopes = _lines(figure.axes[0], paler(CONTROL))[0]
    assert len(pairs_of(data)) > MANY
    assert slopes.get_marker() == "None"


def test_the_words_give_each_groups_means_their_change_and_how_many_rose() -> None:
    data = drawn(PANEL, OUTCOMES, YEARS, [2020])
    assert alt_text(data, OUTCOMES, ARMS) == (
        "Means of schools before and after. Maths (SD), Control: mean of 2 schools 0.100 before, "
        "0.200 after (+0.100); 1 rose. Maths (SD), Tutored: mean of 1 school −0.400 before, 0.400 "
        "after (+0.800); 1 rose."
    )


def test_without_any_mean_the_figure_says_so() -> None:
    figure = school_means_plot(
        drawn(PANEL, OUTCOMES, YEARS, [2022])[:0], OUTCOMES, ARMS, STUDY, "spring"
    )
    assert "No school has a mean of a primary outcome." in words(figure)


def test_of_a_crowd_an_even_choice_of_schools_is_drawn_and_of_fewer_all() -> None:
    both = pd.DataFrame({"before": range(CROWD + 1), "after": 0.0})
    shown = sample_of(both)
    assert len(shown) == SHOWN
    assert shown["before"].iloc[[0, -1]].tolist() == [0, CROWD]
    assert shown["before"].diff().dropna().between(3, 4).all()
    assert len(sample_of(both[:CROWD])) == CROWD


PUPILS = pd.DataFrame(
    [
        ("1", "A", "c", 2020, 10.0, 1.0), ("2", "A", "c", 2020, 14.0, 2.0),
        ("3", "A", "c", 2020, 99.0, nan), ("4", "B", "c", 2020, 18.0, 3.0),
        ("5", "D", "t", 2020, nan, 4.0), ("6", "D", "t", 2020, 16.0, 5.0),
        ("6", "D", "t", 2019, 50.0, 5.0),
    ],
    columns=["pupil", "school", "arm", "year", "fall", "maths"],
).assign(block="1", treated=lambda rows: (rows["arm"] == "t").astype(float))  # fmt: skip
AFTER_ONLY = PANEL[PANEL["year"] == 2020]


def _with_pretest(standardise: str, pretest: str | None = "fall") -> pd.DataFrame:
    maths = {**OUTCOMES["maths"], "standardise": standardise, "pretest": pretest}
    outcomes: Any = {"maths": maths}
    return drawn(AFTER_ONLY, outcomes, YEARS, [2020], PUPILS, "c")


def test_a_pretest_on_the_same_scale_is_before_of_the_pupils_with_the_outcome() -> None:
    before = _with_pretest("none").query("when == 'before'").set_index("school")
    assert before["mean"].to_dict() == {"A": 12.0, "B": 18.0, "D": 16.0}
    assert before["n_pupils"].to_dict() == {"A": 2, "B": 1, "D": 1}
    assert set(before["years"]) == {PRETEST}
    (panel,) = school_means_plot(_with_pretest("none"), OUTCOMES, ARMS, STUDY, "spring").axes
    assert tick_words(panel.xaxis) == ["pre-test", "2020", "pre-test", "2020"]


def test_a_pretest_is_standardised_as_its_outcome_is() -> None:
    before = _with_pretest("control").query("when == 'before'").set_index("school")["mean"]
    # Control: 10, 14 and 18 have mean 14 and SD 4.
    assert before.to_dict() == pytest.approx({"A": -0.5, "B": 1.0, "D": 0.5})


def test_a_pretest_of_which_the_protocol_does_not_say_that_the_scale_is_the_same_is_not_drawn() -> (
    None
):
    data = _with_pretest("none", pretest=None)
    assert set(data["when"]) == {"after"}
    assert "not measured before on this scale" in alt_text(data, OUTCOMES, ARMS)


def test_a_wave_of_before_comes_before_a_pretest() -> None:
    maths = {**OUTCOMES["maths"], "standardise": "none", "pretest": "fall"}
    outcomes: Any = {"maths": maths}
    data = drawn(PANEL, outcomes, YEARS, [2020], PUPILS, "c")
    assert set(data.loc[data["when"] == "before", "years"]) == {"2019"}
