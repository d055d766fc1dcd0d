"""All multilevel models against N × N matrices, finite differences, and each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from schooltrial.models.moments.school_moments import SchoolMoments, from_frame
from schooltrial.models.multilevel.r_squared import estimate_r_squared
from schooltrial.models.multilevel.random_slope import random_pupil_slope, random_treatment
from schooltrial.models.multilevel.result import MultilevelFit
from schooltrial.models.multilevel.three_level import fit_three_level
from schooltrial.models.multilevel.two_level import fit_two_level, fit_two_level_moments
from schooltrial.models.reml.profile_likelihood import profile
from schooltrial.models.reml.relative_covariance import CholeskyRatio

Array = NDArray[np.float64]


def trial(seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 8, 24)
    school = np.repeat(np.arange(24), size)
    district = school // 4
    z = (school % 2).astype(float)
    x = rng.normal(1, 2, len(school))
    y = 3 + (1 + rng.normal(0, 1, 6)[district]) * z + (0.5 + rng.normal(0, 0.7, 24)[school]) * x
    y += rng.normal(0, 1, 6)[district] + rng.normal(0, 1, 24)[school]
    y += rng.normal(0, 1, len(school))
    w = rng.uniform(0.5, 2.0, len(school))
    return pd.DataFrame({"school": school, "district": district, "z": z, "x": x, "y": y, "w": w})


class Case(NamedTuple):
    fit: Callable[[SchoolMoments], MultilevelFit]
    patterns: Callable[[pd.DataFrame], list[Array]]  # dV/dλ
    ratio: tuple[float, ...]


def same(column: pd.Series) -> Array:
    values = column.to_numpy()
    return np.asarray(np.equal.outer(values, values), dtype=float)


def slope(frame: pd.DataFrame, name: str, level: str, correlated: bool) -> list[Array]:
    s, together = frame[name].to_numpy(), same(frame[level])
    covariance = [np.add.outer(s, s) * together] if correlated else []
    return [together, *covariance, np.outer(s, s) * together]


CASES = {
    "two levels": Case(fit_two_level_moments, lambda f: [same(f["school"])], (0.4,)),
    "three levels": Case(
        lambda m: fit_three_level(m, level="district"),
        lambda f: [same(f["school"]), same(f["district"])],
        (0.4, 0.3),
    ),
    "treatment varies": Case(
        lambda m: random_treatment(m, "z", level="district"),
        lambda f: [same(f["school"]), *slope(f, "z", "district", True)],
        (0.4, 0.3, 0.1, 0.5),
    ),
    "treatment varies, uncorrelated": Case(
        lambda m: random_treatment(m, "z", level="district", correlated=False),
        lambda f: [same(f["school"]), *slope(f, "z", "district", False)],
        (0.4, 0.3, 0.5),
    ),
    "covariate varies": Case(
        lambda m: random_pupil_slope(m, "x"), lambda f: slope(f, "x", "school", True),
        (0.4, -0.1, 0.2),
    ),
    "covariate varies, uncorrelated": Case(
        lambda m: random_pupil_slope(m, "x", correlated=False),
        lambda f: slope(f, "x", "school", False), (0.4, 0.2),
    ),
}  # fmt: skip


def moments(frame: pd.DataFrame, weights: str | None = None) -> SchoolMoments:
    return from_frame(
        frame, outcome="y", fixed=["z", "x"], school="school", group="district", by_school=True,
        weights=weights,
    )  # fmt: skip


def design(frame: pd.DataFrame) -> Array:
    return np.column_stack((np.ones(len(frame)), frame["z"], frame["x"]))


def large_deviance(frame: pd.DataFrame, H: Array, reml: bool) -> float:
    X, y = design(frame), frame["y"].to_numpy()
    n, p = X.shape
    inverse = np.linalg.inv(H)
    C = X.T @ inverse @ X
    beta = np.linalg.solve(C, X.T @ inverse @ y)
    rss = (y - X @ beta) @ inverse @ (y - X @ beta)
    degrees = n - p if reml else n
    value = np.linalg.slogdet(H)[1] + degrees * (1 + np.log(2 * np.pi * rss / degrees))
    return float(value + (np.linalg.slogdet(C)[1] if reml else 0.0))


def large_h(frame: pd.DataFrame, case: Case, ratio: Any, weighted: bool) -> Array:
    own = 1.0 / frame["w"].to_numpy() if weighted else np.ones(len(frame))
    H: Array = np.diag(own)
    for value, pattern in zip(ratio, case.patterns(frame), strict=True):
        H = H + value * pattern
    return H


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_the_deviance_is_that_of_the_large_matrices(name: str, reml: bool, weighted: bool) -> None:
    frame, case = trial(), CASES[name]
    fitted = case.fit(moments(frame, "w" if weighted else None))
    for ratio in (case.ratio, (0.0,) * len(case.ratio), tuple(3 * r for r in case.ratio)):
        ours = profile(fitted.model, np.array(ratio), reml=reml).deviance
        theirs = large_deviance(frame, large_h(frame, case, ratio, weighted), reml)
        assert ours == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_those_of_finite_differences(name: str, reml: bool) -> None:
    case = CASES[name]
    model = case.fit(moments(trial(), "w")).model
    centre = np.array(case.ratio)
    here = profile(model, centre, reml=reml)
    step = 1e-5
    for k, direction in enumerate(np.eye(len(centre)) * step):
        above, below = (profile(model, centre + s * direction, reml=reml) for s in (1, -1))
        slope_ = (above.deviance - below.deviance) / (2 * step)
        assert here.gradient[k] == pytest.approx(slope_, rel=1e-6, abs=1e-6)
        bend = (above.gradient - below.gradient) / (2 * step)
        assert_allclose(here.hessian[k], bend, rtol=1e-6, atol=1e-5)
        for name_ in ("M", "logdet"):
            a, b = (getattr(p.products, name_) for p in (above, below))
            first = getattr(here.products, f"{name_}1")[k]
            assert_allclose(first, (a - b) / (2 * step), rtol=1e-6, atol=1e-6)
            a, b = (getattr(p.products, f"{name_}1") for p in (above, below))
            second = getattr(here.products, f"{name_}2")[k]
            assert_allclose(second, (a - b) / (2 * step), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("blocks", [(1,), (1, 1), (1, 2), (2,)])
def test_cholesky_derivatives_carry_over(blocks: tuple[int, ...]) -> None:
    shape = CholeskyRatio(blocks)
    size = sum(1 if block == 1 else 3 for block in blocks)
    rng = np.random.default_rng(1)
    theta, linear = rng.uniform(0.3, 1, size), rng.normal(size=size)
    bent = rng.normal(size=(size, size))
    bent += bent.T

    def value(at: Array) -> float:
        ratio = shape.ratio(at)
        return float(linear @ ratio + 0.5 * ratio @ bent @ ratio)

    def slopes(at: Array) -> Array:
        return shape.carried(at, linear + bent @ shape.ratio(at), bent)[0]

    gradient, hessian = shape.carried(theta, linear + bent @ shape.ratio(theta), bent)
    for k, direction in enumerate(np.eye(size) * 1e-6):
        rise = value(theta + direction) - value(theta - direction)
        assert gradient[k] == pytest.approx(rise / 2e-6, rel=1e-6)
        turn = slopes(theta + direction) - slopes(theta - direction)
        assert_allclose(hessian[k], turn / 2e-6, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_kenward_roger_is_that_of_the_large_matrices(name: str, weighted: bool) -> None:
    frame, case = trial(), CASES[name]
    fitted = case.fit(moments(frame, "w" if weighted else None))
    X = design(frame)
    V = fitted.sigma2 * large_h(frame, case, fitted.ratio, weighted)
    inverse = np.linalg.inv(V)
    own = 1.0 / frame["w"].to_numpy() if weighted else np.ones(len(frame))
    G = [np.diag(own), *case.patterns(frame)]
    phi = np.linalg.inv(X.T @ inverse @ X)
    P = [-X.T @ inverse @ g @ inverse @ X for g in G]
    size = len(G)
    information = np.empty((size, size))
    Q = {}
    for i in range(size):
        for j in range(size):
            Q[i, j] = X.T @ inverse @ G[i] @ inverse @ G[j] @ inverse @ X
            information[i, j] = 0.5 * (
                np.trace(inverse @ G[i] @ inverse @ G[j])
                - 2 * np.trace(phi @ Q[i, j])
                + np.trace(phi @ P[i] @ phi @ P[j])
            )
    W = np.linalg.inv(information)
    middle = sum(W[i, j] * (Q[i, j] - P[i] @ phi @ P[j]) for i in range(size) for j in range(size))
    adjusted = phi + 2 * phi @ middle @ phi
    assert_allclose(fitted.covariance(vcov="model"), phi, rtol=1e-9)
    assert_allclose(fitted.covariance(vcov="kenward-roger"), adjusted, rtol=1e-8)
    c = np.array([0.2, 1.0, -0.3])
    d = np.array([c @ phi @ p @ phi @ c for p in P]) / (c @ phi @ c)
    assert fitted.contrast(c).df == pytest.approx(2 / (d @ W @ d), rel=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_satterthwaite_is_that_of_numerical_curvature(name: str) -> None:
    case = CASES[name]
    fitted = case.fit(moments(trial()))
    if fitted.singular:
        pytest.fail("the check needs an inner optimum: change the seed")
    n, p = fitted.moments.n_rows, 3
    centre = np.append(fitted.sigma2, fitted.ratio)

    def unprofiled(at: Array) -> tuple[float, float]:
        here = profile(fitted.model, at[1:])
        rss = here.sigma2 * (n - p)
        log_terms = here.deviance - (n - p) * (1 + np.log(2 * np.pi * here.sigma2))
        back = fitted.centred.back
        variance = at[0] * (back @ here.inverse @ back.T)[1, 1]
        return log_terms + (n - p) * np.log(at[0]) + rss / at[0], float(variance)

    steps = np.diag(1e-4 * np.maximum(np.abs(centre), 0.1))
    size = len(centre)
    hessian, gradient = np.empty((size, size)), np.empty(size)
    for i in range(size):
        up, down = unprofiled(centre + steps[i])[1], unprofiled(centre - steps[i])[1]
        gradient[i] = (up - down) / (2 * steps[i, i])
        for j in range(size):
            corners = [
                unprofiled(centre + a * steps[i] + b * steps[j])[0] * a * b
                for a in (1, -1) for b in (1, -1)
            ]  # fmt: skip
            hessian[i, j] = sum(corners) / (4 * steps[i, i] * steps[j, j])
    variance = fitted.covariance(vcov="model")[1, 1]
    df = 2 * variance**2 / (gradient @ (2 * np.linalg.inv(hessian)) @ gradient)
    assert fitted.estimates(["z"], df="satterthwaite")[0].df == pytest.approx(df, rel=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_predicted_effects_are_those_of_the_large_matrices(name: str) -> None:
    frame, case = trial(), CASES[name]
    fitted = case.fit(moments(frame))
    X, y = design(frame), frame["y"].to_numpy()
    inverse = np.linalg.inv(large_h(frame, case, fitted.ratio, False))
    C_inverse = np.linalg.inv(X.T @ inverse @ X)
    P = inverse - inverse @ X @ C_inverse @ X.T @ inverse
    assert fitted.terms
    for level in dict.fromkeys(term.level for term in fitted.terms):
        labels = frame[level].to_numpy()
        at = [k for k, term in enumerate(fitted.terms) if term.level == level]
        varying = [fitted.terms[k].first for k in at if fitted.terms[k].second is None]
        Z = np.column_stack(
            [
                (labels == label) * (1.0 if name_ == "(Intercept)" else frame[name_].to_numpy())
                for label in np.unique(labels) for name_ in varying
            ]
        )  # fmt: skip
        Lambda = np.zeros((len(varying), len(varying)))
        for k in at:
            term = fitted.terms[k]
            i = varying.index(term.first)
            j = i if term.second is None else varying.index(term.second)
            Lambda[i, j] = Lambda[j, i] = fitted.ratio[k]
        big = np.kron(np.eye(len(np.unique(labels))), Lambda)
        found = fitted.random_effects(level)
        assert_allclose(found.effect.ravel(), big @ Z.T @ P @ y, rtol=1e-7, atol=1e-9)
        known = fitted.sigma2 * (big - big @ Z.T @ inverse @ Z @ big)
        unknown = fitted.sigma2 * (big - big @ Z.T @ P @ Z @ big)
        s = len(varying)
        blocks = [known[k : k + s, k : k + s] for k in range(0, len(known), s)]
        assert_allclose(found.conditional_variance, blocks, rtol=1e-7, atol=1e-10)
        assert_allclose(found.std_error.ravel() ** 2, np.diagonal(unknown), rtol=1e-7)


def test_without_district_variance_three_levels_are_two() -> None:
    frame = moments(trial())
    two, three = fit_two_level_moments(frame), fit_three_level(frame)
    for ratio in (0.0, 0.3, 2.0):
        assert three.deviance([ratio, 0.0]) == pytest.approx(two.deviance([ratio]), abs=1e-9)


def test_without_variance_of_the_effect_a_random_treatment_is_three_levels() -> None:
    frame = moments(trial())
    three, varying = fit_three_level(frame), random_treatment(frame, "z")
    assert varying.deviance([0.3, 0.2, 0.0, 0.0]) == pytest.approx(
        three.deviance([0.3, 0.2]), abs=1e-9
    )


def test_without_variance_of_the_slope_a_random_slope_is_two_levels() -> None:
    frame = moments(trial())
    two, varying = fit_two_level_moments(frame), random_pupil_slope(frame, "x")
    assert varying.deviance([0.3, 0.0, 0.0]) == pytest.approx(two.deviance([0.3]), abs=1e-9)


def test_a_correlated_slope_does_not_depend_on_the_origin_of_its_covariate() -> None:
    frame = trial()
    one = random_pupil_slope(moments(frame), "x")
    two = random_pupil_slope(moments(frame.assign(x=frame["x"] + 3.0)), "x")
    assert two.criterion == pytest.approx(one.criterion, abs=1e-7)
    assert two.estimates(["z"])[0].df == pytest.approx(one.estimates(["z"])[0].df, rel=1e-5)


def test_the_share_of_variance_has_an_interval_at_each_of_three_levels() -> None:
    fitted = fit_three_level(moments(trial()), level="district")
    shares = fitted.icc()
    assert [share.level for share in shares] == ["school", "district"]
    for share in shares:
        assert 0 <= share.conf_low <= share.estimate <= share.conf_high < 1
    explained = {row.level: row.r_squared for row in estimate_r_squared(fitted)}
    assert list(explained) == ["school", "district", "residual", "total"]
    with pytest.raises(ValueError, match="random slope"):
        random_pupil_slope(moments(trial()), "x").icc()


def test_labels_of_groups_and_order_of_rows_do_not_matter() -> None:
    frame = trial()
    other = frame.sample(frac=1, random_state=1)
    other = other.assign(district=other["district"].map(lambda d: f"d{(5 * d) % 6}"))
    for name, case in CASES.items():
        one, two = case.fit(moments(frame)), case.fit(moments(other))
        assert two.criterion == pytest.approx(one.criterion, abs=1e-8), name
        assert_allclose(
            two.covariance(vcov="kenward-roger"), one.covariance(vcov="kenward-roger"), rtol=1e-6
        )


@pytest.mark.parametrize(
    ("fit", "change", "message"),
    [
        (fit_three_level, {"district": 1}, "all schools lie in one group"),
        (fit_three_level, {"district": lambda f: f["school"]}, "has one school"),
        (lambda m: random_treatment(m, "x"), {}, "varies within schools"),
        (lambda m: random_treatment(m, "z"), {"z": lambda f: f["district"] % 2 * 1.0},
         "varies within no group"),
        (lambda m: random_pupil_slope(m, "z"), {}, "does not vary within schools"),
        (lambda m: random_pupil_slope(m, "x"), {}, "by_school=True"),
        (fit_three_level, {}, "take the moments with group="),
    ],
)  # fmt: skip
def test_structures_that_the_data_do_not_have_are_refused(
    fit: Callable[[SchoolMoments], MultilevelFit], change: dict[str, Any], message: str
) -> None:
    frame = trial().assign(**change)
    taken = from_frame(
        frame, outcome="y", fixed=["z", "x"], school="school",
        group=None if "group=" in message else "district",
    )  # fmt: skip
    with pytest.raises(ValueError, match=message):
        fit(taken)


@pytest.mark.parametrize("excess", [1e-7, 1e-6, 1e-5])
def test_a_school_variance_barely_above_zero_is_reported_as_zero_and_converged(
    excess: float,
) -> None:
    """Balanced schools: λ̂ = (MSB/MSW − 1)/n, here set to a hair above zero."""
    schools, pupils = 12, 10
    random = np.random.default_rng(4)
    school = np.repeat(np.arange(schools), pupils)
    within = random.normal(size=(schools, pupils))
    within -= within.mean(axis=1, keepdims=True)
    between = random.normal(size=schools)
    between -= between.mean()
    msw = float((within**2).sum()) / (schools * (pupils - 1))
    msb = pupils * float((between**2).sum()) / (schools - 1)
    between *= np.sqrt(msw * (1 + excess) / msb)
    y = (within + between[:, None]).ravel()
    fitted = fit_two_level(y, np.ones((len(y), 1)), school, names=["(Intercept)"])
    assert fitted.converged, fitted.diagnostics()["message"]
    assert fitted.ratio[0] == pytest.approx(excess / pupils, abs=2e-5)
