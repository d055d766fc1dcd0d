"""The tables of the checks as the report shows them: the columns and rows that a reader needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.checks.attrition.analyses import analysing_models
from schooltrial.document.numbers import number
from schooltrial.document.tables import Column, Table, tabulate

Labels = Mapping[str, str]


BOUNDS = [
    Column("Outcome", key="outcome"),
    Column("Year", "told", key="year"),
    Column("Group", key="arm"),
    Column("Approach", key="approach"),
    Column("Term", key="term"),
    Column("Estimate", "quantity", key="estimate"),
    Column("SE", "quantity", key="std error"),
    Column("CI low", "quantity", key="conf low"),
    Column("CI high", "quantity", key="conf high"),
    Column("p", "p", key="p value"),
    Column("People", "quantity", key="n_individuals"),
    Column("Units", "quantity", key="n_units"),
    Column("Method", key="method"),
    Column("Note", key="note"),
]


ATTRITION = [
    Column("Quantity", key="quantity"),
    Column("Outcome", key="outcome"),
    Column("Year", "told", key="year"),
    Column("Level", key="level"),
    Column("Group", key="arm"),
    Column("Control", "told", key="control"),
    Column("Intervention", "told", key="arm’s"),
    Column("Overall attrition (%)", "percent", 1, key="overall"),
    Column("Differential attrition (pp)", "percent", 1, key="differential"),
    Column("WWC limit (pp)", "told", key="largest low difference"),
    Column("Verdict", key="verdict"),
    Column("Implied bias (SD)", "number", key="bias_cautious"),
    Column("Note", key="note"),
]


WHO_LEFT = [
    Column("Outcome", key="outcome"),
    Column("Year", "told", key="year"),
    Column("Group", key="arm"),
    Column("Lost", "told", key="lost"),
    Column("Term", key="term"),
    Column("Estimate (pp)", "percent", 1, key="estimate"),
    Column("p", "p", key="p_value"),
    Column("Note", key="note"),
]


POWER = [
    Column("Outcome", key="outcome"),
    Column("Subgroup", key="subgroup"),
    Column("Group", key="arm"),
    Column("Stage", key="stage"),
    Column("Unit", key="unit"),
    Column("Units", "quantity", key="units"),
    Column("Intervention units", "quantity", key="treated units"),
    Column("Rows", "quantity", key="pupils"),
    Column("Rows per unit", "quantity", key="pupils_per_unit"),
    Column("ICC", "quantity", key="icc"),
    Column("R² between units", "quantity", key="r2_school"),
    Column("R² within units", "quantity", key="r2_pupil"),
    *(
        Column(name, "quantity", key=key)
        for name, key in (
            ("df", "df"), ("MDES", "mdes"), ("Target power", "power_wanted"),
            ("Expected effect", "effect"), ("Power", "power"), ("Type S error", "type_s"),
            ("Type M ratio", "exaggeration"), ("MDES from SE", "mdes_estimate"),
        )
    ),
    Column("Method", key="method"),
    Column("Note", key="note"),
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
