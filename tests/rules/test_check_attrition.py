"""From assignment and sample to the three tables and the figure, as the rules call them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from check_attrition import main as check_attrition
from draw_attrition_boundary import main as draw_attrition_boundary
from schooltrial.protocol.content.sections import Content, Outcome, StudyLine
from support.sections import ARMS, completed, design
from support.standard_study import outcome

OUTCOMES = {"maths": outcome(label="Maths", range=[-9, 9])}
STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}


def protocol(
    outcomes: dict[str, Outcome],
    balance: dict[str, Any] | None = None,
    no_data: dict[str, int] | None = None,
) -> Content:
    return completed({
        "study": {"name": "s", "title": "A trial", "seed": 0},
        "design": design(kind="complete", no_data=no_data or {}),
        "years": {"baseline": [2018], "programme": [2019]},
        "tables": {}, "outcomes": outcomes, "models": {}, "balance": balance or {},
    })  # fmt: skip


def test_the_scripts_write_what_their_rules_name(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    schools = [f"S{at}" for at in range(12)]
    arms = ["control", "programme"] * 6
    pd.DataFrame({"school": schools, "arm": arms}).to_parquet(tmp_path / "assignment.parquet")
    pd.DataFrame({"school": schools}).to_parquet(tmp_path / "schools.parquet")
    then = pd.DataFrame({"school": np.repeat(schools, 10), "year": 2018})
    then["pupil"] = [f"p{at}" for at in range(len(then))]
    then["arm"] = np.repeat(arms, 10)
    then["maths"] = rng.normal(size=len(then))
    later = then.assign(year=2019)[rng.random(len(then)) < 0.8]
    pd.concat([then, later], ignore_index=True).to_parquet(tmp_path / "sample.parquet")
    empty = pd.DataFrame(columns=["teacher", "school", "outcome", "year", "arm"])
    for name in (
        "teacher_sample",
        "observations",
        "school_panel",
        "bounded_cells",
        "pupils",
        "teachers",
    ):
        empty.to_parquet(tmp_path / f"{name}.parquet")
    marks = later[["pupil", "year"]].assign(outcome="maths", value=later["maths"])
    marks.to_parquet(tmp_path / "scores.parquet")
    paths: Any = {
        name: str(tmp_path / f"{name}.csv")
        for name in ("attrition", "who_left", "missing_outcomes")
    }
    check_attrition(
        assignment=str(tmp_path / "assignment.parquet"),
        sample=str(tmp_path / "sample.parquet"),
        teacher_sample=str(tmp_path / "teacher_sample.parquet"),
        scores=str(tmp_path / "scores.parquet"),
        observations=str(tmp_path / "observations.parquet"),
        panel=str(tmp_path / "school_panel.parquet"),
        bounded=str(tmp_path / "bounded_cells.parquet"),
        schools=str(tmp_path / "schools.parquet"),
        rosters=str(tmp_path / "pupils.parquet"),
        staff=str(tmp_path / "teachers.parquet"),
        protocol=protocol(OUTCOMES, balance={"pupil_variables": ["maths"]}),
        analysis_years=[2019],
        **paths,
    )
    counted = pd.read_csv(paths["attrition"])
    pupils = counted[(counted["kind"] == "lost") & (counted["level"] == "pupils")].iloc[0]
    assert pupils["n_control"] + pupils["n_treated"] == len(then)
    assert pupils["count_control"] + pupils["count_treated"] == len(then) - len(later)
    assert "treated:maths" in set(pd.read_csv(paths["who_left"])["term"])
    assert pd.read_csv(paths["missing_outcomes"])["converged"].all()
    files = {kind: str(tmp_path / f"figure.{kind}") for kind in ("svg", "pdf", "png", "csv", "txt")}
    draw_attrition_boundary(
        attrition=paths["attrition"], outcomes=OUTCOMES, arms=ARMS, analysis_years=[2019],
        boundary="cautious", unit="school", study=STUDY, **files,
    )  # fmt: skip
    assert all(Path(path).stat().st_size > 0 for path in files.values())


def test_a_study_of_published_rates_has_an_attrition_of_schools_and_nothing_else(
    tmp_path: Path,
) -> None:
    schools = [f"S{at}" for at in range(12)]
    arms = ["control", "programme"] * 6
    pd.DataFrame({"school": schools, "arm": arms}).to_parquet(tmp_path / "assignment.parquet")
    pd.DataFrame({"school": schools}).to_parquet(tmp_path / "schools.parquet")
    cells = pd.DataFrame({"school": schools[:9], "year": 2019, "outcome": "maths", "mean": 50.0})
    cells.to_parquet(tmp_path / "school_panel.parquet")
    cells[:1].assign(school="S10").to_parquet(tmp_path / "bounded_cells.parquet")
    outcomes: Any = {"maths": {**OUTCOMES["maths"], "measured_on": "school"}}
    nobody = pd.DataFrame(columns=["pupil", "teacher", "school", "outcome", "value", "year", "arm"])
    for name in ("sample", "teacher_sample", "scores", "observations", "pupils", "teachers"):
        nobody.to_parquet(tmp_path / f"{name}.parquet")
    paths: Any = {
        n: str(tmp_path / f"{n}.csv") for n in ("attrition", "who_left", "missing_outcomes")
    }
    check_attrition(
        assignment=str(tmp_path / "assignment.parquet"), sample=str(tmp_path / "sample.parquet"),
        teacher_sample=str(tmp_path / "teacher_sample.parquet"),
        scores=str(tmp_path / "scores.parquet"),
        observations=str(tmp_path / "observations.parquet"),
        panel=str(tmp_path / "school_panel.parquet"),
        bounded=str(tmp_path / "bounded_cells.parquet"),
        schools=str(tmp_path / "schools.parquet"),
        rosters=str(tmp_path / "pupils.parquet"), staff=str(tmp_path / "teachers.parquet"),
        protocol=protocol(outcomes, no_data={"programme": 1}), analysis_years=[2019], **paths,
    )  # fmt: skip
    (row,) = pd.read_csv(paths["attrition"]).to_dict("records")
    assert (row["level"], row["n_control"], row["n_treated"]) == ("schools", 6, 7)
    assert (row["count_control"], row["count_treated"]) == (1, 3)
    assert "published as a bound or a range, counted as lost: 1" in row["note"]
    assert "no data received: 1" in row["note"]
    files = {kind: str(tmp_path / f"figure.{kind}") for kind in ("svg", "pdf", "png", "csv", "txt")}
    draw_attrition_boundary(
        attrition=paths["attrition"], outcomes=outcomes, arms=ARMS, analysis_years=[2019],
        boundary="cautious", unit="school", study=STUDY, **files,
    )  # fmt: skip
    (point,) = pd.read_csv(files["csv"], comment="#").to_dict("records")
    assert (point["level"], point["outcome_label"]) == ("schools", "Maths")
    assert point["overall"] == pytest.approx(100 * row["overall"])
    assert pd.read_csv(paths["who_left"]).empty
    assert pd.read_csv(paths["missing_outcomes"]).empty
