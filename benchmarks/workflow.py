"""Time of the whole workflow, from raw files to reports, beside one start of Python.

``workflow.py [--all] [--rounds 3] [--write]`` copies the project to a folder of its own, runs the
study ``achievement_awards`` there (with ``--all``, the default studies too), and again with nothing
to do. In each round, an interpreter that imports pandas, scipy.stats and matplotlib.pyplot is timed
too: what any script of an analysis costs before its first line. With ``--write`` the results go to
``benchmarks/workflow.csv`` and to the README beside it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import Machine, this_machine  # noqa: E402
from benchmarks.stored_results import write_csv, write_table  # noqa: E402

HERE = ROOT / "benchmarks"
NAME = "workflow"
IMPORTS = "import pandas, scipy.stats, matplotlib.pyplot"
STUDY = "achievement_awards"
LEFT_OUT = {"results", "benchmarks", "docs"}
"""Folders of the project that a run does not read, as it reads none whose name begins with a dot;
of the tests, it runs those of the results."""
CORES = 2


@dataclass(frozen=True)
class Used:
    """What a command used: seconds by the clock, and of processors in all its processes."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Row:
    """One line of the results: medians of all rounds, and how often they hold an import."""

    task: str
    studies: int
    jobs: int
    seconds: float
    fastest: float
    slowest: float
    cpu_seconds: float
    import_seconds: float
    import_cpu_seconds: float
    ratio: float
    ratio_cpu: float
    rounds: int


def not_run(folder: str, names: Sequence[str]) -> set[str]:
    """Return what of a folder is not copied."""
    caches = {"__pycache__"} & set(names)
    if Path(folder) == ROOT:
        return caches | LEFT_OUT | {name for name in names if name.startswith(".")}
    return {n for n in names if n != "results"} if Path(folder) == ROOT / "tests" else caches


def used_by(command: Sequence[str], folder: Path) -> Used:
    """Run a command to its end, and return what it and all processes that it waited for used."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with (folder / "printed.log").open("w") as printed:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=printed, stderr=subprocess.STDOUT
        )
        _, status, resources = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        told = (folder / "printed.log").read_text()[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{told}")
    return Used(wall, resources.ru_utime + resources.ru_stime)


def workflow(folder: Path, studies: Sequence[str]) -> Used:
    """Run the workflow on these studies; on the default ones, if none is named."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(CORES)]
    return used_by([*command, *(["--config", f"studies={','.join(studies)}"] if studies else [])],
                   folder)  # fmt: skip


def measure(folder: Path, studies: Sequence[str], rounds: int) -> list[Row]:
    """Return a row for a run from raw files, and one for a run with nothing to do.

    A first run is not counted: it compiles modules and loops, which are kept for later ones.
    """
    starts: list[Used] = []
    whole: list[Used] = []
    nothing: list[Used] = []
    for at in range(rounds + 1):
        for name in ("results", ".snakemake"):
            shutil.rmtree(folder / name, ignore_errors=True)
        found = [
            used_by([sys.executable, "-c", IMPORTS], folder),
            workflow(folder, studies),
            workflow(folder, studies),
        ]
        if at:
            for kept, used in zip((starts, whole, nothing), found, strict=True):
                kept.append(used)
            print(f"{found[1].wall:.1f} s, {found[1].cpu:.1f} CPU-s", flush=True)
    reports = len(list(folder.glob("results/*/report/report.html")))
    jobs = len(list(folder.glob("results/*/benchmarks/*.tsv")))
    return [
        _row("from raw files to reports", reports, jobs, whole, starts),
        _row("nothing to do", reports, 0, nothing, starts),
    ]


def _row(task: str, studies: int, jobs: int, runs: Sequence[Used], starts: Sequence[Used]) -> Row:
    wall = sorted(run.wall for run in runs)
    cpu = statistics.median(run.cpu for run in runs)
    start = statistics.median(one.wall for one in starts)
    start_cpu = statistics.median(one.cpu for one in starts)
    median = statistics.median(wall)
    return Row(
        task, studies, jobs, median, wall[0], wall[-1], cpu, start, start_cpu,
        median / start, cpu / start_cpu, len(runs),
    )  # fmt: skip


def table(rows: Sequence[Row], machine: Machine) -> str:
    """Return the rows as Markdown."""
    start = f"{rows[0].import_seconds:.1f} s, {rows[0].import_cpu_seconds:.1f} CPU-s"
    lines = [
        f"On {machine.machine}; Python {machine.python}; {CORES} jobs at a time. "
        f"Medians of {rows[0].rounds} rounds, with fastest and slowest. "
        f"One start of Python with its imports: {start}.",
        "",
        "| task | studies | jobs | seconds | CPU seconds | starts of Python | of its CPU seconds |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        seconds = f"{row.seconds:.1f} ({row.fastest:.1f}–{row.slowest:.1f})"
        lines.append(
            f"| {row.task} | {row.studies} | {row.jobs} | {seconds} | {row.cpu_seconds:.1f} "
            f"| {row.ratio:.1f} | {row.ratio_cpu:.1f} |"
        )
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="the default studies too, together")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="store the results")
    return parser.parse_args()


def main() -> None:
    """Copy the project, time its runs, print the table, and store it where asked."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        shutil.copytree(ROOT, folder, ignore=not_run)
        rows = measure(folder, [STUDY], asked.rounds)
        if asked.all:
            rows += measure(folder, [], asked.rounds)
    machine = this_machine("")
    made = table(rows, machine)
    print(made)
    if asked.write:
        write_csv(rows, machine, HERE / "workflow.csv")
        write_table(made, HERE / "README.md", NAME)


if __name__ == "__main__":
    main()
