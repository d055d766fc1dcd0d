"""``schooltrial monitor``: the page on enrolment and implementation, without any outcome."""

from __future__ import annotations

import argparse

from schooltrial.cli.arguments import add_cores, add_output, add_protocol

HELP = "Make the monitoring page: enrolment and implementation, without any outcome."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the protocol."""
    add_protocol(parser)
    add_output(parser)
    add_cores(parser)


def run(args: argparse.Namespace) -> int:
    """Make the page, and say where it is."""
    from schooltrial.pipeline.runs.study_run import make, protocol_of, working_folder

    plan = protocol_of(args.protocol)
    folder = working_folder(plan.path, args.output)
    page = f"results/{plan.name}/report/monitoring.html"
    make(plan, folder, [page], args.cores)
    print(f"Monitoring page: {folder / page}")
    return 0
