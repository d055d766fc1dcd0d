"""What the ratings of an outcome rest on, found in the checks."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any

import pandas as pd

from schooltrial.checks.evidence_rating import LevelAttrition, RatingInputs

CONTRADICTED = "contradicted"


def rating_inputs(
    outcome: str,
    model: Mapping[str, Any],
    protocol: Mapping[str, Any],
    *,
    year: int,
    attrition: pd.DataFrame,
    balance: pd.DataFrame,
    power: pd.DataFrame,
    assignment: Mapping[str, Any],
) -> RatingInputs:
    """Gather all that the ratings of one primary outcome rest on.

    Parameters
    ----------
    outcome : str
        Name of the outcome.
    model : mapping
        Its primary model.
    protocol : mapping
        The protocol's sections.
    year : int
        Year of the analysis.
    attrition, balance, power : DataFrame
        The checks.
    assignment : mapping
        ``verdict`` and ``reasons`` of the check of the assignment.

    Returns
    -------
    RatingInputs
        Of several arms, each compared with the control arm, the worst counts.
    """
    level = protocol["outcomes"][outcome]["level"]
    boundary = protocol["checks"]["attrition_boundary"]
    lost = attrition[(attrition["quantity"] == "lost") & (attrition["outcome"] == outcome)]
    lost = lost[lost["year"].astype("str") == str(year)]
    people = f"{level}s"
    held = lost[lost["level"] != people] if (lost["level"] != people).any() else lost
    sizes = lost.loc[lost["level"] == people, "overall"]
    difference, measure = _baseline(outcome, level, model, balance)
    sized = power[(power["outcome"] == outcome) & (power["stage"] == "randomisation")]
    settings = protocol["balance"]
    return RatingInputs(
        outcome=outcome,
        randomised=bool(protocol["design"]["randomised"]),
        assignment_verdict=str(assignment["verdict"]),
        compromised=str(assignment["verdict"]).startswith(CONTRADICTED),
        attrition=tuple(_level(name, rows, boundary) for name, rows in held.groupby("level")),
        people_attrition=float(sizes.max()) if len(sizes) else nan,
        baseline_difference=difference,
        baseline_measure=measure,
        adjusted=_adjusts(outcome, model),
        mdes=float(sized["mdes"].max()) if len(sized) else nan,
        satisfied=float(settings["satisfied"]),
        adjustable=float(settings["adjustable"]),
    )


def _level(name: Any, rows: pd.DataFrame, boundary: str) -> LevelAttrition:
    """Return the attrition of a level, of the arm whose verdict is the worst."""
    order = {"low": 0, "not measured": 1, "not defined": 1, "high": 2}
    worst = rows.loc[rows["verdict"].map(order).fillna(1).idxmax()]
    return LevelAttrition(
        str(name), float(worst["overall"]), float(worst["differential"]),
        float(worst[f"boundary_{boundary}"]), str(worst["verdict"]),
    )  # fmt: skip


def _adjusts(outcome: str, model: Mapping[str, Any]) -> bool:
    terms = {part for term in model["covariates"] for part in term.split(":")}
    return bool(terms & {"baseline", f"{outcome}_before", f"{outcome}_before_school"})


def _baseline(
    outcome: str, level: str, model: Mapping[str, Any], balance: pd.DataFrame
) -> tuple[float, str]:
    """Return the largest difference at baseline of the analysed sample, and what it is of.

    The standard asks for the outcome's own baseline; where there is none, for all that is compared.
    """
    rows = balance[(balance["sample"] == "analysed") & (balance["level"] == level)]
    own = rows[rows["variable"].isin([outcome, f"{outcome}_before"])]
    rows = own if len(own) else rows
    sizes = rows["wwc_effect_size"].fillna(rows["standardised_difference"]).dropna()
    if sizes.empty:
        return nan, ""
    at = sizes.abs().idxmax()
    return float(sizes.loc[at]), str(rows.loc[at, "label"])
