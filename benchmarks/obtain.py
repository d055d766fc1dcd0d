"""Time and memory of obtain and clean from raw files, beside what only reads or converts them.

``obtain.py [--pupils 1000000] [--years 10] [--rounds 3] [--write]`` writes a CSV file a year, then
runs each task in an interpreter of its own, in turn, and prints a table. With ``--write`` the
results go to ``benchmarks/obtain.csv`` and to the README beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "workflow" / "scripts")]

from benchmarks.machine import Machine, this_machine  # noqa: E402
from benchmarks.obtain_runs import CLEAN, OBTAIN, PANDAS, TIMED, Timed  # noqa: E402
from benchmarks.obtain_trial import write_trial  # noqa: E402
from benchmarks.stored_results import write_csv, write_table  # noqa: E402

HERE = ROOT / "benchmarks"
NAME = "obtain"
RATIO, SECONDS, MEGABYTES = 0.5, 60.0, 3 * 1024**3 / 1e6


@dataclass(frozen=True)
class Row:
    """One line of the results; None where the tool is not installed."""

    task: str
    tool: str
    version: str
    pupil_years: int
    seconds: float | None = None
    fastest: float | None = None
    slowest: float | None = None
    peak_mb: float | None = None
    ratio_to_pandas: float | None = None
    asked: str = ""
    met: bool | None = None
    rounds: int = 0


def _asked_of(timed: Timed, *arguments: str) -> Any:
    """Return what an interpreter of its own answers; that of the peers is named by PEERS_PYTHON."""
    peers = os.environ.get("PEERS_PYTHON", sys.executable)
    done = subprocess.run(
        [peers if timed.peer else sys.executable, str(HERE / "obtain_runs.py"), *arguments],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def _run(name: str, raw: Path) -> dict[str, float]:
    """Run a task once; what it wrote is removed."""
    out = raw / f"out_{name}"
    try:
        found: dict[str, float] = _asked_of(TIMED[name], name, str(raw), str(out))
    finally:
        shutil.rmtree(out, ignore_errors=True)
    return found


def compare(raw: Path, pupil_years: int, rounds: int) -> list[Row]:
    """Run every installed tool in turn, so many rounds, and return a row for each."""
    versions = {name: _asked_of(one, "version", one.package) for name, one in TIMED.items()}
    wanted = [name for name in TIMED if versions[name]]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in wanted}
    for _ in range(rounds):
        for name in wanted:
            found = _run(name, raw)
            if found["rows"] != pupil_years:
                raise ValueError(f"{name}: {found['rows']} rows, not {pupil_years}")
            runs[name].append(found)
            print(f"{name}: {found['seconds']:.2f} s, {found['megabytes']:.0f} MB", flush=True)
    plain = statistics.median(one["seconds"] for one in runs[PANDAS])
    return [_row(name, versions[name], runs.get(name, []), pupil_years, plain) for name in TIMED]


def _row(
    name: str, used: str, runs: Sequence[Mapping[str, float]], pupil_years: int, plain: float
) -> Row:
    timed = TIMED[name]
    tool = f"ours, on {timed.package}" if name in (OBTAIN, CLEAN) else timed.package
    if not runs:
        return Row(timed.task, tool, "not installed", pupil_years)
    seconds = sorted(run["seconds"] for run in runs)
    median, peak = statistics.median(seconds), max(run["megabytes"] for run in runs)
    asked, met = "", None
    if name == OBTAIN:
        asked, met = f"ratio of at most {RATIO:g}", median <= RATIO * plain
    elif name == CLEAN:
        asked, met = f"{SECONDS:g} s and {MEGABYTES:.0f} MB", (
            median < SECONDS and peak < MEGABYTES
        )  # fmt: skip
    return Row(
        timed.task, tool, used, pupil_years, median,
        seconds[0], seconds[-1], peak, median / plain, asked, met, len(runs),
    )  # fmt: skip


def table(rows: Sequence[Row], machine: Machine) -> str:
    """Return the rows as Markdown."""
    lines = [
        f"{rows[0].pupil_years:,} pupil-years, on {machine.machine}; Python {machine.python}, "
        f"numpy {machine.numpy}. Medians of {rows[0].rounds} rounds, with fastest and slowest.",
        "",
        "| task | tool | seconds | peak memory, MB | times `pandas.read_csv` | asked |",
        "|---|---|--:|--:|--:|---|",
    ]
    for row in rows:
        cells = [row.task, f"{row.tool} {row.version}", "", "", "", ""]
        if row.seconds is not None and row.peak_mb is not None:
            cells[2] = f"{row.seconds:.1f} ({row.fastest:.1f}–{row.slowest:.1f})"
            cells[3], cells[4] = f"{row.peak_mb:,.0f}", f"{row.ratio_to_pandas:.2f}"
        if row.met is not None:
            cells[5] = f"{row.asked}: {'met' if row.met else 'missed'}"
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pupils", type=int, default=1_000_000, help="in each year")
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="store the results")
    return parser.parse_args()


def main() -> None:
    """Write the raw files, time every task, print the table, and store it where asked."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        pupils = asked.pupils // 6 * 6
        write_trial(Path(scratch), pupils, asked.years)
        rows = compare(Path(scratch), pupils * asked.years, asked.rounds)
    machine = this_machine("")
    made = table(rows, machine)
    print(made)
    if asked.write:
        write_csv(rows, machine, HERE / "obtain.csv")
        write_table(made, HERE / "README.md", NAME)


if __name__ == "__main__":
    main()
