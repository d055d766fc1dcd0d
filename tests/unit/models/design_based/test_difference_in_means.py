"""Differences in means, Lin's adjustment and Horvitz-Thompson: identities and whole designs."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.design_based.difference_in_means import fit_difference_in_means
from schooltrial.models.design_based.horvitz_thompson import fit_horvitz_thompson
from schooltrial.models.design_based.lin_regression import fit_lin

EXAMPLES = settings(deadline=None, max_examples=25, derandomize=True)
FloatArray = NDArray[np.float64]


def schools_in_blocks(
    seed: int, sizes: tuple[tuple[int, ...], ...], treated: tuple[int, ...]
) -> dict[str, Any]:
    """Pupils in schools in blocks: ``sizes`` of the schools and number treated of each block."""
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(len(sizes)), [len(s) for s in sizes])
    arm = np.concatenate(
        [rng.permutation(np.arange(len(s)) < m) for s, m in zip(sizes, treated, strict=True)]
    ).astype(float)
    pupils = np.concatenate(sizes)
    school = np.repeat(np.arange(len(pupils)), pupils)
    y = rng.normal(size=len(school)) + rng.normal(size=len(pupils))[school] + block[school]
    return {"y": y, "z": arm[school], "clusters": school, "blocks": block[school]}


TRIPLES = schools_in_blocks(1, ((5, 9, 4), (6, 6, 6), (8, 3, 7), (2, 9, 5)), (1, 2, 1, 2))
MIXED = schools_in_blocks(2, ((5, 9), (6, 6, 6), (8, 3, 7, 7), (2, 9, 5, 4, 8)), (1, 2, 2, 3))
LARGE = schools_in_blocks(3, ((5, 9, 6, 3), (6, 6, 6, 8, 2), (8, 3, 7, 7)), (2, 3, 2))


def test_complete_assignment_of_pupils_is_welchs_t_test() -> None:
    rng = np.random.default_rng(4)
    y, z = rng.normal(size=30), np.repeat([0, 1], [18, 12])
    row = fit_difference_in_means(y, z).estimates()[0]
    welch = stats.ttest_ind(y[z == 1], y[z == 0], equal_var=False)
    assert row.p_value == pytest.approx(welch.pvalue, rel=1e-10)
    assert row.statistic == pytest.approx(welch.statistic, rel=1e-10)


def test_pupil_pairs_are_the_paired_t_test() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(2, 15))
    y, z = np.concatenate([first, second]), np.repeat([1, 0], 15)
    row = fit_difference_in_means(y, z, blocks=np.tile(np.arange(15), 2)).estimates()[0]
    paired = stats.ttest_rel(first, second)
    assert row.p_value == pytest.approx(paired.pvalue, rel=1e-10)
    assert row.df == 14


def test_clusters_are_judged_by_cr2_with_satterthwaite_df() -> None:
    data = dict(LARGE)
    del data["blocks"]
    result = fit_difference_in_means(**data)
    fit = fit_least_squares_columns(
        data["y"], [np.ones(len(data["y"])), data["z"]], names=["a", "z"], cluster=data["clusters"]
    )
    row = fit.estimates(["z"], vcov="CR2")[0]
    assert (result.standard_error, result.df) == pytest.approx((row.std_error, row.df), rel=1e-12)
    assert result.design == "complete, clustered"


@pytest.mark.parametrize("data", [TRIPLES, MIXED, LARGE])
def test_blocks_count_by_their_pupils(data: dict[str, Any]) -> None:
    result = fit_difference_in_means(**data)
    y, z, block = data["y"], data["z"], data["blocks"]
    effects = [y[(block == b) & (z == 1)].mean() - y[(block == b) & (z == 0)].mean()
               for b in np.unique(block)]  # fmt: skip
    shares = np.bincount(block) / len(block)
    np.testing.assert_allclose(result.block_effects, effects, rtol=1e-12)
    assert result.estimate == pytest.approx(float(shares @ effects), rel=1e-12)
    assert "average effect over pupils" in result.estimates()[0].note


@pytest.mark.parametrize(("data", "blocks"), [(TRIPLES, 4), (MIXED, 4)])
def test_triples_and_blocks_with_a_lone_arm_are_judged_between_blocks(
    data: dict[str, Any], blocks: int
) -> None:
    result = fit_difference_in_means(**data)
    assert result.design == "matched, clustered"
    assert result.df == blocks - 1
    weighted = blocks * result.block_shares * result.block_effects
    assert result.standard_error == pytest.approx(weighted.std(ddof=1) / np.sqrt(blocks), rel=1e-12)


def test_blocks_of_two_or_more_in_each_arm_are_judged_within_blocks() -> None:
    result = fit_difference_in_means(**LARGE)
    assert (result.design, result.df, result.n_units) == ("blocked, clustered", 13 - 6, 13)
    total = 0.0
    for b, share in enumerate(result.block_shares):
        own = LARGE["blocks"] == b
        y, z, school = (LARGE[key][own] for key in ("y", "z", "clusters"))
        total += (share * fit_difference_in_means(y, z, clusters=school).standard_error) ** 2
    assert result.standard_error == pytest.approx(np.sqrt(total), rel=1e-12)


@EXAMPLES
@given(seed=st.integers(0, 10**6), which=st.sampled_from(["triples", "mixed", "large"]))
def test_order_of_rows_and_labels_do_not_matter(seed: int, which: str) -> None:
    data = {"triples": TRIPLES, "mixed": MIXED, "large": LARGE}[which]
    order = np.random.default_rng(seed).permutation(len(data["y"]))
    moved = {key: values[order] for key, values in data.items()}
    moved["blocks"] = np.array([f"b{(3 * b) % 7}" for b in moved["blocks"]])
    one, other = fit_difference_in_means(**data), fit_difference_in_means(**moved)
    assert other.estimate == pytest.approx(one.estimate, rel=1e-10)
    assert (other.standard_error, other.df) == pytest.approx((one.standard_error, one.df), rel=1e-9)


def test_weights_count_rows_as_often_as_they_say_in_the_point() -> None:
    times = np.random.default_rng(6).integers(1, 4, len(LARGE["y"]))
    repeated: dict[str, Any] = {key: np.repeat(column, times) for key, column in LARGE.items()}
    weighted = fit_difference_in_means(**LARGE, weights=times)
    assert weighted.estimate == pytest.approx(
        fit_difference_in_means(**repeated).estimate, rel=1e-12
    )
    assert weighted.estimates()[0].note.startswith("weighted average effect")


def potential_outcomes(blocks: int) -> tuple[FloatArray, FloatArray, NDArray[np.int_]]:
    rng = np.random.default_rng(7)
    block = np.repeat(np.arange(blocks), 4)
    control = rng.normal(size=4 * blocks) + block
    return control, control + 1 + rng.normal(size=4 * blocks), block


def every_assignment(blocks: int, treated: int) -> list[NDArray[np.int_]]:
    within = [np.isin(np.arange(4), chosen) for chosen in combinations(range(4), treated)]
    return [np.concatenate(choice).astype(int) for choice in product(within, repeat=blocks)]


def test_over_every_assignment_the_difference_is_unbiased_and_its_variance_conservative() -> None:
    control, treated, block = potential_outcomes(3)
    results = [
        fit_difference_in_means(np.where(z, treated, control), z, blocks=block)
        for z in every_assignment(3, 2)
    ]
    points = np.array([result.estimate for result in results])
    assert points.mean() == pytest.approx((treated - control).mean(), rel=1e-10)
    expected = np.mean([result.standard_error**2 for result in results])
    # Neyman: the excess is the variance of the effects within blocks, S²_b/n_b.
    effects = (treated - control).reshape(3, 4)
    excess = np.mean(effects.var(axis=1, ddof=1) / 4) / 3
    assert expected == pytest.approx(points.var() + excess, rel=1e-10)


@pytest.mark.parametrize("treated_per_block", [1, 2])
def test_over_every_assignment_horvitz_thompson_is_unbiased_and_conservative(
    treated_per_block: int,
) -> None:
    control, treated, block = potential_outcomes(2)
    results = [
        fit_horvitz_thompson(np.where(z, treated, control), z, blocks=block)
        for z in every_assignment(2, treated_per_block)
    ]
    points = np.array([result.estimate for result in results])
    assert points.mean() == pytest.approx((treated - control).mean(), rel=1e-10)
    assert np.mean([result.standard_error**2 for result in results]) > points.var()


def test_over_every_assignment_of_coins_horvitz_thompson_is_unbiased_and_conservative() -> None:
    control, treated, _ = potential_outcomes(2)
    p, mean, square, variance = 0.3, 0.0, 0.0, 0.0
    for z in product([0, 1], repeat=8):
        arm = np.array(z)
        chance = p ** arm.sum() * (1 - p) ** (8 - arm.sum())
        result = fit_horvitz_thompson(np.where(arm, treated, control), arm, probability=p)
        mean += chance * result.estimate
        square += chance * result.estimate**2
        variance += chance * result.standard_error**2
    assert mean == pytest.approx((treated - control).mean(), rel=1e-10)
    assert variance > square - mean**2


def test_lins_adjustment_by_blocks_is_the_blocked_difference_in_means() -> None:
    rng = np.random.default_rng(8)
    block = np.repeat([0, 1, 2], [8, 12, 10])
    z = np.concatenate([np.arange(n) < n // 2 - 1 for n in (8, 12, 10)]).astype(int)
    y = rng.normal(size=30) + block
    indicators = [(block == b).astype(float) for b in (1, 2)]
    lin = fit_lin(y, z, indicators, names=["b1", "b2"]).estimates(["z"])[0]
    means = fit_difference_in_means(y, z, blocks=block).estimates()[0]
    assert lin.estimate == pytest.approx(means.estimate, rel=1e-10)
    assert lin.std_error == pytest.approx(means.std_error, rel=1e-10)
    assert lin.df == means.df


@EXAMPLES
@given(seed=st.integers(0, 10**6), shift=st.floats(-50, 50), weighted=st.booleans())
def test_lins_adjustment_does_not_depend_on_the_origin_of_covariates(
    seed: int, shift: float, weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, 40)), np.arange(40) % 2
    y, w = x[0] + rng.normal(size=40), rng.uniform(0.5, 2, 40) if weighted else None
    rows = [
        fit_lin(y, z, [x[0] + move, x[1]], names=["a", "b"], weights=w).estimates(["z"])[0]
        for move in (0.0, shift)
    ]
    assert rows[1].estimate == pytest.approx(rows[0].estimate, rel=1e-8, abs=1e-10)
    assert rows[1].std_error == pytest.approx(rows[0].std_error, rel=1e-8)


def test_lins_effect_is_the_mean_of_predicted_differences() -> None:
    rng = np.random.default_rng(9)
    x, z, w = rng.normal(size=40), np.arange(40) % 2, rng.uniform(0.5, 2, 40)
    y = x * (1 + z) + rng.normal(size=40)
    found = fit_lin(y, z, [x], names=["x"], weights=w).estimates(["z"])[0].estimate
    lines = [np.polyfit(x[z == arm], y[z == arm], 1, w=np.sqrt(w[z == arm])) for arm in (0, 1)]
    difference = np.polyval(lines[1], x) - np.polyval(lines[0], x)
    assert found == pytest.approx(np.average(difference, weights=w), rel=1e-10)


Y, ARM = np.arange(8.0), np.array([0, 1, 0, 1, 0, 1, 0, 1])
PAIR, SCHOOL = np.repeat(np.arange(4), 2), np.arange(8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"z": np.arange(8)}, "treatment of row 2 is 2; it must be 0 or 1"),
        ({"z": np.zeros(8)}, "the sample has no treated unit"),
        ({"z": SCHOOL == 0}, "1 treated and 7 control units: a variance needs two"),
        ({"y": np.array([0, 1, np.nan, *range(5)])}, "outcome of row 2 is nan"),
        ({"clusters": PAIR}, "cluster 0 has treated and control rows"),
        ({"blocks": SCHOOL // 1 * 0 + (SCHOOL == 7)}, "block 1 has no control unit"),
        ({"blocks": PAIR, "clusters": ARM}, "a cluster has rows in block"),
        ({"blocks": PAIR[:-1]}, "7 block labels but 8 rows"),
        ({"weights": -np.ones(8)}, "weight of row 0 is -1"),
    ],
)
def test_designs_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_difference_in_means(**({"y": Y, "z": ARM} | changes))


def test_results_have_one_term_of_the_name_given() -> None:
    result = fit_difference_in_means(Y, ARM, term="treated")
    assert result.estimates(("treated",))[0].term == "treated"
    with pytest.raises(ValueError, match="there are treated"):
        result.estimates(("z",))
    with pytest.raises(ValueError, match="there are z"):
        fit_horvitz_thompson(Y, ARM).estimates(("treated",))


def test_probabilities_must_be_possible_and_one_to_a_cluster() -> None:
    with pytest.raises(ValueError, match="unit 0 is 1; it must lie between 0 and 1"):
        fit_horvitz_thompson(Y, ARM, probability=1.0)
    with pytest.raises(ValueError, match="differs from another row of its cluster"):
        fit_horvitz_thompson(Y, PAIR % 2, probability=np.linspace(0.2, 0.8, 8), clusters=PAIR)


def test_lins_adjustment_refuses_arms_that_are_not_two() -> None:
    with pytest.raises(ValueError, match="'z' must be 0 in some rows and 1 in the others"):
        fit_lin(Y, np.ones(8), [Y], names=["x"])
    with pytest.raises(ValueError, match="1 covariates were given but 2 names"):
        fit_lin(Y, ARM, [Y], names=["x", "w"])
