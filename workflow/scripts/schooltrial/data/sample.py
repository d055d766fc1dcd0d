"""From standard tables to the sample that is analysed: link, derive, standardise, keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schooltrial.data.follow_up import mobility, record_follow_up
from schooltrial.data.ledger import Ledger
from schooltrial.protocol import Model, Outcome, needed_variables
from schooltrial.refusal import Fault, refuse


@dataclass(frozen=True)
class Sample:
    """What the cleaning leaves.

    Attributes
    ----------
    pupils : DataFrame
        One row per pupil and year: school, block, arm, treated (0/1), covariates, and one column
        per outcome in the unit of analysis.
    ledger, flow : DataFrame
        Who left and why; and the counts of every step.
    mobility : DataFrame
        Where the pupils of the primary analysis were in the baseline year.
    """

    pupils: pd.DataFrame
    ledger: pd.DataFrame
    flow: pd.DataFrame
    mobility: pd.DataFrame


def build_sample(
    tables: Mapping[str, pd.DataFrame],
    *,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Mapping[str, str]],
    variables: Mapping[str, Mapping[str, Any]],
    keep: Mapping[str, Sequence[Any]],
    models: Mapping[str, Model],
    baseline: int,
    years: Sequence[int],
    seed: int,
) -> Sample:
    """Build the sample, and the ledger of those who are not in it.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``schools``, ``assignment``, ``pupils`` and ``scores``.
    outcomes, arms, variables, keep, models : mapping
        Sections of the protocol.
    baseline : int
        Baseline year.
    years : sequence of int
        Years of the primary analysis.
    seed : int
        Key of the hashes in the ledger.

    Raises
    ------
    Refusal
        Where an arm has no schools, or a school in the assignment list is in no table of schools.
    """
    assignment = _with_block(tables["assignment"])
    _check_arms(assignment, arms, tables["schools"])
    ledger = Ledger(seed)
    pupils = tables["pupils"].merge(assignment, on="school", how="left", validate="many_to_one")
    pupils = ledger.leave(
        pupils,
        pupils["arm"].isna(),
        step="assigned schools",
        reason="school is not in the assignment list",
    )
    pupils = pupils.merge(
        _new_columns(tables["schools"], pupils), on="school", how="left", validate="many_to_one"
    )
    pupils["treated"] = (pupils["arm"] == arms[1]["name"]).astype("float64")
    pupils = add_variables(pupils, variables)
    for variable, values in keep.items():
        outside = ~matches(pupils, {variable: values})
        listed = ", ".join(map(str, values))
        pupils = ledger.leave(
            pupils, outside, step=f"keep {variable}", reason=f"{variable} is not {listed}"
        )
    pupils = _with_scores(pupils, tables["scores"], ledger)
    pupils = add_ratios(pupils, outcomes)
    for name, outcome in outcomes.items():
        if outcome["standardise"] == "control":
            pupils[name] = standardise_by_control(pupils, name, control=arms[0]["name"])
    for name, outcome in outcomes.items():
        if outcome["baseline_year"] is not None:
            pupils = add_baseline(pupils, name, outcome["baseline_year"])
    pupils = pupils.sort_values(["year", "school", "pupil"], ignore_index=True)
    _record_schools(pupils, assignment, ledger)
    record_follow_up(pupils, baseline, years, ledger)
    _record_analyses(pupils, models, ledger)
    return Sample(pupils, ledger.departed(), ledger.flow(), mobility(pupils, baseline, years))


def _with_block(assignment: pd.DataFrame) -> pd.DataFrame:
    columns = [c for c in ("school", "block", "arm") if c in assignment]
    plain = assignment[columns].astype({"arm": "str"})
    if "block" not in plain:
        plain["block"] = "all schools"
    return plain


def _check_arms(
    assignment: pd.DataFrame, arms: Sequence[Mapping[str, str]], schools: pd.DataFrame
) -> None:
    known = [arm["name"] for arm in arms]
    source = "assignment table"
    unknown = assignment[~assignment["arm"].isin(known)]
    faults = [
        _unknown_arm(source, school, arm, known)
        for school, arm in zip(unknown["school"], unknown["arm"], strict=True)
    ]
    faults += [
        Fault(
            source,
            f"no school is in the arm {name!r}",
            "schools in every arm",
            "check the codes of the arm column",
            column="arm",
        )
        for name in known
        if not (assignment["arm"] == name).any()
    ]
    faults += [
        Fault(
            source,
            f"school {school} is in no table of schools",
            "every assigned school is described",
            "add it to the file of schools",
            column="school",
        )
        for school in sorted(set(assignment["school"]) - set(schools["school"]))
    ]
    refuse(faults)


def _unknown_arm(source: str, school: str, arm: Any, known: list[str]) -> Fault:
    found, remedy = f"school {school} has no arm", "complete the assignment list"
    if not pd.isna(arm):
        found = f"school {school} is in the arm {arm!r}"
        remedy = "map the code to an arm of the design, or declare the arm"
    return Fault(source, found, "one of " + ", ".join(known), remedy, column="arm")


def _new_columns(schools: pd.DataFrame, pupils: pd.DataFrame) -> pd.DataFrame:
    return schools[["school", *[c for c in schools if c not in pupils]]]


def add_variables(pupils: pd.DataFrame, variables: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Add the declared variables: 1 where a variable is at least, or equals, a value, else 0."""
    pupils = pupils.copy()
    for name, rule in variables.items():
        source = pupils[rule["from"]]
        if "at_least" in rule:
            inside = (source >= rule["at_least"]).fillna(False).astype(bool)
        else:
            inside = matches(pupils, {rule["from"]: [rule["equals"]]})
        pupils[name] = inside.astype("float64").mask(source.isna())
    return pupils


