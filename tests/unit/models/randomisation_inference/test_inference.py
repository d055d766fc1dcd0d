from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.models.assignment.design import (
    AssignmentError,
    complete_design,
    probability_design,
    recorded_design,
    rerandomised,
)
from schooltrial.models.assignment.draws import draw_assignments, enumerate_assignments
from schooltrial.models.assignment.of_schools import school_assignment
from schooltrial.models.assignment.rerandomisation import mahalanobis_at_most, mahalanobis_distance
from schooltrial.models.inference.multiple_testing import step_down_max_t
from schooltrial.models.randomisation_inference import inference as module
from schooltrial.models.randomisation_inference.inference import (
    randomisation_distribution,
    randomisation_inference,
)

SETTINGS = settings(deadline=None, max_examples=15, derandomize=True)


def _trial(
    seed: int = 0, schools: int = 8, blocks: int = 2, size: int = 6, effect: float = 0.5
) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 2 * size, size=schools)
    school = np.repeat(np.arange(schools), sizes)
    block = np.arange(schools) * blocks // schools
    z = np.zeros(schools, dtype=int)
    for b in range(blocks):
        z[rng.permutation(np.flatnonzero(block == b))[::2]] = 1
    x = rng.normal(size=(len(school), 2)) + rng.normal(size=(schools, 2))[school]
    y = x @ [0.5, -0.2] + effect * z[school] + rng.normal(size=schools)[school]
    y = y + rng.normal(size=len(school)) + block[school]
    return {"y": y, "z": z[school], "school": school, "block": block[school], "x": x}


def _ols(
    y: np.ndarray, d: np.ndarray, others: np.ndarray, school: np.ndarray, w: np.ndarray
) -> tuple[float, float]:
    """Return the coefficient of d and its CR1 t, by a plain regression on all columns."""
    X = np.column_stack([d, others])
    root = np.sqrt(w)
    beta, *_ = np.linalg.lstsq(X * root[:, None], y * root, rcond=None)
    inverse = np.linalg.inv(X.T @ (w[:, None] * X))
    e = w * (y - X @ beta)
    scores = np.array([inverse[0] @ X[school == j].T @ e[school == j] for j in np.unique(school)])
    n, k, schools = len(y), X.shape[1], len(scores)
    factor = schools / (schools - 1) * (n - 1) / (n - k)
    return float(beta[0]), float(beta[0] / np.sqrt(factor * scores @ scores))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("covariates", [False, True])
@pytest.mark.parametrize("blocked", [False, True])
def test_every_assignment_has_the_statistics_of_a_plain_regression(
    weighted: bool, covariates: bool, blocked: bool
) -> None:
    t = _trial(seed=3)
    w = np.random.default_rng(1).uniform(0.5, 2, len(t["y"])) if weighted else np.ones(len(t["y"]))
    options: dict[str, Any] = {
        "block": t["block"],
        "block_effects": blocked,
        "covariates": t["x"] if covariates else None,
        "weights": w if weighted else None,
    }
    levels = t["block"][:, None] == [0, 1] if blocked else np.ones((len(t["y"]), 1))
    others = np.column_stack([levels.astype(float), *([t["x"]] if covariates else [])])
    columns = t["y"], t["z"], t["school"]
    studentised = randomisation_inference(*columns, **options)
    plain = randomisation_inference(*columns, statistic="coefficient", **options)
    observed = _ols(t["y"], t["z"], others, t["school"], w)
    assert plain.coefficients[0] == pytest.approx(observed[0], rel=1e-10)
    assert studentised.distribution.observed[0] == pytest.approx(observed[1], rel=1e-10)
    design = school_assignment(t["school"], t["z"], t["block"]).design()
    codes = np.concatenate([c for c, _ in enumerate_assignments(design)])
    assert len(codes) == 36 == len(studentised.distribution.draws)
    brute = np.array([_ols(t["y"], d[t["school"]], others, t["school"], w) for d in codes])
    assert plain.distribution.draws[:, 0] == pytest.approx(brute[:, 0], rel=1e-9, abs=1e-12)
    assert studentised.distribution.draws[:, 0] == pytest.approx(brute[:, 1], rel=1e-8)
    for test, column in ((plain, 0), (studentised, 1)):
        size = np.abs(brute[:, column])
        share = np.mean(size >= abs(observed[column]) * (1 - 1e-9))
        assert test.p_values[0] == pytest.approx(share)
        assert test.distribution.exact


