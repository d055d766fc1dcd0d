"""Claims about ``schooltrial run``, in a folder of the user's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from schooltrial.cli.main import main
from schooltrial.pipeline.plans.plan_record import WITHDRAWN
from support.small_trial import ROOT


def _begun(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "schooltrial.cli.main", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, cwd="/",
    )  # fmt: skip


@pytest.mark.slow
def test_a_trial_is_run_to_its_report_beside_the_protocol_even_after_a_kill(trial: Path) -> None:
    before = {path.name for path in trial.parent.iterdir()}
    killed = _begun("run", str(trial), "--cores", "1")
    obtained = trial.parent / "results" / "my_trial" / "data" / "sample.parquet"
    until = time.monotonic() + 300
    while not obtained.is_file() and killed.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    assert not (trial.parent / "results" / "my_trial" / "report" / "report.html").exists()

    again = _begun("run", str(trial), "--cores", "1")
    told, _ = again.communicate()
    assert again.returncode == 0, told
    report = trial.parent / "results" / "my_trial" / "report" / "report.html"
    assert f"Report: {report}" in told
    assert report.is_file()
    for stage in ("Fit the models", "Write the report"):
        assert stage in told
    assert "  Reading: +" in told
    assert told.count(" (indicative)\n") == 2
    assert "Traceback" not in told
    assert str(ROOT) not in report.read_text("utf-8")
    assert "fit_multilevel.py" in report.read_text("utf-8")  # named without its folder
    assert {path.name for path in trial.parent.iterdir()} - before == {"results", ".snakemake"}

    third = _begun("run", str(trial), "--cores", "1")
    told, _ = third.communicate()
    assert third.returncode == 0
    assert "Nothing has changed since the last run." in told
    assert f"Report: {report}" in told


def test_what_is_refused_is_told_alone_and_the_log_is_named(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pupils = trial.parent / "pupils_2025.csv"
    lines = pupils.read_text("utf-8").splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0] + ",absent"
    pupils.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main(["run", str(trial), "--cores", "1", "--output", str(trial.parent / "out")]) == 1
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.startswith("Refused: 1 error was found.")
    assert "pupils_2025.csv, row 4, column 'reading': the value 'absent'" in told.err
    log = trial.parent / "out" / "results" / "my_trial" / "logs" / "run.txt"
    assert told.err.rstrip().endswith(f"Log: {log}")
    assert log.is_file()
    assert not (trial.parent / "results").exists()


@pytest.mark.slow
def test_a_run_in_which_one_model_is_refused_leaves_no_estimate_and_records_no_plan(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plan = trial.read_text("utf-8")
    extra = "{label: Bad, estimator: multilevel, role: sensitivity, outcomes: [reading]"
    school = "columns: {pupil: {column: pupil}, site: {column: school, type: category, label: S},"
    spoilt = plan.replace("pupils_{year}.csv\", columns: {pupil: {column: pupil},",
                          f'pupils_{{year}}.csv", {school}', 1)  # fmt: skip
    trial.write_text(f"{spoilt}  bad: {extra}, where: {{year: [2025]}}, covariates: [site]}}\n")
    elsewhere = trial.parent / "out"
    results = elsewhere / "results" / "my_trial"
    command = ["run", str(trial), "--cores", "1", "--output", str(elsewhere)]
    assert main(command) == 1
    told = capfd.readouterr()
    assert WITHDRAWN in told.out
    assert "model bad, outcome reading" in told.err
    assert (results / "logs" / "fit_multilevel.itt.log").is_file()
    assert not (results / "estimates").exists()
    assert not (results / "figures").exists()
    assert not (results / "checks" / "plan_first.json").exists()

    trial.write_text(plan, "utf-8")
    assert main(command) == 0
    told = capfd.readouterr()
    assert "changed after" not in told.out
    assert "a run with another --output cannot tell whether the plan was changed" in told.out
    assert "Warning" not in (results / "logs" / "run.txt").read_text("utf-8")

    trial.write_text(spoilt, "utf-8")
    assert main(["run", *command[1:]]) == 0
    told = capfd.readouterr()
    assert "Warning: the plan was changed after outcomes were read (sections: tables" in told.out


@pytest.mark.slow
def test_two_runs_that_start_together_say_which_waits_and_end_alike(trial: Path) -> None:
    both = [_begun("run", str(trial), "--cores", "1") for _ in range(2)]
    told = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    waited = [text for text in told if "Another run is writing results in" in text]
    assert len(waited) == 1
    first = both[1 - told.index(waited[0])]
    assert re.search(rf"\(process {first.pid}, since \d{{4}}-\d\d-\d\d \d\d:\d\d\)", waited[0])
    assert "Nothing has changed since the last run." in waited[0]
    assert "\x00" not in (trial.parent / "results/my_trial/logs/run.txt").read_text("utf-8")


def test_a_fault_of_the_protocol_is_told_before_anything_is_written(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trial.write_text(trial.read_text("utf-8").replace("covariates", "covarites"), encoding="utf-8")
    assert main(["run", str(trial)]) == 1
    assert "Did you mean 'covariates'?" in capfd.readouterr().err
    assert not (trial.parent / "results").exists()
