"""Without clusters the Anderson-Rubin set rests on HC2, here computed by hand."""

from __future__ import annotations

from math import inf, isinf

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from schooltrial.models.complier_effect.anderson_rubin import (
    AndersonRubinSet,
    invert_anderson_rubin,
)
from schooltrial.models.complier_effect.two_stage_least_squares import fit_instrument

FloatArray = NDArray[np.float64]
ONE, TWO = ("z",), ("z", "v")


def _pupils(seed: int, strength: float, n: int = 60) -> dict[str, FloatArray]:
    """Pupils drawn one by one, with errors that spread more where z is 1."""
    rng = np.random.default_rng(seed)
    x, v, ability = rng.normal(size=(3, n))
    z = (rng.permutation(n) < n // 3).astype(float)
    d = strength * (z + 0.5 * v) + 0.5 * ability + rng.normal(size=n)
    y = 0.7 * d + 0.3 * x + ability * (1 + 2 * z) + rng.normal(size=n)
    return {"y": y, "d": d, "z": z, "v": v, "x": x, "one": np.ones(n)}


def _set(
    t: dict[str, FloatArray],
    names: tuple[str, ...],
    kind: str | None = None,
    level: float = 0.95,
) -> AndersonRubinSet:
    fitted = fit_instrument(
        t["y"], endogenous={"d": t["d"]}, instruments={name: t[name] for name in names},
        exogenous={"one": t["one"], "x": t["x"]},
    )  # fmt: skip
    return invert_anderson_rubin(fitted, vcov=kind, level=level)


def _by_hand(
    t: dict[str, FloatArray], names: tuple[str, ...], beta: float, kind: str = "HC2"
) -> tuple[float, float]:
    """Return F and its p-value of no effect of the instruments on y − βd, by HC2 or another."""
    X = np.column_stack([t["one"], t["x"], *(t[name] for name in names)])
    n, k = X.shape
    bread = np.linalg.inv(X.T @ X)
    coefficients = bread @ X.T @ (t["y"] - beta * t["d"])
    residuals = t["y"] - beta * t["d"] - X @ coefficients
    leverage = np.einsum("ij,jk,ik->i", X, bread, X)
    squared = {
        "HC1": residuals**2 * n / (n - k),
        "HC2": residuals**2 / (1 - leverage),
        "HC3": residuals**2 / (1 - leverage) ** 2,
    }[kind]
    covariance = bread @ (X.T * squared) @ X @ bread
    q = len(names)
    g, V = coefficients[-q:], covariance[-q:, -q:]
    statistic = float(g @ np.linalg.solve(V, g)) / q
    return statistic, float(stats.f.sf(statistic, q, n - k))


@pytest.mark.parametrize("names", [ONE, TWO], ids=["one instrument", "two instruments"])
@pytest.mark.parametrize("strength", [1.5, 0.4, 0.0])
def test_the_set_holds_what_hc2_does_not_reject(names: tuple[str, ...], strength: float) -> None:
    for seed in range(8):
        t = _pupils(seed, strength)
        found = _set(t, names)
        for low, high in found.intervals:
            assert low < high
            for end in (low, high):
                if not isinf(end):
                    assert _by_hand(t, names, end)[1] == pytest.approx(0.05, abs=1e-7)
        for beta in np.linspace(-10, 10, 41):
            assert (float(beta) in found) == (_by_hand(t, names, float(beta))[1] >= 0.05)


def test_sets_of_every_shape_were_looked_at() -> None:
    shapes = {_set(_pupils(seed, s), ONE).shape for seed in range(8) for s in (1.5, 0.4, 0.0)}
    assert {"interval", "two rays", "whole line"} <= shapes


@pytest.mark.parametrize("names", [ONE, TWO], ids=["one instrument", "two instruments"])
def test_the_test_of_no_effect_is_f_with_pupils_less_parameters_as_degrees(
    names: tuple[str, ...],
) -> None:
    t = _pupils(1, 1.0)
    row = _set(t, names).row
    statistic, p = _by_hand(t, names, 0.0)
    degrees = 60 - 2 - len(names)
    assert row.statistic == pytest.approx(statistic, rel=1e-10)
    assert row.p_value == pytest.approx(p, rel=1e-10)
    assert row.df == degrees
    assert (row.n_individuals, row.n_schools) == (60, 60)  # each pupil is drawn alone
    assert row.note.startswith(f"F({len(names)}, {degrees})")
    assert row.method == "2SLS, Anderson-Rubin set, HC2"


@pytest.mark.parametrize("kind", ["HC1", "HC3"])
@pytest.mark.parametrize("names", [ONE, TWO], ids=["one instrument", "two instruments"])
def test_another_variance_gives_the_set_of_that_variance(names: tuple[str, ...], kind: str) -> None:
    t = _pupils(2, 1.5)
    found = _set(t, names, kind)
    assert found.row.method == f"2SLS, Anderson-Rubin set, {kind}"
    assert found.row.p_value == pytest.approx(_by_hand(t, names, 0.0, kind)[1], rel=1e-9)
    assert found.shape == "interval"
    for end in found.intervals[0]:
        assert _by_hand(t, names, end, kind)[1] == pytest.approx(0.05, abs=1e-7)
        assert abs(_by_hand(t, names, end)[1] - 0.05) > 1e-4


def test_a_lower_level_gives_a_smaller_set_inside() -> None:
    t = _pupils(2, 1.5)
    (wide,), (narrow,) = _set(t, ONE).intervals, _set(t, ONE, level=0.8).intervals
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    for end in narrow:
        assert _by_hand(t, ONE, end)[1] == pytest.approx(0.2, abs=1e-7)


def test_the_point_is_the_ratio_of_the_instruments_coefficients_and_lies_inside() -> None:
    t = _pupils(3, 1.5)
    X = np.column_stack([t["one"], t["x"], t["z"]])
    of_y, of_d = (np.linalg.lstsq(X, t[name], rcond=None)[0][2] for name in ("y", "d"))
    found = _set(t, ONE)
    assert found.row.estimate == pytest.approx(of_y / of_d, rel=1e-9)
    assert found.row.estimate in found
    assert (found.row.conf_low, found.row.conf_high) == found.intervals[0]
    assert inf not in found
