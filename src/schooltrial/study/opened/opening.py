"""The analyst's door: a study, by its name, its protocol or the folder of its results."""

from __future__ import annotations

import json
import warnings
from datetime import date
from pathlib import Path

from schooltrial.checkout import find_checkout
from schooltrial.protocol.content.sections import Protocol
from schooltrial.protocol.reading import read_protocol, read_schema
from schooltrial.refusal import unknown
from schooltrial.study.layout import Layout
from schooltrial.study.opened.opened_study import OpenedStudy

ENDS = (".yaml", ".yml")


def open_study(
    study: str | Path,
    *,
    protocol: str | Path | None = None,
    results: str | Path | None = None,
    today: date | None = None,
) -> OpenedStudy:
    """Open a study: its plan, its results, and its models to refit.

    Parameters
    ----------
    study : str or pathlib.Path
        The name of a study of the project, the path of a protocol, or a folder of results, which
        may lie anywhere.
    protocol : str or pathlib.Path, optional
        The protocol of a folder of results whose study is none of the project's.
    results : str or pathlib.Path, optional
        The folder of the study's results, where it is not ``results/<study>`` of the checkout.
    today : datetime.date, optional
        The day on which a blinded study is opened.

    Raises
    ------
    UserError
        Where there is no such study, with the closest name.
    Refusal
        With the faults of its protocol.

    Warns
    -----
    UserWarning
        Where the results were made by another version of the protocol.
    """
    given = Path(study).expanduser()
    if given.is_dir():
        folder = given.resolve()
        plan = _read(Path(protocol) if protocol else _of_project(folder.name, "study"))
    else:
        plan = _read(given if given.suffix in ENDS else _of_project(str(study), "study"))
        folder = Path(results).resolve() if results else _results_of(plan)
    opened = OpenedStudy.at(plan, Layout(folder), today or date.today())
    _warn_of_another_plan(opened)
    return opened


def _read(path: Path) -> Protocol:
    schema = read_schema()
    return read_protocol(path.expanduser(), schema, str(path))


def _of_project(name: str, kind: str) -> Path:
    """Return the protocol of a study of the project."""
    folder = find_checkout() / "config" / "studies"
    found = folder / f"{name}.yaml"
    if not found.is_file():
        raise unknown(kind, name, sorted(path.stem for path in folder.glob("*.yaml")))
    return found


def _results_of(plan: Protocol) -> Path:
    beside = plan.folder / "results" / plan.name  # where `schooltrial run` writes them
    return beside if beside.is_dir() else find_checkout() / "results" / plan.name


def _warn_of_another_plan(study: OpenedStudy) -> None:
    record = study.paths.record
    if not record.is_file():
        return
    made_by = json.loads(record.read_text("utf-8"))["protocol"]
    if made_by != study.protocol.sha256:
        warnings.warn(
            f"the results in {study.paths.root} were made by another version of the protocol "
            f"({made_by[:12]}; it is now {study.protocol.sha256[:12]}): run the study again",
            stacklevel=3,
        )
