"""Inputs of an outcome's ratings, from the checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isnan, nan
from typing import Any

import pandas as pd

from schooltrial.checks.assignment.crossovers import share_crossed
from schooltrial.checks.attrition.analyses import CAME, ENTERED, analysing_models
from schooltrial.checks.balance.equivalence import names_own
from schooltrial.checks.power.simulation import SIMULATED
from schooltrial.checks.rating.terms import (
    HIGH,
    JOINED,
    LOW,
    BaselineDifference,
    LevelAttrition,
    RatingInputs,
)
from schooltrial.data.ledger.follow_up import SAME_GROUP, WITHOUT_BASELINE, another_group
from schooltrial.data.rows.analysed import OF_PANELS
from schooltrial.models.missing_outcomes.attrition_bias import Assumption, attrition_verdict
from schooltrial.protocol.content.levels import GROUPS
from schooltrial.protocol.content.people import joined_words
from schooltrial.protocol.content.sections import Model, covariate_terms
from schooltrial.wording import plural_of

CONTRADICTED, IN_DOUBT = "contradicted", "in doubt"


LOGGED = "crossovers"
"""A log of the programme tells of the control group alone."""


def rating_inputs(
    outcome: str,
    model: Model,
    protocol: Mapping[str, Any],
    *,
    year: int,
    attrition: pd.DataFrame,
    equivalence: pd.DataFrame,
    power: pd.DataFrame,
    assignment: Mapping[str, Any],
    contrast: pd.DataFrame | None = None,
    take_up: pd.DataFrame | None = None,
    mobility: pd.DataFrame | None = None,
    boundary: Assumption | None = None,
    name: str = "",
) -> RatingInputs:
    """Gather all inputs of the ratings of one primary outcome.

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
    attrition, equivalence, power : DataFrame
        The checks.
    assignment : mapping
        ``verdict`` and ``reasons`` of the check of the assignment.
    contrast : DataFrame, optional
        What control units received of the programme, where a log tells.
    take_up : DataFrame, optional
        ``unit, arm, taken_up`` of every unit; where any is known it comes before the log.
    mobility : DataFrame, optional
        Pupils by where they were at baseline: who joined and moved, where the assigned units hold
        classes that are formed each year and attrition has no count of them.
    boundary : {"cautious", "optimistic"}, optional
        Which attrition boundary; by default that of the protocol.
    name : str
        Name of the model, by whose sample attrition is judged.

    Returns
    -------
    RatingInputs
        Of several groups that the model compares with the control group, the worst counts; arms
        that it does not compare do not. What is known of some of these arms alone is named in
        ``unsure``.
    """
    level, unit = protocol["outcomes"][outcome]["measured_on"], protocol["design"]["unit"]
    limit: Assumption = boundary or protocol["checks"]["attrition_boundary"]
    arms = compared_arms(model, protocol["design"]["arms"])
    attrition, power = (_of_arms(frame, arms) for frame in (attrition, power))
    then = attrition[attrition["year"].astype("str") == str(year)]
    lost = _of_model(then[(then["kind"] == "lost") & (then["outcome"] == outcome)], name)
    people = f"{level}s"
    of_people = lost["level"] == people
    held = lost[~of_people] if (~of_people).any() else lost
    counted = lost[of_people & lost["verdict"].isin([LOW, HIGH])]
    sized = power[(power["outcome"] == outcome) & (power["stage"] == "randomisation")]
    sized = sized[(sized["subgroup"] == "all") & (sized["units_label"] == "SD")]
    sized = sized.set_index("arm")
    closed = sized.loc[sized["method"] != SIMULATED, "mdes"]
    sized = closed if closed.notna().any() else sized["mdes"]
    verdict, settings = str(assignment["verdict"]), protocol["balance"]
    moved = then[then["level"] == people]
    named = [str(protocol["design"]["arms"][0]["name"]), *arms]
    nobody = pd.Series(0.0, index=arms)
    entered, came = (
        _of_model(then[(then["kind"] == quantity) & (then["outcome"] == outcome)], name)
        for quantity in (ENTERED, CAME)
    )
    moves = moved[moved["kind"] == "changed group"].set_index("arm")["overall"]
    crossed = _crossed(take_up, contrast, named)
    by_arm = {
        "people_attrition": counted.set_index("arm")["overall"],
        "mdes": sized,
        "joined": _joined(came, entered, nobody if level == unit else None, arms),
        "changed_arm": nobody if level == unit else moves,
        "crossovers": crossed,
    }
    formed = level == "pupil" and unit in GROUPS
    if formed and mobility is not None:
        by_arm |= _formed_since(mobility[mobility["year"] == year], unit, arms)
    worst = {field: _worst(shares) for field, shares in by_arm.items()}
    unsure = [
        field
        for field, (share, _) in worst.items()
        if not isnan(share) and not _known_of_all(by_arm[field], () if field == LOGGED else arms)
    ]
    return RatingInputs(
        outcome=outcome,
        randomised=bool(protocol["design"]["randomised"]),
        assignment_verdict=verdict,
        compromised=verdict.startswith(CONTRADICTED),
        doubted=verdict.startswith(IN_DOUBT),
        attrition=tuple(
            _level(str(name), rows, limit, arms) for name, rows in held.groupby("level")
        ),
        baseline=baseline_differences(outcome, model, protocol, equivalence, limit),
        joiners_justification=str(protocol["checks"]["joiners_justification"]),
        satisfied=float(settings["equivalent_to"]),
        adjustable=float(settings["adjust_to"]),
        arms=tuple(arms),
        of_arm={field: arm for field, (_, arm) in worst.items() if arm and len(arms) > 1},
        unsure=tuple(unsure),
        crossed=_crossed_words(
            worst["crossovers"][1], named[0], protocol["design"], _take_up_known(take_up)
        ),
        people=people,
        came=joined_words(protocol, people) or JOINED,
        formed_since=formed,
        label=str(protocol["outcomes"][outcome].get("label", outcome)),
        **{field: share for field, (share, _) in worst.items()},
    )


def compared_arms(model: Model, arms: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the groups that a model compares with the control group, which comes first."""
    named = [str(arm["name"]) for arm in arms[1:]]
    return [arm for arm in named if not model["arms"] or arm in model["arms"]]


