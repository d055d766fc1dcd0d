"""``schooltrial check``: everything that a run would refuse, before it is run."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Check a protocol and its files: every error at once, no result shown, nothing kept."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the protocol."""
    parser.add_argument("protocol", type=Path, help="the study's protocol, such as trial.yaml")
    parser.add_argument(
        "--cores", type=int, metavar="N", help="steps at a time (default: all of the computer)"
    )


def run(args: argparse.Namespace) -> int:
    """Check them, and say what was read."""
    from schooltrial.pipeline.runs.study_check import check_study

    check_study(args.protocol, args.cores)
    return 0
