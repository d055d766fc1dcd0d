"""Claims about where a study is run, and how a run ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from schooltrial.pipeline.run_lock import LOCK
from schooltrial.pipeline.runs.run_end import why_not
from schooltrial.pipeline.runs.snakemake_run import SETTINGS, WorkflowRun
from schooltrial.pipeline.runs.study_run import protocol_of, wait_for_other_run, working_folder
from schooltrial.refusal import Refusal, StepFailedError, UserError


def test_results_lie_beside_the_protocol_or_where_it_is_asked(tmp_path: Path) -> None:
    assert working_folder(tmp_path / "trial.yaml", None) == tmp_path
    assert working_folder(tmp_path / "trial.yaml", tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b" / "results").is_dir()


def test_a_folder_called_results_is_itself_the_folder_of_results(tmp_path: Path) -> None:
    assert working_folder(tmp_path / "trial.yaml", tmp_path / "out" / "results") == tmp_path / "out"


def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="name another folder: --output FOLDER"):
        working_folder(tmp_path / "trial.yaml", tmp_path / "file")


def test_a_protocol_that_is_not_there_or_is_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "trial.yaml").write_text("", encoding="utf-8")
    with pytest.raises(Refusal, match=r"Did you mean 'trial\.yaml'"):
        protocol_of(tmp_path / "trail.yaml")
    with pytest.raises(UserError, match=r"is a folder.*did you mean .*trial\.yaml"):
        protocol_of(tmp_path)


def test_a_run_that_was_refused_shows_the_refusals_and_names_the_log(tmp_path: Path) -> None:
    error = why_not(["Refused: a", "Refused: b"], ["x.log"], tmp_path / "run.txt")
    assert isinstance(error, UserError)
    assert str(error) == f"Refused: a\n\nRefused: b\n\nLog: {tmp_path / 'run.txt'}"


def test_a_step_that_broke_down_shows_what_its_log_holds(tmp_path: Path) -> None:
    log = tmp_path / "fit.log"
    log.write_text("Traceback\nKeyError: 1\n", encoding="utf-8")
    (tmp_path / "run.txt").write_text("", encoding="utf-8")
    error = why_not([], [str(log)], tmp_path / "run.txt")
    assert isinstance(error, StepFailedError)
    assert str(error).startswith("Traceback\nKeyError: 1")


def test_a_run_that_never_began_shows_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text("one\n" * 99 + "the last words\n", encoding="utf-8")
    error = why_not([], [], tmp_path / "run.txt")
    assert "the last words" in str(error)
    assert str(error).count("one") < 40


def test_every_setting_of_snakemake_has_its_reason_beside_it() -> None:
    text = Path(str(WorkflowRun.run.__code__.co_filename)).read_text("utf-8")
    for option, *_ in SETTINGS:
        before = text[: text.index(f'("{option}"')].rstrip().splitlines()[-1].strip()
        assert before.startswith("# "), option


def test_settings_of_the_user_change_nothing_and_a_path_may_hold_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNAKEMAKE_PROFILE", "mine")
    protocol = tmp_path / "a, b" / "my trial.yaml"
    run = WorkflowRun(tmp_path, protocol, tmp_path, 1, tmp_path / "run.txt", [], {})
    assert "SNAKEMAKE_PROFILE" not in run.environment()
    assert f'protocols=["{protocol}"]' in run.command()


HOLD = """
import sys, time
from pathlib import Path
from schooltrial.pipeline.run_lock import wait_for_other_runs
wait_for_other_runs([], Path(sys.argv[1]))
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def _holder(lock: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(lock), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such lock")
def test_a_second_run_waits_and_says_for_whom(tmp_path: Path) -> None:
    holder = _holder(tmp_path / LOCK, 1.0)
    said: list[str] = []
    wait_for_other_run(tmp_path, said.append)
    assert holder.wait(5) == 0
    (told,) = said
    assert f"(process {holder.pid}, since 2" in told
    assert "starts when it ends" in told


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such lock")
def test_a_run_that_was_killed_holds_nobody_up(tmp_path: Path) -> None:
    holder = _holder(tmp_path / LOCK, 30)
    holder.kill()
    holder.wait()
    said: list[str] = []
    wait_for_other_run(tmp_path, said.append)
    assert said == []
