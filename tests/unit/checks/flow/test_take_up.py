"""Claims about who received the programme: known, known not to have, and not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.flow.boxes import as_text, flow_boxes
from schooltrial.data.ledger.ledger import FLOW_COLUMNS
from schooltrial.exhibits.figures.flow import flow_plot
from schooltrial.protocol.content.sections import StudyLine

ARMS: Any = [{"name": "control", "label": "Control"}, {"name": "coaching", "label": "Coaching"}]
STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "a" * 64}
RECEIVED, NOT_RECEIVED = "of them received the programme", "of them did not receive it"
NOT_KNOWN = "of them not known to have received it or not"
KNOWN = {"control": [1, 0, 0, 0, 0], "coaching": [1, 1, 1, 0]}
SOME_UNKNOWN = {"control": [1, 0, 0, None, 0], "coaching": [1, 1, None, 0, None, None]}


def _boxes(
    taken: Mapping[str, list[Any]], kind: str = "float64", unit: str = "school", **keys: Any
) -> pd.DataFrame:
    """Return the boxes of units, by group, that took the programme up (1), did not (0), or None."""
    rows = [(arm, value) for arm, values in taken.items() for value in values]
    units = pd.DataFrame(rows, columns=["arm", "took_up"])
    units["took_up"] = pd.array([np.nan if v is None else v for v in units["took_up"]], dtype=kind)
    units["school"] = [f"S{n}" for n in range(len(units))]
    units["teacher"] = [f"T{n}" for n in range(len(units))]
    settings: dict[str, Any] = {
        "samples": {}, "assignment": units, "n_schools": len(units), "unit": unit, "arms": ARMS,
        "models": {}, "outcomes": {}, "baseline": 2019, "years": [2020], "take_up": "took_up",
        **keys,
    }  # fmt: skip
    return flow_boxes(pd.DataFrame(columns=FLOW_COLUMNS), **settings)


def _told(boxes: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return arm → line → count, of the lines of take-up."""
    lines = boxes[boxes["text"].isin([RECEIVED, NOT_RECEIVED, NOT_KNOWN])]
    assert set(lines["stage"]) | set(lines["kind"]) <= {"allocated", "had"}
    return {
        str(arm): dict(zip(part["text"], part["n"], strict=True))
        for arm, part in lines.groupby("arm")
    }


@pytest.mark.parametrize("unit", ["school", "teacher"])
def test_where_all_take_up_is_known_nothing_is_said_of_what_is_not(unit: str) -> None:
    assert _told(_boxes(KNOWN, unit=unit)) == {
        "control": {RECEIVED: 1, NOT_RECEIVED: 4},
        "coaching": {RECEIVED: 3, NOT_RECEIVED: 1},
    }


@pytest.mark.parametrize("kind", ["float64", "Float64", "Int64"])
def test_a_unit_of_unknown_take_up_is_not_counted_as_one_that_did_not_receive(kind: str) -> None:
    assert _told(_boxes(SOME_UNKNOWN, kind)) == {
        "control": {RECEIVED: 1, NOT_RECEIVED: 3, NOT_KNOWN: 1},
        "coaching": {RECEIVED: 2, NOT_RECEIVED: 1, NOT_KNOWN: 3},
    }


def test_what_is_not_known_in_one_arm_is_told_of_the_other_too_zero_included() -> None:
    found = _told(_boxes({**KNOWN, "coaching": [1, None]}))
    assert found["control"] == {RECEIVED: 1, NOT_RECEIVED: 4, NOT_KNOWN: 0}
    assert found["coaching"] == {RECEIVED: 1, NOT_RECEIVED: 0, NOT_KNOWN: 1}


def test_of_a_unit_that_is_in_no_file_take_up_is_not_known() -> None:
    found = _told(_boxes(KNOWN, no_data={"control": 2}))
    assert found["control"] == {RECEIVED: 1, NOT_RECEIVED: 4, NOT_KNOWN: 2}
    assert found["coaching"] == {RECEIVED: 3, NOT_RECEIVED: 1, NOT_KNOWN: 0}


def test_where_no_take_up_is_known_nobody_is_said_to_have_refused() -> None:
    found = _told(_boxes({"control": [None] * 3, "coaching": [None] * 2}))
    assert found["control"] == {RECEIVED: 0, NOT_RECEIVED: 0, NOT_KNOWN: 3}
    assert found["coaching"] == {RECEIVED: 0, NOT_RECEIVED: 0, NOT_KNOWN: 2}


@pytest.mark.parametrize("lost", [{}, {"control": 2, "coaching": 1}])
@pytest.mark.parametrize("taken", [KNOWN, SOME_UNKNOWN])
def test_the_lines_of_take_up_add_up_to_the_units_allocated(
    taken: Mapping[str, list[Any]], lost: Mapping[str, int]
) -> None:
    boxes = _boxes(taken, no_data=lost)
    allocated = boxes[boxes["text"] == "schools allocated"].set_index("arm")["n"].to_dict()
    assert allocated == {arm: len(units) + lost.get(arm, 0) for arm, units in taken.items()}
    assert {arm: sum(lines.values()) for arm, lines in _told(boxes).items()} == allocated


def test_a_study_without_take_up_has_no_line_of_it() -> None:
    assert _told(_boxes(SOME_UNKNOWN, take_up=None)) == {}
    assert _told(_boxes(SOME_UNKNOWN, take_up="a variable of pupils")) == {}


def test_take_up_stands_between_the_units_allocated_and_the_rosters() -> None:
    pupils = pd.DataFrame({"pupil": ["p"], "year": 2019, "arm": "control", "school": "S0"})
    boxes = _boxes(SOME_UNKNOWN, samples={"pupil": pupils}, years=[])
    mine = boxes[(boxes["arm"] == "control") & (boxes["stage"] == "allocated")]
    assert mine["text"].tolist() == [
        "schools allocated", RECEIVED, NOT_RECEIVED, NOT_KNOWN, "pupils on the rosters of 2019",
    ]  # fmt: skip


def test_the_text_and_the_figure_say_of_how_many_take_up_is_not_known() -> None:
    boxes = _boxes(SOME_UNKNOWN)
    text = as_text(boxes, ARMS, {})
    figure = flow_plot(boxes, ARMS, {}, STUDY)
    drawn = " ".join(part.get_text() for part in figure.axes[0].texts)
    for line in (f"{NOT_RECEIVED}: 3", f"{NOT_KNOWN}: 1", f"{NOT_RECEIVED}: 1", f"{NOT_KNOWN}: 3"):
        assert line in text
        assert line.replace(":", "") in drawn
