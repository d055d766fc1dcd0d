"""A table in HTML: its title, groups, cells, notes and the study's line."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.exhibits.style.html_table import html
from support.html_cells import aligned_right, rows

STUDY: dict[str, Any] = {"title": "A trial", "synthetic": True, "protocol": "0123456789abcdef"}
DATA = pd.DataFrame({"Group": ["a", "b", "a"], "Name": ["x < y", "z", "w"], "N": ["1", "2", "3"]})


def _page(**keys: Any) -> str:
    told: dict[str, Any] = {
        "name": "small", "title": "A table", "group": "Group", "right": ["N"],
        "notes": ["One note.", "Another."], "study": STUDY, **keys,
    }  # fmt: skip
    return html(DATA, **told)


def test_rows_stand_under_the_heading_of_their_group_in_the_order_of_the_groups() -> None:
    page = _page()
    assert rows(page) == [["a"], ["x < y", "1"], ["w", "3"], ["b"], ["z", "2"]]
    assert rows(page, "thead") == [["A table"], ["Name", "N"]]
    assert 'id="small"' in page
    assert "x < y" not in page, "a cell's text cannot become markup"


def test_the_columns_that_are_named_are_aligned_right() -> None:
    assert aligned_right(_page()) == ["N"]  # numbers are in any case
    assert aligned_right(_page(right=["Name"])) == ["Name", "N"]


@pytest.mark.parametrize(("synthetic", "label"), [(True, "SYNTHETIC DATA. "), (False, "")])
def test_notes_stand_below_and_last_the_study_its_protocol_and_whether_it_is_synthetic(
    synthetic: bool, label: str
) -> None:
    page = _page(study={**STUDY, "synthetic": synthetic})
    assert rows(page, "tfoot") == [
        ["One note."], ["Another."], [f"{label}A trial. Protocol 0123456789ab"],
    ]  # fmt: skip
