"""A run that is killed at any moment recovers by itself: the same command, the same bytes."""

from __future__ import annotations

import os
import random
import signal
import subprocess

import pytest

from e2e.clone import contents
from resilience.conftest import Reference

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
