"""A table as a Word document fits the page that it is on, and the page is that of the PDF."""

from __future__ import annotations

from io import BytesIO
from math import fsum
from typing import Any

import docx
import pandas as pd
import pytest
from docx.shared import Mm

from schooltrial.document.formats.word import word_table
from schooltrial.document.table_layout import width_of
from schooltrial.document.tables import Column, NotedTable, tabulate

STUDY: dict[str, Any] = {"title": "A trial", "synthetic": False, "protocol": "0123456789abcdef"}


def document_of(columns: int, times: int = 1) -> Any:
    names = [f"Number {at}" for at in range(columns)]
    rows = ["1,257,533", "−15.367 to 7.888", "English language arts, proficient"] * times
    frame = pd.DataFrame(dict.fromkeys(names, rows))
    table = tabulate("Results", frame, [Column(name, "told", key=name) for name in names])
    return docx.Document(BytesIO(word_table(NotedTable("t", table), STUDY)))


@pytest.mark.parametrize("columns", [3, 7, 11])
def test_a_table_is_no_wider_than_its_page_and_no_word_wider_than_its_column(columns: int) -> None:
    document = document_of(columns)
    page, (grid,) = document.sections[0], document.tables
    line = page.page_width - page.left_margin - page.right_margin
    widths = [column.width for column in grid.columns]
    assert fsum(widths) <= line
    size = document.styles["Normal"].font.size.pt
    for column, width in zip(grid.columns, widths, strict=True):
        words = [word for cell in column.cells for word in cell.text.split()]
        assert max(map(width_of, words)) * size <= width.pt
    assert min(page.page_width, page.page_height) == pytest.approx(Mm(210), rel=1e-3)


def test_the_page_is_a4_and_turned_only_for_a_wide_table() -> None:
    narrow, wide = document_of(3).sections[0], document_of(11, 20).sections[0]
    sides = [narrow.page_width, narrow.page_height]
    assert sides == pytest.approx([Mm(210), Mm(297)], rel=1e-3)  # kept in twentieths of a point
    assert wide.page_width > wide.page_height
