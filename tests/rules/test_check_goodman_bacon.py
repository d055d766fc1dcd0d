"""The rule that decomposes two-way effects: of every panel model, and of none where none is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from check_goodman_bacon import main as check_goodman_bacon
from support.small_trial import SmallTrial


@pytest.mark.parametrize("design", ["staggered", "blocked"])
def test_a_staggered_design_has_rows_and_another_a_table_without_any(
    finished: SmallTrial, tmp_path: Path, design: str
) -> None:
    content = finished.read().content
    panel = pd.read_parquet(finished.path("panel.parquet"))
    entered = np.where(panel["treated"] == 1, 2020.0, np.nan)
    panel.assign(cohort=entered).to_parquet(tmp_path / "panel.parquet")
    outcomes = {
        name: {**outcome, "measured_on": "school"} for name, outcome in content["outcomes"].items()
    }
    check_goodman_bacon(
        sample=finished.path("sample.parquet"), panel=str(tmp_path / "panel.parquet"),
        bounded=finished.path("bounded.parquet"), schools=finished.path("schools.parquet"),
        school_sample=finished.path("school_sample.parquet"),
        study="small", design=design, models=content["models"], outcomes=outcomes,  # type: ignore[arg-type]
        years=content["years"], check=str(tmp_path / "check.csv"),
    )  # fmt: skip
    found = pd.read_csv(tmp_path / "check.csv")
    if design == "blocked":
        assert found.empty
        return
    assert set(found["model"]) == {"did"}
    assert found["kind"].tolist() == ["never treated"] * found["outcome"].nunique()
    assert found["weight"].tolist() == pytest.approx([1.0] * len(found))
