"""Whatever the data, an estimator answers in numbers, or says in words why it cannot.

Each cell of the grid is a model and rows that leave something undetermined. What may come of it: a
refusal that names the model and the outcome in our own words; or rows whose estimates are finite
and whose standard errors are too, or are missing with the reason beside them. Warnings of numpy
and other libraries are errors here.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.estimators import (
    cluster_robust,
    complier_effect,
    difference_in_differences,
    multilevel,
    randomisation_inference,
    staggered_adoption,
    wild_bootstrap,
)
from schooltrial.analysis.estimators.randomisation_inference import Lottery
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.randomisation.criterion import CriterionKnown
from schooltrial.refusal import Refusal

KINDS = ["CR0", "CR1", "CR1S", "CR2"]
COVARIATES = ["age", "girl"]
JOINT = ("joint test", "first stage", "pre-trend test")
ROUNDING = 1e-9  # of the outcome's SD: no standard error is this small

MODELS: dict[str, dict[str, Any]] = {
    "multilevel": {"estimator": "multilevel", "blocks": "fixed"},
    "multilevel, random blocks": {"estimator": "multilevel", "blocks": "random"},
    "multilevel, Satterthwaite, covariates": {
        "estimator": "multilevel", "blocks": "none", "df": "satterthwaite",
        "covariates": COVARIATES,
    },
    "multilevel by group": {
        "estimator": "multilevel", "blocks": "none", "df": "normal", "moderator": "half",
        "covariates": ["half"],
    },
    "cluster-robust": {"estimator": "cluster_robust", "blocks": "fixed", "covariance": KINDS},
    "cluster-robust, weights": {
        "estimator": "cluster_robust", "blocks": "none", "covariance": [*KINDS, "CR3"],
        "covariates": COVARIATES, "weights": "w",
    },
    "cluster-robust by group": {
        "estimator": "cluster_robust", "blocks": "fixed", "covariance": KINDS,
        "effects_by": "half", "covariates": ["half"],
        "tests": {"any": ["treated[half=lower]", "treated[half=upper]"]},
    },
    "cluster-robust, moderator": {
        "estimator": "cluster_robust", "blocks": "none", "covariance": ["CR0", "CR2"],
        "moderator": "half", "covariates": ["half"],
    },
    "cluster-robust, fixed effects": {
        "estimator": "cluster_robust", "blocks": "none", "fixed_effects": ["district", "year"],
        "covariance": KINDS,
    },
    "randomisation inference": {
        "estimator": "randomisation_inference", "blocks": "fixed", "replications": 99,
    },
    "randomisation inference, covariates": {
        "estimator": "randomisation_inference", "blocks": "none", "replications": 99,
        "covariates": COVARIATES, "weights": "w",
    },
    "wild bootstrap": {"estimator": "wild_bootstrap", "blocks": "fixed", "replications": 99},
    "wild bootstrap, covariates": {
        "estimator": "wild_bootstrap", "blocks": "none", "replications": 99,
        "covariates": COVARIATES,
    },
    "complier effect": {"estimator": "complier_effect", "blocks": "fixed"},
    "complier effect, covariates": {
        "estimator": "complier_effect", "blocks": "none", "covariates": COVARIATES,
    },
}  # fmt: skip


def pupils(schools: int = 12, each: int = 10, blocks: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = schools * each
    school = np.repeat(np.arange(schools), each)
    treated = (school % 2).astype(float)
    names = [f"S{at:02d}" for at in school]
    return pd.DataFrame(
        {
            "school": names,
            "cluster": names,
            "block": [f"{at // (schools // blocks) + 1}" for at in school],
            "district": [f"D{at % 3}" for at in school],
            "arm": np.where(treated == 1, "programme", "control"),
            "treated": treated,
            "year": pd.array(np.tile([2019, 2020], n)[:n], dtype="Int64"),
            "half": pd.Categorical(rng.choice(["lower", "upper"], n), ["lower", "upper"]),
            "girl": rng.integers(0, 2, n).astype(float),
            "age": rng.normal(10, 1, n),
            "score": rng.normal(size=n) + rng.normal(0, 0.4, schools)[school],
            "w": rng.uniform(0.5, 2, n),
            "took": (rng.uniform(size=n) < 0.1 + 0.7 * treated).astype(float),
        }
    )


def _of_schools(rows: pd.DataFrame, *names: str) -> pd.DataFrame:
    return rows[rows["school"].isin(names)].reset_index(drop=True)


def _one_treated(rows: pd.DataFrame) -> pd.DataFrame:
    treated = (rows["school"] == "S01").astype(float)
    arm = np.where(treated == 1, "programme", "control")
    return rows.assign(treated=treated, arm=arm, block="1")


def _three_arms(rows: pd.DataFrame) -> pd.DataFrame:
    arm = np.array(["control", "a", "b"])[[int(name[1:]) % 3 for name in rows["school"]]]
    return rows.assign(arm=arm, treated=(arm != "control").astype(float))


def _upper(rows: pd.DataFrame) -> Any:
    return pd.Categorical(np.where(rows["treated"] == 1, "upper", "lower"), ["lower", "upper"])


Change = Callable[[pd.DataFrame], pd.DataFrame]
DATA: dict[str, Change] = {
    "as they are": lambda f: f,
    "constant outcome": lambda f: f.assign(score=0.1),
    "outcome of zeros": lambda f: f.assign(score=0.0),
    "constant in a group": lambda f: f.assign(score=f["score"].where(f["treated"] == 1, 0.3)),
    "constant in each group": lambda f: f.assign(score=1.1 * f["treated"]),
    "constant in schools": lambda f: f.assign(score=f.groupby("school")["score"].transform("mean")),
    "constant in blocks": lambda f: f.assign(score=f["block"].astype(float) / 3),
    "constant in half of the pupils": lambda f: f.assign(
        score=f["score"].where(f["half"] == "upper", 2.0)
    ),
    "one value differs": lambda f: f.assign(score=np.where(f.index == 5, 1e6 + 1, 1e6)),
    "one school differs": lambda f: f.assign(score=(f["school"] == "S05").astype(float)),
    "tiny outcome": lambda f: f.assign(score=f["score"] * 1e-9),
    "huge outcome": lambda f: f.assign(score=f["score"] * 1e12),
    "outcome out of range": lambda f: f.assign(score=f["score"] * 1e150),
    "outcome far from zero": lambda f: f.assign(score=f["score"] * 1e-3 + 1e9),
    "infinite outcome": lambda f: f.assign(score=f["score"].where(f.index != 5, np.inf)),
    "constant covariate": lambda f: f.assign(age=10.0),
    "covariate is the group": lambda f: f.assign(age=2.1 * f["treated"] + 3.3),
    "covariate is the outcome": lambda f: f.assign(age=3 * f["score"] + 1e3),
    "covariates fit exactly": lambda f: f.assign(score=1.3 * f["age"] + 0.7 * f["treated"]),
    "covariate of one pupil": lambda f: f.assign(age=(f.index == 7).astype(float)),
    "infinite covariate": lambda f: f.assign(age=f["age"].where(f.index != 5, np.inf)),
    "take-up is the offer": lambda f: f.assign(took=f["treated"]),
    "nobody takes up": lambda f: f.assign(took=0.0),
    "all take up": lambda f: f.assign(took=1.0),
    "take-up alike in both groups": lambda f: f.assign(took=np.arange(len(f)) % 2 * 1.0),
    "blocks are the groups": lambda f: f.assign(block=f["arm"]),
    "districts are the groups": lambda f: f.assign(district=f["arm"]),
    "years are the groups": lambda f: f.assign(
        year=pd.array(2019 + f["treated"].astype(int), dtype="Int64")
    ),
    "groups are the groups": lambda f: f.assign(half=_upper(f)),
    "one school a group": lambda f: _of_schools(f, "S00", "S01"),
    "two pairs": lambda f: pupils(4, blocks=2),
    "one treated school": _one_treated,
    "one pupil a school": lambda f: pupils(each=1),
    "one pupil a school, in pairs": lambda f: pupils(each=1, blocks=6),
    "one cluster": lambda f: f.assign(school="S00", cluster="S00"),
    "a group unobserved": lambda f: f.assign(score=f["score"].where(f["treated"] == 0)),
    "one pupil observed in a group": lambda f: f.assign(
        score=f["score"].where((f["treated"] == 0) | (f.index == 15))
    ),
    "one pupil a group": lambda f: f.assign(score=f["score"].where(f.index.isin([3, 15]))),
    "two pupils a group": lambda f: f[f.index.isin([3, 4, 15, 16])].reset_index(drop=True),
    "one heavy pupil": lambda f: f.assign(w=np.where(f.index == 4, 1e9, 1.0)),
    "three groups": _three_arms,
    "three groups, one constant": lambda f: _three_arms(f).assign(
        score=f["score"].where(_three_arms(f)["arm"] != "a", 1.0)
    ),
    "nobody": lambda f: f[f.index < 0],
}

FOREIGN = re.compile(
    r"singular matrix|array|broadcast|dtype|exog|endog|entity|NaN|\bnan\b|positive definite|"
    r"MultiIndex|keyword|not in index|float division|cannot convert|linearmodels|numpy|pandas"
)
REASONS = re.compile(r"no standard error|no F\b")


def fitted(asked: PlannedModel, rows: pd.DataFrame) -> pd.DataFrame:
    others = sorted(set(rows["arm"]) - {"control"}) or ["programme"]
    lottery = Lottery(("control", *others), True, CriterionKnown())
    match asked.model["estimator"]:
        case "multilevel":
            return multilevel.fit_planned(asked, rows).table
        case "cluster_robust":
            return cluster_robust.fit_planned(asked, rows).table
        case "complier_effect":
            return complier_effect.fit_planned(asked, rows, taken_up="took").table
        case "wild_bootstrap":
            return wild_bootstrap.fit_planned(asked, rows, seed=1).table
        case _:
            return randomisation_inference.fit_planned(asked, rows, lottery=lottery, seed=1).table


def wrong_words(refusal: Refusal) -> list[str]:
    """Return what a refusal may not say, or does not."""
    (fault,) = refusal.faults
    lacking = [] if fault.file == "model m, outcome score" else [fault.file]
    return [*lacking, *FOREIGN.findall(fault.found)]


def wrong_numbers(table: pd.DataFrame, outcome: pd.Series) -> list[str]:
    """Return the numbers that are no results, each with its row."""
    seen = outcome[np.isfinite(outcome)]
    smallest = ROUNDING * float(seen.std())
    found = []
    for row in table.to_dict("records"):
        name = f"{row['estimand']} {row['term']} {row['method']}"
        is_test = row["estimand"] in (*JOINT, "Anderson-Rubin set")
        tested = bool(np.isfinite(row["statistic"]) and 0 <= row["p_value"] <= 1)
        if row["estimand"] not in JOINT and not np.isfinite(row["estimate"]):
            found.append(f"{name}: no estimate")
        if not is_test and np.isfinite(row["std_error"]):
            too_small = row["estimand"] != "take-up" and row["std_error"] < smallest
            if too_small or row["std_error"] <= 0 or not tested:
                found.append(f"{name}: standard error {row['std_error']}, p {row['p_value']}")
        elif not tested and not REASONS.search(row["note"]):
            found.append(f"{name}: no reason in {row['note']!r}")
        ends = [row["conf_low"], row["conf_high"]]
        without = "no lower" in row["note"] or "no upper" in row["note"] or "set is" in row["note"]
        if tested and not is_test and not np.isfinite(ends).all() and not without:
            found.append(f"{name}: an interval {ends} without a word")
        if abs(row["effect_size"]) > 1e6 or (
            row["estimand"] in ("ITT", "CACE")
            and np.isnan(row["effect_size"])
            and "effect size" not in row["note"]
        ):
            found.append(f"{name}: effect size {row['effect_size']}")
    return found


def answer(fit: Callable[[], pd.DataFrame]) -> pd.DataFrame | Refusal:
    """Return what came of a fit, in which no library may warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return fit()
        except Refusal as refusal:
            return refusal


