"""Placebo cohorts, against a loop over draws and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from schooltrial.models.parallel_trends.placebo_cohorts import (
    ComparedChange,
    draw_placebo_cohorts,
    placebo_estimates,
)

SIZES = [(0, 2018, 3), (0, 2020, 2), (1, 2018, 4)]
STRATA = np.repeat([0, 1], [20, 15])


def _changes(rng: np.random.Generator) -> list[ComparedChange]:
    changes = [
        ComparedChange(rng.normal(size=len(STRATA)), 2018, (0, 2020), 0.6),
        ComparedChange(rng.normal(size=len(STRATA)), 2020, (0,), 0.4),
    ]
    changes[0].change[::7] = np.nan
    return changes


def test_effects_of_draws_are_those_of_a_loop() -> None:
    rng = np.random.default_rng(1)
    changes = _changes(rng)
    labels = draw_placebo_cohorts(SIZES, STRATA, 50, rng)
    found = placebo_estimates(changes, labels)
    for draw, label in zip(found, labels, strict=True):
        expected = sum(
            one.weight * (
                np.nanmean(one.change[label == one.cohort])
                - np.nanmean(one.change[np.isin(label, one.compared)])
            )
            for one in changes
        )  # fmt: skip
        assert draw == pytest.approx(expected)


def test_as_many_schools_of_each_stratum_are_drawn_as_the_cohorts_have() -> None:
    labels = draw_placebo_cohorts(SIZES, STRATA, 30, np.random.default_rng(2))
    for stratum, cohort, schools in SIZES:
        assert ((labels[:, stratum == STRATA] == cohort).sum(axis=1) == schools).all()
    assert (labels[:, STRATA == 1] != 2020).all()
    assert len(np.unique(labels, axis=0)) == 30


def test_schools_of_which_none_would_be_left_are_not_drawn() -> None:
    with pytest.raises(ValueError, match="20 schools that are never treated, of which 20"):
        draw_placebo_cohorts([(0, 2018, 20)], STRATA, 10, np.random.default_rng(3))


def test_a_draw_that_leaves_a_cell_without_schools_has_no_effect() -> None:
    change = np.array([np.nan, 1.0, 2.0])
    found = placebo_estimates(
        [ComparedChange(change, 2018, (0,), 1.0)], np.array([[2018, 0, 0], [0, 2018, 0]])
    )
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(1.0 - 2.0)
