"""By which plan results were made, and which other studies saw the same outcomes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from schooltrial.pipeline.plans.plan_record import is_recorded
from schooltrial.pipeline.written_rows import read_rows
from schooltrial.protocol.blinding import OUTCOME_TABLES
from schooltrial.protocol.content.sections import Protocol
from schooltrial.protocol.plan import PLAN, section_checksums
from schooltrial.protocol.rehearsal import ENDING
from schooltrial.refusal import UserError
from schooltrial.study.layout import Layout
from schooltrial.wording import listed, plural


def sections_unlike(plan: Protocol, results: Path) -> list[str] | None:
    """Return the sections of a plan that are not those by which results were made.

    Returns
    -------
    list of str or None
        None where the results do not say by which plan they were made.
    """
    try:
        recorded = json.loads(Layout(results).check("plan.json").read_text("utf-8"))
        then = dict(recorded["now"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    now = section_checksums(plan.content, plan.models_to_come)
    return [name for name in PLAN if now[name] != then.get(name)]


def check_compared(
    given: Sequence[tuple[Path, Protocol | None]], folders: Sequence[Path]
) -> Iterator[str]:
    """Yield which results were not made by the protocol that is given for them.

    Parameters
    ----------
    given : sequence of tuple
        What was given for each of two studies, and its protocol where it is one.
    folders : sequence of pathlib.Path
        Where the results of each are.

    Raises
    ------
    UserError
        Where both are the same results.
    """
    unlike = [
        sections_unlike(plan, folder) if plan is not None else None
        for (_, plan), folder in zip(given, folders, strict=True)
    ]
    if folders[0].resolve() == folders[1].resolve():
        by = [
            f"not made by {path}, which has another plan ({plural(len(names), 'section')} "
            f"{'differs' if len(names) == 1 else 'differ'}: {', '.join(names)})"
            for (path, _), names in zip(given, unlike, strict=True) if names
        ]  # fmt: skip
        were = f" These results were {' and '.join(by)}." if by else ""
        studies = [plan.name for _, plan in given if plan is not None]
        both = len(studies) == len(given)
        same = f": both have the same study.name, {studies[0]}" if both else ""
        raise UserError(
            f"{given[0][0]} and {given[1][0]} have the same results, {folders[0]}{same}.{were}\n"
            "To keep two apart, give one of the protocols another study.name, or run it with "
            "--output FOLDER and compare the two folders of results."
        )
    for (path, _), folder, names in zip(given, folders, unlike, strict=True):
        if names:
            yield (
                f"Warning: the results in {folder} were not made by {path} as it is now "
                f"(changed since: {', '.join(names)}). Run it first: schooltrial run {path}"
            )


def seen_elsewhere(plan: Protocol, results: Path, made: Path) -> Iterator[str]:
    """Yield the other studies of a folder that estimated effects from the same outcomes.

    A plan is recorded under the name of its study, so the record of one study does not say what
    was seen under another name.

    Parameters
    ----------
    plan : Protocol
    results : pathlib.Path
        The folder of the results of all studies.
    made : pathlib.Path
        The results in which it is written what this study read.
    """
    ours = _files_of_outcomes(made)
    for other in sorted(path for path in results.glob("*") if path.is_dir()):
        if other.name == plan.name or other.name.endswith(ENDING):
            continue
        same = sorted({ours[held] for held in ours.keys() & _files_of_outcomes(other).keys()})
        if not same or not is_recorded(Layout(other)):
            continue
        unlike = sections_unlike(plan, other)
        by = "" if unlike is None else ", by the same plan"
        if unlike:
            by = f", by another plan (differs in: {', '.join(unlike)})"
        yield (
            f"study {other.name!r} estimated effects from the same outcomes ({listed(same)}){by}; "
            f"see {other}. The record of this study's plan does not show that: report both."
        )


def _files_of_outcomes(results: Path) -> dict[str, str]:
    """Return SHA-256 → name, of the files with outcomes that a study read."""
    found = {}
    for row in read_rows(Layout(results).check("raw_files.csv")):
        tables = {table.split(" ")[0] for table in row["tables"].split("; ")}
        if tables & set(OUTCOME_TABLES):
            found[row["sha256"]] = row["file"]
    return found
