"""A rule passes the sections of the protocol that its script asks for, and no other."""

from __future__ import annotations

import re
from importlib import import_module
from typing import get_type_hints

import pytest

from support.small_trial import ROOT

PASSED = re.compile(r"^rule (\w+):(?:(?!^rule ).)*?protocol=(?:\w+|LOOK)(?:\.sections)?\((.*?)\)",
                    flags=re.M | re.S)  # fmt: skip
SECTIONS = {
    rule: set(re.findall(r'"(\w+)"', names))
    for file in sorted((ROOT / "workflow" / "rules").glob("*.smk"))
    for rule, names in PASSED.findall(file.read_text("utf-8"))
    if '"' in names
}


def test_the_rules_that_pass_sections_are_found() -> None:
    named = {"check_assignment", "check_attrition", "check_balance", "check_flow", "check_power"}
    assert {"clean_sample", *named} == set(SECTIONS)


@pytest.mark.parametrize("rule", sorted(SECTIONS))
def test_a_rule_passes_just_the_sections_that_its_script_names(rule: str) -> None:
    script = import_module(rule)
    asked = get_type_hints(script.main)["protocol"]
    assert SECTIONS[rule] == set(get_type_hints(asked))
