"""Which protocols are read, what is told at the end, and the chain behind a report."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schooltrial.pipeline.protocols import figure_formats, read_protocols
from schooltrial.pipeline.steps import page_step, trace_steps, with_checksums
from schooltrial.protocol.reading import read_schema

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def schema() -> Any:
    return read_schema()


def test_studies_may_be_named_by_a_list_or_by_text_with_commas(schema: Any) -> None:
    names = ["achievement_awards", "chicago_collaborative"]
    assert list(read_protocols({"studies": names}, ROOT, schema)) == names
    assert list(read_protocols({"studies": ",".join(names)}, ROOT, schema)) == names


def test_a_protocol_given_by_path_stands_in_the_place_of_the_default_studies(schema: Any) -> None:
    path = str(ROOT / "config/studies/achievement_awards.yaml")
    given = {"studies": ["chicago_collaborative"], "protocols": path}
    assert list(read_protocols(given, ROOT, schema)) == ["achievement_awards"]


def test_an_unknown_study_ends_the_run_and_says_which_was_meant(
    schema: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_protocols({"studies": "achievment_awards"}, ROOT, schema)
    assert ended.value.code == 1
    assert "Did you mean 'achievement_awards.yaml'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("config", "formats"),
    [
        ({}, ["svg", "pdf"]),
        ({"figure_formats": ["pdf"]}, ["svg", "pdf"]),
        ({"figure_formats": "png,pdf"}, ["svg", "pdf", "png"]),
        ({"figure_formats": ["svg", "png"]}, ["svg", "png"]),
        ({"figure_formats": []}, ["svg"]),
        ({"figure_formats": None}, ["svg"]),
    ],
)
def test_figures_are_svg_and_what_the_configuration_adds(
    config: dict[str, Any], formats: list[str]
) -> None:
    assert figure_formats(config) == formats


def test_a_format_that_is_not_known_ends_the_run_and_names_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        figure_formats({"figure_formats": "pdf,eps"})
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "figures cannot be written as eps" in told
    assert "some of svg, pdf, png" in told


def test_two_protocols_of_one_study_are_refused(
    schema: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(ROOT / "config/studies/achievement_awards.yaml")
    with pytest.raises(SystemExit):
        read_protocols({"protocols": [path, path]}, ROOT, schema)
    assert "two protocols have the same study name, 'achievement_awards'" in capsys.readouterr().err


def test_a_protocol_elsewhere_may_not_take_the_name_of_a_study_of_the_project(
    schema: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "config/studies/achievement_awards.yaml").read_text("utf-8")
    mine = tmp_path / "mine.yaml"
    mine.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit):
        read_protocols({"protocols": str(mine)}, ROOT, schema)
    assert "would overwrite that study's results" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)  # where results are written elsewhere, nothing is overwritten
    assert list(read_protocols({"protocols": str(mine)}, ROOT, schema)) == ["achievement_awards"]


def test_a_step_is_told_for_each_model_with_the_files_of_the_study(tmp_path: Path) -> None:
    inputs = {"sample": "results/{study}/data/sample.parquet", "tables": lambda wildcards: []}
    rule = SimpleNamespace(input=inputs, output=["results/{study}/estimates/models/{model}.csv"])
    found = trace_steps(
        SimpleNamespace(fit_multilevel=rule), {"fit_multilevel": ["a", "b"]}, "trial"
    )
    assert [step["rule"] for step in found] == ["fit_multilevel, a", "fit_multilevel, b"]
    assert found[0]["reads"] == ["results/trial/data/sample.parquet"]
    assert found[1]["writes"] == ["results/trial/estimates/models/b.csv"]
    assert any(path.endswith("models/multilevel/two_level.py") for path in found[0]["code"])


def test_the_step_of_a_page_tells_what_there_is_before_the_page() -> None:
    inputs = {"style": "src/page.css", "pupils": "results/{study}/data/pupils.parquet"}
    outputs = {"page": "results/{study}/report/x.html", "counts": "results/{study}/checks/x.csv"}

    class Outputs(list[str]):
        def items(self) -> Any:
            return outputs.items()

    rule = SimpleNamespace(input=inputs, output=Outputs(outputs.values()))
    step = page_step(SimpleNamespace(write_monitoring=rule), "write_monitoring", "s", ["counts"])
    assert step["rule"] == "write_monitoring"
    assert step["reads"] == ["results/s/data/pupils.parquet"]
    assert step["writes"] == ["results/s/checks/x.csv"]


def test_the_first_plan_outlives_runs_so_that_no_step_vouches_for_it(tmp_path: Path) -> None:
    files = [tmp_path / "verdict.json", tmp_path / "plan_first.json"]
    for file in files:
        file.write_text("{}", encoding="utf-8")
    step = with_checksums({"code": [], "writes": [str(file) for file in files]})
    assert [path for path, _ in step["wrote"]] == [str(files[0])]


def test_a_checksum_changes_with_the_data_and_with_the_code(tmp_path: Path) -> None:
    code, data = tmp_path / "code.py", tmp_path / "data.csv"
    code.write_text("1", encoding="utf-8")
    data.write_text("a", encoding="utf-8")
    step = {"code": [str(code)], "writes": [str(data), str(tmp_path / "not_data.log")]}
    before = with_checksums(step)
    assert [path for path, _ in before["wrote"]] == [str(data)]
    data.write_text("b", encoding="utf-8")
    after = with_checksums(step)
    assert (before["code"] == after["code"], before["wrote"] == after["wrote"]) == (True, False)
    code.write_text("2", encoding="utf-8")
    assert with_checksums(step)["code"] != after["code"]
