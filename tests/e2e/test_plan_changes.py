"""A plan that is changed after outcomes were read, as a run tells it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.clone import Clone

REPORT = "results/small_trial/report/report.html"


def test_a_plan_that_changes_after_outcomes_were_read_is_flagged_in_the_report(
    built_results: Path, new_clone: Callable[[], Clone]
) -> None:
    """What was read and estimated is that of another run; plan and report are made anew."""
    clone = new_clone()
    shutil.copytree(built_results, clone.results)
    anew = (REPORT, "--allowed-rules", "record_plan", "write_report", "--forcerun", "record_plan")
    protocol = clone.trial / "trial.yaml"
    original = protocol.read_bytes()
    protocol.write_bytes(original.replace(b"covariates: [girl]}\n  itt_cl", b"}\n  itt_cl"))
    assert protocol.read_bytes() != original
    run = clone.snakemake(*anew)
    assert run.code == 0, run.text
    page = (clone.results / "report/report.html").read_text("utf-8")
    assert "Warning: the plan was changed after outcomes were read (sections: models)." in page
    protocol.write_bytes(original)
    run = clone.snakemake(*anew)
    assert run.code == 0, run.text
    assert "the plan was changed" not in (clone.results / "report/report.html").read_text("utf-8")


@pytest.mark.slow
def test_a_plan_that_is_changed_after_a_run_was_killed_at_its_first_model_is_flagged(
    new_clone: Callable[[], Clone],
) -> None:
    """The one model is all that the run is asked for: it is killed before any are gathered."""
    clone = new_clone()
    protocol = clone.trial / "trial.yaml"
    model = clone.results / "estimates/models/itt.csv"
    begun = clone.begun(
        "results/small_trial/estimates/models/itt.csv", "--config", f"protocols={protocol}"
    )
    while begun.poll() is None and not model.exists():
        time.sleep(0.001)
    os.killpg(begun.pid, signal.SIGKILL)
    text, _ = begun.communicate()
    assert model.exists(), text
    assert not (clone.results / "estimates/estimates.csv").exists()
    protocol.write_text(
        protocol.read_text().replace("covariates: [girl]}\n  itt_cl", "}\n  itt_cl")
    )
    assert clone.snakemake("results/small_trial/checks/plan.json").code == 0
    plan = json.loads((clone.results / "checks/plan.json").read_text("utf-8"))
    assert plan["changed"] == ["models"]


@pytest.mark.slow
def test_a_plan_that_is_corrected_before_any_estimate_is_not_flagged(
    new_clone: Callable[[], Clone],
) -> None:
    clone = new_clone()
    protocol = clone.trial / "trial.yaml"
    assert clone.snakemake("results/small_trial/data/sample.parquet").code == 0
    protocol.write_text(
        protocol.read_text().replace("covariates: [girl]}\n  itt_cl", "}\n  itt_cl")
    )
    assert clone.snakemake("results/small_trial/checks/plan.json").code == 0
    plan = json.loads((clone.results / "checks/plan.json").read_text("utf-8"))
    assert plan["changed"] == []
    assert plan["first"] == plan["now"]
