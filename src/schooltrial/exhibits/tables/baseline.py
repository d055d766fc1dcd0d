"""The baseline table: both arms side by side, as assigned and as analysed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from schooltrial.document.numbers import difference_text, number
from schooltrial.document.tables import Column, fragment, tabulate
from schooltrial.protocol.sections import Arm, Balance, StudyLine
from schooltrial.wording import exact

GROUPS = {"pupil": "Pupils", "teacher": "Teachers", "school": "Schools (means of their pupils)"}


def baseline_html(
    balance: pd.DataFrame,
    arms: Sequence[Arm],
    settings: Balance,
    study: StudyLine,
    year_label: str,
) -> str:
    """Return the check as a table: means, SDs and differences by arm, of both samples."""
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
        .map(difference_text)
        .mask(balance["level"] == "school", ""),
        n=[
            f"{c:,} + {t:,}"
            for c, t in zip(balance["n_control"], balance["n_treated"], strict=True)
        ],
    )
    columns = [
        Column("Variable", key="label"),
        Column(arms[0]["label"], "told", key="control"),
        Column("Programme arm" if several else arms[1]["label"], "told", key="treated"),
        Column("Difference", "number", key="difference"),
        Column("Standardised", "told", key="standardised_difference"),
        Column("Effect size", "told", key="wwc_effect_size"),
        Column("Band", key="wwc_band"),
        Column("N", "told", key="n"),
        Column("Missing", "told", key="missing"),
    ]
    of_schools = (
        " Of schools analysed the means are those of the pupils analysed there."
        if (balance["level"] == "school").any()
        else ""
    )
    bounds = [exact(settings[key]) for key in ("equivalent_to", "adjust_to")]
    note = (
        "Mean (SD) by arm, in the baseline year: of all who were then there, and of those analysed "
        "later. The standardised difference is treated minus control over the pooled SD of the two "
        "arms; for a flag or the level of a category, the SD of the indicator. The effect size, "
        "for people only, is Hedges’ g, or the Cox index of a flag or level, and the band is its: "
        f"satisfied up to {bounds[0]}, adjustment needed up to {bounds[1]}.{of_schools} N: "
        "control + treated; the missing lack the variable, or were not there in the baseline year. "
        "A difference is infinite where each arm has one value and they differ, and not known "
        "where an arm has no value, or each arm a single one."
    )
    table = tabulate(f"Baseline, {year_label}", told, columns, group=groups)
    return fragment(table, name="baseline", notes=[note], study=study)


def _arms(balance: pd.DataFrame) -> pd.Series:
    return balance["arm"] if "arm" in balance else balance["level"]


def _group(level: str, arm: str, arms: Sequence[Arm], sample: str) -> str:
    """Return the heading of a group of rows, with the sample, and the arm of several."""
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
