"""Each row of the attrition boundary as it was published, and where low ends on that row.

What Works Clearinghouse, Standards Handbook, version 4.1 (2020), table II.1: by overall attrition,
rounded to the nearest per cent, the largest differential attrition in percentage points that is
still low, which the boundary itself is. Dashes are rows on which attrition is always high.
"""

from __future__ import annotations

from math import isnan

import pytest

from schooltrial.models.missing_outcomes.attrition_bias import (
    Assumption,
    attrition_boundary,
    attrition_verdict,
    boundary_table,
)

PUBLISHED = """
overall      0    1    2    3    4    5    6    7    8    9   10   11   12   13   14   15   16   17
cautious   5.7  5.8  5.9  5.9  6.0  6.1  6.2  6.3  6.3  6.3  6.3  6.2  6.2  6.1  6.0  5.9  5.9  5.8
optimistic 10.0 10.1 10.2 10.3 10.4 10.5 10.7 10.8 10.9 10.9 10.9 10.9 10.9 10.8 10.8 10.7 10.6 10.5
overall     18   19   20   21   22   23   24   25   26   27   28   29   30   31   32   33   34   35
cautious   5.7  5.5  5.4  5.3  5.2  5.1  4.9  4.8  4.7  4.5  4.4  4.3  4.1  4.0  3.8  3.6  3.5  3.3
optimistic 10.3 10.2 10.0 9.9  9.7  9.5  9.4  9.2  9.0  8.8  8.6  8.4  8.2  8.0  7.8  7.6  7.4  7.2
overall     36   37   38   39   40   41   42   43   44   45   46   47   48   49   50   51   52   53
cautious   3.2  3.1  2.9  2.8  2.6  2.5  2.3  2.1  2.0  1.8  1.6  1.5  1.3  1.2  1.0  0.9  0.7  0.6
optimistic 7.0  6.7  6.5  6.3  6.0  5.8  5.6  5.3  5.1  4.9  4.6  4.4  4.2  3.9  3.7  3.5  3.2  3.0
overall     54   55   56   57   58   59   60   61   62   63   64   65
cautious   0.4  0.3  0.2  0.0   -    -    -    -    -    -    -    -
optimistic 2.8  2.6  2.3  2.1  1.9  1.6  1.4  1.1  0.9  0.7  0.5  0.3
"""


def _published(column: str) -> list[str]:
    lines = [line.split() for line in PUBLISHED.strip().splitlines()]
    return [cell for name, *cells in lines if name == column for cell in cells]


OVERALL = [int(cell) for cell in _published("overall")]
ROWS = [
    (percent, assumption, None if cell == "-" else float(cell))
    for assumption in ("cautious", "optimistic")
    for percent, cell in zip(OVERALL, _published(assumption), strict=True)
]
JUST_ABOVE = 1e-6
"""A share by which a differential is beyond its boundary."""


def test_the_published_table_has_a_row_for_each_per_cent_up_to_65() -> None:
    assert list(range(66)) == OVERALL
    assert len(boundary_table()["overall"]) == 66
    assert len(ROWS) == 2 * 66


@pytest.mark.parametrize(("percent", "assumption", "points"), ROWS)
def test_on_each_row_the_boundary_is_low_and_just_above_it_is_high(
    percent: int, assumption: Assumption, points: float | None
) -> None:
    overall = percent / 100
    if points is None:
        assert isnan(attrition_boundary(overall, assumption))
        assert attrition_verdict(overall, 0.0, assumption) == "high"
        return
    limit = points / 100
    assert attrition_boundary(overall, assumption) == pytest.approx(limit, abs=1e-12)
    for sign in (1, -1):
        assert attrition_verdict(overall, sign * limit, assumption) == "low"
        assert attrition_verdict(overall, sign * (limit + JUST_ABOVE), assumption) == "high"


@pytest.mark.parametrize(("percent", "assumption", "points"), ROWS)
def test_each_row_holds_from_half_a_per_cent_below_to_just_under_half_above(
    percent: int, assumption: Assumption, points: float | None
) -> None:
    expected = pytest.approx(float("nan") if points is None else points / 100, nan_ok=True)
    shares = [max(percent - 0.5, 0) / 100, (percent + 0.5) / 100 - JUST_ABOVE]
    assert [attrition_boundary(share, assumption) for share in shares] == [expected, expected]


@pytest.mark.parametrize("assumption", ["cautious", "optimistic"])
def test_beyond_the_last_row_attrition_is_high_whatever_the_difference(
    assumption: Assumption,
) -> None:
    for overall in (0.655, 0.66, 0.8, 1.0):
        assert isnan(attrition_boundary(overall, assumption))
        assert attrition_verdict(overall, 0.0, assumption) == "high"
