"""What was carried out, and what it cost, as the report and the monitoring page show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.checks.implementation.costs import ALL
from schooltrial.document.numbers import number
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.wording import exact

Labels = Mapping[str, str]

FIDELITY = [
    Column("component", key="label"),
    Column("indicator"),
    Column("source"),
    Column("arms"),
    Column("school year", "told", key="year"),
    Column("unit"),
    Column("with a record", "told", key="n_recorded"),
    Column("threshold", "told"),
    Column("reached it", "told"),
    Column("planned share %", "percent", 1, key="share_required"),
    Column("met"),
    Column("note"),
]

CONTRAST = [
    Column("component", key="label"),
    Column("school year", "told", key="year"),
    Column("arm"),
    Column("to have it", key="expected"),
    Column("schools", "told", key="n_schools"),
    Column("with a record", "told", key="n_recorded"),
    Column("mean dose", "number", 1, key="mean"),
    Column("schools with any", "told"),
    Column("at the threshold", "told"),
    Column("verdict"),
]


def implementation_shown(tables: Mapping[str, pd.DataFrame], arms: Labels) -> dict[str, Any]:
    """Return fidelity, contrast and costs as tables, and the costs in words; None for none.

    Parameters
    ----------
    tables : mapping
        Checks by name.
    arms : mapping
        Arm → its name in exhibits.
    """
    shows = {"fidelity": fidelity_shown, "contrast": contrast_shown, "costs": costs_shown}
    there = {name for name in shows if name in tables and not tables[name].empty}
    found: dict[str, Any] = {
        name: show(tables[name], arms) if name in there else None for name, show in shows.items()
    }
    found["costs_told"] = costs_told(tables["costs"], arms) if "costs" in there else []
    return found


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
    """Return the doses by arm; what no log tells is not recorded, and never 0."""
    counts = ["n_with_any", "n_units", "n_at_threshold"]
    known = {name: contrast[name].map("{:.0f}".format) for name in counts}
    reached = known["n_at_threshold"] + " of " + known["n_units"] + " " + contrast["unit"] + "s"
    recorded = contrast["mean"].notna()
    told = contrast.assign(
        **{
            "arm": [arms.get(name, name) for name in contrast["arm"]],
            "schools with any": known["n_with_any"].where(recorded, ""),
            "at the threshold": reached.where(recorded, ""),
        }
    )
    return tabulate("Contrast between the arms", told, CONTRAST)


def _arms(names: object, labels: Labels) -> str:
    return ", ".join(labels.get(name, name) for name in str(names).split(", "))


def costs_shown(costs: pd.DataFrame, arms: Labels) -> Table:
    """Return the cost of each ingredient and of all, in the currency of the protocol."""
    currency = str(costs["currency"].fillna("").iloc[0])
    columns = [
        Column("arm"),
        Column("ingredient"),
        Column("quantity", "told"),
        Column("unit"),
        Column("unit cost", "number", 2),
        Column("each year"),
        Column(f"total, {currency}", "number", 0, key="total"),
        Column("share %", "percent", 1, key="share"),
        Column("per pupil and year", "number", 2, key="per_pupil_year"),
        Column("source"),
    ]
    told = costs.assign(
        arm=[arms.get(str(arm), "all programme arms") for arm in costs["arm"]],
        quantity=["" if pd.isna(value) else f"{value:,.10g}" for value in costs["quantity"]],
        each_year=costs["each_year"].map({True: "yes", False: ""}),
    )
    return tabulate("Costs", told, columns)


def costs_told(costs: pd.DataFrame, arms: Labels) -> list[str]:
    """Return a sentence for each arm: cost per pupil and year, what it rests on, and its band."""
    sentences = []
    for row in costs[costs["ingredient"] == ALL].to_dict("records"):
        whom = arms.get(str(row["arm"]), "The programme")
        money = " ".join(filter(None, (whom, "costs", _text(row["currency"]))))
        if pd.isna(row["per_pupil_year"]):
            told = f"{money} {row['total']:,.0f} in all"
        else:
            years = "a year" if row["years"] == 1 else f"{row['years']:.0f} years"
            told = (
                f"{money} {number(row['per_pupil_year'], 2)} per pupil and year, averaged over "
                f"{years} and {row['pupils']:,.0f} pupils a year"
            )
        if not pd.isna(row["price_year"]):
            told += f", in prices of {row['price_year']:.0f}"
        if _text(row["band"]):
            told += (
                f"; a {row['band']} cost by the bands of the Education Endowment Foundation "
                f"(£{number(row['pounds'], 2)})"
            )
        sentences.append("; ".join(filter(None, (told, _text(row["note"])))) + ".")
    return sentences


def _text(value: object) -> str:
    return "" if pd.isna(value) else str(value)


def _percent(share: float) -> str:
    return number(100 * share, 1)
