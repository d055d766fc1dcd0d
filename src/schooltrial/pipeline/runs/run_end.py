"""The end of a run: effects, ratings, warnings, and the report's path; or why it failed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from schooltrial.pipeline.messages import unlinked
from schooltrial.pipeline.system_errors import in_text
from schooltrial.protocol.rehearsal import ENDING
from schooltrial.refusal import Refusal, StepFailedError, UserError
from schooltrial.study.layout import Layout
from schooltrial.wording import listed

DOUBTS = {
    "in doubt": "the groups differ more than chance would explain, so they may not have been "
    "formed at random",
    "contradicted": "the allocation list is not what the plan or the randomisation record says",
}
"""Verdict on an allocation → what it means."""

TAIL = 30
"""Lines of the log of a run that are shown where no step says why it failed."""


def what_was_found(folder: Path, name: str) -> Iterator[str]:
    """Yield the effect of each primary outcome, the ratings, warnings and the report.

    Parameters
    ----------
    folder : pathlib.Path
        The working folder, which is the present one.
    name : str
        Name of the study.
    """
    paths = Layout(Path("results") / name)
    told = json.loads((paths.root / "report" / "overview.json").read_text("utf-8"))
    made_up = "SYNTHETIC DATA. " if told["synthetic"] else ""
    yield f"{made_up}{told['title']}: {told['design']}"
    for effect in told["effects"]:
        of = f", {effect['group']}" if effect["group"] else ""
        yield f"  {effect['label']}{of}: {effect['effect']}"
    for rating in _ratings(told["effects"]):
        yield f"  {rating} (indicative)"
    for warning in [*allocation_doubts(paths), *unlinked([name], []), *_plan(paths)]:
        yield f"Warning: {warning}"
    yield f"Report: {folder / 'results' / name / 'report' / 'report.html'}"


def _ratings(effects: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield each rating once, with its outcomes where they are rated differently."""
    rated: dict[str, list[str]] = {}
    for effect in effects:
        for rating in effect["ratings"]:
            rated.setdefault(str(rating), []).append(str(effect["label"]))
    for rating, outcomes in rated.items():
        yield rating if len(outcomes) == len(effects) else f"{listed(outcomes)}: {rating}"


def _plan(paths: Layout) -> Iterator[str]:
    file = paths.check("plan.json")
    changed = json.loads(file.read_text("utf-8"))["changed"] if file.is_file() else []
    if changed:
        yield f"the plan was changed after outcomes were read (sections: {', '.join(changed)})"


def allocation_doubts(paths: Layout) -> Iterator[str]:
    """Yield that a study's allocation may not be random, or is not the recorded one, and why.

    Nothing is said of a rehearsal, whose groups were re-randomised.
    """
    file = paths.check("assignment_verdict.json")
    if not file.is_file() or paths.root.name.endswith(ENDING):
        return
    found = json.loads(file.read_text("utf-8"))
    words = DOUBTS.get(str(found["verdict"]))
    if words:
        # the test of all variables together speaks of a distance; that of one variable, of it
        reasons = sorted(found["reasons"], key=lambda reason: "Mahalanobis" in reason)
        yield f"{words}: {reasons[0]}. See Design in the report"


def why_not(refused: Sequence[str], logs: Sequence[str], log: Path) -> UserError | StepFailedError:
    """Return the error with which a run that failed ends.

    Parameters
    ----------
    refused : sequence of str
        Refusals of the steps of this run.
    logs : sequence of str
        Logs of the steps that failed.
    log : pathlib.Path
        The log of the whole run.
    """
    if refused:
        return UserError("\n\n".join([*refused, f"Log: {log}"]))
    found = [Path(one).read_text("utf-8", "replace") for one in logs if Path(one).is_file()]
    whole = log.read_text("utf-8", "replace")
    system = in_text("\n".join([*found, whole]), str(Path.cwd()))
    if system is not None:
        return UserError(f"{Refusal([system])}\n\nLog: {log}")
    broken = [text.strip() for text in found if text.strip()]
    if not broken:
        broken = ["\n".join(whole.strip().splitlines()[-TAIL:])]
    return StepFailedError("\n\n".join([*broken, f"Log: {log}"]))
