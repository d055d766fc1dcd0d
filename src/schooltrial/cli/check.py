"""``schooltrial check``: everything that a run would refuse, before it is run."""

from __future__ import annotations

import argparse

from schooltrial.cli.arguments import add_cores, add_protocol

HELP = "Check a protocol and its files: every error at once, no result shown, nothing kept."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the protocol."""
    add_protocol(parser)
    add_cores(parser)


def run(args: argparse.Namespace) -> int:
    """Check them, and say what was read."""
    from schooltrial.pipeline.runs.study_check import check_study

    check_study(args.protocol, args.cores)
    return 0
