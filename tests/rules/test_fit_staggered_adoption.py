"""The rule of staggered adoption: with one cohort it is a difference in differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fit_staggered_adoption import main as fit_staggered_adoption
from support.fitted_models import fit_rule
from support.small_trial import SmallTrial


def test_with_one_cohort_every_effect_is_the_difference_of_mean_changes(
    finished: SmallTrial, tmp_path: Path
) -> None:
    content = finished.read().content
    panel = pd.read_parquet(finished.path("panel.parquet")).query("outcome == 'reading'")
    entered = np.where(panel["treated"] == 1, 2020.0, np.nan)
    panel.assign(cohort=entered).to_parquet(tmp_path / "panel.parquet")
    model = {**content["models"]["did"], "estimator": "staggered_adoption"}
    outcomes: Any = {"reading": {**content["outcomes"]["reading"], "measured_on": "school"}}
    rows, told = fit_rule(
        fit_staggered_adoption, finished, tmp_path, model, outcomes=outcomes,
        panel=str(tmp_path / "panel.parquet"), bounded=finished.path("bounded.parquet"),
        schools=finished.path("schools.parquet"), years=content["years"],
        school_sample=finished.path("school_sample.parquet"),
        design=content["design"], seed=content["study"]["seed"],
    )  # fmt: skip
    change = panel.pivot(index=["school", "treated"], columns="year", values="mean")
    arms = (change[2020] - change[2019]).groupby("treated").mean()
    assert {"ATT", "effect by group", "event study", "group-time effect"} <= set(rows["estimand"])
    after = rows[~rows["term"].str.contains("-", regex=False)]
    assert len(after) >= 4
    assert after["estimate"].tolist() == pytest.approx([arms[1.0] - arms[0.0]] * len(after))
    assert told["reading"]["cells"] == len(panel)
