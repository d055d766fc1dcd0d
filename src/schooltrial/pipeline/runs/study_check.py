"""Check a study: all that a run could refuse, in a folder that is thrown away."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from schooltrial.pipeline.messages import unlinked
from schooltrial.pipeline.plans.fit_warnings import warnings_of_fits
from schooltrial.pipeline.plans.plan_record import SEALED, WITHDRAWN, is_recorded
from schooltrial.pipeline.plans.plan_words import groups_in_words, plan_in_words
from schooltrial.pipeline.plans.result_plans import seen_elsewhere
from schooltrial.pipeline.runs.run_end import allocation_doubts
from schooltrial.pipeline.runs.study_run import make, protocol_of
from schooltrial.pipeline.written_rows import read_rows
from schooltrial.protocol.content.sections import Protocol, arm_labels
from schooltrial.protocol.reading import read_as_meant, read_schema
from schooltrial.refusal import Fault, Refusal, UserError
from schooltrial.study.file_faults import faults_of_files
from schooltrial.study.layout import Layout
from schooltrial.study.raw_files import DOWNLOADS
from schooltrial.study.study import RESULTS, Study
from schooltrial.wording import plural


def check_study(protocol: Path, cores: int | None = None) -> None:
    """Make all of a study but its figures, tables and pages, and show no result.

    Raises
    ------
    Refusal
        With the faults of the protocol.
    UserError
        With the faults of the files, or what the models refuse.
    """
    try:
        plan = protocol_of(protocol)
    except Refusal as refusal:
        raise Refusal([*refusal.faults, *faults_beside(protocol, refusal.faults)]) from None
    with TemporaryDirectory(prefix="schooltrial-check-") as made:
        folder = Path(made)
        kept = plan.path.parent / DOWNLOADS
        if kept.is_dir():
            shutil.copytree(kept, folder / DOWNLOADS)
        try:
            make(plan, folder, _targets(plan), cores, unsaid=(WITHDRAWN, SEALED))
        except UserError as told:
            text = str(told).rsplit("\n\nLog: ", 1)[0]  # it goes with the folder
            raise UserError(text) from None
        with chdir(folder):
            read = list(what_was_read(plan.name))
            asked = list(warnings_of_fits(plan.content, plan.name))
            results = plan.path.parent / RESULTS
            seen = list(seen_elsewhere(plan, results, RESULTS / plan.name))
            lacking = [f"Warning: {one}" for one in [*asked, *seen]]
            groups = groups_in_words(
                Layout(RESULTS / plan.name), arm_labels(plan.content["design"])
            )
    for line in [
        *read, *plan_in_words(plan, groups), *lacking, *what_comes_next(plan, protocol, bool(seen))
    ]:  # fmt: skip
        print(line)


def faults_beside(protocol: Path, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Return the faults of the files of a refused protocol, where its own leave them readable.

    Parameters
    ----------
    protocol : pathlib.Path
    faults : sequence of Fault
        Those of the protocol.
    """
    meant = read_as_meant(protocol.expanduser(), read_schema(), faults)
    return () if meant is None else faults_of_files(Study.of(meant))


def what_was_read(name: str) -> Iterator[str]:
    """Yield that there is no fault, the rows of each file, and what has no match.

    The working folder is that of the check.
    """
    yield "No error was found. What was read:"
    paths = Layout(RESULTS / name)
    for row in read_rows(paths.check("raw_files.csv")):
        rows = plural(int(row["rows"]), "row")
        sheet = f", sheet {row['sheet']}" if row["sheet"] else ""
        yield f"  {row['file']}{sheet}: {rows}, for {row['tables'].replace('; ', ', ')}"
    doubts = allocation_doubts(paths)
    for warning in [*doubts, *unlinked([name], [])]:
        yield f"Warning: {warning.rsplit(' See ', 1)[0]}"


def what_comes_next(plan: Protocol, given: Path, seen: bool = False) -> Iterator[str]:
    """Yield whether the plan can still be changed, and the command that follows.

    Parameters
    ----------
    plan : Protocol
    given : pathlib.Path
        The protocol, as the user named it.
    seen : bool
        Whether another study saw the same outcomes.
    """
    if is_recorded(Layout(plan.path.parent / RESULTS / plan.name)):
        yield "No result is shown. Outcomes were read before: a change will be reported."
    elif seen:
        yield (
            "No result is shown and nothing was kept. The plan is not recorded yet, but its "
            "outcomes were seen in another study: see the warning above."
        )
    else:
        yield "No result is shown and nothing was kept: the plan can still be changed."
    named = shlex.quote(str(given))
    yield f"Next: schooltrial rehearse {named}, then schooltrial run {named}"


def _targets(plan: Protocol) -> Sequence[str]:
    """Return what a run would refuse to make: all checks and, for the ratings, all models."""
    study = Study.of(plan)
    if study.blinding.until():
        return [study.paths.check("raw_files.csv").as_posix()]
    files = [study.paths.check("linking.csv"), *map(Path, study.report.checks())]
    return [file.as_posix() for file in files]
