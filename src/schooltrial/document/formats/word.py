"""A table as a Word document, the same bytes on every run."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from io import BytesIO
from math import floor
from typing import Any

from schooltrial.document.fitted_table import fit_table
from schooltrial.document.letters import printable
from schooltrial.document.table_layout import GAP
from schooltrial.document.tables import NotedTable, study_foot

A4 = (210.0, 297.0)
"""Millimetres, as the PDF has; a printer with Letter paper scales a page to it."""

MARGIN = 20.0
"""Millimetres, on all sides."""

POINT = 72 / 25.4
"""Points in a millimetre."""

PAGES = ((A4[0] - 2 * MARGIN) * POINT, (A4[1] - 2 * MARGIN) * POINT)
"""Points that the text of a page is wide, and of a turned one."""

GENEROUS = 1.08
"""How much wider letters of Word’s fonts are taken than those that the layout measures."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Date of every file inside the document, so that the bytes do not depend on the clock."""


def word_table(noted: NotedTable, study: Mapping[str, Any]) -> bytes:
    """Return a table with its title, a head that repeats on each page, notes and study line."""
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt

    fitted = fit_table(noted.table, (PAGES[0] / GENEROUS, PAGES[1] / GENEROUS))
    shown, layout = fitted.shown, fitted.layout
    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = map(Mm, A4)
    if layout.flipped:
        page.orientation = WD_ORIENT.LANDSCAPE
        page.page_width, page.page_height = page.page_height, page.page_width
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(MARGIN)
    document.styles["Normal"].font.size = Pt(layout.size)
    document.add_paragraph(_clean(noted.table.title), style="Caption")
    grid = document.add_table(rows=1, cols=len(shown.columns), style="Light List")
    grid.autofit = False
    # Whole twentieths of a point, rounded down: all together are no wider than the line
    widths = [Pt(floor(20 * width * layout.size * GENEROUS) / 20) for width in layout.widths]
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), str(round(GAP / 2 * 20)))  # twentieths of a point
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    grid._tbl.tblPr.append(margins)
    for cell, column, width in zip(grid.rows[0].cells, shown.columns, widths, strict=True):
        cell.text, cell.width = _clean(column.name), width
    repeated = OxmlElement("w:tblHeader")
    repeated.set(qn("w:val"), "true")
    grid.rows[0]._tr.get_or_add_trPr().append(repeated)
    for group, rows in shown.groups:
        if group:
            cells = grid.add_row().cells
            merged = cells[0].merge(cells[-1])
            merged.text = _clean(group)
            merged.paragraphs[0].runs[0].bold = True
        for row in rows:
            cells = grid.add_row().cells
            for cell, text, column, width in zip(cells, row, shown.columns, widths, strict=True):
                cell.text, cell.width = _clean(text), width
                if column.right:
                    cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for note in [*shown.notes, *noted.notes, study_foot(study)]:
        document.add_paragraph(_clean(note))
    properties = document.core_properties
    properties.title, properties.author = _clean(noted.table.title), "schooltrial"
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