def test_random_draws_have_the_statistics_of_a_plain_regression() -> None:
    t = _trial(seed=5, schools=30, blocks=3)
    test = randomisation_inference(
        t["y"], t["z"], t["school"], covariates=t["x"], block=t["block"], draws=40, seed=4,
        exact_up_to=10,
    )  # fmt: skip
    design = school_assignment(t["school"], t["z"], t["block"]).design()
    codes = draw_assignments(design, 40, np.random.default_rng(4))
    others = np.column_stack([t["block"][:, None] == [0, 1, 2], t["x"]]).astype(float)
    one = np.ones(len(t["y"]))
    brute = [_ols(t["y"], d[t["school"]], others, t["school"], one)[1] for d in codes]
    assert test.distribution.draws[:, 0] == pytest.approx(brute, rel=1e-8)
    beyond = np.sum(np.abs(brute) >= abs(test.distribution.observed[0]))
    assert test.p_values[0] == pytest.approx((1 + beyond) / 41)


@pytest.mark.parametrize("statistic", ["studentised", "coefficient"])
def test_ends_of_the_interval_are_where_a_shifted_outcome_is_just_rejected(
    statistic: Any,
) -> None:
    t = _trial(seed=6, schools=12, blocks=2)

    def p_of(effect: float) -> float:
        shifted = t["y"] - effect * t["z"]
        again = randomisation_inference(
            shifted, t["z"], t["school"], covariates=t["x"], block=t["block"], statistic=statistic
        )
        return float(again.p_values[0])

    test = randomisation_inference(
        t["y"], t["z"], t["school"], covariates=t["x"], block=t["block"], statistic=statistic
    )
    for effect in (-1.0, 0.0, 0.4, 2.0):
        assert test.inversions[0].p_value(effect) == pytest.approx(p_of(effect))
    low, high = test.interval(0.9)[0]
    for end, inwards in ((low, 1), (high, -1)):
        assert p_of(end + inwards * 1e-6) > 0.1
        assert p_of(end - inwards * 1e-6) <= 0.1 + 1e-12


@pytest.mark.parametrize("statistic", ["HC2", "classical"])
def test_statistics_of_units_of_one_row_also_invert(statistic: Any) -> None:
    rng = np.random.default_rng(2)
    z, block = np.tile([0, 1], 6), np.repeat([0, 1], 6)
    y, x = rng.normal(size=12) + z, rng.normal(size=(12, 1))
    unit = np.arange(12)
    options: dict[str, Any] = {"covariates": x, "block": block, "statistic": statistic}
    test = randomisation_inference(y, z, unit, **options)
    for effect in (0.3, 1.7):
        shifted = randomisation_inference(y - effect * z, z, unit, **options)
        assert test.inversions[0].p_value(effect) == pytest.approx(shifted.p_values[0])


def test_school_statistic_of_units_of_one_row_is_hc1() -> None:
    rng = np.random.default_rng(2)
    z, y = np.tile([0, 1], 10), rng.normal(size=20)
    test = randomisation_inference(y, z, np.arange(20), draws=10, exact_up_to=1)
    variance = sum(np.var(y[z == arm]) / 10 for arm in (0, 1)) * 20 / 18
    assert test.outcome_errors[0] == pytest.approx(np.sqrt(variance))


@SETTINGS
@given(st.integers(0, 10**6), st.floats(-1e3, 1e3), st.floats(0.01, 100))
def test_order_of_rows_shift_and_scale_do_not_matter(
    seed: int, shift: float, factor: float
) -> None:
    t = _trial(seed=7)
    rows = np.random.default_rng(seed).permutation(len(t["y"]))
    plain = randomisation_inference(
        t["y"], t["z"], t["school"], covariates=t["x"], block=t["block"]
    )
    moved = randomisation_inference(
        (shift + factor * t["y"])[rows], t["z"][rows], t["school"][rows],
        covariates=t["x"][rows], block=t["block"][rows],
    )  # fmt: skip
    assert moved.p_values == pytest.approx(plain.p_values)
    assert moved.coefficients == pytest.approx(factor * plain.coefficients, rel=1e-6)
    assert moved.interval() == pytest.approx(factor * plain.interval(), rel=1e-5, abs=1e-6)


