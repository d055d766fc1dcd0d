"""The baseline table: both arms side by side, schools and pupils."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.exhibits.table_style import html, number

GROUPS = {"pupil": "Pupils", "school": "Schools (means of their pupils)"}


def baseline_html(
    balance: pd.DataFrame,
    arms: Sequence[Mapping[str, str]],
    settings: Mapping[str, Any],
    study: Mapping[str, Any],
    year_label: str,
) -> str:
    """Return the balance check as a table: means and SDs by arm, and their differences."""
    shown = pd.DataFrame(
        {
            "Level": balance["level"].map(GROUPS),
            "Variable": balance["label"],
            arms[0]["label"]: _mean_sd(balance, "control"),
            arms[1]["label"]: _mean_sd(balance, "treated"),
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


def _mean_sd(balance: pd.DataFrame, arm: str) -> list[str]:
    pairs = zip(balance[f"mean_{arm}"], balance[f"sd_{arm}"], strict=True)
    return [f"{number(mean, 2)} ({number(sd, 2)})" for mean, sd in pairs]
