"""The section on baseline equivalence says whose baseline its table compares."""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd

from schooltrial.report.sections.baseline import analysed_sentence, needed_notes
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


def test_what_adjustment_needed_means_is_noted_only_where_the_table_says_it(
    finished: SmallTrial,
) -> None:
    content = finished.read().content
    assert needed_notes(pd.DataFrame({"wwc_band": ["satisfied", ""]}), content) == ()
    (note,) = needed_notes(pd.DataFrame({"wwc_band": ["adjustment needed"]}), content)
    assert "must be adjusted for if the WWC is to accept the comparison" in note
    assert "the effect is" in note.lower()
