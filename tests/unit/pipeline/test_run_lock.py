"""Two runs in one folder come one after the other, and a killed run leaves no lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from schooltrial.pipeline.run_lock import ONLY_LOOK, wait_for_other_runs

HOLD = (
    "import sys, time; from pathlib import Path\n"
    "from schooltrial.pipeline.run_lock import wait_for_other_runs\n"
    "wait_for_other_runs([], Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such lock")


def begun(lock: Path) -> subprocess.Popen[str]:
    """Begin a process that holds the lock for a minute."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def told(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


def test_a_second_run_says_that_it_waits_and_starts_when_the_first_is_killed(
    tmp_path: Path,
) -> None:
    first = begun(tmp_path / "run.lock")
    assert line(first) == "held\n"
    second = begun(tmp_path / "run.lock")
    assert f"Another run is writing results in this folder (process {first.pid}, since 2" in told(
        second
    )
    first.kill()
    assert line(second) == "held\n"
    second.kill()
    for process in (first, second):
        process.communicate()


@pytest.mark.parametrize("option", sorted(ONLY_LOOK))
def test_a_command_that_only_looks_waits_for_none(option: str, tmp_path: Path) -> None:
    wait_for_other_runs(["--cores", "1", option], tmp_path / "run.lock")
    assert not (tmp_path / "run.lock").exists()
