"""By how many grades pupils move on: by the years, but not within one school year."""

from __future__ import annotations

import pandas as pd
import pytest

from schooltrial.data.rows.grade_progress import grades_passed


def _pupils(changes: list[float], years: tuple[int, int] = (2023, 2024)) -> pd.DataFrame:
    first = pd.DataFrame({"pupil": [f"P{at}" for at in range(len(changes))], "grade": 4.0})
    last = first.assign(grade=[4.0 + change for change in changes])
    return pd.concat([first.assign(year=years[0]), last.assign(year=years[1])])


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ([1, 1, 1, 0], 1),
        ([0, 0, 0, 1], 0),  # autumn and summer of one school year
        ([0, 0, 1, 1], 1),  # half is not most
        ([2, 2, 2, 2], 1),  # nobody moves on by more grades than years
        ([-1, -1, -1, 0], 1),
    ],
)
def test_pupils_move_on_as_most_of_them_did_but_by_no_more_than_the_years(
    changes: list[float], passed: int
) -> None:
    assert grades_passed(_pupils(changes), 2023, 2024) == passed


def test_where_nobody_was_there_in_both_years_they_move_on_by_the_years() -> None:
    frame = _pupils([0, 0], (2023, 2025))
    assert grades_passed(frame[frame["year"] == 2023], 2023, 2025) == 2


def test_over_two_years_one_grade_may_pass() -> None:
    assert grades_passed(_pupils([1, 1, 1, 2], (2023, 2025)), 2023, 2025) == 1
