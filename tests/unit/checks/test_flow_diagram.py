"""Claims about the boxes of the flow diagram."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.checks.flow_diagram import as_text, flow_boxes
from schooltrial.exhibits.flow_plot import flow_plot

ARMS = [{"name": "control", "label": "Control"}, {"name": "coaching", "label": "Coaching"},
        {"name": "institute", "label": "Institute"}]  # fmt: skip


def _flow(arm: str, lost: int, unobserved: int) -> list[list[Any]]:
    return [
        ["schools with pupils", "no pupil", "school", 2020, arm, 4, 1, 3],
        ["followed up: 2019 to 2020", "in no roster", "pupil", 2019, arm, 100, lost, 100 - lost],
        ["analysed: itt, maths", "maths was not observed", "pupil", 2020, arm, 90, unobserved,
         90 - unobserved],
        ["analysed: itt, maths", "a covariate was not observed", "pupil", 2020, arm,
         90 - unobserved, 0, 90 - unobserved],
    ]  # fmt: skip


@pytest.fixture
def boxes() -> pd.DataFrame:
    columns = ["step", "reason", "level", "year", "arm", "entered", "left", "remained"]
    rows = [row for at, arm in enumerate(ARMS) for row in _flow(arm["name"], 10 + at, 5 * at)]
    assignment = pd.DataFrame({
        "school": [f"S{n}" for n in range(12)],
        "arm": [arm["name"] for arm in ARMS for _ in range(4)],
    })  # fmt: skip
    sample = pd.DataFrame({"year": 2019, "arm": [a["name"] for a in ARMS for _ in range(100)]})
    return flow_boxes(
        pd.DataFrame(rows, columns=columns),
        samples={"pupil": sample},
        assignment=assignment,
        n_schools=15,
        unit="school",
        arms=ARMS,
        models={"itt": {"role": "primary", "outcomes": ["maths", "ela"]}},
        outcomes={"maths": {"primary": True, "level": "pupil"}, "ela": {"primary": False}},
        baseline=2019,
        years=[2020],
    )


def _number(boxes: pd.DataFrame, arm: str, text: str) -> int:
    return int(boxes.loc[(boxes["arm"] == arm) & (boxes["text"] == text), "n"].item())


def test_those_who_leave_before_the_arms_part_add_up(boxes: pd.DataFrame) -> None:
    files = _number(boxes, "all", "schools in the files")
    lost = _number(boxes, "all", "not in the assignment list")
    assert files - lost == _number(boxes, "all", "schools assigned") == 12


@pytest.mark.parametrize(("arm", "lost", "unobserved"), [("control", 10, 0), ("institute", 12, 10)])
def test_every_arm_shows_its_losses_with_their_reasons_zeros_included(
    boxes: pd.DataFrame, arm: str, lost: int, unobserved: int
) -> None:
    assert _number(boxes, arm, "in no roster") == lost
    assert _number(boxes, arm, "maths was not observed") == unobserved
    assert _number(boxes, arm, "a covariate was not observed") == 0
    assert _number(boxes, arm, "pupils analysed") == 90 - unobserved


def test_only_primary_outcomes_are_followed_to_the_analysis(boxes: pd.DataFrame) -> None:
    assert set(boxes.loc[boxes["stage"] == "analysed", "outcome"]) == {"maths"}


def test_the_text_tells_every_number_of_the_boxes(boxes: pd.DataFrame) -> None:
    text = as_text(boxes, ARMS, {"maths": "Maths"})
    for row in boxes.itertuples():
        assert f"{row.text}: {row.n:,}" in text


def test_the_figure_has_a_column_for_every_arm(boxes: pd.DataFrame) -> None:
    study = {"title": "T", "synthetic": True, "protocol": "a" * 64}
    figure = flow_plot(boxes, ARMS, {"maths": "Maths"}, study)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [t for t in texts if t.startswith("Allocation: ")] == [
        f"Allocation: {arm['label']}" for arm in ARMS
    ]
    assert any("Maths was not observed: 10" in text for text in texts)
