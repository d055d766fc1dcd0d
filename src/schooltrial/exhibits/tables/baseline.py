"""The baseline table: both groups side by side, as assigned and as analysed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from schooltrial.document.numbers import difference_text, number, size_beside_limits
from schooltrial.document.tables import Column, NotedTable, tabulate
from schooltrial.protocol.content.sections import Arm, Balance
from schooltrial.wording import exact

GROUPS = {"pupil": "Pupils", "teacher": "Teachers", "school": "Schools"}


def baseline_table(
    balance: pd.DataFrame,
    arms: Sequence[Arm],
    settings: Balance,
    year_label: str,
    control: str = "control",
) -> NotedTable:
    """Return the check as a table: means, SDs and differences by group, of both samples."""
    limits = (settings["equivalent_to"], settings["adjust_to"])
    samples = balance["sample"] if "sample" in balance else pd.Series("", balance.index)
    several = len(arms) > 2
    groups = [
        _group(level, arm if several else "", arms, sample)
        for level, arm, sample in zip(balance["level"], _arms(balance), samples, strict=True)
    ]
    told = balance.assign(
        control=_mean_sd(balance, "control"),
        treated=_mean_sd(balance, "treated"),
        standardised_difference=balance["standardised_difference"].map(difference_text),
        wwc_effect_size=balance["wwc_effect_size"]
        .map(partial(size_beside_limits, limits=limits))
        .mask(balance["level"] == "school", ""),
        n=[
            f"{c:,} + {t:,}"
            for c, t in zip(balance["n_control"], balance["n_treated"], strict=True)
        ],
    )
    columns = [
        Column("Variable", key="label"),
        Column(arms[0]["label"], "told", key="control"),
        Column("Intervention group" if several else arms[1]["label"], "told", key="treated"),
        Column("Difference", "number", key="difference"),
        Column("Standardised", "told", key="standardised_difference"),
        Column("Effect size", "told", key="wwc_effect_size"),
        Column("WWC band", key="wwc_band"),
        Column("N", "told", key="n"),
        Column("Missing", "count", key="missing"),
    ]
    of_schools = (
        " Means of schools as analysed are those of the pupils analysed there, at baseline; the "
        "ratings compare individuals, and of schools the means of all their pupils then."
        if (balance["level"] == "school").any()
        else ""
    )
    bands = bands_sentence(settings)
    note = (
        "Mean (SD) by group at baseline: of all who were there then, and of those "
        f"analysed later. The standardised difference is intervention − {control} over the pooled "
        "SD of the two groups; for a yes/no variable or a category, the SD of the indicator. The "
        "effect size, for individuals only, is Hedges’ g, or the Cox index of a yes/no variable or "
        f"category. {bands}{of_schools} N: {control} + intervention; missing are those who lack "
        "the variable or were not there at baseline. A difference is infinite where each "
        "group has one value and they differ, and not known where a group has no value, or each "
        "group a single one."
    )
    table = tabulate(f"Baseline, {year_label}", told, columns, group=groups)
    return NotedTable("baseline", table, (note,))


def bands_sentence(settings: Balance) -> str:
    """Return the bands of baseline equivalence with their limits, in the words of the table.

    Parameters
    ----------
    settings : mapping
        Section ``balance`` of the protocol.
    """
    low, high = (exact(settings[key]) for key in ("equivalent_to", "adjust_to"))
    return (
        f"WWC baseline equivalence: satisfied up to {low} SD; adjustment needed above that and up "
        f"to {high} SD; not satisfied above {high} SD."
    )


def _arms(balance: pd.DataFrame) -> pd.Series:
    return balance["arm"] if "arm" in balance else balance["level"]


def _group(level: str, arm: str, arms: Sequence[Arm], sample: str) -> str:
    """Return the heading of a group of rows, with the sample, and the group of several."""
    labels = {one["name"]: one["label"] for one in arms}
    heading = f"{GROUPS[level]}, as {sample}" if sample else GROUPS[level]
    return f"{heading}: {labels.get(arm, arm)}" if arm else heading


def _mean_sd(balance: pd.DataFrame, arm: str) -> list[str]:
    pairs = zip(balance[f"mean_{arm}"], balance[f"sd_{arm}"], strict=True)
    return [_described(mean, sd) for mean, sd in pairs]


def _described(mean: float, sd: float) -> str:
    """Return a mean and its SD; nobody has a mean, and one value no SD."""
    if pd.isna(mean):
        return "no value"
    return f"{number(mean, 2)} ({number(sd, 2) or 'no SD'})"
