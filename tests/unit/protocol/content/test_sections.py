"""The types of a protocol's sections are those of the schema, key by key."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import (
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import pytest

from schooltrial.protocol.content.sections import Content, unlabelled
from schooltrial.protocol.content.variables import STANDARD_VARIABLES
from support.sections import small_content
from support.small_trial import schema

MAPPED = {"tables": "readings"}
"""Sections of the schema that list their names, where the type is of any name → the values."""

Pair = tuple[str, dict[str, Any], Any]


def _followed(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return {**schema()["$defs"][node["$ref"].rsplit("/", 1)[1]], **node}
    return node


def _alternatives(kind: Any) -> list[Any]:
    """Return the types that a union names, None left out."""
    if get_origin(kind) in (Union, types.UnionType):
        return [part for part in get_args(kind) if part is not type(None)]
    return [kind]


def _dict_of(kind: Any) -> Any:
    return next((one for one in _alternatives(kind) if is_typeddict(one)), None)


def _inside(place: str, node: dict[str, Any], kind: Any) -> Iterator[Pair]:
    """Yield every part of the schema with the type that it has, from the outside inwards."""
    node = _followed(node)
    yield place, node, kind
    named = _dict_of(kind)
    if place in MAPPED:
        node = {"additionalProperties": {"$ref": f"#/$defs/{MAPPED[place]}"}}
    if named is not None:
        hints = get_type_hints(named)
        for name, child in node.get("properties", {}).items():
            if name in hints:
                yield from _inside(f"{place}.{name}".lstrip("."), child, hints[name])
        return
    for one in _alternatives(kind):
        inner = get_args(one)
        if get_origin(one) is dict and isinstance(node.get("additionalProperties"), dict):
            yield from _inside(f"{place}.*", node["additionalProperties"], inner[1])
        elif get_origin(one) is list and isinstance(node.get("items"), dict):
            yield from _inside(f"{place}[]", node["items"], inner[0])


EVERY = list(_inside("", schema(), Content))
SECTIONS = [pair for pair in EVERY if "properties" in pair[1] and pair[0] not in MAPPED]
ENUMS = [pair for pair in EVERY if "enum" in pair[1]]


def test_the_walk_reaches_every_section_and_enumeration_of_the_schema() -> None:
    def count(node: Any, key: str) -> int:
        if isinstance(node, dict):
            return (key in node) + sum(count(part, key) for part in node.values())
        return sum(count(part, key) for part in node) if isinstance(node, list) else 0

    # Each stands in the schema at least once; what is referred to from several places is met at
    # each, so that the walk meets no fewer places than the schema has.
    assert len({id(node.get("enum")) for _, node, _ in ENUMS}) == count(schema(), "enum")
    sections = {id(node["properties"]) for _, node, _ in SECTIONS}
    assert len(sections) == count(schema(), "properties") - len(MAPPED)


@pytest.mark.parametrize(("place", "node", "kind"), SECTIONS, ids=[pair[0] for pair in SECTIONS])
def test_a_section_has_the_keys_of_its_type(place: str, node: dict[str, Any], kind: Any) -> None:
    named = _dict_of(kind)
    assert named is not None, place
    assert set(get_type_hints(named)) == set(node["properties"])


@pytest.mark.parametrize(("place", "node", "kind"), SECTIONS, ids=[pair[0] for pair in SECTIONS])
def test_a_key_may_be_absent_only_where_the_schema_neither_asks_for_it_nor_fills_it(
    place: str, node: dict[str, Any], kind: Any
) -> None:
    absent = {
        name
        for name, child in node["properties"].items()
        if name not in node.get("required", []) and "default" not in _followed(child)
    }
    hints = get_type_hints(_dict_of(kind), include_extras=True)
    assert absent == {n for n, hint in hints.items() if get_origin(hint) is NotRequired}, place


@pytest.mark.parametrize(("place", "node", "kind"), ENUMS, ids=[pair[0] for pair in ENUMS])
def test_an_enumeration_has_the_values_of_its_type(
    place: str, node: dict[str, Any], kind: Any
) -> None:
    values = {
        value
        for one in _alternatives(kind)
        for value in (get_args(one) if get_origin(one) is Literal else ())
    }
    null = {None} if type(None) in get_args(kind) else set()
    assert values | null == set(node["enum"]), place


def test_the_tables_of_the_schema_are_the_standard_ones() -> None:
    assert set(schema()["properties"]["tables"]["properties"]) == set(STANDARD_VARIABLES)


def test_what_rules_compute_from_holds_no_label_of_what_it_computes() -> None:
    content = small_content()
    plain = unlabelled(content)
    kept = {"primary", "scale", "range", "measured_on", "standardise", "baseline_year", "family"}
    assert kept <= set(plain["outcomes"]["maths"])
    assert not {"label", "units_label"} & set(plain["outcomes"]["maths"])
    for part in (
        plain["models"]["itt"], plain["variables"]["girl"], plain["years"], plain["take_up"],
        *plain["design"]["arms"],
    ):  # fmt: skip
        assert "label" not in part
    assert "block_label" not in plain["design"]
    assert plain["design"]["unit"] == "school"
    assert content == small_content()
