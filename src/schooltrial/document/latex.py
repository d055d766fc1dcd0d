"""A table as LaTeX: a fragment to be read in, which needs booktabs, longtable and array."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schooltrial.document.tables import NotedTable, row_groups, study_foot

SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "−": r"\ensuremath{-}", "×": r"\ensuremath{\times}", "→": r"\ensuremath{\to}",
    "≤": r"\ensuremath{\le}", "≥": r"\ensuremath{\ge}", "∞": r"\ensuremath{\infty}",
    "<": r"\ensuremath{<}", ">": r"\ensuremath{>}", "\u00a0": "~", "–": "--", "—": "---",
    "’": "'", "‘": "`", "“": "``", "”": "''", "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}",
}  # fmt: skip
"""Letters that LaTeX reads as commands, or that its standard fonts lack."""

WIDE = 26
"""Letters of a cell above which its column is broken into lines."""


def latex_table(noted: NotedTable, study: Mapping[str, Any]) -> str:
    """Return a long table with its title as caption, its notes and the study's line."""
    table = noted.table
    kinds = "".join(
        "r" if column.right else _left(table.cells.iloc[:, at].tolist())
        for at, column in enumerate(table.columns)
    )
    heads = " & ".join(rf"\textbf{{{_escaped(column.name)}}}" for column in table.columns)
    head = rf"\toprule {heads} \\ \midrule"
    lines = [
        "% needs \\usepackage{booktabs,longtable,array}",
        rf"\begin{{longtable}}{{@{{}}{kinds}@{{}}}}",
        rf"\caption{{{_escaped(table.title)}}}\label{{tab:{noted.name}}}\\",
        rf"{head} \endfirsthead",
        rf"{head} \endhead",
        r"\bottomrule \endlastfoot",
    ]
    for group, rows in row_groups(table):
        if group:
            span = rf"\multicolumn{{{len(table.columns)}}}{{@{{}}l}}"
            lines.append(rf"{span}{{\textbf{{{_escaped(group)}}}}} \\*")
        lines += [" & ".join(map(_escaped, row)) + r" \\" for row in rows]
    lines.append(r"\end{longtable}")
    lines += [
        rf"\par\noindent{{\footnotesize {_escaped(note)}\par}}"
        for note in [*noted.notes, study_foot(study)]
    ]
    return "\n".join(lines) + "\n"


def _left(cells: list[str]) -> str:
    return ">{\\raggedright}p{4cm}" if max(map(len, cells), default=0) > WIDE else "l"


def _escaped(text: str) -> str:
    parts = re.split(r"`([^`\n]+)`", text)
    told = [
        rf"\texttt{{{_letters(part)}}}" if at % 2 else _letters(part)
        for at, part in enumerate(parts)
    ]
    return " ".join("".join(told).split())


def _letters(text: str) -> str:
    return "".join(SPECIAL.get(letter, letter) for letter in text)
