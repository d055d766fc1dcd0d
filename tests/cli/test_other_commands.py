"""Claims about the commands that serve a study that was run, or is to be."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from schooltrial.checkout import OWN
from schooltrial.cli.completion import options
from schooltrial.cli.main import COMMANDS, main


def _results(trial: Path, name: str = "my_trial") -> Path:
    """Return a folder of results with one table of estimates, as a run leaves it."""
    folder = trial.parent / "results" / name
    for inner in ("logs", "report", "estimates"):
        (folder / inner).mkdir(parents=True)
    (folder / "report" / "report.html").write_text("<p>report</p>", encoding="utf-8")
    row = {"model": "itt", "outcome": "reading", "estimand": "ITT", "subgroup": "all",
           "term": "treated", "method": "REML", "estimate": 0.25, "std_error": 0.1,
           "p_value": 0.01}  # fmt: skip
    pd.DataFrame([row]).to_csv(folder / "estimates" / "estimates.csv", index=False)
    return folder


def test_the_report_is_opened_by_protocol_or_by_folder(
    trial: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = _results(trial) / "report" / "report.html"
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert main(["open", str(trial)]) == 0
    assert main(["open", str(trial.parent / "results")]) == 0
    assert main(["open", str(page)]) == 0
    assert opened == [page.as_uri()] * 3
    assert str(page) in capsys.readouterr().out


def test_a_study_that_was_not_run_is_told_with_the_command_that_runs_it(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["open", str(trial)]) == 1
    assert f"make them: schooltrial run {trial}" in capsys.readouterr().err
    _results(trial, "my_trial_rehearsal")
    assert main(["open", str(trial)]) == 1
    assert "there is a rehearsal" in capsys.readouterr().err


def test_estimates_that_moved_are_told_with_both_values(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _results(trial)
    after = trial.parent / "later"
    shutil.copytree(before, after)
    assert main(["compare", str(before), str(after)]) == 0
    assert "All estimates are the same (1 row)." in capsys.readouterr().out
    table = after / "estimates" / "estimates.csv"
    table.write_text(table.read_text("utf-8").replace("0.25", "0.2"), encoding="utf-8")
    written = trial.parent / "moved.csv"
    assert main(["compare", str(before), str(after), "--csv", str(written)]) == 0
    assert "itt, reading, all, treated: 0.25 → 0.2 (−0.05)" in capsys.readouterr().out
    assert pd.read_csv(written)["estimate_after"].tolist() == [0.2]


def test_a_file_that_is_there_and_does_not_end_in_yaml_is_told_how_a_protocol_ends(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = trial.with_name("trial.yaml.bak")
    shutil.copy(trial, kept)
    assert main(["compare", str(_results(trial)), str(kept)]) == 1
    assert "no protocol by its name: that ends in .yaml" in capsys.readouterr().err


def test_a_row_that_one_run_lacks_is_told(trial: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _results(trial)
    after = trial.parent / "later"
    shutil.copytree(before, after)
    table = after / "estimates" / "estimates.csv"
    table.write_text(table.read_text("utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert main(["compare", str(before), str(after)]) == 0
    assert "0.25 → none" in capsys.readouterr().out


def test_the_doctor_says_what_is_wrong_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["doctor", str(tmp_path)])
    told = capsys.readouterr().out
    assert f"ok   Python: {sys.version_info[0]}.{sys.version_info[1]}" in told
    assert f"ok   Workflow: in {OWN}" in told
    assert f"{tmp_path} can be written to" in told
    monkeypatch.setattr("schooltrial.pipeline.runs.examination.FREE", 10**18)
    assert main(["doctor", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "fix  Disk: " in told
    assert "use --output FOLDER" in told
    assert main(["doctor", str(tmp_path / "absent")]) == 1


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_and_their_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "completion.sh"
    script.write_text(capsys.readouterr().out, encoding="utf-8")

    def completed(*words: str) -> set[str]:
        line = " ".join(("schooltrial", *words))
        code = (f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _schooltrial; "
                'echo "${COMPREPLY[@]}"')  # fmt: skip
        found = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
        return set(found.stdout.split())

    assert completed("re") == {"rehearse", "refit"}
    assert completed("run", "--o") == {"--output"}
    assert completed("check", "--o") == set()


def test_zsh_reads_the_completion_of_bash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0
    told = capsys.readouterr().out
    assert told.index("bashcompinit") < told.index("complete -o filenames")


def test_every_command_is_completed() -> None:
    assert list(options(COMMANDS)) == [command.__name__.rsplit(".", 1)[1] for command in COMMANDS]


def test_a_change_that_is_none_is_told(trial: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _results(trial)
    assert main(["refit", str(trial), "itt", "covariates"]) == 1
    assert "write key=value" in capsys.readouterr().err


def test_units_without_a_list_are_not_randomised(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["assign", str(trial)]) == 1
    assert "design.randomisation.seed is not given" in capfd.readouterr().err


@pytest.mark.slow
def test_the_monitoring_page_is_made_without_any_estimate(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["monitor", str(trial), "--cores", "1"]) == 0
    results = trial.parent / "results" / "my_trial"
    assert f"Monitoring page: {results / 'report' / 'monitoring.html'}" in capfd.readouterr().out
    assert not (results / "estimates").exists()


def test_a_command_that_is_not_there_is_answered_with_the_one_probably_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["rnu", "trial.yaml"])
    assert "Did you mean 'run'?" in capsys.readouterr().err
    assert main([]) == 0
    assert "usage: schooltrial" in capsys.readouterr().out


def test_a_run_compared_with_a_rehearsal_is_warned_of(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, rehearsal = _results(trial), _results(trial, "my_trial_rehearsal")
    assert main(["compare", str(run), str(rehearsal)]) == 0
    assert "one of the two is a rehearsal" in capsys.readouterr().out


def test_a_key_is_explained_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "design.kind"]) == 0
    told = capsys.readouterr().out
    assert "within blocks" in " ".join(told.split())
    assert "One of: complete, blocked, paired, staggered, simple." in told
    assert main(["help", "desing.kind"]) == 1
    assert "did you mean 'design'" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_an_option_is_not_taken_for_a_command(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([option])
    assert ended.value.code == 0
    assert "Did you mean" not in capsys.readouterr().err


def test_a_minus_can_be_written_where_the_encoding_of_the_output_lacks_it() -> None:
    code = "from schooltrial.cli.main import main; main(['help']); print('−0.10 SD')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(OWN / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("utf-8").rstrip().endswith("−0.10 SD")


def test_what_the_system_refuses_is_one_sentence_and_a_remedy(
    trial: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/somewhere/.snakemake")

    monkeypatch.setattr("schooltrial.pipeline.runs.study_run.only_command", refuse)
    assert main(["run", str(trial), "--cores", "1"]) == 1
    told = capsys.readouterr().err
    assert "/somewhere/.snakemake: you have no permission to use this file" in told
    assert "choose another folder" in told
    assert "Traceback" not in told
