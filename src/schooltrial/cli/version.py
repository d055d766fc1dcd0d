"""``schooltrial version``: the versions on which results rest."""

from __future__ import annotations

import argparse

HELP = "Show the versions of schooltrial, Python and numpy."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command takes no arguments."""


def run(args: argparse.Namespace) -> int:
    """Print them."""
    import platform

    from schooltrial.version import software_versions

    for name, version in {**software_versions(), "python": platform.python_version()}.items():
        print(f"{name:<12} {version}")
    return 0
