"""The last messages of a run: its own refusals, and what it made."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from schooltrial.wording import listed, plural

Written = Mapping[Path, int]


REFUSED = re.compile(r"^Refused: .*", re.MULTILINE | re.DOTALL)
"""What a refusal is in a log; a script may have told something before."""


DRAWN = "results/{study}/checks/assignment_drawn.txt"


REPORT = "results/{study}/report/report.html"


LINKING = "results/{study}/checks/linking.csv"


MEASURED = {"scores": ("score", "pupil"), "observations": ("observation", "teacher")}
"""Standard table → what a row of it is, and of whom."""


ROSTERS = {"pupils": "pupil", "teachers": "teacher"}
"""Standard table → whom a row of it names."""


SHOWN_FILES = 3


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


def unlinked(studies: Sequence[str], targets: Collection[str]) -> Iterator[str]:
    """Yield which identifiers of a study have no match in the table that they belong to.

    Parameters
    ----------
    studies, targets
        As for `made`; a study is told of where its report was asked for.
    """
    for study in studies:
        file = Path(LINKING.format(study=study))
        if (targets and not {"all", REPORT.format(study=study)} & set(targets)) or (
            not file.is_file()
        ):
            continue
        with file.open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if not row["outcome"]]
        told = [text for kind in (*MEASURED, *ROSTERS) if (text := _unlinked(kind, rows))]
        if told:
            yield f"{study}: {'; '.join(told)}. See {file}"


def _unlinked(table: str, rows: Sequence[Mapping[str, str]]) -> str:
    """Say how many rows of a table have no match, and in which files they are."""
    school = table in ROSTERS
    mine = [
        row
        for row in rows
        if row["table"] == table
        and int(row["rows_not_found"])
        and (not school or (row["identifier"], row["looked_up_in"]) == ("school", "assignment"))
    ]
    if not mine:
        return ""
    count = sum(int(row["rows_not_found"]) for row in mine)
    missing = [int(r["n"]) - int(r["n_found"]) - int(r["n_left_out"]) for r in mine]
    several = len({row["year"] for row in mine}) > 1
    files = listed(list(dict.fromkeys(row["files"] for row in mine))[:SHOWN_FILES])
    each = " (each year counted)" if several else ""
    if school:
        people = f"{plural(count, ROSTERS[table])}{each}"
        return (
            f"{people} in {plural(max(missing), 'school')} that are not in the allocation list "
            f"({files})"
        )
    what, who = MEASURED[table]
    return (
        f"{plural(count, what)} of {plural(sum(missing), who)}{each} without an enrolment record "
        f"({files})"
    )
