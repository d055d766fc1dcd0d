"""The section on baseline equivalence says whose baseline its table compares."""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd

from schooltrial.report.sections.baseline import analysed_sentence
from support.small_trial import SmallTrial


def test_it_is_said_for_which_outcome_the_people_compared_are_analysed(
    finished: SmallTrial,
) -> None:
    content: Any = copy.deepcopy(dict(finished.read().content))
    label = next(iter(content["outcomes"].values()))["label"]
    pupils = pd.DataFrame({"sample": ["randomised", "analysed"], "level": "pupil"})
    assert analysed_sentence(content, pupils) == (
        f"Compared are the pupils analysed for {label}; those analysed for other outcomes can "
        "differ. "
    )
    assert analysed_sentence(content, pupils[:1]) == ""
    content["design"]["unit"] = "teacher"
    assert "also in classes that were not randomised" in analysed_sentence(content, pupils)
