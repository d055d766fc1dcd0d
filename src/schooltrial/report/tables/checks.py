"""The tables of the checks as the report shows them: the columns and rows that a reader needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.exhibits.style.table_text import number, p_text, shown

Labels = Mapping[str, str]


BOUNDS = [
    "outcome", "year", "arm", "approach", "term", "estimate", "std_error", "conf_low", "conf_high",
    "p_value", "n_pupils", "n_schools", "method", "note",
]  # fmt: skip


PERCENT = ("rate control", "rate arm", "overall", "differential", "boundary")


def attrition_shown(attrition: pd.DataFrame, years: Sequence[int], labels: Labels) -> pd.DataFrame:
    """Return who was lost in the years analysed, in per cent, and who joined and moved."""
    rows = attrition[attrition["year"].astype("str").isin([str(year) for year in years])]
    boundary = rows["boundary_cautious"].map(lambda v: f"{number(100 * v, 1)} (cautious)")
    optimistic = rows["boundary_optimistic"].map(lambda v: f"{number(100 * v, 1)} (optimistic)")
    limits = (boundary + ", " + optimistic).where(rows["boundary_optimistic"].notna(), "")
    told = pd.DataFrame({
        "what": rows["quantity"],
        "outcome": [labels.get(str(name), str(name)) for name in rows["outcome"].fillna("")],
        "year": rows["year"],
        "of": rows["level"],
        "arm": rows["arm"],
        "control": _part(rows, "control"),
        "arm’s": _part(rows, "arm"),
        "overall %": rows["overall"].map(_percent),
        "difference, points": rows["differential"].map(_percent),
        "largest low difference": limits,
        "verdict": rows["verdict"].astype("object").fillna(""),
        "bias implied, SD": rows["bias_cautious"].map(lambda v: number(v, 3)),
        "note": rows["note"].astype("object").fillna(""),
    })  # fmt: skip
    return told.astype("str")


def who_left_shown(who_left: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Return whether those lost differ between the arms, by what was known of them at baseline."""
    words = ["variable", "category", "term", "note"]
    rows = who_left.astype(dict.fromkeys(words, "object")).fillna(dict.fromkeys(words, ""))
    terms = []
    for row in rows.itertuples():
        name = labels.get(str(row.variable), str(row.variable))
        named = f"{name}: {row.category}" if row.category else name
        terms.append(f"arm × {named}" if row.variable else str(row.term))
    return pd.DataFrame({
        "outcome": [labels.get(str(name), str(name)) for name in rows["outcome"]],
        "year": rows["year"].astype("str"),
        "arm": rows["arm"],
        "lost": [f"{n:,}, control {c:,}" for n, c in
                 zip(rows["n_lost_arm"], rows["n_lost_control"], strict=True)],
        "term": terms,
        "estimate, points": rows["estimate"].map(_percent),
        "p": rows["p_value"].map(p_text),
        "note": rows["note"],
    }).astype("str")  # fmt: skip


def _percent(share: float) -> str:
    return number(100 * share, 1)


def _part(rows: pd.DataFrame, arm: str) -> list[str]:
    return [
        "" if pd.isna(n) else f"{count:,.0f} of {n:,.0f} ({_percent(rate)}%)"
        for count, n, rate in zip(
            rows[f"count_{arm}"], rows[f"n_{arm}"], rows[f"rate_{arm}"], strict=True
        )
    ]


def power_shown(power: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Return the least detectable effect of every outcome and stage, with its inputs."""
    kept = [
        "outcome", "subgroup", "arm", "stage", "unit", "units", "treated_units", "pupils",
        "pupils_per_unit", "icc", "r2_school", "r2_pupil", "df", "mdes", "power_wanted", "effect",
        "power", "type_s", "exaggeration", "mdes_estimate", "method", "note",
    ]  # fmt: skip
    rows = power[kept].copy()
    rows["outcome"] = [labels.get(str(name), str(name)) for name in rows["outcome"]]
    return shown(rows, 3)


def named(frame: pd.DataFrame, labels: Labels, columns: Sequence[str]) -> pd.DataFrame:
    """Return some columns of a check, outcomes and variables by their names in exhibits."""
    rows = frame[[column for column in columns if column in frame]].copy()
    for column in ("outcome", "variable"):
        if column in rows:
            rows[column] = [labels.get(str(name), str(name)) for name in rows[column]]
    return shown(rows, 3)
