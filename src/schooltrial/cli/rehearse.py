"""``schooltrial rehearse``: a study as it would be run, with its groups re-randomised."""

from __future__ import annotations

import argparse

from schooltrial.cli.arguments import add_cores, add_output, add_protocol

HELP = (
    "Run a study with its groups re-randomised, so that the plan can be tried and no effect is "
    "seen."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the protocol, and where and with what it is run."""
    add_protocol(parser)
    add_output(parser)
    add_cores(parser)


def run(args: argparse.Namespace) -> int:
    """Run the rehearsal, and say what it is."""
    import shlex

    from schooltrial.pipeline.plans.plan_record import is_recorded
    from schooltrial.pipeline.runs.study_run import protocol_of, run_study, working_folder
    from schooltrial.study.layout import Layout
    from schooltrial.study.study import RESULTS
    from schooltrial.wording import listed

    absent = run_study(args.protocol, args.output, args.cores, rehearsal=True).absent
    plan = protocol_of(args.protocol)
    recorded = is_recorded(Layout(working_folder(plan.path, args.output) / RESULTS / plan.name))
    if absent:
        print(
            f"{listed(absent)} {'is' if len(absent) == 1 else 'are'} not in the folder: outcomes "
            "were simulated, for the pupils, teachers or schools of the nearest year."
        )
    print(
        "This was a rehearsal: groups were re-randomised, so that no effect above is a result. "
        + (
            "Outcomes were read before: a change of the plan will be reported. Next: "
            if recorded
            else "The plan is not recorded yet; change it as you like, then: "
        )
        + f"schooltrial run {shlex.quote(str(args.protocol))}"
    )
    return 0
