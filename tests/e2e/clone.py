"""A copy of the project, and a small trial that lies elsewhere, run as a user would."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[2]
PARTS = (
    "Snakefile",
    "src",
    "profiles",
    "workflow",
    "config",
    "data",
    "notebooks",
    "tests/results",
    "pyproject.toml",
    "requirements.lock",
)


@dataclass(frozen=True)
class Run:
    """What a command printed, and its exit code."""

    code: int
    text: str


@dataclass(frozen=True)
class Clone:
    """A copy of the project with a trial beside it."""

    project: Path
    trial: Path

    @property
    def results(self) -> Path:
        return self.project / "results" / "small_trial"

    def snakemake(self, *arguments: str, cores: int = 2) -> Run:
        """Run the workflow on the trial's protocol."""
        return self.workflow(
            *arguments, "--config", f"protocols={self.trial / 'trial.yaml'}", cores=cores
        )

    def workflow(self, *arguments: str, cores: int = 2) -> Run:
        """Run the workflow with these arguments; without any, on the studies of the project."""
        process = self.begun(*arguments, cores=cores)
        text, _ = process.communicate()
        return Run(process.returncode, text)

    def begun(self, *arguments: str, cores: int = 2) -> subprocess.Popen[str]:
        """Begin to run the workflow, in a session of its own, as a terminal does."""
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments]
        return subprocess.Popen(
            command,
            cwd=self.project,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )


def write_trial(folder: Path) -> None:
    """Write twelve schools in three blocks, with twenty pupils each in each of three years."""
    raw = folder / "raw"
    raw.mkdir(parents=True)
    random = np.random.default_rng(7)
    schools = pd.DataFrame(
        {
            "school": [f"{n:03d}" for n in range(1, 13)],
            "block": [f"block {1 + n // 4}" for n in range(12)],
            "arm": ["T", "C", "C", "T"] * 3,
        }
    )
    schools.to_csv(raw / "schools.csv", index=False)
    effect = dict(zip(schools["school"], random.normal(0, 3, 12), strict=True))
    for year in (2021, 2022, 2023):
        rows = [
            [
                f"{year}-{school}-{n:02d}",
                school,
                int(random.integers(2)),
                round(50 + effect[school] + random.normal(0, 9), 1),
            ]
            for school in schools["school"]
            for n in range(20)
        ]
        frame = pd.DataFrame(rows, columns=["pupil", "school", "girl", "reading"])
        frame.to_csv(raw / f"pupils_{year}.csv", index=False)
    shutil.copy2(Path(__file__).parent / "small_trial.yaml", folder / "trial.yaml")


def clone_in(folder: Path) -> Clone:
    return Clone(folder / "project", folder / "elsewhere")


def make_clone(folder: Path) -> Clone:
    clone = clone_in(folder)
    for part in PARTS:
        source, target = ROOT / part, clone.project / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    write_trial(clone.trial)
    return clone


def contents(folder: Path) -> dict[str, str]:
    """Return file → hash of everything but logs and benchmarks, which tell times."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in ("logs", "benchmarks")
    }
