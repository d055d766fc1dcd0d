"""A key outside models that can do nothing is refused, with what would make it act."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from schooltrial.protocol.consistency.idle_sections import idle_section_faults
from schooltrial.protocol.form.strict_yaml import parse_yaml
from support.sections import completed
from support.small_trial import PROTOCOL


def small() -> dict[str, Any]:
    protocol: dict[str, Any] = copy.deepcopy(parse_yaml(PROTOCOL))
    return protocol


def faults(protocol: dict[str, Any]) -> list[str]:
    content = completed(copy.deepcopy(protocol))
    return [str(one) for one in idle_section_faults(content, protocol, "trial.yaml")]


def test_no_key_of_the_small_trial_is_idle() -> None:
    assert faults(small()) == []


@pytest.mark.parametrize(
    ("section", "given", "told"),
    [
        ("cleaning", {"assigned_on": "2019-09-01"}, "no column `entered`"),
        ("cleaning", {"future_dates": "missing"}, "`latest_date` is not given"),
        ("cleaning", {"merged_schools": "drop"}, "the table `crosswalk` is not read"),
        ("cleaning", {"mean_tolerance": 1}, "the table `published_means` is not read"),
        ("cleaning", {"match_at_least": {"observations": 0.9}},
         "the table `observations` is not read"),
        ("years", {"lasts": 2}, "no model compares cohorts"),
        ("years", {"lasts": {"2019": 2}}, "`years.programme` and `years.follow_up` give the"),
        ("take_up", {"label": "Took it"}, "`take_up.variable` is not given"),
        ("variable_labels", {"sexx": "Sex"}, "Did you mean 'sex'?"),
        ("subgroups", {"girls": {"label": "Girls", "where": {"sex": ["girl"]}}},
         "no model names it"),
        ("raw_folder", "raw", "a simulated study writes its own raw files"),
    ],
    ids=lambda one: str(one)[:40],
)  # fmt: skip
def test_a_key_that_lacks_what_it_acts_on_is_refused(section: str, given: Any, told: str) -> None:
    protocol = small()
    protocol[section] = {**protocol.get(section, {}), **given} if isinstance(given, dict) else given
    if section == "raw_folder":
        protocol["simulation"] = {"generator": "school_randomised", "parameters": {}}
    (fault,) = faults(protocol)
    assert told in fault
    assert f"key '{section}" in fault


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, None),
        ({"standardise": "none"}, "not in standard deviations"),
        ({"primary": False}, "the outcome is not primary"),
        ({"standardise": "none", "scale": "binary"}, "no meaning for a yes/no outcome"),
        ({"measured_on": "teacher"}, "no meaning for an outcome of teachers"),
    ],
)
def test_months_of_progress_are_for_primary_attainment_of_pupils_in_sds(
    given: dict[str, Any], told: str | None
) -> None:
    protocol = small()
    asked = {"standardise": "control", "primary": True, "months_of_progress": True}
    protocol["outcomes"]["maths"] = {**protocol["outcomes"]["maths"], **asked, **given}
    found = [one for one in faults(protocol) if "months_of_progress" in one]
    assert len(found) == (told is not None)
    assert told is None or told in found[0]


def test_grades_are_cleaned_where_they_are_read() -> None:
    protocol = small()
    protocol["cleaning"] = {"repeated_grade": "drop", "grade_out_of_step": "missing"}
    assert faults(protocol) == []
    for reading in protocol["tables"]["pupils"]:
        del reading["columns"]["grade"]
    assert len(faults(protocol)) == 2
    protocol["cleaning"] = {"repeated_grade": "keep", "merged_schools": "before"}
    assert faults(protocol) == []  # true of every study


def test_a_subgroup_acts_where_a_model_names_it() -> None:
    protocol = small()
    protocol["subgroups"] = {"girls": {"label": "Girls", "where": {"sex": ["girl"]}}}
    (fault,) = faults(protocol)
    assert "(`models: {itt: {subgroups: [girls]}}`)" in fault
    protocol["models"]["itt"]["subgroups"] = ["girls"]
    assert faults(protocol) == []


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"out_of_range": "refuse"}, "the outcome has no `range`"),
        ({"norms": [{"mean": 1, "sd": 1}]}, "have no effect with `standardise: none`"),
        ({"standardise": "norms"}, "Add `norms: [{mean: 100, sd: 15}]`"),
    ],
)
def test_keys_of_an_outcome_act_together(keys: dict[str, Any], told: str) -> None:
    protocol = small()
    protocol["outcomes"]["extra"] = {"label": "", "family": "", **keys}
    (fault,) = faults(protocol)
    assert told in fault


def test_a_reference_year_is_of_event_studies() -> None:
    protocol = small()
    protocol["years"]["reference"] = 2019
    event = any(m["estimator"] == "difference_in_differences" for m in protocol["models"].values())
    assert bool(faults(protocol)) == (not event)
    for model in protocol["models"].values():
        model["estimator"] = "cluster_robust"
    (fault,) = faults(protocol)
    assert "no model has an event study" in fault


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [
        ("list.csv", "sheet", "Data"), ("list.xlsx", "delimiter", ";"),
        ("list.dta", "encoding", "latin-1"), ("list.parquet", "sheet", "Data"),
    ],
)  # fmt: skip
def test_a_key_of_a_file_is_of_its_kind(file: str, key: str, value: str) -> None:
    protocol = small()
    protocol["tables"]["assignment"][0] |= {"file": file, key: value}
    (fault,) = faults(protocol)
    assert f"`tables.assignment.0.{key}` has no effect on '{file}'" in fault


def test_a_format_is_of_dates_and_what_is_between_parts_of_parts() -> None:
    protocol = small()
    protocol["tables"]["assignment"][0]["columns"]["arm"]["format"] = "YYYY"
    protocol["tables"]["assignment"][0]["columns"]["school"]["between"] = "-"
    told = faults(protocol)
    assert len(told) == 2
    assert "`format` of a date" in told[0] + told[1]
    assert "has no `parts`" in told[0] + told[1]


def test_balance_compares_those_who_are_in_a_table_by_their_own_variables() -> None:
    protocol = small()
    protocol["balance"] = {"teacher_variables": ["experience"]}
    (fault,) = faults(protocol)
    assert "`balance.teacher_variables` has no effect: the table `teachers` is not read" in fault
    protocol["outcomes"]["rate"] = {"label": "", "family": "", "measured_on": "school"}
    protocol["balance"] = {"pupil_variables": ["sex", "rate"]}
    (fault,) = faults(protocol)
    assert "names 'rate', an outcome of schools: no pupil has it" in fault
    assert "Move it to `balance.school_variables`" in fault
