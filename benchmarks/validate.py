"""Type I error and coverage of every method on simulated trials, and how often checks of the
assignment doubt honest lists and miss forged ones: `make validate`.

The whole study takes about an hour on two cores and rewrites the stored results in this folder;
with fewer trials or seeds they go to results/validation. ``--part`` runs one part alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "workflow" / "scripts")]

import pandas as pd  # noqa: E402
from benchmarks.assignment_report import (  # noqa: E402
    FORGED_LISTS,
    HONEST_LISTS,
    doubted_designs,
    forged_table,
    honest_table,
)
from benchmarks.assignment_runs import run_all  # noqa: E402
from benchmarks.coverage_figure import coverage_figure  # noqa: E402
from benchmarks.coverage_methods import METHODS  # noqa: E402
from benchmarks.coverage_report import (  # noqa: E402
    CONDITIONS,
    LENGTHS,
    RATES,
    TRUNCATION,
    conditions_table,
    lengths_table,
    put_between,
    rates_table,
    truncation_table,
)
from benchmarks.coverage_runs import run  # noqa: E402
from benchmarks.coverage_table import condition_rows, coverage_rows, outside  # noqa: E402
from benchmarks.panel_figure import panel_figure  # noqa: E402
from benchmarks.panel_power import power_rows, power_table  # noqa: E402
from benchmarks.panel_report import POWER, TWO_WAY, panel_tables  # noqa: E402
from benchmarks.panel_runs import PART, Worker, run_part, run_scenarios  # noqa: E402
from benchmarks.panel_scenarios import (  # noqa: E402
    CHECKED,
    EFFECTS,
    NOISE,
    ONE_BY_ONE,
    OTHERS,
)
from benchmarks.panel_single import run_checks, run_single  # noqa: E402
from benchmarks.panel_table import outside as outside_panels  # noqa: E402
from benchmarks.panel_table import size_table  # noqa: E402
from benchmarks.panel_trials import Scenario  # noqa: E402
from benchmarks.panel_two_way import two_way_sizes, two_way_table  # noqa: E402
from benchmarks.synthetic_runs import SeedRun, run_seeds  # noqa: E402
from benchmarks.synthetic_table import (  # noqa: E402
    ENDS,
    ESTIMATES,
    coverage_of,
    ends_of,
    ends_table,
    estimates_table,
)

from schooltrial.exhibits.style.figures import rendered  # noqa: E402

STORED_TRIALS, QUICK_TRIALS = 5_000, 200
STORED_SEEDS, QUICK_SEEDS = 200, 5
STORED_LISTS, QUICK_LISTS = 50, 2
STORED_PANELS, QUICK_PANELS = 2_000, 80
ONE_IN = 8  # panels of a scenario that go one by one through the library, of those simulated
PARTS = ("methods", "studies", "lists", "panels")
EXPECTED = ("reml-kr", "randomisation")
PAGE = "COVERAGE.md"


def study(trials: int, processes: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run all cells and return the table of methods and that of conditions."""
    rows, conditions = [], []
    without = None
    for cell, effect, outcomes in run(trials, processes):
        if effect == 0:
            without = outcomes
            continue
        assert without is not None
        rows += coverage_rows(cell, without, outcomes)
        conditions += condition_rows(cell, without, outcomes)
        print(f"{cell.schools} schools, ICC {cell.icc:g}: done", flush=True)
    return pd.DataFrame(rows), pd.DataFrame(conditions)


def write(table: pd.DataFrame, conditions: pd.DataFrame, folder: Path, page: str) -> None:
    """Write tables, figure and page."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "coverage.csv", index=False, float_format="%.6g")
    conditions.to_csv(folder / "coverage_conditions.csv", index=False, float_format="%.6g")
    files = rendered(coverage_figure(table))
    for kind in ("svg", "png"):
        (folder / f"coverage.{kind}").write_bytes(files[kind])
    for name, content in (
        (RATES, rates_table(table)),
        (LENGTHS, lengths_table(table)),
        (CONDITIONS, conditions_table(conditions)),
        (TRUNCATION, truncation_table(conditions)),
    ):
        page = put_between(page, name, content)
    (folder / PAGE).write_text(page, encoding="utf-8")


def write_studies(runs: list[SeedRun], folder: Path, page: str) -> None:
    """Write how the studies of the generators ran, their estimates, and the page."""
    folder.mkdir(parents=True, exist_ok=True)
    ends, table = ends_of(runs), coverage_of(runs)
    ends.to_csv(folder / "synthetic_runs.csv", index=False)
    table.to_csv(folder / "synthetic_coverage.csv", index=False, float_format="%.6g")
    page = put_between(page, ENDS, ends_table(ends))
    page = put_between(page, ESTIMATES, estimates_table(table))
    (folder / PAGE).write_text(page, encoding="utf-8")


def studies(seeds: int, processes: int) -> list[SeedRun]:
    """Run every study of a generator at seeds 1, 2, …"""
    runs = []
    for one in run_seeds(seeds, processes):
        runs.append(one)
        print(f"{one.study}, seed {one.seed}: {one.refused or one.verdict}", flush=True)
    return runs


def write_lists(table: pd.DataFrame, folder: Path, page: str) -> None:
    """Write the table of honest and forged lists, and the page."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "assignment_checks.csv", index=False)
    page = put_between(page, HONEST_LISTS, honest_table(table))
    page = put_between(page, FORGED_LISTS, forged_table(table))
    (folder / PAGE).write_text(page, encoding="utf-8")


