"""Claims about the protocol of a rehearsal."""

from __future__ import annotations

from pathlib import Path

import pytest

from schooltrial.protocol.rehearsal import STAMP, as_rehearsal
from support.small_trial import SmallTrial


@pytest.fixture
def trial(tmp_path: Path) -> SmallTrial:
    return SmallTrial(tmp_path)


def test_a_rehearsal_has_a_name_of_its_own_and_its_stamp_in_the_title(trial: SmallTrial) -> None:
    trial.write()
    plan = trial.read()
    rehearsal = as_rehearsal(plan)
    assert rehearsal.rehearsal
    assert not plan.rehearsal
    assert rehearsal.name == "small_rehearsal"
    assert rehearsal.content["study"]["title"] == f"{STAMP}: A small trial"
    assert plan.name == "small"


def test_a_record_of_the_randomisation_is_not_compared_with_arms_drawn_anew(
    trial: SmallTrial,
) -> None:
    trial.protocol["design"]["randomisation"] = {"seed": 3, "record": "draw.json"}
    trial.write()
    draw = as_rehearsal(trial.read()).design["randomisation"]
    assert draw["record"] is None
    assert draw["seed"] is None
