"""Claims about what ``schooltrial where`` prints."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schooltrial.cli.main import main
from support.small_trial import ROOT

FOLDER = "results/achievement_awards"
TABLE = f"{FOLDER}/estimates/estimates.csv"


def test_a_file_has_its_rule_line_script_modules_and_tests(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["where", f"{FOLDER}/checks/flow.csv"]) == 0
    told = capsys.readouterr().out
    for expected in (
        "rule     clean_sample\n", "workflow/rules/clean.smk:2\n",
        "workflow/scripts/clean_sample.py\n", "src/schooltrial/data/sample/build.py\n",
        "further modules: ", "tests/unit/data/sample/test_build.py\n",
    ):  # fmt: skip
        assert expected in told


def test_the_table_of_estimates_says_who_made_the_rows_of_each_model(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["where", TABLE]) == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if "  itt_redrawn " in one]
    assert "fit_randomisation_inference" in line
    assert "analysis/estimators/randomisation_inference.py" in line
    assert line.endswith("models/randomisation_inference")


@pytest.mark.parametrize("asked", [[f"{TABLE}:itt_redrawn"], [TABLE, "--model", "itt_redrawn"]])
def test_a_model_is_asked_for_after_a_colon_or_by_name(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["where", *asked]) == 0
    assert "rule     fit_randomisation_inference\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (f"{FOLDER}/checks/attritio.csv", f"nearest that one writes is {FOLDER}/checks/attrition"),
        (f"{FOLDER}/checks/flow.csv:itt_redrawn", "has no rows of models"),
        (f"{TABLE}:itt_redrwn", "no model 'itt_redrwn'; did you mean 'itt_redrawn'"),
        ("results/achievment_awards/checks/attrition.csv",
         "no study 'achievment_awards'; did you mean 'achievement_awards'? known studies: "),
        ("results/nosuch/estimates/estimates.csv", "no study 'nosuch'; known studies: "),
        ("nosuch/checks/flow.csv", "no study 'nosuch'; known studies: "),
        ("README.md", "no rule writes README.md; give a file below results/<study>/"),
        ("checks/flow.csv", "give a file below results/<study>/"),
        ("achievement_awards", "give a file below results/achievement_awards/"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_told_with_the_nearest_and_ends_with_1(
    file: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["where", file]) == 1
    shown = capsys.readouterr()
    assert told in shown.err
    assert shown.out == ""


def test_of_a_study_that_is_none_of_the_projects_the_log_tells_who_fitted_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "results" / "mine"
    (mine / "logs").mkdir(parents=True)
    (mine / "logs" / "fit_wild_bootstrap.b.log").write_text("", encoding="utf-8")
    assert main(["where", str(mine / "estimates" / "models" / "b.csv")]) == 0
    assert "rule     fit_wild_bootstrap\n" in capsys.readouterr().out


def test_the_protocol_next_to_the_results_says_which_rule_fits_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ROOT / "examples" / "minimal" / "trial.yaml", tmp_path)
    (tmp_path / "another.yaml").write_text("[not, a, protocol]\n", encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("a: [1\n b: 2\n", encoding="utf-8")
    (tmp_path / "bytes.yml").write_bytes(b"\xff\xfe")
    table = tmp_path / "results" / "my_trial" / "estimates" / "estimates.csv"
    table.parent.mkdir(parents=True)
    assert main(["where", f"{table}:itt"]) == 0
    assert "rule     fit_multilevel\n" in capsys.readouterr().out
    (tmp_path / "trial.yaml").unlink()
    assert main(["where", f"{table}:itt"]) == 1
    assert "no protocol of its name is next to the folder of results" in capsys.readouterr().err


def test_results_before_the_study_may_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["where", "achievement_awards/checks/flow.csv"]) == 0
    assert capsys.readouterr().out.startswith(f"{FOLDER}/checks/flow.csv\n")


def test_within_a_studys_results_the_file_alone_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "results" / "achievement_awards"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    assert main(["where", "checks/flow.csv"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{FOLDER}/checks/flow.csv\n")
    assert told.endswith("no such file yet: run make\n")


def test_all_names_the_further_modules_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["where", f"{FOLDER}/checks/flow.csv", "--all"]) == 0
    told = capsys.readouterr().out
    assert "further modules" not in told
    assert "src/schooltrial/refusal.py" in told
