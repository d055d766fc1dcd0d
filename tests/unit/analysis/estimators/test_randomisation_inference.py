"""Claims about tests by re-drawing as protocols reach them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.analysis.estimators.randomisation_inference import Lottery, fit_planned
from schooltrial.randomisation.criterion import CriterionKnown

ARMS = ("control", "programme")


def test_a_blocked_lottery_is_redrawn_within_blocks_and_a_complete_one_across_them(
    plan: Callable[..., Any], sample: pd.DataFrame
) -> None:
    asked = plan(replications=200, blocks="none")
    counts = {
        blocked: len(
            fit_planned(asked, sample, lottery=Lottery(ARMS, blocked, CriterionKnown()), seed=1)
            .results["score"]
            .distribution.draws
        )
        for blocked in (True, False)
    }
    assert counts == {True: 6**3, False: 924}  # 2 of 4 schools in 3 blocks; 6 of 12 schools


def test_without_a_usable_criterion_there_is_an_effect_and_no_p_value(
    plan: Callable[..., Any], sample: pd.DataFrame
) -> None:
    known = CriterionKnown(unusable="no re-draws: the frame is lost")
    fitted = fit_planned(plan(), sample, lottery=Lottery(ARMS, True, known), seed=1)
    (row,) = fitted.table.to_dict("records")
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["p_value"])
    assert row["note"].startswith("no re-draws: the frame is lost")
