"""Tables as a Word document, the same bytes on every run."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from math import floor
from typing import Any
from xml.sax.saxutils import escape

from schooltrial.document.fitted_table import FittedTable, fit_table
from schooltrial.document.letters import printable
from schooltrial.document.numbered_tables import NO_TABLES, tables_title
from schooltrial.document.table_layout import GAP, SIZES
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

NOTES = 8.5
"""Points of letters above and below a table."""

TABLE = (
    '<w:tblPr><w:tblW w:w="0" w:type="auto"/>'
    '<w:tblBorders><w:top w:val="single" w:sz="8" w:color="auto"/>'
    '<w:bottom w:val="single" w:sz="8" w:color="auto"/>'
    '<w:insideH w:val="single" w:sz="2" w:color="BFBFBF"/></w:tblBorders>'
    '<w:tblLayout w:type="fixed"/><w:tblCellMar>'
    + "".join(f'<w:{side} w:w="{round(20 * GAP / 2)}" w:type="dxa"/>' for side in ("left", "right"))
    + '</w:tblCellMar><w:tblLook w:firstRow="1"/></w:tblPr>'
)
"""Lines of a table, and twentieths of a point between its columns."""

CAPTION, NEXT = '<w:pStyle w:val="Caption"/>', "<w:keepNext/>"
WHOLE, HEAD = "<w:cantSplit/>", "<w:tblHeader/>"
RIGHT = '<w:jc w:val="right"/>'
BOLD = "<w:rPr><w:b/></w:rPr>"
"""Looks of paragraphs, one with that below it; of a row that is not divided, and of one repeated on
each page; of a paragraph to the right, and of letters.
"""


def word_table(noted: NotedTable, study: Mapping[str, Any]) -> bytes:
    """Return a table with its title, a head that repeats on each page, notes and study line."""
    return _document([noted], study, noted.table.title)


def word_tables(tables: Sequence[NotedTable], study: Mapping[str, Any]) -> bytes:
    """Return all tables of a document, pages being turned for those that are wide."""
    return _document(tables, study, tables_title(study), headed=True)


def _document(
    tables: Sequence[NotedTable], study: Mapping[str, Any], title: str, *, headed: bool = False
) -> bytes:
    """Return tables one after another; below the title if the document is headed."""
    from docx import Document
    from docx.enum.section import WD_SECTION
    from docx.shared import Mm, Pt

    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = map(Mm, A4)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(MARGIN)
    pages = (PAGES[0] / GENEROUS, PAGES[1] / GENEROUS)
    fitted = [fit_table(noted.table, pages) for noted in tables]
    usual = max((one.layout.size for one in fitted), default=SIZES[0])
    document.styles["Normal"].font.size = Pt(usual)
    document.styles["Caption"].paragraph_format.space_before = Pt(NOTES)
    note = f'<w:pStyle w:val="{_style(document, "Table note", NOTES, after=NOTES / 3)}"/>'
    begun = headed
    if headed:
        document.add_paragraph(_clean(title), style="Title")
    if not tables:
        document.add_paragraph(NO_TABLES)
    for noted, one in zip(tables, fitted, strict=True):
        if one.layout.flipped != (page.page_width > page.page_height):
            page = document.add_section(WD_SECTION.NEW_PAGE) if begun else page
            _turn(page)
        begun = True
        size = one.layout.size
        letters = f'<w:pStyle w:val="{_style(document, f"Table text {size:g}", size)}"/>'
        _add(document, [
            _paragraph(noted.title, CAPTION + NEXT),
            *([_paragraph(noted.caption, note + NEXT)] if noted.caption else []),
            _grid(one, letters),
            *(_paragraph(words, note)
              for words in [*one.shown.notes, *noted.notes, study_foot(study)]),
        ])  # fmt: skip
    properties = document.core_properties
    properties.title, properties.author = _clean(title), "schooltrial"
    properties.comments = ""
    buffer = BytesIO()
    document.save(buffer)
    return _undated(buffer.getvalue())


def _turn(page: Any) -> None:
    """Turn the page of a section."""
    from docx.enum.section import WD_ORIENT

    upright = page.page_width > page.page_height
    page.orientation = WD_ORIENT.PORTRAIT if upright else WD_ORIENT.LANDSCAPE
    page.page_width, page.page_height = page.page_height, page.page_width


def _style(document: Any, name: str, size: float, after: float = 0) -> str:
    """Return a style of paragraphs, made if new, with letters of a size and a gap after each."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Pt

    if name not in document.styles:
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.font.size = Pt(size)
        style.paragraph_format.space_after = Pt(after)
        style.paragraph_format.line_spacing = 1.0
    return str(document.styles[name].style_id)


def _add(document: Any, blocks: Sequence[str]) -> None:
    """Add blocks as they are stored: table by table, the library takes far longer."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    last = document.element.body[-1]  # which describes the page
    for block in list(parse_xml(f"<w:body {nsdecls('w')}>{''.join(blocks)}</w:body>")):
        last.addprevious(block)


def _grid(fitted: FittedTable, look: str) -> str:
    """Return a table as WordprocessingML."""
    shown, layout = fitted.shown, fitted.layout
    # Whole twentieths of a point, rounded down: all together are no wider than the line
    widths = [floor(20 * width * layout.size * GENEROUS) for width in layout.widths]
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    right = [column.right for column in shown.columns]
    whole = f"<w:trPr>{WHOLE}</w:trPr>" if layout.whole else ""
    heads = [column.name for column in shown.columns]
    rows = [_row(heads, widths, right, look, f"<w:trPr>{WHOLE}{HEAD}</w:trPr>", BOLD)]
    for group, inside in shown.groups:
        if group:
            rows.append(_spanning(group, sum(widths), len(widths), look))
        rows += [_row(row, widths, right, look, whole) for row in inside]
    return f"<w:tbl>{TABLE}<w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>"


def _row(
    cells: Sequence[str],
    widths: Sequence[int],
    right: Sequence[bool],
    look: str,
    kind: str,
    letters: str = "",
) -> str:
    """Return a row as WordprocessingML."""
    told = (
        f'<w:tc><w:tcPr><w:tcW w:type="dxa" w:w="{width}"/></w:tcPr>'
        f"{_paragraph(text, look + (RIGHT if one else ''), letters)}</w:tc>"
        for text, width, one in zip(cells, widths, right, strict=True)
    )
    return f"<w:tr>{kind}{''.join(told)}</w:tr>"


def _spanning(text: str, width: int, columns: int, look: str) -> str:
    """Return the row that heads a group, over all columns."""
    cell = f'<w:tcPr><w:tcW w:type="dxa" w:w="{width}"/><w:gridSpan w:val="{columns}"/></w:tcPr>'
    inside = _paragraph(text, look + "<w:keepNext/>", BOLD)
    return f"<w:tr><w:tc>{cell}{inside}</w:tc></w:tr>"


def _paragraph(text: str, look: str, letters: str = "") -> str:
    lines = (f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in _clean(text).split("\n"))
    kind = f"<w:pPr>{look}</w:pPr>" if look else ""
    return f"<w:p>{kind}<w:r>{letters}{'<w:br/>'.join(lines)}</w:r></w:p>"


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
