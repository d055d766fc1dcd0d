"""Matching: the nearest by Mahalanobis's distance, the same ones whatever the order of the rows."""

from __future__ import annotations

import numpy as np
import pytest

from schooltrial.models.comparison_schools.nearest_neighbours import match_nearest

RNG = np.random.default_rng(5)
OTHERS = RNG.normal(size=(40, 2)) @ np.array([[3.0, 1.0], [0.0, 0.5]])
COHORT = RNG.normal(size=(5, 2)) + 0.5
NAMES = [f"s{i:02d}" for i in range(40)]
VARIABLES = ["level", "trend"]


def test_the_partners_are_those_of_a_plain_loop_over_distances() -> None:
    found = match_nearest(COHORT, OTHERS, NAMES, VARIABLES, neighbours=3)
    inverse = np.linalg.inv(np.cov(OTHERS.T))
    for school, partners, distances in zip(COHORT, found.partners, found.distances, strict=True):
        squared = np.array([(school - other) @ inverse @ (school - other) for other in OTHERS])
        assert list(partners) == list(np.argsort(squared)[:3])
        np.testing.assert_allclose(distances, np.sqrt(np.sort(squared)[:3]), atol=1e-8)


def test_each_school_of_the_cohort_gives_its_neighbours_equal_parts_of_its_weight() -> None:
    found = match_nearest(COHORT, OTHERS, NAMES, VARIABLES, neighbours=2)
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)
    expected = np.zeros(40)
    for partners in found.partners:
        expected[partners] += 1 / 10
    np.testing.assert_allclose(found.weights, expected, atol=1e-15)


def test_equal_distances_are_put_in_the_order_of_names_whatever_the_order_of_rows() -> None:
    flags = np.repeat([0.0, 1.0], 10)[:, None]
    names = [f"school {i:02d}" for i in range(20)]
    order = RNG.permutation(20)
    for rows in (np.arange(20), order):
        found = match_nearest(
            np.array([[1.0]]), flags[rows], [names[i] for i in rows], ["charter"], neighbours=3
        )
        matched = [names[rows[i]] for i in found.partners[0]]
        assert matched == ["school 10", "school 11", "school 12"]


def test_units_change_no_match() -> None:
    scale = np.array([1000.0, 0.01])
    found = match_nearest(COHORT, OTHERS, NAMES, VARIABLES)
    scaled = match_nearest(COHORT * scale, OTHERS * scale, NAMES, VARIABLES)
    np.testing.assert_array_equal(found.partners, scaled.partners)


def test_a_characteristic_that_repeats_another_counts_once() -> None:
    found = match_nearest(COHORT, OTHERS, NAMES, VARIABLES)
    again = match_nearest(
        COHORT[:, [0, 1, 0]], OTHERS[:, [0, 1, 0]], NAMES, [*VARIABLES, "level again"]
    )
    np.testing.assert_array_equal(found.partners, again.partners)


def test_too_few_comparison_schools_and_unknown_values_are_refused() -> None:
    with pytest.raises(ValueError, match="3 neighbours asked for, and there are 2 comparison"):
        match_nearest(COHORT, OTHERS[:2], NAMES[:2], VARIABLES, neighbours=3)
    lacking = OTHERS.copy()
    lacking[0, 1] = np.nan
    with pytest.raises(ValueError, match="trend: some schools have no value"):
        match_nearest(COHORT, lacking, NAMES, VARIABLES)


def test_a_school_whose_like_is_nowhere_is_not_matched_as_if_it_were() -> None:
    others = np.column_stack([OTHERS[:, 0], np.zeros(40)])
    cohort = np.array([[0.1, 1.0], [0.2, 0.0]])
    with pytest.raises(ValueError, match="all comparison schools have charter = 0, and 1 school"):
        match_nearest(cohort, others, NAMES, ["level", "charter"])
