"""A synthetic trial that is drawn from a frame, as a real one is: record, list and truth agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from schooltrial.checks.assignment.unit_attributes import KnownOfUnits
from schooltrial.checks.assignment.verdict import REPRODUCED, verify_assignment
from schooltrial.protocol.content.sections import Design, Generator, SimulationParameter
from schooltrial.randomisation.record import read_record
from schooltrial.refusal import Refusal
from simulate_trial import main as simulate_trial
from support.sections import design

ARMS = [{"name": "control", "label": "Control"}, {"name": "programme", "label": "Programme"}]
DRAW: dict[str, Any] = {
    "seed": 4, "date": "2018-06-15", "eligible_list": "frame.csv", "record": "record.json",
    "unit_column": "school_code", "block_column": "block",
}  # fmt: skip
BLOCKS = [["North", "elementary", 4], ["North", "middle", 4]]
PARAMETERS: dict[str, SimulationParameter] = {
    "blocks": {"value": BLOCKS, "source": "a test"},
    "pupils_per_school": {"value": 40.0, "source": "a test"},
}


def _simulate(
    folder: Path, draw: dict[str, Any], generator: Generator = "school_randomised"
) -> Design:
    stated = design(arms=ARMS, randomisation=draw)
    simulate_trial(
        simulation={"generator": generator, "parameters": PARAMETERS}, seed=1, study="s",
        folder=str(folder / "raw"), truth=str(folder / "truth.json"), design=stated,
    )  # fmt: skip
    return stated


def test_the_list_of_a_synthetic_trial_is_the_one_that_its_record_draws(tmp_path: Path) -> None:
    stated = _simulate(tmp_path, DRAW)
    raw = tmp_path / "raw"
    listed = pd.read_csv(raw / "assignment_list.csv", dtype="str")
    assert set(listed["draw_seed"]) == {"4"}
    arms = listed["arm"].map({"C": "control", "T": "programme"})
    read = listed.rename(columns={"school_code": "school"}).assign(arm=arms)
    frame = pd.read_csv(raw / "frame.csv", dtype={"school_code": "str"})
    assert "arm" not in frame  # it is what was known before the draw
    record = read_record((raw / "record.json").read_text("utf-8"), "record.json")
    known = KnownOfUnits(frame=frame)
    found = verify_assignment(read, stated, known=known, record=record, study="s")
    assert found.verdict == REPRODUCED
    truth = json.loads((tmp_path / "truth.json").read_text("utf-8"))
    assert (truth["randomisation_seed"], truth["n_treated_schools"]) == (4, 4)


def test_another_seed_of_the_draw_changes_the_arms_and_not_the_schools(tmp_path: Path) -> None:
    lists = []
    for seed in (4, 5):
        _simulate(tmp_path / str(seed), {**DRAW, "seed": seed})
        path = tmp_path / str(seed) / "raw" / "assignment_list.csv"
        lists.append(pd.read_csv(path, dtype="str").drop(columns="draw_seed"))
    assert lists[0].drop(columns="arm").equals(lists[1].drop(columns="arm"))
    assert not lists[0]["arm"].equals(lists[1]["arm"])


@pytest.mark.parametrize(
    ("draw", "generator", "told"),
    [
        ({**DRAW, "seed": None}, "school_randomised", "design.randomisation has no seed"),
        (DRAW, "within_school_lottery", "within_school_lottery draws by itself"),
    ],
)
def test_a_draw_that_cannot_be_made_is_refused(
    tmp_path: Path, draw: dict[str, Any], generator: Generator, told: str
) -> None:
    with pytest.raises(Refusal, match=told):
        _simulate(tmp_path, draw, generator)
