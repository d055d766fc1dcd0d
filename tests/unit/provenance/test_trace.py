"""Claims about the way from a file to what made it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from schooltrial.provenance.code_inputs import imported_names
from schooltrial.provenance.rule_files import read_rules
from schooltrial.provenance.trace import Trace, _entry, trace_file
from schooltrial.refusal import UserError
from support.small_trial import ROOT

NOWHERE = Path("nowhere")


def _trace(path: str, estimator: str | None = None) -> Trace:
    return trace_file(path, ROOT, lambda study, model: estimator, NOWHERE)


@pytest.mark.parametrize(
    ("path", "rule", "nearest", "test"),
    [
        ("checks/attrition.csv", "check_attrition", "checks/attrition/rates.py",
         "tests/unit/checks/attrition/test_rates.py"),
        ("figures/flow.svg", "draw_flow", "exhibits/figures/flow.py",
         "tests/unit/exhibits/figures/test_flow.py"),
        ("figures/flow.csv", "draw_flow", "exhibits/figures/flow.py",
         "tests/unit/exhibits/figures/test_flow.py"),
        ("tables/results.html", "tabulate_results", "exhibits/tables/results.py", None),
        ("report/report.html", "write_report", "report/findings/headlines.py",
         "tests/unit/report/findings/test_headlines.py"),
        ("data/sample.parquet", "clean_sample", "data/sample/build.py",
         "tests/unit/data/sample/test_build.py"),
        ("checks/assignment_drawn.txt", "draw_assignment", "randomisation/record.py",
         "tests/rules/test_draw_assignment.py"),
    ],
)  # fmt: skip
def test_each_kind_of_file_is_traced_to_rule_near_modules_and_their_tests(
    path: str, rule: str, nearest: str, test: str | None
) -> None:
    found = _trace(f"results/x/{path}")
    assert (found.rule, found.script) == (rule, f"workflow/scripts/{rule}.py")
    assert f"src/schooltrial/{nearest}" in found.modules[: found.near]
    assert test is None or test in found.tests


@pytest.mark.parametrize("estimator", ["multilevel", "wild_bootstrap", "staggered_adoption"])
def test_a_models_rows_are_traced_to_the_estimators_door_then_to_its_model(estimator: str) -> None:
    found = _trace("results/x/estimates/models/m.csv", estimator)
    assert found.rule == f"fit_{estimator}"
    assert found.modules[0] == f"src/schooltrial/analysis/estimators/{estimator}.py"
    assert "/models/" in found.modules[1]
    assert f"tests/unit/analysis/estimators/test_{estimator}.py" in found.tests


def test_what_every_file_of_every_rule_names_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines that import are found once a text here, and not for each rule again."""
    known = "schooltrial.provenance.trace.imported_names"
    monkeypatch.setattr(known, cache(imported_names))
    for rule in read_rules(ROOT):
        for pattern in rule.outputs[:1]:
            path = pattern.replace("{study}", "x").replace("{model}", "m")
            found = _trace(path, rule.name.removeprefix("fit_"))
            if found.rule != rule.name:
                continue  # another rule asks for what draw_assignment writes
            assert (ROOT / found.rule_file).is_file()
            for file in (found.script, *found.modules, *found.tests):
                assert (ROOT / file).is_file(), file


def test_the_adapter_that_calls_every_script_is_behind_no_number() -> None:
    found = _trace("results/x/estimates/estimates.csv")
    assert found.rule == "gather_estimates"
    assert not [path for path in found.modules if "/pipeline/" in path]


def test_a_path_that_no_rule_writes_is_told_with_the_nearest_that_one_does() -> None:
    with pytest.raises(UserError, match=r"nearest that one writes is results/x/checks/flow\.csv"):
        _trace("results/x/checks/flows.csv")


def test_a_model_that_the_study_has_not_is_told() -> None:
    with pytest.raises(UserError, match="the study x has no model 'm'"):
        _trace("results/x/estimates/models/m.csv")


def test_of_a_path_like_none_that_a_rule_writes_no_nearest_is_told() -> None:
    with pytest.raises(UserError, match=r"no rule writes README\.md; give a file below results/"):
        _trace("README.md")
    with pytest.raises(UserError, match=r"give a file below results/x/ that one does$"):
        _trace("results/x/zzz")


def test_modules_of_models_are_named_with_the_function_taken_and_who_computes() -> None:
    found = _trace("results/x/estimates/models/m.csv", "complier_effect")
    model = "src/schooltrial/models/complier_effect/two_stage_least_squares.py"
    assert model in found.modules[: found.near]
    lines = (ROOT / model).read_text("utf-8").splitlines()
    at = 1 + next(n for n, line in enumerate(lines) if line.startswith("def fit_instrument("))
    assert f":{at} fit_instrument" in found.entries[model]
    computed = "from linearmodels.panel import PanelOLS\n\n\ndef fit_panel(x):\n"
    assert _entry("a.py", ["fit_panel"], computed) == "a.py:4 fit_panel, computed by linearmodels"
    staggered = _trace("results/x/estimates/models/m.csv", "staggered_adoption")
    assert "models/panel/staggered_adoption.py" in str(staggered)
    multilevel = _trace("results/x/estimates/models/m.csv", "multilevel")
    assert "models/reml/profile_likelihood.py" in str(multilevel)


def test_tests_are_those_that_import_what_computed_whatever_folder_they_lie_in() -> None:
    reference = "tests/reference/"
    did = _trace("results/x/estimates/models/m.csv", "difference_in_differences").tests
    assert f"{reference}panel/test_against_fixest.py" in did
    assert f"{reference}panel/test_against_did.py" not in did
    attrition = _trace("results/x/checks/attrition.csv").tests
    assert f"{reference}missing_outcomes/test_against_leebounds.py" in attrition
    assert "tests/published/test_mdes_table.py" in _trace("results/x/checks/power.csv").tests


def test_estimates_that_are_held_against_print_have_that_test() -> None:
    printed = "tests/published/test_achievement_awards.py"
    rows = "results/achievement_awards/estimates/models/{}.csv"
    assert printed in _trace(rows.format("published_effect"), "cluster_robust").tests
    assert printed not in _trace(rows.format("did"), "difference_in_differences").tests
