"""``schooltrial run``: a study, from its files to its report."""

from __future__ import annotations

import argparse

from schooltrial.cli.arguments import add_cores, add_output, add_protocol

HELP = "Run a study: from its protocol and files to its report."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the protocol, and where and with what it is run."""
    add_protocol(parser)
    add_output(parser)
    add_cores(parser)


def run(args: argparse.Namespace) -> int:
    """Run the study, tell how far it is, and at its end what was found."""
    from schooltrial.pipeline.runs.study_run import run_study

    run_study(args.protocol, args.output, args.cores)
    return 0
