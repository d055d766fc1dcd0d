"""The page of methods says what the code does: its estimators, defaults and comparisons."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.small_trial import ROOT, schema

PAGE = (ROOT / "docs" / "methods.md").read_text("utf-8")
DEFAULTS = re.findall(r"^\| `(\w+\.\w+)` \| `([^`]+)` \|", PAGE, re.M)
COMPARED = {
    name
    for row in re.findall(r"^\| (?:R|Python) ([^|]+?) \|", PAGE, re.M)
    for name in re.split(r",| on | profile | missing ", row.replace("`", ""))
}
NO_PACKAGE = {"a variance at zero", "schools", "cells", "intervals", "lme4 refit"}


def _model() -> dict[str, Any]:
    found: dict[str, Any] = schema()["properties"]["models"]["additionalProperties"]["properties"]
    return found


def _key(place: str) -> dict[str, Any]:
    section, name = place.split(".")
    keys = _model() if section == "models" else schema()["properties"][section]["properties"]
    found: dict[str, Any] = keys[name]
    return found


@pytest.mark.parametrize("estimator", _model()["estimator"]["enum"])
def test_every_estimator_has_its_place_on_the_page(estimator: str) -> None:
    heads = re.findall(r"^## .*$", PAGE, re.M)
    assert [head for head in heads if f"`{estimator}`" in head]


@pytest.mark.parametrize(("key", "value"), DEFAULTS)
def test_a_default_on_the_page_is_that_of_the_schema(key: str, value: str) -> None:
    default = _key(key)["default"]
    assert value == str(default[0] if isinstance(default, list) else default)


def test_software_that_results_are_said_to_equal_is_compared_by_a_test() -> None:
    tests = "".join(
        path.read_text("utf-8") for path in sorted((ROOT / "tests" / "reference").rglob("*.py"))
    )
    named = {name.strip() for name in COMPARED} - NO_PACKAGE
    assert len(named) > 10
    assert [name for name in sorted(named) if name.lower() not in tests.lower()] == []
