"""A shape run to its end: every rule of the default target, in this process."""

from __future__ import annotations

import ast
import json
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import matplotlib.pyplot as plt
import nbformat

from schooltrial.exhibits.catalogue import figures_of, tables_of
from schooltrial.refusal import Refusal
from support.rules_in_process import StudyRun
from support.shapes.shape import Shape

NOTEBOOK = "explore_results"
ENDS = ("report/report.html", f"notebooks/{NOTEBOOK}.html")
ENVIRONMENT = ("SCHOOLTRIAL_RESULTS", "SCHOOLTRIAL_PROTOCOL", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
CLAIMS = os.sep + os.path.join("tests", "results") + os.sep


@dataclass(frozen=True)
class Ending:
    """How a shape ended.

    Attributes
    ----------
    run : StudyRun
    results : pathlib.Path, optional
        The folder of results; None where the study was refused.
    refusal : str
        What the refusal says, or another exception.
    """

    run: StudyRun
    results: Path | None
    refusal: str = ""

    @property
    def figures(self) -> list[str]:
        """Names of the figures that the study has."""
        return figures_of(self.run.protocol.content)

    @property
    def tables(self) -> list[str]:
        """Names of the tables that the study has."""
        return tables_of(self.run.protocol.content)


def run_to_end(shape: Shape, folder: Path, *, kernel: bool = False, caught: bool = False) -> Ending:
    """Run a shape by all rules to its report and notebook; a warning of any library is an error.

    With ``kernel`` the notebook is executed by a real kernel, as in a run; otherwise its cells are
    executed here, which takes a tenth of the time. With ``caught`` an exception that is no refusal
    is an ending too.
    """
    mains = {} if kernel else {"execute_notebook": execute_cells}
    run = StudyRun(shape.write(folder / "study"), folder / "work", mains=mains)
    try:
        with warnings.catch_warnings(), _as_it_was():
            warnings.simplefilter("error")
            run.make(*ENDS)
    except Refusal as refusal:
        return Ending(run, None, str(refusal))
    except Exception:
        if not caught:
            raise
        return Ending(run, None, traceback.format_exc())
    finally:
        plt.close("all")
    return Ending(run, run.results)


@contextmanager
def _as_it_was() -> Iterator[None]:
    """Leave the environment as it was; the claims about results are imported once a study."""
    kept = {name: os.environ.get(name) for name in ENVIRONMENT}
    for name, module in list(sys.modules.items()):
        if CLAIMS in str(getattr(module, "__file__", "")):
            del sys.modules[name]
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def execute_cells(
    *,
    notebook: str,
    results: str,
    study_file: str,
    protocol: str,
    executed: str,
    page: str,
    **traced: Any,
) -> None:
    """Execute the cells of a notebook in this process, and write what they print and show."""
    os.environ["SCHOOLTRIAL_RESULTS"] = str(Path(results).resolve())
    os.environ["SCHOOLTRIAL_PROTOCOL"] = str(Path(protocol).resolve())
    content = nbformat.read(notebook, as_version=4)
    there: dict[str, Any] = {"__name__": "__main__"}
    shown: list[str] = []
    with mock.patch.object(plt, "show", partial(plt.close, "all")):
        for cell in content.cells:
            if cell.cell_type == "code":
                printed = StringIO()
                with redirect_stdout(printed):
                    value = _executed(cell.source, there)
                shown.append(f"<pre>{escape(printed.getvalue())}</pre>")
                if value is not None:
                    as_html = getattr(value, "_repr_html_", lambda: None)()
                    shown.append(as_html or f"<pre>{escape(repr(value))}</pre>")
    Path(executed).write_text(json.dumps(content), encoding="utf-8")
    Path(page).write_text("<body>" + "\n".join(shown) + "</body>", encoding="utf-8")


def _executed(source: str, there: dict[str, Any]) -> Any:
    """Execute a cell, and return the value of its last line where that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), there)
    if last is None:
        return None
    assert isinstance(last, ast.Expr)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), there)
