"""``schooltrial compare``: how estimates moved between two runs."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Say how the estimates differ between two runs or protocols."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two runs."""
    parser.add_argument("before", type=Path, help="a protocol, or a folder of results")
    parser.add_argument("after", type=Path, help="another")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the rows that differ too")


def run(args: argparse.Namespace) -> int:
    """Print the rows that differ."""
    from schooltrial.pipeline.plans.result_plans import check_compared
    from schooltrial.pipeline.runs.study_places import ENDS, results_of
    from schooltrial.pipeline.runs.study_run import protocol_of
    from schooltrial.protocol.rehearsal import ENDING
    from schooltrial.study.opened.estimate_changes import moved_estimates, read_estimates
    from schooltrial.wording import plural

    folders = [results_of(one) for one in (args.before, args.after)]
    plans = [protocol_of(one) if one.suffix in ENDS else None for one in (args.before, args.after)]
    given = list(zip((args.before, args.after), plans, strict=True))
    for line in check_compared(given, folders):
        print(line)
    rehearsed = [folder.name.endswith(ENDING) for folder in folders]
    if rehearsed[0] != rehearsed[1]:
        print("Warning: one of the two is a rehearsal, whose groups were re-randomised.")
    before, after = (read_estimates(folder) for folder in folders)
    moved = moved_estimates(before, after)
    if moved.empty:
        print(f"All estimates are the same ({plural(len(after), 'row')}).")
        return 0
    rows = plural(len(moved), "row")
    print(f"{rows} {'differs' if len(moved) == 1 else 'differ'} (estimate before → after):")
    for row in moved.itertuples():
        name = ", ".join(part for part in (row.model, row.outcome, row.subgroup, row.term) if part)
        print(f"  {name}: {_number(row.estimate_before)} → {_number(row.estimate_after)}"
              f"{_by(row.moved)}")  # fmt: skip
    if args.csv:
        moved.to_csv(args.csv, index=False)
        print(f"Written: {args.csv}")
    return 0


def _number(value: float) -> str:
    return "none" if value != value else f"{value:.4g}".replace("-", "−")


def _by(moved: float) -> str:
    """Return by how much an estimate moved, or that it is its error that did."""
    if moved != moved:
        return ""
    if moved == 0:
        return " (its standard error or numbers differ)"
    return f" ({moved:+.2g})".replace("-", "−")
