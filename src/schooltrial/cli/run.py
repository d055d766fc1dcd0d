"""``schooltrial run``: a study, from its files to its report."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Run a study: from its protocol and files to its report."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the protocol, and where and with what it is run."""
    parser.add_argument("protocol", type=Path, help="the study's protocol, such as trial.yaml")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="folder in which results/ is written (default: the folder of the protocol)",
    )
    parser.add_argument(
        "--cores", type=int, metavar="N", help="steps at a time (default: all of the computer)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the study, tell how far it is, and at its end what was found."""
    from schooltrial.pipeline.runs.study_run import run_study

    run_study(args.protocol, args.output, args.cores)
    return 0
