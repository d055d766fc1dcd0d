"""A table as LaTeX holds nothing that LaTeX would read as a command of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from math import fsum
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from schooltrial.document.formats.latex import LETTERS, latex_table
from schooltrial.document.table_layout import GAP, width_of
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


def wide(rows: int = 3) -> NotedTable:
    """Return a table like that of all effects: many numbers, long names and notes."""
    frame = pd.DataFrame({
        "outcome": ["English language arts, proficient", "Maths, proficient", "Attendance rate"],
        "term": ["effect by group: cohort 2016", "ATT", "ITT"],
        "unit": ["percentage points", "control-group SD", "percentage points"],
        **{f"n{at}": ["1,257,533", "−15.367 to 7.888", "<0.001"] for at in range(9)},
        "notes": [f"a note of a row, {LONG}", LONG, "another note"],
    })[:rows]  # fmt: skip
    columns = [
        Column("Outcome", key="outcome"), Column("Estimand and term", key="term"),
        Column("Unit", key="unit"),
        *(Column(f"Number {at}", "told", key=f"n{at}") for at in range(9)),
        Column("Method and notes", key="notes"),
    ]  # fmt: skip
    return NotedTable("wide", tabulate("Results", frame, columns), ())


SHARE = re.compile(r"\\dimexpr ([\d.]+)\\linewidth-2\\tabcolsep\\relax")
PAPERS = {"A4": (210, 297), "Letter": (215.9, 279.4)}


@pytest.mark.parametrize("paper", PAPERS)
def test_the_widest_table_fits_the_page_and_every_number_its_column(paper: str) -> None:
    noted = wide()
    page = latex_table(noted, STUDY)
    (columns,) = re.findall(r"begin\{longtable\}(.*)", page)
    shares = [float(found) for found in SHARE.findall(columns)]
    assert fsum(shares) <= 1
    width, height = PAPERS[paper]
    turned = r"\begin{landscape}" in page
    line = ((height if turned else width) - 50) * 72 / 25.4
    (size,) = (float(found) for found in re.findall(r"\\fontsize\{([\d.]+)\}", page))
    assert size >= LETTERS[-1]
    rows = [row.removesuffix(r" \\").split(" & ") for row in body(page)]
    for at, share in enumerate(shares):
        words = [word for row in rows for word in row[at].split()]
        widest = max(width_of(re.sub(r"\\ensuremath\{(.*?)\}", "x", word)) for word in words)
        assert widest * size <= share * line - GAP


def test_a_table_that_fits_is_not_turned() -> None:
    assert "landscape" not in written(["1", "2"])
    assert "pdflscape" not in written(["1", "2"])


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
        ("soft\u00adhyphen\x07, zero\u200bwidth", r"softhyphen, zero\allowbreak{}width"),
        ("use `a_b`", r"use \texttt{a\_b}"),
        ("two\nlines", r"two \newline lines"),
    ],
)  # fmt: skip
def test_letters_that_latex_reads_as_commands_are_printed_as_they_are(
    letters: str, told: str
) -> None:
    assert body(written([letters]))[0] == rf"{told} & {told} \\"


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


def _latex_packages() -> bool:
    """Return whether LaTeX is here with all that a table needs."""
    needed = ("geometry.sty", "booktabs.sty", "longtable.sty", "array.sty", "pdflscape.sty")
    if not (shutil.which("pdflatex") and shutil.which("kpsewhich")):
        return False
    found = subprocess.run(["kpsewhich", *needed], capture_output=True, text=True, check=False)
    return len(found.stdout.split()) == len(needed)


@pytest.mark.slow
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("rows", [1, 3])
def test_latex_sets_the_widest_table_without_a_word_beyond_its_column(
    tmp_path: Path, paper: str, rows: int
) -> None:
    if not _latex_packages():
        pytest.skip("needs pdflatex with booktabs, longtable, array, pdflscape and geometry")
    fragment = latex_table(wide(rows), STUDY)
    (packages,) = re.findall(r"\\usepackage(\{.*?\})", fragment.splitlines()[0])
    (tmp_path / "page.tex").write_text(
        "\n".join([
            r"\documentclass{article}",
            rf"\usepackage[{paper.lower()}paper,margin=25mm]{{geometry}}",
            r"\usepackage[T1]{fontenc}", rf"\usepackage{packages}",
            r"\begin{document}", fragment, r"\end{document}", "",
        ]),
        encoding="utf-8",
    )  # fmt: skip
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    for _ in range(2):  # widths of a long table are known the second time
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=100)
    log = (tmp_path / "page.log").read_text("latin-1")
    assert "Overfull" not in log
    assert "Missing character" not in log
