"""Which rows of a sample a model is fitted to, and which columns tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from schooltrial.data.rows.covariates import with_missing_baselines
from schooltrial.data.rows.filters import matches
from schooltrial.protocol.content.filters import Filter, conjunction, named_variables
from schooltrial.protocol.content.sections import (
    PANELS,
    PRIOR_PATH,
    Model,
    Outcome,
    indispensable_variables,
    model_of_outcome,
    needed_variables,
    used_variables,
)
from schooltrial.refusal import Fault, refuse

OF_PANELS = PANELS
"""Estimators of school means."""

OF_CELLS = ("n_pupils",)
"""What is known of cells alone, and of no row of pupils."""


def refuse_lacking(
    frame: pd.DataFrame,
    level: str,
    fitted: Iterable[tuple[str, Model, str]],
    take_up: str | None = None,
) -> None:
    """Refuse models that need a variable which a sample does not have.

    Parameters
    ----------
    frame : DataFrame
        The sample, or a year of it.
    level : str
        Whose sample it is.
    fitted : iterable of tuple
        Name of a model, the model, and one of its outcomes.
    take_up : str, optional
        What a model of the effect on compliers needs too.

    Raises
    ------
    Refusal
        With all variables that are lacking.
    """
    refuse(list(dict.fromkeys(_lacking(frame, level, fitted, take_up))))


def complete_rows(
    frame: pd.DataFrame, level: str, model: Model, outcome: str, take_up: str | None = None
) -> pd.DataFrame:
    """Return the rows of a sample that a model is fitted to: in its population, and complete.

    Parameters
    ----------
    frame, level, take_up
        As for `refuse_lacking`.
    model, outcome : Model and str
        The model, and one of its outcomes.
    """
    needed = [outcome, *needed_columns(model, outcome, take_up)]
    places = [name for name in ("school", "cluster") if name in frame]
    columns = list(dict.fromkeys([level, "year", "arm", *places, *needed]))
    if model["estimator"] in OF_PANELS:
        columns = [name for name in columns if name in frame]
    return frame.loc[is_analysed(frame, model, outcome, take_up), columns]


def is_analysed(
    frame: pd.DataFrame, model: Model, outcome: str, take_up: str | None = None
) -> pd.Series:
    """Return of each row of a sample whether a model is fitted to it.

    It is where the row is in the model's population and arms, has the outcome, and lacks nothing
    without which the model leaves a row out. Balance, attrition, power and the participant flow
    all ask here who is analysed.

    Parameters
    ----------
    frame, take_up
        As for `refuse_lacking`.
    model, outcome : Model and str
        The model as it is fitted to the outcome, and the outcome.
    """
    needed = list(dict.fromkeys([outcome, *needed_columns(model, outcome, take_up)]))
    if model["estimator"] in OF_PANELS:  # a value of another outcome is in no column of its own
        needed = [name for name in needed if name in frame]
    known = with_missing_baselines(frame, model)[needed].notna().all(axis=1)
    return known & _in_population(frame, model)


def _in_population(frame: pd.DataFrame, model: Model) -> pd.Series:
    compared: Filter = {"arm": model["arms"]} if model["arms"] else {}
    return matches(frame, conjunction(model["where"], compared))


def columns_of_analyses(
    there: Iterable[str],
    level: str,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    take_up: str | None = None,
) -> list[str]:
    """Return the columns of a sample that tell who is in the primary analyses.

    Parameters
    ----------
    there : iterable of str
        Columns that the sample has.
    level, models, outcomes, take_up
        As for `refuse_lacking`; outcomes of other levels are passed over.
    """
    wanted = {level, "year", "arm", "school", "cluster"}
    for model in models.values():
        for outcome in model["outcomes"] if model["role"] == "primary" else []:
            if outcomes[outcome]["measured_on"] == level:
                where = model_of_outcome(model, outcome, outcomes)["where"]
                wanted |= {outcome, *named_variables(where)}
                wanted |= set(needed_columns(model, outcome, take_up))
    return [name for name in there if name in wanted]


def needed_columns(model: Model, outcome: str, take_up: str | None) -> list[str]:
    """Return the variables without which a row is not in the analysis, but for the outcome."""
    if model["estimator"] in OF_PANELS:
        return [name for name in needed_variables(model, outcome)[1:] if name not in OF_CELLS]
    return _with_take_up(needed_variables(model, outcome)[1:], model, take_up)


def used_columns(model: Model, outcome: str, take_up: str | None) -> list[str]:
    """Return the variables that an analysis reads, but for the outcome; some may be missing."""
    if model["estimator"] in OF_PANELS:
        used = [*used_variables(model, outcome)[1:], *school_variables(model)]
        return [name for name in dict.fromkeys(used) if name not in OF_CELLS]
    return _with_take_up(used_variables(model, outcome)[1:], model, take_up)


def indispensable_columns(model: Model, take_up: str | None) -> list[str]:
    """Return the variables that no indicator can replace: of groups, weights and take-up."""
    if model["estimator"] in OF_PANELS:
        return sorted(indispensable_variables(model) - set(OF_CELLS))
    return _with_take_up(sorted(indispensable_variables(model)), model, take_up)


def school_variables(model: Model) -> list[str]:
    """Return the variables of schools that a panel model reads besides its cells."""
    named = [name for name in model["comparison_on"] if name not in PRIOR_PATH]
    return list(dict.fromkeys([*named, *filter(None, [model["effects_by"], model["moderator"]])]))


def _with_take_up(variables: list[str], model: Model, take_up: str | None) -> list[str]:
    asked = model["estimator"] == "complier_effect" and take_up and take_up not in variables
    return [*variables, take_up] if asked and take_up else variables


def _lacking(
    frame: pd.DataFrame, level: str, fitted: Iterable[tuple[str, Model, str]], take_up: str | None
) -> Iterator[Fault]:
    for name, model, outcome in fitted:
        for variable in [
            *used_columns(model, outcome, take_up),
            *named_variables(model["where"]),
            *filter(None, [model["active_from"]]),
        ]:
            if variable not in frame:
                yield Fault(
                    f"sample of {level}s", f"model {name!r} uses {variable!r} for {outcome!r}, "
                    f"but no table of {level}s has it", f"a variable of {level}s or their schools",
                    "read it into that table, or delete it from the model", column=variable,
                )  # fmt: skip


def population_of(frame: pd.DataFrame, model: Model, columns: list[str]) -> pd.DataFrame:
    """Return the named columns of the analytic sample of the model."""
    kept = _in_population(frame, model)
    return with_missing_baselines(frame, model).loc[kept, list(dict.fromkeys(columns))]
