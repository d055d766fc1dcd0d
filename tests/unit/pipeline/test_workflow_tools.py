"""The tools beside the workflow: environment, lint and documentation."""

import re
from pathlib import Path
from typing import Any

import pytest

from schooltrial.exhibits.catalogue import FIGURES, TABLES
from schooltrial.protocol.consistency.design import LEVELS
from schooltrial.protocol.content.variables import STANDARD_VARIABLES
from schooltrial.protocol.reading import read_protocol
from support.small_trial import ROOT, schema
from support.workflow_tool import workflow_tool


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "requirements.lock is damaged",
        ),
        ("ERROR: Hashes are required in --require-hashes mode", "requirements.lock is damaged"),
        ("ERROR: Invalid requirement: 'numpy=='", "requirements.lock cannot be read"),
        (
            "WARNING: Retrying: Failed to establish a new connection: Network is unreachable\n"
            "ERROR: No matching distribution found for numpy==2.4.6",
            "the package index cannot be reached",
        ),
        ("Temporary failure in name resolution", "the package index cannot be reached"),
        (
            "ERROR: No matching distribution found for numpy==2.4.6",
            "(ERROR: No matching distribution found for numpy==2.4.6)",
        ),
        ("first\nERROR: something else\n\n", "pip failed: ERROR: something else"),
        ("", "pip failed: it said nothing"),
    ],
)
def test_a_failed_installation_is_told_in_one_sentence(output: str, told: str) -> None:
    sentence = workflow_tool("build_environment").reason(output)
    assert told in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("version", "suits"),
    [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False), ((2, 7), False)],
)
def test_the_lock_was_made_for_some_versions(version: tuple[int, int], suits: bool) -> None:
    assert workflow_tool("build_environment").fits(version) is suits


def test_another_python_is_found_on_the_path_or_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tool = workflow_tool("build_environment")
    assert not tool.suitable_python().startswith(tool.VENV), "it is about to be replaced"
    monkeypatch.setattr(tool.sys, "version_info", (3, 9, 0))
    monkeypatch.setattr(
        tool.shutil, "which", lambda name: f"/opt/{name}" if name == "python3.12" else None
    )
    assert tool.suitable_python() == "/opt/python3.12"
    monkeypatch.setattr(tool.shutil, "which", lambda name: None)
    assert tool.suitable_python() is None


def test_the_wish_for_a_conda_file_per_rule_is_set_aside_and_nothing_else() -> None:
    text = """Lints for rule draw_balance (line 2, /x/exhibit.smk):
    * Specify a conda environment or container for each rule.:
      This way the used software is documented.

Lints for rule fit (line 9, /x/fit.smk):
    * No log directive defined:
      Without a log directive, all output is printed.
    * Specify a conda environment or container for each rule.:
"""
    assert workflow_tool("lint_workflow").left_over(text) == ["rule fit: No log directive defined:"]
    assert workflow_tool("lint_workflow").left_over("Congratulations") == []


def test_the_generated_documents_are_up_to_date() -> None:
    documents = workflow_tool("write_documentation").documents()
    assert documents
    for path, text in documents.items():
        assert path.read_text("utf-8") == text, f"run `make docs`: {path.name}"


