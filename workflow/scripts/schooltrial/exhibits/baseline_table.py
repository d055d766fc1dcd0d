"""The baseline table: both arms side by side, schools and pupils."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.exhibits.table_style import html, number

GROUPS = {"pupil": "Pupils", "teacher": "Teachers", "school": "Schools (means of their pupils)"}


def baseline_html(
    balance: pd.DataFrame,
    arms: Sequence[Mapping[str, str]],
    settings: Mapping[str, Any],
    study: Mapping[str, Any],
    year_label: str,
) -> str:
    """Return the check of the randomised sample as a table: means, SDs and differences by arm."""
    if "sample" in balance:
        balance = balance[balance["sample"] == "randomised"].reset_index(drop=True)
    several = len(arms) > 2
    shown = pd.DataFrame(
        {
            "Level": [
                _group(level, arm if several else "", arms)
                for level, arm in zip(balance["level"], _arms(balance), strict=True)
            ],
            "Variable": balance["label"],
            arms[0]["label"]: _mean_sd(balance, "control"),
            "Programme arm" if several else arms[1]["label"]: _mean_sd(balance, "treated"),
            "Difference": balance["difference"].map(number),
            "Standardised": balance["standardised_difference"].map(number),
            "Band": balance["band"].fillna(""),
            "N": [
                f"{c:,} + {t:,}"
                for c, t in zip(balance["n_control"], balance["n_treated"], strict=True)
            ],
            "Missing": balance["missing"].astype(str),
        }
    )
    bounds = [f"{settings[key]:g}" for key in ("satisfied", "adjustable")]
    note = (
        "Mean (SD) by arm, of the pupils enrolled in the baseline year. The standardised "
        "difference is treated minus control over the pooled SD of the two arms, of pupils or of "
        "school means; for a flag or the level of a category, the SD of the indicator. Bands, for "
        f"pupils only: satisfied up to {bounds[0]}, adjustment needed up to {bounds[1]}. N: "
        "control + treated."
    )
    return html(
        shown,
        name="baseline",
        title=f"Baseline, {year_label}",
        group="Level",
        right=[*shown.columns[2:6], "N", "Missing"],
        note=note,
        study=study,
    )


def _arms(balance: pd.DataFrame) -> pd.Series:
    return balance["arm"] if "arm" in balance else balance["level"]


def _group(level: str, arm: str, arms: Sequence[Mapping[str, str]]) -> str:
    """Return the heading of a group of rows, with the arm where there are several."""
    labels = {one["name"]: one["label"] for one in arms}
    return f"{GROUPS[level]}: {labels.get(arm, arm)}" if arm else GROUPS[level]


def _mean_sd(balance: pd.DataFrame, arm: str) -> list[str]:
    pairs = zip(balance[f"mean_{arm}"], balance[f"sd_{arm}"], strict=True)
    return [f"{number(mean, 2)} ({number(sd, 2)})" for mean, sd in pairs]
