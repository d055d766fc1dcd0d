"""Faults of files and machines: each is mended by the same command, or told with its remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.clone import contents
from resilience.conftest import RESULTS, run_command

LONG_AGO = (10**9, 10**9)
PLAN = f"{RESULTS}/checks/plan_first.json"


@dataclass(frozen=True)
class Fault:
    """Something that happens to a finished study.

    Attributes
    ----------
    name : str
        What happens.
    harm : callable
        Takes the folder of the trial, and does it.
    told : str
        Words of the refusal; empty where the same command mends it.
    """

    name: str
    harm: Callable[[Path], object]
    told: str = ""


def _old(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, LONG_AGO)


def _edited(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        content = (folder / name).read_bytes()
        assert old in content
        _old(folder / name, content.replace(old, new, 1))

    return harm


def _cut(name: str) -> Callable[[Path], None]:
    return lambda folder: _old(folder / name, (folder / name).read_bytes()[:60])


def _gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _set_back(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, LONG_AGO)


def _spoil_metadata(folder: Path) -> None:
    for path in sorted((folder / ".snakemake" / "metadata").rglob("*"))[:5]:
        if path.is_file():
            path.write_bytes(b"{")


def _leave_a_lock(folder: Path) -> None:
    locks = folder / ".snakemake" / "locks"
    locks.mkdir(exist_ok=True)
    (locks / "0.output.lock").write_text("results/my_trial/estimates/estimates.csv\n", "utf-8")


FAULTS = (
    Fault("an edited check", _edited(f"{RESULTS}/checks/balance.csv", b"r", b"R")),
    Fault("edited estimates", _edited(f"{RESULTS}/estimates/estimates.csv", b"0.", b"1.")),
    Fault("a truncated sample", _cut(f"{RESULTS}/data/sample.parquet")),
    Fault("a truncated figure", _cut(f"{RESULTS}/figures/effects.svg")),
    Fault("a report that is gone", _gone(f"{RESULTS}/report/report.html")),
    Fault("estimates that are gone", _gone(f"{RESULTS}/estimates/estimates.csv")),
    Fault("a clock set back, or files restored with old dates", _set_back),
    Fault("records of Snakemake that are damaged", _spoil_metadata),
    Fault("a lock of a run that was killed", _leave_a_lock),
    Fault("an empty record of the plan", lambda folder: (folder / PLAN).write_bytes(b""),
          "plan_first.json"),
    Fault("a damaged record of the plan", lambda folder: (folder / PLAN).write_bytes(b'{"study'),
          "plan_first.json"),
    Fault("a raw file that is gone", _gone("pupils_2025.csv"), "pupils_2025.csv"),
    Fault("a truncated raw file", _edited("pupils_2025.csv", b"pupil,", b""), "pupils_2025.csv"),
)  # fmt: skip


@pytest.mark.slow
def test_each_fault_of_a_finished_study_is_mended_or_told(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a refusal the file is put back, as its remedy says; the bytes are the same."""
    expected = contents(finished / RESULTS)
    mended = told = 0
    for at, fault in enumerate(FAULTS):
        folder = tmp_path / str(at)
        shutil.copytree(finished, folder)
        fault.harm(folder)
        run = run_command(folder)
        if fault.told:
            assert run.returncode == 1, fault.name
            assert fault.told in run.stderr, (fault.name, run.stderr)
            assert "Traceback" not in run.stderr, (fault.name, run.stderr)
            for raw in ("pupils_2025.csv", PLAN):
                shutil.copy2(finished / raw, folder / raw)
            run, told = run_command(folder), told + 1
        else:
            mended += 1
        assert run.returncode == 0, (fault.name, run.stderr)
        assert contents(folder / RESULTS) == expected, fault.name
        shutil.rmtree(folder)
    with capsys.disabled():
        print(
            f"\n{len(FAULTS)} faults: {mended} mended by the same command, {told} told with their "
            "remedy; the bytes were the same after each"
        )


@pytest.mark.slow
def test_a_raw_file_with_other_content_and_an_older_date_is_read_and_so_is_its_backup(
    finished: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "trial"
    shutil.copytree(finished, folder)
    raw, backup = folder / "pupils_2025.csv", (folder / "pupils_2025.csv").read_bytes()
    estimates = Path(RESULTS) / "estimates" / "estimates.csv"
    lines = backup.splitlines(keepends=True)
    _old(raw, b"".join([*lines[:1], *lines[3:]]))
    assert run_command(folder).returncode == 0
    assert (folder / estimates).read_bytes() != (finished / estimates).read_bytes()
    _old(raw, backup)
    assert run_command(folder).returncode == 0
    assert (folder / estimates).read_bytes() == (finished / estimates).read_bytes()


@pytest.mark.slow
def test_a_full_disk_is_told_in_a_sentence_and_the_run_goes_on_where_there_is_room(
    finished: Path, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    size = ["mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", str(small)]
    if shutil.which("mount") is None or subprocess.run(size, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        run = run_command(finished, small)
        assert run.returncode == 1
        assert "Traceback" not in run.stderr
        assert "disk is full" in run.stderr, run.stderr
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        run = run_command(finished, small)
        assert run.returncode == 0, run.stderr
    finally:
        subprocess.run(["umount", str(small)], check=False)
