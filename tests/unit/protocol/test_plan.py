"""Claims about the record of the plan."""

from pathlib import Path
from typing import Any

import pytest

from schooltrial.protocol.content.sections import Content
from schooltrial.protocol.plan import (
    PLAN,
    REASONS,
    WORDS,
    PlanRecord,
    first_plan,
    plan_sha256,
    plan_told,
    section_checksums,
)
from schooltrial.refusal import Refusal
from support.sections import small_content
from support.small_trial import schema


@pytest.fixture
def content() -> Content:
    return small_content()


def test_the_order_of_keys_and_the_labels_do_not_change_the_plan(content: Content) -> None:
    before = section_checksums(content)
    content["outcomes"] = dict(reversed(content["outcomes"].items()))
    content["outcomes"]["maths"]["label"] = "Mathematics"
    content["models"]["itt"]["label"] = "Another name"
    content["design"]["arms"][0]["label"] = "Business as usual"
    content["notes"] = ["a note"]
    assert section_checksums(content) == before


def test_a_reason_is_of_the_plan_and_how_it_is_worded_is_not(content: Content) -> None:
    none = section_checksums(content)
    content["checks"]["joiners_justification"] = "Pupils do not choose between the arms."
    given = section_checksums(content)
    content["checks"]["joiners_justification"] = "Pupils do not choose between the groups."
    assert section_checksums(content) == given
    assert [name for name in none if none[name] != given[name]] == ["checks"]


@pytest.mark.parametrize("nothing", [None, False, "", [], {}, {"more": None}])
def test_a_key_of_a_later_version_that_says_nothing_leaves_the_plan_as_it_is(
    content: Content, nothing: Any
) -> None:
    before = section_checksums(content)
    maths: Any = content["outcomes"]["maths"]
    maths["of_a_later_version"] = nothing
    assert section_checksums(content) == before
    for something in (0, True, "x", [None], {"more": 0}):
        maths["of_a_later_version"] = something
        assert section_checksums(content) != before


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("models", "itt", "covariates"), []),
        (("outcomes", "maths", "primary"), False),
        (("design", "unit"), "teacher"),
        (("sample", "keep"), {"grade": [3]}),
        (("cleaning", "joiners"), "drop"),
        (
            ("tables", "assignment", 0, "columns", "arm", "codes"),
            {"C": "programme", "T": "control"},
        ),
        (("tables", "scores", 0, "missing"), ["ABS"]),
        (("tables", "pupils", 0, "columns", "grade", "range"), [3, 9]),
        (("tables", "pupils", 0, "duplicate_keys"), "days_enrolled"),
        (("study", "seed"), 8),
        (("blinding", "until"), "2999-01-01"),
        (("costs", "years"), 5),
        (("subgroups",), {"girls": {"label": "Girls", "where": {"girl": [1]}}}),
    ],
)
def test_a_change_of_the_plan_changes_its_section_alone(
    content: Content, path: tuple[Any, ...], value: Any
) -> None:
    before = section_checksums(content)
    place: Any = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    after = section_checksums(content)
    assert [name for name in before if before[name] != after[name]] == [path[0]]
    assert plan_sha256(before) != plan_sha256(after)


def test_every_section_is_the_plan_but_words_and_where_files_lie() -> None:
    left = set(schema()["properties"]) - set(PLAN)
    words = {"variable_labels", "deviations", "notes"}
    assert left == {"registration", "raw_folder", "limits"} | words
    assert set(PLAN) <= set(schema()["properties"])


@pytest.mark.parametrize("path", [*WORDS, *REASONS])
def test_each_word_that_is_no_plan_is_a_key_of_the_schema(path: str) -> None:
    node: Any = schema()
    for part in path.split("."):
        names = node.get("properties", {})
        named = next(iter(names.values()), None) if part == "*" else names[part]
        node = node.get("items") or node.get("additionalProperties") or named
        if "$ref" in node:
            node = schema()["$defs"][node["$ref"].rsplit("/", 1)[1]]
    assert node["description"]


def test_a_column_that_is_called_label_is_no_word(content: Content) -> None:
    before = section_checksums(content)
    columns = content["tables"]["pupils"][0]["columns"]
    columns["grade"]["label"] = "Another grade"
    assert section_checksums(content) == before
    columns["label"] = columns.pop("grade")
    after = section_checksums(content)
    del columns["label"]
    assert section_checksums(content)["tables"] not in (before["tables"], after["tables"])


def test_years_to_come_and_their_models_leave_the_plan_as_it_is(content: Content) -> None:
    before = section_checksums(content)
    later = {"itt": content["models"].pop("itt")}
    content["years"]["to_come"] = [2020]
    assert section_checksums(content, later) == before
    assert section_checksums(content)["models"] != before["models"]


def test_a_record_of_the_plan_tells_what_changed_since(content: Content) -> None:
    first = section_checksums(content)
    assert PlanRecord(first, section_checksums(content)).changed == []
    content["models"]["itt"]["confidence_level"] = 0.9
    content["years"]["reference"] = 2019
    assert PlanRecord(first, section_checksums(content)).changed == ["years", "models"]


def test_the_reader_is_told_whether_the_plan_is_the_registered_one(content: Content) -> None:
    found = PlanRecord(section_checksums(content), section_checksums(content))
    whole = plan_sha256(found.now)
    assert "It is the registered plan." in plan_told(found, whole)
    assert any("NOT the registered plan" in line for line in plan_told(found, "0" * 64))
    assert any("No checksum" in line for line in plan_told(found, None))


def test_the_reader_is_told_which_sections_changed_after_outcomes_were_read(
    content: Content,
) -> None:
    first = section_checksums(content)
    content["checks"]["alpha"] = 0.5
    told = plan_told(PlanRecord(first, section_checksums(content)), None)
    assert told[-1].endswith("(sections: checks).")


def test_before_any_outcome_was_read_nothing_has_changed(content: Content) -> None:
    blind = PlanRecord({}, section_checksums(content))
    assert blind.changed == []
    assert plan_told(blind, None)[-1] == "No outcome has been read so far."


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"models": 3}'])
def test_a_damaged_record_of_the_plan_is_reported_and_kept(damaged: str, tmp_path: Path) -> None:
    """To replace it would hide that the plan has changed since outcomes were read."""
    record = tmp_path / "plan_first.json"
    record.write_text(damaged, "utf-8")
    with pytest.raises(Refusal, match="Restore this file from a backup"):
        first_plan(str(record))
    assert record.read_text("utf-8") == damaged
