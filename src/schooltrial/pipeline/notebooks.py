"""Notebooks executed in this process, and shown as pages.

A kernel starts an interpreter, imports every library and costs seconds for each notebook. Cells of
the project's notebooks are plain Python without magics, so that one process runs them all; a test
runs them in a real kernel too.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.document.blocks import (
    Block,
    Bullets,
    Details,
    Document,
    Exhibit,
    Paragraph,
    Picture,
    Preformatted,
    Section,
)
from schooltrial.document.tables import Column, Table, study_foot, tabulate
from schooltrial.document.text import Text
from schooltrial.exhibits.style.coefficient_plot import Plot
from schooltrial.protocol.content.sections import StudyLine
from schooltrial.refusal import UserError, is_our_own
from schooltrial.study.opened.comparison import Comparison
from schooltrial.study.opened.shown import Shown

PEOPLE = ("pupil", "teacher")
"""Columns that identify a person: a table that has one is not shown."""

MOST_ROWS = 60
"""Rows of a table that a page shows."""

HEADING = re.compile(r"^(#{1,6}) +(.+)$")
TITLE = re.compile(r"^# (.+)$", re.M)


@dataclass(frozen=True)
class Cell:
    """A cell, and what came of it.

    Attributes
    ----------
    kind : str
        ``markdown`` or ``code``.
    source : str
    printed : str
        What it printed.
    value : object
        Value of its last line; None where that is none.
    """

    kind: str
    source: str
    printed: str = ""
    value: Any = None


@dataclass(frozen=True)
class Executed:
    """A notebook that was executed.

    Attributes
    ----------
    name : str
        Of its file, without the ending.
    content : dict
        The notebook as it was read.
    cells : tuple of Cell
    """

    name: str
    content: dict[str, Any]
    cells: tuple[Cell, ...] = field(default=())

    @property
    def title(self) -> str:
        """The first heading, else the name."""
        for cell in self.cells:
            found = TITLE.search(cell.source) if cell.kind == "markdown" else None
            if found:
                return found[1].strip()
        return self.name.replace("_", " ")


def execute_cells(file: Path) -> Executed:
    """Execute a notebook from top to bottom, as a fresh kernel would.

    Parameters
    ----------
    file : pathlib.Path
        The notebook.

    Raises
    ------
    UserError
        Where a cell is no plain Python, where one shows rows of people, and with what a function
        of this package says of its arguments.
    Exception
        Whatever a cell raises, with the number of the cell.
    """
    content = json.loads(file.read_text("utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    cells = []
    for number, cell in enumerate(content["cells"], start=1):
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            cells.append(Cell(cell["cell_type"], source))
            continue
        printed = StringIO()
        where = f"{file.name}, cell {number}"
        try:
            with redirect_stdout(printed):
                value = _value_of(source, names, where)
        except Exception as error:
            if is_our_own(error):
                raise UserError(f"{where}: {error}") from error
            error.add_note(f"in {where}")
            raise
        _refuse_people(value, where)
        cells.append(Cell("code", source, printed.getvalue(), value))
    return Executed(file.stem, content, tuple(cells))


def _value_of(source: str, names: dict[str, Any], where: str) -> Any:
    """Execute a cell; return the value of its last line where that is an expression."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise UserError(
            f"{where}: line {error.lineno} is no plain Python ({error.msg}); cells that begin with "
            "% or ! run in Jupyter alone"
        ) from None
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, where, "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), where, "eval"), names)


def _refuse_people(value: Any, where: str) -> None:
    if isinstance(value, pd.DataFrame | pd.Series):
        heads = {*map(str, getattr(value, "columns", [])), *map(str, value.index.names)}
        found = sorted(heads & set(PEOPLE))
        if found:
            raise UserError(
                f"{where} shows a table with the column {found[0]!r}, which would print rows of "
                "people; show counts or means"
            )


def as_notebook(executed: Executed, banner: str) -> str:
    """Return a notebook with its outputs as JSON, a banner in front, the same on every run."""
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "id": "study", "metadata": {}, "source": banner}
    ]
    count = 0
    for given, cell in zip(executed.content["cells"], executed.cells, strict=True):
        if cell.kind != "code":
            cells.append(given)
            continue
        count += 1
        cells.append({**given, "execution_count": count, "outputs": _outputs(cell, count)})
    return json.dumps({**executed.content, "cells": cells}, indent=1, ensure_ascii=False) + "\n"


