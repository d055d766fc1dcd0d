"""Lists of assignments, honest and forged, of every design that the project draws.

An honest list comes from the project's own draw, in one of several orders of its rows. A forged one
was made by looking at what a lottery does not see, or was changed after the draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.protocol.content.sections import Design
from schooltrial.randomisation.record import draw_assignment

SHARE, ARM_NAMES = "share", ("control", "programme", "second", "third")


@dataclass(frozen=True)
class DesignDrawn:
    """A design of which lists are drawn.

    Attributes
    ----------
    name : str
    kind : str
        As ``design.kind`` of a protocol.
    blocks : tuple of int
        Units of each block.
    shares : tuple of float
        Of each arm, control first; empty shares divide alike.
    declared : bool
        Whether the protocol names the shares.
    unit : str
    draw : mapping
        Keys of ``design.randomisation``.
    described_as : str
        The kind that the protocol states, where it is another than the one that drew.
    """

    name: str
    kind: str
    blocks: tuple[int, ...]
    shares: tuple[float, ...] = (0.5, 0.5)
    declared: bool = False
    unit: str = "school"
    draw: Mapping[str, Any] = field(default_factory=dict)
    described_as: str = ""

    def section(self, complete: Callable[..., Design], *, as_drawn: bool) -> Design:
        """Return the protocol's section, as it drew or as it is described."""
        declared = self.declared or as_drawn
        arms = [
            {"name": name, "label": name, SHARE: share if declared else None}
            for name, share in zip(ARM_NAMES, self.shares, strict=False)
        ]
        kind = self.kind if as_drawn or not self.described_as else self.described_as
        return complete(kind=kind, unit=self.unit, arms=arms, randomisation=dict(self.draw))


def _blocks(n: int, size: int) -> tuple[int, ...]:
    return (size,) * n


THIRDS = (0.33, 0.33, 0.34)
BALANCED = {"balance_on": ["score"], "acceptance_rate": 0.05}
DESIGNS = (
    DesignDrawn("complete, 40", "complete", (40,)),
    DesignDrawn("complete, 41, shares declared", "complete", (41,), declared=True),
    DesignDrawn("complete, 4", "complete", (4,)),
    DesignDrawn("complete, 2:1 of 45, declared", "complete", (45,), (2 / 3, 1 / 3), True),
    DesignDrawn("complete, 1:3 of 48, not declared", "complete", (48,), (0.75, 0.25)),
    DesignDrawn("simple, 40, declared", "simple", (40,), declared=True),
    DesignDrawn("simple, 40, said to be complete", "simple", (40,), described_as="complete"),
    DesignDrawn("simple, strata of two", "simple", _blocks(20, 2), described_as="blocked"),
    DesignDrawn("blocked, 5 of 8", "blocked", _blocks(5, 8), declared=True),
    DesignDrawn("blocked, odd sizes", "blocked", (3, 5, 7, 9, 2, 3, 11), declared=True),
    DesignDrawn("blocked, 122 of 4", "blocked", _blocks(122, 4)),
    DesignDrawn("paired, 20", "paired", _blocks(20, 2)),
    DesignDrawn("paired, 5", "paired", _blocks(5, 2), declared=True),
    DesignDrawn("three arms, thirds of 50", "complete", (50,), THIRDS, True),
    DesignDrawn("three arms in blocks of 7", "blocked", _blocks(6, 7), (1 / 3,) * 3),
    DesignDrawn("staggered, 30", "staggered", _blocks(3, 10), (0.5, 0.5), True),
    DesignDrawn("re-randomised, best 5%", "complete", (40,), (0.5, 0.5), True, draw=BALANCED),
    DesignDrawn("teachers in 12 schools", "blocked", (4, 6, 5, 3, 8, 2, 4, 6, 5, 3, 7, 4),
                unit="teacher"),
    DesignDrawn("classes in 10 schools", "blocked", _blocks(10, 3), (0.5, 0.5), unit="class"),
    DesignDrawn("groups of schools by year", "complete", (36,), unit="group"),
    DesignDrawn("pupils in 20 schools", "blocked", _blocks(20, 25), unit="pupil"),
)  # fmt: skip
"""Designs whose honest lists are checked."""


LARGE = DesignDrawn("pupils, 5,000 without blocks", "complete", (5000,), unit="pupil")


ORDERS = ("of the draw", "identifier", "arm", "block and arm", "name", "at random")
"""Orders of the rows of an honest list."""


@dataclass(frozen=True)
class ListMade:
    """A list and what is known of its units.

    Attributes
    ----------
    listed : DataFrame
        The unit, ``block``, ``arm``.
    frame : DataFrame
        The frame of the draw, with ``score``.
    covariates, baselines : DataFrame
        By unit: what is compared jointly, and the baselines of primary outcomes.
    """

    listed: pd.DataFrame
    frame: pd.DataFrame
    covariates: pd.DataFrame
    baselines: pd.DataFrame


def frame_of(design: DesignDrawn, rng: np.random.Generator) -> pd.DataFrame:
    """Return units with their blocks and a score, which differs between blocks."""
    block = np.repeat(np.arange(len(design.blocks)), design.blocks)
    n = len(block)
    score = rng.normal(size=n) + rng.normal(size=len(design.blocks))[block]
    numbers = np.sort(rng.choice(10 * n, n, replace=False)) + 1
    names = [f"{number}" for number in numbers]
    column = "block" if design.unit == "school" else "school"
    return pd.DataFrame({design.unit: names, column: [f"b{at}" for at in block], "score": score})


