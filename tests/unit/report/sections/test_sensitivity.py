"""Bounds that could not be computed are no empty rows: a note says which and why."""

from __future__ import annotations

import pandas as pd

from schooltrial.report.sections.sensitivity import without_empty

NAN = float("nan")


def _bounds(*estimates: float) -> pd.DataFrame:
    approaches = ["complete cases", "Horowitz-Manski bounds"]
    return pd.DataFrame({
        "outcome": "maths", "model": "itt", "year": 2020, "arm": "a", "approach": approaches,
        "estimate": estimates, "note": ["", "the outcome has no range"],
    })  # fmt: skip


def test_an_approach_that_gave_nothing_is_left_out_and_its_reason_is_noted() -> None:
    shown, notes = without_empty(_bounds(0.1, NAN), {"maths": "Maths"})
    assert list(shown["approach"]) == ["complete cases"]
    assert notes == (
        "Not computed: Horowitz-Manski bounds of Maths (the outcome has no range).",
    )  # fmt: skip


def test_where_nothing_or_everything_was_computed_the_table_stays_whole() -> None:
    for estimates in ((NAN, NAN), (0.1, 0.2)):
        shown, notes = without_empty(_bounds(*estimates), {})
        assert len(shown) == 2
        assert notes == ()
