"""``schooltrial open``: the report of a study, in the browser."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Open the report of a study in the browser."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, and which of its pages."""
    parser.add_argument("study", type=Path, help="its protocol, or the folder of its results")
    parser.add_argument(
        "--page",
        default="report",
        choices=["report", "summary", "data_quality", "monitoring"],
        help="which page (default: report)",
    )


def run(args: argparse.Namespace) -> int:
    """Say where the page is, and open it where there is a browser."""
    import webbrowser

    from schooltrial.pipeline.runs.study_places import results_of
    from schooltrial.refusal import UserError

    given = args.study.expanduser()
    page = results_of(given) / "report" / f"{args.page}.html"
    page = given.resolve() if given.suffix == ".html" else page
    if not page.is_file():
        raise UserError(f"{page} is not there; make it: schooltrial run PROTOCOL")
    print(page)
    webbrowser.open(page.as_uri())
    return 0
