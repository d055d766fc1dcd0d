"""Every estimator fits those who lack a covariate as if their indicator had been read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.estimators.randomisation_inference import Lottery
from schooltrial.analysis.estimators.registry import ESTIMATORS
from schooltrial.randomisation.criterion import CriterionKnown

NUMBERS = ["estimate", "std_error", "p_value", "conf_low", "conf_high"]
NEEDED: dict[str, dict[str, Any]] = {
    "multilevel": {}, "cluster_robust": {}, "wild_bootstrap": {"seed": 1},
    "complier_effect": {"taken_up": "took"},
    "randomisation_inference": {
        "seed": 1, "lottery": Lottery(("control", "programme"), False, CriterionKnown(None)),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", list(NEEDED))
def test_a_missing_value_is_one_more_indicator_and_the_note_counts_it(
    name: str, plan: Callable[..., Any], sample: pd.DataFrame
) -> None:
    rows = sample.assign(took=sample["treated"] * (np.arange(len(sample)) % 3 > 0))
    rows.loc[::7, "age"] = np.nan
    rows.loc[::11, "sector"] = None
    lacks = {f"lacks_{name}": rows[name].isna().astype(float) for name in ("age", "sector")}
    by_hand = rows.assign(
        **lacks,
        age=rows["age"].fillna(-3.0),
        religious=(rows["sector"] == "Religious").astype(float),
        secular=(rows["sector"] == "Secular").astype(float),
    )
    fit, needed = ESTIMATORS[name].fit, NEEDED[name]
    keys = {"estimator": name, "replications": 199, "blocks": "none"}
    found = fit(plan(**keys, covariates=["age", "sector"]), rows, **needed)
    terms = ["age", "lacks_age", "religious", "secular", "lacks_sector"]
    expected = fit(plan(**keys, covariates=terms), by_hand, **needed)
    told, wanted = found.table, expected.table
    assert told["n_individuals"].tolist() == [240] * len(told)
    np.testing.assert_allclose(told[NUMBERS], wanted[NUMBERS], rtol=1e-6, atol=1e-9)
    count = "kept with an indicator of missing: age 35, sector 22"
    assert told["note"].str.contains(count, regex=False).all()
    assert found.diagnostics["score"]["indicated"] == {"age": 35, "sector": 22}


def test_who_has_no_record_of_take_up_is_left_out_and_counted(
    plan: Callable[..., Any], sample: pd.DataFrame
) -> None:
    rows = sample.assign(took=sample["treated"] * (np.arange(len(sample)) % 3 > 0))
    rows.loc[[0, 1, 2], "took"] = np.nan
    asked = plan(estimator="complier_effect", blocks="none")
    fitted = ESTIMATORS["complier_effect"].fit(asked, rows, taken_up="took")
    assert fitted.diagnostics["score"]["incomplete"] == {"took": 3}
    assert set(fitted.table["n_individuals"]) == {237}