def _outputs(cell: Cell, count: int) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = []
    if cell.printed:
        outputs.append({"output_type": "stream", "name": "stdout", "text": cell.printed})
    if cell.value is not None:
        data = {"text/plain": repr(cell.value)}
        as_html = getattr(cell.value, "_repr_html_", lambda: None)()
        if as_html:
            data["text/html"] = str(as_html)
        outputs.append({
            "output_type": "execute_result", "execution_count": count, "metadata": {}, "data": data,
        })  # fmt: skip
    return outputs


def as_document(executed: Executed, study: StudyLine) -> Document:
    """Return a notebook as a page: text, results, and the code below each for who wants it."""
    front: list[Block] = []
    sections: list[tuple[str, list[Block]]] = []
    at = front
    for number, cell in enumerate(executed.cells, start=1):
        if cell.kind == "code":
            at += _blocks_of_code(cell, f"{executed.name}-{number}")
            continue
        for part in _parts(cell.source):
            heading = HEADING.match(part)
            if heading and len(heading[1]) == 1:
                continue  # the title of the page
            if heading:
                sections.append((heading[2].strip(), []))
                at = sections[-1][1]
            else:
                at.append(_words(part))
    return Document(
        str(study["title"]),
        f"Notebook: {executed.title}",
        tuple(front),
        tuple(
            Section(_slug(title, number), title, tuple(blocks))
            for number, (title, blocks) in enumerate(sections, start=1)
        ),
        synthetic=study["synthetic"],
        foot=study_foot(study),
    )


def _slug(title: str, number: int) -> str:
    return f"{number}-{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')}"


def _parts(source: str) -> Iterator[str]:
    """Yield headings and paragraphs of Markdown."""
    for part in re.split(r"\n\s*\n", source.strip()):
        lines = part.splitlines()
        while lines and HEADING.match(lines[0]):
            yield lines.pop(0)
        if lines:
            yield "\n".join(lines)


def _words(part: str) -> Block:
    lines = part.splitlines()
    if all(line.startswith(("* ", "- ", "  ")) for line in lines):
        items = re.split(r"^[*-] ", part, flags=re.M)[1:]
        return Bullets(tuple(_text(" ".join(item.split())) for item in items))
    return Paragraph(_text(" ".join(part.split())))


def _text(words: str) -> Text:
    return words.replace("**", "")


def _blocks_of_code(cell: Cell, name: str) -> Iterable[Block]:
    lines = cell.source.splitlines()
    title = lines[0].removeprefix("#").strip() if lines and lines[0].startswith("# ") else ""
    yield from _printed(cell.printed.rstrip())
    yield from _blocks_of_value(cell.value, title, name)
    yield Details("Code", (Preformatted(cell.source),))


def _printed(text: str) -> Iterator[Block]:
    """Yield sentences as paragraphs; text with columns keeps its lines and spaces."""
    if "  " in text:
        yield Preformatted(text)
    else:
        yield from (Paragraph(line) for line in text.splitlines() if line)


def _blocks_of_value(value: Any, title: str, name: str) -> Iterator[Block]:
    match value:
        case None:
            return
        case Comparison():
            noted = value.table()
            yield Exhibit(name, title or noted.table.title, noted.table, notes=noted.notes)
        case Shown() if not value.svg:
            yield Paragraph(f"{value.title}: {value.words}")
        case Shown() | Plot():
            picture = Picture(value.svg.encode(), value.words)
            yield Exhibit(name, title or value.title, picture, data=value.data)
        case pd.DataFrame() if not len(value):
            yield Paragraph(f"{title or 'Table'}: there is nothing to show.")
        case pd.DataFrame():
            left = len(value) - MOST_ROWS
            note = (f"{left:,} more rows are in the notebook.",) if left > 0 else ()
            yield Exhibit(name, title or "Result", _table(value, title or "Result"), notes=note)
        case _:
            yield Preformatted(str(value))


def _table(frame: pd.DataFrame, title: str) -> Table:
    shown = frame.head(MOST_ROWS)
    shown = shown if isinstance(shown.index, pd.RangeIndex) else shown.reset_index()
    shown = shown.rename(columns=str)
    return tabulate(title, shown, [_column(str(name), shown[name]) for name in shown])


def _column(name: str, values: pd.Series) -> Column:
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return Column(name)
    if name == "p" or name.endswith(" p"):
        return Column(name, "p")
    if name.lower() == "year":
        return Column(name, "told")
    if pd.api.types.is_integer_dtype(values):
        return Column(name, "count")
    return Column(name, "number", 1 if name.endswith("(%)") else 3)
