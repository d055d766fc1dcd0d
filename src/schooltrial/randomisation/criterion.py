"""The criterion of balance of a re-randomised design, for the units that a check looks at.

Draws of such a design were repeated until they were balanced, and so must be its re-draws. A check
may look at two of several groups, or at units of which some have left: the groups of all others are
then held as they were drawn, and those re-draws are kept that the whole draw could have been. Given
the others, each is as likely as any, so that tests stay exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.models.assignment.design import AcceptanceRule, Codes
from schooltrial.models.randomisation_inference.mahalanobis import (
    balanced_at_most,
    mahalanobis_balance,
)
from schooltrial.protocol.content.sections import Design, frame_columns
from schooltrial.randomisation.plan import (
    THRESHOLD_DRAWS,
    LotteryPlan,
    balance_columns,
    drawn_distances,
    lottery_plan,
    plan_faults,
    planned_design,
    threshold_among,
)
from schooltrial.randomisation.record import AssignmentRecord, ordered_frame
from schooltrial.randomisation.units import sound_units, units_of
from schooltrial.wording import named

NOT_BY_LOT = "no re-randomisations: the trial is not randomised"


ERRORS = 4
"""Standard errors that an estimated threshold may be off before a list is doubted."""


@dataclass(frozen=True, eq=False)
class DrawCriterion:
    """The criterion of one draw, and the list that was drawn by it.

    Attributes
    ----------
    units : tuple of str
        All units of the draw, by name.
    codes : int8 array (units,)
        Groups as listed.
    arms : tuple of str
        Control first.
    accepts : callable
        Takes draws × units, gives one bool a draw.
    acceptance : float
        Share of draws that were acceptable.
    """

    units: tuple[str, ...]
    codes: Codes
    arms: tuple[str, ...]
    accepts: AcceptanceRule
    acceptance: float

    def among(self, units: Sequence[str], arms: Sequence[str]) -> AcceptanceRule:
        """Return the rule for re-randomising some units among some groups, all others fixed.

        Parameters
        ----------
        units : sequence of str
            Columns of the re-draws; a unit that was not drawn is an error.
        arms : sequence of str
            What the numbers 0, 1, … of the re-draws stand for.
        """
        place = {unit: at for at, unit in enumerate(self.units)}
        at = np.array([place[str(unit)] for unit in units], dtype=np.intp)
        listed = np.array([self.arms.index(arm) for arm in arms], dtype=np.int8)

        def rule(codes: Codes) -> NDArray[np.bool_]:
            every = np.repeat(self.codes[None, :], len(codes), axis=0)
            every[:, at] = listed[codes]
            return self.accepts(every)

        return rule


@dataclass(frozen=True)
class BalanceOfList:
    """How far a list is from the balance that its draw asked for.

    Attributes
    ----------
    distance : float
        Mahalanobis distance between the groups, as listed.
    threshold : float
        The largest that was acceptable.
    recorded : bool
        Whether the record gives the threshold; it is an estimate otherwise.
    meets : bool
        Whether the list is acceptable.
    far : bool
        Whether it is not, by more than the error of an estimated threshold.
    acceptance : float
        Share of draws, the best balanced, that were acceptable.
    drawn : array of float
        Distances of draws without the criterion.
    """

    distance: float
    threshold: float
    recorded: bool
    meets: bool
    far: bool
    acceptance: float
    drawn: NDArray[np.float64] = field(repr=False, compare=False)

    @property
    def share(self) -> float:
        """Share of draws without the criterion that are as balanced as the list, or better."""
        return float(np.mean(self.drawn <= self.distance * (1 + 1e-9)))


@dataclass(frozen=True)
class CriterionKnown:
    """What is known of a criterion.

    Attributes
    ----------
    criterion : DrawCriterion, optional
        None where there was none, and where it cannot be used.
    unusable : str
        Why re-draws cannot be held to it; empty where they can, or where there was none.
    not_known : str
        Why the list cannot be held to it; empty where it can, or where there was none.
    balance : BalanceOfList, optional
        How far the list is from it, where that is known.
    """

    criterion: DrawCriterion | None = None
    unusable: str = ""
    not_known: str = ""
    balance: BalanceOfList | None = None


def draw_criterion(
    assignment: pd.DataFrame,
    design: Design,
    frame: pd.DataFrame | None,
    record: AssignmentRecord | None = None,
) -> CriterionKnown:
    """Return the criterion by which the units of a list were drawn, if it can be used.

    Parameters
    ----------
    assignment : DataFrame
        The list: one row per unit, with its group.
    design : Design
        The protocol's ``design`` section.
    frame : DataFrame, optional
        The frame of the draw.
    record : AssignmentRecord, optional
        Its threshold is used; without it the threshold follows from the design's own seed.
    """
    plan, draw = lottery_plan(design), design["randomisation"]
    if not plan.rerandomised or list(plan_faults(plan)):
        return CriterionKnown()
    columns = frame_columns(design)
    if frame is None or any(
        name not in frame for name in (columns["unit_column"], *plan.balance_on)
    ):
        return _unusable("the eligible list with the balance variables is not known")
    ordered = ordered_frame(frame, columns["unit_column"], columns["block_column"], plan)
    listed = sound_units(units_of(assignment, str(design.get("unit") or "school"), plan.kind), plan)
    other = sorted(set(listed["unit"]) ^ set(ordered["unit"]))
    if other or ordered[list(plan.balance_on)].isna().to_numpy().any():
        told = "the allocation list and the eligible list have different units: "
        f"{named(other)}" if other else (
            "the eligible list has missing values in the balance variables"
        )  # fmt: skip
        return _unusable(told)
    return _held(ordered, listed, plan, record, draw["seed"] or 0)


def _unusable(told: str) -> CriterionKnown:
    return CriterionKnown(None, f"no re-randomisations: {told}", told)


def _held(
    ordered: pd.DataFrame,
    listed: pd.DataFrame,
    plan: LotteryPlan,
    record: AssignmentRecord | None,
    seed: int,
) -> CriterionKnown:
    """Compare a list with the balance criterion; a threshold without a record is estimated."""
    planned = planned_design(plan, list(ordered["unit"]), list(ordered["block"]))
    covariates = balance_columns(ordered, plan.balance_on)
    statistic = mahalanobis_balance(planned, covariates)
    arm = listed.set_index("unit")["arm"]
    codes = np.array([plan.arms.index(arm[unit]) for unit in ordered["unit"]], dtype=np.int8)
    distance = float(statistic(codes[None, :])[0])
    recorded = None if record is None else record.threshold
    threshold, limit = recorded, recorded
    drawn = drawn_distances(planned, covariates, seed)
    if threshold is None or limit is None:
        error = sqrt(plan.acceptance * (1 - plan.acceptance) / THRESHOLD_DRAWS)
        loose = min(plan.acceptance + ERRORS * error, 1.0)
        threshold = threshold_among(drawn, plan.acceptance)
        limit = threshold_among(drawn, loose)
    accepts = balanced_at_most(statistic, threshold)
    meets = bool(accepts(codes[None, :])[0])
    far = bool(distance > limit * (1 + 1e-9))
    held = BalanceOfList(
        distance, threshold, recorded is not None, meets, far, plan.acceptance, drawn
    )
    if not meets:
        unusable = (
            "no re-randomisations: the allocation list does not meet the balance criterion of its "
            "own design"
        )
        return CriterionKnown(None, unusable, balance=held)
    units = tuple(ordered["unit"])
    made = DrawCriterion(units, codes, plan.arms, accepts, plan.acceptance)
    return CriterionKnown(made, balance=held)