def honest_list(
    design: DesignDrawn, order: str, complete: Callable[..., Design], rng: np.random.Generator
) -> ListMade:
    """Draw a list by the project's own draw, and put its rows in an order.

    Parameters
    ----------
    design : DesignDrawn
    order : str
        One of `ORDERS`.
    complete : callable
        Completes a ``design`` section from its keys.
    rng : numpy Generator
    """
    frame = frame_of(design, rng)
    drawn = _drawn(design, frame, complete, rng)
    arm = frame[design.unit].map(drawn)
    column = "block" if design.unit == "school" else "school"
    listed = frame[[design.unit, column]].assign(arm=arm)
    return ListMade(_in_order(listed, design.unit, column, order, rng), frame, *_known(frame, rng))


def _drawn(
    design: DesignDrawn, frame: pd.DataFrame, complete: Callable[..., Design],
    rng: np.random.Generator,
) -> pd.Series:  # fmt: skip
    section, seed = design.section(complete, as_drawn=True), int(rng.integers(2**31))
    record = draw_assignment(frame, section, study="s", seed=seed, date="2024-05-01", software={})
    return pd.Series({unit: arm for unit, _, arm in record.listing})


def _in_order(
    listed: pd.DataFrame, unit: str, block: str, order: str, rng: np.random.Generator
) -> pd.DataFrame:
    mixed = listed.iloc[rng.permutation(len(listed))]
    sorted_by = {
        "identifier": [], "of the draw": ["arm"], "arm": ["arm"], "block and arm": [block, "arm"],
    }  # fmt: skip
    if order == "identifier":
        return listed
    if order == "name":  # as text: 10 before 9
        return listed.sort_values(unit)
    return mixed.sort_values(sorted_by.get(order, []), kind="stable") if order in sorted_by else (
        mixed
    )  # fmt: skip


def _known(
    frame: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Return covariates, of which some are tied, constant or missing, and two baselines."""
    n, index = len(frame), pd.Index(frame.iloc[:, 0].astype("str"))
    score = frame["score"].to_numpy()
    covariates = pd.DataFrame(
        {
            "score": score, "twice": 2 * score, "constant": 1.0,
            "binary": (rng.random(n) < 0.2).astype(float),
            "few": rng.integers(0, 3, n).astype(float),
            "missing": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
        }, index,
    )  # fmt: skip
    second = np.where(rng.random(n) < 0.1, np.nan, np.round(score + rng.normal(size=n)))
    return covariates, pd.DataFrame({"first": score, "second": second}, index)


def _first_half(listed: pd.DataFrame, made: ListMade, rng: np.random.Generator) -> pd.Series:
    return _by_rank(listed, pd.Series(np.arange(len(listed)), listed.index))


def _alternating(listed: pd.DataFrame, made: ListMade, rng: np.random.Generator) -> pd.Series:
    return pd.Series(np.array(ARM_NAMES[:2])[np.arange(len(listed)) % 2], listed.index)


def _better_half(listed: pd.DataFrame, made: ListMade, rng: np.random.Generator) -> pd.Series:
    return _by_rank(listed, made.frame["score"])


def _chosen_in_part(listed: pd.DataFrame, made: ListMade, rng: np.random.Generator) -> pd.Series:
    """Swap pairs in each block until a quarter of its units moved, the best to the programme."""
    arm = listed["arm"].copy()
    for _, rows in listed.groupby("block"):
        score = made.frame.loc[rows.index, "score"]
        poor = score[arm[rows.index] == "programme"].nsmallest(max(1, len(rows) // 8)).index
        good = score[arm[rows.index] == "control"].nlargest(len(poor)).index
        better = score[good].to_numpy() > score[poor].to_numpy()
        arm[good[better]], arm[poor[better]] = "programme", "control"
    return arm


def _one_pair(listed: pd.DataFrame, made: ListMade, rng: np.random.Generator) -> pd.Series:
    arm = listed["arm"].copy()
    rows = listed[listed["block"] == "b0"]
    one = rng.choice(rows.index[arm[rows.index] == "control"])
    other = rng.choice(rows.index[arm[rows.index] == "programme"])
    arm[one], arm[other] = arm[other], arm[one]
    return arm


def _moved(listed: pd.DataFrame, made: ListMade, rng: np.random.Generator) -> pd.Series:
    arm = listed["arm"].copy()
    control = listed.index[(listed["block"] == "b0") & (arm == "control")]
    arm[rng.choice(control, 2, replace=False)] = "programme"
    return arm


def _by_rank(listed: pd.DataFrame, value: pd.Series) -> pd.Series:
    rank = value.groupby(listed["block"]).rank(method="first", pct=True)
    return pd.Series(np.where(rank > 0.5, "programme", "control"), listed.index)


FORGERIES: dict[str, Callable[[pd.DataFrame, ListMade, np.random.Generator], pd.Series]] = {
    "first half of each block of the register": _first_half,
    "every other unit of the register": _alternating,
    "better half of each block": _better_half,
    "a quarter of the units exchanged for better ones": _chosen_in_part,
    "two units of a block moved to the programme": _moved,
    "one pair exchanged, with the record": _one_pair,
    "one pair exchanged, with the seed alone": _one_pair,
    "one pair exchanged, with neither": _one_pair,
}
"""What was done to a list of 5 blocks of 8 schools, by its name."""


FORGED_DESIGN = DesignDrawn("blocked, 5 of 8", "blocked", _blocks(5, 8), declared=True)