def test_names_of_arms_and_schools_do_not_matter_and_swapping_arms_changes_the_sign() -> None:
    t = _trial(seed=8)
    plain = randomisation_inference(t["y"], t["z"], t["school"], block=t["block"])
    names = np.array([f"school {chr(104 - j)}" for j in range(8)])[t["school"]]
    arm = np.where(t["z"] == 1, "treated", "comparison")
    renamed = randomisation_inference(
        t["y"], arm, names, block=t["block"], arms=("comparison", "treated")
    )
    assert renamed.p_values == pytest.approx(plain.p_values)
    assert renamed.coefficients == pytest.approx(plain.coefficients)
    swapped = randomisation_inference(
        t["y"], arm, names, block=t["block"], arms=("treated", "comparison")
    )
    assert swapped.coefficients == pytest.approx(-plain.coefficients)
    assert swapped.p_values == pytest.approx(plain.p_values)


def test_draws_of_several_outcomes_are_those_of_each_alone() -> None:
    t = _trial(seed=9, schools=20)
    second = np.random.default_rng(3).normal(size=len(t["y"]))
    both = randomisation_inference(
        np.column_stack([t["y"], second]), t["z"], t["school"], block=t["block"],
        draws=200, seed=1, exact_up_to=10, outcome_names=["maths", "reading"],
    )  # fmt: skip
    for k, y in enumerate((t["y"], second)):
        alone = randomisation_inference(
            y, t["z"], t["school"], block=t["block"], draws=200, seed=1, exact_up_to=10
        )
        assert both.distribution.draws[:, k] == pytest.approx(alone.distribution.draws[:, 0])
        assert both.interval()[k] == pytest.approx(alone.interval()[0])
    adjusted = step_down_max_t(both.distribution)
    assert (adjusted.step_down >= both.p_values - 1e-12).all()
    rows = both.estimates()
    assert [row.term for row in rows] == ["maths", "reading"]
    assert rows[0].method == "randomisation inference, studentised, 200 draws"
    assert rows[0].p_value == both.p_values[0]


def test_size_of_the_pieces_of_work_changes_no_more_than_rounding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    t = _trial(seed=10, schools=30)
    columns: dict[str, Any] = {"block": t["block"], "draws": 300, "exact_up_to": 10}
    plain = randomisation_inference(t["y"], t["z"], t["school"], **columns)
    monkeypatch.setattr(module, "_CELLS", 64 * 30)
    pieces = randomisation_inference(t["y"], t["z"], t["school"], **columns)
    assert pieces.distribution.draws == pytest.approx(plain.distribution.draws, rel=1e-11)


def test_uneven_probabilities_of_assignments_are_those_of_the_design() -> None:
    # 2 or 3 of 5 schools treated: the assignments are not equally likely.
    design = probability_design(5, 0.45)
    z = np.array([1, 0, 0, 1, 0])
    y = np.array([3.0, 1.0, 0.5, 2.0, 1.5])
    found = randomisation_distribution(design, z, lambda codes: codes @ y)
    codes, chance = next(enumerate_assignments(design))
    total = chance[codes @ y >= z @ y - 1e-9].sum()
    assert found.p_value("upper")[0] == pytest.approx(total)
    assert found.probability is not None


def test_rerandomised_trial_is_judged_by_the_draws_it_could_have_accepted() -> None:
    rng = np.random.default_rng(11)
    x = rng.normal(size=10)
    design = complete_design(10, 5)
    everything = np.concatenate([c for c, _ in enumerate_assignments(design)])
    distance = mahalanobis_distance(everything, x)
    limit = float(np.quantile(distance, 0.3))
    accepted = everything[distance <= limit * (1 + 1e-9)]
    z = accepted[7]
    y = x + rng.normal(size=10) * 0.3
    test = randomisation_inference(
        y, z, np.arange(10), design=rerandomised(design, mahalanobis_at_most(x, limit)),
        statistic="coefficient",
    )  # fmt: skip
    gaps = np.array([y[d == 1].mean() - y[d == 0].mean() for d in accepted])
    observed = y[z == 1].mean() - y[z == 0].mean()
    expected = np.mean(np.abs(gaps) >= abs(observed) - 1e-12)
    assert len(test.distribution.draws) == len(accepted) < len(everything)
    assert test.p_values[0] == pytest.approx(expected)


def test_recorded_list_is_the_reference_distribution() -> None:
    listed = np.array([[0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 1, 0]])
    y = np.array([1.0, 2.0, 4.0, 8.0])
    test = randomisation_inference(
        y, listed[0], np.arange(4), design=recorded_design(np.arange(4), listed),
        statistic="coefficient",
    )  # fmt: skip
    assert test.distribution.draws[:, 0] == pytest.approx([4.5, 2.5, -2.5])
    assert test.p_values[0] == pytest.approx(1 / 3)


