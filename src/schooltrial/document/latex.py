"""A table as LaTeX: a fragment to be read in, which needs booktabs, longtable and array."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from schooltrial.document.inline_code import code_parts
from schooltrial.document.letters import printable
from schooltrial.document.tables import Column, NotedTable, row_groups, study_foot

SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "−": r"\ensuremath{-}", "×": r"\ensuremath{\times}", "→": r"\ensuremath{\to}",
    "≤": r"\ensuremath{\le}", "≥": r"\ensuremath{\ge}", "∞": r"\ensuremath{\infty}",
    "≈": r"\ensuremath{\approx}", "±": r"\ensuremath{\pm}", "·": r"\ensuremath{\cdot}",
    "<": r"\ensuremath{<}", ">": r"\ensuremath{>}", "|": r"\ensuremath{|}",
    "²": r"\ensuremath{^2}", "³": r"\ensuremath{^3}", "α": r"\ensuremath{\alpha}",
    "β": r"\ensuremath{\beta}", "δ": r"\ensuremath{\delta}", "Δ": r"\ensuremath{\Delta}",
    "λ": r"\ensuremath{\lambda}", "μ": r"\ensuremath{\mu}", "ρ": r"\ensuremath{\rho}",
    "σ": r"\ensuremath{\sigma}", "τ": r"\ensuremath{\tau}", "χ": r"\ensuremath{\chi}",
    "\u00a0": "~", "\u200b": "", "\u202f": r"\,", "–": "--", "—": "---", "…": r"\ldots{}",
    "£": r"\pounds{}",
    "’": "'", "‘": "`", "“": "``", "”": "''", "`": r"\textasciigrave{}",
    "[": "{[}", "]": "{]}", "*": "{*}",
}  # fmt: skip
"""Letters that LaTeX reads as commands, or that its standard fonts lack.

A bracket or star that begins a row would be read as an argument of the line break before it.
"""

WIDE = 26
"""Letters of a cell above which its column is broken into lines."""

LONG_HEAD = 12
"""Letters of a heading that is not broken into lines, however short the cells are."""

BROKEN = 0.32
"""Share of the line's width that all broken columns together take, for each up to three."""


def latex_table(noted: NotedTable, study: Mapping[str, Any]) -> str:
    """Return a long table with its title as caption, its notes and the study's line."""
    table = noted.table
    longest = [
        max(map(len, map(str, table.cells.iloc[:, at])), default=0)
        for at in range(len(table.columns))
    ]
    kinds = _kinds(table.columns, longest)
    heads = " & ".join(map(_head, table.columns, longest))
    head = rf"\toprule {heads} \\ \midrule"
    lines = [
        r"% needs \usepackage{booktabs,longtable,array}; LuaLaTeX or XeLaTeX where names hold "
        "letters other than Latin ones",
        r"\begingroup\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\begin{{longtable}}{{@{{}}{kinds}@{{}}}}",
        rf"\caption{{{_escaped(table.title)}}}\label{{tab:{noted.name}}}\\",
        rf"{head} \endfirsthead",
        rf"{head} \endhead",
        r"\bottomrule \endlastfoot",
    ]
    for group, rows in row_groups(table):
        if group:
            span = rf"\multicolumn{{{len(table.columns)}}}{{@{{}}l@{{}}}}"
            lines.append(rf"{span}{{\textbf{{{_escaped(group)}}}}} \\*")
        lines += [" & ".join(map(_escaped, row)) + r" \\" for row in rows]
    lines.append(r"\end{longtable}")
    lines += [rf"\par\noindent {_escaped(note)}\par" for note in [*noted.notes, study_foot(study)]]
    return "\n".join([*lines, r"\endgroup"]) + "\n"


def _kinds(columns: tuple[Column, ...], longest: list[int]) -> str:
    """Return the alignment of each column; columns of long texts share the remaining width."""
    broken = [
        not column.right and long > WIDE for column, long in zip(columns, longest, strict=True)
    ]
    share = BROKEN * min(sum(broken), 3) / max(sum(broken), 1)
    paragraph = rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\linewidth}}"
    return "".join(
        "r" if column.right else paragraph if breaks else "l"
        for column, breaks in zip(columns, broken, strict=True)
    )


def _head(column: Column, longest: int) -> str:
    """Return a heading, on several lines where it would make its column wider."""
    lines = textwrap.wrap(
        column.name, max(longest, LONG_HEAD), break_long_words=False, break_on_hyphens=False
    )
    told = [rf"\textbf{{{_escaped(line)}}}" for line in lines]
    if len(told) < 2:
        return "".join(told)
    side = "r" if column.right else "l"
    stacked = r"\\".join(told)
    return rf"\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{stacked}\end{{tabular}}"


def _escaped(text: str) -> str:
    told = [
        rf"\texttt{{{_letters(words)}}}" if code else _letters(words)
        for words, code in code_parts(printable(text))
    ]
    return " ".join("".join(told).split())


def _letters(text: str) -> str:
    return "".join(SPECIAL.get(letter, letter) for letter in text)
