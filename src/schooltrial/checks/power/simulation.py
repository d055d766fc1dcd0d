"""What no closed form knows of a study's power: units of unequal size, few of them, by simulation.

The closed form takes the sizes of units by their harmonic mean and the variances as known. Beside
it the trial is drawn as it was assigned, or analysed, and fitted by REML with Kenward-Roger.
"""

from __future__ import annotations

from math import nan
from typing import NamedTuple

import numpy as np
import pandas as pd

from schooltrial.checks.power.variance_shares import VarianceShares
from schooltrial.models.power.simulation import PlannedTrial, SimulatedPower, simulate_power

SIMULATED = "simulation: REML, Kenward-Roger"


MOST = 1000
"""Units beyond which sizes matter little, and trials would take long."""


class Simulated(NamedTuple):
    """The MDES of simulated trials (in SD), and power at an effect.

    ``std_error`` is the standard deviation of the estimates, ``df`` the median of theirs.
    """

    std_error: float
    df: float
    mdes: float
    power: float
    type_s: float
    type_m: float
    note: str


PATTERNS = 20
"""How often covariates are drawn; the trials are spread over them."""


def worth_drawing(units: pd.DataFrame | None, shares: VarianceShares | None) -> bool:
    """Return whether units differ in size, so that the closed form is not exact.

    Parameters
    ----------
    units : DataFrame
        One row per unit: ``n``, its pupils.
    shares : VarianceShares
        Variances; where blocks are a random level there is no simulation.
    """
    if units is None or shares is None or not 2 < len(units) <= MOST:
        return False
    return bool(units["n"].nunique() > 1) and shares.icc_block == 0 and 0 <= shares.icc < 1


def simulated(
    units: pd.DataFrame,
    shares: VarianceShares,
    *,
    blocks: bool,
    covariates: int,
    effect: float | None,
    alpha: float,
    power: float,
    trials: int,
    rng: np.random.Generator,
) -> Simulated:
    """Draw and fit the trial.

    Parameters
    ----------
    units : DataFrame
        One row per unit: ``block``, ``treated``, ``n``.
    shares : VarianceShares
        ICC and R².
    blocks : bool
        Whether block effects are in the model.
    covariates : int
        Covariates of units.
    effect : float, optional
        At which power is told.
    alpha, power : float
        Of the test, and that at which the least detectable effect is stated.
    trials : int
        How many are drawn.
    rng : numpy.random.Generator
        Source of randomness.

    Raises
    ------
    ValueError
        Where the trial has no comparison.
    """
    trial = PlannedTrial(
        np.maximum(units["n"].to_numpy("float64").round(), 1).astype(np.int64),
        units["treated"].to_numpy("int64"),
        units["block"].to_numpy() if blocks else None,
        covariates,
    )
    drawn = simulate_power(
        trial, shares.icc, r2_school=min(shares.r2_school, 1.0), r2_pupil=shares.r2_pupil,
        trials=trials, patterns=PATTERNS, rng=rng,
    )  # fmt: skip
    told = f"{trials:,} trials drawn with these sizes"
    if effect is not None:
        error = drawn.power_error(effect, alpha=alpha)
        told += f"; Monte Carlo standard error of the power {error:.3f}"
    return Simulated(
        float(np.std(drawn.estimate)), float(np.median(drawn.df)),
        drawn.mdes(alpha=alpha, power=power), *_at(drawn, effect, alpha), told,
    )  # fmt: skip


def _at(drawn: SimulatedPower, effect: float | None, alpha: float) -> tuple[float, float, float]:
    if effect is None:
        return nan, nan, nan
    reached = drawn.power(effect, alpha=alpha)
    if effect == 0 or reached == 0:
        return reached, nan, nan
    found = drawn.sign_magnitude(effect, alpha=alpha)
    return found.power, found.type_s, found.type_m
