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
from schooltrial.protocol.content.sections import analysis_years, labels
from schooltrial.study.report_files import CHECKS
from support.small_trial import SmallTrial


def write_checks(trial: SmallTrial, folder: Path) -> list[str]:
    """Run every script whose check the report shows, after `fit`; return the files."""
    content = trial.read().content
    names = labels(content)
    path = {Path(name).stem: str(folder / name) for name in CHECKS}
    for name in ("flow", "mobility", "cleaning_log", "raw_files"):
        Path(path[name]).write_bytes(Path(trial.path(f"{name}.csv")).read_bytes())
    boxes = str(folder / "flow_boxes.csv")
    tables = ("assignment", "sample", "panel")
    files: dict[str, Any] = {name: trial.path(f"{name}.parquet") for name in tables}
    teachers = trial.path("teacher_sample.parquet")
    schools, scores = trial.path("schools.parquet"), trial.path("scores.parquet")
    bounded = trial.path("bounded.parquet")
    check_assignment.main(
        protocol=content, labels=names, **files, schools=schools, scores=scores, teachers=teachers,
        check=path["assignment"], tests=path["assignment_tests"], units=path["assignment_units"],
        verdict=path["assignment_verdict"], distances=path["assignment_distances"],
        groups={arm["name"]: arm["label"] for arm in content["design"]["arms"]},
    )  # fmt: skip
    check_balance.main(
        protocol=content, labels=names, **files, schools=schools, teachers=teachers,
        check=path["balance"], omnibus=path["balance_omnibus"], pretrends=path["pretrends"],
        equivalence=path["equivalence"], school_sample=trial.path("school_sample.parquet"),
    )  # fmt: skip
    check_attrition.main(
        protocol=content, **files, analysis_years=analysis_years(content), teacher_sample=teachers,
        scores=scores, observations=trial.path("observations.parquet"), bounded=bounded,
        schools=schools, rosters=trial.path("pupils.parquet"),
        staff=trial.path("teachers.parquet"), attrition=path["attrition"],
        who_left=path["who_left"], missing_outcomes=path["missing_outcomes"],
    )  # fmt: skip
    check_flow.main(
        protocol=content, labels=names, **files, arms=content["design"]["arms"],
        flow=path["flow"], attrition=path["attrition"], schools=schools, teacher_sample=teachers,
        bounded=bounded, check=boxes, text=path["flow_text"],
        linking=trial.path("linking.csv"),
    )  # fmt: skip
    fitted: dict[str, Any] = {
        "estimates": trial.path("estimates.csv"), "diagnostics": trial.path("diagnostics.json"),
    }  # fmt: skip
    check_power.main(
        protocol=content, **files, **fitted, teacher_sample=teachers, check=path["power"],
        school_sample=trial.path("school_sample.parquet"),
    )  # fmt: skip
    codebook = str(folder / "codebook.csv")
    pd.DataFrame([("pupils", "grade", "Grade", "number", "3; 4; 5")], columns=[
        "table", "variable", "label", "type", "values",
    ]).to_csv(codebook, index=False)  # fmt: skip
    check_rating.main(
        protocol=content, **fitted, attrition=path["attrition"], balance=path["balance"],
        equivalence=path["equivalence"], power=path["power"],
        assignment=path["assignment_verdict"], boxes=boxes,
        units=path["assignment_units"], mobility=path["mobility"], codebook=codebook,
        verdict=path["verdict"],
    )  # fmt: skip
    record_plan.main(
        protocol=content, models_to_come={}, study=trial.study(),
        first=trial.path("plan_first.json"), plan=path["plan"],
        study_file=str(folder / "study.json"),
    )  # fmt: skip
    json.loads(Path(path["verdict"]).read_text("utf-8"))
    return list(path.values())
