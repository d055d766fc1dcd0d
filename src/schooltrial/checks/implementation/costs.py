"""Costs of the programme, by ingredient, and per pupil per year.

The cost of an ingredient is its quantity times its unit cost; one that is needed each year counts
in every one of the years over which the cost is averaged, another once. Divided by these years and
by the pupils whom the programme reaches in a year it is the cost per pupil and year, which the
bands of the Education Endowment Foundation name (``cost_bands.csv``, in pounds). Where the protocol
states what usual practice costs per pupil and year, the cost net of it is there too; the bands are
of the cost before that.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from math import fsum, inf, isnan, nan
from typing import Any

import pandas as pd

from schooltrial.wording import named

COLUMNS = [
    "arm", "ingredient", "quantity_unit", "quantity", "unit_cost", "each_year", "total", "share",
    "n_pupils", "n_years", "per_pupil_year", "usual_practice", "net_per_pupil_year", "currency",
    "price_year", "pounds", "cost_band", "source", "note",
]  # fmt: skip


ALL = "all ingredients"


EVERY_ARM = "all"


def cost_table(
    costs: pd.DataFrame, settings: Mapping[str, Any], pupils: Mapping[str, float]
) -> pd.DataFrame:
    """Return the cost of each ingredient, and of all together, with the band of the last.

    Parameters
    ----------
    costs : DataFrame
        Table of costs: ``ingredient, quantity, unit_cost``, and where it has them ``unit``,
        ``each_year`` (a flag), ``arm`` and ``source``.
    settings : mapping
        The protocol's section ``costs``.
    pupils : mapping
        Intervention group → pupils whom it reaches in a year.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``. Where the table names arms each has its own rows, else all programme
        arms are one. An ingredient without quantity or unit cost is not counted, and named. Shares
        are of the total.
    """
    rows = costs.assign(
        arm=costs["arm"].astype("str") if "arm" in costs else EVERY_ARM,
        each_year=costs["each_year"].fillna(0).astype(bool) if "each_year" in costs else False,
    )
    for name in ("unit", "source"):
        rows[name] = rows[name].astype("object").fillna("") if name in rows else ""
    times = rows["each_year"].map({True: settings["years"], False: 1}).astype("float64")
    rows["total"] = rows["quantity"].astype("float64") * rows["unit_cost"].astype("float64") * times
    parts = []
    for arm, own in rows.groupby("arm", sort=True):
        reached = fsum(pupils.values()) if arm == EVERY_ARM else pupils.get(str(arm), nan)
        parts.append(_of_arm(own, settings, float(settings["pupils"] or reached)))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _of_arm(own: pd.DataFrame, settings: Mapping[str, Any], pupils: float) -> pd.DataFrame:
    """Return the ingredients of a group, and their sum."""
    total = float(own["total"].sum())
    unknown = list(own.loc[own["total"].isna(), "ingredient"].astype("str"))
    whole = own.iloc[:1].assign(
        ingredient=ALL,
        unit="",
        quantity=nan,
        unit_cost=nan,
        each_year=False,
        total=total,
        source="",
    )
    found = pd.concat([own, whole], ignore_index=True)
    found["share"] = found["total"] / total if total else nan
    found["n_pupils"], found["n_years"] = pupils, settings["years"]
    reached = pupils * settings["years"]
    found["per_pupil_year"] = found["total"] / reached if reached > 0 else nan
    last = found.index[-1]
    usual = settings["usual_practice"]
    found["usual_practice"] = nan if usual is None else float(usual)
    found["net_per_pupil_year"] = nan
    found.loc[last, "net_per_pupil_year"] = (
        found.loc[last, "per_pupil_year"] - found.loc[last, "usual_practice"]
    )
    found["currency"], found["price_year"] = settings["currency"], settings["price_year"]
    rate = 1.0 if settings["currency"] == "GBP" else settings["gbp_rate"]
    found["pounds"] = found["per_pupil_year"] * rate if rate else nan
    found["cost_band"], found["note"] = "", ""
    found.loc[last, "cost_band"] = cost_band(float(found.loc[last, "pounds"]))
    told = [f"not counted, as quantity or unit cost is missing: {named(unknown)}"]
    notes = told if unknown else []
    notes += [] if reached > 0 else ["no pupils of the programme are known: give costs.pupils"]
    notes += [] if rate else ["no band: the costs are not in pounds, and no rate is given"]
    found.loc[last, "note"] = "; ".join(notes)
    return found.rename(columns={"unit": "quantity_unit"})[COLUMNS]


def pupils_reached(
    sample: pd.DataFrame, arms: Sequence[str], during: Sequence[int]
) -> dict[str, float]:
    """Return intervention group → pupils of its units in a year, a mean over the programme's years.

    Parameters
    ----------
    sample : DataFrame
        The sample of pupils: ``arm, year``, one row per pupil and year.
    arms : sequence of str
        Names of the groups, the control group first.
    during : sequence of int
        Years of the programme.
    """
    rows = sample[sample["year"].isin(list(during))]
    counts = rows.groupby([rows["arm"].astype("str"), rows["year"]]).size()
    held = set(counts.index.get_level_values(0))
    return {arm: float(counts.loc[arm].mean()) for arm in arms[1:] if arm in held}


def cost_band(pounds: float) -> str:
    """Return the Education Endowment Foundation's band of a cost per pupil per year, in pounds.

    Source: as printed with the Teaching and Learning Toolkit: very low under £80, low up to £200,
    moderate up to £720, high up to £1,200. Empty where the cost is not known.
    """
    if isnan(pounds):
        return ""
    return next(
        band
        for band, upto, counts in _bands()
        if pounds < upto or (counts and round(pounds, 10) == upto)
    )


@cache
def _bands() -> tuple[tuple[str, float, bool], ...]:
    text = files("schooltrial.checks.implementation").joinpath("cost_bands.csv").read_text("utf-8")
    return tuple(
        (
            row["band"],
            inf if row["upto"] == "inf" else float(row["upto"]),
            row["limit_counts"] == "1",
        )
        for row in csv.DictReader(text.splitlines())
    )
