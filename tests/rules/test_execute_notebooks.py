"""The rule of notebooks: what is shown was run on the results of the study, and shows nobody."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from execute_notebooks import main as execute_notebooks
from schooltrial.protocol.content.sections import StudyLine
from schooltrial.refusal import UserError
from support.rules_in_process import StudyRun
from support.shapes.registry import find_shapes
from support.small_trial import ROOT

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
LINE: StudyLine = {"title": "A small trial", "synthetic": True, "protocol": "0123456789abcdef"}
SHAPE = "one_year"
EXPECTED = {
    "explore_data", "look_at_balance", "try_a_model", "read_event_study", "plan_next_trial",
    "reproduce_published_table",
}  # fmt: skip


def _execute(folder: Path, *sources: str) -> str:
    cells = [nbformat.v4.new_code_cell(source, id=f"c{at}") for at, source in enumerate(sources)]
    text = nbformat.v4.new_markdown_cell("# Try this\n\nSome words.", id="words")
    nbformat.write(nbformat.v4.new_notebook(cells=[text, *cells]), folder / "given.ipynb")
    execute_notebooks(
        notebooks=[str(folder / "given.ipynb")], results=str(folder), study=LINE,
        protocol=str(folder / "trial.yaml"), executed=[str(folder / "executed.ipynb")],
        pages=[str(folder / "page.html")],
    )  # fmt: skip
    return (folder / "page.html").read_text("utf-8")


def test_a_notebook_is_run_on_the_results_and_says_whose_they_are(tmp_path: Path) -> None:
    source = "import os\nprint(sorted(os.listdir(os.environ['SCHOOLTRIAL_RESULTS'])))"
    before = dict(os.environ)
    page = _execute(tmp_path, source)
    banner, _, cell = nbformat.read(tmp_path / "executed.ipynb", as_version=4).cells
    assert banner.source == "**SYNTHETIC DATA.** A small trial. Protocol 0123456789ab"
    assert cell.outputs[0].text == "['given.ipynb']\n"
    assert "Synthetic data." in page
    assert "Notebook: Try this" in page
    assert "given.ipynb" in page
    assert os.environ.get("SCHOOLTRIAL_RESULTS") == before.get("SCHOOLTRIAL_RESULTS")


def test_an_executed_notebook_is_one_that_jupyter_reads(tmp_path: Path) -> None:
    _execute(tmp_path, "print('a')", "import pandas as pd\npd.DataFrame({'Pupils': [1200]})")
    nbformat.validate(nbformat.read(tmp_path / "executed.ipynb", as_version=4))


def test_a_page_shows_tables_as_the_report_does(tmp_path: Path) -> None:
    page = _execute(tmp_path, "# How many\nimport pandas as pd\npd.DataFrame({'Pupils': [1200]})")
    assert "How many." in page
    assert ">1,200<" in page


def test_a_cell_that_fails_fails_the_rule_and_no_page_is_written(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="no such estimate") as error:
        _execute(tmp_path, "raise KeyError('no such estimate')")
    assert error.value.__notes__ == ["in given.ipynb, cell 2"]
    assert not (tmp_path / "page.html").exists()
    assert not (tmp_path / "executed.ipynb").exists()


def test_what_a_function_of_this_package_refuses_in_a_cell_is_a_refusal(tmp_path: Path) -> None:
    source = "import schooltrial as st\nst.adjust_p_values([2.0], method='holm')"
    with pytest.raises(UserError, match=r"^given.ipynb, cell 2: ") as error:
        _execute(tmp_path, source)
    assert "Traceback" not in str(error.value)


def test_a_cell_of_magics_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"given.ipynb, cell 2: line 1 is no plain Python"):
        _execute(tmp_path, "%matplotlib inline")


@pytest.mark.parametrize(
    "shown",
    [
        "pd.DataFrame({'pupil': ['p1'], 'maths': [1.0]})",
        "pd.DataFrame({'maths': [1.0]}, index=pd.Index(['t1'], name='teacher'))",
        "pd.Series([1.0], index=pd.Index(['p1'], name='pupil'))",
    ],
)
def test_a_cell_that_shows_rows_of_people_is_refused(tmp_path: Path, shown: str) -> None:
    with pytest.raises(UserError, match="would print rows of people"):
        _execute(tmp_path, f"import pandas as pd\n{shown}")


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of a small study with all notebooks."""
    folder = tmp_path_factory.mktemp("notebooks")
    run = StudyRun(find_shapes()[SHAPE].write(folder / "study"), folder / "work")
    run.make("notebooks/explore_data.html")
    assert run.seconds["execute_notebooks"] < 20
    return run.results


def _outputs(notebook: Path) -> Iterator[dict[str, Any]]:
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        yield from cell.get("outputs", [])


def _text(output: dict[str, Any]) -> str:
    return str(output.get("text", "")) + " ".join(map(str, output.get("data", {}).values()))


def test_the_project_has_the_notebooks_that_it_promises() -> None:
    assert set(NOTEBOOKS) == EXPECTED


def test_notebooks_are_kept_without_outputs() -> None:
    for name in NOTEBOOKS:
        content = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
        nbformat.validate(content)
        assert not any(cell.get("outputs") for cell in content.cells), name


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_on_a_small_study_and_shows_no_row_of_a_person(
    executed: Path, name: str
) -> None:
    people = pd.read_parquet(executed / "data" / "sample.parquet")["pupil"].astype(str)
    assert people.str.len().min() >= 4, "identifiers must not look like counts"
    page = (executed / "notebooks" / f"{name}.html").read_text("utf-8")
    outputs = list(_outputs(executed / "notebooks" / f"{name}.ipynb"))
    assert outputs
    words = set(re.findall(r"[\w-]+", " ".join(map(_text, outputs))))
    assert words & set(people) == set()
    assert set(re.findall(r"[\w-]+", page)) & set(people) == set()
    assert "<script" not in page


def test_a_study_without_a_panel_model_says_that_it_has_no_event_study(executed: Path) -> None:
    page = (executed / "notebooks" / "read_event_study.html").read_text("utf-8")
    assert "This study has no panel model, so it has no event study." in page


def test_a_study_without_published_numbers_says_so(executed: Path) -> None:
    page = (executed / "notebooks" / "reproduce_published_table.html").read_text("utf-8")
    assert "There is no published table of this study to reproduce." in page
    assert "equal the table of estimates to ten digits" in page


def test_the_notebook_that_tries_a_model_says_which_one_was_not_planned(executed: Path) -> None:
    page = (executed / "notebooks" / "try_a_model.html").read_text("utf-8")
    assert "exploratory, not planned" in page


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_in_a_kernel_of_jupyter_too(
    executed: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("SCHOOLTRIAL_RESULTS", str(executed))
    protocol = executed.parents[2] / "study" / "trial.yaml"
    monkeypatch.setenv("SCHOOLTRIAL_PROTOCOL", str(protocol))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    content = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    resources = {"metadata": {"path": str(ROOT / "notebooks")}}
    client = nbclient.NotebookClient(content, timeout=120, kernel_name="python3",
                                     resources=resources)  # fmt: skip
    client.execute()
    assert any(cell.get("outputs") for cell in content.cells)
