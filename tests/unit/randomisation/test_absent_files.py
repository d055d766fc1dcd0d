"""A file of the draw that is not there, or is no table, is refused with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from schooltrial.randomisation.frame import read_frame
from schooltrial.randomisation.record import open_record
from schooltrial.refusal import Refusal

DESIGN: Any = cast(Any, {
    "unit": "school", "kind": "complete",
    "randomisation": {"unit_column": None, "block_column": None, "balance_on": []},
})  # fmt: skip


def test_a_record_that_is_not_there_is_to_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="there is no such file") as told:
        open_record(str(tmp_path / "record.json"))
    assert "Draw the groups with `schooltrial assign`" in str(told.value)


def test_an_eligible_list_that_is_not_there_is_told_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="there is no such file") as told:
        read_frame(str(tmp_path / "eligible.csv"), DESIGN)
    assert "design.randomisation.eligible_list" in str(told.value)


def test_an_eligible_list_with_rows_of_unequal_length_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "eligible.csv"
    file.write_text("school,size\nA,1\nB,2,3\n", "utf-8")
    with pytest.raises(Refusal, match="the rows differ in length"):
        read_frame(str(file), DESIGN)
