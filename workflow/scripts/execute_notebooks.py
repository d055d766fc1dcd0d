"""Execute the notebooks on the results of one study, and render each as a page."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from schooltrial.document.formats.html import html_page
from schooltrial.document.tables import study_foot
from schooltrial.pipeline.notebooks import as_document, as_notebook, execute_cells
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import StudyLine
from schooltrial.study.opened.opening import open_study  # noqa: F401 - what notebooks rest on


def main(
    *,
    notebooks: Sequence[str],
    results: str,
    study: StudyLine,
    protocol: str,
    executed: Sequence[str],
    pages: Sequence[str],
    **traced: Any,
) -> None:
    """Write executed notebooks and their pages; a failing cell fails the rule."""
    label = "**SYNTHETIC DATA.** " if study["synthetic"] else ""
    banner = f"{label}{study_foot({**study, 'synthetic': False})}"
    files = [Path(path).resolve() for path in notebooks]
    surroundings = {
        "SCHOOLTRIAL_RESULTS": str(Path(results).resolve()),
        "SCHOOLTRIAL_PROTOCOL": str(Path(protocol).resolve()),
    }
    done = []
    with _surrounded(surroundings):
        for file in files:
            with chdir(file.parent):  # as Jupyter does
                done.append(execute_cells(file))
    for notebook, copy, page in zip(done, executed, pages, strict=True):
        Path(copy).write_text(as_notebook(notebook, banner), "utf-8", newline="\n")
        Path(page).write_text(html_page(as_document(notebook, study)), "utf-8", newline="\n")


@contextmanager
def _surrounded(values: Mapping[str, str]) -> Iterator[None]:
    """Give notebooks the variables by which they find the study; leave them as they were."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


run_as_rule(main, globals())
