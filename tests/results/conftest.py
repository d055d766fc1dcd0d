"""The results under test: a folder given by the rule. Without one there is nothing to test."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

FOLDER = os.environ.get("SCHOOLTRIAL_RESULTS")
collect_ignore_glob = [] if FOLDER else ["test_*.py"]


@pytest.fixture(scope="session")
def results() -> Path:
    return Path(str(FOLDER))


@pytest.fixture(scope="session")
def estimates(results: Path) -> pd.DataFrame:
    return pd.read_csv(results / "estimates" / "estimates.csv")


@pytest.fixture(scope="session")
def sample(results: Path) -> pd.DataFrame:
    return pd.read_parquet(results / "data" / "sample.parquet")
