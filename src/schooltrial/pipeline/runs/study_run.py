"""Run one study as a command does: in a folder of the user's, with progress and an end in words."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import chdir
from functools import partial
from pathlib import Path
from types import MappingProxyType

from schooltrial.checkout import own_checkout
from schooltrial.pipeline.messages import logs_written, refusals
from schooltrial.pipeline.plans.plan_words import guesses_left
from schooltrial.pipeline.plans.result_plans import seen_elsewhere
from schooltrial.pipeline.run_lock import LOCK, holder_of, only_command, waiting_for
from schooltrial.pipeline.runs.progress import Progress, stage_of_rules
from schooltrial.pipeline.runs.run_end import what_was_found, why_not
from schooltrial.pipeline.runs.snakemake_run import WorkflowRun
from schooltrial.pipeline.runs.stage_counts import counted
from schooltrial.protocol.content.sections import Protocol
from schooltrial.protocol.reading import read_protocol, read_schema
from schooltrial.refusal import Refusal, UserError
from schooltrial.study.absent_files import rehearsed
from schooltrial.study.file_faults import faults_of_links
from schooltrial.study.layout import Layout
from schooltrial.study.study import RESULTS, Study

LOOK_AGAIN = 0.3
"""Seconds between two looks at whether another run has ended."""

NOTHING: Mapping[str, str] = MappingProxyType({})


def run_study(
    protocol: Path,
    output: Path | None = None,
    cores: int | None = None,
    rehearsal: bool = False,
) -> Protocol:
    """Run a study to its report and notebooks, print what was found, and return what was run.

    Parameters
    ----------
    protocol : pathlib.Path
    output : pathlib.Path, optional
        The folder in which ``results`` is written; by default that of the protocol.
    cores : int, optional
        By default all of the computer.
    rehearsal : bool
        Whether the groups are re-randomised; results then lie apart, and the plan is not recorded.

    Raises
    ------
    Refusal
        With the faults of the protocol.
    UserError
        With what steps of the run refused.
    StepFailedError
        With the traceback of a step that broke down.
    """
    project = own_checkout()
    plan = protocol_of(protocol)
    plan = rehearsed(plan) if rehearsal else plan
    config = {"rehearse": "true"} if rehearsal else NOTHING
    folder = working_folder(plan.path, output)
    left = guesses_left(plan)
    if left and not rehearsal:
        print(
            f"Warning: {left}. Once this run has estimated effects, a guess that is corrected is "
            "reported as a change of the plan. To try things, use `schooltrial rehearse`.",
            flush=True,
        )
    steps = make(plan, folder, _targets(project, plan), cores, config)
    if steps == 0:
        print("Nothing has changed since the last run.")
    with chdir(folder):
        for line in what_was_found(folder, plan.name):
            print(line)
    results = folder / RESULTS
    for one in [] if rehearsal else seen_elsewhere(plan, results, results / plan.name):
        print(f"Warning: {one}")
    if left:
        print(f"Warning: {left}")
    if folder != plan.path.parent.resolve() and not rehearsal:
        print(
            f"The plan is recorded with these results, in {folder}: a run with another --output "
            "cannot tell whether the plan was changed."
        )
    return plan


def make(
    plan: Protocol,
    folder: Path,
    targets: Sequence[str],
    cores: int | None = None,
    config: Mapping[str, str] = NOTHING,
    forced: Sequence[str] = (),
    unsaid: Collection[str] = (),
) -> int:
    """Make files of a study's results, tell how far it is, and return how many steps it took.

    Parameters
    ----------
    plan : Protocol
    folder : pathlib.Path
        The working folder.
    targets : sequence of str
        The files, relative to it.
    cores : int, optional
    config : mapping, optional
        Further keys of the configuration.
    forced : sequence of str
        Rules that run whether or not anything has changed.
    unsaid : collection of str
        Sentences of the run that are of no use here.
    """
    project = own_checkout()
    log = folder / "results" / plan.name / "logs" / "run.txt"
    run = WorkflowRun(
        project, plan.path, folder, cores or os.cpu_count() or 1, log, targets, config, forced
    )
    paths = Layout(folder / "results" / plan.name)
    progress = Progress(
        stage_of_rules(project),
        sys.stdout,
        sys.stdout.isatty(),
        counted=partial(counted, paths),
        unsaid=unsaid,
    )
    say = partial(print, flush=True)
    with only_command(folder, say), chdir(folder):
        wait_for_other_run(folder, say)
        before = logs_written([plan.name])
        if run.run(progress.told) != 0:
            refused = refusals([plan.name], before)
            if refused and not Layout(RESULTS / plan.name).check("raw_files.csv").is_file():
                refused = [*(text.rstrip() for text in refused), *links_refused(plan)]
            raise why_not(refused, progress.logs, log)
    progress.finish()
    return progress.planned.total()


def links_refused(plan: Protocol) -> list[str]:
    """Return what links have wrong where files were refused for their cells: a text, or none.

    The working folder is that of the run.
    """
    faults = faults_of_links(Study.of(plan))
    if not faults:
        return []
    text = str(Refusal(faults)).removeprefix("Refused: ").replace(" This step wrote no files.", "")
    return [f"Links between the files, as far as they were read: {text}"]


def wait_for_other_run(folder: Path, say: Callable[[str], None]) -> None:
    """Wait for a run that works in a folder and is no command, and say so.

    Snakemake's process itself waits too, but says so in the log, where nobody looks.
    """
    said = False
    while holder := holder_of(folder / LOCK):
        if not said:
            say(waiting_for(holder, str(folder)))
        said = True
        time.sleep(LOOK_AGAIN)


def protocol_of(path: Path) -> Protocol:
    """Read a protocol, and refuse it with all its faults."""
    path = path.expanduser()
    if path.is_dir():
        found = sorted(path.glob("*.yaml"))
        hint = f"; did you mean {found[0]}?" if len(found) == 1 else ""
        raise UserError(f"{path} is a folder, not a protocol{hint}")
    return read_protocol(path, read_schema(), str(path))


def working_folder(protocol: Path, output: Path | None) -> Path:
    """Return the folder in which ``results`` is written, once it is known that it can be.

    A folder that is itself called ``results`` is that one: nobody wants ``results/results``.
    """
    folder = (output.expanduser() if output else protocol.parent).resolve()
    folder = folder.parent if output and folder.name == "results" else folder
    results = folder / "results"
    try:
        results.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(
            f"no results can be written to {folder} ({reason}); name another folder: "
            "--output FOLDER"
        ) from None
    if not os.access(results, os.W_OK):
        raise UserError(
            f"no results can be written to {results} (no permission); name another folder: "
            "--output FOLDER"
        )
    return folder


def _targets(project: Path, plan: Protocol) -> list[str]:
    """Return the pages of a study; its other files are made on the way.

    Notebooks open the study by its protocol, which is not that of a rehearsal.
    """
    found = sorted(path.stem for path in (project / "notebooks").glob("*.ipynb"))
    notebooks = [] if plan.rehearsal else found
    pages = [f"results/{plan.name}/notebooks/{notebook}.html" for notebook in notebooks]
    return [f"results/{plan.name}/report/report.html", *pages]
