"""Who is in the population of a primary analysis, and lacks what it needs."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.rows.analysed import needed_columns, population_of, refuse_lacking
from schooltrial.protocol.sections import Model, Outcome


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

    Raises
    ------
    Refusal
        Where a model, primary or not, needs a variable that the sample does not have.
    """
    fitted = [
        (name, model, outcome)
        for name, model in models.items()
        for outcome in model["outcomes"]
        if outcome in outcomes
    ]
    refuse_lacking(frame, level, fitted, take_up)
    for name, model, outcome in fitted:
        if model["role"] != "primary":
            continue
        needed = needed_columns(model, outcome, take_up)
        population = population_of(frame, model, [level, "year", "arm", outcome, *needed])
        step = f"analysed: {name}, {outcome}"
        observed = ledger.leave(
            population, population[outcome].isna(), step=step, level=level,
            reason=f"{outcome} was not observed",
        )  # fmt: skip
        incomplete = observed[needed].isna().any(axis=1)
        ledger.leave(
            observed, incomplete, step=step, level=level, reason="a covariate was not observed"
        )
