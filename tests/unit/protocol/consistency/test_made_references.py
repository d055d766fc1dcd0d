"""Variables and outcomes made of others are refused where they have no sense, with the remedy."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from schooltrial.protocol.consistency.references import reference_faults
from schooltrial.protocol.content.made_variables import roots, with_components
from schooltrial.protocol.form.schema_validation import schema_faults
from schooltrial.protocol.form.strict_yaml import parse_yaml
from support.sections import completed, section
from support.small_trial import PROTOCOL, schema
from support.standard_study import outcome


def _faults(part: str, **declared: dict[str, Any]) -> list[str]:
    content = copy.deepcopy(parse_yaml(PROTOCOL))
    content[part] |= declared
    shape = [str(fault) for fault in schema_faults(content, schema(), "trial.yaml")]
    if shape:
        return shape
    return [str(fault) for fault in reference_faults(completed(content), "trial.yaml")]


@pytest.mark.parametrize(
    "declared",
    [
        {"share": {"from": ["days_present", "days_enrolled"], "as": "ratio"}},
        {"age": {"from": "grade", "as": "power", "exponent": 2}},
        {"rank": {"from": "grade", "as": "percentile_rank", "within": ["sex"]}},
        {"later": {"from": ["year", "grade"], "as": "difference"},
         "old": {"where": {"later": {"at_least": 2015}, "girl": [1]}}},
        {"unknown": {"from": ["sex", "grade"], "as": "is_missing"}},
        {"low": {"from": "maths_before", "at_least": 0}},
    ],
)  # fmt: skip
def test_variables_that_have_sense_are_taken(declared: dict[str, Any]) -> None:
    assert _faults("variables", **declared) == []


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"from": "grade"}, "exactly one of at_least, equals, where, as"),
        ({"from": "grade", "as": "sum", "at_least": 3}, "exactly one of"),
        ({"from": "grade", "as": "root"}, "one of sum, mean"),
        ({"as": "sum"}, "Add `from: <variable>`"),
        ({"from": "grade", "where": {"grade": [3]}}, "Remove `from`"),
        ({"from": ["grade"], "as": "ratio"}, "Write `from: [first, second]`"),
        ({"from": ["grade", "grade"], "as": "z_score"}, "Name one in `from`"),
        ({"from": "grade", "as": "power"}, "Add `exponent: 2`"),
        ({"from": "grade", "as": "z_score", "exponent": 2}, "Remove `exponent`"),
        ({"from": ["grade", "sex"], "as": "sum"}, "computes with 'sex'"),
        ({"from": ["grade", "grdae"], "as": "sum"}, "Did you mean 'grade'?"),
        ({"from": ["grade", "girl"], "as": "sum", "within": ["sex"]}, "Remove `within`"),
        ({"from": "grade", "as": "z_score", "within": ["sx"]}, "Did you mean 'sex'?"),
        ({"from": ["grade", "new"], "as": "sum"}, "declared here itself"),
        ({"where": {"grade": {"at_least": "high"}}}, "without quotes"),
    ],
)  # fmt: skip
def test_a_variable_without_sense_is_refused(rule: dict[str, Any], told: str) -> None:
    faults = _faults("variables", new=rule)
    assert any(told in fault for fault in faults), faults


def test_a_variable_is_not_made_of_one_declared_below_it() -> None:
    faults = _faults(
        "variables",
        first={"from": ["second", "grade"], "as": "sum"},
        second={"from": "grade", "as": "z_score"},
    )
    assert any("Move 'second' above 'first'" in fault for fault in faults), faults


def test_a_variable_does_not_bear_the_name_of_one_that_is_read() -> None:
    faults = _faults("variables", grade={"from": "days_present", "at_least": 100})
    assert any("Rename it" in fault for fault in faults), faults


@pytest.mark.parametrize(
    "keys",
    [
        {"sum_of": ["maths", "reading"], "baseline_year": 2019},
        {"mean_of": ["days_present", "days_enrolled"]},
        {"gain_from": {"outcome": "maths", "year": 2019}},
        {"index_of": {"outcomes": ["maths", "reading"], "reverse": ["reading"]}},
        {"sum_of": ["maths"], "population": {"girl": [1]}, "outliers": {"beyond_sd": 3}},
        {"sum_of": ["maths"], "standardise": "control_at_baseline", "baseline_year": 2019},
    ],
)
def test_outcomes_that_have_sense_are_taken(keys: dict[str, Any]) -> None:
    assert _faults("outcomes", new={"label": "New", "family": "made", **keys}) == []


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"sum_of": ["maths"], "mean_of": ["maths"]}, "Declare an outcome for each"),
        ({"sum_of": ["mahts"]}, "Did you mean 'maths'?"),
        ({"sum_of": ["sex"]}, "computes with 'sex'"),
        ({"sum_of": ["new"]}, "is made from itself"),
        ({"sum_of": ["maths_before"]}, "uses maths_before"),
        ({"population": {"maths_before": {"at_least": 0}}}, "uses maths_before"),
        ({"population": {"gril": [1]}}, "Did you mean 'girl'?"),
        ({"index_of": {"outcomes": ["maths", "reading"], "reverse": ["attendance"]}},
         "no such part of this index"),
        ({"index_of": {"outcomes": ["maths"]}}, "outcomes"),
        ({"gain_from": {"outcome": "maths", "year": 2018}}, "the protocol has no such year"),
        ({"gain_from": {"outcome": "maths", "year": 2019}, "baseline_year": 2019},
         "add the covariate `maths_before`"),
        ({"standardise": "control_at_baseline"}, "Add `baseline_year: 2019`"),
        ({"sum_of": ["maths"], "measured_on": "teacher"}, "measured on pupils"),
        ({"sum_of": ["maths"], "measured_on": "school"}, "`tables.school_scores`"),
        ({"measured_on": "school", "population": {"district": ["north"]}},
         "Move the filter into `where`"),
        ({"outliers": {"beyond_sd": 3, "within": ["gradee"]}}, "Did you mean 'grade'?"),
    ],
)  # fmt: skip
def test_an_outcome_without_sense_is_refused(keys: dict[str, Any], told: str) -> None:
    faults = _faults("outcomes", new={"label": "New", "family": "made", **keys})
    assert any(told in fault for fault in faults), faults


def test_what_a_variable_is_made_of_in_the_end_is_what_is_read() -> None:
    variables = section(
        "variables",
        a={"from": ["x", "y"], "as": "sum"},
        b={"where": {"any_of": [{"a": {"above": 1}}, {"z": [1]}]}},
    )
    assert roots("b", variables) == {"x", "y", "z"}
    assert roots("x", variables) == {"x"}


def test_outcomes_come_after_those_that_they_are_made_of() -> None:
    every = {"c": outcome(sum_of=["b", "x"]), "b": outcome(mean_of=["a"]), "a": outcome(),
             "d": outcome()}  # fmt: skip
    assert list(with_components(["c"], every)) == ["a", "b", "c"]


@pytest.mark.parametrize("variable", ["maths_before", "low"])
def test_the_sample_is_not_kept_by_what_is_made_of_outcomes(variable: str) -> None:
    content = copy.deepcopy(parse_yaml(PROTOCOL))
    content["variables"]["low"] = {"from": "maths_before", "at_least": 0}
    content["sample"] = {"keep": {"any_of": [{variable: {"at_least": 0}}, {"girl": [1]}]}}
    faults = [str(fault) for fault in reference_faults(completed(content), "trial.yaml")]
    assert any("Move this entry into `where`" in fault for fault in faults), faults
