"""A small study, built once without any disturbance, for comparison."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.clone import Clone, contents, make_clone
from support.small_trial import ROOT

RESULTS = "results/my_trial"


@dataclass(frozen=True)
class Reference:
    """What an undisturbed run writes, and how many seconds it takes."""

    clone: Clone
    files: dict[str, str]
    seconds: float

    def start_afresh(self) -> None:
        """Remove all results, and all that Snakemake knows of them."""
        for folder in (self.clone.results, self.clone.project / ".snakemake"):
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    clone = make_clone(tmp_path_factory.mktemp("resilience"))
    began = time.monotonic()
    run = clone.started(*clone.named)
    assert run.code == 0, run.text
    return Reference(clone, contents(clone.results), time.monotonic() - began)


def command_of(*more: str) -> list[str]:
    """Return the command that runs the smallest trial, in its folder."""
    call = "import sys; from schooltrial.cli.main import main; sys.exit(main())"
    return [sys.executable, "-c", call, "run", "trial.yaml", "--cores", "2", *more]


def run_command(folder: Path, output: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the smallest trial to its end."""
    command = command_of(*([] if output is None else ["--output", str(output)]))
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the smallest trial, with its results."""
    folder = tmp_path_factory.mktemp("faults") / "trial"
    left = shutil.ignore_patterns("results", ".snakemake")
    shutil.copytree(ROOT / "examples" / "minimal", folder, ignore=left)
    run = run_command(folder)
    assert run.returncode == 0, run.stderr
    return folder
