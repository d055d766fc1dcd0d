"""Notes below a table are left out where the protocol says so, and never a row of data."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.files.delimited import DelimitedText, split
from schooltrial.data.layout.notes_below import NotesBelow, TableRows, notes_of
from schooltrial.refusal import Fault, Refusal
from support.small_trial import SCHOOLS, SmallTrial

DATA = [["S1", "10", "a"], ["S2", "20", "b"], ["S3", "", "c"]]


def _notes(rows: Sequence[Sequence[str]], rule: NotesBelow = True) -> list[tuple[int, str]]:
    return notes_of(TableRows("f.csv", 3, list(enumerate(rows, start=2))), rule)


def _refused(rows: Sequence[Sequence[str]], rule: NotesBelow = True) -> Fault:
    with pytest.raises(Refusal) as caught:
        _notes(rows, rule)
    (fault,) = caught.value.faults
    return fault


@pytest.mark.parametrize(
    "below",
    [
        [[], ["Source: the state"]], [["", "", ""], ["* withheld", "", ""]], [["Source: x"]],
        [["Source: the state", " 2020"]], [["Note", "", ""], [], ["", "", ""], ["Another"]],
    ],
)  # fmt: skip
def test_notes_begin_at_a_blank_row_a_short_one_or_one_with_its_first_cell_alone(
    below: list[list[str]],
) -> None:
    found = _notes([*DATA, *below])
    filled = [row for row in below if any(cell.strip() for cell in row)]
    assert [text for _, text in found] == [", ".join(c.strip() for c in row if c) for row in filled]
    assert found[-1][0] == 1 + len(DATA) + len(below)


def test_a_table_without_notes_loses_nothing() -> None:
    assert _notes([*DATA, [], ["", "", ""]]) == []


def test_a_row_of_data_below_a_blank_one_is_refused_not_lost() -> None:
    fault = _refused([*DATA, [], ["S4", "40", "d"]])
    assert fault.row == 6
    assert fault.found == (
        "notes begin in row 5, which is blank, but row 6 below it looks like data"
    )
    assert "continues below row 5" in fault.remedy


def test_a_code_like_those_above_it_is_data_though_it_stands_alone() -> None:
    assert _notes([*DATA, ["S4", "", ""]]) == []
    assert _notes([*DATA, ["S4", "", ""], ["Source", "", ""]]) == [(6, "Source")]
    assert _refused([*DATA, [], ["S4", "", ""]]).row == 6


def test_a_total_is_not_taken_for_a_row_of_data() -> None:
    fault = _refused([*DATA, ["Total", "30", "x"]])
    assert (fault.row, fault.found) == (5, "the last row of the table begins with 'Total'")
    assert fault.remedy.startswith('write `notes_below: "Total"`')
    assert _notes([*DATA, ["Total", "30", "x"]], "Total") == [(5, "Total, 30, x")]


def test_each_kind_of_total_is_named() -> None:
    rows = [*DATA, ["Total", "30", "x"], ["Mean", "15", "y"]]
    assert "list the first words of every row" in _refused(rows, "Total").remedy
    assert [line for line, _ in _notes(rows, ["total", "Mean"])] == [5, 6]


def test_the_notes_of_a_text_file_are_cut_off_and_kept_for_the_log() -> None:
    content = b'id,n,t\r\nS1,1,"a\nb"\r\nS2,2,c\r\n\r\n"Source: x, y"\r\n'
    cells = split(DelimitedText("f.csv", content, notes_below=True))
    assert (cells.rows, cells.notes) == (2, [(6, "Source: x, y")])


def test_a_short_row_at_the_end_is_refused_with_the_key_that_leaves_it_out() -> None:
    with pytest.raises(Refusal, match="Set `notes_below: true`"):
        split(DelimitedText("f.csv", b"id,n,t\nS1,1,a\nS2,2,b\nSource: x\n"))


@given(
    st.lists(st.tuples(*[st.text("ab1 ,", max_size=3)] * 3), min_size=1, max_size=8),
    st.lists(st.text("xyz. ", min_size=1, max_size=8), max_size=4),
    st.booleans(),
)
def test_full_rows_are_never_left_out(
    table: list[tuple[str, str, str]], notes: list[str], blank: bool
) -> None:
    rows = [[f"S{at}", a or "-", "1"] for at, (a, _, _) in enumerate(table)]
    found = _notes([*rows, *([[]] if blank else []), *([note] for note in notes)])
    assert all(line > 1 + len(rows) for line, _ in found)
    assert len(found) == sum(bool(note.strip()) for note in notes)


def test_rows_of_notes_are_rows_of_the_file_that_the_log_removes(trial: SmallTrial) -> None:
    trial.raw["schools.csv"] = (trial.text("schools.csv") + "\nSource: the district\n").encode()
    trial.reading("schools")["notes_below"] = True
    trial.obtain()
    files = pd.read_csv(trial.path("raw_files.csv")).set_index("file")["rows"]
    log = pd.read_csv(trial.path("cleaning_log.csv")).set_index("file")["rows"]
    assert files["schools.csv"] - log["schools.csv"] == len(SCHOOLS)


@pytest.mark.parametrize("name", ["CMDCUF", "S7", "North Park", "a-b"])
def test_a_last_row_with_a_name_alone_is_data_where_names_above_are_written_alike(
    name: str,
) -> None:
    kind = {"CMDCUF": "QWXYZT", "S7": "S12", "North Park": "South End", "a-b": "c-d"}[name]
    rows = [[kind, "10", "a"], ["ZZ", "20", "b"], [name, "", ""]]
    assert _notes(rows) == []
    note = ["Source of these: the office", "", ""]
    assert _notes([*rows, note]) == [(5, note[0])]
    assert _notes([*rows, ["Total", "", ""]]) == [(5, "Total")]
