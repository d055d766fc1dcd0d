"""The tables of the checks as the report shows them: the columns and rows that a reader needs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import pandas as pd

from schooltrial.checks.attrition.analyses import CAME, ENTERED, analysing_models
from schooltrial.document.numbers import interval, number, p_text
from schooltrial.document.tables import Column, Table, naming_control, tabulate
from schooltrial.document.text import Cite
from schooltrial.protocol.content.shown_units import as_shown, effect_unit

Labels = Mapping[str, str]


BOUNDS = [
    Column("Outcome", key="outcome"),
    Column("Year", "told", key="year"),
    Column("Group", key="group", optional=True),
    Column("Approach", key="approach"),
    Column("Unit", key="unit", optional=True),
    Column("Effect, or its bounds", "told", key="size"),
    Column("CI", "told", key="interval"),
    Column("p", "p", key="p_value"),
    Column("Individuals", "quantity", key="n_individuals"),
    Column("Units", "quantity", key="n_units"),
    Column("Note", key="note"),
]


ATTRITION = [
    Column("Quantity", key="kind"),
    Column("Outcome", key="outcome"),
    Column("Year", "told", key="year"),
    Column("Level", key="level"),
    Column("Group", key="group", optional=True),
    Column("Control", "told", key="control"),
    Column("Intervention", "told", key="intervention"),
    Column("Overall attrition (%)", "percent", 1, key="overall"),
    Column("Differential attrition (pp)", "percent", 1, key="differential"),
    Column("WWC limit (pp)", "told", key="largest low difference"),
    Column("Verdict", key="verdict"),
    Column("Implied bias (SD)", "number", key="bias_cautious"),
    Column("Note", key="note", optional=True),
]


MOVERS = [
    Column("Who", key="kind"),
    Column("Year", "told", key="year"),
    Column("Level", key="level"),
    Column("Group", key="group", optional=True),
    Column("Control", "told", key="control"),
    Column("Intervention", "told", key="intervention"),
    Column("Difference (pp)", "percent", 1, key="differential"),
    Column("Note", key="note", optional=True),
]


MOVES = {
    "new intake": "joined: below the study’s grades at baseline",
    "joined early": "joined in the first programme year",
    "joined late": "joined later",
    "promoted": "finished the grades of their school, now in another school",
    "changed school": "changed school otherwise",
    "changed group": "now in a school of another group",
}
"""Quantity of ``attrition.csv`` → who that is, in the words of a reader."""

OF_OUTCOME = {
    CAME: "analysed for {}, not enrolled at the assignment",
    ENTERED: "analysed for {}, outside its population at the assignment",
}
"""The same of quantities that an outcome has."""

GRADED = ("new intake", "promoted")
"""Quantities that only people with a grade can have."""


WHO_LEFT = [
    Column("Outcome", key="outcome"),
    Column("Year", "told", key="year"),
    Column("Group", key="group", optional=True),
    Column("Lost: intervention and control", "told", key="lost"),
    Column("Term", key="term"),
    Column("Estimate (pp)", "percent", 1, key="estimate"),
    Column("p", "p", key="p_value"),
    Column("Note", key="note"),
]


POWER = [
    Column("Stage", key="stage"),
    Column("Subgroup", key="subgroup", optional=True),
    Column("Group", key="group", optional=True),
    Column("Method", key="method"),
    Column("MDES", "number", key="mdes"),
    Column("MDES from SE", "number", key="mdes_estimate", optional=True),
    Column("Expected effect", "number", key="effect", optional=True),
    Column("Power (%)", "percent", 1, key="power", optional=True),
    Column("Target power (%)", "percent", 0, key="target_power"),
    Column("Type S error (%)", "percent", 1, key="type_s", optional=True),
    Column("Type M ratio", "number", 1, key="type_m", optional=True),
    Column("Unit", key="unit_kind"),
    Column("Units", "quantity", key="n_units"),
    Column("Intervention units", "quantity", key="n_treated_units"),
    Column("Individuals", "quantity", key="n_individuals"),
    Column("Per unit", "number", 1, key="individuals_per_unit"),
    Column("ICC", "number", key="icc", optional=True),
    Column("R² between units", "number", 2, key="r2_school", optional=True),
    Column("R² within units", "number", 2, key="r2_pupil", optional=True),
    Column("df", "number", 1, key="df"),
    Column("Note", key="note", optional=True),
]  # fmt: skip


LEVELS = {"pupils in schools that stay": "pupils in retained schools"}
"""Level of ``attrition.csv`` → what a reader calls it, where that differs."""


POWER_TERMS = {
    "mdes": "MDES, minimum detectable effect size: the true effect that the study would detect "
    "with the target power.",
    "mdes_estimate": "MDES from SE: the same, from the standard error of the estimate itself.",
    "type_s": "Type S error: if the expected effect is true, the chance that an estimate whose "
    "interval excludes zero has the wrong sign.",
    "type_m": "Type M ratio: if the expected effect is true, how many times its size such an "
    "estimate is on average.",
    "individuals_per_unit": "Per unit: individuals of a unit; once units are known, the harmonic "
    "mean of their sizes, which lies below the mean where sizes differ and by which they enter "
    "the precision.",
    "icc": "ICC, intraclass correlation: the share of the variance of the outcome that is between "
    "units.",
    "r2_school": "R²: the share of the variance between, or within, units that covariates and "
    "blocks explain.",
}
"""Column of ``power.csv`` → what its heading means."""

AS_ANALYSED = (
    "The MDES at randomisation is computed from the data as analysed (ICC, R² or covariates), as "
    "not all of these are planned."
)
"""What is said of a minimum detectable effect whose inputs were not planned."""

NO_VARIANCE = (
    "R² between units of 1.00: the variance that covariates and blocks leave between units is "
    "estimated at zero, which is a finding about these data and no promise for others."
)
"""What a share of all variance means."""

IMPLIED_BIAS = (
    "Implied bias: the error that such losses would make in the effect, in SDs of the outcome, if "
    "those who are lost had the outcomes that the cautious assumptions of the WWC give them (",
    Cite("methods"), ").",
)  # fmt: skip
"""What the heading of a column of the table of attrition means."""


def mdes_basis(power: pd.DataFrame | None) -> str:
    """Return that sizes at randomisation are computed from the data as analysed, where they are.

    Parameters
    ----------
    power : DataFrame, optional
        ``power.csv``, whose notes say what was planned.
    """
    if power is None:
        return ""
    at_start = power.loc[power["stage"] == "randomisation", "note"].astype("str")
    return AS_ANALYSED if at_start.str.contains("as analysed", regex=False).any() else ""


def power_terms(power: pd.DataFrame) -> list[str]:
    """Return what the headings of the table of power mean, of those that it has numbers under.

    Parameters
    ----------
    power : DataFrame
        ``power.csv``.
    """
    told = [
        told for name, told in POWER_TERMS.items() if name in power and power[name].notna().any()
    ]
    if "r2_school" in power and (power["r2_school"].round(2) >= 1).any():
        told.append(NO_VARIANCE)
    return told


def attrition_shown(
    attrition: pd.DataFrame,
    years: Sequence[int],
    labels: Labels,
    models: Labels,
    arms: Labels,
    control: str = "control",
) -> Table:
    """Return who was lost in the years analysed, in per cent.

    The years are those named, and those of every primary model. People in units that stay have no
    row of their own where no unit left.
    """
    attrition = attrition[attrition["kind"] == "lost"]
    attrition = attrition[~repeated_rows(attrition)]
    model = analysing_models(attrition)
    named = attrition["year"].astype("str").isin([str(year) for year in years])
    rows = attrition[named | (model != "")]
    several = len(set(model[rows.index]) - {""}) > 1

    def why(name: str) -> str:
        if not name:
            return "lost (outcome not measured)"
        return f"lost (not in: {models.get(name, name)})" if several else "lost (not analysed)"

    lost = model[rows.index].map(why)
    boundary = rows["boundary_cautious"].map(lambda v: f"{number(100 * v, 1)} (cautious)")
    optimistic = rows["boundary_optimistic"].map(lambda v: f"{number(100 * v, 1)} (optimistic)")
    limits = (boundary + ", " + optimistic).where(rows["boundary_optimistic"].notna(), "")
    told = rows.assign(
        **{
            "outcome": _named(rows["outcome"].fillna(""), labels),
            "group": groups_named(rows["arm"], arms),
            "level": rows["level"].replace(LEVELS),
            "kind": rows["kind"].where(rows["kind"] != "lost", lost),
            "control": _part(rows, "control"),
            "intervention": _part(rows, "treated"),
            "largest low difference": limits,
        }
    )
    return tabulate("Attrition", told, naming_control(ATTRITION, control))


def repeated_rows(lost: pd.DataFrame) -> pd.Series:
    """Return which rows of people in units that stay equal the row of all people.

    Parameters
    ----------
    lost : DataFrame
        Rows of ``attrition.csv`` whose kind is ``lost``.
    """
    counts = ["n_control", "count_control", "n_treated", "count_treated"]
    keys = [name for name in ("outcome", "model", "year", "arm") if name in lost]
    levels = lost["level"].astype("str")
    whose = levels.str.split(" ").str[0]
    same = lost.assign(_whose=whose).duplicated([*keys, *counts, "_whose"], keep=False)
    return same & levels.str.contains(" in ", regex=False)


def movers_shown(
    attrition: pd.DataFrame,
    years: Sequence[int],
    labels: Labels,
    arms: Labels,
    control: str = "control",
) -> Table | None:
    """Return who joined and who moved in the years analysed; None where nothing is known of it."""
    named = attrition["year"].astype("str").isin([str(year) for year in years])
    of_grades = (attrition["level"] == "teachers") & attrition["kind"].isin(GRADED)
    rows = attrition[named & (attrition["kind"] != "lost") & ~of_grades]
    if rows.empty:
        return None
    told = rows.assign(
        **{
            "kind": [
                OF_OUTCOME.get(quantity, MOVES.get(quantity, quantity)).format(name)
                for quantity, name in zip(rows["kind"], _named_by_model(rows, labels), strict=True)
            ],
            "group": groups_named(rows["arm"], arms),
            "control": _part(rows, "control"),
            "intervention": _part(rows, "treated"),
        }
    )
    return tabulate("Joiners and movers", told, naming_control(MOVERS, control))


def who_left_sentence(who_left: pd.DataFrame, labels: Labels, arms: Labels) -> str:
    """Return the joint test of every outcome, and how many single terms have p below 0.05."""
    joint = who_left[who_left["term"] == JOINT]
    joint = joint[joint["p_value"].notna()]
    if joint.empty:
        return ""
    single = who_left[who_left["variable"].notna() & who_left["p_value"].notna()]
    low = int((single["p_value"] < SMALL).sum())
    few = {0: "none has", 1: "1 has"}.get(low, f"{low:,} have")
    parts = [
        f"{name}{f', {group}' if group else ''}, {row.year}: p {p_equals(row.p_value)}"
        for name, group, row in zip(
            _named_by_model(joint, labels), groups_named(joint["arm"], arms),
            joint.itertuples(), strict=True,
        )
    ]  # fmt: skip
    return (
        f"Joint tests of whether leavers differ between groups: {'; '.join(parts)}. Of "
        f"{len(single):,} single terms, {few} p below {SMALL}; {_expected(len(single))} would by "
        "chance alone."
    )


def _expected(terms: int) -> str:
    """Return how many of so many terms have a small p by chance, in words."""
    count = SMALL * terms
    return f"about {number(count, 0)}" if count >= 1 else "fewer than 1"


def p_equals(value: float) -> str:
    """Return a p-value with the sign between it and its letter."""
    text = p_text(value)
    return text.replace("<", "< ") if text.startswith("<") else f"= {text}"


JOINT, SMALL = "all interactions = 0", 0.05
"""Test of ``who_left.csv`` of whether leavers differ between groups, and a small p-value."""

OF_F = re.compile(r"\bF\((\d+), ([\d.]+)\)")

TESTS = {
    "all interactions = 0": "joint test of all interactions",
    "group and all interactions = 0": "joint test of the group and all interactions",
}
"""Test of ``who_left.csv`` → what a reader calls it."""


def who_left_shown(
    who_left: pd.DataFrame, labels: Labels, arms: Labels, control: str = "control"
) -> Table:
    """Return whether those lost differ between the groups, by what was known at baseline."""
    words = ["variable", "category", "term", "note"]
    rows = who_left.astype(dict.fromkeys(words, "object")).fillna(dict.fromkeys(words, ""))
    terms = []
    for row in rows.itertuples():
        name = labels.get(str(row.variable), str(row.variable))
        named = f"{name}: {row.category}" if row.category else name
        terms.append(f"intervention × {named}" if row.variable else TESTS.get(row.term, row.term))
    lost = [
        f"{n:,} and {c:,}"
        for n, c in zip(rows["n_lost_treated"], rows["n_lost_control"], strict=True)
    ]
    told = rows.assign(
        outcome=_named_by_model(rows, labels),
        group=groups_named(rows["arm"], arms),
        lost=lost,
        term=terms,
        note=[OF_F.sub(_one_decimal, note) for note in rows["note"]],
    )
    return tabulate("Differential attrition", told, naming_control(WHO_LEFT, control))


def _one_decimal(found: re.Match[str]) -> str:
    return f"F({found[1]}, {number(float(found[2]), 1)})"


def _named(names: pd.Series, labels: Labels) -> list[str]:
    return [labels.get(str(name), str(name)) for name in names]


def _named_by_model(rows: pd.DataFrame, labels: Labels) -> list[str]:
    """Return outcomes by their labels, with the model where an outcome has several."""
    names = _named(rows["outcome"], labels)
    if "model" not in rows:
        return names
    models = rows["model"].astype("object").fillna("").astype("str")
    several = models.where(models != "").groupby(rows["outcome"]).transform("nunique") > 1
    return [
        f"{name} ({labels.get(model, model)})" if many and model else name
        for name, model, many in zip(names, models, several, strict=True)
    ]


def _percent(share: float) -> str:
    return number(100 * share, 1)


def _part(rows: pd.DataFrame, arm: str) -> list[str]:
    return [
        "" if pd.isna(n) else f"{count:,.0f} of {n:,.0f}" + (f" ({_percent(rate)}%)" if n else "")
        for count, n, rate in zip(
            rows[f"count_{arm}"], rows[f"n_{arm}"], rows[f"rate_{arm}"], strict=True
        )
    ]


STAGES = {
    "protocol": "at design",
    "randomisation": "as randomised",
    "analysis": "as analysed",
}  # fmt: skip
"""Stage of ``power.csv`` → what a reader calls it."""


def power_shown(
    power: pd.DataFrame, labels: Labels, arms: Labels, *, randomised: bool = True
) -> Table:
    """Return the minimum detectable effect size by outcome and stage, with its inputs."""
    stages = STAGES if randomised else {**STAGES, "randomisation": "as assigned"}
    rows = power.assign(
        stage=power["stage"].replace(stages),
        subgroup=power["subgroup"].where(power["subgroup"] != "all", ""),
        group=groups_named(power["arm"], arms),
    )
    outcomes = _named(power["outcome"], labels)
    return tabulate("Minimum detectable effect sizes", rows, POWER, group=outcomes)


def bounds_shown(
    bounds: pd.DataFrame, labels: Labels, arms: Labels, outcomes: Mapping[str, Any] | None = None
) -> Table:
    """Return the effect under each way to treat missing outcomes, in the unit that readers see.

    Two bounds are one row, with the interval that covers the effect between them; the data file
    has the standard error of each.
    """
    known = outcomes or {}
    shown = as_shown(bounds, known, ["estimate", "std_error", "conf_low", "conf_high"])
    units = {name: effect_unit(section) for name, section in known.items()}
    keys = ["outcome", "model", "year", "arm", "approach"]
    rows = [
        _bound_row(part)
        for _, part in shown.groupby(
            [key for key in keys if key in shown], sort=False, dropna=False
        )
    ]
    told = pd.DataFrame(rows)
    told = told.assign(
        unit=told["outcome"].map(units).astype("object").fillna(""),
        group=groups_named(told["arm"], arms),
        outcome=_named(told["outcome"], labels),
    )
    return tabulate("Bounds for missing outcomes", told, BOUNDS)


LOWER, UPPER, WITHIN = "lower bound", "upper bound", "effect"
"""Terms of an approach that bounds an effect."""


def _bound_row(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the row of one approach: its effect, or its bounds with the interval about both."""
    by_term = rows.set_index("term")
    if {LOWER, UPPER} <= set(by_term.index):
        low, high = by_term.loc[LOWER, "estimate"], by_term.loc[UPPER, "estimate"]
        row = {**by_term.loc[WITHIN if WITHIN in by_term.index else LOWER].to_dict()}
        return {**row, "size": interval(low, high), "interval": _ends(row), "p_value": nan}
    row = rows.iloc[0].to_dict()
    return {**row, "size": number(row["estimate"], 3), "interval": _ends(row)}


def _ends(row: Mapping[Any, Any]) -> str:
    return interval(row["conf_low"], row["conf_high"])


def groups_named(names: pd.Series, arms: Labels) -> list[str]:
    """Return the labels of intervention groups; nothing where the study has only one.

    Parameters
    ----------
    names : Series
        Names of groups.
    arms : mapping
        Group → its label, the comparison group first.
    """
    alone = len(arms) <= 2
    return ["" if alone else arms.get(str(name), str(name)) for name in names]