def matches(frame: pd.DataFrame, where: Mapping[str, Sequence[Any]]) -> pd.Series:
    """Return which rows have one of the wanted values in each named column."""
    kept = pd.Series(True, index=frame.index)
    for variable, values in where.items():
        column = frame[variable]
        if pd.api.types.is_numeric_dtype(column):
            kept &= column.isin([float(value) for value in values])
        else:
            kept &= column.isin([str(value) for value in values])
    return kept


def levels(values: pd.Series) -> list[str]:
    """Return the levels that occur: in the order of the protocol's codes, of numbers or letters."""
    present = values.dropna()
    if isinstance(values.dtype, pd.CategoricalDtype):
        return [str(level) for level in values.cat.categories if (present == level).any()]
    if pd.api.types.is_numeric_dtype(values):
        return [f"{level:g}" for level in sorted(present.unique())]
    return sorted(present.astype("str").unique())


def has_level(values: pd.Series, level: str) -> pd.Series:
    """Return which values are at one of the `levels`; a number is compared as a number."""
    return matches(values.to_frame(values.name), {str(values.name): [level]})


def _with_scores(pupils: pd.DataFrame, scores: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """Join scores, one column per outcome; scores of nobody are told to the ledger."""
    linked = scores.merge(pupils[["pupil", "year", "arm"]], on=["pupil", "year"], how="left")
    linked = ledger.leave(
        linked, linked["arm"].isna(), step="link scores",
        reason="score of a pupil who is not in the sample that year", level="score",
    )  # fmt: skip
    wide = linked.pivot(index=["pupil", "year"], columns="outcome", values="value").reset_index()
    return pupils.merge(wide, on=["pupil", "year"], how="left", validate="one_to_one")


def add_ratios(pupils: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Add the outcomes that are ratios of two variables; over zero there is no ratio."""
    pupils = pupils.copy()
    for name, outcome in outcomes.items():
        rule = outcome["made_from"]
        if rule is not None:
            below = pupils[rule["denominator"]].astype("float64")
            above = pupils[rule["numerator"]].astype("float64")
            pupils[name] = rule["times"] * above / below.where(below > 0)
        elif name not in pupils:
            pupils[name] = float("nan")
    return pupils


def standardise_by_control(pupils: pd.DataFrame, outcome: str, *, control: str) -> pd.Series:
    """Return the outcome with mean 0 and SD 1 in the control arm, within grade and year.

    Where a grade and year has fewer than two control pupils with different scores, the result is
    missing: there is nothing to measure it by.
    """
    groups = [name for name in ("grade", "year") if name in pupils]
    known = pupils[pupils["arm"] == control].groupby(groups)[outcome].agg(["mean", "std"])
    known = known[known["std"] > 0]
    joined = pupils[groups].merge(known, left_on=groups, right_index=True, how="left")
    return (pupils[outcome] - joined["mean"]) / joined["std"]


def add_baseline(pupils: pd.DataFrame, outcome: str, year: int) -> pd.DataFrame:
    """Add the pupil's own score of the baseline year, whether it is missing, and the school's mean.

    A missing own score is 0 with an indicator of 1 (``<outcome>_before_missing``); the mean of the
    school (``<outcome>_before_school``) is over those of its pupils who were tested that year.
    """
    then = pupils[pupils["year"] == year]
    own = then.set_index("pupil")[outcome]
    school = then.groupby("school")[outcome].mean()
    before = pupils["pupil"].map(own)
    return pupils.assign(
        **{
            f"{outcome}_before": before.fillna(0.0),
            f"{outcome}_before_missing": before.isna().astype("float64"),
            f"{outcome}_before_school": pupils["school"].map(school),
        }
    )


def _record_schools(pupils: pd.DataFrame, assignment: pd.DataFrame, ledger: Ledger) -> None:
    """Tell the ledger of schools that have no pupils in a year."""
    years = sorted(pupils["year"].unique())
    every = assignment.merge(pd.DataFrame({"year": years}), how="cross")
    there = pupils[["school", "year"]].drop_duplicates()
    joined = every.merge(there, on=["school", "year"], how="left", indicator=True)
    ledger.leave(
        joined, joined["_merge"] == "left_only", step="schools with pupils",
        reason="no pupil of the school in the sample that year", level="school",
    )  # fmt: skip


def _record_analyses(pupils: pd.DataFrame, models: Mapping[str, Model], ledger: Ledger) -> None:
    """Tell the ledger who is in a primary analysis's population and lacks what it needs."""
    for name, model in models.items():
        if model["role"] != "primary":
            continue
        population = pupils[matches(pupils, model["where"])]
        for outcome in model["outcomes"]:
            step = f"analysed: {name}, {outcome}"
            observed = ledger.leave(
                population, population[outcome].isna(), step=step,
                reason=f"{outcome} was not observed",
            )  # fmt: skip
            covariates = needed_variables(model, outcome)[1:]
            incomplete = observed[covariates].isna().any(axis=1)
            ledger.leave(observed, incomplete, step=step, reason="a covariate was not observed")
