"""Claims about effects on compliers as protocols reach them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.estimators.complier_effect import fit_planned
from schooltrial.refusal import Refusal


@pytest.fixture
def taken(sample: pd.DataFrame) -> pd.DataFrame:
    """Return the sample with a take-up of most of the treated, and of some others."""
    chance = np.random.default_rng(1).uniform(size=len(sample))
    return sample.assign(took=(chance < 0.1 + 0.7 * sample["treated"]).astype(float))


def test_the_effect_on_compliers_is_that_of_the_offer_over_the_take_up(
    plan: Callable[..., Any], taken: pd.DataFrame
) -> None:
    fitted = fit_planned(plan(), taken, taken_up="took")
    rows = fitted.table.set_index("estimand")
    assert list(rows.index) == ["CACE", "Anderson-Rubin set", "take-up", "first stage"]

    def gap(column: str) -> float:
        """Return the mean difference between groups within blocks, by least squares."""
        blocks = pd.get_dummies(taken["block"]).to_numpy(float)
        x = np.column_stack([taken["treated"], blocks])
        return float(np.linalg.lstsq(x, taken[column], rcond=None)[0][0])

    assert rows.loc["CACE", "estimate"] == pytest.approx(gap("score") / gap("took"), rel=1e-9)
    assert rows.loc["take-up", "estimate"] == pytest.approx(gap("took"), rel=1e-9)
    strength = fitted.diagnostics["score"]["first_stage_f"]
    assert strength == fitted.results["score"].first_stage_test().row.statistic


def test_several_effects_are_refused(plan: Callable[..., Any], taken: pd.DataFrame) -> None:
    with pytest.raises(Refusal, match="is of one assignment"):
        fit_planned(plan(effects_by="half"), taken, taken_up="took")
