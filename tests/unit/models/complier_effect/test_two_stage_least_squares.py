"""2SLS, first stages and Anderson-Rubin sets: identities, other packages, weak instruments."""

from __future__ import annotations

from math import inf, isinf
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linearmodels.iv import IV2SLS
from numpy.typing import NDArray

from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.complier_effect.anderson_rubin import (
    invert_anderson_rubin,
    quadratic_set,
    reduced_forms,
    scanned_set,
)
from schooltrial.models.complier_effect.specification_tests import run_specification_tests
from schooltrial.models.complier_effect.two_stage_least_squares import InstrumentFit, fit_instrument

EXAMPLES = settings(deadline=None, max_examples=25, derandomize=True)
FloatArray = NDArray[np.float64]


def trial(seed: int, strength: float = 0.6, schools: int = 24) -> dict[str, FloatArray]:
    """Schools assigned to a programme that their pupils attend more or less."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), rng.integers(8, 20, schools))
    n = len(school)
    z, x = rng.permutation(schools) < schools // 2, rng.normal(size=n)
    ability = rng.normal(size=n) + rng.normal(size=schools)[school]
    d = (strength * z[school] + 0.3 * ability + rng.normal(size=n) > 0.5).astype(float)
    y = 0.5 * d + 0.4 * x + ability + rng.normal(size=n)
    return {
        "y": y, "d": d, "z": z[school].astype(float), "z2": z[school] * x, "x": x,
        "one": np.ones(n), "school": school.astype(float), "block": school // 6 * 1.0,
        "w": rng.uniform(0.5, 2, n),
    }  # fmt: skip


def fit(
    t: dict[str, FloatArray], instruments: tuple[str, ...] = ("z",), **kw: Any
) -> InstrumentFit:
    options: dict[str, Any] = {"cluster": t["school"]} | kw
    exogenous = ("x",) if "absorb" in kw else ("one", "x")
    return fit_instrument(
        t["y"],
        endogenous={"d": t["d"]},
        instruments={name: t[name] for name in instruments},
        exogenous={name: t[name] for name in exogenous},
        **options,
    )


@EXAMPLES
@given(seed=st.integers(0, 10**6), weighted=st.booleans(), absorbed=st.booleans())
def test_with_one_instrument_the_effect_is_the_ratio_of_reduced_form_and_first_stage(
    seed: int, weighted: bool, absorbed: bool
) -> None:
    t = trial(seed)
    options: dict[str, Any] = {"weights": t["w"]} if weighted else {}
    result = fit(t, **options | ({"absorb": t["block"]} if absorbed else {}))
    reduced = result.reduced_form.estimates(["z"])[0].estimate
    first = result.first_stages[0].estimates(["z"])[0].estimate
    assert result.estimates()[0].estimate == pytest.approx(reduced / first, rel=1e-9)


def test_when_all_comply_two_stages_are_least_squares() -> None:
    t = trial(1)
    t["d"] = t["z"].copy()
    result = fit(t).second_stage
    columns = [t["d"], t["one"], t["x"]]
    ols = fit_least_squares_columns(t["y"], columns, names=["d", "one", "x"], cluster=t["school"])
    assert ols.estimates()
    for ours, theirs in zip(result.estimates(), ols.estimates(), strict=True):
        assert ours.std_error == pytest.approx(theirs.std_error, rel=1e-9)
        assert ours.df == pytest.approx(theirs.df, rel=1e-9)


@EXAMPLES
@given(seed=st.integers(0, 10**6), several=st.booleans(), weighted=st.booleans())
def test_point_and_cr0_are_those_of_linearmodels(seed: int, several: bool, weighted: bool) -> None:
    t = trial(seed)
    instruments = ("z", "z2") if several else ("z",)
    ours = fit(t, instruments, weights=t["w"] if weighted else None).second_stage
    theirs = IV2SLS(
        t["y"], np.column_stack([t["one"], t["x"]]), t["d"],
        np.column_stack([t[name] for name in instruments]),
        weights=t["w"] if weighted else None,
    ).fit(cov_type="clustered", clusters=t["school"].astype(int), debiased=False)  # fmt: skip
    order = [ours.position(name) for name in ("one", "x", "d")]
    np.testing.assert_allclose(ours.coefficients[order], theirs.params, rtol=1e-8)
    np.testing.assert_allclose(
        np.sqrt(np.diag(ours.covariance(vcov="CR0"))[order]), theirs.std_errors, rtol=1e-7
    )


def test_linearmodels_own_tests_are_at_hand() -> None:
    t = trial(2)
    result = run_specification_tests(fit(t, ("z", "z2")))
    assert 0 <= result.sargan.pval <= 1
    assert 0 <= result.wu_hausman().pval <= 1
    absorbed = fit(t, absorb=t["block"])
    point = run_specification_tests(absorbed).params.iloc[-1]
    assert point == pytest.approx(absorbed.estimates()[0].estimate, rel=1e-9)


def test_without_clusters_endogeneity_is_linearmodels_wu_hausman() -> None:
    t = trial(3)
    unclustered = fit(t, cluster=None)
    ours, theirs = (
        unclustered.endogeneity_test(vcov="classical"),
        run_specification_tests(unclustered).wu_hausman(),
    )
    assert ours.statistic == pytest.approx(theirs.stat, rel=1e-8)
    assert ours.p_value == pytest.approx(theirs.pval, rel=1e-7)


def test_first_stage_f_of_one_instrument_is_the_square_of_its_t() -> None:
    t = trial(4)
    for kind, cluster in (("CR2", t["school"]), ("classical", None)):
        result = fit(t, cluster=cluster)
        row = result.first_stages[0].estimates(["z"], vcov=kind)[0]
        test = result.first_stage_test(vcov=kind)
        assert test.statistic == pytest.approx(row.statistic**2, rel=1e-9)
        assert test.p_value == pytest.approx(row.p_value, rel=1e-7)


def test_the_classical_first_stage_f_overstates_an_instrument_assigned_by_school() -> None:
    t = trial(5)
    clustered, classical = fit(t), fit(t, cluster=None)
    robust = clustered.first_stage_test().statistic
    assert classical.first_stage_test(vcov="classical").statistic > 1.2 * robust


def effect_of_instruments(t: dict[str, FloatArray], names: tuple[str, ...], beta: float) -> float:
    """p of the instruments in a regression of y − βd, by the ordinary machinery."""
    columns = [t["one"], t["x"], *(t[name] for name in names)]
    regression = fit_least_squares_columns(
        t["y"] - beta * t["d"], columns, names=["one", "x", *names], cluster=t["school"]
    )
    return regression.joint_test(list(names)).p_value


@pytest.mark.parametrize("strength", [0.8, 0.25, 0.05])
@pytest.mark.parametrize("names", [("z",), ("z", "z2")])
def test_anderson_rubin_sets_hold_the_values_that_the_reduced_form_does_not_reject(
    strength: float, names: tuple[str, ...]
) -> None:
    for seed in range(6):
        t = trial(seed, strength)
        found = invert_anderson_rubin(fit(t, names))
        for low, high in found.intervals:
            for end in (low, high):
                if not isinf(end):
                    assert effect_of_instruments(t, names, end) == pytest.approx(0.05, abs=1e-6)
        for beta in np.linspace(-12, 12, 13):
            assert (beta in found) == (effect_of_instruments(t, names, float(beta)) >= 0.05)
        zero = effect_of_instruments(t, names, 0.0)
        assert found.row.p_value == pytest.approx(zero, rel=1e-6)


def test_a_strong_instrument_gives_an_interval_near_that_of_the_effect() -> None:
    t = trial(6, strength=3.0, schools=60)
    result = fit(t)
    found, row = invert_anderson_rubin(result), result.estimates()[0]
    assert found.shape == "interval"
    assert row.estimate in found
    width = row.conf_high - row.conf_low
    assert found.row.conf_low == pytest.approx(row.conf_low, abs=0.1 * width)
    assert found.row.conf_high == pytest.approx(row.conf_high, abs=0.1 * width)


def test_a_weak_instrument_gives_an_unbounded_set_and_says_so() -> None:
    shapes = {}
    for seed in range(40):
        found = invert_anderson_rubin(fit(trial(seed, strength=0.0)))
        shapes[found.shape] = found
    assert {"whole line", "two rays"} <= set(shapes)
    whole, rays = shapes["whole line"], shapes["two rays"]
    assert (whole.row.conf_low, whole.row.conf_high) == (-inf, inf)
    assert "too weak to bound" in whole.row.note
    assert (rays.row.conf_low, rays.row.conf_high) == (-inf, inf)
    assert "(−∞, " in rays.row.note
    assert "∪" in rays.row.note


def test_instruments_that_contradict_each_other_leave_an_empty_set() -> None:
    t = trial(7, schools=40)
    rng = np.random.default_rng(0)
    other = (rng.permutation(40) < 20)[t["school"].astype(int)].astype(float)
    t["other"] = other
    t["d"] = t["z"] + other + 0.1 * rng.normal(size=len(other))
    t["y"] = 3 * t["z"] - 3 * other + 0.1 * rng.normal(size=len(other))
    found = invert_anderson_rubin(fit(t, ("z", "other")))
    assert (found.shape, found.intervals) == ("empty", ())
    assert np.isnan(found.row.conf_low)
    assert "no effect agrees" in found.row.note


@EXAMPLES
@given(seed=st.integers(0, 10**6), strength=st.floats(0, 1))
def test_the_scan_for_several_instruments_agrees_with_the_quadratic_of_one(
    seed: int, strength: float
) -> None:
    forms = reduced_forms(fit(trial(seed, strength)), None)
    critical = forms.critical(0.95)
    one, other = quadratic_set(forms, critical), scanned_set(forms, critical)
    assert len(one) == len(other)
    np.testing.assert_allclose(np.ravel(one), np.ravel(other), rtol=1e-6)


def test_the_set_follows_the_units_of_outcome_and_participation() -> None:
    t = trial(8)
    one = invert_anderson_rubin(fit(t)).row
    other = invert_anderson_rubin(fit(t | {"y": 1000 * t["y"], "d": t["d"] / 50})).row
    assert other.conf_low == pytest.approx(50_000 * one.conf_low, rel=1e-7)
    assert other.conf_high == pytest.approx(50_000 * one.conf_high, rel=1e-7)


def test_without_clusters_the_set_rests_on_hc2() -> None:
    row = invert_anderson_rubin(fit(trial(9), cluster=None)).row
    assert "HC2" in row.method
    assert row.df == len(trial(9)["y"]) - 3


def test_unusable_instruments_are_refused_by_name() -> None:
    t = trial(10)
    with pytest.raises(ValueError, match=r"need as many instruments; of x2 only none vary"):
        fit(t | {"x2": 2 * t["x"]}, ("x2",))
    with pytest.raises(ValueError, match="only none vary beyond"):
        fit(t, ("z",), absorb=t["school"])
    with pytest.raises(ValueError, match="do not move 'd'"):
        fit(t | {"d": 2 * t["x"] + 1})
    orthogonal = t["d"] - np.where(t["z"] == 1, t["d"][t["z"] == 1].mean(),
                                   t["d"][t["z"] == 0].mean())  # fmt: skip
    with pytest.raises(ValueError, match="do not move 'd'"):
        fit_instrument(
            t["y"], endogenous={"d": orthogonal}, instruments={"z": t["z"]},
            exogenous={"one": t["one"]}, cluster=t["school"],
        )  # fmt: skip


def test_questions_about_other_columns_are_refused() -> None:
    t = trial(11)
    with pytest.raises(ValueError, match="'x' is not endogenous; d are"):
        fit(t).first_stage_test("x")
    two = fit_instrument(
        t["y"], endogenous={"d": t["d"], "dx": t["d"] * t["x"]},
        instruments={"z": t["z"], "z2": t["z2"]},
        exogenous={"one": t["one"], "x": t["x"]}, cluster=t["school"],
    )  # fmt: skip
    assert two.second_stage.names[:2] == ("d", "dx")
    with pytest.raises(ValueError, match="for one endogenous column, not for d, dx"):
        invert_anderson_rubin(two)
