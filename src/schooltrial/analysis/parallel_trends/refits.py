"""One primary panel model and outcome, fitted again to other cells or in other years."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import nan
from typing import Any, cast

import pandas as pd

from schooltrial.analysis.estimators import difference_in_differences, staggered_adoption
from schooltrial.analysis.fitting import FittedModel, PlannedModel
from schooltrial.protocol.content.sections import Model, ParallelTrends, Years
from schooltrial.refusal import Refusal, words_of

NUMBERS = ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True, eq=False)
class CheckedModel:
    """A primary panel model with the cells of one outcome.

    Attributes
    ----------
    plan : PlannedModel
        Of this outcome alone.
    cells : DataFrame
        Its cells of school and year, those with a mean.
    years : Years
        The protocol's section.
    settings : ParallelTrends
        The protocol's section.
    seed : int
        The study's.
    """

    plan: PlannedModel
    cells: pd.DataFrame
    years: Years
    settings: ParallelTrends
    seed: int

    @property
    def outcome(self) -> str:
        """The outcome."""
        return self.plan.model["outcomes"][0]

    @property
    def staggered(self) -> bool:
        """Whether schools are in cohorts that begin in different years."""
        return self.plan.model["estimator"] == "staggered_adoption"

    def with_model(self, **keys: Any) -> CheckedModel:
        """Return the model with other keys."""
        model = cast(Model, {**self.plan.model, **keys})
        return replace(self, plan=replace(self.plan, model=model))

    def fitted(self) -> FittedModel[Any]:
        """Fit it.

        Raises
        ------
        Refusal
            Where the cells do not bear the model.
        """
        if self.staggered:
            return staggered_adoption.fit_planned(self.plan, self.cells, seed=self.seed, draws=0)
        return difference_in_differences.fit_planned(self.plan, self.cells, years=self.years)

    def effect(self, check: str, setting: object = "") -> dict[str, object]:
        """Return the row of its effect, or one that says why there is none."""
        table: pd.DataFrame | None = None
        why: list[str] = []
        with reasons(why):
            table = self.fitted().table
        if table is None:
            return self.row(check, "treated", setting, note="; ".join(why))
        overall = table[table["estimand"] == "ATT"]
        if overall.empty:
            told = "the model has effects by group, and no overall one to try"
            return self.row(check, "treated", setting, note=told)
        first = overall.iloc[0]
        return self.row(
            check, str(first["term"]), setting, method=str(first["method"]),
            note=str(first["note"]), **{name: float(first[name]) for name in NUMBERS},
        )  # fmt: skip

    def row(
        self,
        check: str,
        term: str,
        setting: object = "",
        *,
        method: str = "",
        note: str = "",
        **numbers: float,
    ) -> dict[str, object]:
        """Return one row of the table of the check."""
        values = {name: numbers.get(name, nan) for name in NUMBERS}
        return {
            "model": self.plan.name, "outcome": self.outcome, "check": check, "term": term,
            "setting": setting, **values, "method": method, "note": note,
        }  # fmt: skip


@contextmanager
def reasons(found: list[str]) -> Iterator[None]:
    """Add to ``found`` why something could not be computed, instead of raising."""
    try:
        yield
    except Refusal as refusal:
        found.append(refusal.faults[0].found)
    except (ValueError, ArithmeticError) as error:
        found.append(words_of(error))
