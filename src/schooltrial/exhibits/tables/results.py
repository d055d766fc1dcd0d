"""The results table: every effect, with its interval, p-value, effect size and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from schooltrial.document.numbers import interval
from schooltrial.document.tables import Column, fragment, tabulate
from schooltrial.protocol.sections import Deviation, Model, Outcome, StudyLine

ESTIMANDS = (
    "ITT", "ATT", "CACE", "Anderson-Rubin set", "take-up", "first stage", "effect by group",
    "difference in effect", "joint test",
)  # fmt: skip


COLUMNS = [
    Column("Outcome"),
    Column("Term", key="term"),
    Column("Estimate", "number", key="estimate"),
    Column("SE", "number", key="std_error"),
    Column("Interval", "told"),
    Column("Statistic", "number", 2, key="statistic"),
    Column("df", "number", 1),
    Column("p", "p", key="p_value"),
    Column("Effect size", "number", key="effect_size"),
    Column("Pupils", "count", key="n_pupils"),
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


def results_html(
    rows: pd.DataFrame,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    deviations: Sequence[Deviation] = (),
) -> str:
    """Return the selected estimates as a table, grouped by model; deviations stand below it."""
    told = rows.assign(
        **{
            "Outcome": rows["outcome"].map({name: o["label"] for name, o in outcomes.items()}),
            "Interval": [
                interval(a, b) for a, b in zip(rows["conf_low"], rows["conf_high"], strict=True)
            ],
            "Method and notes": [
                _method(*cells)
                for cells in zip(rows["method"], rows["note"], rows["converged"], strict=True)
            ],
        }
    )
    note = (
        "Statistic: t, or F for a joint test, on the df beside it. Effect size: Hedges g in the "
        "pooled SD of those analysed; for a binary outcome the Cox index. In a model of "
        "several years a person counts in each. "
        "Where the assignment is re-drawn or the errors are bootstrapped, p and interval come from "
        "the draws; the standard error is only what the statistic is divided by."
    )
    otherwise = [f"{one['date']}: {one['what']} ({one['why']})" for one in deviations]
    apart = [f"Otherwise than planned: {'; '.join(otherwise)}."] if otherwise else []
    groups = [models[name]["label"] for name in rows["model"]]
    table = tabulate("Results", told, _columns(rows, outcomes), group=groups)
    return fragment(table, name="results", notes=[note, *apart], study=study)


def _columns(rows: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> list[Column]:
    """Return the columns: of numbers of people and of schools those that there are."""
    levels = {outcomes[name]["measured_on"] for name in rows["outcome"]} - {"school"}
    people = PEOPLE.get("".join(levels), "People")
    absent = {"n_pupils"} if rows["n_pupils"].isna().all() else set()
    absent |= {"n_schools"} if (rows["n_schools"].fillna(0) == 0).all() else set()
    return [
        replace(column, name=people) if column.key == "n_pupils" else column
        for column in COLUMNS
        if column.key not in absent
    ]


def _method(method: str, note: object, converged: bool) -> str:
    """Return the method with what a reader must know beside the number."""
    notes = [] if pd.isna(note) else [str(note)]
    warning = [] if converged else ["did not converge: no finding"]
    return "; ".join([method, *warning, *notes])