def baseline_differences(
    outcome: str,
    model: Model,
    protocol: Mapping[str, Any],
    equivalence: pd.DataFrame,
    boundary: Assumption = "cautious",
) -> tuple[BaselineDifference, ...]:
    """Return the differences at baseline by which equivalence of the analysed sample is judged.

    They are those of the check of equivalence. Where the outcome's own baseline (or that of its
    family) was measured of the people analysed, theirs counts; that of their schools counts where
    it was not, or is known of too few: where those who lack it would be high attrition. Beside
    measures that the protocol names, the own baseline counts where it is known of enough, so that
    a name of another variable cannot hide a difference in the pre-test. A model of
    changes, and an outcome that is a gain, adjust for the outcome as it was.
    """
    arms = compared_arms(model, protocol["design"]["arms"])
    declared, unit = protocol["outcomes"][outcome], protocol["design"]["unit"]
    rows = _of_arms(equivalence[equivalence["outcome"] == outcome], arms)
    level = declared["measured_on"]
    terms = {part for term in covariate_terms(model, outcome) for part in term.split(":")}
    own_change = model["estimator"] in OF_PANELS or bool(declared.get("gain_from"))
    found = []
    for row in rows.to_dict("records"):
        own = row["basis"] == "own"
        adjusted = _adjusts(str(row["variable"]), str(row["level"]), terms, str(unit))
        found.append(
            BaselineDifference(
                level=str(row["level"]), variable=str(row["variable"]), label=str(row["label"]),
                size=_size(row), own=own, adjusted=adjusted or (own_change and own),
                known=int(row["n_control"] + row["n_treated"]), missing=int(row["missing"]),
                sample=str(row["sample"]), arm=str(row["arm"]), basis=str(row["basis"]),
                covered=_covered(row, boundary),
                note="" if pd.isna(row["note"]) else str(row["note"]),
            )
        )  # fmt: skip
    measures = declared.get("baseline_measures")
    if measures and not names_own(measures, outcome):
        # What the protocol names is in place of a baseline of too few, and never hides a known one
        found = [one for one in found if not one.own or (one.covered and not isnan(one.size))]
    return tuple(_decisive(found, level))


