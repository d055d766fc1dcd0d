"""How often a true null is rejected where few schools are treated; `make validate` has the rest."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.panel_single import fitted
from benchmarks.panel_trials import (
    DESIGNS,
    EFFECT,
    Design,
    Scenario,
    panel_stream,
    simulate_panels,
)


def rejections(scenario: Scenario, draws: int) -> tuple[dict[str, float], float]:
    """Return the share of panels in which each row, and the joint test, is rejected at 5%."""
    panels = simulate_panels(scenario, draws, panel_stream(scenario, 0, "tests"))
    fits = [fitted(scenario, panels, k) for k in range(draws)]
    terms = (*fits[0].terms_of("ATT"), *fits[0].terms_of("effect by group"),
             *fits[0].terms_of("event study"))  # fmt: skip
    p = np.array([[row.p_value for row in fit.estimates(terms)] for fit in fits])
    joint = np.array([fit.pretrend.p_value if fit.pretrend else np.nan for fit in fits])
    rates = dict(zip(terms, (p < 0.05).mean(axis=0).tolist(), strict=True))
    return rates, float((joint < 0.05).mean())


def test_effects_that_differ_between_schools_leave_the_intervals_of_small_cohorts_right() -> None:
    scenario = Scenario(DESIGNS[1], effects="heterogeneous")
    panels = simulate_panels(scenario, 250, panel_stream(scenario, 0, "tests"))
    missed = np.array([
        [abs(row.estimate - EFFECT) > row.conf_high - row.estimate for row in fit.cohorts]
        for fit in (fitted(scenario, panels, k) for k in range(250))
    ])  # fmt: skip
    assert missed.mean(axis=0).max() < 0.085  # .108 where cohorts share a variance by calendar year


@pytest.mark.slow
@pytest.mark.parametrize("spread", ["equal", "double", "small schools"])
@pytest.mark.parametrize("design", DESIGNS[1:5], ids=lambda design: design.name)
def test_no_row_rejects_a_true_null_much_more_often_than_it_says(
    design: Design, spread: str
) -> None:
    rows, joint = rejections(Scenario(design, spread=spread), 1_000)  # type: ignore[arg-type]
    assert joint <= 0.075
    assert all(0.025 <= share <= 0.08 for share in rows.values()), rows
