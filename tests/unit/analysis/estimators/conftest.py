"""A plan for one outcome, and cells of schools over four years."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.fitting import PlannedModel
from schooltrial.protocol.content.sections import Model, Outcome
from schooltrial.protocol.form.schema_validation import with_defaults
from support.small_trial import schema

Plan = Callable[..., PlannedModel]


@pytest.fixture
def plan(model: Callable[..., Model]) -> Plan:
    """Return a function that plans a model of the outcome ``score``."""

    def make(**keys: Any) -> PlannedModel:
        node = schema()["properties"]["outcomes"]["additionalProperties"]
        outcome: Outcome = with_defaults({"label": "", "family": ""}, node, schema())
        return PlannedModel("study", "m", model(**keys), {"score": outcome})

    return make


@pytest.fixture
def cells() -> pd.DataFrame:
    """Return cells of 16 schools in 4 years, of which half begin in 2021 or 2022."""
    rng = np.random.default_rng(5)
    school, year = np.repeat(np.arange(16), 4), np.tile(np.arange(2019, 2023), 16)
    begins = np.array([np.inf, np.inf, 2021, 2022])[school % 4]
    active = (year >= begins).astype(float)
    return pd.DataFrame(
        {
            "school": [f"S{at:02d}" for at in school],
            "year": year,
            "outcome": "score",
            "arm": np.where(np.isfinite(begins), "programme", "control"),
            "treated": np.isfinite(begins).astype(float),
            "cohort": np.where(np.isfinite(begins), begins, np.nan),
            "mean": rng.normal(0, 1, 64) + active,
            "n_pupils": 20.0,
        }
    )
