"""The annex on methods has the rule of each check whose number the report shows, and no other."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
import pytest

from schooltrial.document.blocks import Block, Equation
from schooltrial.protocol.reading import read_protocol
from schooltrial.report.evidence import Evidence
from schooltrial.report.methods.check_methods import CHECK_METHODS, check_method_blocks
from schooltrial.report.methods.model_methods import methods_section, references, told_in
from schooltrial.report.tables.parallel_trends import SHOWN
from support.small_trial import ROOT, schema

NO_ESTIMATES = pd.DataFrame({"term": [], "method": []}, dtype="object")

BALANCE = pd.DataFrame({
    "standardised_difference": [0.1], "wwc_measure": ["Hedges' g"], "adjusted_difference": [0.1],
})  # fmt: skip
OMNIBUS = pd.DataFrame({
    "rerandomisation_p_value": [0.4], "f_statistic": [1.2], "replications": [1000],
    "exact": [False],
})  # fmt: skip
POWER = pd.DataFrame({
    "mdes": [0.2], "target_power": [0.8], "alpha": [0.05], "method": ["closed form, two levels"],
})  # fmt: skip
ATTRITION = pd.DataFrame({"boundary_cautious": [0.06]})


def bounds(*approaches: str) -> pd.DataFrame:
    rows = [{"approach": one, "estimate": 0.1, "conf_low": 0.0, "conf_high": 0.2}
            for one in approaches]  # fmt: skip
    return pd.DataFrame(rows)


def evidence_of(
    name: str,
    checks: dict[str, pd.DataFrame],
    estimates: pd.DataFrame = NO_ESTIMATES,
    **design: Any,
) -> Evidence:
    """Return what is known of a study, its design changed."""
    content: Any = dict(read_protocol(ROOT / "config/studies" / f"{name}.yaml", schema()).content)
    content["design"] = {**content["design"], **design}
    empty: Any = {field.name: {} for field in dataclasses.fields(Evidence)}
    return Evidence(**{**empty, "protocol": content, "checks": checks, "estimates": estimates})


def text_of(evidence: Evidence) -> str:
    """Return all words of the annex on methods."""
    found: list[Block] = [*check_method_blocks(evidence)]
    return told_in(methods_section(evidence.protocol, {"schooltrial": "1"}, found).blocks)


def test_a_study_without_checks_has_no_method_of_one() -> None:
    assert not list(check_method_blocks(evidence_of("chicago_collaborative", {})))


def test_every_method_says_what_it_is_without_a_hole_and_cites_what_is_listed() -> None:
    rows = pd.DataFrame({"check": ["placebo cohort"], "setting": [999.0]})
    checks = {
        "balance": BALANCE, "balance_omnibus": OMNIBUS, "power": POWER, "parallel_trends": rows,
    }  # fmt: skip
    evidence = evidence_of("chicago_collaborative", checks)
    for method in CHECK_METHODS:
        words = method.words(evidence)
        assert words.endswith(".")
        assert "{" not in words
        cited = "(" in words and any(year in words for year in ("19", "20"))
        years = [part for part in words.replace(")", " ").split() if part[:2] in ("19", "20")]
        if cited and any(len(year) == 4 for year in years):
            assert references(words), words


@pytest.mark.parametrize(
    ("approach", "said", "equation"),
    [
        ("Lee bounds", "Lee’s bounds:", "q₁"),
        ("Horowitz-Manski bounds", "Horowitz and Manski’s bounds", "(b − a)"),
        ("response weights", "Response weights", "γ′x"),
    ],
)
def test_a_bound_has_its_rule_where_it_has_a_number(
    approach: str, said: str, equation: str
) -> None:
    there = evidence_of("chicago_collaborative", {"missing_outcomes": bounds(approach)})
    other = evidence_of("chicago_collaborative", {"missing_outcomes": bounds("complete cases")})
    assert said in text_of(there)
    assert said not in text_of(other)
    formulas = [one.formula for one in check_method_blocks(there) if isinstance(one, Equation)]
    assert any(equation in formula for formula in formulas)
    lacking = bounds(approach).assign(estimate=None, conf_low=None, conf_high=None)
    assert said not in text_of(evidence_of("chicago_collaborative", {"missing_outcomes": lacking}))


def test_pairs_are_called_pairs() -> None:
    told = text_of(evidence_of("teacher_led_learning", {"balance_omnibus": OMNIBUS}))
    assert "Blocks are pairs of schools." in told
    assert "within their block" in told


def test_a_design_without_blocks_speaks_of_none() -> None:
    evidence = evidence_of(
        "chicago_collaborative", {"balance": BALANCE, "balance_omnibus": OMNIBUS, "power": POWER},
        kind="complete",
    )  # fmt: skip
    content: Any = evidence.protocol
    listing = [
        {**part, "columns": {k: v for k, v in part["columns"].items() if k != "block"}}
        for part in content["tables"]["assignment"]
    ]
    content["tables"] = {**content["tables"], "assignment": listing}
    told = text_of(evidence)
    assert "V is the covariance of T" in told
    assert "block" not in told.lower()


def test_three_groups_have_an_indicator_each() -> None:
    arms = [{"name": name, "label": name, "share": None, "in_models": True}
            for name in ("control", "a", "b")]  # fmt: skip
    told = text_of(evidence_of("chicago_collaborative", {}, arms=arms))
    assert "Tₐ is 1 in intervention group a" in told
    assert "T is 1 in the intervention group" not in told


def test_a_lottery_of_teachers_speaks_of_teachers_and_not_of_schools_assigned() -> None:
    one_level = POWER.assign(method="closed form, one level")
    told = text_of(evidence_of("university_certificate", {"power": one_level,
                                                          "balance_omnibus": OMNIBUS}))  # fmt: skip
    assert "N teachers is in the intervention group" in told
    assert "assigned teachers" in told
    assert "Two levels" not in told
    assert "assigned schools" not in told


def test_yes_no_outcomes_are_linear_probabilities_and_have_the_cox_index() -> None:
    told = text_of(evidence_of("achievement_awards", {}))
    assert "linear probability" in told
    assert "Cox index" in told
    assert "linear probability" not in text_of(evidence_of("chicago_collaborative", {}))


def test_published_rates_have_no_rule_for_pupils() -> None:
    told = text_of(evidence_of("fellowship", {"attrition": ATTRITION}))
    assert "implied bias" in told.lower()
    for absent in ("Hedges", "Lee", "Complete cases", "intraclass", "improvement index"):
        assert absent not in told
    assert "minus comparison" in told
    assert "control" not in told.replace("controls", "")


def test_cohorts_have_the_rules_of_their_checks() -> None:
    weights = pd.DataFrame({"weight": [1.0]})
    estimates = pd.DataFrame({"term": ["treated[since=0]"], "method": ["x"]})
    told = text_of(evidence_of("fellowship", {"goodman_bacon": weights}, estimates))
    assert "Goodman-Bacon weights" in told
    assert "years since the programme began" in told
    assert "Event study by calendar year" not in told
    assert "Goodman-Bacon" not in text_of(evidence_of("fellowship", {}))


def test_weights_of_a_model_are_named() -> None:
    evidence = evidence_of("chicago_collaborative", {})
    content: Any = evidence.protocol
    models = dict(content["models"])
    models["itt_multilevel"] = {**models["itt_multilevel"], "estimator": "cluster_robust",
                                "weights": "n_pupils"}  # fmt: skip
    content["models"] = models
    assert "Weights: number of pupils." in text_of(evidence)
    assert "Weights:" not in text_of(evidence_of("chicago_collaborative", {}))


@pytest.mark.parametrize(
    "approach",
    ["complete cases", "complete cases, adjusted", "response weights", "Lee bounds",
     "Lee bounds by block", "Horowitz-Manski bounds"],
)  # fmt: skip
def test_every_approach_to_missing_outcomes_has_a_rule_of_its_own(approach: str) -> None:
    there = evidence_of("chicago_collaborative", {"missing_outcomes": bounds(approach)})
    assert {one.title for one in CHECK_METHODS if one.used(there)} == {"Missing outcomes"}


@pytest.mark.parametrize("check", [one for one in SHOWN if one != "as fitted"])
def test_every_check_of_parallel_trends_that_is_shown_has_a_rule(check: str) -> None:
    rows = pd.DataFrame({
        "check": [check], "setting": ["1"], "estimate": 0.1, "conf_low": 0.0, "conf_high": 0.2,
    })  # fmt: skip
    there = evidence_of("fellowship", {"parallel_trends": rows})
    assert len([one for one in CHECK_METHODS if one.used(there)]) == 1


def test_costs_and_fidelity_have_their_rules_where_they_were_recorded() -> None:
    checks = {
        "costs": pd.DataFrame({"per_pupil_year": [50.0]}),
        "fidelity": pd.DataFrame({"share_met": [0.9]}),
    }  # fmt: skip
    told = text_of(evidence_of("chicago_collaborative", checks))
    assert "Cost per pupil per year:" in told
    assert "Fidelity:" in told
    assert "Cost per pupil" not in text_of(evidence_of("chicago_collaborative", {}))
