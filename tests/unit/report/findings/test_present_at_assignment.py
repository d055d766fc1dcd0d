"""What is said of the effect among those who were there at the assignment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from schooltrial.report.findings.headlines import Finding, summarise_findings
from schooltrial.report.findings.present_at_assignment import first_assigned
from support.small_trial import SmallTrial


@pytest.fixture
def one(finished: SmallTrial) -> Finding:
    """Return the finding of the small trial."""
    (found,) = summarise_findings(
        pd.read_csv(finished.path("estimates.csv")), finished.read().content
    )
    return found


def _bounds(one: Finding, estimate: float, **keys: Any) -> pd.DataFrame:
    return pd.DataFrame([{
        "outcome": one.outcome, "model": one.model, "arm": one.arm, "approach": "complete cases",
        "estimate": estimate, "conf_low": estimate - 0.1, "conf_high": estimate + 0.1,
        "n_individuals": 1_252, **keys,
    }])  # fmt: skip


def test_an_estimate_below_all_others_is_said_to_be_so(one: Finding) -> None:
    low = first_assigned(one, [one], _bounds(one, one.estimate - 1))
    assert low is not None
    assert low.outside
    assert low.words.startswith("Among the 1,252 pupils who were there at the assignment")
    assert "below the primary and all sensitivity analyses." in low.words
    high = first_assigned(one, [], _bounds(one, one.estimate + 1))
    assert high is not None
    assert "above the primary analysis." in high.words


def test_an_estimate_among_the_others_is_not_compared(one: Finding) -> None:
    bounds = _bounds(one, one.estimate, conf_low=one.low, conf_high=one.high)
    found = first_assigned(one, [one], bounds)
    assert found is not None
    assert not found.outside


def test_nothing_is_said_where_the_same_people_are_analysed_or_nothing_is_known(
    one: Finding,
) -> None:
    same = {"n_individuals": one.n_people, "conf_low": one.low, "conf_high": one.high}
    assert first_assigned(one, [], _bounds(one, one.estimate, **same)) is None
    assert first_assigned(one, [], _bounds(one, float("nan"))) is None
    assert first_assigned(one, [], _bounds(one, 0.1, approach="Lee bounds")) is None
    assert first_assigned(one, [], None) is None


def test_the_same_people_are_told_where_zero_is_on_another_side_of_the_interval(
    one: Finding,
) -> None:
    clear = replace(one, estimate=0.1, low=0.01, high=0.19)
    rows = _bounds(one, 0.09, conf_low=-0.02, n_individuals=one.n_people)
    found = first_assigned(clear, [], rows)
    assert found is not None
    assert found.outside
    assert found.words.startswith(f"The same {one.n_people:,} pupils, analysed in the group first")
    assert found.words.endswith("Its interval includes zero, unlike that of the primary analysis.")
    others = first_assigned(clear, [clear], rows.assign(n_individuals=12))
    assert others is not None
    assert others.outside
    assert "unlike that of the primary" in others.words
