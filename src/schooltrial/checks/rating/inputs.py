"""What the ratings of an outcome rest on, found in the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import pandas as pd

from schooltrial.checks.assignment.crossovers import share_crossed
from schooltrial.checks.power.simulation import SIMULATED
from schooltrial.checks.rating.terms import (
    HIGH,
    LOW,
    BaselineDifference,
    LevelAttrition,
    RatingInputs,
)
from schooltrial.data.rows.analysed import OF_PANELS
from schooltrial.protocol.sections import Model, covariate_terms

CONTRADICTED, IN_DOUBT = "contradicted", "in doubt"


JOINED = ("new intake", "joined early", "joined late")


ANALYSED = "analysed"


def rating_inputs(
    outcome: str,
    model: Model,
    protocol: Mapping[str, Any],
    *,
    year: int,
    attrition: pd.DataFrame,
    balance: pd.DataFrame,
    power: pd.DataFrame,
    assignment: Mapping[str, Any],
    contrast: pd.DataFrame | None = None,
    take_up: pd.DataFrame | None = None,
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
    contrast : DataFrame, optional
        What control units received of the programme, where a log tells.
    take_up : DataFrame, optional
        ``unit, arm, taken_up`` of every unit; where any is known it comes before the log.

    Returns
    -------
    RatingInputs
        Of several arms that the model compares with the control arm, the worst counts; arms that
        it does not compare do not.
    """
    level, unit = protocol["outcomes"][outcome]["measured_on"], protocol["design"]["unit"]
    boundary = protocol["checks"]["attrition_boundary"]
    arms = compared_arms(model, protocol["design"]["arms"])
    attrition, balance, power = (_of_arms(frame, arms) for frame in (attrition, balance, power))
    then = attrition[attrition["year"].astype("str") == str(year)]
    lost = then[(then["quantity"] == "lost") & (then["outcome"] == outcome)]
    people = f"{level}s"
    of_people = lost["level"] == people
    held = lost[~of_people] if (~of_people).any() else lost
    told = lost[of_people & lost["verdict"].isin([LOW, HIGH])]
    sized = power[(power["outcome"] == outcome) & (power["stage"] == "randomisation")]
    sized = sized[(sized["subgroup"] == "all") & (sized["scale"] == "SD")]
    sized = sized.set_index("arm")
    closed = sized.loc[sized["method"] != SIMULATED, "mdes"]
    sized = closed if closed.notna().any() else sized["mdes"]
    verdict, settings = str(assignment["verdict"]), protocol["balance"]
    moved = then[then["level"] == people]
    named = [str(protocol["design"]["arms"][0]["name"]), *arms]
    worst = {
        "people_attrition": _worst(told.set_index("arm")["overall"]),
        "mdes": _worst(sized),
        "joined": (0.0, "") if level == unit else _worst(_joined(moved)),
        "changed_arm": (0.0, "")
        if level == unit
        else _worst(moved[moved["quantity"] == "changed arm"].set_index("arm")["overall"]),
        "crossovers": _worst(_crossed(take_up, contrast, named)),
    }
    return RatingInputs(
        outcome=outcome,
        randomised=bool(protocol["design"]["randomised"]),
        assignment_verdict=verdict,
        compromised=verdict.startswith(CONTRADICTED),
        doubted=verdict.startswith(IN_DOUBT),
        attrition=tuple(_level(str(name), rows, boundary) for name, rows in held.groupby("level")),
        baseline=baseline_differences(outcome, level, model, balance),
        joiners_justification=str(protocol["checks"]["joiners_justification"]),
        satisfied=float(settings["equivalent_to"]),
        adjustable=float(settings["adjust_to"]),
        arms=tuple(arms),
        of_arm={field: arm for field, (_, arm) in worst.items() if arm and len(arms) > 1},
        **{field: share for field, (share, _) in worst.items()},
    )


