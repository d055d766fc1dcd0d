"""``schooltrial assign``: randomise the units of a trial into its groups."""

from __future__ import annotations

import argparse

from schooltrial.cli.arguments import add_output, add_protocol

HELP = "Randomise the units of a trial into its groups, and write the signed record."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the protocol."""
    add_protocol(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Randomise them, and say where record and list are."""
    from schooltrial.pipeline.runs.study_run import make, protocol_of, working_folder

    plan = protocol_of(args.protocol)
    folder = working_folder(plan.path, args.output)
    drawn = f"results/{plan.name}/checks/assignment_drawn.txt"
    make(plan, folder, [drawn], cores=1, forced=["draw_assignment"])
    print((folder / drawn).read_text("utf-8").rstrip())
    return 0
