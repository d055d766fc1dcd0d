"""A table as a Word document, the same bytes on every run."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from schooltrial.document.letters import printable
from schooltrial.document.tables import NotedTable, row_groups, study_foot

LANDSCAPE = 7
"""Columns above which the page is turned."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Date of every file inside the document, so that the bytes do not depend on the clock."""


def word_table(noted: NotedTable, study: Mapping[str, Any]) -> bytes:
    """Return a table with its title, a head that repeats on each page, notes and study line."""
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    table = noted.table
    document = Document()
    page = document.sections[0]
    if len(table.columns) > LANDSCAPE:
        page.orientation = WD_ORIENT.LANDSCAPE
        page.page_width, page.page_height = page.page_height, page.page_width
    document.styles["Normal"].font.size = Pt(9)
    document.add_paragraph(_clean(table.title), style="Caption")
    grid = document.add_table(rows=1, cols=len(table.columns), style="Light List")
    for cell, column in zip(grid.rows[0].cells, table.columns, strict=True):
        cell.text = _clean(column.name)
    repeated = OxmlElement("w:tblHeader")
    repeated.set(qn("w:val"), "true")
    grid.rows[0]._tr.get_or_add_trPr().append(repeated)
    for group, rows in row_groups(table):
        if group:
            cells = grid.add_row().cells
            merged = cells[0].merge(cells[-1])
            merged.text = _clean(group)
            merged.paragraphs[0].runs[0].bold = True
        for row in rows:
            for cell, text, column in zip(grid.add_row().cells, row, table.columns, strict=True):
                cell.text = _clean(text)
                if column.right:
                    cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for note in [*noted.notes, study_foot(study)]:
        document.add_paragraph(_clean(note))
    properties = document.core_properties
    properties.title, properties.author = _clean(table.title), "schooltrial"
    properties.comments = ""
    buffer = BytesIO()
    document.save(buffer)
    return _undated(buffer.getvalue())


def _clean(text: str) -> str:
    """Return words without backticks and letters that cannot be printed; never empty."""
    return printable(text.replace("`", "")) or " "


def _undated(content: bytes) -> bytes:
    """Return a document whose parts bear no date of this run."""
    buffer = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in sorted(old.namelist()):
            part = old.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb">\d{4}-\d\d-\d\dT[\d:]+Z<", b">1980-01-01T00:00:00Z<", part)
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 0
            new.writestr(info, part)
    return buffer.getvalue()
