"""Scores of the baseline year as covariates of every year: one's own, and the school's mean.

Everyone on a roster of the baseline year counts, in whatever school or class, whether or not he is
in the sample of that year: what a pupil knew before is his own, and not of the lottery.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.sample.rosters import RosterSample


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
        Unit → its score of the baseline year, on the scale of that year's sample.
    school : Series of float
        School → mean of all who were tested there in the baseline year.
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


def find_baseline_scores(
    sample: RosterSample,
) -> tuple[list[BaselineScores], pd.DataFrame | None]:
    """Return the baseline of each outcome, and who was in the sample of the design's baseline year.

    Own scores and means of schools are those of all rosters of the baseline year; see
    `RosterSample.everyone`.

    Parameters
    ----------
    sample : RosterSample
        Pupils or teachers.

    Returns
    -------
    list of BaselineScores
        One for every outcome with a ``baseline_year``.
    DataFrame or None
        Columns ``_unit, _school, arm``; None where there is no roster of that year.
    """
    outcomes = sample.rules.outcomes_of(sample.level)
    design = sample.rules.baseline if sample.level == "pupil" else None
    wanted = [outcome["baseline_year"] for outcome in outcomes.values()]
    scores: dict[str, BaselineScores] = {}
    at_baseline = None
    for year in sample.years:
        if year not in wanted and year != design:
            continue
        analysed = sample.year(year, Ledger(sample.rules.secret))[["_unit", "_school", "arm"]]
        at_baseline = analysed if year == design else at_baseline
        of_year = {name: o for name, o in outcomes.items() if o["baseline_year"] == year}
        if of_year:
            then = sample.everyone(year, of_year, analysed)
            scores |= {name: BaselineScores.of(then, name, "_unit") for name in of_year}
    nobody = pd.DataFrame({"_unit": [], "school": [], **{name: [] for name in outcomes}})
    made = [
        scores.get(name) or BaselineScores.of(nobody, name, "_unit")
        for name, outcome in outcomes.items()
        if outcome["baseline_year"] is not None
    ]
    return made, at_baseline


def add_baseline(pupils: pd.DataFrame, outcome: str, year: int) -> pd.DataFrame:
    """Add the scores of the baseline year to pupils of all years."""
    then = pupils[pupils["year"] == year]
    return BaselineScores.of(then, outcome, "pupil").add_to(pupils)
