"""Jobs as forks of one process: none is left when a run ends, however it does."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.clone import Clone

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="forks are used on Linux only")
PATIENCE = 120.0


def processes(clone: Clone) -> dict[int, str]:
    """Return the processes that work in a clone, with their commands."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(folder / "cwd") == str(clone.project.resolve()):
                command = (folder / "cmdline").read_text().replace("\0", " ")
                if command:  # one that has ended has none
                    found[int(folder.name)] = command
        except OSError:
            continue
    return found


def until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


def forks(clone: Clone) -> list[int]:
    return [pid for pid, command in processes(clone).items() if "job_server.py" in command]


def test_the_command_of_the_readme_is_quiet(built_text: str) -> None:
    assert "Using workflow specific profile profiles/default" in built_text
    assert "input:" not in built_text


@LINUX
def test_jobs_are_forks_and_none_is_left_when_the_run_is_over(built: Clone) -> None:
    row = (built.results / "benchmarks/tabulate_results.tsv").read_text().splitlines()[1]
    assert row.split("\t")[4] == "-"  # what a fork does not tell
    assert processes(built) == {}


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_no_process_is_left_of_a_run_that_is_killed_or_interrupted_and_it_can_be_resumed(
    new_clone: Callable[[], Clone], ending: signal.Signals
) -> None:
    clone = new_clone()
    run = clone.begun(*clone.named)
    assert until(lambda: len(forks(clone)) > 1)  # the server, and a job
    if ending == signal.SIGKILL:
        run.kill()
    else:
        os.killpg(run.pid, ending)
    run.communicate(timeout=PATIENCE)
    assert run.returncode != 0
    assert until(lambda: processes(clone) == {}), processes(clone)
    unlocked = clone.workflow("--unlock", *clone.named)
    assert unlocked.code == 0, unlocked.text
    resumed = clone.snakemake("--rerun-incomplete", "results/small_trial/checks/plan.json")
    assert resumed.code == 0, resumed.text