def _decisive(found: Sequence[BaselineDifference], level: str) -> Iterator[BaselineDifference]:
    """Yield the differences that count: of people, and of schools where those do not cover them."""
    schools = {one.arm: one for one in found if one.level != level and one.basis != "named"}
    uncovered = {
        one.arm for one in found if one.level == level and not (one.covered and not isnan(one.size))
    }
    people = {one.arm for one in found if one.level == level}
    for one in found:
        if one.basis == "named":
            yield one
        elif one.level == level:
            if isnan(one.size) and one.arm in schools:
                continue
            yield replace(one, covered=one.covered or one.arm in schools)
        elif one.arm in uncovered or one.arm not in people:
            yield one


def _size(row: Mapping[Any, Any]) -> float:
    """Return the size by the measure of What Works Clearinghouse, else as standardised."""
    size = row["wwc_effect_size"]
    return float(row["standardised_difference"] if pd.isna(size) else size)


def _covered(row: Mapping[Any, Any], boundary: Assumption) -> bool:
    """Return whether few of those analysed lack a measure, as attrition is judged."""
    counts = [(row[f"missing_{arm}"], row[f"n_{arm}"]) for arm in ("control", "treated")]
    if any(lacking + known == 0 for lacking, known in counts):
        return False
    rates = [lacking / (lacking + known) for lacking, known in counts]
    overall = sum(lacking for lacking, _ in counts) / sum(map(sum, counts))
    return attrition_verdict(overall, rates[1] - rates[0], boundary) == LOW


def _adjusts(variable: str, level: str, terms: set[str], unit: str) -> bool:
    """Return whether a model adjusts for a baseline measure.

    The mean of a school adjusts for a difference between people where schools were assigned: it is
    there that the groups differ. Where people were assigned within schools it does not.
    """
    outcome = variable.removesuffix("_before_school").removesuffix("_before")
    names = {variable, f"{outcome}_before"}
    if unit == "school" or level == "school":
        names.add(f"{outcome}_before_school")
    return bool(terms & names)


