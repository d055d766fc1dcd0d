"""Write the page of all studies that have a report."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schooltrial.document.formats.html import html_page
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.report.pages.overview import overview_page


def main(
    *, studies: Sequence[str], page: str, notebooks: Sequence[str] = (), **traced: Any
) -> None:
    """Write the page: the studies of this run, and those in the same folder of results."""
    files = {Path(path) for path in studies} | set(Path(page).parent.glob("*/report/overview.json"))
    told = [json.loads(path.read_text("utf-8")) for path in sorted(files)]
    of_all = {study["name"]: notebooks for study in told}
    Path(page).write_text(html_page(overview_page(told, of_all)), "utf-8", newline="\n")


run_as_rule(main, globals())
