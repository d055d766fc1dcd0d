"""A table as LaTeX: a fragment to be read in, whose columns share the width of the page.

It needs booktabs, longtable and array; a table that only fits a turned page needs pdflscape too.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, fsum
from typing import Any

from schooltrial.document.fitted_table import fit_table
from schooltrial.document.inline_code import code_parts
from schooltrial.document.letters import printable
from schooltrial.document.table_layout import GAP, SIZES
from schooltrial.document.tables import Column, NotedTable, study_foot

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

PAGES = (455.0, 650.0)
"""Points that the text of a page is wide, and of a turned one, by margins of 25 mm: of A4 and of
Letter the lesser.
"""

OPTICAL = 1.2
"""How much wider small bold letters of LaTeX’s fonts are than those that the layout measures."""

LETTERS = tuple(size for size in SIZES if size >= 7.5)
"""Points that letters may have: LaTeX’s smaller ones are wider for their size."""

LEADING = 1.2
"""Line height, in sizes of letters."""


def latex_table(noted: NotedTable, study: Mapping[str, Any]) -> str:
    """Return a long table with its title as caption, its notes and the study's line."""
    table = noted.table
    fitted = fit_table(table, (PAGES[0] / OPTICAL, PAGES[1] / OPTICAL), LETTERS)
    shown, layout = fitted.shown, fitted.layout
    page = PAGES[1 if layout.flipped else 0]
    # Rounded down, so that all together are no wider than the line
    shares = [floor(1e4 * width * layout.size * OPTICAL / page) / 1e4 for width in layout.widths]
    whole = _width(fsum(shares))
    kinds = "".join(map(_kind, shown.columns, shares))
    heads = " & ".join(rf"\textbf{{{_escaped(column.name)}}}" for column in shown.columns)
    head = rf"\toprule {heads} \\ \midrule"
    turned = ",pdflscape" if layout.flipped else ""
    lines = [
        rf"% needs \usepackage{{booktabs,longtable,array{turned}}}; LuaLaTeX or XeLaTeX where "
        "names hold letters other than Latin ones. Fits A4 and Letter with margins of 25 mm.",
        *([r"\begin{landscape}"] if layout.flipped else []),
        rf"\begingroup\fontsize{{{layout.size:g}}}{{{LEADING * layout.size:g}}}\selectfont"
        rf"\setlength{{\tabcolsep}}{{{GAP / 2:g}pt}}\setlength{{\LTcapwidth}}{{\linewidth}}",
        rf"\begin{{longtable}}{{@{{}}{kinds}@{{}}}}",
        rf"\caption{{{_escaped(table.title)}}}\label{{tab:{noted.name}}}\\",
        rf"{head} \endfirsthead",
        rf"{head} \endhead",
        r"\bottomrule \endlastfoot",
    ]
    for group, rows in shown.groups:
        if group:
            span = rf"\multicolumn{{{len(shown.columns)}}}{{@{{}}p{{{whole}}}@{{}}}}"
            lines.append(rf"{span}{{\textbf{{{_escaped(group)}}}}} \\*")
        lines += [" & ".join(map(_escaped, row)) + r" \\" for row in rows]
    lines.append(r"\end{longtable}")
    notes = [*shown.notes, *noted.notes, study_foot(study)]
    lines += [rf"\par\noindent {_escaped(note)}\par" for note in notes]
    lines.append(r"\endgroup")
    return "\n".join([*lines, *([r"\end{landscape}"] if layout.flipped else [])]) + "\n"


def _kind(column: Column, share: float) -> str:
    """Return the alignment and width of a column, which takes its share of the line."""
    side = r"\raggedleft" if column.right else r"\raggedright"
    return rf">{{{side}\arraybackslash}}p{{{_width(share)}}}"


def _width(share: float) -> str:
    """Return a share of the line, less the gaps around what fills it."""
    return rf"\dimexpr {share:.4f}\linewidth-2\tabcolsep\relax"


def _escaped(text: str) -> str:
    told = [
        rf"\texttt{{{_letters(words)}}}" if code else _letters(words)
        for words, code in code_parts(printable(text))
    ]
    return " ".join("".join(told).split())


def _letters(text: str) -> str:
    return "".join(SPECIAL.get(letter, letter) for letter in text)
