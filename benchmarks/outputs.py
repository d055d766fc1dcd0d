"""Processor time of what a small study gives its readers: figures, tables, pages and PDF.

``outputs.py [--rounds 3] [--write]`` copies the project to a folder of its own, runs
``examples/minimal`` there from raw files to its report, and adds up the CPU seconds of the jobs
that draw figures, tabulate and write pages, as the kernel counts them (Linux, where jobs are
forks). A start of Python with all that these jobs import, which a run needs once, is timed apart
and added. Models, checks and notebooks are not counted. With ``--write`` the results go to
``benchmarks/outputs.csv`` and to the README beside it.
"""

from __future__ import annotations

import argparse
import csv
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import Machine, this_machine  # noqa: E402
from benchmarks.stored_results import write_csv, write_table  # noqa: E402
from benchmarks.workflow import not_run, used_by  # noqa: E402

HERE = ROOT / "benchmarks"
NAME = "outputs"
PROTOCOL = "examples/minimal/trial.yaml"
ASKED = 8.0
"""CPU seconds that all outputs of a small study may cost together."""

KINDS = {
    "figures": re.compile(r"draw_\w+"),
    "tables of baseline and effects": re.compile(r"tabulate_\w+"),
    "report, summary, study record, tables for texts": re.compile(r"write_report"),
    "pages on data quality and monitoring": re.compile(r"write_(?:data_quality|monitoring)"),
}
"""What readers get → the rules that make it."""

IMPORTS = "imports, once for all jobs"
TOGETHER = "together"

PRELOAD = """
import sys
from pathlib import Path
sys.path.insert(0, "src")
from schooltrial.pipeline.forked_jobs.forked_scripts import imported_early
from schooltrial.pipeline.forked_jobs.job_server import preload
for module in imported_early(Path("workflow/scripts")):
    preload(module)
"""


@dataclass(frozen=True)
class Row:
    """One line of the results: medians of all rounds, with the least and the most."""

    output: str
    jobs: int
    cpu_seconds: float
    least: float
    most: float
    rounds: int


def of_jobs(benchmarks: Path) -> dict[str, float]:
    """Return job → its CPU seconds, as Snakemake wrote them."""
    found = {}
    for path in sorted(benchmarks.glob("*.tsv")):
        with path.open(newline="", encoding="utf-8") as source:
            (row,) = csv.DictReader(source, delimiter="\t")
        found[path.stem] = float(row["cpu_time"])
    return found


def by_kind(jobs: Mapping[str, float]) -> dict[str, list[float]]:
    """Return output → the CPU seconds of each job that makes it."""
    return {
        kind: [seconds for job, seconds in jobs.items() if rule.fullmatch(job)]
        for kind, rule in KINDS.items()
    }


def measure(folder: Path, rounds: int) -> list[Row]:
    """Return a row for each kind of output, for the imports, and for all together.

    A first run is not counted: it compiles modules and loops, which are kept for later ones.
    """
    seconds: dict[str, list[float]] = {kind: [] for kind in (*KINDS, IMPORTS, TOGETHER)}
    jobs: dict[str, int] = {}
    for at in range(rounds + 1):
        for name in ("results", ".snakemake"):
            shutil.rmtree(folder / name, ignore_errors=True)
        used_by([sys.executable, "-m", "snakemake", "--cores", "1", "--config",
                 f"protocols={PROTOCOL}", "studies="], folder)  # fmt: skip
        started = used_by([sys.executable, "-c", PRELOAD], folder).cpu
        (benchmarks,) = folder.glob("results/*/benchmarks")
        found = by_kind(of_jobs(benchmarks))
        if not at:
            continue
        for kind, times in found.items():
            seconds[kind].append(sum(times))
            jobs[kind] = len(times)
        seconds[IMPORTS].append(started)
        seconds[TOGETHER].append(started + sum(map(sum, found.values())))
        print(f"{seconds[TOGETHER][-1]:.2f} CPU-s, {started:.2f} of them imports", flush=True)
    jobs[TOGETHER] = sum(jobs.values())
    return [
        Row(kind, jobs.get(kind, 0), statistics.median(times), min(times), max(times), len(times))
        for kind, times in seconds.items()
    ]


def table(rows: Sequence[Row], machine: Machine) -> str:
    """Return the rows as Markdown."""
    lines = [
        f"`{PROTOCOL}`, on {machine.machine}; Python {machine.python}. "
        f"Medians of {rows[0].rounds} rounds, with least and most.",
        "",
        "| output | jobs | CPU seconds | asked |",
        "|---|--:|--:|---|",
    ]
    for row in rows:
        asked = f"at most {ASKED:g}: {'met' if row.most <= ASKED else 'missed'}"
        lines.append(
            f"| {row.output} | {row.jobs or ''} "
            f"| {row.cpu_seconds:.2f} ({row.least:.2f}–{row.most:.2f}) "
            f"| {asked if row.output == TOGETHER else ''} |"
        )
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="store the results")
    return parser.parse_args()


def main() -> None:
    """Copy the project, time the outputs of a small study, print the table, and store it."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        shutil.copytree(ROOT, folder, ignore=not_run)
        rows = measure(folder, asked.rounds)
    machine = this_machine("")
    made = table(rows, machine)
    print(made)
    if asked.write:
        write_csv(rows, machine, HERE / "outputs.csv", digits=3)
        write_table(made, HERE / "README.md", NAME)


if __name__ == "__main__":
    main()
