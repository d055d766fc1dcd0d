"""Re-randomised statistics in bins: shares add up, and the observed one lies among them."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.fitting import FittedModel
from schooltrial.analysis.rerandomised_statistics import COLUMNS, LEAST, MOST, bin_statistics
from schooltrial.models.inference.reference_distribution import ReferenceDistribution
from schooltrial.models.randomisation_inference.result import RandomisationTest

CHANCE = np.random.default_rng(4).normal(size=(10_000, 1))


def _fitted(draws: Any, observed: float, p: float = 0.2, **more: Any) -> Any:
    held = ReferenceDistribution(
        np.array([observed]), np.asarray(draws, dtype="float64"), more.get("probability"),
        more.get("exact", False),
    )  # fmt: skip
    test = RandomisationTest(
        term="treated", outcomes=("maths",), coefficients=np.array([0.1]),
        outcome_errors=np.array([0.1]), distribution=held, p_values=np.array([p]), n_rows=9,
        n_clusters=3, inversions=(), statistic="studentised", undefined=more.get("undefined", 0),
    )  # fmt: skip
    table = pd.DataFrame({"outcome": ["maths"], "p_value": [p]})
    return FittedModel(table, {}, {"maths": test})


def test_shares_of_bins_add_up_and_the_observed_statistic_lies_within_them() -> None:
    bins = bin_statistics("ri", _fitted(CHANCE, 9.0))
    assert list(bins.columns) == COLUMNS
    assert len(bins) == MOST
    assert bins["share"].sum() == pytest.approx(1.0)
    assert bins["bin_low"].iloc[0] == CHANCE.min()
    assert bins["bin_high"].iloc[-1] == 9.0
    assert np.allclose(bins["bin_high"][:-1], bins["bin_low"][1:])
    assert set(bins["p_value"]) == {0.2}
    assert set(bins["replications"]) == {10_000}


def test_a_bins_share_is_that_of_the_draws_in_it() -> None:
    bins = bin_statistics("ri", _fitted(CHANCE, 0.5))
    for row in bins.iloc[[5, 30]].itertuples():
        inside = (row.bin_low <= CHANCE) & (row.bin_high > CHANCE)
        assert row.share == pytest.approx(inside.mean())


def test_enumerated_draws_weigh_by_their_probability() -> None:
    bins = bin_statistics(
        "ri", _fitted([[-1.0], [1.0]], 1.0, probability=np.array([0.25, 0.75]), exact=True)
    )
    assert len(bins) == LEAST
    assert bins["share"].iloc[[0, -1]].tolist() == [0.25, 0.75]
    assert bins["exact"].all()


def test_draws_without_a_statistic_are_in_no_bin() -> None:
    bins = bin_statistics("ri", _fitted([[-1.0], [nan], [1.0], [0.0]], 1.0, undefined=1))
    assert bins["share"].sum() == pytest.approx(0.75)
    assert set(bins["undefined"]) == {1}


def test_without_re_randomisations_there_are_no_bins() -> None:
    assert bin_statistics("ri", _fitted([[0.5]], 0.5, p=nan)).empty
    assert bin_statistics("ri", _fitted([[nan]], 0.5)).empty
