"""What was found for the primary outcomes, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.data.rows.analysed import OF_PANELS
from schooltrial.protocol.filters import years_named
from schooltrial.protocol.levels import DesignLevels
from schooltrial.protocol.sections import Years, all_years
from schooltrial.wording import plural

HEADLINES = ("ITT", "ATT", "CACE")
"""Estimands that a summary may tell."""


def summarise_findings(
    estimates: pd.DataFrame, protocol: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the primary outcomes of the primary models, as the summary tells them, arm by arm."""
    models, outcomes = protocol["models"], protocol["outcomes"]
    labels = {arm["name"]: arm["label"] for arm in protocol["design"]["arms"]}
    several = len(labels) > 2
    primary = [name for name, model in models.items() if model["role"] == "primary"]
    rows = estimates[estimates["model"].isin(primary) & estimates["estimand"].isin(HEADLINES)]
    found = []
    for _, row in rows.iterrows():
        if not outcomes[row["outcome"]]["primary"]:
            continue
        arm = arm_of(row["term"], models[row["model"]], list(labels))
        found.append({
            **{str(key): value for key, value in row.items()},
            "note": "" if pd.isna(row["note"]) else row["note"],
            "label": outcomes[row["outcome"]]["label"],
            "arm_label": labels.get(arm, arm) if several else "",
            "unit": outcomes[row["outcome"]]["units_label"],
            "n_pupils": _counted(row.get("n_pupils")),
            "people": _people(
                models[row["model"]], outcomes[row["outcome"]], protocol["years"]
            ),
            "places": _places(row, DesignLevels.of(protocol["design"])),
            "model_label": models[row["model"]]["label"],
            "level": models[row["model"]]["confidence_level"],
            "verdict": _verdict(row),
            "others": sensitivity_range(estimates, protocol, row["outcome"], arm),
        })  # fmt: skip
    return found


def _people(model: Mapping[str, Any], outcome: Mapping[str, Any], years: Years) -> str:
    """Say whom an estimate counts; a panel, or a model of several years, counts a pupil in each."""
    person = "teacher" if outcome["measured_on"] == "teacher" else "pupil"
    named = years_named(model["where"], all_years(years)) or all_years(years)
    several = model["estimator"] in OF_PANELS or len(named) > 1
    return f"{person}-years" if several else f"{person}s"


def _counted(pupils: Any) -> int | None:
    """Return how many an estimate counts; None where rows are schools of unknown size."""
    return None if pd.isna(pupils) else int(pupils)


def _places(row: pd.Series, levels: DesignLevels) -> str:
    """Say in how many schools those counted are; nothing where the trial has no schools."""
    if not levels.in_schools:
        return ""
    schools = plural(int(row["n_schools"]), "school")
    if levels.unit != "school":
        return f"in {schools}"
    return f"in {schools} ({int(row['n_treated_schools']):,} intervention)"


def arm_of(term: str, model: Mapping[str, Any], arms: Sequence[str]) -> str:
    """Return the arm whose effect a term is; empty where it is of several arms together.

    Parameters
    ----------
    term : str
        Of the estimates table: ``treated``, or ``treated[arm=…]``.
    model : mapping
        The protocol's model.
    arms : sequence of str
        Names of the arms, the control arm first.
    """
    named = re.search(r"\[arm=([^\]]+)\]", str(term))
    if named:
        return named[1]
    compared = [arm for arm in arms[1:] if not model["arms"] or arm in model["arms"]]
    return compared[0] if len(compared) == 1 else ""


def _verdict(row: pd.Series) -> str:
    """Say what the interval says, without more."""
    if not row["converged"]:
        return "The model did not converge: no finding"
    if pd.isna(row["conf_low"]) or pd.isna(row["conf_high"]):
        return "There is no interval: no finding"
    if row["conf_low"] > 0:
        return "The interval lies above zero"
    if row["conf_high"] < 0:
        return "The interval lies below zero"
    return "The interval includes zero"


def sensitivity_range(
    estimates: pd.DataFrame, protocol: Mapping[str, Any], outcome: str, arm: str
) -> tuple[float, float, int] | None:
    """Return the least and greatest sensitivity estimate of an outcome and arm, and how many."""
    models = protocol["models"]
    chosen = [name for name, model in models.items() if model["role"] == "sensitivity"]
    rows = estimates[
        estimates["model"].isin(chosen)
        & (estimates["outcome"] == outcome)
        & estimates["estimand"].isin(HEADLINES)
        & (estimates["subgroup"] == "all")
    ]
    arms = [one["name"] for one in protocol["design"]["arms"]]
    terms = zip(rows["term"], rows["model"], strict=True)
    rows = rows[[arm_of(term, models[name], arms) == arm for term, name in terms]]
    if rows.empty:
        return None
    return float(rows["estimate"].min()), float(rows["estimate"].max()), len(rows)
