"""The units that a list assigns: who they are, and which of its rows are sound."""

from __future__ import annotations

import pandas as pd

from schooltrial.randomisation.plan import ALL, LotteryPlan


def units_of(assignment: pd.DataFrame, unit: str, kind: str) -> pd.DataFrame:
    """Return ``unit, block, arm`` (``drawn`` and ``cohort`` if listed) of each row, in its order.

    A complete or simple design has one block, whatever the table says; teachers, classes and
    pupils whose block the table lacks were drawn inside their school.
    """
    blocks = "block" if "block" in assignment else "school" if unit != "school" else ""
    blocks = "" if kind in ("complete", "simple") else blocks
    told = assignment[blocks] if blocks and blocks in assignment else None
    columns = {
        "unit": assignment[unit].astype("str"),
        "block": pd.Series(ALL, index=assignment.index) if told is None else told.astype("str"),
        "arm": assignment["arm"].astype("str").where(assignment["arm"].notna(), "none"),
    }
    if "drawn" in assignment:
        columns["drawn"] = pd.to_datetime(assignment["drawn"])
    if kind == "staggered" and "cohort" in assignment:
        columns["cohort"] = pd.to_numeric(assignment["cohort"])
    return pd.DataFrame(columns).reset_index(drop=True)


def sound_units(units: pd.DataFrame, plan: LotteryPlan) -> pd.DataFrame:
    """Return the units that can be tested: in one group, and one of the design's."""
    known = units[units["arm"].isin(plan.arms)]
    arms = known.groupby("unit")[["arm", "block"]].transform("nunique").max(axis=1)
    return known[arms == 1].drop_duplicates("unit").reset_index(drop=True)


def by_round(units: pd.DataFrame) -> pd.DataFrame:
    """Return units with blocks separated by the day of randomisation, if there were several.

    Units that joined later were drawn among themselves: no re-draw may exchange them with others.
    """
    if "drawn" not in units or units["drawn"].nunique() < 2:
        return units
    day = units["drawn"].dt.strftime("%Y-%m-%d").fillna("no day")
    several = units.groupby("block")["drawn"].transform("nunique") > 1
    return units.assign(block=units["block"].where(~several, units["block"] + ", drawn " + day))


def unit_column(frame: pd.DataFrame) -> str:
    """Return the column of the unit that was assigned."""
    return "cluster" if "cluster" in frame else "school"
