"""The attrition boundary: its table, the model that made it, and where low ends."""

from __future__ import annotations

from math import isnan, nan, pi, sqrt

import numpy as np
import pytest

from schooltrial.models.missing_outcomes import attrition_bias as attrition_model
from schooltrial.models.missing_outcomes.attrition_bias import (
    BIAS_LIMIT,
    Assumption,
    Selection,
    attrition_boundary,
    attrition_verdict,
    boundary_table,
    expected_bias,
    implied_bias,
    model_boundary,
    respondent_mean,
)

BOTH = pytest.mark.parametrize("assumption", ["cautious", "optimistic"])


def _misses(assumption: Assumption, first: int) -> list[float]:
    """Return model minus table, in percentage points, from an overall attrition up."""
    table = boundary_table()
    return [
        100 * (model_boundary(overall, assumption) - limit)
        for overall, limit in zip(table["overall"], table[assumption], strict=True)
        if round(100 * overall) >= first and not isnan(limit)
    ]


def test_the_cautious_column_follows_from_the_model_within_a_tenth_of_a_point() -> None:
    misses = np.abs(_misses("cautious", 4))
    assert len(misses) == 54
    assert misses.max() < 0.1


def test_the_optimistic_column_follows_within_the_rounding_of_its_correlations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert np.abs(_misses("optimistic", 6)).max() < 0.3
    finer = Selection(0.2743, 0.2238)
    assert (round(finer.treated, 2), round(finer.control, 2)) == (0.27, 0.22)
    monkeypatch.setattr(attrition_model, "ASSUMPTIONS", {"optimistic": finer})
    misses = np.abs(_misses("optimistic", 6))
    assert len(misses) == 60
    assert misses.max() < 0.1


def test_the_cautious_model_too_finds_no_difference_tolerable_from_58_per_cent() -> None:
    assert not isnan(model_boundary(0.57, "cautious"))
    assert isnan(model_boundary(0.58, "cautious"))


@BOTH
def test_the_table_has_a_row_for_every_per_cent_and_first_rises_then_falls(
    assumption: Assumption,
) -> None:
    table = boundary_table()
    assert np.allclose(table["overall"], np.arange(66) / 100)
    limits = np.array([x for x in table[assumption] if not isnan(x)])
    top = int(limits.argmax())
    assert np.all(np.diff(limits[: top + 1]) >= 0)
    assert np.all(np.diff(limits[top:]) <= 0)


@pytest.mark.parametrize(
    ("overall", "assumption", "limit"),
    [
        (0.0, "cautious", 0.057),
        (0.10, "cautious", 0.063),
        (0.1049, "cautious", 0.063),
        (0.105, "cautious", 0.062),
        (0.30, "optimistic", 0.082),
        (0.57, "cautious", 0.0),
        (0.5749, "cautious", 0.0),
        (0.575, "cautious", nan),
        (0.65, "optimistic", 0.003),
        (0.655, "optimistic", nan),
        (1.0, "optimistic", nan),
        (nan, "cautious", nan),
    ],
)
def test_overall_attrition_is_rounded_to_the_nearest_per_cent_halves_up(
    overall: float, assumption: Assumption, limit: float
) -> None:
    assert attrition_boundary(overall, assumption) == pytest.approx(limit, nan_ok=True)


@pytest.mark.parametrize(
    ("overall", "differential", "cautious", "optimistic"),
    [
        (0.10, 0.063, "low", "low"),
        (0.10, -0.063, "low", "low"),
        (0.10, 0.36 - 0.297, "low", "low"),
        (0.10, 0.0631, "high", "low"),
        (0.10, 0.109, "high", "low"),
        (0.10, 0.1091, "high", "high"),
        (0.57, 0.0, "low", "low"),
        (0.58, 0.0, "high", "low"),
        (0.66, 0.0, "high", "high"),
        (nan, 0.0, "not defined", "not defined"),
        (0.1, nan, "not defined", "not defined"),
    ],
)
def test_the_boundary_itself_counts_as_low(
    overall: float, differential: float, cautious: str, optimistic: str
) -> None:
    assert attrition_verdict(overall, differential, "cautious") == cautious
    assert attrition_verdict(overall, differential, "optimistic") == optimistic


def test_the_mean_of_respondents_is_the_inverse_mills_ratio() -> None:
    assert respondent_mean(0.0) == 0
    assert respondent_mean(0.5) == pytest.approx(2 / sqrt(2 * pi))
    z = np.random.default_rng(1).normal(size=400_000)
    seen = z[z > np.quantile(z, 0.3)]
    assert respondent_mean(0.3) == pytest.approx(seen.mean(), abs=0.005)
    assert np.isnan(respondent_mean(1.0))


@BOTH
def test_implied_bias_is_of_the_worse_sign_and_grows_with_the_difference(
    assumption: Assumption,
) -> None:
    biases = [implied_bias(0.2, d, assumption) for d in (0.0, 0.05, 0.1, 0.2)]
    assert np.all(np.diff(biases) > 0)
    assert implied_bias(0.2, -0.1, assumption) == implied_bias(0.2, 0.1, assumption)
    assert implied_bias(0.2, 0.1, assumption) >= abs(expected_bias(0.15, 0.25, assumption))
    assert implied_bias(0.2, 0.1, assumption) == expected_bias(0.25, 0.15, assumption)


def test_bias_is_nothing_without_attrition_and_the_limit_on_the_boundary() -> None:
    assert implied_bias(0.0, 0.0, "cautious") == 0
    limit = model_boundary(0.3, "cautious")
    assert implied_bias(0.3, limit, "cautious") == pytest.approx(BIAS_LIMIT)


def test_rates_that_are_no_shares_are_refused() -> None:
    with pytest.raises(ValueError, match="a share from 0 to 1, not 12"):
        attrition_boundary(12, "cautious")
    with pytest.raises(ValueError, match="a share from 0 to 1"):
        respondent_mean(-0.1)
