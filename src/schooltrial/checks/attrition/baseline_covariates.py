"""What was known of pupils before they could be lost, as columns for a regression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from schooltrial.checks.attrition.roster import Roster
from schooltrial.data.rows.coding import Kind, code_columns
from schooltrial.protocol.content.sections import Outcome


@dataclass(frozen=True)
class BaselineColumn:
    """One regressor.

    Attributes
    ----------
    variable : str
        The covariate that it is made from.
    category : str
        Level of a category, ``missing`` for an indicator, empty for a number.
    values : Series
        As they are, NaN where missing.
    filled : Series
        For the regression: numbers in SD from their mean, and 0 where missing; flags and
        indicators 0 or 1.
    """

    variable: str
    category: str
    values: pd.Series
    filled: pd.Series

    @property
    def name(self) -> str:
        """Name of the regressor."""
        return f"{self.variable}: {self.category}" if self.category else self.variable


def baseline_columns(
    listed: Roster, covariates: Sequence[str], outcomes: Mapping[str, Outcome]
) -> list[BaselineColumn]:
    """Return the regressors of those covariates that were known at baseline.

    A category gives one indicator per level but the first, and what is missing somewhere an
    indicator of that. An outcome is taken in the baseline year; on the roster of a later year
    ``<outcome>_before`` stands for it, and without that it is left out. What does not vary is left
    out too.
    """
    return [
        column
        for covariate in covariates
        for column in _columns(listed, covariate, covariate in outcomes)
        if column.filled.nunique() > 1
    ]


def _columns(listed: Roster, covariate: str, is_outcome: bool) -> Iterator[BaselineColumn]:
    values = _known(listed, covariate, is_outcome)
    if values is None:
        return
    known = values.to_frame(covariate)
    for column in code_columns(known, [covariate], levels="all but the first", missing="indicated"):
        filled = _scaled(column.values, column.kind).fillna(0.0)
        yield BaselineColumn(covariate, column.category, column.values, filled)


def _scaled(values: pd.Series, kind: Kind) -> pd.Series:
    if kind != "number":
        return values
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 0 else 1.0)


def _known(listed: Roster, covariate: str, is_outcome: bool) -> pd.Series | None:
    people = listed.people
    if not is_outcome or listed.followed:
        return people.get(covariate)
    before = f"{covariate}_before"
    if before not in people:
        return None
    return people[before].astype("float64").mask(people[f"{before}_missing"] == 1)
