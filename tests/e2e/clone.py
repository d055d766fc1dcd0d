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

from support.warm_snakemake import WarmSnakemake, forks_are_used

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
    """A project with a trial beside it: a copy, or links to all of it but its results.

    In a copy a test can edit modules. A run of links can be a fork, as its library is the one
    that is imported already.
    """

    project: Path
    trial: Path

    @property
    def results(self) -> Path:
        return self.project / "results" / "small_trial"

    @property
    def named(self) -> tuple[str, str]:
        """The arguments that name the trial's protocol."""
        return "--config", f"protocols={self.trial / 'trial.yaml'}"

    def snakemake(self, *arguments: str, cores: int = 2) -> Run:
        """Run the workflow on the trial's protocol."""
        return self.workflow(*arguments, *self.named, cores=cores)

    def workflow(self, *arguments: str, cores: int = 2) -> Run:
        """Run the workflow with these arguments; without any, on the studies of the project.

        The run is a fork where that can be: in a copy it can only look, and runs no job.
        """
        if not forks_are_used():
            return self.started(*arguments, cores=cores)
        process = WarmSnakemake(self.command(*arguments, cores=cores), self.project, surroundings())
        text, _ = process.communicate()
        return Run(process.wait(), text)

    def started(self, *arguments: str, cores: int = 2) -> Run:
        """Run the workflow as a user does, in an interpreter that is started for it."""
        process = self.begun(*arguments, cores=cores)
        text, _ = process.communicate()
        return Run(process.returncode, text)

    @staticmethod
    def command(*arguments: str, cores: int) -> list[str]:
        """Return the command that runs the workflow."""
        return [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments]

    def begun(self, *arguments: str, cores: int = 2) -> subprocess.Popen[str]:
        """Begin to run the workflow, in a session of its own, as a terminal does."""
        return subprocess.Popen(
            self.command(*arguments, cores=cores),
            cwd=self.project,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=surroundings(),
            start_new_session=True,
        )


def surroundings() -> dict[str, str]:
    """Return the environment of a run: that of the tests, this interpreter first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path}


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
    """Copy the project, without results, and write the trial beside it."""
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


def make_linked(folder: Path) -> Clone:
    """Link the project, without results and what it fetched, and write the trial beside it."""
    clone = clone_in(folder)
    for part in (*PARTS, *(f"data/{one.name}" for one in sorted((ROOT / "data").iterdir()))):
        target = clone.project / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if part == "data":
            target.mkdir()
        elif part != "data/downloads":
            target.symlink_to(ROOT / part)
    write_trial(clone.trial)
    return clone


def contents(folder: Path) -> dict[str, str]:
    """Return file → hash of everything but logs and benchmarks, which tell times."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in ("logs", "benchmarks")
    }
