"""What was read, as the pages show it."""

from __future__ import annotations

import pandas as pd

from schooltrial.report.tables.data import raw_files_shown

FILES = pd.DataFrame({
    "file": ["book.xlsx", "book.xlsx"], "sheet": ["2019", "2020"], "rows": [10, 12],
    "bytes": [900, 900], "sha256": ["ab", "ab"],
})  # fmt: skip


def test_a_workbook_that_was_read_twice_names_its_sheets() -> None:
    assert raw_files_shown(FILES).cells["Sheet"].tolist() == ["2019", "2020"]


def test_files_without_sheets_have_no_column_of_them() -> None:
    assert "Sheet" not in raw_files_shown(FILES.assign(sheet=float("nan"))).cells
