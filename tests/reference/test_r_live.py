"""R run now: the stored digits come out again, and our estimators agree on data never stored.

Of the stored entries lmm, crve and estimatr all are evaluated, but those whose calls need the R
packages plm (crve.syn2.school_fe_absorbed, crve.syn2.block_absorbed_plm,
crve.syn3.district_fe_absorbed, crve.awards.ate_absorbed, crve.awards.moderation_absorbed,
crve.panel.twfe, crve.panel.twfe_district) and AER (crve.syn2.ivreg, crve.syn2.ivreg_block).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import nan
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reference.gold import GOLD, ROOT, entry, names
from reference.live_r import PACKAGES, Job, Results, need_r, of_r, run_r
from schooltrial.models.cluster_robust.fit import fit_least_squares_frame
from schooltrial.models.design_based.difference_in_means import fit_difference_in_means
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.moments.school_moments import from_frame
from schooltrial.models.multilevel.two_level import fit_two_level_moments

pytestmark = pytest.mark.r_live

Agreement = Callable[..., None]

NOT_RUN = ("plm::", "AER::")
STORED = [
    name
    for prefix in PACKAGES
    for name in names(f"{prefix}.")
    if not any(part in entry(name)["call"] for part in NOT_RUN)
]
# Rows and columns of an entry, as its note has them.
PREPARED = {
    "lmm.syn2": "transform(d, prec = pre - 100)",
    "lmm.awards": "subset(d, sex == 'Girl' & year == 2001)",
    "crve.awards.simple2001": "subset(d, year == 2001)",
    "crve.awards.ate_dummies": (
        "transform(subset(d, sex == 'Girl' & year != 1999), sibs_4 = 1 * (siblings >= 4),"
        " h1 = treated * (year == 2001) * (half == 1), h2 = treated * (year == 2001) * (half == 2))"
    ),
    "crve.sat": "subset(d, !is.na(hrs) & !is.na(ETS))",
    "estimatr.awards": "subset(d, year == 2001)",
}


def stored_job(name: str) -> Job:
    data = GOLD / f"{entry(name)['dataset']}.csv"
    if data.stem == "achievement_awards":
        data = ROOT / "data" / data.stem / f"{data.stem}.csv.gz"
    prepare = next((PREPARED[key] for key in PREPARED if name.startswith(key)), "d")
    return Job(name, entry(name)["call"], str(data), prepare)


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    """All stored calls of a prefix, evaluated together at the first asking."""

    @cache
    def evaluate(prefix: str) -> Results:
        need_r(prefix)
        jobs = [stored_job(name) for name in STORED if name.startswith(f"{prefix}.")]
        return run_r(jobs, tmp_path_factory.mktemp(prefix))

    return evaluate


def column(table: dict[str, Any], key: str) -> dict[str, Any]:
    return {term: row[key] for term, row in table.items() if not term.startswith(".")}


def stored_quantities(name: str) -> dict[str, tuple[dict[str, Any], float]]:
    """Return the main stored quantities of an entry, each with the tolerance of its hint."""
    values = entry(name)["values"]
    if name.startswith("lmm."):
        found = {"fixef": (values["fixef"], 1e-6), "se": (values["se"], 1e-6)}
        if "satterthwaite" in values:
            found["satterthwaite df"] = (column(values["satterthwaite"], "df"), 1e-5)
        if "kenward_roger" in values:
            for key in ("se", "df"):
                found[f"kenward_roger {key}"] = (column(values["kenward_roger"], key), 1e-6)
        return found
    if name.startswith("crve."):
        found = {"coef": (values["coef"], 1e-8)}
        for kind in ("CR1", "CR2"):
            for key in ("se", "satt_df") if kind in values else ():
                found[f"{kind} {key}"] = (column(values[kind], key), 1e-8)
        return found
    return {key: (column(values["terms"], key), 1e-9) for key in ("estimate", "se", "df")}


@pytest.mark.parametrize("name", STORED)
def test_the_stored_digits_come_out_of_r_again(
    name: str, again: Callable[[str], Results], agreement: Agreement
) -> None:
    results = again(name.split(".")[0])
    for quantity, (stored, rel) in stored_quantities(name).items():
        now = of_r(results, name, quantity)
        theirs = [nan if value is None else value for value in stored.values()]
        agreement(name, f"{quantity}, R now", [now[term] for term in stored], theirs, rel=rel)


# The optimum to 1e-6 needs tighter stops than lme4's own.
TIGHT = "lme4::lmerControl(optCtrl = list(xtol_abs = 1e-12, xtol_rel = 1e-12, ftol_abs = 1e-14))"
FRESH = {
    "lmm": f"lmerTest::lmer(y ~ z + pre + block + (1|school), data=d, control={TIGHT})",
    "crve": "fit <- lm(y ~ z + pre + block, data=d, weights=w); "
    "vcovCR(fit, cluster=d$school, type=<type>)",
    "estimatr.regression": "estimatr::lm_robust(y ~ z + pre, data=d, clusters=school, "
    'fixed_effects=~block, se_type="CR2")',
    "estimatr.means": "estimatr::difference_in_means(y ~ z, data=d, clusters=school, blocks=block)",
}
SEEDS = (101, 202, 303)
BLOCKS = [f"block{b}" for b in range(2, 6)]


def simulated(seed: int) -> pd.DataFrame:
    """Return 25 schools of 4 to 30 pupils in five blocks, two or three of each block treated."""
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(1, 6), 5)
    treated = np.concatenate([rng.permutation(5) < 2 + b % 2 for b in range(5)]).astype(float)
    school = np.repeat(np.arange(25), rng.integers(4, 31, 25))
    n = len(school)
    pre = rng.normal(size=25)[school] * 0.5 + rng.normal(size=n)
    y = 0.3 * treated[school] + 0.6 * pre + 0.2 * block[school]
    y = y + 0.5 * rng.normal(size=25)[school] + rng.normal(size=n)
    columns = {"school": school + 1, "block": block[school], "z": treated[school]}
    frame = pd.DataFrame({**columns, "pre": pre, "y": y, "w": rng.uniform(0.5, 2.0, n)})
    return frame.assign(**{b: (frame["block"] == int(b[5:])) * 1.0 for b in BLOCKS})


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    """Each kind of fit to each simulated trial, by R."""

    @cache
    def evaluate(kind: str) -> Results:
        need_r(kind.split(".")[0])
        folder, jobs = tmp_path_factory.mktemp(kind), []
        for seed in SEEDS:
            path = folder / f"trial_{seed}.csv"
            simulated(seed).to_csv(path, index=False, float_format="%.17g")
            jobs.append(Job(f"{kind}.fresh.{seed}", FRESH[kind], str(path)))
        return run_r(jobs, folder)

    return evaluate


def compare(
    agreement: Agreement, results: Results, name: str, rows: Sequence[Estimate],
    columns: dict[str, tuple[str, float]],
) -> None:  # fmt: skip
    for quantity, (own, rel) in columns.items():
        theirs = of_r(results, name, quantity)
        ours = [getattr(row, own) for row in rows]
        agreement(name, quantity, ours, [theirs[row.term] for row in rows], rel=rel)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_level_reml_agrees_with_lmertest_and_pbkrtest_on_a_fresh_trial(
    seed: int, fresh: Callable[[str], Results], agreement: Agreement
) -> None:
    results, name = fresh("lmm"), f"lmm.fresh.{seed}"
    moments = from_frame(simulated(seed), outcome="y", fixed=["z", "pre", *BLOCKS], school="school")
    fit = fit_two_level_moments(moments)
    assert fit.converged
    assert not fit.singular
    wald = {
        "fixef": ("estimate", 1e-6),
        "se": ("std_error", 1e-6),
        "satterthwaite df": ("df", 1e-5),
    }
    compare(agreement, results, name, fit.estimates(df="satterthwaite"), wald)
    adjusted = {"kenward_roger se": ("std_error", 1e-6), "kenward_roger df": ("df", 1e-6)}
    compare(agreement, results, name, fit.estimates(df="kenward-roger"), adjusted)


@pytest.mark.parametrize("seed", SEEDS)
def test_weighted_cr2_agrees_with_clubsandwich_on_a_fresh_trial(
    seed: int, fresh: Callable[[str], Results], agreement: Agreement
) -> None:
    results, name = fresh("crve"), f"crve.fresh.{seed}"
    terms = ["z", "pre", *BLOCKS]
    fit = fit_least_squares_frame(simulated(seed), "y", terms, cluster="school", weights="w")
    columns = {
        "coef": ("estimate", 1e-8),
        "CR2 se": ("std_error", 1e-8),
        "CR2 satt_df": ("df", 1e-8),
    }
    compare(agreement, results, name, fit.estimates(vcov="CR2"), columns)


ESTIMATR = {"estimate": ("estimate", 1e-9), "se": ("std_error", 1e-9), "df": ("df", 1e-9)}


@pytest.mark.parametrize("seed", SEEDS)
def test_cr2_with_absorbed_blocks_agrees_with_estimatr_on_a_fresh_trial(
    seed: int, fresh: Callable[[str], Results], agreement: Agreement
) -> None:
    results, name = fresh("estimatr.regression"), f"estimatr.regression.fresh.{seed}"
    fit = fit_least_squares_frame(
        simulated(seed), "y", ["z", "pre"], cluster="school", absorb="block"
    )
    compare(agreement, results, name, fit.estimates(["z", "pre"], vcov="CR2"), ESTIMATR)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_difference_in_means_of_schools_in_blocks_agrees_with_estimatr_on_a_fresh_trial(
    seed: int, fresh: Callable[[str], Results], agreement: Agreement
) -> None:
    results, name = fresh("estimatr.means"), f"estimatr.means.fresh.{seed}"
    frame = simulated(seed)
    means = fit_difference_in_means(
        frame["y"], frame["z"], clusters=frame["school"], blocks=frame["block"]
    )
    compare(agreement, results, name, means.estimates(), ESTIMATR)
