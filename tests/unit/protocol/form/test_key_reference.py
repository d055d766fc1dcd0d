"""Each key of the protocol is explained where the user asks: in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from schooltrial.protocol.form.key_reference import key_lines
from schooltrial.refusal import UserError
from support.small_trial import schema

SCHEMA = schema()


def _paths(node: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the path of each key that the schema lists, as far as it lists keys in place."""
    for key, child in node.get("properties", {}).items():
        below = f"{path}.{key}" if path else key
        yield below
        yield from _paths(child, below)
        for inner in (child.get("items"), child.get("additionalProperties")):
            if isinstance(inner, Mapping):
                yield from _paths(inner, below)


@pytest.mark.parametrize("path", sorted(set(_paths(SCHEMA))))
def test_each_key_of_the_schema_is_explained(path: str) -> None:
    first, *_ = key_lines(SCHEMA, path)
    assert first.startswith(f"{path}: ")
    assert len(first) > len(path) + 10


def test_without_a_key_the_sections_are_listed_and_those_that_are_required_say_so() -> None:
    told = "\n".join(key_lines(SCHEMA))
    assert "study (required): " in told
    assert "balance: " in told


def test_values_default_and_example_are_given() -> None:
    told = key_lines(SCHEMA, "outcomes.standardise")
    assert "  One of: none, control, control_at_baseline, all, norms." in told
    assert "  Default: none." in told
    assert any(line.startswith("  Example: ") for line in key_lines(SCHEMA, "design.kind"))


def test_names_of_the_user_and_places_in_a_list_may_be_in_the_path() -> None:
    named = key_lines(SCHEMA, "models.itt.covariates")
    assert named[1:] == key_lines(SCHEMA, "models.covariates")[1:]
    assert key_lines(SCHEMA, "tables.pupils.0.columns.pupil.column")


def test_a_misspelt_key_is_answered_with_the_one_that_was_probably_meant() -> None:
    with pytest.raises(UserError, match="did you mean 'design'"):
        key_lines(SCHEMA, "desing.kind")


def test_what_is_no_key_is_answered_with_the_keys_there_are_and_no_far_fetched_one() -> None:
    for word in ("contact", "authors", "report"):
        with pytest.raises(UserError, match=f"there is no key '{word}'. The sections") as told:
            key_lines(SCHEMA, word)
        assert "registration, " in str(told.value)
        assert "did you mean" not in str(told.value)


@pytest.mark.parametrize("path", sorted(_paths(SCHEMA)))
def test_an_explanation_names_no_command_or_page_that_a_user_of_the_command_lacks(
    path: str,
) -> None:
    told = "\n".join(key_lines(SCHEMA, path))
    assert "`make " not in told
    assert "docs/" not in told


def test_a_key_of_another_section_is_told_with_its_place() -> None:
    with pytest.raises(UserError) as error:
        key_lines(schema(), "design.covariates")
    assert str(error.value) == (
        "no key 'design.covariates'; 'covariates' is a key of models: "
        "schooltrial help models.covariates"
    )
