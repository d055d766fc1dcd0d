r"""What is true of a lottery of teachers within schools, from both potential outcomes.

With :math:`Y_i(z)` the outcome under offer z and :math:`D_i(z)` the take-up, the effect of the
offer is :math:`\frac1N\sum_i [Y_i(1) - Y_i(0)]` and that of taking it up is the same mean over
compliers, for whom :math:`D_i(1) > D_i(0)`. As an offer acts through take-up only, the first is the
second times the share of compliers (Angrist, Imbens & Rubin 1996, JASA 91(434), 444-455).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.simulate.school_randomised.parameters import SUBJECTS
from schooltrial.simulate.within_school_lottery.parameters import (
    SURVEYED,
    TEACHER_OUTCOMES,
    LotteryParameters,
)
from schooltrial.simulate.within_school_lottery.teachers import STRATA, draw_seed

Floats = NDArray[np.float64]


UNITS = {
    **dict.fromkeys(SURVEYED, "SD, within the year, of teachers of the lottery without an offer"),
    "stays": "share of the teachers of the lottery",
    **dict.fromkeys(
        SUBJECTS, "SD, within grade and year, of pupils of the lottery's teachers without an offer"
    ),
}


def lottery_truth(
    parameters: LotteryParameters,
    seed: int,
    teachers: pd.DataFrame,
    years: pd.DataFrame,
    pupils: pd.DataFrame,
) -> dict[str, Any]:
    """Return what is true of the trial, in values that JSON can hold.

    Parameters
    ----------
    parameters : LotteryParameters
        The years, for the order of the keys.
    seed : int
        Seed of the study.
    teachers, years, pupils : pandas.DataFrame
        The complete data, with the status of each value.

    Returns
    -------
    dict
        ``seed``, ``randomisation_seed``; by outcome and year ``effects`` (of the offer, all who
        are in the lottery alike), ``effects_within_schools`` (the same, schools weighted by
        :math:`n_s p_s (1 - p_s)` with :math:`p_s` the share offered, as least squares with school
        effects weighs them) and ``cace`` (of taking it up, on compliers); ``units``; ``strata``
        (teachers by stratum), ``complier_share`` (of teachers; of pupils by year), ``take_up`` by
        arm; ``n_schools``, ``n_teachers``, ``n_applicants``, ``n_offered``, ``n_pupils`` and
        ``n_lottery_pupils`` by year, ``n_analysed`` by outcome and year (in the lottery, and to be
        had from the files) and ``left_by_arm`` by year. Teachers' effects are of all in the
        lottery, wherever they teach later; pupils' of the classes that they teach that year. All
        are of these teachers and pupils, not of a population that they come from.
    """
    lottery = teachers[teachers["applied"]]
    taught = pupils[pupils["stratum"] != ""]
    mine = years.join(teachers[["applied", "stratum", "offered", "school_code"]], on="teacher")
    mine = mine[mine["applied"]]
    gains = {o: _gains(mine, o, ["year"]) for o in SURVEYED}
    # Nobody who is in the lottery had left before it was drawn.
    gains["stays"] = _rows(mine, (mine["stays_offered"] - mine["stays_not_offered"]).fillna(0.0))
    gains |= {o: _gains(taught, o, ["grade", "year"]) for o in SUBJECTS}
    compliers = {o: g[g["stratum"] == STRATA[1]] for o, g in gains.items()}
    offers = lottery.groupby("offered")["took_up"].mean()
    shares = (taught["stratum"] == STRATA[1]).groupby(taught["year"]).mean()
    analysed = {
        o: (rows[f"{o}_status"] == "valid").groupby(rows["year"]).sum()
        for rows, outcomes in ((mine, SURVEYED), (taught, SUBJECTS))
        for o in outcomes
    } | {"stays": mine["stays"].notna().groupby(mine["year"]).sum()}
    return {
        "seed": seed,
        "randomisation_seed": draw_seed(seed),
        "effects": {o: _by_year(g) for o, g in gains.items()},
        "effects_within_schools": {o: _within_schools(g) for o, g in gains.items()},
        "cace": {o: _by_year(g) for o, g in compliers.items()},
        "units": {o: UNITS[o] for o in (*TEACHER_OUTCOMES, *SUBJECTS)},
        "strata": {s: int((lottery["stratum"] == s).sum()) for s in STRATA},
        "complier_share": {
            "teacher": float((lottery["stratum"] == STRATA[1]).mean()),
            "pupil": {str(year): float(share) for year, share in shares.items()},
        },
        "take_up": {"offer": float(offers[True]), "no_offer": float(offers[False])},
        "n_schools": int(teachers["school"].nunique()),
        "n_teachers": int((teachers["first_year"] == parameters.years[0]).sum()),
        "n_applicants": len(lottery),
        "n_offered": int(lottery["offered"].sum()),
        "n_pupils": _counts(pupils.groupby("year").size()),
        "n_lottery_pupils": _counts(taught.groupby("year").size()),
        "n_analysed": {outcome: _counts(found) for outcome, found in analysed.items()},
        "left_by_arm": _left(mine),
    }


def _gains(rows: pd.DataFrame, outcome: str, within: list[str]) -> pd.DataFrame:
    """Return each unit's effect of the offer in SD of the outcome without one, in its cell."""
    spread = rows.groupby(within)[f"{outcome}_not_offered"].transform("std")
    return _rows(rows, (rows[f"{outcome}_offered"] - rows[f"{outcome}_not_offered"]) / spread)


def _rows(rows: pd.DataFrame, gain: pd.Series) -> pd.DataFrame:
    return rows[["year", "school_code", "stratum", "offered"]].assign(gain=gain)


def _by_year(gains: pd.DataFrame) -> dict[str, float]:
    return {str(year): float(gain) for year, gain in gains.groupby("year")["gain"].mean().items()}


def _within_schools(gains: pd.DataFrame) -> dict[str, float]:
    """Return the mean over schools by year, each weighted as school effects do."""
    cells = gains.groupby(["year", "school_code"]).agg(
        gain=("gain", "mean"), share=("offered", "mean"), n=("gain", "size")
    )
    weight = cells["n"] * cells["share"] * (1 - cells["share"])
    total = (weight * cells["gain"]).groupby("year").sum() / weight.groupby("year").sum()
    return {str(year): float(gain) for year, gain in total.items()}


def _counts(counts: pd.Series) -> dict[str, int]:
    return {str(key): int(value) for key, value in counts.items()}


def _left(mine: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return, by year, how many of each group are no longer in the school in the October after."""
    later = mine[mine["stays"].notna()]
    return {
        str(year): {
            arm: int((rows.loc[rows["offered"] == offered, "stays"] == 0).sum())
            for arm, offered in (("offer", True), ("no_offer", False))
        }
        for year, rows in later.groupby("year", sort=True)
    }
