"""The rule of notebooks: what is shown was run on the results of the study."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from execute_notebook import main as execute_notebook


def _execute(folder: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("SCHOOLTRIAL_RESULTS", "SCHOOLTRIAL_PROTOCOL", "PYTHONHASHSEED"):
        monkeypatch.setenv(name, "0")  # the script sets them for the kernel; as they were, after
    cells = [nbformat.v4.new_code_cell(source, id="first")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "explore.ipynb")
    study = {"title": "A small trial", "synthetic": True, "protocol": "0123456789abcdef"}
    (folder / "study.json").write_text(json.dumps(study), encoding="utf-8")
    execute_notebook(
        notebook=str(folder / "explore.ipynb"), results=str(folder),
        study_file=str(folder / "study.json"), protocol=str(folder / "trial.yaml"),
        executed=str(folder / "executed.ipynb"),
        page=str(folder / "page.html"),
    )  # fmt: skip
    return (folder / "page.html").read_text("utf-8")


def test_a_notebook_is_run_on_the_results_and_says_whose_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import os\nprint(sorted(os.listdir(os.environ['SCHOOLTRIAL_RESULTS'])))"
    page = _execute(tmp_path, source, monkeypatch)
    banner, cell = nbformat.read(tmp_path / "executed.ipynb", as_version=4).cells
    assert banner.source == "**SYNTHETIC DATA.** A small trial. Protocol 0123456789ab"
    assert cell.outputs[0].text == "['explore.ipynb', 'study.json']\n"
    assert "SYNTHETIC DATA." in page
    assert "study.json" in page


def test_a_cell_that_fails_fails_the_rule_and_no_page_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CellExecutionError, match="no such estimate"):
        _execute(tmp_path, "raise KeyError('no such estimate')", monkeypatch)
    assert not (tmp_path / "page.html").exists()
    assert not (tmp_path / "executed.ipynb").exists()
