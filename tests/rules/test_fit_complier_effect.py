"""The rule of complier effects: what it writes holds together, and with the effect of the offer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fit_complier_effect import main as fit_complier_effect
from support.fitted_models import fit_rule
from support.small_trial import SmallTrial

MODEL = {"estimator": "complier_effect"}


def _with_take_up(trial: SmallTrial, folder: Path) -> str:
    """Write the sample with who took it up: three in four of the programme, one in ten others."""
    sample = pd.read_parquet(trial.path("sample.parquet"))
    place = np.arange(len(sample))
    took = np.where(sample["treated"] == 1, place % 4 != 0, place % 10 == 0)
    path = folder / "sample.parquet"
    sample.assign(took_up=took.astype("float64")).to_parquet(path)
    return str(path)


def test_the_effect_on_compliers_times_the_gain_in_take_up_is_the_effect_of_the_offer(
    finished: SmallTrial, tmp_path: Path
) -> None:
    sample = _with_take_up(finished, tmp_path)
    rows, told = fit_rule(
        fit_complier_effect, finished, tmp_path, MODEL, sample=sample, taken_up="took_up"
    )
    offered = pd.read_csv(finished.path("estimates.csv"))
    offered = offered[offered["model"] == "itt"].set_index("outcome")["estimate"]
    for outcome in ("maths", "reading"):
        found = rows[rows["outcome"] == outcome].set_index("estimand")
        product = found.loc["CACE", "estimate"] * found.loc["take-up", "estimate"]
        assert product == pytest.approx(offered[outcome], rel=1e-8)
        strength = found.loc["first stage", "statistic"]
        assert told[outcome]["first_stage_f"] == pytest.approx(strength)
        assert told[outcome]["strong"] is bool(strength >= 16)
        robust = found.loc["Anderson-Rubin set"]
        assert robust["conf_low"] < found.loc["CACE", "estimate"] < robust["conf_high"]


def test_several_effects_of_one_assignment_are_refused(
    finished: SmallTrial, tmp_path: Path
) -> None:
    sample = _with_take_up(finished, tmp_path)
    with pytest.raises(Exception, match=r"[Rr]emove `effects_by`"):
        fit_rule(
            fit_complier_effect, finished, tmp_path, {**MODEL, "effects_by": "girl"},
            sample=sample, taken_up="took_up",
        )  # fmt: skip
    assert not (tmp_path / "estimates.csv").exists()
