"""Randomisation inference against complete enumerations in R, to the last assignment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from reference.gold import dataset, entry
from schooltrial.models.assignment.design import Codes, design_as_assigned, paired_design
from schooltrial.models.inference.multiple_testing import step_down_max_t, step_down_min_p
from schooltrial.models.inference.reference_distribution import ReferenceDistribution
from schooltrial.models.randomisation_inference.inference import (
    randomisation_distribution,
    randomisation_inference,
)
from schooltrial.models.randomisation_inference.result import RandomisationTest

if TYPE_CHECKING:
    from reference.conftest import Agreement

# Multiples of 1/permutations, stored with 15 digits.
EXACT = 1e-13


def _agree(
    agreement: Agreement, name: str, key: str, found: ReferenceDistribution, theirs: dict[str, Any]
) -> None:
    """Compare the observed statistic, the p-values and the moments of the distribution."""
    assert len(found.draws) == theirs["n_perm"]
    assert found.exact
    lower, upper = found.p_value("lower")[0], found.p_value("upper")[0]
    ours = {
        "observed": found.observed[0],
        "p_two_sided_abs": found.p_value()[0],
        "p_upper": upper,
        "p_lower": lower,
        "p_two_sided_doubled": min(1.0, 2 * min(lower, upper)),
        "perm_sd": found.draws[:, 0].std(),
    }
    for quantity, value in ours.items():
        agreement(name, f"{key} {quantity}", value, theirs[quantity], rel=1e-12, abs=EXACT)
    mean = found.draws[:, 0].mean()
    agreement(name, f"{key} perm_mean", mean, theirs["perm_mean"], rel=1e-12, abs=1e-12)


def _blocked(**options: Any) -> RandomisationTest:
    data = dataset("ri_small_blocked")
    return randomisation_inference(
        data["y"], data["z"], data["unit"], block=data["block"], **options
    )


def _arm_means(y: np.ndarray, weight: np.ndarray | None = None) -> Callable[[Codes], Any]:
    """Return the difference of group means as a function of the assignment."""
    w = np.ones(len(y)) if weight is None else weight

    def statistic(codes: Codes) -> Any:
        treated = codes.astype(float)
        return treated @ (w * y) / (treated @ w) - (1 - treated) @ (w * y) / ((1 - treated) @ w)

    return statistic


def _blocked_difference(y: np.ndarray, block: np.ndarray) -> Callable[[Codes], Any]:
    """Return the mean of the blocks' differences, weighted by the blocks' sizes."""

    def statistic(codes: Codes) -> Any:
        parts = [
            np.mean(block == b) * _arm_means(y[block == b])(codes[:, block == b])
            for b in np.unique(block)
        ]
        return np.sum(parts, axis=0)

    return statistic


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("blocked_dim", {"statistic": "coefficient"}),
        ("diff_in_means", {"statistic": "coefficient", "block_effects": False}),
        ("ols_blockfe", {"statistic": "coefficient"}),
        ("ols_blockfe_x", {"statistic": "coefficient", "covariates": "x"}),
        ("studentized_HC2_blockfe_x", {"statistic": "HC2", "covariates": "x"}),
    ],
)
def test_blocked_trial_enumerates_1296_assignments_as_r_does(
    key: str, options: dict[str, Any], agreement: Agreement
) -> None:
    if "covariates" in options:
        options = {**options, "covariates": dataset("ri_small_blocked")[["x"]].to_numpy()}
    theirs = entry("ri.blocked4x4")["values"][key]
    _agree(agreement, "ri.blocked4x4", key, _blocked(**options).distribution, theirs)


def test_rank_sum_within_blocks_as_a_statistic_of_ones_own(agreement: Agreement) -> None:
    data = dataset("ri_small_blocked")
    ranks = data.groupby("block")["y"].rank().to_numpy()
    found = randomisation_distribution(
        design_as_assigned(data["unit"], data["z"], data["block"]),
        data["z"],
        lambda codes: codes @ ranks,
    )
    theirs = entry("ri.blocked4x4")["values"]["rank_sum_within_block"]
    _agree(agreement, "ri.blocked4x4", "rank_sum", found, theirs)
    centred = ReferenceDistribution(found.observed - 20, found.draws - 20, None, True)
    agreement(
        "ri.blocked4x4", "rank_sum p centred", centred.p_value()[0],
        theirs["p_two_sided_centred"], abs=EXACT,
    )  # fmt: skip


def test_sharp_null_of_other_effects_and_the_interval_by_inversion(agreement: Agreement) -> None:
    theirs = entry("ri.blocked4x4")["values"]
    test = _blocked(statistic="coefficient")
    for hypothesis in theirs["sharp_null_tau"]:
        effect = hypothesis["tau0"]
        p = test.inversions[0].p_value(effect)
        agreement(
            "ri.blocked4x4", f"p of tau {effect}", p, hypothesis["p_two_sided_abs"], abs=EXACT
        )
    ends = theirs["ci95_inversion"]
    agreement(
        "ri.blocked4x4", "95% interval", test.interval()[0], [ends["lower"], ends["upper"]],
        rel=1e-10,
    )  # fmt: skip


def test_ri2_gives_the_same_for_blocks(agreement: Agreement) -> None:
    name = "ri.blocked4x4.ri2"
    theirs = entry(name)["values"]
    test = _blocked(statistic="coefficient")
    for key in ("ri2_ipw", "ri2_ols_blockfe"):
        agreement(name, f"{key} estimate", test.coefficients[0], theirs[key]["estimate"], rel=1e-12)
        agreement(name, f"{key} p", test.p_values[0], theirs[key]["two_tailed_p"], abs=EXACT)
    agreement(name, "permutations", len(test.distribution.draws), theirs["num_permutations"])
    _agree(agreement, name, "by_hand_ipw", test.distribution, theirs["by_hand_ipw"])


@pytest.mark.parametrize(
    ("name", "statistic"),
    [("ri.westfall_young", "HC2"), ("ri.westfall_young_classical_t", "classical")],
)
def test_westfall_young_on_the_joint_distribution(
    name: str, statistic: Any, agreement: Agreement
) -> None:
    data, theirs = dataset("ri_small_blocked"), entry(name)["values"]
    test = randomisation_inference(
        data[["y", "y2", "y3"]], data["z"], data["unit"], block=data["block"], statistic=statistic
    )
    agreement(name, "t", test.distribution.observed, theirs["t_obs"], rel=1e-10)
    agreement(name, "raw p", test.p_values, theirs["raw_p"], abs=EXACT)
    max_t = step_down_max_t(test.distribution)
    agreement(name, "maxT single", max_t.single_step, theirs["maxT_single_step"], abs=EXACT)
    agreement(name, "maxT step-down", max_t.step_down, theirs["maxT_step_down"], abs=EXACT)
    if "minP_single_step" in theirs:
        min_p = step_down_min_p(test.distribution)
        agreement(name, "minP single", min_p.single_step, theirs["minP_single_step"], abs=EXACT)
        agreement(name, "minP step-down", min_p.step_down, theirs["minP_step_down"], abs=EXACT)


def test_unequal_blocks_enumerate_900_assignments(agreement: Agreement) -> None:
    name = "ri.unequal_blocks"
    data, theirs = dataset("ri_small_unequal"), entry("ri.unequal_blocks")["values"]
    y, z, block = (data[column].to_numpy() for column in ("y", "z", "block"))
    design = design_as_assigned(data["unit"], z, block)
    agreement(name, "permutations", design.possible, theirs["num_permutations_randomizr"])
    share = design.probabilities()[:, 1]

    def inverse_probability(codes: Codes) -> Any:
        treated = codes.astype(float)
        one = (treated / share) @ y / (treated / share).sum(axis=1)
        other = ((1 - treated) / (1 - share)) @ y / ((1 - treated) / (1 - share)).sum(axis=1)
        return one - other

    own: dict[str, Callable[[Codes], Any]] = {
        "blocked_dim": _blocked_difference(y, block),
        "ipw_dim": inverse_probability,
        "naive_dim": _arm_means(y),
    }
    for key, statistic in own.items():
        found = randomisation_distribution(design, z, statistic)
        _agree(agreement, name, key, found, theirs[key])
    test = randomisation_inference(y, z, data["unit"], block=block, statistic="coefficient")
    _agree(agreement, name, "ols_blockfe", test.distribution, theirs["ols_blockfe"])
    found = randomisation_distribution(design, z, inverse_probability)
    agreement(name, "ri2 estimate", found.observed[0], theirs["ri2_ipw"]["estimate"], rel=1e-12)
    agreement(name, "ri2 p", found.p_value()[0], theirs["ri2_ipw"]["two_tailed_p"], abs=EXACT)


def test_schools_drawn_in_strata_enumerate_36_assignments(agreement: Agreement) -> None:
    name = "ri.clustered_strata"
    data, theirs = dataset("ri_small_cluster"), entry("ri.clustered_strata")["values"]
    columns = data["y"], data["z"], data["school"]
    plain = randomisation_inference(
        *columns, block=data["stratum"], block_effects=False, statistic="coefficient"
    )
    _agree(agreement, name, "pupil_dim", plain.distribution, theirs["pupil_dim"])
    agreement(name, "ri2 estimate", plain.coefficients[0], theirs["ri2"]["estimate"], rel=1e-12)
    agreement(name, "ri2 p", plain.p_values[0], theirs["ri2"]["two_tailed_p"], abs=EXACT)
    effects = randomisation_inference(*columns, block=data["stratum"], statistic="coefficient")
    _agree(
        agreement, name, "pupil_ols_stratumfe", effects.distribution, theirs["pupil_ols_stratumfe"]
    )
    schools = data.groupby("school", as_index=False).agg(
        y=("y", "mean"), z=("z", "first"), stratum=("stratum", "first")
    )
    design = design_as_assigned(schools["school"], schools["z"], schools["stratum"])
    agreement(name, "permutations", design.possible, theirs["num_permutations_randomizr"])
    means = randomisation_distribution(
        design, schools["z"],
        _blocked_difference(schools["y"].to_numpy(), schools["stratum"].to_numpy()),
    )  # fmt: skip
    _agree(agreement, name, "cluster_mean_dim", means, theirs["cluster_mean_blocked_dim"])


def test_matched_pairs_of_school_means_enumerate_4096_flips(agreement: Agreement) -> None:
    name = "ri.matched_pairs_cluster_means"
    theirs = entry(name)["values"]
    schools = dataset("syn_pairs").groupby("school", as_index=False)
    frame: pd.DataFrame = schools.agg(y=("y", "mean"), z=("z", "first"), pair=("pair", "first"))
    arms = frame.pivot_table(index="pair", columns="z", values="y")
    expected = list(theirs["pair_differences"].values())
    agreement(name, "pair differences", (arms[1] - arms[0]).to_numpy(), expected, rel=1e-12)
    test = randomisation_inference(
        frame["y"], frame["z"], frame["school"], block=frame["pair"], statistic="coefficient",
        design=paired_design(frame["school"], frame["pair"]),
    )  # fmt: skip
    _agree(agreement, name, "mean difference", test.distribution, theirs)
