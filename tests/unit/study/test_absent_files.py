"""Claims about files that are not there yet."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schooltrial.protocol.content.sections import Protocol
from schooltrial.protocol.reading import read_protocol
from schooltrial.protocol.rehearsal import SIMULATED_STAMP, STAMP
from schooltrial.study.absent_files import find_absent, rehearsed, without_files
from support.small_trial import ROOT, schema


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of the smallest trial."""
    left = shutil.ignore_patterns("results", ".snakemake")
    return Path(shutil.copytree(ROOT / "examples" / "minimal", tmp_path / "trial", ignore=left))


def _plan(folder: Path) -> Protocol:
    return read_protocol(folder / "trial.yaml", schema())


def test_a_file_of_outcomes_that_is_not_there_is_absent_and_the_stamp_says_so(
    folder: Path,
) -> None:
    assert find_absent(_plan(folder)) == []
    assert rehearsed(_plan(folder)).content["study"]["title"].startswith(f"{STAMP}:")
    (folder / "pupils_2025.csv").unlink()
    assert find_absent(_plan(folder)) == ["pupils_2025.csv"]
    assert rehearsed(_plan(folder)).content["study"]["title"].startswith(f"{SIMULATED_STAMP}:")


def test_a_mistyped_file_and_the_allocation_list_are_not_simulated(folder: Path) -> None:
    (folder / "pupils_2025.csv").rename(folder / "pupil_2025.csv")
    (folder / "schools.csv").unlink()
    assert find_absent(_plan(folder)) == []


def test_the_other_years_of_a_file_are_read(folder: Path) -> None:
    tables = _plan(folder).content["tables"]
    found = without_files(tables, [2024, 2025], ["pupils_2025.csv"])
    (reading,) = found["scores"]
    assert (reading["file"], reading["year"]) == ("pupils_2024.csv", 2024)
    assert found["schools"] == tables["schools"]
    assert "scores" not in without_files(
        tables, [2024, 2025], ["pupils_2024.csv", "pupils_2025.csv"]
    )
