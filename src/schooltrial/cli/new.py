"""``schooltrial new``: a first protocol, proposed from the files of a trial."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

HELP = "Propose a protocol from the files of a trial, every guess marked."

NAMED = {
    "school": "the identifier of the school",
    "pupil": "the identifier of the pupil",
    "teacher": "the identifier of the teacher",
    "arm": "the group to which a school (or pupil) was assigned",
    "block": "the block, stratum or pair within which units were randomised, or none",
    "year": "the year",
}
"""Role → what its column holds, where its name does not tell."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the name and the files."""
    parser.add_argument("trial", help="name of the trial; the protocol is written to TRIAL.yaml")
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="file",
        help="its files: CSV, Excel, Stata, SPSS, SAS or Parquet",
    )
    parser.add_argument(
        "--replace", action="store_true",
        help="write over a protocol of this name, and keep it as TRIAL.yaml.bak",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="ask nothing: take the likeliest answer")
    for role, what in NAMED.items():
        parser.add_argument(f"--{role}", metavar="COLUMN", help=f"column of {what}")


def run(args: argparse.Namespace) -> int:
    """Look at the files, ask what cannot be inferred, and write the protocol."""
    import shlex
    import sys
    from datetime import date

    from schooltrial.pipeline.runs.study_run import protocol_of
    from schooltrial.proposal.proposing import propose
    from schooltrial.proposal.seen import see
    from schooltrial.proposal.writing import GUESS, not_used, place_of_unused, protocol_text
    from schooltrial.refusal import UserError
    from schooltrial.wording import listed

    given = Path(args.trial)
    target = given if given.suffix in (".yaml", ".yml") else given.with_name(f"{given.name}.yaml")
    if target.exists() and not args.replace:
        raise UserError(
            f"{target} is there already; choose another name, or add --replace: what is there is "
            f"then kept as {target.name}.bak"
        )
    silent = args.yes or not sys.stdin.isatty()
    files = [one for path in dict.fromkeys(args.files) for one in see(path.expanduser())]
    for file in files:
        print(f"{file.shown}: {file.rows:,} rows, {len(file.columns)} columns")
    folder = target.resolve().parent
    ask = _take if silent else _ask
    named = {role: column for role in NAMED if (column := getattr(args, role))}
    found = propose(target.stem, files, folder, ask, date.today().year, named, not silent)
    text = protocol_text(found)
    if target.exists():
        target.replace(target.with_name(f"{target.name}.bak"))
    target.write_text(text, encoding="utf-8", newline="\n")
    protocol_of(target)
    print(f"\nWrote {target}. Guesses to read, and to correct where they are wrong:")
    lines_of: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if GUESS in line:
            lines_of.setdefault(line.split(GUESS)[1], []).append(str(number))
    for guess, lines in lines_of.items():
        print(f"  {'line' if len(lines) == 1 else 'lines'} {listed(lines)}: {guess}")
    for told in found.said:
        print(told)
    for lacking in found.lacking:
        print(f"Missing: {lacking}")
    for file in files:
        if left := not_used(text, file):
            print(f"Not used, of {file.shown}: {', '.join(left)}")
            if place := place_of_unused(found, file, left):
                print(place)
    quoted = shlex.quote(str(target))
    print(f"\nNext: schooltrial check {quoted}")
    print(f"Then: schooltrial rehearse {quoted}, the place to try things: it shows no effect")
    print(f"Then: schooltrial run {quoted}")
    if lines_of:
        print(
            "Correct the guesses before the run: what is corrected after it is reported as a "
            "change of the plan."
        )
    return 0


def _take(question: str, answers: Sequence[str], likely: str) -> str:
    """Take the likeliest answer; the protocol marks it as a guess."""
    return likely


def _ask(question: str, answers: Sequence[str], likely: str) -> str:
    """Ask until the answer is one of those possible."""
    from schooltrial.refusal import UserError

    choice = f" ({', '.join(answers)})" if answers else ""
    while True:
        try:
            answer = input(f"{question}{choice} [{likely}] ").strip() or likely
        except EOFError:
            raise UserError("\nNo answer was given, so no protocol was written") from None
        if not answers:
            return answer
        known = [one for one in answers if one == answer] or [
            one for one in answers if one.casefold() == answer.casefold()
        ]
        if known:
            return known[0]
        print(f"{answer!r} is not one of the answers. Type one of: {', '.join(answers)}.")
