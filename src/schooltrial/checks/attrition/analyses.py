"""Who counts as not lost: those whose rows a primary model analyses; else those who were measured.

What Works Clearinghouse counts as attrition everyone of the sample that was assigned who is not in
the sample that is analysed, for whatever reason: an outcome or a covariate that is missing, no
record of take-up, a filter on what happened since (white paper on attrition, ERIC ED610408). Only
who is outside by what was known at the assignment was never part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from schooltrial.checks.attrition.informative_cells import find_informative_cells
from schooltrial.data.rows.analysed import OF_PANELS, is_analysed
from schooltrial.protocol.content.filters import Filter
from schooltrial.protocol.content.made_variables import components, roots
from schooltrial.protocol.content.sections import (
    Arm,
    DerivedVariable,
    Model,
    Outcome,
    TakeUp,
    Years,
    covariate_terms,
    model_of_outcome,
    years_of_model,
)

NO_YEARS: Years = {
    "label": "year", "baseline": [], "programme": [], "follow_up": [], "to_come": [],
    "reference": None, "lasts": None,
}  # fmt: skip


ENTERED = "came into the population"
"""Quantity of attrition: who is analysed, and was outside by what was known before."""

CAME = "joined, of those analysed"
"""Quantity of attrition: who is analysed, and was not enrolled at the assignment."""


@dataclass(frozen=True)
class Analysis:
    """What is made of one outcome: an analysis by a primary model, or no more than its measurement.

    Attributes
    ----------
    model : str
        The primary model; empty where none analyses the outcome in that year and arm.
    outcome : str
        The outcome.
    population : Filter
        Whose outcome it is and whom the model takes, before it is known who can be analysed.
    arms : tuple of str
        The groups that are compared with the control group.
    rows : Series of bool
        Of each row of the sample, whether it is analysed; or was measured.
    covariates : tuple of str
        The terms that the model adjusts for; none of a panel, whose rows are compared over years.
    """

    model: str
    outcome: str
    population: Filter
    arms: tuple[str, ...]
    rows: pd.Series
    covariates: tuple[str, ...] = ()


@dataclass(frozen=True)
class PrimaryModels:
    """The models that decide who is lost, and the data that they use.

    Attributes
    ----------
    models : mapping
        Section of the protocol; those that are not primary are passed over.
    take_up : str, optional
        The variable of take-up, which models of the effect on compliers need.
    since : collection of str
        Variables that are known only after the assignment; see `known_since_assignment`.
    """

    models: Mapping[str, Model] = field(default_factory=dict)
    take_up: str | None = None
    since: Collection[str] = ()

    @classmethod
    def of(
        cls,
        models: Mapping[str, Model],
        outcomes: Mapping[str, Outcome],
        variables: Mapping[str, DerivedVariable],
        take_up: TakeUp,
    ) -> PrimaryModels:
        """Return the primary models of a protocol's sections."""
        primary = {name: model for name, model in models.items() if model["role"] == "primary"}
        since = known_since_assignment(outcomes, variables, take_up["variable"])
        return cls(primary, take_up["variable"], since)

    def analyses(
        self,
        sample: pd.DataFrame,
        outcomes: Mapping[str, Outcome],
        arms: Sequence[Arm],
        years: Years | None,
    ) -> Analyses:
        """Return who is analysed in a sample.

        Parameters
        ----------
        sample : DataFrame
            One row per pupil (or teacher) and year, or per cell of a school and year.
        outcomes : mapping
            Outcomes that are columns of the sample.
        arms, years : protocol sections
        """
        if years is None and self.models:
            raise ValueError("who is lost by a model depends on the years of the trial: give years")
        named = [str(arm["name"]) for arm in arms]
        return Analyses(self, sample, outcomes, named, years or NO_YEARS)

    def years(self, years: Years, others: Sequence[int]) -> list[int]:
        """Return all years in which an outcome may be bounded: of primary models, and others."""
        every = pd.Series([*years["programme"], *years["follow_up"]], dtype="int64")
        own = (analysed_years(model, years, every) for model in self.models.values())
        return sorted(set(others).union(*own))

    def of_outcome(self, name: str, outcomes: Mapping[str, Outcome]) -> Iterator[tuple[str, Model]]:
        """Yield each primary model of an outcome, as it is fitted to it."""
        for label, model in self.models.items():
            if name in model["outcomes"] and model["role"] == "primary":
                yield label, model_of_outcome(model, name, outcomes)


