"""Where schools fit everything, nobody may be told a p-value made of rounding."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from numpy.typing import NDArray

from schooltrial.models.cluster_robust.fit import fit_least_squares
from schooltrial.models.complier_effect.anderson_rubin import invert_anderson_rubin
from schooltrial.models.complier_effect.two_stage_least_squares import fit_instrument
from schooltrial.models.multilevel.two_level import fit_two_level
from schooltrial.models.randomisation_inference.inference import randomisation_inference
from schooltrial.models.wild_bootstrap.bootstrap import wild_cluster_bootstrap

SCHOOLS, PUPILS = 8, 20
SCHOOL = np.repeat(np.arange(SCHOOLS), PUPILS)
Z = (SCHOOL % 2).astype(float)


def noise(seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=len(SCHOOL))


def of_schools(seed: int, columns: int) -> NDArray[np.float64]:
    """Return covariates that do not vary within schools."""
    return np.random.default_rng(seed).normal(size=(SCHOOLS, columns))[SCHOOL]


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR2"])
def test_with_as_many_parameters_as_schools_there_is_no_standard_error(kind: str) -> None:
    x = np.column_stack([np.ones(len(SCHOOL)), Z, of_schools(1, SCHOOLS - 2)])
    names = ["one", "z", *"abcdef"]
    fitted = fit_least_squares(noise(2), x, names=names, cluster=SCHOOL)
    for df in ("satterthwaite", "clusters-1"):
        row = fitted.estimates(["z"], vcov=kind, df=df)[0]
        assert isnan(row.std_error)
        assert isnan(row.p_value)
        assert row.note.startswith("no standard error: clusters fit this exactly")
    assert isnan(fitted.joint_test(["z", "a"], vcov=kind, test="naive-F").p_value)


def test_one_school_in_each_arm_has_no_standard_error() -> None:
    two = SCHOOL < 2
    x = np.column_stack([np.ones(two.sum()), Z[two], noise(3)[two]])
    row = fit_least_squares(noise(4)[two], x, names=["one", "z", "x"], cluster=SCHOOL[two])
    assert isnan(row.estimates(["z"])[0].p_value)
    assert not isnan(row.estimates(["x"], vcov="CR0")[0].std_error)


def test_resampling_refuses_what_rounding_alone_would_decide() -> None:
    covariates = of_schools(5, SCHOOLS - 2)
    with pytest.raises(ValueError, match="no variation left between schools"):
        wild_cluster_bootstrap(noise(6), np.column_stack([Z, covariates]), SCHOOL)
    with pytest.raises(ValueError, match="as many parameters as schools"):
        randomisation_inference(noise(6), Z, SCHOOL, covariates=covariates)


def test_more_restrictions_than_schools_can_bear_are_refused() -> None:
    few = SCHOOL < 4
    x = np.column_stack([noise(seed)[few] for seed in range(7, 12)])
    with pytest.raises(ValueError, match="cannot be tested jointly with 4 schools"):
        wild_cluster_bootstrap(noise(12)[few], x, SCHOOL[few], test=np.eye(5)[:4])


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_an_outcome_that_does_not_vary_within_schools_is_refused(slope: float) -> None:
    x = noise(13)
    design = np.column_stack([np.ones(len(SCHOOL)), Z, x])
    y = np.random.default_rng(14).normal(size=SCHOOLS)[SCHOOL] + slope * x
    with pytest.raises(ValueError, match="does not vary within schools beyond its regressors"):
        fit_two_level(y, design, SCHOOL, names=["(Intercept)", "z", "x"])


def test_no_anderson_rubin_set_is_given_for_one_school_in_each_arm() -> None:
    two = SCHOOL < 2
    offered = Z[two]
    taken = (offered * (noise(15)[two] > -1)).astype(float)
    fitted = fit_instrument(
        noise(16)[two],
        endogenous={"taken": taken},
        instruments={"offered": offered},
        cluster=SCHOOL[two],
    )
    with pytest.raises(ValueError, match="clusters fit it exactly"):
        invert_anderson_rubin(fitted)
