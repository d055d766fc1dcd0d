"""The command ``schooltrial``: which commands there are, and how each ends."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from io import TextIOWrapper
from types import ModuleType

from schooltrial import __version__
from schooltrial.cli import (
    assign,
    check,
    compare,
    completion,
    doctor,
    help,
    monitor,
    new,
    open,
    refit,
    rehearse,
    run,
    version,
    where,
)
from schooltrial.pipeline.system_errors import REMEDIES, of_the_system
from schooltrial.refusal import Refusal, StepFailedError, UserError

COMMANDS: list[ModuleType] = [
    new, check, rehearse, run, open, compare, refit, assign, monitor, where, help, doctor,
    version, completion,
]  # fmt: skip
"""In the order in which the help lists them; each has ``HELP``, ``add_arguments`` and ``run``."""

FIRST_STEPS = """\
from files to a first report:
  schooltrial new my_trial schools.csv pupils_2024.csv pupils_2025.csv
  schooltrial check my_trial.yaml
  schooltrial run my_trial.yaml

The first writes a protocol, my_trial.yaml: read the lines in it that say GUESS.
Results are in results/, next to the protocol. `schooltrial <command> --help` says more,
`schooltrial help design.kind` explains a key of the protocol.
"""

SIGNS = "−–≥█·‘’"
"""Signs of effects, years, bars and texts that older encodings lack."""

DEBUG = "SCHOOLTRIAL_DEBUG"
REPORT = f"""
This is a bug in schooltrial {__version__}, not in your files. Please report it, with the text
above, where you obtained schooltrial. {DEBUG}=1 shows the traceback of refusals too."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return the code that it ends with.

    Returns
    -------
    int
        0; or 1 where what was asked for cannot be had, of which only the message is shown, and
        where the command broke down, of which all is. A wrong call ends with 2.
    """
    _write_utf8()
    parser = _parser()
    words = sys.argv[1:] if arguments is None else arguments
    if not words:
        parser.print_help()
        return 0
    names = [command.__name__.rsplit(".", 1)[1] for command in COMMANDS]
    close = get_close_matches(words[0], names, n=1)
    if close and words[0] not in names and not words[0].startswith("-"):
        parser.error(f"there is no command {words[0]!r}. Did you mean {close[0]!r}?")
    given = parser.parse_args(arguments)
    try:
        return int(given.run(given))
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the output has seen enough
        return 1
    except (Refusal, UserError) as told:
        if os.environ.get(DEBUG) == "1":
            traceback.print_exc()
        else:
            print(told, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    except StepFailedError as told:
        print(f"{told}\n{REPORT}", file=sys.stderr)
        return 1
    except Exception as error:
        if isinstance(error, OSError) and error.errno in REMEDIES:
            print(Refusal([of_the_system(error)]), file=sys.stderr)
            return 1
        traceback.print_exc()
        print(REPORT, file=sys.stderr)
        return 1


def _write_utf8() -> None:
    """Write in UTF-8 where the encoding of a stream lacks a sign that results have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            try:
                SIGNS.encode(stream.encoding)
            except UnicodeEncodeError:
                stream.reconfigure(encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="schooltrial",
        description="Randomised evaluations of school programmes.",
        epilog=FIRST_STEPS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"schooltrial {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="<command>", required=True)
    for command in COMMANDS:
        name = command.__name__.rsplit(".", 1)[1]
        one = commands.add_parser(name, help=command.HELP, description=command.HELP)
        command.add_arguments(one)
        one.set_defaults(run=command.run, commands=COMMANDS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
