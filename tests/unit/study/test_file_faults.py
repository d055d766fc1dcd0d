"""Links of a study are judged too where cells that link nothing are at fault."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from schooltrial.protocol.reading import read_protocol
from schooltrial.refusal import Fault
from schooltrial.study.file_faults import faults_of_links
from schooltrial.study.study import Study
from support.small_trial import ROOT, schema

Spoilt = Callable[[str, int, str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of the smallest trial, three schools of whose list have other names."""
    left = shutil.ignore_patterns("results", ".snakemake")
    trial = Path(shutil.copytree(ROOT / "examples" / "minimal", tmp_path / "trial", ignore=left))
    for row in (1, 2, 3):
        _set(trial / "schools.csv", row, "school", f"X{row}")
    return trial


def _set(file: Path, row: int, column: str, text: str) -> None:
    lines = [line.split(",") for line in file.read_text("utf-8").splitlines()]
    lines[row][lines[0].index(column)] = text
    file.write_text("\n".join(map(",".join, lines)) + "\n", encoding="utf-8")


def _found(folder: Path) -> tuple[Fault, ...]:
    return faults_of_links(Study.of(read_protocol(folder / "trial.yaml", schema())))


def test_schools_without_a_match_are_found_also_where_a_score_is_no_number(folder: Path) -> None:
    (alone,) = _found(folder)
    _set(folder / "pupils_2025.csv", 4, "reading", "absent")
    assert _found(folder) == (alone,)
    assert "3 of 24 schools" in alone.found


def test_links_are_not_judged_where_an_identifier_or_a_file_cannot_be_read(folder: Path) -> None:
    whole = (folder / "pupils_2025.csv").read_bytes()
    _set(folder / "pupils_2025.csv", 4, "school", "")
    _set(folder / "pupils_2025.csv", 5, "pupil", "")
    assert _found(folder) == ()
    (folder / "pupils_2025.csv").write_bytes(whole + b'"')
    assert _found(folder) == ()
    (folder / "pupils_2025.csv").unlink()
    assert _found(folder) == ()


def test_where_all_is_well_nothing_is_found(tmp_path: Path) -> None:
    left = shutil.ignore_patterns("results", ".snakemake")
    shutil.copytree(ROOT / "examples" / "minimal", tmp_path / "trial", ignore=left)
    assert _found(tmp_path / "trial") == ()
