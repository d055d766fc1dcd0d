"""The tables of the checks as the report shows them: the columns and rows that a reader needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.checks.attrition.analyses import analysing_models
from schooltrial.document.numbers import number
from schooltrial.document.tables import Column, Table, tabulate

Labels = Mapping[str, str]


BOUNDS = [
    Column("outcome"),
    Column("year", "told"),
    Column("arm"),
    Column("approach"),
    Column("term"),
    Column("estimate", "quantity"),
    Column("std error", "quantity"),
    Column("conf low", "quantity"),
    Column("conf high", "quantity"),
    Column("p value", "p"),
    Column("people", "quantity", key="n_pupils"),
    Column("units", "quantity", key="n_schools"),
    Column("method"),
    Column("note"),
]


ATTRITION = [
    Column("what", key="quantity"),
    Column("outcome"),
    Column("year", "told"),
    Column("of", key="level"),
    Column("arm"),
    Column("control", "told"),
    Column("arm’s", "told"),
    Column("overall %", "percent", 1, key="overall"),
    Column("difference, points", "percent", 1, key="differential"),
    Column("largest low difference", "told"),
    Column("verdict"),
    Column("bias implied, SD", "number", key="bias_cautious"),
    Column("note"),
]


WHO_LEFT = [
    Column("outcome"),
    Column("year", "told"),
    Column("arm"),
    Column("lost", "told"),
    Column("term"),
    Column("estimate, points", "percent", 1, key="estimate"),
    Column("p", "p", key="p_value"),
    Column("note"),
]


POWER = [
    Column("outcome"),
    Column("subgroup"),
    Column("arm"),
    Column("stage"),
    Column("unit"),
    Column("units", "quantity"),
    Column("treated units", "quantity"),
    Column("rows", "quantity", key="pupils"),
    Column("rows per unit", "quantity", key="pupils_per_unit"),
    Column("icc", "quantity"),
    Column("r2 between units", "quantity", key="r2_school"),
    Column("r2 within units", "quantity", key="r2_pupil"),
    *(
        Column(name, "quantity")
        for name in (
            "df", "mdes", "power wanted", "effect", "power", "type s", "exaggeration",
            "mdes estimate",
        )
    ),
    Column("method"),
    Column("note"),
]  # fmt: skip


def attrition_shown(attrition: pd.DataFrame, years: Sequence[int], labels: Labels) -> Table:
    """Return who was lost in the years analysed, in per cent, and who joined and moved.

    The years are those named, and those of every primary model.
    """
    model = analysing_models(attrition)
    named = attrition["year"].astype("str").isin([str(year) for year in years])
    rows = attrition[named | (model != "")]
    missed = model.map(lambda name: f"analysed by {name}" if name else "measured")
    lost = "lost (not " + missed[rows.index] + ")"
    boundary = rows["boundary_cautious"].map(lambda v: f"{number(100 * v, 1)} (cautious)")
    optimistic = rows["boundary_optimistic"].map(lambda v: f"{number(100 * v, 1)} (optimistic)")
    limits = (boundary + ", " + optimistic).where(rows["boundary_optimistic"].notna(), "")
    told = rows.assign(
        **{
            "outcome": _named(rows["outcome"].fillna(""), labels),
            "quantity": rows["quantity"].where(rows["quantity"] != "lost", lost),
            "control": _part(rows, "control"),
            "arm’s": _part(rows, "arm"),
            "largest low difference": limits,
        }
    )
    return tabulate("Attrition", told, ATTRITION)


def who_left_shown(who_left: pd.DataFrame, labels: Labels) -> Table:
    """Return whether those lost differ between the arms, by what was known of them at baseline."""
    words = ["variable", "category", "term", "note"]
    rows = who_left.astype(dict.fromkeys(words, "object")).fillna(dict.fromkeys(words, ""))
    terms = []
    for row in rows.itertuples():
        name = labels.get(str(row.variable), str(row.variable))
        named = f"{name}: {row.category}" if row.category else name
        terms.append(f"arm × {named}" if row.variable else str(row.term))
    lost = [
        f"{n:,}, control {c:,}"
        for n, c in zip(rows["n_lost_arm"], rows["n_lost_control"], strict=True)
    ]
    told = rows.assign(outcome=_named(rows["outcome"], labels), lost=lost, term=terms)
    return tabulate("Who was lost", told, WHO_LEFT)


def _named(names: pd.Series, labels: Labels) -> list[str]:
    return [labels.get(str(name), str(name)) for name in names]


def _percent(share: float) -> str:
    return number(100 * share, 1)


def _part(rows: pd.DataFrame, arm: str) -> list[str]:
    return [
        "" if pd.isna(n) else f"{count:,.0f} of {n:,.0f}" + (f" ({_percent(rate)}%)" if n else "")
        for count, n, rate in zip(
            rows[f"count_{arm}"], rows[f"n_{arm}"], rows[f"rate_{arm}"], strict=True
        )
    ]


def power_shown(power: pd.DataFrame, labels: Labels) -> Table:
    """Return the least detectable effect of every outcome and stage, with its inputs."""
    rows = power.assign(outcome=_named(power["outcome"], labels))
    return tabulate("Least detectable effects", rows, POWER)


def bounds_shown(bounds: pd.DataFrame, labels: Labels) -> Table:
    """Return the effect under each way to treat missing outcomes."""
    rows = bounds.assign(outcome=_named(bounds["outcome"], labels))
    return tabulate("What missing outcomes could do to the effect", rows, BOUNDS)