def test_draws_collinear_with_a_covariate_count_as_extreme_and_are_reported() -> None:
    # A school-level covariate equal to one of the possible assignments.
    x = np.array([0.0, 0, 1, 1])
    y = np.array([1.0, 2.0, 4.0, 8.0])
    test = randomisation_inference(
        y, [0, 1, 0, 1], np.arange(4), covariates=x, statistic="coefficient"
    )
    assert test.undefined == 2  # it and its mirror image
    assert "2 draws undefined" in test.estimates()[0].note
    assert test.p_values[0] >= 4 / 6


def test_p_values_are_uniform_when_nothing_happened() -> None:
    rejected = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        z = rng.permutation(np.repeat([0, 1], 5))
        school = np.repeat(np.arange(10), 4)
        y = rng.normal(size=10)[school] + rng.normal(size=40)
        test = randomisation_inference(y, z[school], school, interval=False)
        rejected += test.p_values[0] <= 0.1
    # 252 assignments: the exact size is at most .1; three binomial standard errors around it.
    assert abs(rejected / 400 - 0.1) < 3 * np.sqrt(0.09 / 400)


def _broken(**changes: Any) -> Any:
    t = _trial(seed=1)
    arguments: dict[str, Any] = {
        "outcomes": t["y"],
        "arm": t["z"],
        "school": t["school"],
        "block": t["block"],
        "covariates": t["x"],
    }
    for name, change in changes.items():
        arguments[name] = change(t) if callable(change) else change
    return lambda: randomisation_inference(**arguments)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            _broken(arm=lambda t: np.where(np.arange(len(t["y"])) == 0, 1 - t["z"], t["z"])),
            AssignmentError,
            "school 0 has pupils in 2 groups",
        ),
        (
            _broken(arm=lambda t: np.where(t["block"] == 0, 0, t["z"])),
            AssignmentError,
            "block 0 has one group only",
        ),
        (_broken(arm=lambda t: t["z"] + (t["school"] == 0)), AssignmentError, "3 groups"),
        (_broken(arms=("c", "t")), AssignmentError, "known are"),
        (
            _broken(covariates=lambda t: np.column_stack([t["x"], t["x"].sum(axis=1)])),
            ValueError,
            "'x3' is a linear combination",
        ),
        (_broken(covariates=lambda t: t["block"]), ValueError, "does not vary"),
        (_broken(covariates=lambda t: t["z"]), ValueError, "observed assignment is a combination"),
        (_broken(outcomes=lambda t: t["block"] * 1.0), ValueError, "outcome 'y' has no variation"),
        (_broken(statistic="HC2"), ValueError, "for units of one row"),
        (_broken(statistic="rank"), ValueError, "unknown statistic 'rank'"),
        (_broken(design=complete_design(9, 4)), AssignmentError, "school 8 has no pupils"),
        (_broken(design=complete_design(7, 4)), AssignmentError, "school 7 is not in the design"),
    ],
)
def test_errors_name_what_is_wrong(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_a_block_of_which_one_arm_is_left_stays_as_it_is_and_changes_no_p_value() -> None:
    rng = np.random.default_rng(3)
    school = np.repeat(np.arange(9), 12)
    arm = np.repeat([0, 1, 0, 1, 0, 1, 0, 1, 1], 12).astype(float)
    block = np.repeat([0, 0, 1, 1, 2, 2, 3, 3, 4], 12)
    y = rng.normal(size=len(school)) + 0.1 * school
    units = school_assignment(school, arm, block)
    assert units.with_one_arm() == ["4"]
    with pytest.raises(AssignmentError, match="one group only"):
        units.design(arms=(0.0, 1.0))
    design = units.design(arms=(0.0, 1.0), one_arm_blocks=True)
    whole = randomisation_inference(y, arm, school, block=block, block_effects=True, design=design)
    pairs = block < 4
    part = randomisation_inference(
        y[pairs], arm[pairs], school[pairs], block=block[pairs], block_effects=True
    )
    (found,), (wanted,) = whole.estimates(), part.estimates()
    assert found.estimate == pytest.approx(wanted.estimate, rel=1e-12)
    assert found.p_value == pytest.approx(wanted.p_value, abs=1e-12)
