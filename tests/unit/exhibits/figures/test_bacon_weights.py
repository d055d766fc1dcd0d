"""Comparisons behind two-way effects as drawn: by weight and kind, forbidden ones apart."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.exhibits.figures.bacon_weights import KINDS, bacon_weights_plot, drawn
from schooltrial.models.cohort_regressions.goodman_bacon import ALREADY, FORBIDDEN, NEVER, NOT_YET
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import labelled, legend_words, points, words

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
OUTCOMES: Any = {
    "maths": {"label": "Maths", "units_label": "SD", "primary": True},
    "ela": {"label": "English", "units_label": "SD", "primary": False},
}
MODELS: Any = {"did": {"label": "Two-way"}, "cs": {"label": "Cohorts"}, "did__north": {"label": ""}}
ROWS = pd.DataFrame(
    [
        ["did", "maths", NEVER, 2016, 0, 4.0, 0.5],
        ["did", "maths", NOT_YET, 2016, 2017, 3.0, 0.25],
        ["did", "maths", ALREADY, 2017, 2016, -1.0, 0.25],
    ],
    columns=["model", "outcome", "kind", "treated_cohort", "compared_cohort", "estimate", "weight"],
)


def test_the_two_way_effect_is_the_weighted_mean_and_the_forbidden_share_is_told() -> None:
    data = drawn(ROWS, MODELS, OUTCOMES)
    assert data["two_way"].tolist() == [2.5, 2.5, 2.5]
    assert data["share_forbidden"].tolist() == [0.25, 0.25, 0.25]
    (panel,) = bacon_weights_plot(data, STUDY).axes
    assert "of forbidden comparisons: 25.0%" in panel.get_xlabel()
    assert {y for _, y in points(labelled(panel, "two-way effect, each school alike"))} == {2.5}


def test_each_kind_has_its_colour_and_shape_at_its_weights_and_estimates() -> None:
    (panel,) = bacon_weights_plot(drawn(ROWS, MODELS, OUTCOMES), STUDY).axes
    assert points(labelled(panel, f"compared with {NEVER}")) == [(0.5, 4.0)]
    assert points(labelled(panel, f"compared with {ALREADY} (forbidden)")) == [(0.25, -1.0)]
    assert len({marker for marker, _ in KINDS.values()}) == len(KINDS)
    assert len({colour for _, colour in KINDS.values()}) == len(KINDS)
    assert set(FORBIDDEN) < set(KINDS)


def test_models_of_the_same_schools_are_drawn_once_and_no_subgroup_or_other_outcome() -> None:
    copies = [ROWS.assign(model="cs"), ROWS.assign(model="did__north"), ROWS.assign(outcome="ela")]
    data = drawn(pd.concat([ROWS, *copies]), MODELS, OUTCOMES)
    assert len(data) == 3
    (panel,) = bacon_weights_plot(data, STUDY).axes
    assert panel.get_title(loc="left") == "Maths"


def test_models_whose_comparisons_differ_have_a_panel_each_that_names_them() -> None:
    other = ROWS.assign(model="cs", estimate=ROWS["estimate"] + 1)
    figure = bacon_weights_plot(drawn(pd.concat([ROWS, other]), MODELS, OUTCOMES), STUDY)
    assert [panel.get_title(loc="left") for panel in figure.axes] == [
        "Maths. Two-way", "Maths. Cohorts",
    ]  # fmt: skip
    assert len(legend_words(figure)) == 4


@pytest.mark.parametrize("rows", [ROWS[:0], ROWS.assign(kind="not available")])
def test_without_a_decomposition_the_figure_says_so(rows: pd.DataFrame) -> None:
    figure = bacon_weights_plot(drawn(rows, MODELS, OUTCOMES), STUDY)
    assert words(figure)[0].startswith("No two-way effect of a primary outcome could be decomposed")
