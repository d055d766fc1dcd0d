"""Tables of the report call groups by their labels, and name one only where there are several."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
import pytest

from schooltrial.document.blocks import Picture
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.report.evidence import Evidence
from schooltrial.study.opened.shown import CAPTIONS
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


@pytest.mark.parametrize(("randomised", "word"), [(True, "control"), (False, "comparison")])
def test_a_caption_calls_the_group_without_the_programme_by_its_name_in_the_design(
    finished: SmallTrial, randomised: bool, word: str
) -> None:
    plain = _evidence(finished, "control", "coach")
    protocol: Any = plain.protocol
    protocol = {**protocol, "design": {**protocol["design"], "randomised": randomised}}
    picture = Picture(b"<svg></svg>", "A love plot.")
    found = dataclasses.replace(
        plain,
        protocol=protocol,
        figures={"love_plot": picture},
        captions=parse_yaml(CAPTIONS.read_text("utf-8")),
    ).exhibit("love_plot", more="{more}")
    assert found is not None
    assert found.caption == (
        f"Standardised differences (intervention − {word}) at baseline. {{more}}"
    )
