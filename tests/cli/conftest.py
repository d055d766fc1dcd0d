"""A small trial in a folder of the user's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.small_trial import ROOT
from support.warm_snakemake import let_commands_fork


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    """Return the protocol of a small trial that lies in a folder with a space in its name."""
    return small_trial(tmp_path)


def small_trial(inside: Path) -> Path:
    """Write a small trial into a folder with a space in its name, and return its protocol."""
    folder = inside / "my trial"
    left = shutil.ignore_patterns("results", ".snakemake")
    shutil.copytree(ROOT / "examples" / "minimal", folder, ignore=left)
    return folder / "trial.yaml"


@pytest.fixture(autouse=True)
def forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands that a test calls run Snakemake as a fork; one that it starts does as ever."""
    let_commands_fork(monkeypatch)
