"""The first screen names what it does not show in its table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from schooltrial.report.sections.summary import in_parts_sentence

OUTCOMES: Any = {
    "maths": {"label": "Maths", "primary": True},
    "art": {"label": "Art", "primary": False},
    "music": {"label": "Music", "primary": False},
}


def _rows(**subgroups: str) -> pd.DataFrame:
    return pd.DataFrame([
        {"outcome": outcome, "subgroup": subgroup, "estimand": "ITT"}
        for outcome, subgroup in subgroups.items()
    ])  # fmt: skip


def test_a_secondary_outcome_of_a_subgroup_alone_is_named() -> None:
    told = in_parts_sentence(_rows(maths="girls", art="girls", music="all"), {"outcomes": OUTCOMES})
    assert told == "Art is analysed in parts of the sample, or in other years, alone."
    both = in_parts_sentence(_rows(art="girls", music="2021"), {"outcomes": OUTCOMES})
    assert both.startswith("Art and Music are analysed")


def test_nothing_is_said_where_all_are_analysed_in_the_whole_sample() -> None:
    rows = pd.concat([_rows(art="all"), _rows(art="girls")])
    assert in_parts_sentence(rows, {"outcomes": OUTCOMES}) == ""
