"""How units are to be drawn: the protocol's design read as a lottery of the units of a frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import fsum, prod

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.models.assignment.design import AssignmentDesign, Block, block_rows
from schooltrial.models.assignment.draws import draw_assignments
from schooltrial.models.assignment.shares import numbers_by_arm
from schooltrial.models.randomisation_inference.mahalanobis import mahalanobis_balance
from schooltrial.protocol.content.rounded_shares import SUM_TOLERANCE, fractions_meant
from schooltrial.protocol.content.sections import Design
from schooltrial.random_streams import stream
from schooltrial.refusal import Fault
from schooltrial.wording import plural

PROTOCOL = "protocol.yaml"


THRESHOLD_DRAWS = 20_000
"""Draws from which the largest acceptable distance is taken."""


EMPTY_AT_MOST = 0.001
"""Greatest chance that a group of a draw is left without a unit."""


ALL = "all units"


_of_shares = cache(numbers_by_arm)  # many blocks have the same size


@dataclass(frozen=True, slots=True)
class LotteryPlan:
    """The plan of a draw.

    Attributes
    ----------
    kind : str
        complete, simple, blocked, paired or staggered.
    arms : tuple of str
        Control first.
    shares : tuple of float
        Planned share of each group.
    fractions : tuple of float
        The fractions that the shares are rounded from, such as thirds from .33; empty where they
        are none, or exact.
    declared : bool
        Whether the plan names shares or numbers, rather than taking all groups alike.
    planned : mapping
        Block → planned numbers by group, where they are given.
    balance_on : tuple of str
        Columns on which draws were balanced.
    acceptance : float
        Share of draws, the best balanced, that were acceptable; 1 where none was refused.
    """

    kind: str
    arms: tuple[str, ...]
    shares: tuple[float, ...]
    declared: bool
    planned: Mapping[str, tuple[int, ...]]
    balance_on: tuple[str, ...]
    acceptance: float
    fractions: tuple[float, ...] = ()

    @property
    def rerandomised(self) -> bool:
        """Whether draws were repeated until balanced."""
        return bool(self.balance_on) and self.acceptance < 1

    @property
    def one_block(self) -> bool:
        """Whether all units were drawn together, whatever blocks the list names."""
        return self.kind in ("complete", "simple")

    @property
    def simple(self) -> bool:
        """Whether each unit was drawn on its own, so that the numbers by group are random."""
        return self.kind == "simple"

    def expected(self, block: str, n: int) -> NDArray[np.float64]:
        """Return the expected number of units of each group among ``n`` units of a block."""
        if self.simple:
            return n * np.array(self.shares)
        found = [chance * np.array(numbers) for numbers, chance in self.options(block, n)]
        return np.asarray(np.sum(found, axis=0), dtype=float)

    def expected_as_fractions(self, block: str, n: int) -> NDArray[np.float64]:
        """Return what is expected where the shares are rounded fractions; else `expected`."""
        if not self.fractions or block in self.planned:
            return self.expected(block, n)
        return n * np.array(self.fractions)

    def options(self, block: str, n: int) -> tuple[tuple[tuple[int, ...], float], ...]:
        """Return the numbers by group that a block of ``n`` units may be drawn into."""
        if block in self.planned:
            return ((self.planned[block], 1.0),)
        return _of_shares(n, self.shares)


def lottery_plan(design: Design) -> LotteryPlan:
    """Return the plan that the protocol's ``design`` section states; see `plan_faults`."""
    draw = design["randomisation"]
    given = [arm["share"] for arm in design["arms"]]
    planned = {str(block): tuple(n) for block, n in draw["allocation"].items()}
    shares = _filled(given)
    fractions = fractions_meant(given, shares)
    return LotteryPlan(
        kind=design["kind"],
        arms=tuple(arm["name"] for arm in design["arms"]),
        shares=fractions if fractions and abs(fsum(shares) - 1) > SUM_TOLERANCE else shares,
        declared=bool(planned) or any(share is not None for share in given),
        planned=planned,
        balance_on=tuple(draw["balance_on"]),
        acceptance=float(draw["acceptance_rate"]),
        fractions=fractions,
    )


def _filled(given: Sequence[float | None]) -> tuple[float, ...]:
    """Return the shares; groups without one divide what is left alike."""
    left = 1 - fsum(share for share in given if share is not None)
    empty = sum(share is None for share in given)
    return tuple(left / empty if share is None else float(share) for share in given)


def plan_faults(plan: LotteryPlan) -> Iterator[Fault]:
    """Yield what is impossible in a plan, whatever the frame."""
    for arm, share in zip(plan.arms, plan.shares, strict=True):
        if not 0 < share < 1:
            yield Fault(
                PROTOCOL, f"group {arm!r} has the planned share {share:g}",
                "a share between 0 and 1",
                "correct the shares; groups without a share divide the rest equally",
                column="design.arms",
            )  # fmt: skip
    if abs(fsum(plan.shares) - 1) > SUM_TOLERANCE:
        yield Fault(
            PROTOCOL, f"the shares of the groups sum to {fsum(plan.shares):g}", "1",
            "correct the shares", column="design.arms",
        )  # fmt: skip
    for block, numbers in plan.planned.items():
        if len(numbers) != len(plan.arms):
            yield Fault(
                PROTOCOL, f"block {block} has {len(numbers)} planned numbers",
                f"one for each group: {', '.join(plan.arms)}", "list one number for each group",
                column="design.randomisation.allocation",
            )  # fmt: skip


