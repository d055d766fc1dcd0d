"""Differences between two groups net of blocks: with CR2, and by re-drawing the assignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.checks.balance.compared_columns import is_constant
from schooltrial.data.rows.coding import Covariate
from schooltrial.models.assignment.design import AcceptanceRule, AssignmentError
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.randomisation_inference.covariate_differences import (
    adjusted_differences,
    numbers_as_drawn,
    redrawn_differences,
)
from schooltrial.models.randomisation_inference.inference import DRAWS
from schooltrial.randomisation.criterion import DrawCriterion
from schooltrial.refusal import words_of

EVERY_ARM = "all groups"


CELLS = 200_000_000
"""Most cells (draws × units) that are drawn; lotteries of many pupils take fewer draws."""


FEWEST = 999


EXACT_UP_TO = 100_000
"""Fewer than for effects: balance is tested for every variable of every table."""


@dataclass(frozen=True)
class Redrawing:
    """How assignments are re-randomised.

    Attributes
    ----------
    draws, exact_up_to : int
        As for `randomisation_inference.randomisation_inference`.
    seed : int
    criterion : DrawCriterion, optional
        Of a re-randomised design.
    impossible : str
        Why there can be no p-value by re-drawing; empty where there can.
    """

    draws: int = DRAWS
    exact_up_to: int = EXACT_UP_TO
    seed: int = 0
    criterion: DrawCriterion | None = None
    impossible: str = ""

    def options(self, n_units: int) -> dict[str, int]:
        """Return the numbers of draws for a design of so many units."""
        affordable = max(FEWEST, CELLS // max(n_units, 1))
        return {
            "draws": min(self.draws, affordable),
            "exact_up_to": min(self.exact_up_to, affordable),
        }

    def rule(
        self, units: Sequence[str], arm: str, codes: Sequence[float] = (0, 1)
    ) -> AcceptanceRule | None:
        """Return the balance criterion for re-randomising these units.

        ``arm`` is the one that is compared with control, or ``all arms``; ``codes`` are the numbers
        of the groups that are present.
        """
        if self.criterion is None:
            return None
        known = self.criterion.arms
        names = known if arm == EVERY_ARM else (known[0], arm or known[1])
        return self.criterion.among(
            [str(unit) for unit in units], [names[int(code)] for code in codes]
        )


@dataclass(frozen=True)
class Arms:
    """The rows of two groups.

    Attributes
    ----------
    treated : array (N,)
        1 in the group that is compared with control, else 0.
    unit, block : arrays (N,)
        Labels of what was drawn, and of its block.
    """

    treated: NDArray[np.float64]
    unit: NDArray[Any]
    block: NDArray[Any]

    def of_units(self) -> pd.DataFrame:
        """Return one row per unit: group and block, by name."""
        frame = pd.DataFrame({"unit": self.unit, "treated": self.treated, "block": self.block})
        return frame.drop_duplicates("unit").sort_values("unit", ignore_index=True)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The block-adjusted difference of a covariate.

    Attributes
    ----------
    difference, std_error, df, p_value : float
        With CR2 and Satterthwaite's df, clusters being the units drawn.
    note : str
        Why there is none, or what must be known beside it.
    """

    difference: float
    std_error: float
    df: float
    p_value: float
    note: str


NONE = Adjusted(np.nan, np.nan, np.nan, np.nan, "")


def adjusted_difference(values: pd.Series, arms: Arms) -> Adjusted:
    """Return the coefficient of the group in a regression of a covariate on it and on blocks."""
    known = values.notna().to_numpy()
    x, z = values.to_numpy(dtype="float64")[known], arms.treated[known]
    if x.size == 0 or np.unique(z).size < 2:
        return NONE
    if is_constant(pd.Series(x)):
        return Adjusted(0.0, 0.0, np.nan, np.nan, "the same for all")
    blocks = arms.block[known]
    has_blocks = pd.unique(blocks).size > 1
    columns, names = ([z], ["treated"]) if has_blocks else (
        [np.ones(z.size), z], ["(Intercept)", "treated"]
    )  # fmt: skip
    try:
        fit = fit_least_squares_columns(
            x, columns, names=names, cluster=arms.unit[known],
            absorb=blocks if has_blocks else None,
        )  # fmt: skip
        row = fit.estimates(["treated"], vcov="CR2")[0]
    except ValueError as error:
        return Adjusted(np.nan, np.nan, np.nan, np.nan, words_of(error))
    if all(is_constant(pd.Series(x[z == arm])) for arm in np.unique(z)):
        return Adjusted(row.estimate, 0.0, np.nan, np.nan, "varies in neither group: no test")
    return Adjusted(row.estimate, row.std_error, row.df, row.p_value, row.note)


@dataclass(frozen=True)
class RedrawnBalance:
    """p-values by re-drawing, in the order of the covariates.

    Attributes
    ----------
    p_values : array (K,)
        NaN where no re-draw changes anything.
    draws : int
    exact : bool
    note : str
        Why there is none.
    """

    p_values: NDArray[np.float64]
    draws: int
    exact: bool
    note: str = ""


def redrawn_balance(
    columns: Sequence[Covariate],
    arms: Arms,
    redrawing: Redrawing,
    seed: np.random.Generator,
    arm: str = "",
) -> RedrawnBalance:
    """Return the p-value of each covariate's block-adjusted difference by re-randomisation."""
    units = arms.of_units()
    nothing = RedrawnBalance(np.full(len(columns), np.nan), 0, False, redrawing.impossible)
    if redrawing.impossible or not columns or units["treated"].nunique() < 2:
        return nothing
    design = numbers_as_drawn(
        units["unit"], units["treated"], units["block"], (0.0, 1.0),
        redrawing.rule(list(units["unit"]), arm),
    )  # fmt: skip
    if design.possible < 2:
        return nothing
    at = pd.Index(units["unit"]).get_indexer(pd.Index(arms.unit))
    values = np.column_stack([column.values.to_numpy(dtype="float64") for column in columns])
    known = np.isfinite(values)
    sums, counts = np.zeros((2, len(units), len(columns)))
    np.add.at(sums, at, np.where(known, values, 0.0))
    np.add.at(counts, at, known.astype(float))
    statistic = adjusted_differences(sums, counts, units["block"].to_numpy())
    try:
        found = redrawn_differences(
            design, units["treated"].to_numpy(), statistic, seed=seed,
            **redrawing.options(len(units)),
        )  # fmt: skip
    except AssignmentError as error:  # the criterion accepts too few of the re-draws
        return replace(nothing, note=str(error))
    p = np.where(np.isfinite(found.observed), found.p_value(), np.nan)
    return RedrawnBalance(p, len(found.draws), found.exact)
