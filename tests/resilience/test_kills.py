"""A run that is killed at any moment recovers by itself: the same command, the same bytes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from e2e.clone import contents
from resilience.conftest import RESULTS, Reference, command_of, run_command

KILLS = int(os.environ.get("SCHOOLTRIAL_KILLS", "100"))
ENDED_IN_A_ROW = 20
"""Runs that may end before they are killed, one after another, before the test gives up."""


@pytest.mark.slow
def test_after_each_kill_the_same_command_writes_the_same_bytes(
    reference: Reference, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kill at random moments of the whole run; after each second kill, let the run end."""
    moments, clone = random.Random(14), reference.clone
    killed = recovered = early = 0
    hurt = False
    reference.start_afresh()
    while killed < KILLS:
        process = clone.begun(*clone.named)
        try:
            process.communicate(timeout=moments.uniform(0.2, reference.seconds))
            early += 1
            assert early < ENDED_IN_A_ROW
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            killed, early, hurt = killed + 1, 0, True
            if killed % 2:
                continue  # killed again before it has recovered
        run = clone.started(*clone.named)
        assert run.code == 0, run.text
        assert contents(clone.results) == reference.files
        recovered, hurt = recovered + hurt, False
        reference.start_afresh()
    with capsys.disabled():
        print(
            f"\n{killed} runs killed at random moments of {reference.seconds:.0f} seconds; "
            f"{recovered} of {recovered} recoveries by the same command, all with the same bytes"
        )


@pytest.mark.slow
def test_after_each_kill_of_the_command_the_same_command_writes_the_same_bytes(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kill `schooltrial run` alone, or with all that it started: what goes on is waited for."""
    moments, expected = random.Random(15), contents(finished / RESULTS)
    began = time.monotonic()
    shutil.copytree(finished, tmp_path / "whole", ignore=shutil.ignore_patterns("results", ".*"))
    assert run_command(tmp_path / "whole").returncode == 0
    seconds = time.monotonic() - began
    killed = recovered = at = 0
    while killed < max(KILLS // 5, 1):
        at += 1
        assert at < 2 * KILLS + ENDED_IN_A_ROW, "runs end before they are killed"
        folder = tmp_path / str(at)
        shutil.copytree(finished, folder, ignore=shutil.ignore_patterns("results", ".*"))
        run = subprocess.Popen(
            command_of(), cwd=folder, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            run.wait(moments.uniform(0.2, seconds))
        except subprocess.TimeoutExpired:
            killing = os.killpg if at % 2 else os.kill
            killing(run.pid, signal.SIGKILL)
            run.wait()
            killed += 1
            again = run_command(folder)
            assert again.returncode == 0, again.stderr
            assert contents(folder / RESULTS) == expected
            recovered += 1
        shutil.rmtree(folder)
    with capsys.disabled():
        print(
            f"\n`schooltrial run` killed {killed} times, alone or with what it started; "
            f"{recovered} of {killed} recoveries by the same command, all with the same bytes"
        )
