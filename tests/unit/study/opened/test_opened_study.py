"""Claims about what an opened study gives an analyst."""

from __future__ import annotations

import os

import pandas as pd
import pytest

from schooltrial.refusal import UserError
from schooltrial.study.opened.opened_study import OpenedStudy


def test_tables_are_those_that_the_rules_wrote(opened: OpenedStudy) -> None:
    pd.testing.assert_frame_equal(opened.estimates, pd.read_csv(opened.paths.estimates))
    pd.testing.assert_frame_equal(opened.flow, pd.read_csv(opened.paths.check("flow.csv")))
    assert list(opened.checks) == ["flow", "mobility", "plan_first", "raw_files"]
    assert "flow" in opened.checks
    assert opened.labels["girl"] == "Girl"
    assert opened.models["itt"]["covariates"] == ["girl"]


def test_an_unknown_check_is_told_with_the_closest_one(opened: OpenedStudy) -> None:
    with pytest.raises(UserError, match="no check 'flows'; did you mean 'flow'"):
        opened.checks["flows"]


def test_a_sample_is_cut_by_year_and_to_those_that_have_the_outcome(opened: OpenedStudy) -> None:
    whole = opened.sample("pupil")
    cut = opened.sample("pupil", year=2020, outcome="maths")
    assert len(cut) == (whole["year"].eq(2020) & whole["maths"].notna()).sum()
    assert cut.index.tolist() == list(range(len(cut)))


def test_those_complete_for_a_model_are_as_many_as_its_row_counts(opened: OpenedStudy) -> None:
    rows = opened.sample(complete_for="itt", outcome="reading")
    counted = opened.estimates.query("model == 'itt' and outcome == 'reading'")["n_individuals"]
    assert [len(rows)] == counted.tolist()


def test_the_panel_has_an_outcomes_means_in_the_column_of_its_name(opened: OpenedStudy) -> None:
    panel = opened.sample("school", outcome="reading", year=2020)
    pupils = opened.sample("pupil", outcome="reading", year=2020)
    assert panel.set_index("school")["reading"].to_dict() == pytest.approx(
        pupils.groupby("school")["reading"].mean().to_dict()
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"level": "pupils"}, "no level 'pupils'; did you mean 'pupil'"),
        ({"outcome": "math"}, "no outcome 'math'; did you mean 'maths'"),
        ({"year": 2021}, "no year '2021'"),
        ({"complete_for": "it"}, "no model 'it'; did you mean 'itt'"),
        ({"complete_for": "itt"}, "itt has the outcomes maths, reading: name one"),
    ],
)
def test_what_is_not_known_is_told(
    opened: OpenedStudy, asked: dict[str, object], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        opened.sample(**asked)  # type: ignore[arg-type]


def test_it_says_where_it_is_and_which_models_it_has(opened: OpenedStudy) -> None:
    told, root = repr(opened), str(opened.paths.root)
    assert "A small trial (small)" in told
    assert any(f"results in {path}" in told for path in (os.path.relpath(root), root))
    assert "itt: cluster_robust, primary, of maths, reading" in told


def test_a_file_is_traced_to_its_rule_and_a_model_to_its_estimator(opened: OpenedStudy) -> None:
    assert opened.trace("checks/flow.csv").rule == "clean_sample"
    assert opened.trace("estimates/estimates.csv", model="redrawn").modules[0] == (
        "src/schooltrial/analysis/estimators/randomisation_inference.py"
    )
    assert {name: one.rule for name, one in opened.traces()} == {
        name: f"fit_{model['estimator']}" for name, model in opened.models.items()
    }


def test_a_trace_says_what_the_rule_read_and_the_checksum_of_the_file(opened: OpenedStudy) -> None:
    import hashlib

    found = opened.trace("estimates/models/itt.csv")
    assert found.inputs == ("results/small/data/sample.parquet",)
    content = opened.paths.estimates_of("itt").read_bytes()
    assert found.sha256 == hashlib.sha256(content).hexdigest()


def test_a_model_that_is_not_planned_is_told_with_the_nearest(opened: OpenedStudy) -> None:
    with pytest.raises(UserError, match=r"no model 'bootstrp'; did you mean 'bootstrap'\? known"):
        opened.models["bootstrp"]


def test_what_a_trace_reads_is_paths_with_every_model_filled_in(opened: OpenedStudy) -> None:
    reads = opened.trace("estimates/estimates.csv").inputs
    assert any(path.endswith("/models/bootstrap.csv") for path in reads)
    assert all("/" in path and "{" not in path for path in reads)
