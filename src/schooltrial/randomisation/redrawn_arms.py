"""Arms re-randomised: the units of a list change places with others of their block."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt


def redrawn_places(
    blocks: Sequence[Hashable], generator: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Return for each unit the unit whose arm it gets: any of its block, each once.

    Every block keeps its numbers of units by arm, as in a draw that fixed them.

    Parameters
    ----------
    blocks : sequence
        The block of each unit; the same for all where units were drawn without blocks.
    generator : numpy.random.Generator
    """
    places = np.arange(len(blocks))
    members: dict[Hashable, list[int]] = {}
    for at, block in enumerate(blocks):
        members.setdefault(block, []).append(at)
    for units in members.values():
        places[units] = generator.permutation(units)
    return places