def faults(found: pd.DataFrame | Refusal, outcome: pd.Series, data: str) -> list[str]:
    """Return what is wrong with an answer, with the data that it was given to."""
    if isinstance(found, pd.DataFrame):
        return [f"{data}: {fault}" for fault in wrong_numbers(found, outcome)]
    if data == "as they are":
        return [f"{data}: {found}"]
    return [f"{data}: {word!r} in {found}" for word in wrong_words(found)]


LONG = (
    "multilevel, random blocks",
    "multilevel by group",
    "cluster-robust, weights",
    "cluster-robust by group",
    "cluster-robust, moderator",
    "cluster-robust, fixed effects",
)
"""Models that differ from a quick one in a key only: all of them run with `make test-slow`."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in MODELS],
)
def test_a_model_answers_in_numbers_or_says_why_not(plan: Callable[..., Any], name: str) -> None:
    asked, wrong = plan(**MODELS[name]), []
    for data, change in DATA.items():
        rows = change(pupils())
        wrong += faults(answer(partial(fitted, asked, rows)), rows["score"], data)
    assert wrong == [], "\n".join(wrong)


NEVER = ("S00", "S01", "S04", "S05", "S08", "S09")

PANELS: dict[str, Change] = {
    "as they are": lambda c: c,
    "constant": lambda c: c.assign(mean=1.3),
    "constant in time": lambda c: c.assign(mean=c["school"].str[1:].astype(float)),
    "constant in years": lambda c: c.assign(mean=c["year"] / 3),
    "effect exact": lambda c: c.assign(mean=c["year"] / 3 + (c["year"] >= c["cohort"])),
    "constant in a group": lambda c: c.assign(mean=c["mean"].where(c["treated"] == 1, 0.3)),
    "one cell differs": lambda c: c.assign(mean=(c.index == 9).astype(float)),
    "tiny": lambda c: c.assign(mean=c["mean"] * 1e-9),
    "huge": lambda c: c.assign(mean=c["mean"] * 1e12),
    "two schools": lambda c: _of_schools(c, "S00", "S02"),
    "three schools": lambda c: _of_schools(c, "S00", "S01", "S02"),
    "one treated school": lambda c: _of_schools(c, "S00", "S01", "S04", "S05", "S02"),
    "one comparison school": lambda c: _of_schools(c, "S00", "S02", "S03", "S06", "S07"),
    "all treated": lambda c: c[c["treated"] == 1].reset_index(drop=True),
    "none treated": lambda c: c[c["treated"] == 0].reset_index(drop=True),
    "one year": lambda c: c[c["year"] == 2021].reset_index(drop=True),
    "no year after": lambda c: c[c["year"] < 2021].reset_index(drop=True),
    "no year before": lambda c: c[c["year"] >= 2021].reset_index(drop=True),
    "groups are years": lambda c: c[(c["year"] >= 2021) == (c["treated"] == 1)].reset_index(
        drop=True
    ),
    "a cell a school": lambda c: c.groupby("school").head(1).reset_index(drop=True),
    "a cell missing": lambda c: c.assign(mean=c["mean"].where(c.index != 7)),
    "all cells missing": lambda c: c.assign(mean=np.nan),
    "an infinite cell": lambda c: c.assign(mean=c["mean"].where(c.index != 7, np.inf)),
    "cohorts after the panel": lambda c: c.assign(cohort=np.where(c["treated"] == 1, 2030, np.nan)),
    "nobody": lambda c: c[c.index < 0],
    "zeros and ones": lambda c: c.assign(mean=(c["mean"] > 0.3).astype(float)),
    "one cohort": lambda c: c[c["cohort"] != 2022].reset_index(drop=True),
    "one cohort and nobody else": lambda c: c[c["cohort"] == 2021].reset_index(drop=True),
    "cohorts of one school": lambda c: _of_schools(c, *NEVER, "S02", "S03"),
    "one of two cohorts is one school": lambda c: _of_schools(c, *NEVER, "S02", "S06", "S03"),
    "cohorts of one school beside one": lambda c: _of_schools(c, "S00", "S02", "S03"),
    "a cohort without its base year": lambda c: c[
        (c["cohort"] != 2022) | (c["year"] != 2021)
    ].reset_index(drop=True),
    "no cohort has its base year": lambda c: c[
        c["cohort"].isna() | (c["year"] != c["cohort"] - 1)
    ].reset_index(drop=True),
    "a year is missing": lambda c: c[c["year"] != 2020].reset_index(drop=True),
    "every second year": lambda c: c.assign(year=2 * c["year"] - 2021),
    "a cohort after the panel": lambda c: c.assign(cohort=c["cohort"].replace(2022, 2030)),
    "treatment that ends": lambda c: c.assign(
        cohort=c["cohort"].where((c["school"] != "S02") | (c["year"] < 2022))
    ),
    "rows twice": lambda c: pd.concat([c, c.iloc[[3]]], ignore_index=True),
}
OF_PANELS: dict[str, dict[str, Any]] = {
    "two-way effects": {"estimator": "difference_in_differences"},
    "staggered": {"estimator": "staggered_adoption"},
    "staggered, not yet treated": {
        "estimator": "staggered_adoption", "comparison_group": "not_yet_treated",
    },
    "staggered, universal base": {
        "estimator": "staggered_adoption", "base_period": "universal", "anticipation": 1,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", OF_PANELS)
def test_a_panel_model_answers_in_numbers_or_says_why_not(
    plan: Callable[..., Any], cells: pd.DataFrame, name: str
) -> None:
    years: Any = {"baseline": [2019, 2020], "programme": [2021], "follow_up": [2022],
                  "reference": None, "lasts": 1}  # fmt: skip
    asked, wrong = plan(**OF_PANELS[name]), []

    def fit(panel: pd.DataFrame) -> pd.DataFrame:
        if asked.model["estimator"] == "staggered_adoption":
            return staggered_adoption.fit_planned(asked, panel, seed=1, years=years).table
        return difference_in_differences.fit_planned(asked, panel, years=years).table

    for data, change in PANELS.items():
        panel = change(cells)
        wrong += faults(answer(partial(fit, panel)), panel["mean"], data)
    assert wrong == [], "\n".join(wrong)
