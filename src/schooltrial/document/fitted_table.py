"""A table as it fits a page: as it is, or condensed where it would be wide, small or tall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schooltrial.document.condensed_table import PrintedTable, condensed, whole_table
from schooltrial.document.table_layout import SIZES, TableLayout, fitted_layout
from schooltrial.document.tables import Table

LEAST_SIZE, MOST_LINES = 8.0, 1.7
"""Points of letters below which, and lines of a row, on average, above which a table is too wide.
"""


@dataclass(frozen=True)
class FittedTable:
    """A table and its layout.

    Attributes
    ----------
    shown : PrintedTable
    layout : TableLayout
    """

    shown: PrintedTable
    layout: TableLayout


def fit_table(
    table: Table, pages: tuple[float, float], sizes: Sequence[float] = SIZES
) -> FittedTable:
    """Return a table as it fits a page.

    Parameters
    ----------
    table : Table
    pages : (float, float)
        Points that a page is wide, and a turned one.
    sizes : sequence of float
        Points that letters may have.
    """
    shown = whole_table(table)
    layout = _layout(shown, pages, sizes)
    if layout.flipped or layout.size < LEAST_SIZE or layout.lines > MOST_LINES:
        shown = condensed(shown)
        layout = _layout(shown, pages, sizes)
    return FittedTable(shown, layout)


def _layout(table: PrintedTable, pages: tuple[float, float], sizes: Sequence[float]) -> TableLayout:
    return fitted_layout(
        [column.name for column in table.columns],
        table.rows,
        [column.right for column in table.columns],
        pages,
        sizes,
    )
