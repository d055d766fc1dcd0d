"""What every fit answers, held against the numbers it rests on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from schooltrial.analysis.estimates_table import COLUMNS
from schooltrial.models.cluster_robust.fit import fit_least_squares
from schooltrial.models.cluster_robust.multiway import fit_two_way
from schooltrial.models.complier_effect.two_stage_least_squares import fit_instrument
from schooltrial.models.design_based.difference_in_means import fit_difference_in_means
from schooltrial.models.design_based.horvitz_thompson import fit_horvitz_thompson
from schooltrial.models.inference.result import Result
from schooltrial.models.multilevel.two_level import fit_two_level
from schooltrial.models.panel.difference_in_differences import two_way_effects
from schooltrial.models.panel.staggered_adoption import fit_staggered_adoption
from schooltrial.models.panel.treatment_terms import event_indicators
from schooltrial.models.randomisation_inference.inference import randomisation_inference
from schooltrial.models.wild_bootstrap.bootstrap import wild_cluster_bootstrap

J, N = 16, 12
RNG = np.random.default_rng(20)
SCHOOL = np.repeat(np.arange(J), N)
Z = (SCHOOL % 2).astype(float)
X = RNG.normal(size=(J * N, 2))
Y = 0.3 * Z + X @ [0.5, -0.2] + RNG.normal(size=J)[SCHOOL] * 0.4 + RNG.normal(size=J * N)
TOOK = np.where(Z == 1, RNG.random(J * N) < 0.8, 0).astype(float)
NAMES = ("(Intercept)", "treated", "a", "b")
DESIGN = np.column_stack([np.ones(J * N), Z, X])
YEAR = np.tile(np.arange(2016, 2016 + N), J)


def least_squares() -> Result:
    return fit_least_squares(Y, DESIGN, names=NAMES, cluster=SCHOOL)


def by_row() -> Result:
    return fit_least_squares(Y, DESIGN, names=NAMES)


def multilevel() -> Result:
    return fit_two_level(Y, DESIGN, SCHOOL, names=NAMES)


def by_likelihood() -> Result:
    return fit_two_level(Y, DESIGN, SCHOOL, names=NAMES, reml=False)


def two_way() -> Result:
    clusters = (SCHOOL, YEAR)
    return fit_two_way(Y, list(DESIGN.T), names=NAMES, clusters=clusters)


def instrument() -> Result:
    return fit_instrument(
        Y, endogenous={"took": TOOK}, instruments={"treated": Z}, cluster=SCHOOL,
        exogenous={"(Intercept)": np.ones(J * N), "a": X[:, 0]},
    )  # fmt: skip


def events() -> Result:
    columns, names = event_indicators(Z, YEAR, 2018)
    return two_way_effects(Y, columns[:, :3], names=names[:3], school=SCHOOL, year=YEAR)


def difference() -> Result:
    return fit_difference_in_means(Y, Z, clusters=SCHOOL, term="treated")


def weighted() -> Result:
    return fit_horvitz_thompson(Y, Z, clusters=SCHOOL, term="treated")


def redrawn() -> Result:
    return randomisation_inference(Y, Z, SCHOOL, covariates=X, draws=200, exact_up_to=10)


def bootstrap() -> Result:
    return wild_cluster_bootstrap(
        Y, DESIGN[:, 1:], SCHOOL, test="treated", draws=199, regressor_names=NAMES[1:]
    )


def staggered() -> Result:
    cohort = np.where(SCHOOL % 4 == 0, 2020.0, np.where(SCHOOL % 4 == 1, 2023.0, np.nan))
    return fit_staggered_adoption(Y, school=SCHOOL, year=YEAR, cohort=cohort)


MODELS = [least_squares, by_row, multilevel, by_likelihood, instrument]
WITH_COVARIANCE = [*MODELS, two_way, events, difference, weighted]
EVERY = [*WITH_COVARIANCE, redrawn, bootstrap, staggered]
Fit = Callable[[], Result]


@pytest.mark.parametrize("make", EVERY)
def test_coefficients_errors_p_values_and_intervals_are_those_of_the_rows(make: Fit) -> None:
    fit = make()
    rows = fit.estimates(fit.names, level=0.9)
    assert list(fit.coef().index) == list(fit.names) == [row.term for row in rows]
    np.testing.assert_array_equal(fit.coef(), [row.estimate for row in rows])
    np.testing.assert_array_equal(fit.std_error(), [row.std_error for row in rows])
    np.testing.assert_array_equal(fit.p_value(), [row.p_value for row in rows])
    ends = fit.conf_int(level=0.9)
    assert list(ends.columns) == ["low", "high"]
    np.testing.assert_array_equal(ends["low"], [row.conf_low for row in rows])
    np.testing.assert_array_equal(ends["high"], [row.conf_high for row in rows])
    assert (rows[0].n_individuals, rows[0].n_schools) != (0, 0)
    assert fit.n_rows == J * N
    assert fit.estimates(fit.names[-1])[0] == fit.estimates([fit.names[-1]])[0]
    assert fit.method == fit.estimates()[0].method


@pytest.mark.parametrize("make", WITH_COVARIANCE)
def test_intervals_are_coefficients_more_or_less_t_errors_from_the_covariance(make: Fit) -> None:
    fit = make()
    error = np.sqrt(np.diag(fit.covariance()))
    np.testing.assert_allclose(fit.std_error(), error, rtol=1e-10)
    df = np.array([row.df for row in fit.estimates(fit.names)])
    half = stats.t.ppf(0.975, df) * error
    np.testing.assert_allclose(fit.conf_int()["low"], fit.coefficients - half, rtol=1e-8)
    np.testing.assert_allclose(fit.conf_int()["high"], fit.coefficients + half, rtol=1e-8)
    p = 2 * stats.t.sf(np.abs(fit.coefficients / error), df)
    np.testing.assert_allclose(fit.p_value(), p, rtol=1e-7)


@pytest.mark.parametrize("make", [*MODELS, events])
def test_the_test_of_one_name_has_the_p_value_of_its_row(make: Fit) -> None:
    fit = make()
    for name in fit.names:
        found = fit.test(name)
        assert found.p_value == pytest.approx(fit.p_value()[name], rel=1e-9)
        assert found.term == f"{name} = 0"
    first, second = fit.names[-2:]
    assert fit.test([first, second]).statistic == pytest.approx(
        fit.test(f"{first} = 0, {second} = 0").statistic, rel=1e-12
    )


@pytest.mark.parametrize("make", [*MODELS, events, two_way])
def test_a_contrast_has_the_error_that_the_covariance_gives_it(make: Fit) -> None:
    fit = make()
    first, second = fit.names[-2:]
    row = fit.contrast({first: 1, second: -1}, name="first less second")
    c = np.zeros(len(fit.names))
    c[-2:] = 1, -1
    assert row.term == "first less second"
    assert row.estimate == pytest.approx(fit.coef()[first] - fit.coef()[second], rel=1e-12)
    assert row.std_error == pytest.approx(np.sqrt(c @ fit.covariance() @ c), rel=1e-10)
    assert fit.contrast(c) == fit.contrast({first: 1, second: -1})
    if make is not two_way:
        assert fit.test(f"{first} = {second}").p_value == pytest.approx(row.p_value, rel=1e-9)


@pytest.mark.parametrize("make", [*MODELS, events])
def test_a_hypothesis_at_the_estimate_is_not_contradicted(make: Fit) -> None:
    """With the value that was estimated the statistic is zero; a standard error away it is one."""
    fit = make()
    name = fit.names[-1]
    point, error = fit.coef()[name], fit.std_error()[name]
    assert fit.test(f"{name} = {float(point)!r}").statistic == pytest.approx(0, abs=1e-15)
    assert fit.test(f"{name} = {float(point + error)!r}").statistic == pytest.approx(1, rel=1e-9)


def test_a_joint_test_is_the_wald_statistic_of_the_covariance() -> None:
    fit = least_squares()
    b, V = fit.coefficients[2:], fit.covariance(vcov="CR1")[2:, 2:]
    found = fit.test(["a", "b"], vcov="CR1", df="clusters-1")
    statistic = b @ np.linalg.solve(V, b) / 2
    assert found.statistic == pytest.approx(statistic, rel=1e-12)
    assert found.p_value == pytest.approx(stats.f.sf(statistic, 2, J - 1), rel=1e-10)
    normal = fit.test(["a", "b"], vcov="CR1", df="normal")
    assert normal.p_value == pytest.approx(stats.chi2.sf(2 * statistic, 2), rel=1e-10)
    with pytest.raises(ValueError, match="df of a test must be"):
        fit.test(["a", "b"], df="residual")
    with pytest.raises(ValueError, match="follow from the others"):
        fit.test(["a", "a"])


def test_choices_of_variance_and_df_reach_every_method() -> None:
    fit = least_squares()
    how: dict[str, Any] = {"vcov": "CR1", "df": "clusters-1"}
    (row,) = fit.estimates(["treated"], **how)
    assert fit.std_error(**how)["treated"] == pytest.approx(row.std_error, rel=1e-12)
    assert abs(row.std_error / fit.std_error()["treated"] - 1) > 1e-4
    assert fit.p_value(**how)["treated"] == pytest.approx(row.p_value, rel=1e-12)
    assert fit.conf_int("treated", **how)["low"].item() == pytest.approx(row.conf_low, rel=1e-12)
    assert fit.to_frame("treated", **how)["method"].item() == row.method
    assert "CR1" in str(fit.summary(**how))
    mixed = multilevel()
    assert mixed.std_error(df="satterthwaite")["treated"] == pytest.approx(
        np.sqrt(mixed.covariance(vcov="model")[1, 1]), rel=1e-12
    )
    assert by_likelihood().method.endswith("Satterthwaite")


@pytest.mark.parametrize("make", EVERY)
def test_the_short_form_is_short_and_the_summary_shows_every_coefficient(make: Fit) -> None:
    fit = make()
    lines = repr(fit).splitlines()
    assert len(lines) <= 12
    assert max(map(len, lines)) < 160
    assert "array(" not in repr(fit)
    assert type(fit).__name__ in lines[0]
    assert fit.method in lines
    assert f"{fit.n_rows:,} rows in {fit.n_clusters:,} clusters" in lines
    shown = "treated" if "treated" in fit.names else fit.names[0]
    assert f"{fit.estimates(shown)[0].estimate:.4g}" in repr(fit)
    summary = fit.summary()
    assert [name for name in fit.names if name not in str(summary)] == []
    assert repr(summary) == str(summary) == summary.text
    assert summary._repr_html_().count("<tr>") == len(fit.names) + 1


@pytest.mark.parametrize("make", EVERY)
def test_frames_have_the_columns_of_a_studys_table_and_stack(make: Fit) -> None:
    frame = make().to_frame(model="mine")
    assert list(frame.columns) == COLUMNS
    both = pd.concat([frame, least_squares().to_frame(["treated"])])
    assert list(both.columns) == COLUMNS
    assert len(both) == len(frame) + 1
    assert set(frame["model"]) == {"mine"}


def refusals() -> list[tuple[Result, Callable[[Result], object], str]]:
    tests, samples = redrawn(), bootstrap()
    return [
        (tests, lambda fit: fit.covariance(), "cannot be had from a randomisation test"),
        (tests, lambda fit: fit.contrast({"treated": 1}), "a combination of coefficients"),
        (tests, lambda fit: fit.test("treated"), "a test of a hypothesis about coefficients"),
        (tests, lambda fit: fit.estimates(vcov="CR2"), "leave `vcov` out"),
        (tests, lambda fit: fit.predict(), "fit the model itself"),
        (samples, lambda fit: fit.covariance(), "cannot be had from a wild cluster bootstrap"),
        (samples, lambda fit: fit.p_value(df="normal"), "leave `df` out"),
        (staggered(), lambda fit: fit.estimates(vcov="CR2"), "group-time effects"),
        (two_way(), lambda fit: fit.test(["a", "b"]), "two clusterings"),
        (least_squares(), lambda fit: fit.fitted(), "arrays were given and not kept"),
        (least_squares(), lambda fit: fit.effect_size(), "fit by formula"),
        (least_squares(), lambda fit: fit.predict(random_effects=True), "its model has none"),
        (least_squares(), lambda fit: fit.estimates("treatd"), "did you mean 'treated'"),
        (multilevel(), lambda fit: fit.covariance(vcov="CR2"), "kenward-roger or model"),
        (multilevel(), lambda fit: fit.test("a", vcov="model"), "it goes with `df`"),
    ]


@pytest.mark.parametrize("at", range(15))
def test_what_an_estimator_cannot_say_it_refuses_in_a_sentence(at: int) -> None:
    fit, ask, message = refusals()[at]
    with pytest.raises(ValueError, match=message):
        ask(fit)


def test_a_standard_error_of_zero_leaves_no_test_in_a_multilevel_fit() -> None:
    fit = multilevel()
    with np.errstate(invalid="ignore"):
        row = fit.contrast([0.0, 0.0, 0.0, 0.0], name="nothing")
    assert (row.estimate, row.std_error) == (0, 0)
    assert np.isnan([row.statistic, row.p_value, row.conf_low, row.conf_high]).all()


def test_fits_say_whether_they_converged_and_what_they_left_out() -> None:
    assert multilevel().diagnostics()["converged"] is True
    fit = fit_least_squares(
        Y, np.column_stack([DESIGN, 2 * X[:, 0]]), names=[*NAMES, "again"], cluster=SCHOOL
    )
    assert fit.diagnostics() == {
        "converged": True,
        "notes": ["left out, since other columns determine them: again"],
    }