def compared_arms(model: Model, arms: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the arms that a model compares with the control arm, which comes first."""
    named = [str(arm["name"]) for arm in arms[1:]]
    return [arm for arm in named if not model["arms"] or arm in model["arms"]]


def baseline_differences(
    outcome: str, level: str, model: Model, balance: pd.DataFrame
) -> tuple[BaselineDifference, ...]:
    """Return the differences at baseline that the analysed sample is held to.

    The standard asks for the outcome's own baseline: of the people analysed, and where theirs was
    not measured of their schools. Where there is neither, all that is compared of them counts. Of
    outcomes that are published by school there are rows of the schools as assigned alone. A model
    of changes adjusts for the outcome as it was.
    """
    rows = balance[balance["sample"] == ANALYSED]
    if level == "school" and not (rows["level"] == "school").any():
        rows = balance[balance["level"] == "school"]
    size = rows["wwc_effect_size"].fillna(rows["standardised_difference"])
    rows = rows.assign(size=size).dropna(subset=["size"])
    is_own = rows["variable"].isin([outcome, f"{outcome}_before", f"{outcome}_before_school"])
    of_people = rows["level"] == level
    for chosen in (is_own & of_people, is_own & (rows["level"] == "school"), of_people):
        if chosen.any():
            break
    terms = {part for term in covariate_terms(model, outcome) for part in term.split(":")}
    own_change = model["estimator"] in OF_PANELS
    return tuple(
        BaselineDifference(
            level=str(row["level"]), variable=str(row["variable"]), label=str(row["label"]),
            size=float(row["size"]), own=bool(is_own.loc[at]),
            adjusted=_adjusts(str(row["variable"]), terms) or (own_change and bool(is_own.loc[at])),
            known=int(row["n_control"] + row["n_treated"]), missing=int(row["missing"]),
            sample=str(row["sample"]), arm=str(row["arm"]),
        )
        for at, row in rows[chosen].iterrows()
    )  # fmt: skip


def _adjusts(variable: str, terms: set[str]) -> bool:
    """Return whether a covariate of the model is that variable, or an outcome's baseline."""
    return bool(terms & {variable, f"{variable}_before", f"{variable}_before_school"})


def _of_arms(frame: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    return frame[frame["arm"].isin(arms)]


def _worst(by_arm: pd.Series) -> tuple[float, str]:
    """Return the largest of what is known of arms, and whose it is; NaN and nobody for nothing."""
    known = by_arm.dropna()
    if known.empty:
        return nan, ""
    at = int(known.to_numpy("float64").argmax())
    return float(known.iloc[at]), str(known.index[at])


def _level(name: str, rows: pd.DataFrame, boundary: str) -> LevelAttrition:
    """Return the attrition of a level, of the arm whose verdict is the worst."""
    order = rows["verdict"].map({LOW: 0, HIGH: 2}).fillna(1)
    beyond = (rows["differential"].abs() - rows[f"boundary_{boundary}"]).fillna(float("inf"))
    at = pd.DataFrame({"order": order, "beyond": beyond}).sort_values(["order", "beyond"]).index[-1]
    worst = rows.loc[at]
    return LevelAttrition(
        name, float(worst["overall"]), float(worst["differential"]),
        float(worst[f"boundary_{boundary}"]), str(worst["verdict"]), str(worst["arm"]),
    )  # fmt: skip


def _joined(moved: pd.DataFrame) -> pd.Series:
    """Return arm → share of people who came after the assignment."""
    came = moved[moved["quantity"].isin(JOINED)]
    return came.groupby("arm")["overall"].sum(min_count=1)


def _crossed(
    take_up: pd.DataFrame | None, contrast: pd.DataFrame | None, arms: Sequence[str]
) -> pd.Series:
    """Return arm → share of its units that crossed over, by their take-up or else by a log."""
    if take_up is not None and take_up["taken_up"].notna().any():
        return share_crossed(take_up[take_up["arm"].isin(arms)], arms[0])
    if contrast is None:
        return pd.Series(dtype="float64")
    held = contrast[contrast["arm"].isin(arms) & contrast["n_with_any"].notna()]
    held = held[held["expected"] == "no"].set_index("arm")
    crossed = held["verdict"].fillna("").str.startswith("crossover")
    return (held["n_with_any"] / held["n_schools"]).where(crossed, 0.0)
