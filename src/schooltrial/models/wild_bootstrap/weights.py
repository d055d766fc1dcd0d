"""Random weights of clusters for the wild bootstrap: signs, or Webb's six points.

Both have mean nought and variance one; signs (Rademacher) also keep the fourth moment of an error.
With few clusters the signs give few distinct samples, 2^J, which are then all taken, or Webb's six
points are used instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray

Kind = Literal["auto", "rademacher", "webb"]


WEBB_BELOW = 12
"""Clusters under which ``auto`` takes Webb's weights."""


_POINTS = {
    "rademacher": np.array([-1.0, 1.0]),
    "webb": np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)]),
}


@dataclass(frozen=True, eq=False)
class BootstrapWeights:
    """The weights of all draws, in a compact form.

    Attributes
    ----------
    kind : str
        ``rademacher`` or ``webb``.
    clusters, draws : int
        J and B.
    enumerated : bool
        Whether the draws are all points^J there are.
    drawn : uint8 array or None
        Random draws: packed bits for signs (with a byte to spare), else the number of the point.
    """

    kind: str
    clusters: int
    draws: int
    enumerated: bool
    drawn: NDArray[np.uint8] | None

    def rows(self, first: int, last: int) -> FloatArray:
        """Return the weights of draws ``first`` to ``last`` − 1, (draws × clusters)."""
        points = _POINTS[self.kind]
        if self.drawn is None:
            number = np.arange(first, last)[:, None]
            digit = number // len(points) ** np.arange(self.clusters)[::-1] % len(points)
            return np.asarray(points[digit])
        if self.kind == "rademacher":
            signs = np.unpackbits(self.drawn[first:last], axis=1, count=self.clusters)
            weights = signs.astype(np.float64)
            weights *= 2
            weights -= 1
            return weights
        return np.asarray(points[self.drawn[first:last]])

    def pieces(self, rows: int) -> Iterator[tuple[int, int]]:
        """Yield (first, last) of successive pieces of at most ``rows`` draws."""
        for first in range(0, self.draws, rows):
            yield first, min(first + rows, self.draws)


def bootstrap_weights(
    clusters: int, draws: int, *, kind: Kind = "auto", seed: int | np.random.Generator = 0
) -> BootstrapWeights:
    """Return weights for ``draws`` bootstrap samples, or all of them if there are no more.

    Parameters
    ----------
    clusters : int
        J.
    draws : int
        B; if points^J does not exceed B + 1, all are enumerated.
    kind : {"auto", "rademacher", "webb"}
        ``auto``: Webb's six points under 12 clusters, else signs.
    seed : int or numpy Generator

    Notes
    -----
    Webb (2023), Canadian Journal of Economics 56, 839-858; Cameron, Gelbach & Miller (2008),
    Review of Economics and Statistics 90, 414-427.
    """
    if clusters < 2:
        raise ValueError(
            f"wild bootstrap: {clusters} cluster; at least two are needed. Is the cluster column "
            "constant?"
        )
    if draws < 1:
        raise ValueError(f"wild bootstrap: {draws} draws; at least one is needed")
    if kind not in ("auto", *_POINTS):
        raise ValueError(
            f"wild bootstrap: unknown weights {kind!r}; known are 'auto', 'rademacher' and 'webb'"
        )
    chosen = ("webb" if clusters < WEBB_BELOW else "rademacher") if kind == "auto" else str(kind)
    possible = len(_POINTS[chosen]) ** clusters
    if possible <= draws + 1:
        return BootstrapWeights(chosen, clusters, possible, True, None)
    rng = np.random.default_rng(seed)
    if chosen == "rademacher":
        width = clusters // 8 + 2
        signs = np.frombuffer(bytearray(rng.bytes(draws * width)), dtype=np.uint8)
        drawn = signs.reshape(draws, width)
    else:
        drawn = rng.integers(0, 6, size=(draws, clusters), dtype=np.uint8)
    return BootstrapWeights(chosen, clusters, draws, False, drawn)
