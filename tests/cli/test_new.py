"""Claims about ``schooltrial new``: from files to a first report in three commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from schooltrial.cli.main import main


@pytest.mark.slow
def test_two_kinds_of_files_become_a_report_in_three_commands(
    trial: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trial.parent)
    trial.unlink()
    files = ["schools.csv", "pupils_2024.csv", "pupils_2025.csv"]
    assert main(["new", "first", *files, "--yes"]) == 0
    told = capfd.readouterr().out
    assert "Wrote first.yaml." in told
    assert "line 11: 'control' was taken for the control group" in told
    assert "Next: schooltrial check first.yaml" in told
    assert main(["check", "first.yaml", "--cores", "1"]) == 0
    assert main(["run", "first.yaml", "--cores", "1"]) == 0
    assert "  Reading: +" in capfd.readouterr().out


def test_a_protocol_that_is_there_is_not_overwritten(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = trial.read_bytes()
    assert main(["new", str(trial), str(trial.parent / "schools.csv"), "--yes"]) == 1
    assert "is there already; choose another name, or add --replace" in capsys.readouterr().err
    assert trial.read_bytes() == before


def test_a_protocol_is_replaced_where_that_is_asked_for_and_the_one_before_is_kept(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = trial.read_bytes()
    files = [str(trial.parent / name) for name in ("schools.csv", "pupils_2025.csv")]
    assert main(["new", str(trial), *files, "--yes", "--replace"]) == 0
    assert "proposed by `schooltrial new`" in trial.read_text("utf-8")
    assert (trial.parent / "trial.yaml.bak").read_bytes() == before


def test_a_question_without_an_answer_ends_with_a_sentence(
    trial: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(_: str) -> str:
        raise EOFError

    schools = trial.parent / "schools.csv"
    schools.write_text(schools.read_text("utf-8").replace("control", "red"), encoding="utf-8")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", ended)
    pupils = trial.parent / "pupils_2025.csv"
    assert main(["new", str(trial.parent / "b"), str(schools), str(pupils)]) == 1
    assert "no protocol was written" in capsys.readouterr().err
    assert not (trial.parent / "b.yaml").exists()


def test_an_answer_is_read_whatever_its_case_and_a_wrong_one_is_answered_with_the_choices(
    trial: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    schools = trial.parent / "schools.csv"
    schools.write_text(schools.read_text("utf-8").replace("control", "Red"), encoding="utf-8")
    answers = iter(["green", "red"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: next(answers, ""))
    pupils = trial.parent / "pupils_2025.csv"
    assert main(["new", str(trial.parent / "b"), str(schools), str(pupils)]) == 0
    told = capsys.readouterr().out
    assert "'green' is not one of the answers. Type one of: " in told
    proposed = (trial.parent / "b.yaml").read_text("utf-8")
    assert "- {name: red, label: Red}" in proposed.split("arms:")[1].splitlines()[1]


def test_columns_that_are_not_used_are_named_and_remarks_are_no_category(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    remarks = "Moved here from another county in the fourth year", "Has had help since last spring"
    schools = ["school,group,charter"]
    pupils = ["pupil,school,sex,remark,maths"]
    for at in range(12):
        schools.append(f"S{at:02},{'AB'[at % 2]},{'yn'[at % 4 > 0]}")
        pupils += [
            f"P{at:02}{n:02},S{at:02},{'FM'[n % 2]},{remarks[n % 2]},{50 + at * 3 + n * 1.5}"
            for n in range(10)
        ]
    files = [tmp_path / "schools.csv", tmp_path / "pupils.csv"]
    for file, lines in zip(files, (schools, pupils), strict=True):
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main(["new", str(tmp_path / "t"), *map(str, files), "--yes"]) == 0
    told = capfd.readouterr().out
    assert "Not used, of schools.csv: charter\n" in told
    assert "on 'charter': add schools.csv as tables.schools" in told
    assert "balance.school_variables" in told
    assert "Not used, of pupils.csv: remark (free text)\n" in told
    proposed = (tmp_path / "t.yaml").read_text("utf-8")
    assert "column: remark" not in proposed
    assert "sex: {column: sex" in proposed
