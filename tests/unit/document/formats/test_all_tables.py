"""All tables of a report, as Word, LaTeX and Markdown, hold what the report holds, in its order."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pandas as pd
import pytest

from schooltrial.document.formats.latex import SPECIAL, latex_tables
from schooltrial.document.formats.markdown import markdown_tables
from schooltrial.document.formats.word import word_tables
from schooltrial.document.table_layout import GAP
from schooltrial.document.tables import Column, NotedTable, row_groups, study_foot, tabulate

STUDY: dict[str, Any] = {"title": "A & B", "synthetic": True, "protocol": "0123456789abcdef"}
UNSPEAKABLE = re.compile(r"\\(?:allowbreak|newline)(?:\{\})?|[\\`{}$~\s]")
"""What LaTeX and Markdown put among the letters of a text, and what they write between them."""


def of(name: str, cells: list[list[str]], *, group: list[str] | None = None) -> NotedTable:
    """Return a table whose heads are told apart, with a caption and a note."""
    heads = [f"Head {name} {at}" for at in range(len(cells[0]))]
    frame = pd.DataFrame(cells, columns=heads)
    columns = [Column(head, "told" if at else "text", key=head) for at, head in enumerate(heads)]
    table = tabulate(f"Title {name}", frame, columns, group=group or [])
    return NotedTable(name, table, (f"Note {name}",), number=name, caption=f"Caption {name}")


def outcomes(count: int, numbers: int) -> list[list[str]]:
    """Return effects on outcomes, one in each row, with as many numbers."""
    return [
        [f"Outcome number {row}", *(f"{row}.{at:03d} to {at}.{row:03d}" for at in range(numbers))]
        for row in range(count)
    ]


LONG = " ".join(f"reason{at}" for at in range(900))
SHAPES: dict[str, list[NotedTable]] = {
    "none": [],
    "one": [of("1", [["Maths", "0.10"]])],
    "grouped": [
        of("1", [["a", "1"], ["b", "2"]], group=["Pupils", "Schools"]), of("A1", [["c", "3"]]),
    ],
    "twelve outcomes": [
        of("1", [["Maths", "0.10"]]), of("2", outcomes(12, 13)), of("3", [["x", "1"]]),
    ],
    "many columns": [of("1", outcomes(4, 20))],
    "very many columns": [of("1", outcomes(4, 21))],
    "fifty": [of(str(at), outcomes(3, 4)) for at in range(1, 51)],
    "other letters": [of("1", [["Школа № 5", "校长"], ["מורה", "Σχολείο"], ["naïve", "ß"]])],
    "commands": [of("1", [["50% & $5 #1_a", "{x}^2 \\ ~"], ["a|b <i> *c*", "use `a_b`"]])],
    "long": [of("1", [["A reason", LONG], ["paths/" * 30, "two\nlines"]])],
    "empty": [of("1", [["", ""], ["", ""]])],
}  # fmt: skip
LARGE = ("twelve outcomes", "many columns", "fifty")
EACH = pytest.mark.parametrize(
    "shape",
    [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in SHAPES],
)


def letters(text: str) -> str:
    """Return a text without what a format puts among its letters."""
    return UNSPEAKABLE.sub("", text).replace("\u200b", "")


def spoken(latex: str) -> str:
    """Return LaTeX with its commands for letters as these letters."""
    for letter, command in SPECIAL.items():
        if command.startswith(("\\ensuremath", "\\text", "{")):
            latex = latex.replace(command, letter)
    return re.sub(r"\\(?:textbf|texttt)", "", latex)


def told(tables: list[NotedTable]) -> dict[str, str]:
    """Return all words of the three formats."""
    document: Any = docx.Document(BytesIO(word_tables(tables, STUDY)))
    of_word = [
        "".join(node.text or "" for node in paragraph.iter() if node.tag.endswith("}t"))
        for paragraph in document.element.body.iter()
        if paragraph.tag.endswith("}p")
    ]
    return {
        "Word": "".join(of_word),
        "LaTeX": spoken(latex_tables(tables, STUDY)),
        "Markdown": markdown_tables(tables, STUDY).replace("<br>", ""),
    }


@EACH
@pytest.mark.parametrize("write", [latex_tables, markdown_tables, word_tables])
def test_the_same_tables_have_the_same_bytes(write: Callable[..., bytes | str], shape: str) -> None:
    first = write(SHAPES[shape], STUDY)
    assert write(SHAPES[shape], STUDY) == first
    assert first


@EACH
@pytest.mark.parametrize("format_name", ["Word", "LaTeX", "Markdown"])
def test_nothing_of_any_table_is_lost(shape: str, format_name: str) -> None:
    tables = SHAPES[shape]
    text = letters(told(tables)[format_name])
    for noted in tables:
        words = [noted.table.title, noted.caption, *noted.notes, study_foot(STUDY)]
        words += [column.name for column in noted.table.columns]
        for group, rows in row_groups(noted.table):
            words += [group, *(cell for row in rows for cell in row)]
        pieces = [piece for text in words for piece in text.split()]
        assert [piece for piece in pieces if letters(piece) not in text] == []


@pytest.mark.parametrize("shape", ["grouped", "twelve outcomes", "fifty"])
def test_tables_follow_each_other_as_in_the_report_under_its_numbers(shape: str) -> None:
    numbers = [noted.number for noted in SHAPES[shape]]
    latex = latex_tables(SHAPES[shape], STUDY)
    assert re.findall(r"renewcommand\{\\thetable\}\{(\w+)\}", latex) == numbers
    titled = re.findall(r"^\*\*Table (\w+)\. Title", markdown_tables(SHAPES[shape], STUDY), re.M)
    assert titled == numbers
    document: Any = docx.Document(BytesIO(word_tables(SHAPES[shape], STUDY)))
    captions = [one.text for one in document.paragraphs if one.style.name == "Caption"]
    assert captions == [f"Table {number}. Title {number}" for number in numbers]
    assert len(document.tables) == len(numbers)


def test_a_report_without_tables_says_so_in_each_format() -> None:
    for text in told([]).values():
        assert "The report has no tables." in text


def test_pages_are_turned_for_wide_tables_alone() -> None:
    tables = [of("1", [["a", "1"]]), of("2", outcomes(12, 18)), of("3", [["b", "2"]])]
    document: Any = docx.Document(BytesIO(word_tables(tables, STUDY)))
    wide = [one.page_width > one.page_height for one in document.sections]
    assert wide == [False, True, False]
    latex = latex_tables(tables, STUDY)
    assert latex.count(r"\begin{landscape}") == latex.count(r"\end{landscape}") == 1
    assert r"\thetable}{2}" in latex.split(r"\begin{landscape}")[1].split(r"\end{landscape}")[0]


def test_a_row_that_no_page_holds_is_several_rows_in_latex_and_no_other_is() -> None:
    (long,) = SHAPES["long"]
    body = latex_tables([long], STUDY).split(r"\endlastfoot")[1].split(r"\end{longtable}")[0]
    rows = [line for line in body.splitlines() if line]
    assert len(rows) > 2
    assert max(map(len, rows)) < len(LONG) / 2
    assert [row.startswith("A reason") for row in rows].count(True) == 1
    (short,) = SHAPES["one"]
    body = latex_tables([short], STUDY).split(r"\endlastfoot")[1].split(r"\end{longtable}")[0]
    assert len([line for line in body.splitlines() if line]) == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_columns_of_latex_are_together_no_wider_than_the_line(shape: str) -> None:
    begun = re.findall(r"begin\{longtable\}(.*)", latex_tables(SHAPES[shape], STUDY))
    assert len(begun) == len(SHAPES[shape])
    for columns in begun:
        shares = [float(share) for share in re.findall(r"\\dimexpr ([\d.]+)\\linewidth", columns)]
        assert 0 < sum(shares) <= 1


def test_only_a_table_wider_than_a_turned_page_has_narrower_gaps_and_letters_below_7_5() -> None:
    look = re.compile(r"fontsize\{([\d.]+)\}.*?tabcolsep\}\{([\d.]+)pt")
    found = {
        shape: [tuple(map(float, one)) for one in look.findall(latex_tables(tables, STUDY))]
        for shape, tables in SHAPES.items()
    }
    small = [shape for shape, looks in found.items() if any(size < 7.5 for size, _ in looks)]
    assert small == ["very many columns"]
    narrow = {shape for shape, looks in found.items() if any(gap < GAP / 2 for _, gap in looks)}
    assert narrow == {"many columns", "very many columns"}


def test_only_a_file_with_letters_beyond_latin_ones_asks_for_another_font() -> None:
    latex = {shape: latex_tables(tables, STUDY) for shape, tables in SHAPES.items()}
    assert [shape for shape, text in latex.items() if "setmainfont" in text] == ["other letters"]


NEEDED = (
    "geometry.sty",
    "booktabs.sty",
    "longtable.sty",
    "array.sty",
    "pdflscape.sty",
    "iftex.sty",
)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_latex_sets_all_tables_with_no_word_beyond_its_column(tmp_path: Path, shape: str) -> None:
    program = "lualatex" if shape == "other letters" else "pdflatex"
    if not (shutil.which(program) and shutil.which("kpsewhich")):
        pytest.skip(f"needs {program}")
    styles = [*NEEDED, *(["fontspec.sty"] if program == "lualatex" else [])]
    found = subprocess.run(["kpsewhich", *styles], capture_output=True, text=True, check=False)
    if len(found.stdout.split()) < len(styles):
        pytest.skip(f"needs {', '.join(styles)}")
    (tmp_path / "tables.tex").write_text(latex_tables(SHAPES[shape], STUDY), encoding="utf-8")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    for _ in range(2):  # widths of a long table are known the second time
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=100)
    log = (tmp_path / "tables.log").read_text("latin-1")
    assert "Overfull" not in log
    if shape != "other letters":  # which fonts a machine has is its own matter
        assert "Missing character" not in log
