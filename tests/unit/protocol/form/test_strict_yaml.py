"""YAML of protocols: every reading is its reader's own."""

from __future__ import annotations

from schooltrial.protocol.form.strict_yaml import parse_yaml


def test_what_one_reader_changes_no_other_sees() -> None:
    text = "a: {b: [1, 2]}"
    parse_yaml(text)["a"]["b"].append(3)
    assert parse_yaml(text) == {"a": {"b": [1, 2]}}
