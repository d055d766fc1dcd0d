"""Claims about ``schooltrial check``."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from cli.conftest import small_trial
from schooltrial.cli.main import main
from support.warm_snakemake import let_commands_fork


def test_a_study_without_a_fault_is_told_with_what_was_read_and_without_a_result(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sorted(trial.parent.rglob("*"))
    assert main(["check", str(trial), "--cores", "1"]) == 0
    told = capfd.readouterr()
    assert "No error was found." in told.out
    assert "pupils_2025.csv: " in told.out
    assert "primary outcome: Reading (reading); pre-test: the score of 2024" in told.out
    assert "the plan can still be changed" in told.out
    assert "then schooltrial run '" in told.out  # the folder has a space in its name
    assert "GUESS" not in told.out
    assert (
        "primary model: multilevel (itt); adjusted for the score before; effect in SD of the "
        "control group" in told.out
    )
    assert "design: complete; schools: 12 Control + 12 Programme\n" in told.out
    assert not re.search(r"[+−-][0-9]+[.]", told.out)  # no estimate
    assert told.err == ""
    assert sorted(trial.parent.rglob("*")) == before


def test_all_faults_of_the_files_are_told_in_one_round(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for year, text in ((2024, "absent"), (2025, "ill")):
        pupils = trial.parent / f"pupils_{year}.csv"
        lines = pupils.read_text("utf-8").splitlines()
        lines[3] = lines[3].rsplit(",", 1)[0] + f",{text}"
        pupils.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main(["check", str(trial), "--cores", "1"]) == 1
    told = capfd.readouterr().err
    assert "Refused: 2 errors were found." in told
    assert "'absent'" in told
    assert "'ill'" in told
    assert "Log: " not in told  # it is not kept


@pytest.mark.slow
def test_a_cell_at_fault_does_not_hide_schools_without_a_match(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    schools = trial.parent / "schools.csv"
    lines = schools.read_text("utf-8").splitlines()
    schools.write_text("\n".join([lines[0], *(f"X{one}" for one in lines[1:5]), *lines[5:]]) + "\n")
    pupils = trial.parent / "pupils_2025.csv"
    lines = pupils.read_text("utf-8").splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0] + ",ill"
    pupils.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main(["check", str(trial), "--cores", "1"]) == 1
    told = capfd.readouterr().err
    assert "'ill'" in told
    assert "4 of 24 schools in the allocation list are not in" in told


def test_faults_of_the_protocol_and_of_the_files_are_told_in_one_round(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pupils = trial.parent / "pupils_2025.csv"
    whole = pupils.read_text("utf-8")
    lines = whole.splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0] + ",ill"
    pupils.write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = trial.read_text("utf-8")
    assert "covariates: [baseline]" in text
    faulty = text.replace("covariates: [baseline]", "covariates: [basline]")
    trial.write_text(faulty.replace("models:", "balnce: {}\nmodels:"), encoding="utf-8")
    assert main(["check", str(trial)]) == 1
    told = capfd.readouterr().err
    assert "Refused: 3 errors were found." in told
    assert all(word in told for word in ("'basline'", "balnce", "'ill'"))
    trial.write_text(faulty.replace("pupils:", "pupls:"), encoding="utf-8")  # files cannot be read
    assert main(["check", str(trial)]) == 1
    assert "'ill'" not in capfd.readouterr().err


@dataclass(frozen=True)
class Checked:
    """What a check that found no error said, and a code that one pupil's file has misspelt."""

    out: str
    meant: str


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """Check a study whose outcomes were read before, and some pupils of which no school has."""
    trial = small_trial(tmp_path_factory.mktemp("checked"))
    record = trial.parent / "results" / "my_trial" / "checks" / "plan_first.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"models": "0"}', encoding="utf-8")
    trial.write_text(f"{trial.read_text('utf-8')}# GUESS: all of it\n", encoding="utf-8")
    roster = trial.parent / "pupils_2025.csv"
    lines = roster.read_text("utf-8").splitlines()
    at = lines[0].split(",").index("school")
    cells = [line.split(",") for line in lines]
    meant = cells[1][at]
    for row, school in ((1, meant.replace("0", "O")), (2, "9999"), (3, "9999"), (4, "")):
        cells[row][at] = school
    roster.write_text("\n".join(",".join(row) for row in cells) + "\n", encoding="utf-8")
    out = StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        let_commands_fork(patch)
        assert main(["check", str(trial), "--cores", "1"]) == 0
    return Checked(out.getvalue(), meant)


def test_a_check_after_a_run_that_read_outcomes_says_that_a_change_is_reported(
    checked: Checked,
) -> None:
    told = checked.out
    assert "Outcomes were read before: a change will be reported." in told
    assert "can still be changed" not in told
    assert "1 line of trial.yaml says GUESS" in told


def test_pupils_that_no_listed_school_has_are_told_with_the_code_that_was_likely_meant(
    checked: Checked,
) -> None:
    told = checked.out
    assert "3 pupils in 2 schools that are not in the allocation list" in told
    assert f"did you mean {checked.meant!r}?" in told
    assert "1 pupil without a school (blank in pupils_2025.csv) is left out." in told


@pytest.mark.slow
def test_what_only_a_model_that_draws_refuses_is_told_by_the_check(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    schools = (trial.parent / "schools.csv").read_text("utf-8").splitlines()[1:]
    three = [row.split(",")[0] for row in schools][:3]
    extra = "{label: W, estimator: wild_bootstrap, role: sensitivity, outcomes: [reading]"
    where = f"where: {{year: [2025], school: {three}}}, covariates: [baseline], replications: 399}}"
    trial.write_text(f"{trial.read_text('utf-8')}  wild: {extra}, {where}\n", encoding="utf-8")
    assert main(["check", str(trial), "--cores", "1"]) == 1
    told = capfd.readouterr()
    assert "model wild, outcome reading: " in told.err
    assert "deleted" not in told.out
