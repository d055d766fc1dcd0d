"""Tables as LaTeX: one as a fragment to be read in, or all of a document as a file to be set.

The columns of a table share the width of the page. It needs booktabs, longtable and array; one that
only fits a turned page needs pdflscape too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import ceil, floor, fsum
from typing import Any

from schooltrial.document.fitted_table import FittedTable, fit_table
from schooltrial.document.inline_code import code_parts
from schooltrial.document.letters import printable
from schooltrial.document.numbered_tables import NO_TABLES, tables_title
from schooltrial.document.table_layout import GAP, SIZES, TALLEST_WHOLE, breakable, width_of
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
    "\u00a0": "~", "\u200b": r"\allowbreak{}", "\u202f": r"\,",
    "–": "--", "—": "---", "…": r"\ldots{}",
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

OPTICAL, OPTICAL_SMALL = 1.22, 1.35
"""How much wider small bold letters of LaTeX’s fonts are than those that the layout measures, and
those that are smaller still."""

LETTERS = tuple(size for size in SIZES if size >= 7.5)
SMALL = tuple(size for size in SIZES if size < 7.5)
"""Points that letters may have, and those of a table that would be wider than a turned page."""

LEAST_GAP = 3.0
"""Points between columns that are left to a table that would be wider than a turned page."""

LEADING = 1.2
"""Line height, in sizes of letters."""

LATIN = 0x250
"""The code from which on letters are not Latin ones."""

OTHER_LETTERS = "% Use LuaLaTeX or XeLaTeX: names hold letters other than Latin ones."
OTHER_FONT = (
    r"\ifPDFTeX\else\IfFontExistsTF{DejaVu Serif}{\setmainfont{DejaVu Serif}[Scale=0.8]}{}\fi"
)
"""A font that has them, as the standard ones do not; scaled to their width."""


def latex_table(noted: NotedTable, study: Mapping[str, Any]) -> str:
    """Return a long table with its title as caption, its notes and the study's line."""
    fitted = _fitted(noted)
    turned = ",pdflscape" if fitted.layout.flipped else ""
    needs = (
        rf"% needs \usepackage{{booktabs,longtable,array{turned}}}; LuaLaTeX or XeLaTeX where "
        "names hold letters other than Latin ones. Fits A4 and Letter with margins of 25 mm."
    )
    return "\n".join([needs, *_group(noted, fitted, study)]) + "\n"


def latex_tables(tables: Sequence[NotedTable], study: Mapping[str, Any]) -> str:
    """Return a file that LaTeX sets as it is, with all tables of a document, each a group."""
    told = [line for one in tables for line in ("", *_group(one, _fitted(one), study))]
    title = _escaped(tables_title(study))
    foreign = not all(map(_latin, "".join([title, *told])))
    lines = [
        r"% Each table is a group, to be copied whole; its number is that of the report, and LaTeX",
        r"% counts where the line \renewcommand{\thetable} is deleted.",
        *([OTHER_LETTERS] if foreign else []),
        r"\documentclass{article}",
        r"\usepackage[a4paper,margin=25mm]{geometry}",
        r"\usepackage{iftex,booktabs,longtable,array,pdflscape}",
        r"\ifPDFTeX\usepackage[T1]{fontenc}\else\usepackage{fontspec}\fi",
        *([OTHER_FONT] if foreign else []),
        r"\begin{document}",
        rf"\section*{{{title}}}",
        *(told or [NO_TABLES]),
        r"\end{document}",
    ]
    return "\n".join(lines) + "\n"


def _latin(letter: str) -> bool:
    """Return whether the standard fonts of LaTeX have a letter."""
    return ord(letter) < LATIN or letter in SPECIAL


@dataclass(frozen=True)
class _Fitted(FittedTable):
    """A table and its layout, for letters that are wider than those that were measured.

    Attributes
    ----------
    optical : float
        How much wider.
    """

    optical: float

    @property
    def page(self) -> float:
        """Points that the text of its page is wide."""
        return PAGES[1 if self.layout.flipped else 0]

    @property
    def widths(self) -> list[float]:
        """Points of each column with the gap after it."""
        return [width * self.layout.size * self.optical for width in self.layout.widths]

    @property
    def over(self) -> float:
        """Points by which columns are too wide, on average."""
        return max(0.0, (fsum(self.widths) - self.page) / len(self.widths))

    @property
    def gap(self) -> float:
        """Points between two columns, fewer where all together would be wider than the page."""
        return max(LEAST_GAP, GAP - self.over)

    @property
    def shares(self) -> list[float]:
        """Shares of the line, rounded down, so that all together are no wider than it."""
        return [floor(1e4 * (width - GAP + self.gap) / self.page) / 1e4 for width in self.widths]


