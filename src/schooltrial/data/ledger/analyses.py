"""Who is in the population of a primary analysis, and lacks what it needs."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.rows.analysed import (
    indispensable_columns,
    needed_columns,
    population_of,
    refuse_lacking,
    used_columns,
)
from schooltrial.protocol.content.sections import Model, Outcome, model_of_outcome

INDICATED = "kept with an indicator of a missing covariate"
"""The line of those whom a missing covariate does not keep out of an analysis; nobody leaves."""


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
        (name, model_of_outcome(model, outcome, outcomes), outcome)
        for name, model in models.items()
        for outcome in model["outcomes"]
        if outcome in outcomes
    ]
    refuse_lacking(frame, level, fitted, take_up)
    for name, model, outcome in fitted:
        if model["role"] != "primary":
            continue
        needed = needed_columns(model, outcome, take_up)
        groups = indispensable_columns(model, take_up)
        used = used_columns(model, outcome, take_up)
        population = population_of(frame, model, [level, "year", "arm", outcome, *used])
        step = f"analysed: {name}, {outcome}"
        observed = ledger.leave(
            population, population[outcome].isna(), step=step, level=level,
            reason=f"{outcome} was not observed",
        )  # fmt: skip
        if groups:
            observed = ledger.leave(
                observed, observed[groups].isna().any(axis=1), step=step, level=level,
                reason=f"{' or '.join(groups)} was not observed",
            )  # fmt: skip
        incomplete = observed[needed].isna().any(axis=1)
        complete = ledger.leave(
            observed, incomplete, step=step, level=level, reason="a covariate was not observed"
        )
        kept = complete[complete[used].isna().any(axis=1)]
        if len(kept):
            nobody = pd.Series(False, index=kept.index)
            step = indicated_step(name, outcome)
            ledger.leave(kept, nobody, step=step, level=level, reason=INDICATED)


def indicated_step(model: str, outcome: str) -> str:
    """Return the step of the ledger that counts those who lack a covariate and are analysed."""
    return f"missing covariates: {model}, {outcome}"