def panels(draws: int, processes: int) -> pd.DataFrame:
    """Run every scenario of panels and return the table of sizes."""
    few = max(draws // ONE_IN, 2)
    work: tuple[tuple[Worker, tuple[Scenario, ...], int, int], ...] = (
        (run_part, (*NOISE, *EFFECTS, *OTHERS), draws, PART),
        (run_single, ONE_BY_ONE, few, PART // 10),
        (run_checks, CHECKED, few, PART // 10),
    )
    found = []
    for worker, scenarios, count, part in work:
        for one in run_scenarios(worker, scenarios, count, processes, part):
            found.append(one)
            print(f"{one[0].name}: done", flush=True)
    return size_table(found)


def write_panels(
    table: pd.DataFrame, two_way: pd.DataFrame, power: pd.DataFrame, folder: Path, page: str
) -> None:
    """Write the tables of sizes and of power, the figure and the page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("sizes", table), ("two_way", two_way), ("power", power)):
        content.to_csv(folder / f"panel_{name}.csv", index=False, float_format="%.4g")
    files = rendered(panel_figure(table))
    for kind in ("svg", "png"):
        (folder / f"panel_sizes.{kind}").write_bytes(files[kind])
    told = panel_tables(table) | {TWO_WAY: two_way_table(two_way), POWER: power_table(power)}
    for name, text in told.items():
        page = put_between(page, name, text)
    (folder / PAGE).write_text(page, encoding="utf-8")


def lists_verdict(table: pd.DataFrame) -> str:
    """Say of which designs honest lists are doubted too often."""
    missed = doubted_designs(table)
    if missed.empty:
        return "honest lists: at most 5% in doubt and none contradicted, of every design"
    return "honest lists doubted in more than 5%, or contradicted: " + "; ".join(missed.index)


def verdict(table: pd.DataFrame) -> str:
    """Say which of the methods that are expected within .04 to .06 are not."""
    missed = outside(table[table["method"].isin(EXPECTED)])
    if missed.empty:
        return "REML with Kenward-Roger and randomisation inference: within .04 to .06 throughout"
    return "outside .04 to .06:\n" + "\n".join(
        f"  {METHODS[row['method']]}, {row['schools']} schools, ICC {row['icc']:g}: type I error "
        f"{row['type_1_error']:.4f}, coverage error {1 - row['coverage']:.4f}"
        for row in missed.to_dict("records")
    )


def main() -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=STORED_TRIALS, help="trials of each cell")
    parser.add_argument("--seeds", type=int, default=STORED_SEEDS, help="seeds of each study")
    parser.add_argument(
        "--lists", type=int, default=STORED_LISTS,
        help="lists of assignments of each design and order",
    )  # fmt: skip
    parser.add_argument("--panels", type=int, default=STORED_PANELS, help="panels of each scenario")
    parser.add_argument(
        "--quick", action="store_true",
        help=f"{QUICK_TRIALS} trials of each cell, {QUICK_SEEDS} seeds of each study, "
        f"{QUICK_LISTS} lists of each design and order, {QUICK_PANELS} panels of each scenario",
    )  # fmt: skip
    parser.add_argument("--part", choices=PARTS, help="one part alone")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--output", type=Path, help="folder for the results")
    options = parser.parse_args()
    trials = QUICK_TRIALS if options.quick else options.trials
    seeds = QUICK_SEEDS if options.quick else options.seeds
    lists = QUICK_LISTS if options.quick else options.lists
    draws = QUICK_PANELS if options.quick else options.panels
    if min(trials, seeds, draws) < 2 or lists < 1:
        parser.error(
            "at least two trials of each cell, two seeds of each study, two panels of each "
            "scenario and a list are needed"
        )
    wanted = PARTS if options.part is None else (options.part,)
    stored = Path(__file__).parent
    most = (STORED_TRIALS, STORED_SEEDS, STORED_LISTS, STORED_PANELS)
    stored_sizes = dict(zip(PARTS, most, strict=True))
    sizes = dict(zip(PARTS, (trials, seeds, lists, draws), strict=True))
    whole = all(sizes[part] == stored_sizes[part] for part in wanted)
    folder = options.output or (stored if whole else ROOT / "results" / "validation")
    page = (stored / PAGE).read_text(encoding="utf-8")
    start = time.perf_counter()
    if "methods" in wanted:
        table, conditions = study(trials, options.processes)
        write(table, conditions, folder, page)
        print(rates_table(table))
        print(verdict(table))
        print(f"{2 * trials} trials of each cell")
        page = (folder / PAGE).read_text(encoding="utf-8")
    if "studies" in wanted:
        runs = studies(seeds, options.processes)
        write_studies(runs, folder, page)
        print(ends_table(ends_of(runs)))
        print(f"{seeds} seeds of each study")
        page = (folder / PAGE).read_text(encoding="utf-8")
    if "lists" in wanted:
        found = run_all(lists, options.processes)
        write_lists(found, folder, page)
        print(honest_table(found), forged_table(found), lists_verdict(found), sep="\n")
        page = (folder / PAGE).read_text(encoding="utf-8")
    if "panels" in wanted:
        told = panels(draws, options.processes)
        two_way = two_way_sizes(max(2 * draws // ONE_IN, 2), options.processes)
        write_panels(told, two_way, power_rows(draws), folder, page)
        print("\n\n".join(panel_tables(told).values()))
        print(f"{len(outside_panels(told))} lines with a row outside .03 to .07")
    print(f"{time.perf_counter() - start:.0f} s, in {folder}")


if __name__ == "__main__":
    main()
