"""A small trial in a folder of the user's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.small_trial import ROOT


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    """Return the protocol of a small trial that lies in a folder with a space in its name."""
    folder = tmp_path / "my trial"
    left = shutil.ignore_patterns("results", ".snakemake")
    shutil.copytree(ROOT / "examples" / "minimal", folder, ignore=left)
    return folder / "trial.yaml"
