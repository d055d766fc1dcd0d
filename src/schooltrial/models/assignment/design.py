"""The lottery of a trial: which assignments could have come out, and with what probability.

So many units of each block to each group (complete, blocked, paired, unequal blocks, several
groups), a number treated that is itself drawn where a share does not come out even, a recorded
list, and any of these re-drawn until an acceptance rule is content. Units are whatever was drawn:
schools, in a school-randomised trial. `assignment.draws` draws from a design, or lists all its
assignments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import comb, floor, prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Codes = NDArray[np.int8]


AcceptanceRule = Callable[[Codes], NDArray[np.bool_]]


class AssignmentError(ValueError):
    """An assignment that is not what its design, or any design, could have drawn."""


def arrangement_count(counts: tuple[int, ...]) -> int:
    """Return the multinomial coefficient of the numbers by group."""
    return prod(comb(sum(counts[: i + 1]), counts[i]) for i in range(len(counts)))


@dataclass(frozen=True, slots=True)
class Block:
    """Units that were drawn together.

    Attributes
    ----------
    label : object
        As given.
    members : int array
        Positions of the units in the design.
    options : tuple of ((units by arm), probability)
        One for a fixed number by group; more where that number is drawn.
    """

    label: Any
    members: NDArray[np.intp]
    options: tuple[tuple[tuple[int, ...], float], ...]

    @property
    def possible(self) -> int:
        """Number of assignments of the block."""
        return sum(arrangement_count(counts) for counts, _ in self.options)


@dataclass(frozen=True, eq=False)
class AssignmentDesign:
    """What could have been drawn. Make one with the functions of this module.

    Attributes
    ----------
    units : array
        Labels of the units, each once; columns of a draw.
    arms : tuple
        Labels of the groups; the first is the comparison.
    blocks : tuple of Block
        Empty for a recorded list.
    rule : callable, optional
        Acceptance rule of a re-randomised design: takes draws × units, gives one bool a draw.
    recorded : int8 array (assignments × units), optional
        The list of assignments, each equally likely.
    to_unit_order : int array
        Column of each unit where columns lie block by block.
    """

    units: NDArray[Any]
    arms: tuple[Any, ...]
    blocks: tuple[Block, ...]
    rule: AcceptanceRule | None = None
    recorded: Codes | None = None
    to_unit_order: NDArray[np.intp] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        labels, times = np.unique(self.units, return_counts=True)
        if (times > 1).any():
            raise AssignmentError(
                f"design: unit {shown(labels[times > 1][0])} is listed {times.max()} times; "
                "list each school once (`school_assignment` reduces pupil rows)"
            )
        members = [block.members for block in self.blocks]
        order = np.concatenate(members) if members else np.arange(self.units.size)
        object.__setattr__(self, "to_unit_order", np.argsort(order))

    @property
    def possible(self) -> int:
        """Number of assignments that can be drawn, before any acceptance rule."""
        if self.recorded is not None:
            return len(self.recorded)
        return prod(block.possible for block in self.blocks)

    def probabilities(self) -> NDArray[np.float64]:
        """Return the probability of each group for each unit (units × groups), before any rule."""
        if self.recorded is not None:
            arms = np.arange(len(self.arms))
            return np.asarray((self.recorded[:, :, None] == arms).mean(axis=0), dtype=float)
        shares = np.empty((self.units.size, len(self.arms)))
        for block in self.blocks:
            expected = sum(p * np.array(counts, dtype=float) for counts, p in block.options)
            shares[block.members] = expected / block.members.size
        return shares

    def encode(self, assigned: ArrayLike) -> Codes:
        """Return the group number of each unit, having checked that the design could draw it.

        Parameters
        ----------
        assigned : array of arm labels, one per unit, in the order of ``units``

        Raises
        ------
        AssignmentError
            For an unknown arm, or numbers by group that the design cannot give; names the block.
        """
        codes = arm_codes(assigned, self.arms)
        if codes.size != self.units.size:
            raise AssignmentError(
                f"assignment: {codes.size} units were given, the design has {self.units.size}"
            )
        if self.recorded is not None:
            if not (self.recorded == codes).all(axis=1).any():
                raise AssignmentError(
                    f"assignment: it is not among the {len(self.recorded)} recorded ones; "
                    "check that the list's columns are in the order of the units"
                )
            return codes
        for block in self.blocks:
            found = tuple(np.bincount(codes[block.members], minlength=len(self.arms)).tolist())
            allowed = [counts for counts, _ in block.options]
            if found not in allowed:
                raise AssignmentError(
                    f"assignment: block {block.label!r} has {_by_arm(found, self.arms)}, where the "
                    f"design gives {' or '.join(_by_arm(c, self.arms) for c in allowed)}; "
                    "correct the design or the record"
                )
        if self.rule is not None and not bool(self.rule(codes[None, :])[0]):
            raise AssignmentError(
                "assignment: it does not pass the design's own acceptance rule; "
                "check the rule's covariates and threshold"
            )
        return codes


def complete_design(units: int | ArrayLike, treated: int) -> AssignmentDesign:
    """Describe a draw of a fixed number of units, without blocks."""
    labels = _labels(units)
    return fixed_design(labels, {"all": {0: labels.size - treated, 1: treated}}, None)


def paired_design(units: ArrayLike, pair: ArrayLike) -> AssignmentDesign:
    """Describe a draw of one unit of each pair; `fixed_design` takes larger sets."""
    labels, pairs = _labels(units), np.asarray(pair)
    names, times = np.unique(pairs, return_counts=True)
    if (times != 2).any():
        raise AssignmentError(
            f"paired design: pair {shown(names[times != 2][0])} has {times[times != 2][0]} units, "
            "not 2; use design_as_assigned with the groups as blocks"
        )
    return fixed_design(labels, {name: {0: 1, 1: 1} for name in names.tolist()}, pairs)


def fixed_design(
    units: ArrayLike,
    counts: dict[Any, dict[Any, int]],
    block: ArrayLike | None,
) -> AssignmentDesign:
    """Describe a draw of fixed numbers of units in each block.

    Parameters
    ----------
    units : array of labels
    counts : dict of dict
        Block label → arm label → units. The arms' order in the first block is the design's; the
        first is the comparison. Without blocks, the one key is any name.
    block : array of block labels, one per unit; None for one block of all
    """
    labels = _labels(units)
    arms = tuple(next(iter(counts.values())))
    blocks = []
    for name, members in _block_rows(labels, block, list(counts)):
        by_arm = tuple(int(counts[name].get(arm, 0)) for arm in arms)
        unknown = set(counts[name]) - set(arms)
        if unknown:
            raise AssignmentError(
                f"design: block {name!r} names group {unknown.pop()!r}; known are {arms}"
            )
        if sum(by_arm) != members.size or min(by_arm) < 0:
            raise AssignmentError(
                f"design: block {name!r} has {members.size} units, but its numbers by group "
                f"({_by_arm(by_arm, arms)}) add up to {sum(by_arm)}"
            )
        blocks.append(Block(name, members, ((by_arm, 1.0),)))
    _each_arm_has_units(blocks, arms)
    _each_block_compares(blocks, arms)
    return AssignmentDesign(labels, arms, tuple(blocks))


def design_as_assigned(
    units: ArrayLike,
    assigned: ArrayLike,
    block: ArrayLike | None = None,
    *,
    arms: Sequence[Any] | None = None,
    one_arm_blocks: bool = False,
) -> AssignmentDesign:
    """Return the design that fixes, in each block, the numbers by group that were in fact drawn.

    Parameters
    ----------
    units : array of labels, one per unit
    assigned : array of arm labels
    block : array of block labels, optional
    arms : sequence, optional
        Group labels, the comparison first; by default those found, sorted.
    one_arm_blocks : bool
        Whether a block with a single group may be there: it stays as it is, and compares nothing.

    Raises
    ------
    AssignmentError
        For a block with a single group unless it is allowed, a group without units, an unknown arm.
    """
    labels, drawn = _labels(units), np.asarray(assigned)
    names = tuple(np.unique(drawn).tolist()) if arms is None else tuple(arms)
    blocks = blocks_as_drawn(labels, arm_codes(drawn, names), block, len(names))
    _each_arm_has_units(blocks, names)
    if not one_arm_blocks:
        _each_block_compares(blocks, names)
    return AssignmentDesign(labels, names, tuple(blocks))


def blocks_as_drawn(
    units: NDArray[Any], codes: Codes, block: ArrayLike | None, n_arms: int
) -> list[Block]:
    """Return the blocks, each with the numbers by group drawn in it as its only option."""
    blocks = []
    for name, members in _block_rows(units, block, None):
        by_arm = tuple(np.bincount(codes[members], minlength=n_arms).tolist())
        blocks.append(Block(name, members, ((by_arm, 1.0),)))
    return blocks


def probability_design(
    units: int | ArrayLike, share: float | dict[Any, float], block: ArrayLike | None = None
) -> AssignmentDesign:
    """Return the draw of a share of each block, where n·share may not be a whole number.

    The number treated is then ⌊n·share⌋ or the next one, with probabilities that make each unit's
    chance equal to the share. ``share`` may be one number or one for each block label.
    """
    labels = _labels(units)
    blocks = []
    for name, members in _block_rows(labels, block, None):
        p = share[name] if isinstance(share, dict) else share
        if not 0 < p < 1:
            raise AssignmentError(f"design: block {name!r} treats a share of {p}, not in (0, 1)")
        n = members.size
        low = floor(round(n * p, 9))
        excess = round(n * p - low, 9)
        numbers = [(low, 1 - excess)] + ([(low + 1, excess)] if excess > 0 else [])
        blocks.append(Block(name, members, tuple(((n - k, k), chance) for k, chance in numbers)))
    return AssignmentDesign(labels, (0, 1), tuple(blocks))


def recorded_design(
    units: ArrayLike, assignments: ArrayLike, arms: Sequence[Any] = (0, 1)
) -> AssignmentDesign:
    """Return the draw of one of a recorded list of assignments, each equally likely.

    ``assignments`` is a matrix (assignments × units) of group labels.
    """
    labels, listed = _labels(units), np.atleast_2d(np.asarray(assignments))
    if listed.shape[1] != labels.size:
        raise AssignmentError(
            f"recorded assignments: {listed.shape[1]} columns for {labels.size} units"
        )
    codes = arm_codes(listed.ravel(), tuple(arms)).reshape(listed.shape)
    return AssignmentDesign(labels, tuple(arms), (), recorded=codes)


def rerandomised(design: AssignmentDesign, rule: AcceptanceRule) -> AssignmentDesign:
    """Describe a design that is drawn again until a balance criterion is met."""
    return replace(design, rule=rule)


def arm_codes(assigned: ArrayLike, arms: Sequence[Any]) -> Codes:
    """Return the position of each label in ``arms``; an unknown label is an error that names it."""
    labels = np.asarray(assigned)
    codes = np.full(labels.shape, -1, dtype=np.int8)
    for number, arm in enumerate(arms):
        codes[labels == arm] = number
    if (codes < 0).any():
        first = int(np.flatnonzero(codes < 0)[0])
        raise AssignmentError(
            f"assignment: row {first} has group {shown(labels[first])}; known are {tuple(arms)!r}"
        )
    return codes


def block_rows(block: ArrayLike) -> list[tuple[Any, NDArray[np.intp]]]:
    """Return (label, positions of its units) of each block, in sorted order of the labels."""
    names, codes, sizes = np.unique(np.asarray(block), return_inverse=True, return_counts=True)
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(sizes)[:-1])
    return list(zip(names.tolist(), members, strict=True))


def _labels(units: int | ArrayLike) -> NDArray[Any]:
    return np.arange(units) if isinstance(units, int) else np.asarray(units)


def _block_rows(
    units: NDArray[Any], block: ArrayLike | None, known: list[Any] | None
) -> list[tuple[Any, NDArray[np.intp]]]:
    """Return (label, positions) of each block, in sorted order of the labels."""
    if block is None:
        name = known[0] if known else "all"
        return [(name, np.arange(units.size))]
    labels = np.asarray(block)
    if labels.size != units.size:
        raise AssignmentError(f"design: {labels.size} block labels for {units.size} units")
    rows = block_rows(labels)
    for name, _ in rows if known is not None else []:
        if name not in (known or []):
            raise AssignmentError(f"design: block {name!r} has units but no numbers by group")
    return rows


def _each_arm_has_units(blocks: list[Block], arms: tuple[Any, ...]) -> None:
    """Refuse a group that nobody was drawn for."""
    totals = np.sum([block.options[0][0] for block in blocks], axis=0)
    if len(arms) < 2 or (totals == 0).any():
        empty = [arm for arm, total in zip(arms, totals, strict=True) if total == 0]
        raise AssignmentError(
            f"design: group {empty[0]!r} has no units; nothing can be compared"
            if empty
            else f"design: {arms[0]!r} is the only group; nothing can be compared"
        )


def _each_block_compares(blocks: list[Block], arms: tuple[Any, ...]) -> None:
    """Refuse a block that holds a single group."""
    for block in blocks:
        counts = block.options[0][0]
        if sum(count > 0 for count in counts) < 2:
            raise AssignmentError(
                f"design: block {block.label!r} has one group only ({_by_arm(counts, arms)}); "
                "join it to another block if it was drawn with it, or leave its units out"
            )


def shown(label: Any) -> str:
    """Return a label as its owner would write it, without the name of its type."""
    return repr(label.item() if isinstance(label, np.generic) else label)


def _by_arm(counts: Sequence[int], arms: Sequence[Any]) -> str:
    return ", ".join(f"{count} in {arm!r}" for count, arm in zip(counts, arms, strict=True))
