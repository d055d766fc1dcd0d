"""Tables of the report call groups by their labels, and name one only where there are several."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd

from schooltrial.report.evidence import Evidence
from support.small_trial import SmallTrial


def _evidence(trial: SmallTrial, *arms: str) -> Evidence:
    content: Any = dict(trial.read().content)
    content["design"] = {
        **content["design"], "arms": [{"name": name, "label": name.title()} for name in arms]
    }  # fmt: skip
    empty: Any = {field.name: {} for field in dataclasses.fields(Evidence)}
    return Evidence(**{**empty, "protocol": content})


def test_names_of_arms_become_labels_and_other_words_stay(finished: SmallTrial) -> None:
    table = pd.DataFrame({"arm": ["control", "coach", "not assigned"], "n": [1, 2, 3]})
    found = _evidence(finished, "control", "coach").labelled(table)
    assert found["arm"].tolist() == ["Control", "Coach", "not assigned"]
    assert table["arm"].tolist() == ["control", "coach", "not assigned"]


def test_a_comparison_names_its_group_only_where_there_are_several(finished: SmallTrial) -> None:
    table = pd.DataFrame({"arm": ["coach", "coach"]})
    assert _evidence(finished, "control", "coach").compared(table)["arm"].tolist() == ["", ""]
    several = _evidence(finished, "control", "coach", "mentor")
    assert several.compared(table)["arm"].tolist() == ["Coach", "Coach"]
