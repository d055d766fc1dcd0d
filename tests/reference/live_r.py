"""Run R now: calls in, values by job and quantity out, by way of ``reference.R``."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from math import nan
from pathlib import Path
from typing import NamedTuple

import pytest

Results = dict[tuple[str, str], dict[str, float]]

DRIVER = Path(__file__).parent / "reference.R"
PACKAGES = {
    "lmm": ("lme4", "lmerTest", "pbkrtest"),
    "crve": ("clubSandwich", "lme4"),
    "estimatr": ("estimatr",),
}


class Job(NamedTuple):
    """A line of the driver's list; see there."""

    name: str
    call: str
    data: str
    prepare: str = "d"


@cache
def missing(packages: tuple[str, ...]) -> tuple[str, ...]:
    asked = ", ".join(f"'{package}'" for package in packages)
    script = f"cat(Filter(function(p) !nzchar(system.file(package = p)), c({asked})))"
    found = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
    return tuple(found.stdout.split())


def need_r(prefix: str) -> None:
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not on the path; install R to compare with it")
    if absent := missing(PACKAGES[prefix]):
        pytest.skip(f"{prefix}: R has no package {', '.join(absent)}")


def run_r(jobs: Sequence[Job], folder: Path) -> Results:
    """Run the driver once over the jobs; values by job and quantity, then by term."""
    paths = [str(folder / "jobs.tsv"), str(folder / "results.tsv")]
    lines = ["\t".join(Job._fields), *("\t".join(job) for job in jobs)]
    Path(paths[0]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    ran = subprocess.run(
        ["Rscript", str(DRIVER), *paths], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    results: Results = {}
    for line in Path(paths[1]).read_text(encoding="utf-8").splitlines()[1:]:
        name, quantity, term, value = line.split("\t")
        number = nan if value in ("NA", "NaN") else float(value)
        results.setdefault((name, quantity), {})[term] = number
    return results


def of_r(results: Results, name: str, quantity: str) -> dict[str, float]:
    failed = results.get((name, "error"))
    assert failed is None, f"R stopped at {name}: {failed}"
    return results[name, quantity]
