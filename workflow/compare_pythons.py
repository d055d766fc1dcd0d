"""Run the project's studies with every Python found, and compare the bytes: ``make same-bytes``.

Each Python has a copy of the committed files and an environment of its own from the lock. The first
runs on two cores, the others on one with another seed of hashes, so that one comparison shows that
neither the version, nor the cores, nor the seed makes a difference.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
PYTHONS = ("python3.11", "python3.12", "python3.13")


def found(asked: Sequence[str]) -> list[str]:
    """Return the Pythons to run with: those asked for, or all of the path."""
    paths = [shutil.which(name) for name in asked or PYTHONS]
    missing = [name for name, path in zip(asked, paths, strict=False) if path is None]
    if missing:
        sys.exit(f"make: {missing[0]} was not found; name Pythons that can be run: PYTHONS='...'")
    return [path for path in paths if path is not None]


def results_of(python: str, folder: Path, cores: int, seed: int) -> Path:
    """Return the results of the studies, run in a new copy with an environment of its own."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    subprocess.run([python, "workflow/build_environment.py"], cwd=folder, check=True)
    clean = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
    kept = {name: value for name, value in os.environ.items() if name not in clean}
    own = f"{folder / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    surroundings = {**kept, "PATH": own, "PYTHONHASHSEED": str(seed)}
    command = [str(folder / ".venv/bin/snakemake"), "--cores", str(cores), "--quiet", "all"]
    subprocess.run(command, cwd=folder, check=True, env=surroundings)
    return folder / "results"


def main(asked: Sequence[str]) -> int:
    """Compare the results of all Pythons with those of the first; 1 if any file differs."""
    first, *others = found(asked)
    if not others:
        sys.exit("make: one Python alone was found; name others: make same-bytes PYTHONS='...'")
    differ = False
    with TemporaryDirectory(prefix="schooltrial-bytes-") as made:
        expected = results_of(first, Path(made) / "0", cores=2, seed=0)
        for at, python in enumerate(others, start=1):
            given = results_of(python, Path(made) / str(at), cores=1, seed=at)
            print(f"{Path(python).name} and {Path(first).name}:", flush=True)
            compare = ["workflow/compare_results.py", str(expected), str(given), "--all"]
            differ |= subprocess.run([sys.executable, *compare], cwd=ROOT).returncode != 0
    return int(differ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
