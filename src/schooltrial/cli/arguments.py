"""Arguments that several commands take: the protocol, where results go, and how many cores."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_protocol(parser: argparse.ArgumentParser) -> None:
    """Add the protocol."""
    parser.add_argument("protocol", type=Path, help="the study's protocol, such as trial.yaml")


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the folder in which results are written."""
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="folder in which results/ is written (default: the folder of the protocol)",
    )


def add_cores(parser: argparse.ArgumentParser) -> None:
    """Add how many steps run at a time."""
    parser.add_argument(
        "--cores", type=int, metavar="N", help="steps at a time (default: all of the computer)"
    )
