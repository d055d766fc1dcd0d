"""A caption explains a mark of its figure only where the figure has that mark."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from schooltrial.exhibits.figures.school_means import CROWD, SHOWN
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.report.captions import FACTS, sentences
from schooltrial.study.opened.shown import CAPTIONS

WORDS: Any = parse_yaml(CAPTIONS.read_text("utf-8"))


def _told(name: str, rows: list[dict[str, Any]]) -> str:
    return " ".join(sentences(name, WORDS[name], pd.DataFrame(rows)))


def test_every_further_sentence_has_a_rule_that_says_when_it_holds() -> None:
    written = {
        (name, key) for name, words in WORDS.items() for key in words if key.startswith("if_")
    }
    assert written == {(name, key) for name, facts in FACTS.items() for key in facts}


def test_only_captions_of_the_report_leave_the_name_of_a_group_open() -> None:
    """The pages on monitoring and on data quality print theirs as they are."""
    open_ones = {name for name, words in WORDS.items() if "{" in "".join(words.values())}
    assert open_ones == {"love_plot", "trends", "school_means"}
    holes = {hole for words in WORDS.values() for hole in re.findall("{.*?}", str(words.values()))}
    assert holes == {"{control}"}


def test_arrows_and_crosses_are_explained_only_where_they_are_drawn() -> None:
    near = {"level": "pupil", "sample": "assigned", "size": 0.2, "reading": ""}
    assert _told("love_plot", [near]) == "Bands mark the WWC limits."
    told = _told("love_plot", [
        near, {**near, "size": -1.3, "sample": "analysed"},
        {**near, "level": "school", "size": None, "reading": "not known"},
    ])  # fmt: skip
    assert "An arrow at the edge" in told
    assert "A cross at the edge" in told
    assert "Hollow: as assigned. Filled: as analysed." in told
    assert "school means have no band" in told


def test_a_timeline_explains_its_line_and_numbers_only_where_it_has_them() -> None:
    test = {"kind": "test", "lane": "Maths", "start": 2019, "n": 40}
    drawn = {"kind": "assignment", "lane": "Randomised", "start": 2019, "n": 4}
    assert _told("timeline", [test]) == "Numbers by the marks: how many were measured."
    assert _told("timeline", [test, drawn]).endswith("Vertical line: randomisation.")
    many = [{**test, "start": year} for year in range(2010, 2020)]
    assert _told("timeline", [*many, {**drawn, "lane": "Assigned, not randomised"}]) == (
        "Vertical line: assignment."
    )


def test_effects_by_year_name_larger_panels_only_where_there_are_several_models() -> None:
    point = {
        "model": "a", "outcome": "maths", "units_label": "SD", "estimate": 0.1, "conf_low": 0.0,
        "conf_high": 0.2, "band_low": -0.1, "band_high": 0.3,
    }  # fmt: skip
    assert _told("event_study", [point]) == ""
    assert (
        _told("event_study", [point, {**point, "model": "b"}]) == "Large panels: the first model."
    )
    endless = {**point, "conf_low": -9.0, "conf_high": 9.0}
    assert _told("event_study", [point, point, endless, {**point, "outcome": "ela"}]) == (
        "Outcomes of one unit share a scale. An arrowhead marks an interval that runs beyond the "
        "panel."
    )


def test_trends_speak_of_overlap_and_of_the_control_line_only_where_they_hold() -> None:
    low = {"outcome": "maths", "year": 2019, "mean": 0.5, "conf_low": 0.0, "conf_high": 1.0,
           "standardise": "none", "mean_unit": "points"}  # fmt: skip
    high = {**low, "mean": 2.5, "conf_low": 2.0, "conf_high": 3.0}
    assert _told("trends", [low, high]) == ""
    assert _told("trends", [low, {**high, "conf_low": 0.5, "standardise": "control"}]) == (
        "Where intervals of a year overlap, the thinner one is in front. Outcomes in "
        "{control}-group SDs are always 0 for the {control} group."
    )


def test_trends_speak_of_arrowheads_only_where_an_interval_runs_beyond_its_panel() -> None:
    usual = {"outcome": "maths", "year": 2019, "mean": 0.5, "conf_low": 0.0, "conf_high": 1.0,
             "standardise": "none", "mean_unit": "points"}  # fmt: skip
    years: list[dict[str, Any]] = [{**usual, "year": year} for year in range(2019, 2023)]
    told = "An arrowhead marks an interval that runs beyond the panel."
    assert _told("trends", years) == ""
    assert (
        _told("trends", [*years, {**usual, "year": 2023, "conf_low": -60.0, "conf_high": 60.0}])
        == told
    )
    other = {**usual, "year": 2023, "conf_low": -60.0, "conf_high": 60.0, "outcome": "days"}
    assert _told("trends", [*years, {**other, "mean_unit": "days"}]) == ""  # it has its own axis


def test_effects_speak_of_arrowheads_only_where_an_interval_has_no_end() -> None:
    row = {"outcome": "maths", "units_label": "SD", "n_schools": 40, "estimator": "multilevel",
           "conf_low": -0.1, "conf_high": 0.2}  # fmt: skip
    assert _told("effects", [row]) == ""
    assert _told("effects", [row, {**row, "conf_high": float("inf")}]) == (
        "An arrowhead marks an interval without an end on that side."
    )


def test_averages_over_schools_and_people_are_told_apart_only_where_both_are_drawn() -> None:
    row = {"outcome": "maths", "units_label": "SD", "n_schools": 40, "estimator": "multilevel",
           "conf_low": -0.1, "conf_high": 0.2}  # fmt: skip
    assert _told("effects", [row]) == ""
    other = {**row, "estimator": "cluster_robust"}
    assert "least squares over pupils or teachers" in _told("effects", [row, other])
    alone = [{**row, "n_schools": None}, {**other, "n_schools": None}]
    assert _told("effects", alone) == ""


def test_hollow_schools_are_explained_only_where_a_school_was_measured_once() -> None:
    before = {"outcome": "maths", "arm": "a", "school": "S1", "when": "before", "mean": 1.0,
              "standardise": "none"}  # fmt: skip
    after = {**before, "when": "after"}
    assert "Hollow" not in _told("school_means", [before, after])
    hollow = "Hollow marks are schools seen at one of the times."
    assert _told("school_means", [before, after, {**after, "school": "S2"}]).endswith(hollow)
    other = {**after, "outcome": "knowledge"}
    assert "Hollow" not in _told("school_means", [before, after, other])


def test_lines_of_schools_are_explained_only_where_an_outcome_was_measured_before() -> None:
    after = {"outcome": "maths", "arm": "a", "school": "S1", "when": "after", "mean": 1.0,
             "standardise": "none"}  # fmt: skip
    alone = _told("school_means", [after])
    assert "the thick line" not in alone
    assert "was not itself measured" in alone
    both = _told("school_means", [after, {**after, "when": "before"}])
    assert "the thick line" in both
    assert "was not itself measured" not in both


def test_the_signs_of_the_flow_are_explained_only_where_it_has_them() -> None:
    box = {"kind": "in", "text": "pupils", "n": 4}
    assert _told("flow", [box]) == ""
    assert _told("flow", [box, {**box, "kind": "lost"}]) == "− marks those lost."
    assert _told("flow", [{**box, "kind": "joined"}]) == "+ marks those that joined."


def test_a_ribbon_is_explained_only_where_it_stands_for_many_schools() -> None:
    def told(schools: int) -> str:
        return _told("school_means", [
            {"outcome": "maths", "arm": "a", "school": f"S{at}", "when": time, "mean": float(at),
             "standardise": "none"}
            for at in range(schools) for time in ("before", "after")
        ])  # fmt: skip

    assert "ribbon" not in told(CROWD)
    assert f"more than {CROWD} schools seen at both times, a ribbon" in told(CROWD + 1)
    assert f"choice of {SHOWN};" in told(CROWD + 1)
