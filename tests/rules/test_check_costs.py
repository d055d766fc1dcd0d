"""The rule of costs writes what the programme costs for the pupils whom it reached."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from check_costs import main as check_costs
from schooltrial.protocol.content.sections import Costs
from support.small_trial import SmallTrial

SETTINGS: Costs = {
    "currency": "GBP", "price_year": 2024, "years": 1, "pupils": None, "gbp_rate": None,
    "usual_practice": None,
}  # fmt: skip


def test_the_cost_per_pupil_is_over_the_programmes_pupils_of_the_sample(
    finished: SmallTrial, tmp_path: Path
) -> None:
    content = finished.read().content
    pd.DataFrame({
        "ingredient": ["coaching", "books"], "quantity": [4.0, 80.0], "unit_cost": [300.0, 5.0],
    }).to_parquet(tmp_path / "costs.parquet")  # fmt: skip
    check_costs(
        costs=str(tmp_path / "costs.parquet"), sample=finished.path("sample.parquet"),
        settings=SETTINGS, arms=content["design"]["arms"], during=content["years"]["programme"],
        check=str(tmp_path / "costs.csv"),
    )  # fmt: skip
    rows = pd.read_csv(tmp_path / "costs.csv")
    assert rows["ingredient"].tolist() == ["coaching", "books", "all ingredients"]
    assert rows["total"].tolist() == [1200.0, 400.0, 1600.0]
    pupils = pd.read_parquet(finished.path("sample.parquet"))
    reached = ((pupils["arm"].astype("str") == "programme") & (pupils["year"] == 2020)).sum()
    assert rows["n_pupils"].tolist() == [reached] * 3 == [80] * 3
    assert rows["per_pupil_year"].tolist() == pytest.approx([15.0, 5.0, 20.0])
