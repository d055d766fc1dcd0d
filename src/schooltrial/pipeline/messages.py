"""What a run tells at its end: its own refusals, and what it made."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

Written = Mapping[Path, int]


REFUSED = re.compile(r"^Refused: .*", re.MULTILINE | re.DOTALL)
"""What a refusal is in a log; a script may have told something before."""


DRAWN = "results/{study}/checks/assignment_drawn.txt"


REPORT = "results/{study}/report/report.html"


def logs_written(studies: Sequence[str]) -> dict[Path, int]:
    """Return the logs of rules that are there, and when each was written."""
    logs = [log for name in studies for log in sorted(Path(f"results/{name}/logs").glob("*.log"))]
    logs += sorted(Path("data/downloads").glob("*/**/*.log"))
    return {log: log.stat().st_mtime_ns for log in logs}


def refusals(studies: Sequence[str], before: Written) -> list[str]:
    """Return what the rules of this run refused, each text once.

    Parameters
    ----------
    studies : sequence of str
    before : mapping
        The logs that were there when the run began. One that was not written since then is of an
        earlier run, whose refusal may have been mended long ago.
    """
    new = [log for log, when in logs_written(studies).items() if before.get(log) != when]
    found = [REFUSED.search(log.read_text("utf-8")) for log in new]
    return list(dict.fromkeys(text.group() for text in found if text))


def made(studies: Sequence[str], targets: Collection[str]) -> Iterator[str]:
    """Yield where to find what was asked for.

    Parameters
    ----------
    studies : sequence of str
    targets : collection of str
        Rules and files that were asked for; none means everything.
    """
    for study in studies:
        report, drawn = REPORT.format(study=study), Path(DRAWN.format(study=study))
        if (not targets or {"all", report} & set(targets)) and Path(report).is_file():
            yield f"The report of {study} is {report}"
        if {"assignments", str(drawn)} & set(targets) and drawn.is_file():
            yield drawn.read_text("utf-8").rstrip()
    known = {REPORT.format(study=study) for study in studies}
    known |= {DRAWN.format(study=study) for study in studies}
    for target in sorted(set(targets) - known):
        if Path(target).is_file():
            yield f"Made: {target}"
