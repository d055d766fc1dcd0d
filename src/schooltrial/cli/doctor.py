"""``schooltrial doctor``: what the computer lacks, and what to do."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Look at Python, packages, disk, write access and fonts, and say what is wrong."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder in which results would be written."""
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path(),
        help="where results would be written (default: this folder)",
    )


def run(args: argparse.Namespace) -> int:
    """Print a line for each thing; end with 1 where one of them is wrong."""
    from schooltrial.pipeline.runs.examination import examine
    from schooltrial.refusal import UserError

    folder = args.folder.expanduser().resolve()
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder")
    findings = list(examine(folder))
    for one in findings:
        print(f"{'fix ' if one.remedy else 'ok  '} {one.what}: {one.found}")
        if one.remedy:
            print(f"     {one.remedy}")
    return 1 if any(one.remedy for one in findings) else 0
