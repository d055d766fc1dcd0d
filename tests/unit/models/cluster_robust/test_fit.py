"""Cluster-robust least squares: what it must equal, and what must not change it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from schooltrial.models.cluster_robust.fit import (
    fit_least_squares,
    fit_least_squares_columns,
    fit_least_squares_frame,
)
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.least_squares import crossproducts as cluster_crossproducts
from support.literal_crve import Literal

EXAMPLES = settings(deadline=None, max_examples=25, derandomize=True)
KINDS = ["CR0", "CR2", "CR3"]
NAMES = ["(Intercept)", "z", "x1", "x2"]
FloatArray = NDArray[np.float64]


def trial(seed: int, schools: int = 9, largest: int = 7, means: float = 0.0) -> pd.DataFrame:
    """A small school trial: unequal schools, a school treatment, two covariates, weights."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, largest + 1, schools)
    school = np.repeat(np.arange(schools), sizes)
    treated = (rng.permutation(schools) < schools // 2).astype(float)
    n = len(school)
    x = rng.normal(size=(n, 2)) + rng.normal(size=(schools, 2))[school] + means
    y = 0.3 * treated[school] + x @ [0.5, -0.2] + rng.normal(size=schools)[school]
    return pd.DataFrame(
        {
            "y": y + rng.normal(size=n) + means,
            "(Intercept)": 1.0,
            "z": treated[school],
            "x1": x[:, 0],
            "x2": x[:, 1],
            "w": rng.uniform(0.3, 3.0, n),
            "school": school,
            "block": school // 3,
            "year": rng.integers(0, 3, n),
        }
    )


def fit(frame: pd.DataFrame, **kw: Any) -> LeastSquaresFit:
    return fit_least_squares(
        frame["y"], frame[NAMES], names=NAMES, cluster=kw.pop("cluster", frame["school"]), **kw
    )


def literal(frame: pd.DataFrame, names: list[str] = NAMES, weighted: bool = False) -> Literal:
    weights = frame["w"] if weighted else pd.Series(np.ones(len(frame)))
    return Literal(
        frame["y"].to_numpy(), frame[names].to_numpy(), frame["school"].to_numpy(),
        weights.to_numpy(),
    )  # fmt: skip


def summary(fitted: LeastSquaresFit, terms: list[str], kinds: list[str] = KINDS) -> FloatArray:
    """Every number that inference on some terms rests on."""
    numbers = []
    for kind in kinds:
        for row in fitted.estimates(terms, vcov=kind, parameters="all"):
            numbers += [row.estimate, row.std_error, row.df, row.p_value]
        joint = fitted.joint_test(terms, vcov=kind, parameters="all")
        numbers += [joint.statistic, joint.df_denom, joint.delta]
    return np.array(numbers)


@EXAMPLES
@given(seed=st.integers(0, 10**6), weighted=st.booleans(), kind=st.sampled_from(KINDS))
def test_variances_and_df_are_those_of_the_n_by_n_definitions(
    seed: int, weighted: bool, kind: str
) -> None:
    frame = trial(seed)
    ours = fit(frame, weights=frame["w"] if weighted else None)
    theirs = literal(frame, weighted=weighted)
    np.testing.assert_allclose(ours.coefficients, theirs.beta, rtol=1e-9, atol=1e-11)
    V = theirs.covariance(kind)
    scale = np.sqrt(np.outer(np.diag(V), np.diag(V)))
    np.testing.assert_allclose(ours.covariance(vcov=kind) / scale, V / scale, atol=1e-8)
    for contrast in ([0.0, 1, 0, 0], [1.0, 0.5, -1, 2]):
        c = np.array(contrast)
        row = ours.contrast(c, vcov=kind)
        assert row.std_error == pytest.approx(np.sqrt(c @ V @ c), rel=1e-8)
        assert row.df == pytest.approx(theirs.df(kind, c), rel=1e-7)


@EXAMPLES
@given(seed=st.integers(0, 10**6), weighted=st.booleans(), kind=st.sampled_from(KINDS))
def test_the_hotelling_test_is_that_of_the_n_by_n_definition(
    seed: int, weighted: bool, kind: str
) -> None:
    frame = trial(seed, schools=12)
    ours = fit(frame, weights=frame["w"] if weighted else None)
    theirs = literal(frame, weighted=weighted)
    C = np.array([[0.0, 1, 0, 0], [0, 0, 1, -1]])
    eta = theirs.eta(kind, C)
    result = ours.joint_test(C, vcov=kind)
    assert result.df_denom == pytest.approx(eta - 1, rel=1e-7)
    b, V = C @ theirs.beta, C @ theirs.covariance(kind) @ C.T
    expected = (eta - 1) / eta * float(b @ np.linalg.solve(V, b)) / 2
    assert result.statistic == pytest.approx(expected, rel=1e-7)
    assert result.row.note.startswith("F(2, ")


def test_cr2_equals_hc2_when_every_cluster_is_one_row() -> None:
    frame = trial(1)
    rows = np.arange(len(frame))
    by_row = fit(frame, cluster=rows)
    unclustered = fit_least_squares(frame["y"], frame[NAMES], names=NAMES)
    for clustered, plain in (("CR0", "HC0"), ("CR2", "HC2"), ("CR3", "HC3"), ("CR1S", "HC1")):
        np.testing.assert_allclose(
            by_row.covariance(vcov=clustered),
            unclustered.covariance(vcov=plain),
            rtol=1e-9,
            atol=1e-12,
        )


def test_cr2_df_of_two_groups_of_rows_are_welchs_for_equal_variances() -> None:
    rng = np.random.default_rng(2)
    z = np.repeat([0.0, 1.0], [7, 4])
    fitted = fit_least_squares(
        rng.normal(size=11), np.column_stack([np.ones(11), z]), names=["a", "z"], cluster=range(11)
    )
    n0, n1 = 7, 4
    welch = (1 / n0 + 1 / n1) ** 2 / (1 / (n0**2 * (n0 - 1)) + 1 / (n1**2 * (n1 - 1)))
    assert fitted.estimates(["z"])[0].df == pytest.approx(welch, rel=1e-12)


def test_cr2_of_equal_schools_is_the_two_sample_variance_of_school_means() -> None:
    rng = np.random.default_rng(3)
    means = rng.normal(size=10)
    y = (means[:, None] + rng.normal(size=(10, 6))).ravel()
    school, z = np.repeat(np.arange(10), 6), np.repeat([0.0, 1.0], [24, 36])
    X = np.column_stack([np.ones(60), z])
    row = fit_least_squares(y, X, names=["a", "z"], cluster=school).estimates(["z"])[0]
    averages = y.reshape(10, 6).mean(axis=1)
    expected = averages[:4].var(ddof=1) / 4 + averages[4:].var(ddof=1) / 6
    assert row.std_error**2 == pytest.approx(expected, rel=1e-10)


@EXAMPLES
@given(seed=st.integers(0, 10**6), weighted=st.booleans())
def test_order_of_rows_and_labels_do_not_matter(seed: int, weighted: bool) -> None:
    frame = trial(seed)
    shuffled = frame.sample(frac=1, random_state=seed % 2**32)
    label = {s: f"school {(7 * s) % 9}" for s in range(9)}
    renamed = shuffled["school"].map(label).to_numpy(dtype=object)
    one = fit(frame, weights=frame["w"] if weighted else None)
    other = fit(shuffled, weights=shuffled["w"] if weighted else None, cluster=renamed)
    np.testing.assert_allclose(
        summary(one, ["z", "x1"]), summary(other, ["z", "x1"]), rtol=1e-8, atol=1e-10
    )


@EXAMPLES
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
def test_units_of_the_outcome_and_scale_of_weights_do_not_matter(
    seed: int, scale: float, shift: float
) -> None:
    frame = trial(seed)
    one = fit(frame, weights=frame["w"]).estimates(["z"])[0]
    moved = frame.assign(y=frame["y"] * scale + shift)
    other = fit(moved, weights=frame["w"] * scale).estimates(["z"])[0]
    assert other.estimate == pytest.approx(scale * one.estimate, rel=1e-7, abs=1e-9 * scale)
    assert other.std_error == pytest.approx(scale * one.std_error, rel=1e-7)
    assert other.df == pytest.approx(one.df, rel=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "factors", [["school"], ["block"], ["year"], ["school", "year"], ["block", "year"]]
)
def test_absorbing_effects_equals_giving_each_a_column(factors: list[str], weighted: bool) -> None:
    frame = trial(5, schools=12)
    frame["zx"] = frame["z"] * frame["x1"]
    terms = ["zx", "x1", "x2"] if "school" in factors else ["z", "x1", "x2"]
    options: dict[str, Any] = {"cluster": "school", "weights": "w" if weighted else None}
    absorbed = fit_least_squares_frame(frame, "y", terms, absorb=factors, **options)
    dummies = {
        f"{factor} {level}": (frame[factor] == level) * 1.0
        for factor in factors
        for level in frame[factor].unique()
    }
    spelled = fit_least_squares_frame(frame.assign(**dummies), "y", [*dummies, *terms], **options)
    # With a dummy for each cluster CR3 does not exist; with its effect absorbed it does.
    kinds = ["CR0", "CR1S", "CR2"] + ([] if "school" in factors else ["CR3"])
    np.testing.assert_allclose(
        summary(absorbed, terms, kinds), summary(spelled, terms, kinds), rtol=1e-8, atol=1e-10
    )
    assert absorbed.r_squared == pytest.approx(spelled.r_squared, rel=1e-10)
    assert absorbed.residual_variance == pytest.approx(spelled.residual_variance, rel=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_effects_of_schools_within_larger_clusters_are_absorbed_exactly(weighted: bool) -> None:
    frame = trial(6, schools=15)
    options: dict[str, Any] = {"cluster": "block", "weights": "w" if weighted else None}
    absorbed = fit_least_squares_frame(frame, "y", ["x1", "x2"], absorb="school", **options)
    schools = {f"s{s}": (frame["school"] == s) * 1.0 for s in range(15)}
    spelled = fit_least_squares_frame(
        frame.assign(**schools), "y", [*schools, "x1", "x2"], intercept=False, **options
    )
    kinds = ["CR0", "CR1S", "CR2"]
    np.testing.assert_allclose(
        summary(absorbed, ["x1", "x2"], kinds), summary(spelled, ["x1", "x2"], kinds), rtol=1e-8
    )


def test_absorbed_effects_without_clusters_equal_dummies() -> None:
    frame = trial(7)
    absorbed = fit_least_squares_frame(frame, "y", ["z", "x1"], absorb="block", weights="w")
    blocks = {f"b{b}": (frame["block"] == b) * 1.0 for b in range(3)}
    spelled = fit_least_squares_frame(
        frame.assign(**blocks), "y", [*blocks, "z", "x1"], weights="w", intercept=False
    )
    for kind in ("classical", "HC1", "HC2", "HC3", "HC4"):
        np.testing.assert_allclose(
            absorbed.covariance(vcov=kind), spelled.covariance(vcov=kind)[3:, 3:], rtol=1e-8
        )


def test_a_joint_test_of_one_contrast_is_the_square_of_its_t() -> None:
    fitted = fit(trial(8))
    for kind in KINDS:
        row, joint = fitted.estimates(["z"], vcov=kind)[0], fitted.joint_test(["z"], vcov=kind)
        assert joint.statistic == pytest.approx(row.statistic**2, rel=1e-10)
        assert joint.df_denom == pytest.approx(row.df, rel=1e-10)
        assert joint.p_value == pytest.approx(row.p_value, rel=1e-9)
        assert joint.delta == pytest.approx(1.0, abs=1e-12)


def test_a_joint_test_does_not_depend_on_how_the_hypothesis_is_written() -> None:
    fitted = fit(trial(9, schools=14))
    C = np.array([[0.0, 1, 0, 0], [0, 0, 1, 0]])
    one, other = fitted.joint_test(C), fitted.joint_test([[2.0, 1], [-1, 3]] @ C)
    assert other.statistic == pytest.approx(one.statistic, rel=1e-9)
    assert other.df_denom == pytest.approx(one.df_denom, rel=1e-9)


def test_small_sample_factors_are_those_of_their_definitions() -> None:
    fitted = fit(trial(10))
    J, N, p = fitted.n_clusters, fitted.n_rows, 4
    V = fitted.covariance(vcov="CR0")
    np.testing.assert_allclose(fitted.covariance(vcov="CR1"), V * J / (J - 1), rtol=1e-12)
    np.testing.assert_allclose(fitted.covariance(vcov="CR1p"), V * J / (J - p), rtol=1e-12)
    stata = J * (N - 1) / ((J - 1) * (N - p))
    np.testing.assert_allclose(fitted.covariance(vcov="CR1S"), V * stata, rtol=1e-12)


def test_parameters_of_nested_effects_count_as_one_unless_all_are_asked_for() -> None:
    frame = trial(11, schools=12)
    counts = fit_least_squares_frame(
        frame, "y", ["x1", "x2"], cluster="school", absorb=["school", "year"]
    ).counts
    assert (counts.slopes, counts.all, counts.unnested) == (2, 2 + 12 + 2, 2 + 1 + 2)
    blocks = fit_least_squares_frame(frame, "y", ["z"], cluster="school", absorb="block").counts
    assert (blocks.slopes, blocks.all, blocks.unnested) == (1, 5, 5)


def test_frames_dicts_matrices_and_kinds_of_numbers_agree() -> None:
    frame = trial(12)
    expected = summary(fit(frame), ["z", "x1"])
    as_dict = {name: frame[name].to_numpy() for name in frame}
    as_dict["z"] = as_dict["z"].astype(bool)
    labels = pd.Categorical([f"s{s}" for s in frame["school"]])
    for cluster in (frame["school"], labels, frame["school"].astype(str), list(frame["school"])):
        as_dict["label"] = cluster
        found = fit_least_squares_frame(as_dict, "y", ["z", "x1", "x2"], cluster="label")
        np.testing.assert_allclose(summary(found, ["z", "x1"]), expected, rtol=1e-9)
    unsigned = frame.assign(z=frame["z"].astype(np.uint8))
    found = fit_least_squares_columns(
        unsigned["y"], [unsigned[n] for n in NAMES], names=NAMES, cluster=frame["school"]
    )
    np.testing.assert_allclose(summary(found, ["z", "x1"]), expected, rtol=1e-9)


def test_large_means_cost_no_digits() -> None:
    near, far = fit(trial(13)), fit(trial(13, means=1e6))
    np.testing.assert_allclose(summary(near, ["z", "x1"]), summary(far, ["z", "x1"]), rtol=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("absorb", [None, "school"])
def test_blocks_threads_and_compilation_change_only_the_last_digits(
    monkeypatch: pytest.MonkeyPatch, weighted: bool, absorb: str | None
) -> None:
    frame = trial(14, schools=30, largest=60)
    terms = ["x1", "x2"] if absorb else ["z", "x1", "x2"]
    options: dict[str, Any] = {"absorb": absorb, "weights": "w" if weighted else None}

    def run() -> FloatArray:
        fitted = fit_least_squares_frame(frame, "y", terms, cluster="school", **options)
        return summary(fitted, terms[:2])

    whole = run()
    monkeypatch.setattr(cluster_crossproducts, "BLOCK_ROWS", 32)  # most schools in pieces
    pieces = run()
    monkeypatch.setattr(cluster_crossproducts, "THREADED_ROWS", 10)
    np.testing.assert_array_equal(run(), pieces)  # threads change nothing at all
    monkeypatch.setattr(cluster_crossproducts, "COMPILED_NUMBERS", 1)
    compiled = run()
    for other in (pieces, compiled):
        np.testing.assert_allclose(other, whole, rtol=1e-9)


def test_a_cluster_of_fifty_thousand_rows_needs_no_matrix_of_its_size() -> None:
    rng = np.random.default_rng(15)
    sizes = [50_000, 400, 300, 500, 200, 600]
    school = np.repeat(np.arange(6), sizes)
    z, x = (school % 2).astype(float), rng.normal(size=len(school))
    y = 0.2 * x + rng.normal(size=6)[school] + rng.normal(size=len(school))
    X = np.column_stack([np.ones(len(y)), z, x])
    fitted = fit_least_squares(y, X, names=["a", "z", "x"], cluster=school)
    # A contrast of school means: its CR0 from the scores, by hand.
    M = np.linalg.inv(X.T @ X)
    e = y - X @ (M @ X.T @ y)
    scores = np.array([X[school == s].T @ e[school == s] for s in range(6)])
    np.testing.assert_allclose(fitted.covariance(vcov="CR0"), M @ scores.T @ scores @ M, rtol=1e-8)
    assert 1.0 < fitted.estimates(["z"])[0].df < 5.0


def test_a_variance_that_one_cluster_escapes_is_said_to_be_understated() -> None:
    frame = trial(16)
    lone = frame.assign(z=(frame["school"] == 4) * 1.0)
    row = fit(lone).estimates(["z"])[0]
    assert row.note.startswith("CR2 misses")
    assert "misses" not in fit(frame).estimates(["z"])[0].note


def test_few_degrees_of_freedom_are_said() -> None:
    row = fit(trial(17, schools=5)).estimates(["z"])[0]
    assert row.df < 4
    assert "too few clusters" in row.note
