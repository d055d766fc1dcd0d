"""What was carried out, and what it cost, as the report and the monitoring page show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.checks.implementation.costs import ALL, EVERY_ARM
from schooltrial.document.numbers import number
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.wording import exact, plural

Labels = Mapping[str, str]

FIDELITY = [
    Column("Component", key="label"),
    Column("Indicator", key="indicator"),
    Column("Source", key="source"),
    Column("Groups", key="arms", optional=True),
    Column("School year", "told", key="year"),
    Column("Unit", key="unit_kind"),
    Column("On record", "told", key="n_recorded"),
    Column("Threshold", "told", key="threshold"),
    Column("Met threshold", "told", key="reached it"),
    Column("Planned share (%)", "percent", 1, key="share_required"),
    Column("Met", key="met"),
    Column("Note", key="note", optional=True),
]

CONTRAST = [
    Column("Component", key="label"),
    Column("School year", "told", key="year"),
    Column("Group", key="arm"),
    Column("Intended", key="intended"),
    Column("Schools", "told", key="n_schools"),
    Column("On record", "told", key="n_recorded"),
    Column("Mean dose", "number", 1, key="mean"),
    Column("Schools with any", "told", key="schools with any"),
    Column("Met threshold", "told", key="at the threshold"),
    Column("Verdict", key="verdict", optional=True),
]


def fidelity_shown(fidelity: pd.DataFrame, arms: Labels) -> Table:
    """Return the fidelity matrix: whose threshold, how many reached it, and whether it was met."""
    whole = (
        fidelity["n_met"].map("{:.0f}".format) + " of " + fidelity["n_units"].map("{:.0f}".format)
    )
    told = fidelity.assign(
        **{
            "arms": [_arms(names, arms) for names in fidelity["arms"]],
            "threshold": fidelity["unit_threshold"].map(exact),
            "reached it": whole + " (" + fidelity["share_met"].map(_percent) + "%)",
        }
    )
    return tabulate("Fidelity", told, FIDELITY)


def contrast_shown(contrast: pd.DataFrame, arms: Labels) -> Table:
    """Return the doses by group; what no log holds is not recorded, and never 0."""
    counts = ["n_with_any", "n_units", "n_at_threshold"]
    known = {name: contrast[name].map("{:.0f}".format) for name in counts}
    reached = (
        known["n_at_threshold"] + " of " + known["n_units"] + " " + contrast["unit_kind"] + "s"
    )
    recorded = contrast["mean"].notna()
    told = contrast.assign(
        **{
            "arm": [arms.get(name, name) for name in contrast["arm"]],
            "schools with any": known["n_with_any"].where(recorded, ""),
            "at the threshold": reached.where(recorded, ""),
        }
    )
    return tabulate("Treatment contrast", told, CONTRAST)


def _arms(names: object, labels: Labels) -> str:
    return ", ".join(labels.get(name, name) for name in str(names).split(", "))


def costs_shown(costs: pd.DataFrame, arms: Labels) -> Table:
    """Return the cost of each ingredient and of all, in the currency of the protocol."""
    currency = str(costs["currency"].fillna("").iloc[0])
    columns = [
        Column("Group", key="arm", optional=True),
        Column("Ingredient", key="ingredient"),
        Column("Quantity", "told", key="quantity"),
        Column("Unit", key="quantity_unit"),
        Column("Unit cost", "number", 2, key="unit cost"),
        Column("When", key="each year"),
        Column(" ".join(filter(None, ("Total", currency))).strip(), "number", 0, key="total"),
        Column("Share (%)", "percent", 1, key="share"),
        Column("Per pupil per year", "number", 2, key="per_pupil_year"),
        Column("Source", key="source"),
    ]
    told = costs.assign(
        arm=[
            arms.get(str(arm), "all intervention groups") if costs["arm"].nunique() > 1 else ""
            for arm in costs["arm"]
        ],
        quantity=["" if pd.isna(value) else f"{value:,.10g}" for value in costs["quantity"]],
        each_year=costs["each_year"]
        .map({True: "each year", False: "once"})
        .where(costs["ingredient"] != ALL, ""),
    )
    return tabulate("Costs", told, columns)


def costs_told(
    costs: pd.DataFrame, arms: Labels, units: Mapping[str, int], noun: str, control: str
) -> list[str]:
    """Return what each group costs per pupil and per unit, the band, and the basis of the costs.

    Parameters
    ----------
    costs : DataFrame
        ``costs.csv``.
    arms : mapping
        Group → its label.
    units : mapping
        Intervention group → how many units were assigned to it.
    noun : str
        What a unit is: school, teacher.
    control : str
        What the group without the programme is called.
    """
    sentences = []
    for row in costs[costs["ingredient"] == ALL].to_dict("records"):
        group = arms.get(str(row["arm"]), "The programme")
        money = " ".join(filter(None, (group, "costs", _text(row["currency"]))))
        if pd.isna(row["per_pupil_year"]):
            told = f"{money} {row['total']:,.0f} in all"
        else:
            years = "a year" if row["n_years"] == 1 else f"{row['n_years']:.0f} years"
            told = (
                f"{money} {number(row['per_pupil_year'], 0)} per pupil per year, averaged over "
                f"{years} and {row['n_pupils']:,.0f} pupils a year"
            )
        if not pd.isna(row["price_year"]):
            told += f", in prices of {row['price_year']:.0f}"
        if _text(row["cost_band"]):
            told += (
                f"; a {row['cost_band']} cost by the bands of the Education Endowment Foundation "
                f"(£{number(row['pounds'], 0)}{_rate(row)})"
            )
        sentences.append("; ".join(filter(None, (told, _text(row["note"])))) + ".")
        if per_unit := _per_unit(row, units, noun):
            sentences.append(per_unit)
    return [*sentences, *cost_basis(costs, control)]


def _per_unit(row: Mapping[str, Any], units: Mapping[str, int], noun: str) -> str:
    """Return the cost per unit that was assigned to the programme; empty where it has none."""
    arms = list(units) if row["arm"] == EVERY_ARM else [str(row["arm"])]
    count = sum(units.get(arm, 0) for arm in arms)
    if not count or noun == "pupil":
        return ""
    money = " ".join(filter(None, (_text(row["currency"]), number(row["total"], 0))))
    each = number(row["total"] / (row["n_years"] * count), 0)
    return (
        f"In all it costs {money}, which is {each} per {noun} per year "
        f"({plural(count, noun)} of the intervention)."
    )


def cost_basis(costs: pd.DataFrame, control: str) -> list[str]:
    """Return what is not stated of the costs, and the cost net of usual practice where that is.

    Parameters
    ----------
    costs : DataFrame
        ``costs.csv``.
    control : str
        What the group without the programme is called.
    """
    whole = costs[costs["ingredient"] == ALL]
    told = [] if whole["price_year"].notna().all() else ["The year of the prices is not stated."]
    if whole["usual_practice"].isna().any():
        told.append(
            f"The costs are gross: what the {control} group spends on what the programme replaces "
            "is not stated, and not subtracted."
        )
        return told
    for row in whole.to_dict("records"):
        money = " ".join(filter(None, (_text(row["currency"]), number(row["usual_practice"], 0))))
        told.append(
            f"Net of what the {control} group spends ({money} per pupil per year): "
            f"{number(row['net_per_pupil_year'], 0)} per pupil per year."
        )
    return told


def _rate(row: Mapping[str, Any]) -> str:
    """Return at which rate a cost in another currency was changed to pounds."""
    if _text(row["currency"]) in ("", "GBP") or not row["per_pupil_year"]:
        return ""
    rate = row["pounds"] / row["per_pupil_year"]
    return f", at the protocol’s rate of £{rate:.4g} for {row['currency']} 1"


def _text(value: object) -> str:
    return "" if pd.isna(value) else str(value)


def _percent(share: float) -> str:
    return number(100 * share, 1)
