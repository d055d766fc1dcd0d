"""The results table: every effect, with its interval, p-value, effect size and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from schooltrial.document.numbers import interval
from schooltrial.document.tables import Column, NotedTable, tabulate
from schooltrial.exhibits.tables.plain_labels import PlainLabels
from schooltrial.protocol.content.people import people_counted
from schooltrial.protocol.content.sections import Deviation, Model, Outcome, Years
from schooltrial.protocol.content.shown_units import PERCENTAGE_POINTS, as_shown, effect_unit
from schooltrial.wording import deviation_words

ESTIMANDS = (
    "ITT", "ATT", "CACE", "Anderson-Rubin set", "take-up", "first stage", "effect by group",
    "difference in effect", "joint test",
)  # fmt: skip


COLUMNS = [
    Column("Outcome"),
    Column("Estimand and term", key="what"),
    Column("Unit", key="unit"),
    Column("Estimate", "number", key="estimate"),
    Column("SE", "number", key="std_error"),
    Column("CI", "told", key="ci"),
    Column("Statistic", "number", 2, key="statistic"),
    Column("df", "number", 1),
    Column("p", "p", key="p_value"),
    Column("Effect size", "number", key="effect_size"),
    Column("Pupils", "count", key="n_individuals"),
    Column("Schools", "told", key="n_schools"),
    Column("Method and notes"),
]

PEOPLE = {"pupil": "Pupils", "teacher": "Teachers"}
"""The one level of the outcomes shown → the heading of how many are analysed."""


def selected(
    estimates: pd.DataFrame, models: Mapping[str, Model], outcomes: Mapping[str, Outcome]
) -> pd.DataFrame:
    """Return the rows of the estimates table that are shown, in protocol order."""
    rows = estimates[estimates["estimand"].isin(ESTIMANDS)].copy()
    rows["_model"] = rows["model"].map({name: at for at, name in enumerate(models)})
    rows["_outcome"] = rows["outcome"].map({name: at for at, name in enumerate(outcomes)})
    rows = rows.sort_values(["_model", "_outcome"], kind="stable", ignore_index=True)
    return rows.drop(columns=["_model", "_outcome"])


def with_term_labels(rows: pd.DataFrame, labels: PlainLabels) -> pd.DataFrame:
    """Return rows of estimates with the column ``term_label`` after ``term``."""
    told = rows.copy()
    told.insert(rows.columns.get_loc("term") + 1, "term_label", rows["term"].map(labels.of_term))
    return told


def results_table(
    rows: pd.DataFrame,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    years: Years,
    labels: PlainLabels,
    deviations: Sequence[Deviation] = (),
) -> NotedTable:
    """Return the selected estimates as a table, grouped by model; deviations are a note.

    Terms and notes call variables by their labels.
    """
    told = [
        labels.of_note(
            _method(row["method"], row["note"], row["converged"]),
            people_counted(models[row["model"]], outcomes[row["outcome"]], years),
        )
        for row in rows.to_dict("records")
    ]
    # A take-up is a share, whatever the outcome is.
    shares = rows["estimand"] == "take-up"
    sizes = ["estimate", "std_error", "conf_low", "conf_high"]
    taken_up = 100 * rows.loc[shares, sizes]
    rows = as_shown(rows, outcomes, sizes).copy()
    rows.loc[shares, sizes] = taken_up
    units = pd.Series([
        PERCENTAGE_POINTS if share else effect_unit(outcomes[name])
        for name, share in zip(rows["outcome"], shares, strict=True)
    ], rows.index, dtype="object")  # fmt: skip
    shown = rows.assign(
        **{
            "unit": units.where(rows["estimate"].notna(), ""),  # a test has none
            "Outcome": rows["outcome"].map({name: o["label"] for name, o in outcomes.items()}),
            "ci": [
                interval(a, b) for a, b in zip(rows["conf_low"], rows["conf_high"], strict=True)
            ],
            "what": [
                labels.of_effect(*names)
                for names in zip(rows["estimand"], rows["term"], strict=True)
            ],
            "Method and notes": told,
        }
    )
    note = (
        "Statistic: t, or F for a joint test. Effect size: Hedges’ g in the pooled SD of those "
        "analysed; for a yes/no outcome the Cox index. In a model of several years a person counts "
        "in each. Where the assignment is re-randomised or errors are bootstrapped, p and the "
        "interval come from the draws; the standard error only scales the statistic."
    )
    deviated = " ".join(map(deviation_words, deviations))
    apart = [f"Deviations from the plan. {deviated}"] if deviated else []
    groups = [models[name]["label"] for name in rows["model"]]
    table = tabulate("Results", shown, _columns(rows, models, outcomes), group=groups)
    return NotedTable("results", table, (note, *apart))


def _columns(
    rows: pd.DataFrame, models: Mapping[str, Model], outcomes: Mapping[str, Outcome]
) -> list[Column]:
    """Return the columns: of numbers of people and of schools those that there are."""
    levels = {outcomes[name]["measured_on"] for name in rows["outcome"]} - {"school"}
    people = PEOPLE.get("".join(levels), "Individuals")
    absent = {"n_individuals"} if rows["n_individuals"].isna().all() else set()
    absent |= {"n_schools"} if (rows["n_schools"].fillna(0) == 0).all() else set()
    confidence = {models[name]["confidence_level"] for name in rows["model"]}
    named = {"n_individuals": people}
    if len(confidence) == 1:
        named["ci"] = f"{100 * confidence.pop():g}% CI"
    return [
        replace(column, name=named.get(column.key, column.name))
        for column in COLUMNS
        if column.key not in absent
    ]


def _method(method: str, note: object, converged: bool) -> str:
    """Return the method with the notes on the number."""
    notes = [] if pd.isna(note) else [str(note)]
    warning = [] if converged else ["did not converge: no finding"]
    return "; ".join([method, *warning, *notes])
