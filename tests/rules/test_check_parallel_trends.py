"""The rule that tries panel models under other trends, on the cells of a small trial."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from check_parallel_trends import main as check_parallel_trends
from schooltrial.checks.written_tables import read_check
from schooltrial.report.tables.parallel_trends import parallel_trends_sentences
from support.small_trial import SmallTrial


def test_a_panel_model_is_tried_and_what_cannot_be_is_said(
    finished: SmallTrial, tmp_path: Path
) -> None:
    content = finished.read().content
    models = {
        name: {**model, "role": "primary"}
        for name, model in content["models"].items()
        if model["estimator"] == "difference_in_differences"
    }
    assert models
    settings = {**content["checks"]["parallel_trends"], "placebo_draws": 100}
    check_parallel_trends(
        sample=finished.path("sample.parquet"), panel=finished.path("panel.parquet"),
        bounded=finished.path("bounded.parquet"), schools=finished.path("schools.parquet"),
        school_sample=finished.path("school_sample.parquet"),
        study="small", models=models, outcomes=content["outcomes"],  # type: ignore[arg-type]
        years=content["years"], settings=settings, seed=1,  # type: ignore[arg-type]
        check=str(tmp_path / "check.csv"), placebos=str(tmp_path / "placebos.csv"),
    )  # fmt: skip
    found = read_check(tmp_path / "check.csv")
    fitted = found[found["check"] == "as fitted"]
    estimates = pd.read_csv(finished.path("estimates.csv"))
    row = estimates[estimates["model"].isin(models) & (estimates["estimand"] == "ATT")].iloc[0]
    assert fitted["estimate"].iloc[0] == pytest.approx(row["estimate"])
    assert found[found["estimate"].isna()]["note"].notna().all()
    placebo = found[found["check"] == "placebo cohort"]
    assert placebo["note"].str.contains("none would be left to compare with").all()
    assert pd.read_csv(tmp_path / "placebos.csv").empty  # half of the schools are treated
    assert len(parallel_trends_sentences(found, {})) == len(fitted)
