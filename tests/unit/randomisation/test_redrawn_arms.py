"""Claims about arms that are re-randomised for a rehearsal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from schooltrial.randomisation.criterion import draw_criterion
from schooltrial.randomisation.redrawn_arms import redrawn_by_criterion, redrawn_places
from support.sections import design


def test_units_change_places_within_their_block_alone() -> None:
    blocks = ["a", "b"] * 10
    places = redrawn_places(blocks, np.random.default_rng(1))
    assert sorted(places) == list(range(20))
    assert [blocks[place] for place in places] == blocks
    assert not np.array_equal(places, np.arange(20))


def test_without_blocks_all_units_change_places_and_each_is_as_likely_anywhere() -> None:
    generator = np.random.default_rng(2)
    first = [redrawn_places([None] * 4, generator)[0] for _ in range(4000)]
    shares = np.bincount(first, minlength=4) / 4000
    assert np.all(np.abs(shares - 0.25) < 0.03)


def test_arms_are_drawn_by_the_balance_criterion_of_the_design_and_meet_it() -> None:
    size = np.random.default_rng(3).normal(size=24)
    frame = pd.DataFrame({"school": [f"s{at:02d}" for at in range(24)], "size": size})
    keys: dict[str, Any] = {
        "kind": "complete",
        "randomisation": {"balance_on": ["size"], "acceptance_rate": 0.1, "eligible_list": "e.csv"},
    }
    planned = design(**keys)
    gaps = []
    for seed in range(30):
        drawn = redrawn_by_criterion(frame, planned, seed)
        listed = pd.DataFrame({"school": list(drawn), "arm": list(drawn.values())})
        known = draw_criterion(listed.assign(block="all"), planned, frame)
        assert known.criterion is not None, known.unusable
        treated = frame["school"].map(drawn) == planned["arms"][1]["name"]
        assert treated.sum() == 12
        gaps.append(abs(size[treated].mean() - size[~treated].mean()) / size.std())
    assert len({round(gap, 6) for gap in gaps}) > 10  # not one draw
    assert max(gaps) < 0.1  # without a criterion one gap in three is above 0.4
