"""A table as LaTeX holds nothing that LaTeX would read as a command of its own."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from schooltrial.document.latex import latex_table
from schooltrial.document.tables import Column, NotedTable, tabulate

STUDY: dict[str, Any] = {"title": "A & B", "synthetic": True, "protocol": "0123456789abcdef"}
LONG = "a text that is longer than the cells that stay on one line"


def written(cells: list[str], *, heads: str = "Name", right: bool = False, notes: Any = ()) -> str:
    frame = pd.DataFrame({"x": cells, "y": cells})
    columns = [Column(heads, "told" if right else "text", key="x"), Column("Other", key="y")]
    return latex_table(NotedTable("small", tabulate("T", frame, columns), notes), STUDY)


def body(page: str) -> list[str]:
    """Return the rows between the last head and the end of the table."""
    inside = page.split(r"\endlastfoot")[1].split(r"\end{longtable}")[0]
    return [line for line in inside.splitlines() if line]


def test_a_column_of_long_texts_can_still_end_a_row() -> None:
    page = written([LONG, "short"])
    assert page.count(r">{\raggedright\arraybackslash}p{") == 2
    assert r"\raggedright}" not in page


@pytest.mark.parametrize("cell", ["*starred", "[bracketed]", "[*]", "*"])
def test_a_cell_cannot_be_read_as_an_argument_of_the_row_before_it(cell: str) -> None:
    rows = body(written(["first", cell]))
    assert len(rows) == 2
    assert rows[0].endswith(r"\\")
    assert rows[1].startswith("{")


@pytest.mark.parametrize(
    ("letters", "told"),
    [
        ("50% & $5 #1_a", r"50\% \& \$5 \#1\_a"),
        ("{a}~^\\", r"\{a\}\textasciitilde{}\textasciicircum{}\textbackslash{}"),
        ("−0.1 < β | x²", r"\ensuremath{-}0.1 \ensuremath{<} \ensuremath{\beta} "
         r"\ensuremath{|} x\ensuremath{^2}"),
        ("soft\u00adhyphen\x07, zero\u200bwidth", "softhyphen, zerowidth"),
        ("use `a_b`", r"use \texttt{a\_b}"),
        ("two\nlines", "two lines"),
    ],
)  # fmt: skip
def test_letters_that_latex_reads_as_commands_are_printed_as_they_are(
    letters: str, told: str
) -> None:
    assert body(written([letters]))[0] == rf"{told} & {told} \\"


def test_a_long_heading_is_broken_so_that_numbers_stay_close() -> None:
    page = written(["1"], heads="Cost per pupil per year", right=True)
    assert (
        r"\begin{tabular}[b]{@{}r@{}}\textbf{Cost per}\\\textbf{pupil per}\\\textbf{year}"
        r"\end{tabular}"
    ) in page


def test_what_is_opened_is_closed_and_notes_are_below_the_table() -> None:
    page = written([LONG, "*"], notes=("One & only.",))
    begun = re.findall(r"\\begin\{(\w+)\}", page)
    assert sorted(begun) == sorted(re.findall(r"\\end\{(\w+)\}", page))
    assert page.count(r"\begingroup") == page.count(r"\endgroup") == 1
    bare = re.sub(r"\\[{}\\]", "", page)
    assert bare.count("{") == bare.count("}")
    below = page.split(r"\end{longtable}")[1]
    assert r"One \& only." in below
    assert r"SYNTHETIC DATA. A \& B. Protocol 0123456789ab" in below
