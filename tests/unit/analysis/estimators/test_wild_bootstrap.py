"""Claims about the wild bootstrap as protocols reach it."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from schooltrial.analysis.estimators.wild_bootstrap import fit_planned


def test_draws_follow_from_the_seed_of_the_study(
    plan: Callable[..., Any], sample: pd.DataFrame
) -> None:
    asked = plan(replications=200)
    one, again, other = (fit_planned(asked, sample, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.table, again.table)
    assert one.table["estimate"].tolist() == other.table["estimate"].tolist()
    assert one.table["p_value"].tolist() != other.table["p_value"].tolist()


def test_a_plan_of_so_many_draws_counts_the_sample_itself(
    plan: Callable[..., Any], sample: pd.DataFrame
) -> None:
    fitted = fit_planned(plan(replications=200), sample, seed=1)
    assert len(fitted.results["score"].distribution.draws) == 199
