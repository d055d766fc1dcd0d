"""What the two-way effects of a staggered programme average, as the report shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from schooltrial.checks.goodman_bacon.comparisons_table import NOT_AVAILABLE
from schooltrial.document.numbers import decimals_of, number
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.models.cohort_regressions.goodman_bacon import FORBIDDEN
from schooltrial.wording import percent

COMPARISONS = [
    Column("Model", optional=True, key="model"),
    Column("Outcome", key="label"),
    Column("Cohort", "told", key="treated_cohort"),
    Column("Compared with", key="others"),
    Column("Difference in differences", "told", key="difference"),
    Column("Weight", "told", key="share"),
]

KEYS = ["outcome", "kind", "treated_cohort", "compared_cohort", "estimate", "weight"]


def comparisons_shown(found: pd.DataFrame, labels: Mapping[str, str]) -> Table | None:
    """Return every comparison of two cohorts once, the heaviest first; None if there is none."""
    rows = _once(found[found["kind"] != NOT_AVAILABLE])
    if rows.empty:
        return None
    order = rows.groupby(["model", "outcome"], sort=False).ngroup()
    rows = rows.assign(order=order).sort_values(["order", "weight"], ascending=[True, False])
    others = [
        kind if cohort == 0 else f"cohort {cohort:.0f}, {kind}"
        for kind, cohort in zip(rows["kind"], rows["compared_cohort"], strict=True)
    ]
    effects = (rows["weight"] * rows["estimate"]).groupby(rows["order"]).sum().map(decimals_of)
    told = rows.assign(
        difference=[
            number(value, effects[at])
            for value, at in zip(rows["estimate"], rows["order"], strict=True)
        ],
        label=rows["outcome"].map(lambda name: labels.get(name, name)),
        treated_cohort=rows["treated_cohort"].map("{:.0f}".format),
        others=others,
        share=rows["weight"].map(percent),
    )
    if rows["model"].nunique() == 1:
        told = told.drop(columns="model")
    return tabulate("Comparisons that two-way effects average", told, COMPARISONS)


def forbidden_sentences(found: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return how much of each two-way effect compares with schools that are already treated."""
    rows = _once(found)
    several = rows["model"].nunique() > 1
    return [
        f"{labels.get(str(outcome), str(outcome))}{f' (model {model})' if several else ''}: {said}"
        for (model, outcome), part in rows.groupby(["model", "outcome"], sort=False)
        for said in _said(part)
    ]


def _said(rows: pd.DataFrame) -> Iterator[str]:
    note = str(rows["note"].astype("object").fillna("").iloc[0])
    if rows["kind"].iloc[0] == NOT_AVAILABLE:
        yield f"no decomposition. {note}."
        return
    effect = float((rows["weight"] * rows["estimate"]).sum())
    share = float(rows.loc[rows["kind"].isin(FORBIDDEN), "weight"].sum())
    schools = f"{int(rows['n_schools'].iloc[0]):,} schools{f'; {note}' if note else ''}"
    if share == 0:
        yield f"no cohort is compared with schools that are already treated ({schools})."
        return
    own = rows[~rows["kind"].isin(FORBIDDEN)]
    without = float((own["weight"] * own["estimate"]).sum() / own["weight"].sum())
    digits = decimals_of(effect)
    yield (
        f"comparisons with schools that are already treated have {percent(share)} of the weight. "
        f"The two-way effect is {effect:+.{digits}f}; without these comparisons it would be "
        f"{without:+.{digits}f} ({schools})."
    )


def _once(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each model whose comparisons no earlier model has."""
    kept: list[pd.DataFrame] = []
    for _, part in found.groupby(["model", "outcome"], sort=False):
        same = part[KEYS].reset_index(drop=True)
        if not any(same.equals(other[KEYS].reset_index(drop=True)) for other in kept):
            kept.append(part)
    return pd.concat(kept, ignore_index=True) if kept else found
