"""Claims about the counts of the monitoring page."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.checks.flow.enrolment import count_enrolment


@given(st.lists(st.sets(st.integers(0, 30)), min_size=1, max_size=4))
def test_who_was_there_before_less_who_went_and_with_who_came_is_who_is_there(
    rosters: list[set[int]],
) -> None:
    rows = [(f"p{n}", 2019 + at, f"S{n % 3}") for at, who in enumerate(rosters) for n in who]
    frame = pd.DataFrame(rows, columns=["pupil", "year", "school"])
    arms = frame["school"].map({"S0": "control", "S1": "programme"})
    found = count_enrolment({"pupil": frame}, {"pupil": arms})
    assert found["n_enrolled"].sum() == len(frame)
    for _, part in found.groupby("arm"):
        counts = part["n_enrolled"].to_numpy()
        change = (part["n_joined"] - part["n_left"]).iloc[1:].to_numpy(dtype="int64")
        assert np.array_equal(np.diff(counts), change)


def test_schools_are_counted_once_and_those_not_assigned_are_named() -> None:
    frame = pd.DataFrame({"teacher": list("abc"), "year": [2020] * 3, "school": ["S0", "S0", "S9"]})
    found = count_enrolment(
        {"teacher": frame}, {"teacher": pd.Series(["control", "control", None])}
    )
    assert found[["arm", "n_schools", "n_enrolled"]].to_numpy().tolist() == [
        ["control", 1, 2], ["not assigned", 1, 1],
    ]  # fmt: skip
