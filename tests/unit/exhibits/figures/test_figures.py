"""Figures show what the results say, and are the same bytes on every run."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from schooltrial.exhibits.figures import effects as effects_plot
from schooltrial.exhibits.figures import love_plot as balance_plot
from schooltrial.exhibits.figures import school_means as school_means_plot
from schooltrial.exhibits.figures import trends as trends_plot
from schooltrial.exhibits.style.figures import rendered
from support.small_trial import SmallTrial

Draw = Callable[[SmallTrial, bool], tuple[Figure, pd.DataFrame]]


def _balance(trial: SmallTrial, synthetic: bool = False) -> tuple[Figure, pd.DataFrame]:
    data = balance_plot.drawn(pd.read_csv(trial.path("balance.csv")))
    settings = trial.read().content["balance"]
    return balance_plot.balance_plot(data, settings, trial.study(synthetic), "2019"), data


def _effects(trial: SmallTrial, synthetic: bool = False) -> tuple[Figure, pd.DataFrame]:
    content = trial.read().content
    estimates = pd.read_csv(trial.path("estimates.csv"))
    data = effects_plot.drawn(estimates, content["models"], content["outcomes"], content["years"])
    return effects_plot.effects_plot(data, trial.study(synthetic)), data


def _trends(trial: SmallTrial, synthetic: bool = False) -> tuple[Figure, pd.DataFrame]:
    content = trial.read().content
    data = trends_plot.drawn(pd.read_parquet(trial.path("panel.parquet")))
    arms, study = content["design"]["arms"], trial.study(synthetic)
    figure = trends_plot.trends_plot(data, content["outcomes"], content["years"], arms, study)
    return figure, data


def _school_means(trial: SmallTrial, synthetic: bool = False) -> tuple[Figure, pd.DataFrame]:
    content = trial.read().content
    panel = pd.read_parquet(trial.path("panel.parquet"))
    data = school_means_plot.drawn(panel, content["outcomes"], content["years"], [2020])
    figure = school_means_plot.school_means_plot(
        data, content["outcomes"], content["design"]["arms"], trial.study(synthetic), "spring"
    )
    return figure, data


FIGURES = pytest.mark.parametrize("draw", [_balance, _effects, _trends, _school_means])


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def test_the_same_figure_is_the_same_bytes_without_dates_or_versions(finished: SmallTrial) -> None:
    """One figure; an end-to-end test says so of every file that a study writes."""
    first, second = (rendered(_effects(finished, False)[0]) for _ in range(2))
    assert first == second
    assert set(first) == {"svg", "pdf", "png"}
    for mark in (b"dc:date", b"Matplotlib v", b"CreationDate", b"/Producer", b"Software"):
        assert not any(mark in content for content in first.values()), mark
    assert re.search(rb"20\d\d-\d\d-\d\dT", first["svg"]) is None


@FIGURES
def test_every_figure_names_study_and_protocol_and_says_where_data_are_synthetic(
    finished: SmallTrial, draw: Draw
) -> None:
    line = f"A small trial.  Protocol {finished.read().sha256[:12]}"
    assert line in _texts(draw(finished, False)[0])
    assert f"SYNTHETIC DATA.  {line}" in _texts(draw(finished, True)[0])


def test_the_effects_drawn_are_the_rows_of_the_estimates_table(finished: SmallTrial) -> None:
    figure, data = _effects(finished)
    estimates = pd.read_csv(finished.path("estimates.csv"))
    stored = estimates[estimates["estimand"].isin(["ITT", "ATT"])]
    assert len(data) == len(stored) == 3
    keys = ["outcome", "model"]
    columns = ["estimate", "conf_low", "conf_high", "p_value", "n_individuals", "n_schools"]
    left = data.set_index(keys)[columns].sort_index()
    right = stored.set_index(keys)[columns].sort_index()
    pd.testing.assert_frame_equal(left, right, check_exact=True)
    marks = [
        float(line.get_xdata()[0])  # type: ignore[index, arg-type]
        for panel in figure.axes
        for line in panel.get_lines()
        if line.get_marker() == "o"
    ]
    assert marks == data["estimate"].tolist()


def test_effects_are_in_the_order_of_the_protocol_and_the_primary_ones_are_marked(
    finished: SmallTrial,
) -> None:
    _, data = _effects(finished)
    assert data[["outcome", "model"]].to_numpy().tolist() == [
        ["maths", "itt"], ["reading", "itt"], ["reading", "did"],
    ]  # fmt: skip
    assert data["primary"].tolist() == [True, False, False]


def test_the_balance_drawn_is_that_of_the_check(finished: SmallTrial) -> None:
    figure, data = _balance(finished)
    check = pd.read_csv(finished.path("balance.csv")).dropna(subset=["standardised_difference"])
    check = check.sort_values("level", kind="stable")  # as drawn: pupils first, then schools
    assert set(check["sample"]) == {"randomised", "analysed"}
    of_people = check["wwc_effect_size"].where(check["level"] != "school")
    wanted = of_people.fillna(check["standardised_difference"])
    marks = [line for line in figure.axes[0].get_lines() if line.get_marker() in ("o", "D")]
    drawn = np.concatenate([np.asarray(line.get_xdata(), float) for line in marks])
    np.testing.assert_array_equal(drawn, wanted)
    assert len(data) == len(wanted)


def test_an_arms_trend_is_the_mean_of_its_pupils(finished: SmallTrial) -> None:
    _, data = _trends(finished)
    sample = pd.read_parquet(finished.path("sample.parquet"))
    means = sample.groupby(["year", "arm"])["reading"].mean()
    found = data[data["outcome"] == "reading"].set_index(["year", "arm"])["mean"]
    np.testing.assert_allclose(found.sort_index(), means.sort_index(), atol=1e-12)
    assert (data["conf_low"] < data["mean"]).all()
    np.testing.assert_allclose(data["mean"] - data["conf_low"], data["conf_high"] - data["mean"])


def test_the_interval_of_a_trend_is_the_usual_one_where_schools_have_equal_size() -> None:
    means = np.array([1.0, 2.0, 4.0])
    panel = pd.DataFrame(
        {"outcome": "y", "year": 2020, "treated": 0.0, "arm": "c", "mean": means, "n_pupils": 7}
    )
    row = trends_plot.drawn(panel).iloc[0]
    half = 4.302652729911275 * means.std(ddof=1) / np.sqrt(3)
    assert row["conf_high"] - row["mean"] == pytest.approx(half)
    assert row["n_schools"] == 3


def test_a_single_school_has_a_mean_and_no_interval() -> None:
    panel = pd.DataFrame(
        {"outcome": "y", "year": 2020, "treated": 0.0, "arm": "c", "mean": [2.0], "n_pupils": 7}
    )
    row = trends_plot.drawn(panel).iloc[0]
    assert row["mean"] == 2
    assert np.isnan(row["conf_low"])


def test_a_school_mean_is_over_the_pupils_of_the_years_analysed(finished: SmallTrial) -> None:
    _, data = _school_means(finished)
    sample = pd.read_parquet(finished.path("sample.parquet")).query("year == 2020")
    means = sample.groupby("school")["maths"].mean()
    assert set(data["outcome"]) == {"maths"}
    after = data[data["when"] == "after"]
    found = after.set_index("school")["mean"].sort_index()
    np.testing.assert_allclose(found, means.sort_index(), atol=1e-12)
    panel = pd.read_parquet(finished.path("panel.parquet"))
    content = finished.read().content
    both = school_means_plot.drawn(panel, content["outcomes"], content["years"], [2019, 2020])
    assert both["n_pupils"].tolist() == [40] * 8


def test_without_a_primary_outcome_all_school_means_are_drawn(finished: SmallTrial) -> None:
    panel = pd.read_parquet(finished.path("panel.parquet"))
    outcomes = {
        name: {**outcome, "primary": False}
        for name, outcome in finished.read().content["outcomes"].items()
    }
    years = finished.read().content["years"]
    data = school_means_plot.drawn(panel, outcomes, years, [2020])  # type: ignore[arg-type]
    assert set(data["outcome"]) == set(outcomes)
