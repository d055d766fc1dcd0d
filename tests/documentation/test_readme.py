"""The first page holds what it promises: its length, its example and its refusal."""

from __future__ import annotations

import re
import runpy
import shutil
from pathlib import Path

import pytest

from schooltrial.refusal import Refusal
from support.rules_in_process import StudyRun
from support.shapes.ending import as_it_was
from support.small_trial import ROOT

README = (ROOT / "README.md").read_text("utf-8")
EXAMPLE = ROOT / "examples" / "minimal"
MADE = runpy.run_path(str(EXAMPLE / "make_files.py"))
RAW = ("schools.csv", "pupils_2024.csv", "pupils_2025.csv")


def _block(kind: str) -> str:
    found = re.findall(rf"```{kind}\n(.*?)```", README, re.S)
    assert len(found) == 1
    return str(found[0])


def _copied(folder: Path) -> Path:
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder / "trial.yaml"


def test_the_page_has_at_most_120_lines() -> None:
    assert len(README.splitlines()) <= 120


def test_the_protocol_on_the_page_is_the_one_that_is_shipped_and_has_15_lines() -> None:
    shipped = (EXAMPLE / "trial.yaml").read_text("utf-8")
    assert _block("yaml") == shipped
    assert len(shipped.splitlines()) == 15


def test_the_shipped_files_are_those_of_the_seeded_script(tmp_path: Path) -> None:
    MADE["write_files"](tmp_path)
    for name in RAW:
        assert (tmp_path / name).read_bytes() == (EXAMPLE / name).read_bytes(), name
    assert len((tmp_path / "schools.csv").read_text("utf-8").splitlines()) == 24 + 1
    assert len((tmp_path / "pupils_2024.csv").read_text("utf-8").splitlines()) == 480 + 1


def test_the_example_gives_a_report_that_says_that_its_data_are_synthetic(tmp_path: Path) -> None:
    run = StudyRun(_copied(tmp_path / "trial"), tmp_path / "work")
    with as_it_was():
        run.make("report/report.html")
    page = (run.results / "report" / "report.html").read_text("utf-8")
    assert "My reading trial" in page
    assert re.search("synthetic data", page, re.I)
    assert "24 schools randomised (12 intervention, 12" in page


def test_the_refusal_on_the_page_is_what_a_user_gets(tmp_path: Path) -> None:
    protocol = _copied(tmp_path / "trial")
    raw = protocol.parent / "pupils_2025.csv"
    lines = raw.read_text("utf-8").splitlines()
    lines[4] = re.sub(r"\d+$", "absent", lines[4])
    raw.write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(Refusal) as refused:
        StudyRun(protocol, tmp_path / "work").make("data/scores.parquet")
    assert _block("text") == f"{refused.value}\n"


def test_the_picture_is_there_and_small() -> None:
    assert 10_000 < (ROOT / "docs" / "report.png").stat().st_size < 200_000
