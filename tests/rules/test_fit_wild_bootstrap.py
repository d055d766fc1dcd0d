"""The rule of the wild bootstrap: the effect of least squares, with its own test."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fit_wild_bootstrap import main as fit_wild_bootstrap
from support.fitted_models import fit_rule
from support.small_trial import SmallTrial

MODEL = {"estimator": "wild_bootstrap", "replications": 1000}


def test_the_effect_is_that_of_least_squares_and_the_interval_inverts_the_test(
    finished: SmallTrial, tmp_path: Path
) -> None:
    rows, _ = fit_rule(fit_wild_bootstrap, finished, tmp_path, MODEL, seed=7)
    clustered = pd.read_csv(finished.path("estimates.csv"))
    clustered = clustered[clustered["model"] == "itt"]
    assert rows["outcome"].tolist() == clustered["outcome"].tolist() == ["maths", "reading"]
    assert rows["estimate"].tolist() == pytest.approx(clustered["estimate"].tolist(), rel=1e-8)
    for row in rows.itertuples():
        assert 0 < row.p_value <= 1
        assert row.conf_low < row.estimate < row.conf_high
        assert (row.conf_low <= 0 <= row.conf_high) == (row.p_value >= 0.05)


def test_the_same_seed_writes_the_same_bytes(finished: SmallTrial, tmp_path: Path) -> None:
    written = []
    for _ in range(2):
        fit_rule(fit_wild_bootstrap, finished, tmp_path, MODEL, seed=7)
        written.append((tmp_path / "estimates.csv").read_bytes())
    assert written[0] == written[1]