def _fitted(noted: NotedTable) -> _Fitted:
    """Return a table as it fits a page, in letters that are not too small if it can be."""
    for optical, letters in ((OPTICAL, LETTERS), (OPTICAL_SMALL, SMALL)):
        one = fit_table(noted.table, (PAGES[0] / optical, PAGES[1] / optical), letters)
        fitted = _Fitted(one.shown, one.layout, optical)
        if fitted.over <= GAP - LEAST_GAP:
            break
    return fitted


def _group(noted: NotedTable, fitted: _Fitted, study: Mapping[str, Any]) -> list[str]:
    """Return the lines of a table, which change nothing in the text around it."""
    shown, layout = fitted.shown, fitted.layout
    shares = fitted.shares
    whole = _width(fsum(shares))
    kinds = "".join(map(_kind, shown.columns, shares))
    heads = " & ".join(
        rf"\textbf{{{_escaped(breakable(column.name))}}}" for column in shown.columns
    )
    head = rf"\toprule {heads} \\ \midrule"
    number = [rf"\renewcommand{{\thetable}}{{{_escaped(noted.number)}}}"] if noted.number else []
    title = _escaped(noted.table.title)
    caption = f"{{{title}. {_escaped(noted.caption)}}}" if noted.caption else f"{{{title}}}"
    short = f"[{{{title}}}]" if noted.caption else ""
    lines = [
        *([r"\begin{landscape}"] if layout.flipped else []),
        rf"\begingroup\fontsize{{{layout.size:g}}}{{{LEADING * layout.size:g}}}\selectfont"
        rf"\setlength{{\tabcolsep}}{{{fitted.gap / 2:.4g}pt}}"
        r"\setlength{\LTcapwidth}{\linewidth}",
        *number,
        rf"\begin{{longtable}}{{@{{}}{kinds}@{{}}}}",
        rf"\caption{short}{caption}\label{{tab:{noted.name}}}\\",
        rf"{head} \endfirsthead",
        rf"{head} \endhead",
        r"\bottomrule \endlastfoot",
    ]
    for group, rows in shown.groups:
        if group:
            span = rf"\multicolumn{{{len(shown.columns)}}}{{@{{}}p{{{whole}}}@{{}}}}"
            lines.append(rf"{span}{{\textbf{{{_escaped(breakable(group))}}}}} \\*")
        for row in rows:
            lines += [" & ".join(map(_cell, part)) + r" \\" for part in _parts(row, layout.widths)]
    lines.append(r"\end{longtable}")
    notes = [*shown.notes, *noted.notes, study_foot(study)]
    lines += [rf"\par\noindent {_escaped(breakable(note))}\par" for note in notes]
    lines.append(r"\endgroup")
    return [*lines, *([r"\end{landscape}"] if layout.flipped else [])]


def _parts(row: Sequence[str], widths: Sequence[float]) -> list[Sequence[str]]:
    """Return a row as several where a page might not hold it, as LaTeX divides none."""
    cells = [_pieces(text, width) for text, width in zip(row, widths, strict=True)]
    return list(zip_longest(*cells, fillvalue="")) if max(map(len, cells)) > 1 else [row]


def _pieces(text: str, width: float) -> list[str]:
    """Return a cell in pieces, none of more lines than a row may have."""
    if _printed_lines(text, width) <= TALLEST_WHOLE:
        return [text]
    pieces, piece = [], ""
    for line in text.split("\n"):
        joint = "\n"
        for word in line.split(" "):
            longer = f"{piece}{joint}{word}" if piece else word
            if piece and _printed_lines(longer, width) > TALLEST_WHOLE:
                pieces.append(piece)
                longer = word
            piece, joint = longer, " "
    return [*pieces, piece]


def _printed_lines(text: str, width: float) -> int:
    return sum(max(1, ceil(width_of(line) / width)) for line in text.split("\n"))


def _kind(column: Column, share: float) -> str:
    """Return the alignment and width of a column, which takes its share of the line."""
    side = r"\raggedleft" if column.right else r"\raggedright"
    return rf">{{{side}\arraybackslash}}p{{{_width(share)}}}"


def _width(share: float) -> str:
    """Return a share of the line, less the gaps around what fills it."""
    return rf"\dimexpr {share:.4f}\linewidth-2\tabcolsep\relax"


def _cell(text: str) -> str:
    """Return a cell; its lines are kept, and long runs of letters may be divided."""
    return r" \newline ".join(_escaped(breakable(line)) for line in text.split("\n"))


def _escaped(text: str) -> str:
    told = [
        rf"\texttt{{{_letters(words)}}}" if code else _letters(words)
        for words, code in code_parts(printable(text))
    ]
    return " ".join("".join(told).split())


def _letters(text: str) -> str:
    return "".join(SPECIAL.get(letter, letter) for letter in text)
