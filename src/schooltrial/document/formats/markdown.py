"""Tables as Markdown, as GitHub and Pandoc read it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from schooltrial.document.inline_code import code_parts
from schooltrial.document.letters import printable
from schooltrial.document.numbered_tables import NO_TABLES, tables_title
from schooltrial.document.tables import NotedTable, row_groups, study_foot

SPECIAL = re.compile(r"([\\*_\[\]<>#|~$&])")


def markdown_table(noted: NotedTable, study: Mapping[str, Any]) -> str:
    """Return a table with its title, its notes and the study's line."""
    table = noted.table
    heads = [_escaped(column.name) for column in table.columns]
    sides = ["---:" if column.right else ":---" for column in table.columns]
    lines = [f"**{_escaped(noted.title)}**", ""]
    lines += [_escaped(noted.caption), ""] if noted.caption else []
    lines += [_row(heads), _row(sides)]
    for group, rows in row_groups(table):
        if group:
            lines.append(_row([f"**{_escaped(group)}**", *[""] * (len(heads) - 1)]))
        lines += [_row([_escaped(cell) for cell in row]) for row in rows]
    for note in [*noted.notes, study_foot(study)]:
        lines += ["", _escaped(note)]
    return "\n".join(lines) + "\n"


def markdown_tables(tables: Sequence[NotedTable], study: Mapping[str, Any]) -> str:
    """Return all tables of a document below its title."""
    head = f"# {_escaped(tables_title(study))}\n"
    told = [markdown_table(table, study) for table in tables] or [f"{NO_TABLES}\n"]
    return "\n".join([head, *told])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Return words in which nothing is markup but code between backticks; a line stays one."""
    told = [
        "`" + words.replace("|", r"\|") + "`"
        if code
        else SPECIAL.sub(r"\\\1", words).replace("`", r"\`")
        for words, code in code_parts(printable(text))
    ]
    return " ".join("".join(told).split())