def _of_model(lost: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return attrition from the sample of a model; if there is none, from what was measured."""
    by = analysing_models(lost)
    own = by == name
    return lost[own if own.any() else by == ""]


def _of_arms(frame: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    return frame[frame["arm"].isin(arms)]


def _worst(by_arm: pd.Series) -> tuple[float, str]:
    """Return the largest of what is known of groups, and whose; NaN and nobody for nothing."""
    known = by_arm.dropna()
    if known.empty:
        return nan, ""
    at = int(known.to_numpy("float64").argmax())
    return float(known.iloc[at]), str(known.index[at])


def _known_of_all(by_arm: pd.Series, arms: Sequence[str]) -> bool:
    """Return whether something is known of every group compared (and wherever it is given)."""
    return set(arms) <= set(by_arm.dropna().index) and bool(by_arm.notna().all())


def _level(
    name: str, rows: pd.DataFrame, boundary: Assumption, arms: Sequence[str]
) -> LevelAttrition:
    """Return the attrition of a level, of the group whose verdict is the worst.

    A group without a row is not known: it is worse than low, and better than high.
    """
    verdicts = rows[f"verdict_{boundary}" if f"verdict_{boundary}" in rows else "verdict"]
    rows = rows.assign(verdict=verdicts.where(rows["verdict"].isin([LOW, HIGH]), rows["verdict"]))
    absent = [arm for arm in arms if arm not in set(rows["arm"])]
    if absent and not (rows["verdict"] == HIGH).any():
        return LevelAttrition(name, nan, nan, nan, "not known", absent[0])
    order = rows["verdict"].map({LOW: 0, HIGH: 2}).fillna(1)
    beyond = (rows["differential"].abs() - rows[f"boundary_{boundary}"]).fillna(float("inf"))
    at = pd.DataFrame({"order": order, "beyond": beyond}).sort_values(["order", "beyond"]).index[-1]
    worst = rows.loc[at]
    return LevelAttrition(
        name, float(worst["overall"]), float(worst["differential"]),
        float(worst[f"boundary_{boundary}"]), str(worst["verdict"]), str(worst["arm"]),
    )  # fmt: skip


def _joined(
    came: pd.DataFrame, entered: pd.DataFrame, nobody: pd.Series | None, arms: Sequence[str]
) -> pd.Series:
    """Return group → share of those analysed who joined, or came into the population since.

    Who was outside the population at the assignment and is analysed was, as a joiner is, not among
    those who were assigned to be compared. Where nobody can join, as units are individuals, the
    share is of those who were assigned; where joiners were not counted, it is not known.
    """
    inside = entered.set_index("arm").reindex(arms)
    if nobody is not None:
        return nobody.add(inside["overall"], fill_value=0.0)
    counted = came.set_index("arm").reindex(arms)
    people = counted["n_control"] + counted["n_treated"]
    joined = counted["count_control"] + counted["count_treated"]
    also = (inside["count_control"] + inside["count_treated"]).fillna(0.0)
    return ((joined + also) / people).where(people > 0)


def _formed_since(pupils: pd.DataFrame, unit: str, arms: Sequence[str]) -> dict[str, pd.Series]:
    """Return who joined and who changed group, of the pupils of a year, by where they were.

    Who was in no class of the trial at baseline joined; of the others a share was in another
    group. Both are of each group with the control group; empty where nothing is counted, and not
    known without a year of baseline.
    """
    if pupils.empty:
        return {}
    place = pupils["where_at_baseline"].astype("str")
    if place.str.contains(WITHOUT_BASELINE, regex=False).any():
        unknown = pd.Series(nan, index=list(arms))
        return {"joined": unknown, "changed_arm": unknown}
    other = place.str.startswith(another_group(unit))
    there = other | place.isin(SAME_GROUP)
    counts = pupils["n_pupils"].astype("float64")
    joined, changed = {}, {}
    for arm in arms:
        both = (pupils["arm"] == arm) | ~pupils["arm"].isin(list(arms))
        everybody, stayed = counts[both].sum(), counts[both & there].sum()
        joined[arm] = 1 - stayed / everybody if everybody else nan
        changed[arm] = counts[both & other].sum() / stayed if stayed else nan
    return {"joined": pd.Series(joined), "changed_arm": pd.Series(changed)}


def _crossed(
    take_up: pd.DataFrame | None, contrast: pd.DataFrame | None, arms: Sequence[str]
) -> pd.Series:
    """Return group → share of its units that crossed over, by their take-up or else by a log."""
    if take_up is not None and _take_up_known(take_up):
        return share_crossed(take_up[take_up["arm"].isin(arms)], arms[0]).reindex(arms)
    if contrast is None:
        return pd.Series(dtype="float64")
    held = contrast[contrast["arm"].isin(arms) & (contrast["intended"] == "no")].set_index("arm")
    crossed = held["verdict"].fillna("").str.startswith("crossover")
    shares = held["n_with_any"] / held["n_schools"]
    return shares.where(crossed | shares.isna(), 0.0)


def _take_up_known(take_up: pd.DataFrame | None) -> bool:
    return take_up is not None and bool(take_up["taken_up"].notna().any())


def _crossed_words(arm: str, control: str, design: Mapping[str, Any], by_take_up: bool) -> str:
    """Return which units crossed over, and how; empty if it is not known."""
    if not arm:
        return ""
    where = "the control group" if design["randomised"] else "the comparison group"
    if arm != control:
        where = f"group {arm}" if len(design["arms"]) > 2 else "the intervention group"
    of = f"of the {plural_of(str(design['unit']))} in {where}"
    if not by_take_up:
        return f"{of} received what was meant for another group"
    return f"{of} {'took' if arm == control else 'did not take'} the programme up"
