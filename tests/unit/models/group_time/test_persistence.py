"""Claims about averages by years since the programme ended."""

from __future__ import annotations

import numpy as np
import pytest

from schooltrial.models.group_time.cells import Cell
from schooltrial.models.group_time.persistence import (
    DURING,
    Lasts,
    persistence_averages,
    years_after,
)

YEARS = range(2014, 2020)
CELLS = tuple(Cell(g, t, g - 1, (0,)) for g in (2015, 2016, 2018) for t in YEARS if t != g - 1)
SCHOOLS = {2015: 6.0, 2016: 2.0, 2018: 4.0}
SIZE = np.array([SCHOOLS[cell.cohort] for cell in CELLS])
VALUES = np.random.default_rng(2).normal(size=len(CELLS))


def att(cohort: int, year: int) -> float:
    (at,) = [k for k, cell in enumerate(CELLS) if (cell.cohort, cell.year) == (cohort, year)]
    return float(VALUES[at])


def found(lasts: Lasts) -> dict[str, float]:
    rows = persistence_averages(CELLS, SIZE, lasts)
    return {row.term: float(row.weights @ VALUES) for row in rows}


def test_the_effect_during_is_the_mean_of_the_cells_of_the_programme_by_schools() -> None:
    inside = [(g, t) for g in SCHOOLS for t in (g, g + 1)]
    total = sum(SCHOOLS[g] for g, _ in inside)
    hand = sum(SCHOOLS[g] * att(g, t) for g, t in inside) / total
    assert found(2)[DURING] == pytest.approx(hand)


def test_an_effect_after_is_that_of_the_cohorts_seen_then_each_by_its_schools() -> None:
    rows = found(2)
    hand = (6 * att(2015, 2018) + 2 * att(2016, 2019)) / 8
    assert rows["treated[after=2]"] == pytest.approx(hand)
    assert rows["treated[after=3]"] == pytest.approx(att(2015, 2019))
    assert "treated[after=4]" not in rows
    assert [(one.years, one.cohorts) for one in years_after(CELLS, 2)] == [
        (1, (2015, 2016)), (2, (2015, 2016)), (3, (2015,)),
    ]  # fmt: skip


def test_it_is_held_against_the_effect_during_of_the_same_cohorts_with_the_same_weights() -> None:
    during = {g: (att(g, g) + att(g, g + 1)) / 2 for g in (2015, 2016)}
    rows = found(2)
    same = (6 * during[2015] + 2 * during[2016]) / 8
    assert rows["treated[after=2] - treated[during]"] == pytest.approx(
        rows["treated[after=2]"] - same
    )
    assert rows["treated[after=3] - treated[during]"] == pytest.approx(
        att(2015, 2019) - during[2015]
    )


def test_each_cohort_may_have_a_programme_of_its_own_length() -> None:
    rows = found({2015: 1, 2016: 2, 2018: 2})
    hand = (6 * att(2015, 2016) + 2 * att(2016, 2018)) / 8
    assert rows["treated[after=1]"] == pytest.approx(hand)
    with pytest.raises(ValueError, match=r"cohorts 2016, 2018 lasted; add it, as in `years: "):
        found({2015: 1})


def test_a_programme_that_outlasts_the_panel_has_an_effect_during_alone() -> None:
    assert list(found(6)) == [DURING]


def test_a_cohort_whose_programme_was_not_measured_is_not_compared_with_it() -> None:
    """Its one year of the programme lies in a gap of the panel."""
    cells = (Cell(2016, 2017, 2015, (0,)), Cell(2016, 2019, 2015, (0,)))
    terms = [row.term for row in persistence_averages(cells, [5.0, 5.0], 1)]
    assert terms == ["treated[after=1]", "treated[after=3]"]
