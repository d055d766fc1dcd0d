"""Small tables of a study for notebooks: counts and summaries, never a row of a person."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from schooltrial.exhibits.tables.plain_labels import PlainLabels
from schooltrial.protocol.content.levels import NO_SCHOOL
from schooltrial.protocol.content.sections import Content, Model, Outcome
from schooltrial.wording import plural

SINCE = re.compile(r"treated\[since=(-?\d+)\]")
"""The term of an effect so many years since the start."""

EFFECTS = ("ITT", "ATT", "CACE")
"""Estimands that are the effect of a model; its other rows are tests and parts of it."""

PARTS_OF_PANELS = ("event study", "pre-trend test", "pre-trend slope")
"""Rows of a panel model that say how effects and trends went by year."""


def count_people(samples: Mapping[str, pd.DataFrame], content: Content) -> pd.DataFrame:
    """Count pupils, teachers and schools by year and group.

    Parameters
    ----------
    samples : mapping
        Level (pupil, teacher, school) → its analysed rows.
    content : Content
        The protocol, for the names of the groups.
    """
    counted = {}
    for level, rows in samples.items():
        if not len(rows):
            continue
        of_level = rows[rows["school"] != NO_SCHOOL] if level == "school" else rows
        if len(of_level):
            found = of_level.groupby(["year", "arm"])[level].nunique()
            counted[f"{level.capitalize()}s"] = found
    together = pd.DataFrame(counted).fillna(0).astype(int).reset_index()
    labels = {arm["name"]: arm["label"] for arm in content["design"]["arms"]}
    together["arm"] = together["arm"].map(lambda arm: labels.get(arm, arm))
    return together.rename(columns={"year": "Year", "arm": "Group"})


def describe_variables(codebook: pd.DataFrame, missing: pd.DataFrame | None = None) -> pd.DataFrame:
    """Describe each variable that was read: rows, share missing, different values.

    Parameters
    ----------
    codebook : DataFrame
        The study's ``checks/codebook.csv``.
    missing : DataFrame, optional
        The study's ``checks/quality_missing.csv``, which also counts people without a row of an
        outcome as missing. A share is that of this table, as in the figure, where it has one.
    """
    share = codebook["missing"] / codebook["rows"]
    if missing is not None:
        sums = missing.groupby(["table", "variable"])[["missing", "rows"]].sum()
        known = (sums["missing"] / sums["rows"]).to_dict()
        keys = zip(codebook["table"], codebook["variable"], share, strict=True)
        share = pd.Series(
            [known.get((table, name), alone) for table, name, alone in keys], index=codebook.index
        )
    label = codebook["label"].fillna("").astype(str)
    return pd.DataFrame(
        {
            "Table": codebook["table"],
            "Variable": label.where(label != "", codebook["variable"]),
            "Type": codebook["type"],
            "Rows": codebook["rows"].astype(int),
            "Missing (%)": (100 * share).round(1),
            "Different values": codebook["distinct"].astype(int),
        }
    )


def list_leavers(flow: pd.DataFrame, content: Content) -> pd.DataFrame:
    """List how many left at each step, why, by group.

    Parameters
    ----------
    flow : DataFrame
        The study's ``checks/flow.csv``.
    content : Content
        The protocol, for the names of the groups.
    """
    left = flow[flow["left"] > 0]
    labels = {arm["name"]: arm["label"] for arm in content["design"]["arms"]}
    groups = left["arm"].map(lambda arm: labels.get(arm, arm))
    summed = left.groupby(["step", "reason", groups], sort=False)["left"].sum()
    table = summed.unstack("arm", fill_value=0).reset_index()
    table.columns.name = None
    return table.rename(columns={"step": "Step", "reason": "Reason"})


def list_effects(
    estimates: pd.DataFrame, models: Mapping[str, Model], outcomes: Mapping[str, Outcome]
) -> pd.DataFrame:
    """List the effects that models estimate, a row for each model and outcome.

    Parameters
    ----------
    estimates : DataFrame
        The study's table of estimates.
    models : mapping
        The models wanted, by name.
    outcomes : mapping
        The outcomes of the protocol, for their names.
    """
    rows = estimates[estimates["model"].isin(list(models)) & estimates["estimand"].isin(EFFECTS)]
    return pd.DataFrame(
        {
            "Model": rows["model"].map(lambda name: models[name]["label"] or name),
            "Outcome": rows["outcome"].map(lambda name: outcomes[name]["label"]),
            "Estimand": rows["estimand"],
            **_numbers(rows),
        }
    ).reset_index(drop=True)


def list_effects_by_year(
    estimates: pd.DataFrame, model: str, outcomes: Mapping[str, Outcome]
) -> pd.DataFrame:
    """List the effects of a panel model in each year, and its tests of trends before.

    Parameters
    ----------
    estimates : DataFrame
        The study's table of estimates.
    model : str
        A panel model.
    outcomes : mapping
        The outcomes of the protocol, for their names.
    """
    kinds = estimates["estimand"].isin(PARTS_OF_PANELS)
    rows = estimates[(estimates["model"] == model) & kinds]
    return pd.DataFrame(
        {
            "Outcome": rows["outcome"].map(lambda name: outcomes[name]["label"]),
            "What": rows["estimand"],
            "Year or cohort": [_which(str(term)) for term in rows["term"]],
            **_numbers(rows),
        }
    ).reset_index(drop=True)


def _which(term: str) -> str:
    """Return of which year or cohort an effect is, in words."""
    since = SINCE.fullmatch(term)
    if since is None:
        return PlainLabels().of_term(term)
    years = int(since[1])
    if years < 0:
        return f"{plural(-years, 'year')} before the start"
    return f"{plural(years, 'year')} after the first" if years else "first year"


def _numbers(rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {
        "Estimate": rows["estimate"],
        "Standard error": rows["std_error"],
        "95% CI low": rows["conf_low"],
        "95% CI high": rows["conf_high"],
        "p": rows["p_value"],
        "Records": rows["n_individuals"].astype("Int64"),
    }


def list_differences(balance: pd.DataFrame, most: int | None = None) -> pd.DataFrame:
    """List the differences at baseline, the largest in standard deviations first.

    Parameters
    ----------
    balance : DataFrame
        The study's ``checks/balance.csv``.
    most : int, optional
        How many; all by default.
    """
    size = balance["standardised_difference"].abs()
    rows = balance.loc[size.sort_values(ascending=False, kind="stable").index].head(
        len(balance) if most is None else most
    )
    return pd.DataFrame(
        {
            "Measure": rows["label"],
            "Level": rows["level"],
            "Sample": rows["sample"],
            "Comparison mean": rows["mean_control"],
            "Intervention mean": rows["mean_treated"],
            "Standardised difference": rows["standardised_difference"],
            "WWC band": rows["wwc_band"].astype(object).fillna(""),
        }
    ).reset_index(drop=True)


def list_joint_tests(omnibus: pd.DataFrame) -> pd.DataFrame:
    """List the joint tests of baseline balance.

    Parameters
    ----------
    omnibus : DataFrame
        The study's ``checks/balance_omnibus.csv``.
    """
    rows = omnibus[omnibus["scope"] == "all"]
    return pd.DataFrame(
        {
            "Sample": rows["sample"],
            "Level": rows["level"],
            "Measures": rows["n_covariates"].astype("Int64"),
            "Units": rows["n_units"].astype("Int64"),
            "Randomisation p": rows["rerandomisation_p_value"],
            "F": rows["f_statistic"],
            "F-test p": rows["f_p_value"],
        }
    ).reset_index(drop=True)


def list_equivalence(equivalence: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """List the differences at baseline among those who were analysed.

    Parameters
    ----------
    equivalence : DataFrame
        The study's ``checks/equivalence.csv``.
    outcomes : mapping
        The outcomes of the protocol, for their names.
    """
    return pd.DataFrame(
        {
            "Outcome": equivalence["outcome"].map(lambda name: outcomes[name]["label"]),
            "Level": equivalence["level"],
            "Measure": equivalence["label"],
            "Standardised difference": equivalence["standardised_difference"],
            "WWC band": equivalence["wwc_band"].astype(object).fillna(""),
        }
    )
