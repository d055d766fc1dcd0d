"""Write the data that an exhibit shows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from schooltrial.document.formats.latex import latex_table
from schooltrial.document.formats.markdown import markdown_table
from schooltrial.document.formats.word import word_table
from schooltrial.document.tables import NotedTable, fragment
from schooltrial.exhibits.style.figures import rendered
from schooltrial.protocol.content.sections import StudyLine


def write_data(data: pd.DataFrame, study: StudyLine, csv: str) -> None:
    """Write a frame with at most ten significant digits.

    Every row carries the SHA-256 of the protocol, and says so where the data are synthetic.
    """
    labelled = data.assign(protocol=study["protocol"])
    if study["synthetic"]:
        labelled["data"] = "synthetic"
    labelled.to_csv(csv, index=False, float_format="%.10g")


def write_table(
    noted: NotedTable,
    rows: pd.DataFrame,
    study: StudyLine,
    *,
    csv: str,
    html: str,
    tex: str,
    docx: str,
    md: str,
) -> None:
    """Write a table as data, and as HTML, LaTeX, Word and Markdown."""
    write_data(rows, study, csv)
    Path(html).write_text(fragment(noted, study), "utf-8", newline="\n")
    Path(tex).write_text(latex_table(noted, study), "utf-8", newline="\n")
    Path(md).write_text(markdown_table(noted, study), "utf-8", newline="\n")
    Path(docx).write_bytes(word_table(noted, study))


def write_figure(
    figure: Figure,
    data: pd.DataFrame,
    words: str,
    study: StudyLine,
    *,
    csv: str,
    txt: str,
    svg: str,
    pdf: str | None = None,
    png: str | None = None,
) -> None:
    """Write SVG, PDF and PNG, those that are wanted, the drawn data, and what they show in words.

    Parameters
    ----------
    figure : Figure
    data : DataFrame
        What is drawn.
    words : str
        What the figure shows, in numbers, for those who do not see it.
    study : mapping
        Title, whether synthetic, and protocol hash.
    csv, txt, svg : str
        Files of the data, the words and the figure.
    pdf, png : str, optional
        Further formats of the figure.
    """
    wanted = {"svg": svg, "pdf": pdf, "png": png}
    paths = {kind: path for kind, path in wanted.items() if path is not None}
    for kind, content in rendered(figure, list(paths), study["title"], words).items():
        Path(paths[kind]).write_bytes(content)
    write_data(data, study, csv)
    Path(txt).write_text(f"{words}\n", "utf-8", newline="\n")
