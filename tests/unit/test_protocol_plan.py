"""Claims about the record of the plan."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from schooltrial.protocol_plan import plan_sha256, plan_told, record, section_checksums
from schooltrial.protocol_validation import with_defaults
from schooltrial.protocol_yaml import parse_yaml
from small_trial import PROTOCOL, schema


@pytest.fixture
def content() -> dict[str, Any]:
    filled: dict[str, Any] = with_defaults(parse_yaml(PROTOCOL), schema(), schema())
    return filled


def test_the_order_of_keys_and_the_labels_do_not_change_the_plan(content: dict[str, Any]) -> None:
    before = section_checksums(content)
    content["outcomes"] = dict(reversed(content["outcomes"].items()))
    content["outcomes"]["maths"]["label"] = "Mathematics"
    content["models"]["itt"]["label"] = "Another name"
    content["design"]["arms"][0]["label"] = "Business as usual"
    content["notes"] = ["a note"]
    assert section_checksums(content) == before


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("models", "itt", "covariates"), []),
        (("outcomes", "maths", "primary"), False),
        (("design", "unit"), "teacher"),
        (("sample", "keep"), {"grade": [3]}),
        (("cleaning", "joiners"), "drop"),
    ],
)
def test_a_change_of_the_plan_changes_its_section_alone(
    content: dict[str, Any], path: tuple[str, ...], value: Any
) -> None:
    before = section_checksums(content)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    after = section_checksums(content)
    assert [name for name in before if before[name] != after[name]] == [path[0]]
    assert plan_sha256(before) != plan_sha256(after)


def test_the_first_record_is_kept_through_every_later_change(content: dict[str, Any]) -> None:
    first = record(None, content)
    assert first.changed == []
    content["models"]["itt"]["level"] = 0.9
    second = record(json.loads(json.dumps(asdict(first))), content)
    content["years"]["reference"] = 2019
    third = record(json.loads(json.dumps(asdict(second))), content)
    assert third.first == first.first
    assert third.changed == ["years", "models"]


def test_the_reader_is_told_whether_the_plan_is_the_registered_one(content: dict[str, Any]) -> None:
    found = record(None, content)
    whole = plan_sha256(found.now)
    assert "It is the plan that was registered." in plan_told(found, whole)
    assert any("NOT the plan" in line for line in plan_told(found, "0" * 64))
    assert any("no checksum" in line for line in plan_told(found, None))


def test_the_reader_is_told_which_sections_changed_after_outcomes_were_read(
    content: dict[str, Any],
) -> None:
    first = asdict(record(None, content))
    content["checks"]["alpha"] = 0.5
    assert plan_told(record(first, content), None)[-1].endswith("in: checks.")
