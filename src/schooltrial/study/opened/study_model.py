"""A model of a study as ``study["name"]`` gives it: what was estimated, and the way to refit it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schooltrial.exhibits.style.coefficient_plot import Plot, plot_estimates
from schooltrial.exhibits.style.figures import foot_text
from schooltrial.models.inference.estimate import Estimate
from schooltrial.protocol.content.sections import Model, StudyLine
from schooltrial.refusal import unknown
from schooltrial.study.opened.refit import Refit

SHOWN = ("outcome", "estimand", "term", "estimate", "std_error", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True, repr=False)
class StudyModel:
    """A model of the protocol with the rows that the study estimated by it.

    Attributes
    ----------
    name : str
    model : Model
        Its section of the protocol.
    rows : DataFrame
        Its rows of ``estimates.csv``.
    line : StudyLine
        What stands below its plots: study, protocol, whether its data are synthetic.
    again : callable
        Fits it again: outcome and changes → ``Refit``.
    """

    name: str
    model: Model
    rows: pd.DataFrame
    line: StudyLine
    again: Callable[..., Refit]

    status = "as planned"

    @property
    def outcomes(self) -> list[str]:
        """The outcomes that it is fitted to."""
        return list(self.model["outcomes"])

    def estimates(self) -> tuple[Estimate, ...]:
        """Return the estimates of all outcomes; terms bear the outcome where there are several."""
        return tuple(self._estimate(row) for row in self.rows.to_dict("records"))

    def _estimate(self, row: dict[Any, Any]) -> Estimate:
        values = {key: row[key] for key in Estimate.__dataclass_fields__}
        note = values["note"] if isinstance(values["note"], str) else ""
        return Estimate(**{**values, "note": note, "term": self._label(row)})

    def _label(self, row: dict[Any, Any]) -> str:
        return f"{row['outcome']}: {row['term']}" if len(self.outcomes) > 1 else str(row["term"])

    @property
    def params(self) -> pd.Series:
        """Estimates by outcome and term."""
        return self._series("estimate")

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors by outcome and term."""
        return self._series("std_error")

    def _series(self, column: str) -> pd.Series:
        return self.rows.set_index(["outcome", "term"])[column]

    def conf_int(self) -> pd.DataFrame:
        """Return the confidence intervals by outcome and term: columns low and high."""
        ends = self.rows.set_index(["outcome", "term"])[["conf_low", "conf_high"]]
        return ends.rename(columns={"conf_low": "low", "conf_high": "high"})

    def to_frame(self) -> pd.DataFrame:
        """Return the rows, with the columns of the study's table of estimates."""
        return self.rows.copy()

    def summary(self) -> str:
        """Return the model in words with all its rows."""
        return self._told(len(self.rows))

    def plot(self, outcomes: Sequence[str] | None = None) -> Plot:
        """Plot the estimates with their confidence intervals, of all outcomes or of some."""
        wanted = self.outcomes if outcomes is None else list(outcomes)
        for outcome in wanted:
            self._known(outcome)
        rows = [
            self._estimate(row) for row in self.rows.to_dict("records") if row["outcome"] in wanted
        ]
        return plot_estimates({self.name: rows}, self.name, foot_text(self.line))

    def refit(self, outcome: str | None = None, **changes: Any) -> Refit:
        """Fit the model again, as planned or with changes: ``refit("maths", covariates=[])``."""
        return self.again(self.name, outcome, **changes)

    def predict(self, outcome: str | None = None) -> Any:
        """Return what the model expects of each row that it analyses, fitted again as planned."""
        return self.refit(outcome).predict()

    def __getitem__(self, outcome: str) -> Refit:
        """Return the model fitted again to one outcome, as planned."""
        self._known(outcome)
        return self.refit(outcome)

    def _known(self, outcome: str) -> None:
        if outcome not in self.outcomes:
            raise unknown(f"outcome of {self.name}", outcome, self.outcomes)

    def __repr__(self) -> str:
        return self._told(8)

    def _told(self, most: int) -> str:
        label = "SYNTHETIC DATA. " if self.line["synthetic"] else ""
        head = f"{label}{self.line['title']}: {self.name}, {self.model['label'] or 'no label'}"
        role = f"{self.model['estimator']}, {self.model['role']}, as planned"
        table = self.rows[list(SHOWN)].head(most)
        text = table.to_string(index=False, float_format="{:.4g}".format)
        left = len(self.rows) - most
        more = [f"and {left} more rows: summary() shows all"] if left > 0 else []
        return "\n".join([head, role, text, *more])
