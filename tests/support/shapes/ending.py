"""A shape run to its end: every rule of the default target, in this process."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt

from schooltrial.exhibits.catalogue import figures_of, tables_of
from schooltrial.refusal import Refusal
from support.rules_in_process import StudyRun
from support.shapes.shape import Shape
from support.small_trial import ROOT

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
ENDS = ("report/report.html", f"notebooks/{NOTEBOOKS[0]}.html")
ENVIRONMENT = ("PYTEST_DISABLE_PLUGIN_AUTOLOAD",)
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


def run_to_end(shape: Shape, folder: Path, *, caught: bool = False) -> Ending:
    """Run a shape by all rules to its report and notebooks; a warning of any library is an error.

    With ``caught`` an exception that is no refusal is an ending too.
    """
    run = StudyRun(shape.write(folder / "study"), folder / "work")
    try:
        with warnings.catch_warnings(), as_it_was():
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
def as_it_was() -> Iterator[None]:
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
