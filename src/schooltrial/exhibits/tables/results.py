"""The results table: every effect, with its interval, p-value, effect size and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.exhibits.style.html_table import html
from schooltrial.exhibits.style.table_text import interval, number, p_text
from schooltrial.protocol.sections import Model, Outcome

ESTIMANDS = (
    "ITT", "ATT", "CACE", "Anderson-Rubin set", "take-up", "first stage", "effect by group",
    "joint test",
)  # fmt: skip


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
    study: Mapping[str, Any],
    deviations: Sequence[Mapping[str, str]] = (),
) -> str:
    """Return the selected estimates as a table, grouped by model; deviations stand below it."""
    shown = pd.DataFrame(
        {
            "Model": rows["model"].map({name: model["label"] for name, model in models.items()}),
            "Outcome": rows["outcome"].map({name: o["label"] for name, o in outcomes.items()}),
            "Term": rows["term"],
            "Estimate": rows["estimate"].map(number),
            "SE": rows["std_error"].map(number),
            "Interval": [
                interval(a, b) for a, b in zip(rows["conf_low"], rows["conf_high"], strict=True)
            ],
            "Statistic": rows["statistic"].map(lambda value: number(value, 2)),
            "df": rows["df"].map(lambda value: number(value, 1)),
            "p": rows["p_value"].map(p_text),
            "Effect size": rows["effect_size"].map(number),
            "Pupils": rows["n_pupils"].map("{:,}".format),
            "Schools": rows["n_schools"].astype(str),
            "Method and notes": [
                _method(*cells)
                for cells in zip(rows["method"], rows["note"], rows["converged"], strict=True)
            ],
        }
    )
    note = (
        "Statistic: t, or F for a joint test, on the df beside it. Effect size: Hedges g in the "
        "pooled SD of those analysed; for a binary outcome the Cox index. In a panel a pupil "
        "counts in every year. "
        "Where the assignment is re-drawn or the errors are bootstrapped, p and interval come from "
        "the draws; the standard error is only what the statistic is divided by."
    )
    otherwise = [f"{one['date']}: {one['what']} ({one['why']})" for one in deviations]
    told = [f"Otherwise than planned: {'; '.join(otherwise)}."] if otherwise else []
    return html(
        shown,
        name="results",
        title="Results",
        group="Model",
        right=list(shown.columns[3:12]),
        notes=[note, *told],
        study=study,
    )


def _method(method: str, note: object, converged: bool) -> str:
    """Return the method with what a reader must know beside the number."""
    notes = [] if pd.isna(note) else [str(note)]
    warning = [] if converged else ["did not converge: no finding"]
    return "; ".join([method, *warning, *notes])
