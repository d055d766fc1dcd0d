"""Claims about a model of a study: what was estimated, and the way to refit it."""

from __future__ import annotations

import pytest

from schooltrial.refusal import UserError
from schooltrial.study.opened.opened_study import OpenedStudy


def test_a_model_of_the_study_has_the_rows_of_the_table(opened: OpenedStudy) -> None:
    model = opened["itt"]
    rows = opened.estimates.query("model == 'itt'")
    assert model.params.tolist() == rows["estimate"].tolist()
    assert model.std_errors.loc[("maths", "treated")] == rows["std_error"].iloc[0]
    assert (
        model.conf_int().to_numpy().tolist() == rows[["conf_low", "conf_high"]].to_numpy().tolist()
    )
    assert len(model.to_frame()) == len(rows)


def test_a_study_lists_its_models_and_tells_the_nearest_of_a_wrong_name(
    opened: OpenedStudy,
) -> None:
    assert list(opened) == list(opened.models)
    with pytest.raises(UserError, match="no model 'it'; did you mean 'itt'"):
        _ = opened["it"]
    with pytest.raises(UserError, match="no outcome of itt 'math'; did you mean 'maths'"):
        _ = opened["itt"]["math"]


def test_a_model_is_refitted_in_a_line(opened: OpenedStudy) -> None:
    planned = opened["itt"]["maths"]
    assert planned.planned is True
    changed = opened["itt"].refit("maths", covariates=[])
    assert changed.changed == {"covariates": []}


def test_a_model_is_short_in_print_and_its_plot_names_the_outcome(opened: OpenedStudy) -> None:
    model = opened["itt"]
    assert len(repr(model).splitlines()) <= 12
    assert "cluster_robust" in repr(model)
    assert len(model.summary().splitlines()) >= len(model.rows)
    assert model.plot(["reading"]).words.startswith("reading: treated ")
    assert opened["multilevel"].plot().words.startswith("treated ")
