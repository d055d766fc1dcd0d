"""``schooltrial help``: what a key of the protocol means."""

from __future__ import annotations

import argparse

HELP = "Explain a key of the protocol, such as design.kind; without a key, list the sections."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the key."""
    parser.add_argument(
        "key",
        nargs="?",
        default="",
        help="keys from the top, with dots between: models.covariates; or a variable: grade",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Print the description, the values, the default and an example of the key."""
    from textwrap import fill

    from schooltrial.protocol.content.variable_reference import reference_lines
    from schooltrial.protocol.reading import read_schema

    for line in reference_lines(read_schema(), args.key):
        indent = len(line) - len(line.lstrip()) + 4
        print(fill(line, 100, subsequent_indent=" " * indent, break_long_words=False))
    return 0
