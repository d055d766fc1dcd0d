"""The scripts of the draw and of its check, for teachers and pupils whose columns are not named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

from check_assignment import Sections
from check_assignment import main as check_assignment
from draw_assignment import main as draw_assignment
from schooltrial.protocol.content.sections import Design
from schooltrial.randomisation.frame import read_frame
from support.sections import completed, design

NUMBERS = [f"{at:03d}" for at in range(1, 13)]
SCHOOLS = ["01", "02"] * 6


def _design(unit: str, **draw: Any) -> Design:
    """Return a design whose draw has no columns but those that are given."""
    made: Any = design(unit=unit, randomisation={"seed": 5, "date": "2024-05-01"})
    for column in ("unit_column", "block_column"):
        del made["randomisation"][column]
    made["randomisation"] |= draw
    return cast(Design, made)


def _sections(design: Design) -> Sections:
    """Return the sections of a trial of this design, with a score before it began."""
    content = completed({
        "study": {"name": "s", "title": "A trial", "seed": 0},
        "design": design,
        "years": {"baseline": [2019], "programme": [2020]},
        "tables": {},
        "outcomes": {"score": {"label": "Score", "family": "f", "primary": False}},
        "models": {},
        "balance": {"pupil_variables": ["score"]},
        "checks": {"alpha": 0.01, "redraws": 500},
    })  # fmt: skip
    content["design"] = design
    return content


def _drawn(folder: Path, design: Design) -> pd.DataFrame:
    frame = pd.DataFrame({design["unit"]: NUMBERS, "school": SCHOOLS})
    frame.to_csv(folder / "frame.csv", index=False)
    draw_assignment(
        frame=str(folder / "frame.csv"), design=design, study="s",
        record=str(folder / "record.json"), listing=str(folder / "list.csv"),
        drawn=str(folder / "drawn.txt"),
    )  # fmt: skip
    return pd.read_csv(folder / "list.csv", dtype="str")


def _checked(folder: Path, listed: pd.DataFrame, design: Design) -> dict[str, Any]:
    unit = design["unit"]
    listed.to_parquet(folder / "assignment.parquet")
    sample = listed.assign(school=SCHOOLS, year=2019, score=range(12), cluster=listed[unit])
    sample["pupil"] = listed[unit]
    sample["treated"] = (sample["arm"] == "programme").astype(float)
    sample.to_parquet(folder / "sample.parquet")
    pd.DataFrame({"school": ["01", "02"]}).to_parquet(folder / "schools.parquet")
    empty = pd.DataFrame(columns=["teacher", "school", "pupil", "year", "outcome", "arm"])
    for name in ("scores", "panel", "teachers"):
        empty.to_parquet(folder / f"{name}.parquet")
    check_assignment(
        assignment=str(folder / "assignment.parquet"), protocol=_sections(design), labels={},
        groups={}, check=str(folder / "check.csv"), sample=str(folder / "sample.parquet"),
        schools=str(folder / "schools.parquet"), frame=str(folder / "frame.csv"),
        scores=str(folder / "scores.parquet"), panel=str(folder / "panel.parquet"),
        teachers=str(folder / "teachers.parquet"), record=str(folder / "record.json"),
        tests=str(folder / "tests.csv"), units=str(folder / "units.csv"),
        distances=str(folder / "distances.csv"),
        verdict=str(folder / "verdict.json"),
    )  # fmt: skip
    told: dict[str, Any] = json.loads((folder / "verdict.json").read_text("utf-8"))
    return told


@pytest.mark.parametrize("draw", [{}, {"unit_column": None, "block_column": None}])
@pytest.mark.parametrize("unit", ["teacher", "pupil"])
def test_people_are_drawn_inside_schools_and_their_list_is_reproduced(
    tmp_path: Path, unit: str, draw: dict[str, Any]
) -> None:
    design = _design(unit, **draw)
    listed = _drawn(tmp_path, design)
    assert listed[unit].tolist() == NUMBERS  # leading zeros are kept
    assert listed["block"].tolist() == SCHOOLS
    assert listed.groupby("block")["arm"].value_counts().tolist() == [3, 3, 3, 3]
    assert f"12 units of assignment ({unit}) were drawn: 6 control, 6 programme" in (
        tmp_path / "drawn.txt"
    ).read_text("utf-8")
    told = _checked(tmp_path, listed, design)
    assert told["verdict"] == "reproduced from its seed"
    assert told["believed"]
    tests = pd.read_csv(tmp_path / "tests.csv").set_index("check")["verdict"]
    for check in ("frame of the record", "randomisation reproduced", "list equals the record"):
        assert tests[check] == "passed"
    check = pd.read_csv(tmp_path / "check.csv", dtype="str")
    assert check[["block", "n_units"]].to_numpy().tolist() == [["01", "6"], ["02", "6"]]


@pytest.mark.parametrize("unit", ["teacher", "pupil"])
def test_two_people_who_changed_places_are_named(tmp_path: Path, unit: str) -> None:
    design = _design(unit)
    listed = _drawn(tmp_path, design)
    rows = listed[listed["block"] == "02"].drop_duplicates("arm").index
    listed.loc[rows, "arm"] = listed.loc[rows[::-1], "arm"].to_numpy()
    told = _checked(tmp_path, listed, design)
    assert told["verdict"] == "contradicted"
    assert told["units_contradicted"] == listed.loc[rows, unit].tolist()
    check = pd.read_csv(tmp_path / "check.csv", dtype="str").set_index("block")["verdict"]
    assert check["01"] == "both groups present"
    assert check["02"].startswith(f"not as drawn: {', '.join(listed.loc[rows, unit])}; ")


def test_numbers_of_people_and_schools_are_read_as_text(tmp_path: Path) -> None:
    (tmp_path / "frame.csv").write_text("pupil,school,score\n007,01,3\n", "utf-8")
    frame = read_frame(str(tmp_path / "frame.csv"), _design("pupil"))
    assert frame.to_numpy().tolist() == [["007", "01", 3]]
