"""Speed beside the peers that are installed: the entry of ``make benchmark``."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "workflow" / "scripts")]

from benchmarks import exhibits, fresh_process  # noqa: E402
from benchmarks.machine import this_machine  # noqa: E402
from benchmarks.measurement import (  # noqa: E402
    FULL,
    LARGE,
    LIMIT,
    QUICK,
    Pace,
    Row,
    compare,
    within,
)
from benchmarks.peer_process import PeerProcess, python_process, r_process  # noqa: E402
from benchmarks.stored_results import write_csv, write_table  # noqa: E402
from benchmarks.tasks import LARGE_TASKS, PANEL_TASKS, TASKS  # noqa: E402
from benchmarks.trials import PANELS, SIZES, Trial, written  # noqa: E402

HERE = ROOT / "benchmarks"
FIRST_CALL_SECONDS = 2.0
STREAM_GIGABYTES = 1.3
PHASES = ("first_call", "large_stream")
NAMES = (*(task.name for task in (*TASKS, *PANEL_TASKS, *LARGE_TASKS)), *PHASES)


def main() -> None:
    """Run what was asked for, print each row, and write the results of a full run."""
    asked = _arguments()
    processes = {"r": r_process(), "python": python_process()}
    rows: list[Row] = []
    try:
        for process in processes.values():
            process.start()
        with tempfile.TemporaryDirectory() as folder:
            for row in _rows(asked, Path(folder), processes):
                print(exhibits.printed(row), flush=True)
                rows.append(row)
    finally:
        for process in processes.values():
            process.close()
    machine = this_machine(processes["r"].versions.get("R", ""))
    if asked.output is not None:
        asked.output.mkdir(parents=True, exist_ok=True)
        write_csv(rows, machine, asked.output / "results.csv", with_r=True)
        exhibits.draw(rows, asked.output)
    if asked.output == HERE:
        write_table(exhibits.table(rows, machine), HERE / "README.md", exhibits.NAME)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="TASK", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="one call of each peer")
    parser.add_argument(
        "--large-peers", action="store_true", help="peers on the large trial too (13 GB, minutes)"
    )
    parser.add_argument(
        "--output", type=Path, help="folder of the results; a full run writes to benchmarks/"
    )
    asked = parser.parse_args()
    if asked.output is None and not asked.only and not asked.quick:
        asked.output = HERE
    elif asked.output is not None:
        asked.output = asked.output.resolve()
    return asked


def _rows(
    asked: argparse.Namespace, folder: Path, processes: dict[str, PeerProcess]
) -> Iterator[Row]:
    wanted = set(asked.only or NAMES)
    pace = QUICK if asked.quick else FULL
    if any(task.name in wanted for task in TASKS) or "first_call" in wanted:
        yield from _ordinary(wanted, folder, processes, pace)
    if any(task.name in wanted for task in PANEL_TASKS):
        yield from _panels(wanted, folder, processes, pace)
    if any(task.name in wanted for task in LARGE_TASKS) or "large_stream" in wanted:
        yield from _large(wanted, folder, processes, asked.large_peers)


def _ordinary(
    wanted: set[str], folder: Path, processes: dict[str, PeerProcess], pace: Pace
) -> Iterator[Row]:
    trials = {name: written(SIZES[name], folder) for name in ("small", "medium", "power")}
    for task in TASKS:
        if task.name in wanted:
            for size in task.trials:
                yield from compare(task, trials[size], trials[task.trials[0]], processes, pace)
    if "first_call" in wanted:
        yield from (_first_call(task.name, task.label, trials[task.trials[-1]]) for task in TASKS)


def _panels(
    wanted: set[str], folder: Path, processes: dict[str, PeerProcess], pace: Pace
) -> Iterator[Row]:
    trials = {name: written(size, folder) for name, size in PANELS.items()}
    for task in PANEL_TASKS:
        if task.name in wanted:
            for size in task.trials:
                yield from compare(task, trials[size], trials[task.trials[0]], processes, pace)


def _first_call(name: str, label: str, trial: Trial) -> Row:
    found = fresh_process.first_call(name, trial.folder)
    note = f"importing the modules {found['modules']:.2f} s; second call {found['second']:.2g} s"
    return within(
        f"First call, compilation included: {label}", trial.size.name, [found["seconds"]],
        FIRST_CALL_SECONDS, note,
    )  # fmt: skip


def _large(
    wanted: set[str], folder: Path, processes: dict[str, PeerProcess], peers: bool
) -> Iterator[Row]:
    small = written(SIZES["small"], folder)
    trial = written(SIZES["large"], folder, columns=peers)
    skip = "" if peers else "not run: only with --large-peers"
    for task in LARGE_TASKS:
        if task.name in wanted:
            yield from compare(task, trial, small, processes, LARGE, skip=skip)
    if "large_stream" in wanted:
        file = folder / "large.parquet"
        trial.frame.to_parquet(file)
        yield _streamed(lambda: fresh_process.streamed(file, trial.terms))


def _streamed(run: Callable[[], dict[str, float]], times: int = 3) -> Row:
    found: Sequence[dict[str, float]] = [run() for _ in range(times)]
    peak = max(one["gigabytes"] for one in found)
    return Row(
        "Two-level REML with both df, streamed from Parquet",
        "large",
        statistics.median(one["seconds"] for one in found),
        LIMIT,
        met=peak < STREAM_GIGABYTES,
        repetitions=f"{times}",
        note=f"peak memory {peak:.2f} GB; less than {STREAM_GIGABYTES} GB asked",
    )


if __name__ == "__main__":
    main()
