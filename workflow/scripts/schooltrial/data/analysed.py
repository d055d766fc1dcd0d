"""Who is in the population of a primary analysis, and lacks what it needs."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schooltrial.data.ledger import Ledger
from schooltrial.data.row_filters import matches
from schooltrial.protocol import Model, Outcome, needed_variables


def record_analyses(
    frame: pd.DataFrame,
    level: str,
    outcomes: Mapping[str, Outcome],
    models: Mapping[str, Model],
    ledger: Ledger,
    take_up: str | None = None,
) -> None:
    """Tell the ledger who leaves a primary analysis, and why.

    Parameters
    ----------
    frame : DataFrame
        The sample, or a year of it.
    level : str
        Whose sample it is.
    outcomes : mapping
        Outcomes of that level.
    models : mapping
        Models of the protocol; those that are primary are told.
    ledger : Ledger
        What is told.
    take_up : str, optional
        What a model of the effect on compliers needs too.
    """
    for name, model in models.items():
        if model["role"] != "primary":
            continue
        wanted = [outcome for outcome in model["outcomes"] if outcome in outcomes]
        for outcome in wanted:
            needed = needed_variables(model, outcome)[1:]
            if model["estimator"] == "complier_effect" and take_up:
                needed.append(take_up)
            population = _population(frame, model, [level, "year", "arm", outcome, *needed])
            step = f"analysed: {name}, {outcome}"
            observed = ledger.leave(
                population, population[outcome].isna(), step=step, level=level,
                reason=f"{outcome} was not observed",
            )  # fmt: skip
            incomplete = observed[needed].isna().any(axis=1)
            ledger.leave(
                observed, incomplete, step=step, level=level,
                reason="a covariate was not observed",
            )  # fmt: skip


def _population(frame: pd.DataFrame, model: Model, columns: list[str]) -> pd.DataFrame:
    """Return the named columns of those to whom the model is fitted."""
    compared = {"arm": model["compare"]} if model["compare"] else {}
    kept = matches(frame, {**model["where"], **compared})
    return frame.loc[kept, list(dict.fromkeys(columns))]