def _keys(node: Any) -> set[str]:
    """Return the names of all keys that a schema declares, wherever they stand."""
    if isinstance(node, list):
        return set().union(*map(_keys, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    below = set().union(*map(_keys, node.values())) if node else set()
    return below | (set(node["properties"]) if isinstance(node.get("properties"), dict) else set())


def test_each_key_of_the_schema_is_explained_by_its_own_name() -> None:
    text = (ROOT / "config" / "README.md").read_text("utf-8")
    explained = set(re.findall(r"^ *- \*\*`(.+?)`\*\*", text, re.M))
    assert explained - {"<name>"} == _keys(schema())
    assert "on" in explained


def test_each_rule_that_writes_and_each_exhibit_is_in_its_table() -> None:
    tool = workflow_tool("write_documentation")
    steps = (ROOT / "docs" / "pipeline.md").read_text("utf-8")
    exhibits = (ROOT / "docs" / "exhibits.md").read_text("utf-8")
    files = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
    assert files
    for file in files:
        rules = tool.rules_of(file.read_text("utf-8"))
        assert rules or file.name == "common.smk", file
        for name, rule in rules.items():
            assert (f"(../{file.relative_to(ROOT)}) | {name} |" in steps) == ("output" in rule)
    for kind, names in (("figures", FIGURES), ("tables", TABLES)):
        assert [name for name in names if f"| `{kind}/{name}` |" not in exhibits] == []


def test_only_the_rule_that_obtains_tables_reads_raw_files() -> None:
    table = (ROOT / "docs" / "pipeline.md").read_text("utf-8")
    cells = [line.split(" | ") for line in table.splitlines() if line.startswith("| [")]
    reads = {name: read for _, name, _, read, _ in cells}
    assert [name for name, read in reads.items() if "raw files" in read] == ["obtain_tables"]
    assert reads["fit_multilevel"].startswith("`data/sample.parquet`")
    assert all(reads.values())


def test_each_standard_table_and_estimator_is_explained() -> None:
    assert list(STANDARD_VARIABLES) == list(schema()["properties"]["tables"]["properties"])
    models = schema()["properties"]["models"]["additionalProperties"]
    assert set(LEVELS) == set(models["properties"]["estimator"]["enum"])


def test_the_example_is_a_protocol_and_shows_what_it_is_said_to_show() -> None:
    content = read_protocol(ROOT / "config" / "example.yaml", schema()).content
    assert len(content["design"]["arms"]) == 3
    assert content["tables"]["pupils"][0]["join"]
    assert {"costs", "published_means"} <= set(content["tables"])
    assert any(model["arms"] for model in content["models"].values())


def test_only_what_stands_between_its_marks_is_replaced() -> None:
    text = "a\n<!-- x -->\nold\n<!-- end x -->\nb\n<!-- y -->\nkept\n<!-- end y -->\n"
    found = workflow_tool("write_documentation").between(text, "x", "new \\1")
    assert found == text.replace("old", "new \\1")


def test_a_rule_is_read_with_its_sentence_and_its_paths() -> None:
    tool = workflow_tool("write_documentation")
    text = '''rule one:
    """Do one thing."""
    input:
        a="results/{study}/data/a.csv",
        b="results/{study}/data/a.csv",
    output:
        "results/{study}/checks/b.csv",
'''
    rule = tool.rules_of(text)["one"]
    assert rule["doc"] == "Do one thing."
    assert tool.paths(rule["input"]) == ["data/a.csv"]
    assert tool.paths(rule["output"]) == ["checks/b.csv"]


def test_two_folders_of_results_are_compared_file_by_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare = workflow_tool("compare_results").main
    files = {"estimates/estimates.csv": "1", "checks/flow.csv": "a", "logs/fit.log": "09:00"}
    for folder in ("before", "after"):
        for name, text in files.items():
            path = tmp_path / folder / "trial" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    both = [str(tmp_path / "before"), str(tmp_path / "after")]
    (tmp_path / "after/trial/logs/fit.log").write_text("10:00", encoding="utf-8")
    assert compare(both) == 0
    assert capsys.readouterr().out == "2 files of 1 studies, 0 differ\n"
    (tmp_path / "after/trial/estimates/estimates.csv").write_text("2", encoding="utf-8")
    (tmp_path / "after/trial/checks/flow.csv").rename(tmp_path / "after/trial/checks/flows.csv")
    assert compare(both) == 1
    assert capsys.readouterr().out.splitlines() == [
        "trial/checks/flow.csv: no longer there",
        "trial/checks/flows.csv: new",
        "trial/estimates/estimates.csv: differs",
        "2 files of 1 studies, 3 differ",
    ]


def test_results_that_are_not_there_are_no_proof(tmp_path: Path) -> None:
    assert workflow_tool("compare_results").main([str(tmp_path), str(tmp_path)]) == 2
