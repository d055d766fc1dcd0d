"""What becomes of estimates, and of the record of the plan, when a run is refused.

The first model that is fitted records the plan before its estimates are written, so that none can
be seen without it, even if the run is killed. Where another model is then refused, nothing was
shown: the protocol is to be corrected, and that is no change of a plan whose outcome was known. So
what was estimated is deleted, and the record after it.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence

from schooltrial.protocol.plan import first_plan
from schooltrial.refusal import Refusal
from schooltrial.study.layout import Layout
from schooltrial.study.study import RESULTS

WITHDRAWN = (
    "Estimates made before the error below were deleted and nobody was shown them, so the plan can "
    "still be changed."
)

SEALED = (
    "All models were estimated before the error below, so the plan is now recorded: the report "
    "will name what you change in it."
)


def is_recorded(paths: Layout) -> bool:
    """Return whether a plan is recorded; a damaged record is one, since it held something."""
    try:
        return bool(first_plan(str(paths.check("plan_first.json"))))
    except Refusal:
        return True


def recorded(studies: Sequence[str]) -> frozenset[str]:
    """Return the studies whose plan is recorded."""
    return frozenset(name for name in studies if is_recorded(Layout(RESULTS / name)))


def withdraw(studies: Sequence[str], before: Collection[str]) -> Iterator[str]:
    """Delete what a refused run estimated, and yield what became of the plan, once.

    A study is left alone whose plan was recorded before this run, or whose models were all
    estimated.

    Parameters
    ----------
    studies : sequence of str
    before : collection of str
        Those whose plan was recorded when the run began.
    """
    said = []
    for name in recorded(studies) - set(before):
        paths = Layout(RESULTS / name)
        if paths.estimates.is_file():
            said.append(SEALED)
            continue
        # the record goes last: a run that is killed here leaves it with what is left
        for shown in (paths.estimates, paths.figure("trends"), paths.table("results")):
            shutil.rmtree(shown.parent, ignore_errors=True)
        paths.check("plan_first.json").unlink()
        said.append(WITHDRAWN)
    yield from dict.fromkeys(said)
