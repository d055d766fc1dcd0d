"""Claims about arms that are re-randomised for a rehearsal."""

from __future__ import annotations

import numpy as np

from schooltrial.randomisation.redrawn_arms import redrawn_places


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
