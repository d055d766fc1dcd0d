"""A list that was changed after a balanced draw: contradicted by name, and no step stops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from check_assignment import main as check_assignment
from check_balance import main as check_balance
from draw_assignment import main as draw_assignment
from fit_randomisation_inference import main as fit_randomisation_inference
from schooltrial.protocol.plan import PlanToRecord
from support.sections import completed, design, planned_model
from support.standard_study import outcome

ARMS: list[Any] = [
    {"name": "control", "label": "Control", "share": 0.5},
    {"name": "text", "label": "Text", "share": 0.25},
    {"name": "tutor", "label": "Tutor", "share": 0.25},
]
DRAW = {"seed": 5, "date": "2024-05-01", "balance_on": ["score"], "acceptance_rate": 0.02}
DESIGN = design(arms=ARMS, randomisation=DRAW)
MODEL: Any = planned_model(
    role="primary", estimator="randomisation_inference", outcomes=["score"],
    arms=["control", "text"], replications=300, label="",
)  # fmt: skip
OUTCOMES: Any = {"score": outcome()}
PROTOCOL = completed({
    "study": {"name": "s", "title": "A trial", "seed": 0},
    "design": DESIGN,
    "years": {"baseline": [2019], "programme": [2020]},
    "tables": {},
    "outcomes": {"score": {"label": "Score", "family": "f"}},
    "models": {},
    "balance": {"pupil_variables": ["score"], "school_variables": ["region"]},
    "checks": {"redraws": 300},
})  # fmt: skip


class Folder:
    """A trial of 24 schools in two blocks, drawn to be balanced on their scores."""

    def __init__(self, path: Path) -> None:
        rng = np.random.default_rng(3)
        self.path = path
        self.frame = pd.DataFrame({
            "school": [f"{at:03d}" for at in range(24)], "block": ["N", "S"] * 12,
            "score": rng.normal(size=24),
        })  # fmt: skip
        self.frame.to_csv(self.at("frame.csv"), index=False)
        draw_assignment(
            frame=self.at("frame.csv"),
            design=DESIGN,
            study="s",
            record=self.at("record.json"),
            listing=self.at("list.csv"),
            drawn=self.at("drawn.txt"),
        )
        self.listed = pd.read_csv(self.at("list.csv"), dtype="str")

    def at(self, name: str) -> str:
        return str(self.path / name)

    def swapped(self) -> list[str]:
        """Swap the best school in control with the worst of group text in a block; return both."""
        rows = self.listed.merge(self.frame, on=["school", "block"])
        rows = rows[rows["block"] == "N"].sort_values("score")
        one = rows["school"][rows["arm"] == "control"].iloc[-1]
        other = rows["school"][rows["arm"] == "text"].iloc[0]
        change = {one: "text", other: "control"}
        self.listed["arm"] = self.listed["school"].map(change).fillna(self.listed["arm"])
        return sorted([one, other])

    def run(self) -> dict[str, Any]:
        """Check the list and fit the model; return verdict, balance and estimates."""
        self.listed.to_parquet(self.at("assignment.parquet"))
        pupils = self.listed.merge(self.frame, on=["school", "block"])
        pupils = pd.concat([pupils.assign(pupil=f"{k}" + pupils["school"]) for k in range(3)])
        pupils["score"] += np.tile([0.1, 0, -0.1], 24)
        pupils["treated"] = (pupils["arm"] != "control").astype(float)
        pupils.assign(year=2019, cluster=pupils["school"]).to_parquet(self.at("sample.parquet"))
        schools = self.frame[["school"]].assign(region=["a", "b", "b"] * 8)
        schools.to_parquet(self.at("schools.parquet"))
        files: dict[str, Any] = {
            name: self.at(f"{name}.parquet") for name in ("sample", "assignment")
        }
        drawn: dict[str, Any] = {
            "frame": self.at("frame.csv"), "record": self.at("record.json"),
        }  # fmt: skip
        empty = pd.DataFrame(columns=["teacher", "school", "pupil", "year", "outcome", "arm"])
        for name in ("scores", "panel", "teachers"):
            empty.to_parquet(self.at(f"{name}.parquet"))
        known: dict[str, Any] = {
            name: self.at(f"{name}.parquet") for name in ("schools", "panel", "teachers")
        }
        check_assignment(
            protocol=PROTOCOL, labels={}, groups={}, **files, **drawn, **known,
            scores=self.at("scores.parquet"), check=self.at("check.csv"),
            tests=self.at("tests.csv"), units=self.at("units.csv"), verdict=self.at("verdict.json"),
            distances=self.at("distances.csv"),
        )  # fmt: skip
        check_balance(
            protocol=PROTOCOL, labels={}, **files, **drawn, **known, check=self.at("balance.csv"),
            omnibus=self.at("omnibus.csv"), pretrends=self.at("pretrends.csv"),
            school_sample=self.at("panel.parquet"), equivalence=self.at("equivalence.csv"),
        )  # fmt: skip
        fit_randomisation_inference(
            **files, **drawn, design=DESIGN, study="s", name="ri", model=MODEL, seed=1,
            outcomes=OUTCOMES, to_record=PlanToRecord(self.at("plan_first.json"), {}),
            estimates=self.at("ri.csv"), diagnostics=self.at("ri.json"),
            draws=self.at("ri.draws.csv"),
        )  # fmt: skip
        names = ("balance", "omnibus", "ri", "check")
        tables = {name: pd.read_csv(self.at(f"{name}.csv")) for name in names}
        return {**tables, "told": json.loads(Path(self.at("verdict.json")).read_text("utf-8"))}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_re_draws_of_an_honest_list_meet_its_criterion_two_arms_at_a_time(folder: Folder) -> None:
    found = folder.run()
    assert found["told"]["verdict"] == "reproduced from its seed"
    assert found["ri"]["method"][0].endswith("that meet the design's criterion of balance")
    assert found["ri"]["p_value"].notna().all()
    score = found["balance"][found["balance"]["variable"] == "score"]
    assert score["rerandomisation_p_value"].notna().all()
    # A draw is as balanced as all those that were acceptable, though no other draw would be.
    spread = found["balance"][found["balance"]["level"] == "pupil"]["adjusted_p_value"]
    assert (score["rerandomisation_p_value"] < spread).all()


def test_a_swap_is_contradicted_by_name_and_what_needs_the_criterion_is_left_out(
    folder: Folder,
) -> None:
    pair = folder.swapped()
    found = folder.run()
    assert found["told"]["verdict"] == "contradicted"
    assert sorted(found["told"]["units_contradicted"]) == pair
    block = found["check"].set_index("block").loc["N", "verdict"]
    assert block.startswith("not as drawn: ")
    for name in ("balance", "omnibus"):
        table = found[name]
        assert table["rerandomisation_p_value"].isna().all()
        assert table["note"].str.contains("does not meet the balance criterion").all()
    assert found["balance"]["standardised_difference"].notna().all()
    row = found["ri"].iloc[0]
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["p_value"])
    assert np.isnan(row["conf_low"])
    assert "does not meet the balance criterion" in row["note"]


def test_the_text_of_a_draw_names_list_record_and_the_seal_to_publish(folder: Folder) -> None:
    record = json.loads(Path(folder.at("record.json")).read_text("utf-8"))
    text = Path(folder.at("drawn.txt")).read_text("utf-8")
    assert folder.at("record.json") in text
    assert f"SHA-256 {record['signature']}" in text
    assert "Publish the signature" in text
