"""Claims about ``schooltrial rehearse``."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from schooltrial.cli.main import main


def test_a_rehearsal_is_stamped_lies_apart_and_shows_another_effect_and_seals_nothing(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["rehearse", str(trial), "--cores", "1"]) == 0
    told = capfd.readouterr().out
    assert "REHEARSAL, arms re-randomised, no result" in told
    assert "The plan is not recorded yet" in told
    results = trial.parent / "results" / "my_trial_rehearsal"
    assert not (trial.parent / "results" / "my_trial").exists()
    for page in ("report.html", "summary.html", "data_quality.html", "monitoring.html"):
        text = (results / "report" / page).read_text("utf-8")
        assert "REHEARSAL, arms re-randomised, no result" in text, page
    assert json.loads((results / "checks" / "plan_first.json").read_text("utf-8")) == {}
    listed = pd.read_csv(trial.parent / "schools.csv", dtype=str)
    drawn = pd.read_parquet(results / "data" / "assignment.parquet")
    drawn = drawn.set_index("school").loc[listed["school"]]
    assert list(drawn["arm"]) != list(listed["arm"])
    assert sorted(drawn["arm"]) == sorted(listed["arm"])
