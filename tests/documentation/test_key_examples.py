"""Every key of a protocol has an example on the page of keys, and the key accepts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from schooltrial.protocol.form.json_schema import Validator
from schooltrial.protocol.form.strict_yaml import parse_yaml
from support.small_trial import ROOT, schema
from support.workflow_tool import workflow_tool

TOOL = workflow_tool("write_documentation")
PAGE = (ROOT / "config" / "README.md").read_text("utf-8")


def _keys(node: Mapping[str, Any], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each key at or below a part of the schema, with its place."""
    for below in (node, node.get("items", {})):
        for key, child in below.get("properties", {}).items():
            yield f"{place}{key}", child
            yield from _keys(child, f"{place}{key}.")
        others = below.get("additionalProperties")
        if isinstance(others, dict):
            yield from _keys(others, f"{place}*.")


def _is_section(node: Mapping[str, Any]) -> bool:
    """Return whether a key holds keys, whose examples show what it looks like."""
    return any(list(_keys(part, "")) for part in (node, node.get("items", {})))


KEYS = [
    *_keys(schema(), ""),
    *(key for name, part in schema()["$defs"].items() for key in _keys(part, f"{name}: ")),
]


def test_all_keys_are_found() -> None:
    assert len(KEYS) > 300
    some = {"study.seed", "design.arms.name", "models.*.where", "column: codes"}
    assert some <= dict(KEYS).keys()


@pytest.mark.parametrize(("place", "node"), KEYS, ids=[place for place, _ in KEYS])
def test_a_key_has_an_example_that_it_accepts_and_that_the_page_shows(
    place: str, node: Mapping[str, Any]
) -> None:
    name = place.split(": ")[-1].split(".")[-1]
    example = TOOL.example_of(name, node)
    assert example or _is_section(node), "add `examples` to the key in schema.yaml"
    if not example:
        return
    value = parse_yaml(example)[name]
    whole = {**node, "$defs": schema()["$defs"]}
    assert list(Validator(whole).iter_errors(value)) == []
    assert value != node.get("default", ...), "an example says more than the default"
    assert f"Example: `{example}`." in PAGE


def test_an_example_that_a_key_does_not_accept_would_be_found() -> None:
    assert list(Validator({"type": "integer", "minimum": 1}).iter_errors(0)) != []
    assert TOOL.example_of("joiners", {"enum": ["keep", "drop"], "default": "keep"}) == (
        "joiners: drop"
    )
    assert TOOL.example_of("pad", {"type": "boolean", "default": True}) == "pad: false"
    assert TOOL.example_of("cleaning", {"type": "object", "properties": {}}) == ""
