"""Scores of the baseline year as covariates of every year: one's own, and the school's mean."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class BaselineScores:
    """One outcome's scores of the baseline year.

    Attributes
    ----------
    outcome : str
        Name of the outcome.
    unit : str
        Column by which rows of other years find their own score.
    own : Series of float
        Unit → its score of the baseline year.
    school : Series of float
        School → mean of those who were tested there in the baseline year.
    """

    outcome: str
    unit: str
    own: pd.Series
    school: pd.Series

    @classmethod
    def of(cls, then: pd.DataFrame, outcome: str, unit: str) -> BaselineScores:
        """Return the scores of the rows of the baseline year."""
        own = then.set_index(unit)[outcome]
        return cls(outcome, unit, own, then.groupby("school", observed=True)[outcome].mean())

    def add_to(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add one's own score, whether it is missing, and the school's mean.

        A missing own score is 0 with an indicator of 1 (``<outcome>_before_missing``); the mean of
        the school (``<outcome>_before_school``) is that of the school in which a row is analysed.
        """
        before = frame[self.unit].map(self.own).astype("float64")
        name = f"{self.outcome}_before"
        return frame.assign(
            **{
                name: before.fillna(0.0),
                f"{name}_missing": before.isna().astype("float64"),
                f"{name}_school": frame["school"].map(self.school).astype("float64"),
            }
        )


def add_baseline(pupils: pd.DataFrame, outcome: str, year: int) -> pd.DataFrame:
    """Add the scores of the baseline year to pupils of all years."""
    then = pupils[pupils["year"] == year]
    return BaselineScores.of(then, outcome, "pupil").add_to(pupils)
