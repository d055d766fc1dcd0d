"""The rule of multilevel models writes what the library's fit says."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd
import pytest

from fit_multilevel import main as fit_multilevel
from schooltrial.models.multilevel.two_level import fit_two_level_frame
from support.fitted_models import fit_rule
from support.small_trial import SmallTrial


@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite"])
def test_the_rows_are_those_of_the_librarys_fit_to_the_sample(
    finished: SmallTrial, tmp_path: Path, df: Literal["kenward-roger", "satterthwaite"]
) -> None:
    model = {"estimator": "multilevel", "blocks": "none", "df": df, "confidence_level": 0.9}
    rows, told = fit_rule(fit_multilevel, finished, tmp_path, model)
    pupils = pd.read_parquet(finished.path("sample.parquet")).query("year == 2020")
    assert rows["outcome"].tolist() == list(told) == ["maths", "reading"]
    for row in rows.itertuples():
        outcome = str(row.outcome)
        fit = fit_two_level_frame(
            pupils, outcome=outcome, fixed=["treated", "girl"], school="school"
        )
        (mine,) = fit.estimates(["treated"], df=df, level=0.9)
        found = [row.estimate, row.std_error, row.df, row.p_value, row.conf_low, row.conf_high]
        assert found == pytest.approx(
            [mine.estimate, mine.std_error, mine.df, mine.p_value, mine.conf_low, mine.conf_high],
            rel=1e-8,
        )
        assert list(told[outcome]["variances"]) == [one.level for one in fit.variance_components]


def test_blocks_are_effects_of_their_own_or_a_level(finished: SmallTrial, tmp_path: Path) -> None:
    levels = {}
    for blocks in ("fixed", "random"):
        model = {"estimator": "multilevel", "blocks": blocks}
        _, told = fit_rule(fit_multilevel, finished, tmp_path, model)
        levels[blocks] = len(told["maths"]["variances"])
    assert levels == {"fixed": 2, "random": 3}
