"""The last messages of a run: its own refusals, and what it made."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from schooltrial.data.linking.column_lines import column_line
from schooltrial.pipeline.written_rows import read_rows
from schooltrial.protocol.content.levels import SCHOOL_MISSING
from schooltrial.wording import listed, plural

Written = Mapping[Path, int]


REFUSED = re.compile(r"^Refused: .*", re.MULTILINE | re.DOTALL)
"""What a refusal is in a log; a script may have told something before."""


DRAWN = "results/{study}/checks/assignment_drawn.txt"


REPORT = "results/{study}/report/report.html"


LINKING = "results/{study}/checks/linking.csv"


FLOW = "results/{study}/checks/flow.csv"


MEASURED = {"scores": ("score", "pupil"), "observations": ("observation", "teacher")}
"""Standard table → what a row of it is, and of whom."""


ROSTERS = {"pupils": "pupil", "teachers": "teacher"}
"""Standard table → whom a row of it names."""

RESULTS_OF_SCHOOLS = {"school_scores": "result"}
"""Standard table without people → what a row of it is."""


SHOWN_FILES = 3


SHOWN_SCHOOLS = 3


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
        if targets and not {"all", REPORT.format(study=study)} & set(targets):
            continue
        linking, flow = LINKING.format(study=study), FLOW.format(study=study)
        rows = [row for row in read_rows(Path(linking)) if not row["outcome"]]
        for table in MEASURED:
            if text := _unmeasured(table, rows):
                yield f"{study}: {text} See {linking}"
        for table in (*ROSTERS, *RESULTS_OF_SCHOOLS):
            if text := _unlisted(table, rows):
                yield f"{study}: {text} See {linking}"
        if text := _unseen(rows):
            yield f"{study}: {text} See {linking}"
        left = read_rows(Path(flow))
        for table in ROSTERS:
            if text := _without_school(table, left, rows):
                yield f"{study}: {text} See {flow}"


def _files(rows: Sequence[Mapping[str, str]]) -> str:
    return listed(list(dict.fromkeys(row["files"] for row in rows))[:SHOWN_FILES])


def _each_year(rows: Sequence[Mapping[str, str]]) -> str:
    return " (each year counted)" if len({row["year"] for row in rows}) > 1 else ""


def _unmeasured(table: str, rows: Sequence[Mapping[str, str]]) -> str:
    """Say how many scores or observations are of nobody on the rosters, and in which files."""
    mine = [row for row in rows if row["table"] == table and int(row["rows_not_found"])]
    if not mine:
        return ""
    count = sum(int(row["rows_not_found"]) for row in mine)
    missing = sum(int(r["n"]) - int(r["n_found"]) - int(r["n_left_out"]) for r in mine)
    what, who = MEASURED[table]
    return (
        f"{plural(count, what)} of {plural(missing, who)}{_each_year(mine)} without an enrolment "
        f"record ({_files(mine)})."
    )


def _unlisted(table: str, rows: Sequence[Mapping[str, str]]) -> str:
    """Say who is left out because the school is not in the allocation list, and what to do."""
    mine = [
        row for row in rows
        if (row["table"], row["identifier"], row["looked_up_in"]) == (table, "school", "assignment")
        and int(row["rows_not_found"])
        and row["not_found"]  # not so of many schools of results, such as those of a state
    ]  # fmt: skip
    if not mine:
        return ""
    count = sum(int(row["rows_not_found"]) for row in mine)
    likely: dict[str, str] = {}
    for row in mine:
        likely |= json.loads(row["likely_meant"] or "{}")
    every = list(dict.fromkeys(name for row in mine for name in json.loads(row["not_found"])))
    names = sorted(every, key=lambda name: name not in likely)  # those with a remedy first
    shown = [repr(name) for name in names[:SHOWN_SCHOOLS]]
    told = f"such as {listed(shown)}" if len(names) > len(shown) else listed(shown)
    one, what = len(names) == 1, {**ROSTERS, **RESULTS_OF_SCHOOLS}[table]
    text = (
        f"{plural(count, what)}{_each_year(mine)} in {plural(len(names), 'school')} that "
        f"{'is' if one else 'are'} not in the allocation list ({told} in {_files(mine)}) "
        f"{'is' if count == 1 else 'are'} left out"
    )
    fixes = [f"{name!r}: did you mean {other!r}?" for name, other in likely.items()]
    if likely:
        pairs = ", ".join(
            f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(other, ensure_ascii=False)}"
            for name, other in likely.items()
        )
        of = [row for row in mine if row["likely_meant"]]
        line = column_line(table, "school", of[0]["column"], _files(of), [f"respell: {{{pairs}}}"])
        fixes[-1] += f" If so, {line}"
    rest = len(names) - len(likely)
    if rest:
        it, other = ("it", "the other ") if rest == 1 else ("they", "the others ")
        who = (other if likely else f"{it} ") + ("was" if rest == 1 else "were")
        fixes.append(
            f"If {who} randomised, correct the {'code' if rest == 1 else 'codes'} in "
            f"{_files(mine)} or the allocation list; otherwise nothing is needed"
        )
    return " ".join(one if one.endswith("?") else f"{one}." for one in [text, *fixes])


def _unseen(rows: Sequence[Mapping[str, str]]) -> str:
    """Say which schools of the allocation list have no pupils and no results."""
    mine = [
        row for row in rows
        if (row["table"], row["identifier"]) == ("assignment", "school") and row["not_found"]
    ]  # fmt: skip
    names = list(dict.fromkeys(name for row in mine for name in json.loads(row["not_found"])))
    if not names:
        return ""
    shown = [repr(name) for name in names[:SHOWN_SCHOOLS]]
    told = f"such as {listed(shown)}" if len(names) > len(shown) else listed(shown)
    are = "is" if len(names) == 1 else "are"
    likely: dict[str, str] = {}
    for row in mine:
        likely |= json.loads(row["likely_meant"] or "{}")
    fixes = [f"{name!r}: did you mean {other!r}?" for name, other in likely.items()]
    where = mine[0]["files_looked_up_in"]
    count = "counts" if len(names) == 1 else "count"
    text = (
        f"{plural(len(names), 'school')} of the allocation list {are} not in {where} ({told}), and "
        f"{count} as lost."
    )
    return " ".join([text, *fixes])


def _without_school(
    table: str, left: Sequence[Mapping[str, str]], rows: Sequence[Mapping[str, str]]
) -> str:
    """Say who is left out because no school is given."""
    who = ROSTERS[table]
    mine = [
        row for row in left
        if (row["level"], row["reason"]) == (who, SCHOOL_MISSING) and int(row["left"])
    ]  # fmt: skip
    count = sum(int(row["left"]) for row in mine)
    if not count:
        return ""
    years = {row["year"] for row in mine}
    files = _files([r for r in rows if r["table"] == table and r["identifier"] == "school"
                    and r["year"] in years])  # fmt: skip
    return (
        f"{plural(count, who)}{_each_year(mine)} without a school (blank"
        f"{f' in {files}' if files else ''}) {'is' if count == 1 else 'are'} left out. "
        "Fill in the school, or ask who keeps the file."
    )
