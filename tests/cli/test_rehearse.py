"""Claims about ``schooltrial rehearse``."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from schooltrial.cli.main import main


@pytest.mark.slow
def test_a_rehearsal_is_stamped_lies_apart_and_shows_another_effect_and_seals_nothing(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["rehearse", str(trial), "--cores", "1"]) == 0
    told = capfd.readouterr().out
    assert "REHEARSAL, groups re-randomised, no result" in told
    assert "The plan is not recorded yet" in told
    results = trial.parent / "results" / "my_trial_rehearsal"
    assert not (trial.parent / "results" / "my_trial").exists()
    for page in ("report.html", "summary.html", "data_quality.html", "monitoring.html"):
        text = (results / "report" / page).read_text("utf-8")
        assert "REHEARSAL, groups re-randomised, no result" in text, page
    assert json.loads((results / "checks" / "plan_first.json").read_text("utf-8")) == {}
    listed = pd.read_csv(trial.parent / "schools.csv", dtype=str)
    drawn = pd.read_parquet(results / "data" / "assignment.parquet")
    drawn = drawn.set_index("school").loc[listed["school"]]
    assert list(drawn["arm"]) != list(listed["arm"])
    assert sorted(drawn["arm"]) == sorted(listed["arm"])


@pytest.mark.slow
def test_before_outcomes_exist_they_are_simulated_and_every_page_says_so(
    trial: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (trial.parent / "pupils_2025.csv").unlink()
    assert main(["rehearse", str(trial), "--cores", "1"]) == 0
    told = capfd.readouterr().out
    assert "pupils_2025.csv is not in the folder: outcomes were simulated" in told
    results = trial.parent / "results" / "my_trial_rehearsal"
    for page in ("report.html", "summary.html", "data_quality.html", "monitoring.html"):
        text = (results / "report" / page).read_text("utf-8")
        assert "REHEARSAL, groups re-randomised and outcomes simulated, no result" in text, page
    scores = pd.read_parquet(results / "data" / "scores.parquet")
    assert (scores["year"] == 2025).sum() == (scores["year"] == 2024).sum() > 400
    estimates = pd.read_csv(results / "estimates" / "estimates.csv")
    assert estimates["estimate"].notna().all()


@pytest.mark.slow
def test_arms_of_a_design_with_a_balance_criterion_are_drawn_by_it(trial: Path) -> None:
    listed = pd.read_csv(trial.parent / "schools.csv", dtype=str)
    listed["size"] = range(len(listed))
    listed[["school", "size"]].to_csv(trial.parent / "eligible.csv", index=False)
    draw = "{eligible_list: eligible.csv, balance_on: [size], acceptance_rate: 0.1}"
    plan = trial.read_text("utf-8")
    trial.write_text(
        plan.replace("kind: complete\n", f"kind: complete\n  randomisation: {draw}\n"), "utf-8"
    )
    assert main(["rehearse", str(trial), "--cores", "1"]) == 0
    results = trial.parent / "results" / "my_trial_rehearsal"
    drawn = pd.read_parquet(results / "data" / "assignment.parquet").set_index("school")["arm"]
    sizes = listed.set_index("school")["size"].groupby(drawn.astype(str)).mean()
    assert sizes.max() - sizes.min() < 1  # of sizes from 0 to 23
    verdict = json.loads((results / "checks" / "assignment_verdict.json").read_text("utf-8"))
    assert verdict["believed"]
