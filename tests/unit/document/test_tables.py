"""A table in HTML: how its cells are written, its title, groups, notes and the study's line."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf, nan
from typing import Any

import pandas as pd
import pytest
from markupsafe import Markup

from schooltrial.document.tables import Column, Kind, NotedTable, Table, fragment, tabulate
from support.html_cells import aligned_right, caption, notes, rows

STUDY: dict[str, Any] = {"title": "A trial", "synthetic": True, "protocol": "0123456789abcdef"}
DATA = pd.DataFrame({"Name": ["x < y", "z", "w"], "N": [1, 2, 3000]})
COLUMNS = [Column("Name"), Column("N", "count")]


def _table(**keys: Any) -> Table:
    return tabulate("A <table>", DATA, COLUMNS, **keys)


def _page(study: dict[str, Any] = STUDY) -> str:
    table = _table(group=["a & b", "c", "a & b"])
    return fragment(NotedTable("small", table, ("One note.", "Another.")), study)


@pytest.mark.parametrize(
    ("kind", "digits", "values", "texts"),
    [
        ("text", 3, ["a", None, nan, 7], ["a", "", "", "7"]),
        ("told", 3, ["3 of 4", nan, 2020], ["3 of 4", "", "2020"]),
        ("number", 2, [1.0, -0.125, nan, inf], ["1.00", "−0.12", "", "∞"]),
        ("quantity", 2, [0.5, 1.0, nan], ["0.50", "1.00", ""]),
        ("quantity", 2, [3.0, 1200.0, nan], ["3", "1,200", ""]),
        ("quantity", 2, [inf, 3.0], ["∞", "3"]),
        ("significant", 4, [0.85894, 0.00125, 3.0, -0.12345, nan, 1.1e-05, -1.1e-05],
         ["0.8589", "0.00125", "3", "−0.1235", "", "<0.0001", ">−0.0001"]),
        ("count", 3, [1200, 7], ["1,200", "7"]),
        ("percent", 1, [0.0841, -0.075, nan], ["8.4", "−7.5", ""]),
        ("p", 3, [0.0216, 0.0001, 1.0, nan], ["0.022", "<0.001", "1.000", ""]),
        ("code", 3, ["ab<c", nan], ["<code>ab&lt;c</code>", ""]),
    ],
)  # fmt: skip
def test_each_kind_of_column_is_written_its_own_way_and_nothing_where_missing(
    kind: Kind, digits: int, values: list[Any], texts: list[str]
) -> None:
    frame = pd.DataFrame({"x": pd.Series(values, dtype="object")})
    assert Column("x", kind, digits).cells(frame) == texts


def test_a_column_is_found_by_its_key_its_name_or_its_name_with_underscores() -> None:
    frame = pd.DataFrame({"std_error": [0.5], "p": [0.25], "of x": ["y"]})
    columns = [Column("of x"), Column("std error", "number", 1), Column("p-value", "p", key="p")]
    assert tabulate("t", frame, columns).cells.to_dict("records") == [
        {"of x": "y", "std error": "0.5", "p-value": "0.250"}
    ]
    with pytest.raises(KeyError, match="lacking"):
        tabulate("t", frame, [Column("lacking")])


def test_an_optional_column_is_left_out_where_it_holds_nothing_or_is_not_there() -> None:
    frame = pd.DataFrame({"a": ["", None], "b": ["", "x"], "c": ["", ""]})
    columns = [Column(n, optional=True) for n in ("a", "b", "lacking")] + [Column("c")]
    table = tabulate("t", frame, columns)
    assert list(table.cells) == [column.name for column in table.columns] == ["b", "c"]


def test_rows_stand_under_the_heading_of_their_group_in_the_order_of_the_groups() -> None:
    page = _page()
    assert rows(page) == [["a & b"], ["x < y", "1"], ["w", "3,000"], ["c"], ["z", "2"]]
    assert rows(page, "thead") == [["Name", "N"]]
    assert caption(page) == "A <table>"
    assert 'id="small"' in page


def test_text_cannot_become_markup_and_markup_stays_what_it_is() -> None:
    page = _page()
    for text in ("x < y", "a & b", "A <table>"):
        assert text not in page, text
    cells = pd.DataFrame({"a": [Markup("<b>one</b>"), "<b>two</b>"]}, dtype="object")
    told = tabulate("t", cells, [Column("a")]).__html__()
    assert "<b>one</b>" in told
    assert "&lt;b&gt;two&lt;/b&gt;" in told


def test_names_between_backticks_are_code_in_cells_and_notes_and_nothing_else_is_markup() -> None:
    table = tabulate("t", pd.DataFrame({"x": ["set `a.<b>` or ` c"]}), [Column("x")])
    page = fragment(NotedTable("small", table, ("by `share`",)), STUDY)
    assert "set <code>a.&lt;b&gt;</code> or ` c" in page
    assert "<p>by <code>share</code></p>" in page


def test_numbers_stand_to_the_right_with_their_headings_and_words_do_not() -> None:
    page = _page()
    assert aligned_right(page) == ["N"]
    assert re.findall(r'<td class="n">(.*?)</td>', page) == ["1", "3,000", "2"]


def test_each_heading_says_what_it_heads() -> None:
    page = _page()
    assert re.findall(r'<th[^>]*scope="(\w+)"', page) == [
        "col", "col", "rowgroup", "row", "row", "rowgroup", "row",
    ]  # fmt: skip
    assert '<th class="group" scope="rowgroup" colspan="2">a &amp; b</th>' in page


@pytest.mark.parametrize(("synthetic", "label"), [(True, "SYNTHETIC DATA. "), (False, "")])
def test_notes_stand_below_and_last_the_study_its_protocol_and_whether_it_is_synthetic(
    synthetic: bool, label: str
) -> None:
    page = _page({**STUDY, "synthetic": synthetic})
    last = f"{label}A trial. Protocol 0123456789ab"
    assert notes(page) == ["One note.", "Another.", last]
    assert "<p>" not in page.split('<div class="notes">')[0], "notes do not scroll with the table"


def test_a_page_shows_a_table_in_a_box_that_scrolls() -> None:
    page = _table(anchors=["a", "", "c"]).__html__()
    assert '<div class="wide" role="region" aria-label="A &lt;table&gt;" tabindex="0">' in page
    assert rows(page) == [["x < y", "1"], ["z", "2"], ["w", "3,000"]]
    assert re.findall(r'<tr id="(\w)">', page) == ["a", "c"]
    assert notes(page) == []


def test_a_table_without_rows_is_empty_and_keeps_its_head() -> None:
    empty = tabulate("t", DATA[:0], COLUMNS)
    assert len(empty) == 0
    assert rows(empty.__html__(), "thead") == [["Name", "N"]]


def test_a_cell_without_words_heads_no_row_and_no_column() -> None:
    frame = pd.DataFrame({"": ["", "a"], "n": ["1", "2"]})
    page = tabulate("t", frame, [Column(""), Column("n")]).__html__()
    assert "></th>" not in page
    assert rows(page) == [["", "1"], ["a", "2"]]


def test_a_stacked_table_labels_each_cell_and_keeps_the_roles_of_a_table() -> None:
    data = pd.DataFrame({"Name": ["x"], "N": [3000], "Word": [""]})
    table = tabulate("t", data, [Column("Name"), Column("N", "count"), Column("Word")])
    html = str(replace(table, stacked=True).boxed("t"))
    assert '<table class="plain stacked" role="table">' in html
    assert '<td class="n" role="cell" data-label="N">3,000</td><td role="cell"></td>' in html
    assert '<th scope="row" role="rowheader">x</th>' in html
    assert 'role="row' not in str(table.boxed("t"))
    assert "data-label" not in str(table.boxed("t"))