@dataclass(frozen=True)
class Analyses:
    """Who is analysed in a sample, outcome by outcome.

    Attributes
    ----------
    primary : PrimaryModels
        By which it is judged.
    sample : DataFrame
        The rows.
    outcomes : mapping
        Section of the protocol.
    arms : list of str
        The control group first.
    years : Years
        Section of the protocol.
    """

    primary: PrimaryModels
    sample: pd.DataFrame
    outcomes: Mapping[str, Outcome]
    arms: list[str]
    years: Years

    def of(self, name: str) -> list[tuple[frozenset[int], Analysis]]:
        """Return the analyses of an outcome by primary models, each with the years it analyses.

        A model that names no year analyses all of which the sample has rows, from the programme's
        first on.
        """
        found = []
        for label, model in self.primary.of_outcome(name, self.outcomes):
            rows = self._rows(name, model)
            years = analysed_years(model, self.years, self.sample.loc[rows, "year"])
            arms = tuple(arm for arm in self.arms[1:] if not model["arms"] or arm in model["arms"])
            panel = model["estimator"] in OF_PANELS
            terms = () if panel else tuple(covariate_terms(model, name))
            found.append((years, Analysis(label, name, model["where"], arms, rows, terms)))
        return found

    def measured(self, name: str, arms: Sequence[str]) -> Analysis:
        """Return individuals with a measured outcome, in groups that no primary model analyses."""
        rows = pd.Series(False, index=self.sample.index)
        if name in self.sample:
            rows = self.sample[name].notna()
        return Analysis("", name, self.outcomes[name]["population"], tuple(arms), rows)

    def in_year(
        self, year: int, found: Sequence[tuple[frozenset[int], Analysis]], name: str
    ) -> list[Analysis]:
        """Return the analyses of an outcome in a year; in the other groups, who was measured."""
        mine = [analysis for years, analysis in found if year in years]
        compared = {arm for analysis in mine for arm in analysis.arms}
        others = [arm for arm in self.arms[1:] if arm not in compared]
        return [*mine, *([self.measured(name, others)] if others else [])]

    def by_year(self, others: Sequence[int]) -> Iterator[tuple[int, str, list[Analysis]]]:
        """Yield each year with an outcome and its analyses, in the order of years and outcomes.

        Parameters
        ----------
        others : sequence of int
            Years of the outcomes, and arms, that no primary model analyses.
        """
        found = {name: self.of(name) for name in self.outcomes}
        own = {
            name: {year for years, _ in parts for year in years} or set(others)
            for name, parts in found.items()
        }
        for year in sorted(set().union(*own.values())):
            for name, parts in found.items():
                if year in own[name]:
                    yield year, name, self.in_year(year, parts, name)

    def _rows(self, name: str, model: Model) -> pd.Series:
        if name not in self.sample:
            return pd.Series(False, index=self.sample.index)
        rows = is_analysed(self.sample, model, name, self.primary.take_up)
        if model["estimator"] in OF_PANELS:
            rows = rows & find_informative_cells(self.sample, rows, model, self.years)
        return rows


def analysed_years(model: Model, years: Years, there: pd.Series) -> frozenset[int]:
    """Return the years, from the programme's first on, that a model analyses.

    Parameters
    ----------
    model, years : protocol sections
    there : Series of int
        The year of every row that is analysed, for models that name no year.
    """
    every = [*years["programme"], *years["follow_up"]]
    named = years_of_model(model, years) or [year for year in every if (there == year).any()]
    return frozenset(year for year in named or every if year in every)


def known_since_assignment(
    outcomes: Mapping[str, Outcome],
    variables: Mapping[str, DerivedVariable],
    take_up: str | None,
) -> frozenset[str]:
    """Return the variables that say what happened after the assignment.

    They are the outcomes, what these are made of (days present, days enrolled), take-up, the
    indicators of a baseline that is missing (what is missing is no characteristic), and all
    variables made of them.
    """
    measured = {name for outcome in outcomes.values() for name in components(outcome)}
    measured |= {*outcomes, *(f"{name}_before_missing" for name in outcomes)}
    measured |= {take_up} if take_up else set()
    rooted = {root for name in measured for root in roots(name, variables)}
    made = {name for name in variables if roots(name, variables) & rooted}
    return frozenset(measured | rooted | made)


def analysing_models(attrition: pd.DataFrame) -> pd.Series:
    """Return the primary model of each row of a table of attrition; empty if there is none.

    Parameters
    ----------
    attrition : DataFrame
        Such as `rates.attrition` makes, written and read back or not.
    """
    if "model" not in attrition:
        return pd.Series("", index=attrition.index, dtype="str")
    return attrition["model"].astype("object").fillna("").astype("str")
