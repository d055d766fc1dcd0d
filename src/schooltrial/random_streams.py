"""Random streams that are found by name, so that adding a step does not move the others."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator that belongs to a named step of a study.

    Parameters
    ----------
    seed : int
        Seed of the whole study, not negative.
    *names : str or int
        What the step is called, such as ``("entrants", 2019)``.

    Returns
    -------
    numpy.random.Generator
        The child of ``SeedSequence(seed)`` whose spawn key is the CRC-32 of the name: it depends on
        the seed and on its own name, and on no other stream.
    """
    key = crc32("/".join(str(name) for name in names).encode("utf-8"))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key,)))
