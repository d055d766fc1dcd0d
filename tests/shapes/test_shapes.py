"""Every shape of study × every rule: each ends in a report that is right, or in one refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.page_links import exhibits_without_ways
from support.rules_in_process import StudyRun
from support.shapes.claims import (
    empty_captions,
    estimates_without_reason,
    figures_missing,
    schools_spoken_of,
    uncited_exhibits,
    values_without_words,
)
from support.shapes.ending import Ending, run_to_end
from support.shapes.registry import find_shapes
from support.shapes.shape import Shape
from support.shapes.years import BLIND

SHAPES = find_shapes()
QUICK = ("three_arms_unlike", "published_rates_alone", "pupils_on_their_own")
"""Schools, rates of schools, and pupils: quick tests; the others run with `make test-trials`."""
REPORTED = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name, shape in SHAPES.items()
    if not shape.refused
]
REFUSED = [name for name, shape in SHAPES.items() if shape.refused]


@pytest.fixture(scope="module", params=REPORTED)
def shape(request: pytest.FixtureRequest) -> Shape:
    return SHAPES[request.param]


@pytest.fixture(scope="module")
def ending(shape: Shape, tmp_path_factory: pytest.TempPathFactory) -> Ending:
    folder = tmp_path_factory.mktemp(shape.name)
    return run_to_end(shape, folder, caught=True)


@pytest.fixture
def reported(ending: Ending) -> Ending:
    if ending.results is None:
        pytest.skip("the study has no report, as another test says")
    return ending


def test_every_rule_ends_in_a_report(ending: Ending) -> None:
    assert ending.results is not None, ending.refusal


def test_no_page_and_no_figure_shows_what_a_program_writes_for_no_value(reported: Ending) -> None:
    assert not values_without_words(reported)


def test_every_caption_has_words(reported: Ending) -> None:
    assert not empty_captions(reported)


def test_the_text_of_the_report_cites_each_of_its_exhibits(reported: Ending) -> None:
    assert reported.results is not None
    assert uncited_exhibits(reported.results / "report/report.html") == []


def test_each_exhibit_of_each_page_leads_to_its_data_and_to_the_step_that_wrote_them(
    reported: Ending,
) -> None:
    assert reported.results is not None
    pages = sorted((reported.results / "report").glob("*.html"))
    assert len(pages) > 2
    assert [one for page in pages for one in exhibits_without_ways(page)] == []


def test_every_figure_and_table_of_the_study_is_made_and_shown(reported: Ending) -> None:
    assert not figures_missing(reported)


def test_every_estimate_is_finite_or_has_a_note(reported: Ending) -> None:
    assert not estimates_without_reason(reported)


def test_where_there_are_no_schools_nothing_speaks_of_them(reported: Ending) -> None:
    assert not schools_spoken_of(reported)


def test_the_results_are_the_right_ones(shape: Shape, reported: Ending) -> None:
    assert shape.right is not None, f"{shape.name} says of nothing that it is right"
    assert reported.results is not None
    shape.right(reported.results)


def test_a_trial_whose_years_of_outcomes_are_to_come_is_monitored(tmp_path: Path) -> None:
    run = StudyRun(BLIND.write(tmp_path / "study"), tmp_path / "work")
    run.make("report/monitoring.html")
    assert "Control" in (run.results / "report" / "monitoring.html").read_text("utf-8")


@pytest.mark.parametrize("name", REFUSED)
def test_a_shape_in_which_nothing_can_be_estimated_is_refused_once_with_all_faults(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ending = run_to_end(SHAPES[name], tmp_path_factory.mktemp(name))
    assert ending.results is None
    for words in SHAPES[name].refused:
        assert words in ending.refusal, ending.refusal
