"""What a trial of another size would detect, planned with what this study teaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt

import pandas as pd

from schooltrial.models.power.allocation import planned_allocation
from schooltrial.models.power.closed_form import school_randomised
from schooltrial.models.power.minimum_detectable_effect import Precision
from schooltrial.refusal import UserError
from schooltrial.wording import plural_of

SIZES = (20, 30, 40, 60, 80, 120)
"""Units of the trials that are planned where none are named."""


ALL = 1 - 1e-9
"""Intraclass correlation from which all variance is between units, but for rounding."""


@dataclass(frozen=True)
class Lessons:
    """What a study says of the precision of its next trial, for one outcome.

    Attributes
    ----------
    unit, scale : str
        What is assigned, and the units of effects.
    units, std_error, df : float
        Of this study's analysis.
    icc, r2_school, r2_pupil, pupils : float
        Intraclass correlation, shares explained, and pupils in each unit; NaN where the outcome has
        one level.
    covariates : int
        Covariates that vary between units.
    effect, alpha, power : float
        Effect expected (NaN where the protocol names none), level and target power.
    treated : float
        How many of the units were in the intervention group; NaN where that is not known.
    """

    unit: str
    scale: str
    units: float
    std_error: float
    df: float
    icc: float
    r2_school: float
    r2_pupil: float
    pupils: float
    covariates: int
    effect: float
    alpha: float
    power: float
    treated: float = nan

    @property
    def known(self) -> bool:
        """Whether the study has any precision of the outcome."""
        return isfinite(self.std_error)

    @property
    def two_levels(self) -> bool:
        """Whether pupils in units can be planned apart from units.

        Where each unit is a record of its own, or all variance is between units, more records in
        each would change nothing, and the plan would read as if that were a finding.
        """
        return isfinite(self.icc) and self.icc < ALL and isfinite(self.pupils) and self.pupils > 1

    @property
    def words(self) -> str:
        """Where the numbers of the plan come from, in a sentence."""
        units = plural_of(self.unit)
        if not self.known:
            return "The check of power has no precision of this outcome, so nothing is planned."
        if not self.two_levels:
            return (
                f"The standard error of this study ({self.std_error:.3f} {self.scale} with "
                f"{self.units:,.0f} {units}{self._in_programme()}) is scaled to other numbers of "
                f"{units}, half of them in each group: it is taken to fall with the square root of "
                "their number."
            )
        return (
            f"From this study: ICC {self.icc:.3f}, {self.pupils:.0f} records in each {self.unit}; "
            f"covariates explain {100 * max(self.r2_school, 0):.0f}% of the variance between "
            f"{units} and {100 * max(self.r2_pupil, 0):.0f}% within."
        )

    def precision(self, units: float, pupils: float | None = None) -> Precision:
        """Return the precision of a trial of so many units, half of them in each group."""
        if not self.two_levels:
            return Precision(self._std_error(units), self._df(units))
        return school_randomised(
            planned_allocation(units),
            self.pupils if pupils is None else pupils,
            self.icc,
            r2_school=max(self.r2_school, 0.0),
            r2_pupil=max(self.r2_pupil, 0.0),
            covariates=self.covariates,
        )

    def _in_programme(self) -> str:
        return f", {self.treated:,.0f} of them in the programme" if isfinite(self.treated) else ""

    def _std_error(self, units: float) -> float:
        """Scale the standard error by √(1/n₁ + 1/n₀), from the groups here to two of one size."""
        n1, n0 = self.treated, self.units - self.treated
        here = 1 / n1 + 1 / n0 if isfinite(n1) and n1 > 0 and n0 > 0 else 4 / self.units
        return self.std_error * sqrt(4 / units / here)

    def _df(self, units: float) -> float:
        """Return the degrees of freedom of two groups of one size and the covariates.

        Those of this study may be few because its groups are unlike in size, which the next trial
        does not repeat.
        """
        return max(units - 2.0 - self.covariates, 1.0) if isfinite(self.df) else self.df


def read_lessons(power: pd.DataFrame, outcome: str) -> Lessons:
    """Return what the study's check of power says of an outcome.

    Parameters
    ----------
    power : DataFrame
        The study's ``checks/power.csv``.
    outcome : str
        Name of the outcome.

    Raises
    ------
    UserError
        Where the check has no row of this outcome.
    """
    mine = power[power["outcome"] == outcome]
    if mine.empty:
        raise UserError(f"checks/power.csv has no row of {outcome!r}, so nothing is planned")
    known = mine[mine["std_error"].notna()]
    rows = known if len(known) else mine
    analysed = rows[rows["stage"] == "analysis"]
    row = (analysed if len(analysed) else rows).iloc[0]
    return Lessons(
        str(row["unit_kind"]), str(row["units_label"]), float(row["n_units"]),
        float(row["std_error"]),
        float(row["df"]), float(row["icc"]), float(row["r2_school"]), float(row["r2_pupil"]),
        float(row["individuals_per_unit"]),
        0 if pd.isna(row["covariates_school"]) else int(row["covariates_school"]),
        float(row["effect"]), float(row["alpha"]), float(row["target_power"]),
        float(row["n_treated_units"]),
    )  # fmt: skip


def plan_trials(
    lessons: Lessons, units: Sequence[float] = SIZES, pupils: float | None = None
) -> pd.DataFrame:
    """Plan trials of several sizes: standard error, least effect detected, power.

    Parameters
    ----------
    lessons : Lessons
        What this study teaches.
    units : sequence of float
        How many units, both groups together.
    pupils : float, optional
        Records in each unit; as in this study by default.
    """
    head = plural_of(lessons.unit).capitalize()
    planned = []
    for number in units if lessons.known else ():
        precision = lessons.precision(number, pupils)
        row = {
            head: number,
            "Standard error": precision.std_error,
            f"MDES ({lessons.scale})": precision.mdes(alpha=lessons.alpha, power=lessons.power),
        }
        if isfinite(lessons.effect):
            known = precision.power(lessons.effect, alpha=lessons.alpha)
            row[f"Power at {lessons.effect:g} (%)"] = round(100 * known, 1)
        planned.append(row)
    return pd.DataFrame(planned, columns=None if planned else [head])
