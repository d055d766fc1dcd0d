"""The checks that a report shows, made for the small trial by the rules' own scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

import check_assignment
import check_attrition
import check_balance
import check_flow
import check_power
import check_rating
import record_plan
from schooltrial.protocol.sections import analysis_years, balance_variables, baseline_year, labels
from schooltrial.study.report_files import CHECKS
from support.small_trial import SmallTrial


def write_checks(trial: SmallTrial, folder: Path) -> list[str]:
    """Run every script whose check the report shows, after `fit`; return the files."""
    content = trial.read().content
    path = {Path(name).stem: str(folder / name) for name in CHECKS}
    for name in ("flow", "mobility", "cleaning_log", "raw_files"):
        Path(path[name]).write_bytes(Path(trial.path(f"{name}.csv")).read_bytes())
    teachers = str(folder / "teacher_sample.parquet")
    pd.DataFrame(columns=["teacher", "year", "arm"]).to_parquet(teachers)
    files: dict[str, Any] = {
        "assignment": trial.path("assignment.parquet"), "sample": trial.path("sample.parquet"),
    }  # fmt: skip
    _assignment_and_balance(content, files, path, trial, folder)
    _losses_and_flow(content, files, path, trial, folder, teachers)
    fitted: dict[str, Any] = {
        "estimates": trial.path("estimates.csv"), "diagnostics": trial.path("diagnostics.json"),
    }  # fmt: skip
    check_power.main(
        **files, **fitted, settings=content["power"], models=content["models"],
        outcomes=content["outcomes"], arms=content["design"]["arms"], unit="school",
        kind=content["design"]["kind"], baseline=baseline_year(content), check=path["power"],
    )  # fmt: skip
    check_rating.main(
        **fitted, attrition=path["attrition"], balance=path["balance"],
        power=path["power"], assignment=path["assignment_verdict"],
        boxes=str(folder / "flow_boxes.csv"), protocol=content, units=path["assignment_units"],
        analysis_years=analysis_years(content), baseline=baseline_year(content),
        verdict=path["verdict"],
    )  # fmt: skip
    record_plan.main(
        protocol=content, study=trial.study(), analysis_years=analysis_years(content),
        first=trial.path("plan_first.json"), plan=path["plan"],
        study_file=str(folder / "study.json"),
    )  # fmt: skip
    json.loads(Path(path["verdict"]).read_text("utf-8"))
    return list(path.values())


def _assignment_and_balance(
    content: dict[str, Any], files: dict[str, Any], path: dict[str, str], trial: SmallTrial,
    folder: Path,
) -> None:  # fmt: skip
    known: dict[str, Any] = {
        "arms": content["design"]["arms"], "design": content["design"],
        "schools": trial.path("schools.parquet"), "year": baseline_year(content),
        "before": content["years"]["before"], "seed": content["study"]["seed"],
        "thresholds": content["checks"],
    }  # fmt: skip
    check_assignment.main(
        **files, **known, kind=content["design"]["kind"], check=path["assignment"],
        variables=balance_variables(content), tests=path["assignment_tests"],
        units=path["assignment_units"], verdict=path["assignment_verdict"],
    )  # fmt: skip
    check_balance.main(
        **files, **known, settings=content["balance"], labels=labels(content),
        models=content["models"], outcomes=list(content["outcomes"]),
        check=path["balance"], omnibus=path["balance_omnibus"],
        pretrends=path["pretrends"],
    )  # fmt: skip


def _losses_and_flow(
    content: dict[str, Any], files: dict[str, Any], path: dict[str, str], trial: SmallTrial,
    folder: Path, teachers: str,
) -> None:  # fmt: skip
    cells: dict[str, Any] = {
        "panel": trial.path("panel.parquet"),
        "bounded": trial.path("bounded.parquet"),
    }
    check_attrition.main(
        **files, **cells, teacher_sample=teachers, scores=trial.path("scores.parquet"),
        observations=trial.path("observations.parquet"), teacher_covariates=[],
        outcomes=content["outcomes"], arms=content["design"]["arms"],
        years=content["years"], analysis_years=analysis_years(content),
        baseline=baseline_year(content), covariates=content["balance"]["pupil_variables"],
        unit="school", boundary="cautious", attrition=path["attrition"],
        who_left=path["who_left"], missing_outcomes=path["missing_outcomes"],
    )  # fmt: skip
    check_flow.main(
        **files, **cells, flow=path["flow"], teacher_sample=teachers,
        before=content["years"]["before"],
        schools=trial.path("schools.parquet"), design=content["design"],
        models=content["models"], outcomes=content["outcomes"], labels=labels(content),
        baseline=baseline_year(content), years=analysis_years(content), take_up=None,
        check=str(folder / "flow_boxes.csv"), text=path["flow_text"],
    )  # fmt: skip
