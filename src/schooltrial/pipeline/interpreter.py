"""How jobs start the interpreter that this run has, with the library of this checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def use_library(source: Path) -> None:
    """Let every job import the library below a folder, whichever the environment has installed."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(source), *filter(None, [before])])


def start_by_name() -> None:
    """Let jobs start the interpreter by its name where its path has a space.

    Snakemake writes the path into a line for the shell without quotation marks. The folder goes
    first on the path, so that the name means this interpreter and no other.
    """
    folder, name = os.path.split(sys.executable)
    if " " in folder:
        os.environ["PATH"] = os.pathsep.join([folder, *filter(None, [os.environ.get("PATH")])])
        sys.executable = name