def block_faults(plan: LotteryPlan, sizes: Mapping[str, int], file: str) -> Iterator[Fault]:
    """Yield what a plan cannot do with blocks of these sizes."""
    if plan.simple:
        yield from _empty_arms(plan, {str(at): 1 for at in range(sum(sizes.values()))}, file)
        return
    for block in sorted(set(plan.planned) - set(sizes)):
        yield Fault(
            PROTOCOL, f"`allocation` has numbers for block {block}, but {file} has no unit in it",
            "blocks of the eligible list", "correct the name of the block",
            column="design.randomisation.allocation",
        )  # fmt: skip
    for block, n in sizes.items():
        numbers = plan.planned.get(block)
        if numbers is not None and (sum(numbers) != n or min(numbers) < 0):
            yield Fault(
                file, f"block {block} has {n} units, but `allocation` plans {sum(numbers)}",
                "numbers that sum to the units of the block",
                "correct design.randomisation.allocation",
            )  # fmt: skip
        elif numbers is None and plan.kind == "paired" and n != len(plan.arms):
            yield Fault(
                file, f"set {block} has {n} units, for {len(plan.arms)} groups",
                "at least one unit for each group",
                f"list its numbers by group under `design.randomisation.allocation.{block}`, or "
                "change the matched set",
            )  # fmt: skip
        elif n >= len(plan.arms) and any(
            sum(k > 0 for k in found) < 2 for found, _ in plan.options(block, n)
        ):
            certain = all(sum(k > 0 for k in found) < 2 for found, _ in plan.options(block, n))
            told = "all in one group" if certain else "and can have all of them in one group"
            yield Fault(
                file, f"block {block} has {n} units, {told}",
                "both groups in every block",
                "change the shares, merge it with another block, or list its numbers under "
                f"`design.randomisation.allocation.{block}`",
            )  # fmt: skip
    yield from _empty_arms(plan, sizes, file)


def _empty_arms(plan: LotteryPlan, sizes: Mapping[str, int], file: str) -> Iterator[Fault]:
    """Yield groups that no block can give a unit, and blocks with fewer units tha groups."""
    able = {block: plan.options(block, n) for block, n in sizes.items()}
    for at, arm in enumerate(plan.arms):
        # the draws of blocks are independent, so the chances that each gives none multiply
        none = prod(fsum(p for k, p in found if k[at] == 0) for found in able.values())
        if none > EMPTY_AT_MOST:
            told = "gets no units" if none > 1 - EMPTY_AT_MOST else "can easily get no units"
            yield Fault(
                file, f"group {arm!r} {told} of {sum(sizes.values())}",
                "at least one unit in every group",
                "increase its share, or list the numbers under `design.randomisation.allocation`",
                column="design.arms",
            )  # fmt: skip
    for block, n in () if plan.simple else sizes.items():
        if n < len(plan.arms) and block not in plan.planned and plan.kind != "paired":
            yield Fault(
                file, f"block {block} has {plural(n, 'unit')}, for {len(plan.arms)} groups",
                "at least one unit for every group in every block",
                "merge it with another block, or list its numbers under "
                f"`design.randomisation.allocation.{block}`",
            )  # fmt: skip


def planned_design(
    plan: LotteryPlan, units: Sequence[str], block: Sequence[str]
) -> AssignmentDesign:
    """Return the lottery of the units, without any acceptance rule.

    In simple randomisation each unit is a block of its own: a group is drawn for it by the shares.
    """
    if plan.simple:
        alone = [Block(unit, np.array([at]), plan.options("", 1)) for at, unit in enumerate(units)]
        return AssignmentDesign(np.asarray(units, dtype="str"), plan.arms, tuple(alone))
    made = [
        Block(name, members, plan.options(name, members.size))
        for name, members in block_rows(block)
    ]
    return AssignmentDesign(np.asarray(units, dtype="str"), plan.arms, tuple(made))


def acceptance_threshold(
    design: AssignmentDesign, covariates: NDArray[np.float64], acceptance: float, seed: int
) -> float:
    """Return the largest Mahalanobis distance that is acceptable.

    It is the ``acceptance`` quantile of M over 20,000 draws, taken from a stream of their own.
    """
    return threshold_among(drawn_distances(design, covariates, seed), acceptance)


def drawn_distances(
    design: AssignmentDesign, covariates: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Return the Mahalanobis distances of draws without a criterion, in the order of the draws."""
    statistic = mahalanobis_balance(design, covariates)
    codes = draw_assignments(design, THRESHOLD_DRAWS, stream(seed, "assignment", "threshold"))
    return np.asarray(statistic(codes), dtype=np.float64)


def threshold_among(distances: NDArray[np.float64], acceptance: float) -> float:
    """Return the largest distance that is acceptable, of draws without a criterion."""
    return float(np.quantile(distances, acceptance, method="inverted_cdf"))


def balance_columns(frame: pd.DataFrame, names: Sequence[str]) -> NDArray[np.float64]:
    """Return covariates as numbers: a category as an indicator for each level."""
    columns = []
    for name in names:
        if pd.api.types.is_numeric_dtype(frame[name]):
            columns.append(frame[name].to_numpy(dtype="float64"))
        else:
            text = frame[name].astype("str")
            columns += [(text == level).to_numpy(dtype="float64") for level in sorted(set(text))]
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))
