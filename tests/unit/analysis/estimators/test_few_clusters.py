"""Claims about the warning beside standard errors that rest on few clusters or on small blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.estimators import cluster_robust, wild_bootstrap
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns


def trial(schools: int, per_block: int, treated: int | None = None) -> pd.DataFrame:
    """Return ten pupils in each of some schools, in blocks, of which a share is treated."""
    rng = np.random.default_rng(4)
    school = np.repeat(np.arange(schools), 10)
    arm = school % 2 == 1 if treated is None else school < treated
    return pd.DataFrame(
        {
            "school": [f"S{at}" for at in school],
            "cluster": [f"S{at}" for at in school],
            "block": [f"B{at // per_block}" for at in school],
            "arm": np.where(arm, "programme", "control"),
            "treated": arm.astype(float),
            "year": 2020,
            "score": rng.normal(size=len(school)) + rng.normal(size=schools)[school],
        }
    )


def notes(plan: Callable[..., Any], rows: pd.DataFrame, **keys: Any) -> dict[str, str]:
    """Return the note of the effect by each kind of covariance."""
    kinds = ["CR0", "CR1", "CR1S", "CR2", "CR3"]
    table = cluster_robust.fit_planned(plan(covariance=kinds, **keys), rows).table
    return dict(zip(kinds, table["note"], strict=True))


def test_pairs_as_fixed_effects_carry_a_warning_beside_plain_standard_errors_alone(
    plan: Callable[..., Any],
) -> None:
    found = notes(plan, trial(60, 2), blocks="fixed")
    for kind in ("CR0", "CR1", "CR1S"):
        assert "groups of two or three of 'block'" in found[kind]
        assert "`covariance: [CR2]`" in found[kind]
    for kind in ("CR2", "CR3"):
        assert "too small" not in found[kind]


@pytest.mark.parametrize("blocks", ["none", "fixed"])
def test_large_blocks_and_many_schools_carry_none(plan: Callable[..., Any], blocks: str) -> None:
    rows = trial(60, 10)
    assert not any("too small" in note for note in notes(plan, rows, blocks=blocks).values())


def test_pairs_without_their_effects_carry_none(plan: Callable[..., Any]) -> None:
    assert "too small" not in notes(plan, trial(60, 2), blocks="none")["CR1"]


def test_few_schools_of_one_arm_are_counted_and_cr2_is_named(plan: Callable[..., Any]) -> None:
    found = notes(plan, trial(40, 40, treated=4), blocks="none")
    assert "few clusters (programme 4, control 36)" in found["CR1"]
    assert "too small" not in found["CR2"]


@pytest.mark.parametrize(("treated", "warned"), [(3, True), (4, False)])
def test_a_wild_bootstrap_of_three_treated_schools_is_not_relied_on(
    plan: Callable[..., Any], treated: int, warned: bool
) -> None:
    asked = plan(estimator="wild_bootstrap", blocks="none", replications=99)
    table = wild_bootstrap.fit_planned(asked, trial(20, 20, treated=treated), seed=1).table
    assert ("cannot be relied on" in table["note"].item()) is warned


@pytest.mark.parametrize(("kind", "ratio"), [("CR1", 0.71), ("CR2", 1.0)])
def test_standard_errors_in_pairs_are_what_the_warning_says(kind: str, ratio: float) -> None:
    rng = np.random.default_rng(1)
    school, errors, found = np.repeat(np.arange(40), 5), [], []
    for _ in range(300):
        arm = np.concatenate([rng.permutation([0.0, 1.0]) for _ in range(20)])
        y = rng.normal(0, 0.5, 40)[school] + rng.normal(size=200)
        fit = fit_least_squares_columns(
            y, [arm[school]], names=["z"], cluster=school, absorb=school // 2
        )
        errors.append(fit.estimates(["z"], vcov=kind)[0].std_error)
        found.append(fit.coefficients[0])
    measured = np.sqrt(np.mean(np.square(errors))) / np.std(found)
    assert measured == pytest.approx(ratio, abs=0.09)  # 300 trials: a relative SE of .04
