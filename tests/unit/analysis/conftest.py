"""A model as the protocol declares it, and pupils to fit it to."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.protocol.content.sections import Model
from schooltrial.protocol.form.schema_validation import with_defaults
from support.small_trial import schema

PUPILS = 240


@pytest.fixture
def model() -> Callable[..., Model]:
    """Return a function that makes a model with the schema's defaults."""

    def make(**keys: Any) -> Model:
        node = schema()["properties"]["models"]["additionalProperties"]
        stated = {"label": "", "estimator": "cluster_robust", "outcomes": ["score"], **keys}
        made: Model = with_defaults(stated, node, schema())
        return made

    return make


@pytest.fixture
def sample() -> pd.DataFrame:
    """Return pupils of 12 schools in 2 years, with categories, numbers and missing cells."""
    rng = np.random.default_rng(3)
    school = np.repeat(np.arange(12), PUPILS // 12)
    treated = (school % 2).astype(float)
    halves, sectors = ["lower", "upper"], ["Arab", "Religious", "Secular"]
    return pd.DataFrame(
        {
            "pupil": [f"P{at}" for at in range(PUPILS)],
            "school": [f"S{at}" for at in school],
            "cluster": [f"S{at}" for at in school],
            "block": [f"{at // 4 + 1}" for at in school],
            "arm": np.where(treated == 1, "programme", "control"),
            "treated": treated,
            "year": pd.array(rng.integers(2019, 2021, PUPILS), dtype="Int64"),
            "half": pd.Categorical(rng.choice(halves, PUPILS), categories=halves),
            "sector": pd.Categorical(rng.choice(sectors, PUPILS), categories=sectors),
            "girl": rng.integers(0, 2, PUPILS).astype(float),
            "age": rng.normal(10, 1, PUPILS),
            "score": rng.normal(0, 1, PUPILS),
            "passed": rng.integers(0, 2, PUPILS).astype(float),
        }
    )
