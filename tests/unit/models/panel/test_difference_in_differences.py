"""Two-way effects: the two-by-two by hand, what does not matter, and what is refused."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.panel.balanced_panel import HistoryScores
from schooltrial.models.panel.difference_in_differences import PanelFit, two_way_effects
from schooltrial.models.panel.treatment_terms import (
    cohort_event_indicators,
    event_indicators,
    event_of,
    programme_indicator,
)

Array = npt.NDArray[np.float64]
SCHOOLS, YEARS = 10, (2018, 2019, 2020, 2021)


def _panel(years: tuple[int, ...] = YEARS) -> dict[str, npt.NDArray[Any]]:
    rng = np.random.default_rng(4)
    school = np.repeat([f"S{at}" for at in range(SCHOOLS)], len(years))
    year = np.tile(np.array(years), SCHOOLS)
    treated = np.repeat((np.arange(SCHOOLS) % 2).astype(float), len(years))
    y = rng.normal(size=len(year)) + 0.7 * treated * (year >= 2020)
    return {
        "school": school, "year": year, "treated": treated, "y": y,
        "pupils": rng.integers(20, 90, len(year)).astype(float),
    }  # fmt: skip


def _fit(panel: dict[str, npt.NDArray[Any]], weighted: bool = False, **keys: Any) -> PanelFit:
    make = event_indicators if "reference" in keys else programme_indicator
    columns, names = make(panel["treated"], panel["year"], *keys.values())
    return two_way_effects(
        panel["y"], columns, names=names, school=panel["school"], year=panel["year"],
        n_pupils=panel["pupils"] if weighted else None,
    )  # fmt: skip


def test_on_two_years_the_effect_is_the_difference_of_mean_changes() -> None:
    panel = _panel((2019, 2020))
    change = panel["y"][1::2] - panel["y"][::2]
    treated = panel["treated"][::2] == 1
    by_hand = change[treated].mean() - change[~treated].mean()
    fit = _fit(panel, active_years=[2020])
    np.testing.assert_allclose(fit.coefficients, [by_hand], rtol=1e-12)
    assert fit.names == ("treated",)


def test_on_two_years_the_error_is_welchs_of_changes_by_arm_with_df_of_equal_variances() -> None:
    panel = _panel((2019, 2020))
    panel["treated"] = np.repeat((np.arange(SCHOOLS) < 3).astype(float), 2)
    change = panel["y"][1::2] - panel["y"][::2]
    treated = panel["treated"][::2] == 1
    arms = change[treated], change[~treated]
    by_hand = sum(np.var(c, ddof=1) / len(c) for c in arms)
    fit = _fit(panel, active_years=[2020])
    np.testing.assert_allclose(fit.covariance(), [[by_hand]], rtol=1e-12)
    (row,) = fit.estimates()
    n = [len(c) for c in arms]
    df = sum(1 / k for k in n) ** 2 / sum(1 / (k**2 * (k - 1)) for k in n)
    assert row.df == pytest.approx(df, rel=1e-12)
    assert row.method == "two-way effects, clustered by school, CR2, Satterthwaite df"


def test_cr1s_is_the_sandwich_times_the_rule_that_counts_no_nested_effects() -> None:
    panel = _panel((2019, 2020))
    change = panel["y"][1::2] - panel["y"][::2]
    treated = panel["treated"][::2] == 1
    plain = sum(
        np.sum((c - c.mean()) ** 2) / len(c) ** 2 for c in (change[treated], change[~treated])
    )
    n, years = len(panel["y"]), 2
    rule = SCHOOLS / (SCHOOLS - 1) * (n - 1) / (n - 1 - years)
    fit = _fit(panel, active_years=[2020])
    np.testing.assert_allclose(fit.covariance(vcov="CR1S"), [[plain * rule]], rtol=1e-12)
    assert fit.estimates(vcov="CR1S")[0].df == SCHOOLS - 1


def test_an_event_study_is_judged_year_by_year_as_welch_judges_two_arms() -> None:
    panel = _panel()
    panel["treated"] = np.repeat((np.arange(SCHOOLS) < 4).astype(float), len(YEARS))
    wide = panel["y"].reshape(SCHOOLS, -1)
    change = (wide - wide[:, [1]])[:, [0, 2, 3]]
    treated = np.arange(SCHOOLS) < 4
    rows = _fit(panel, reference=2019).estimates()
    for row, column in zip(rows, change.T, strict=True):
        arms = column[treated], column[~treated]
        assert row.estimate == pytest.approx(arms[0].mean() - arms[1].mean(), rel=1e-10)
        variance = sum(np.var(c, ddof=1) / len(c) for c in arms)
        assert row.std_error**2 == pytest.approx(variance, rel=1e-10)


def test_the_degrees_of_freedom_of_few_treated_schools_are_those_of_the_closed_form() -> None:
    """Seven of 135 schools: 6.673, and 2.673 of a joint test of five years before."""
    rng = np.random.default_rng(1)
    school, year = np.repeat(np.arange(135), 10), np.tile(np.arange(2010, 2020), 135)
    columns, names = event_indicators((school < 7).astype(float), year, 2015)
    fit = two_way_effects(rng.normal(size=1350), columns, names=names, school=school, year=year)
    n = 7, 128
    df = sum(1 / k for k in n) ** 2 / sum(1 / (k**2 * (k - 1)) for k in n)
    assert [row.df for row in fit.estimates()] == pytest.approx([df] * 9, rel=1e-9)
    assert df == pytest.approx(6.673, abs=5e-4)
    assert fit.test(names[:5]).df == pytest.approx(df - 4, rel=1e-9)


@pytest.mark.parametrize("vcov", ["CR0", "CR1S", "CR2", "CR3"])
def test_schools_that_share_a_design_are_judged_as_they_are_one_by_one(vcov: str) -> None:
    panel = _panel()
    begins = [np.nan, 2020, 2021, np.nan, 2020, 2021, 2020, np.nan, 2021, 2021]
    columns, names = cohort_event_indicators(np.repeat(begins, 4), panel["year"])
    keys: dict[str, Any] = {"names": names, "school": panel["school"], "year": panel["year"]}
    shared = two_way_effects(panel["y"], columns, **keys)
    single = two_way_effects(panel["y"], columns, **keys, cluster=panel["school"])
    assert isinstance(shared.fit, LeastSquaresFit)
    assert isinstance(single.fit, LeastSquaresFit)
    assert isinstance(shared.fit.scores, HistoryScores)
    assert not isinstance(single.fit.scores, HistoryScores)
    for ours, theirs in zip(shared.estimates(vcov=vcov), single.estimates(vcov=vcov), strict=True):
        assert ours.estimate == pytest.approx(theirs.estimate, rel=1e-10)
        assert ours.std_error == pytest.approx(theirs.std_error, rel=1e-9)
        assert ours.df == pytest.approx(theirs.df, rel=1e-8)
    one, other = (fit.test(names[:2], vcov=vcov) for fit in (shared, single))
    assert one.statistic == pytest.approx(other.statistic, rel=1e-8)
    assert one.df == pytest.approx(other.df, rel=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_trend_of_each_school_is_that_of_indicators_times_the_year(weighted: bool) -> None:
    panel = _panel((2016, 2017, *YEARS))
    dummies = [panel["treated"] * (panel["year"] >= 2020)]
    for s in np.unique(panel["school"]):
        own = (panel["school"] == s).astype(float)
        dummies += [own, own * (panel["year"] - 2018)]
    dummies += [(panel["year"] == y).astype(float) for y in (2017, *YEARS)]
    root = np.sqrt(panel["pupils"]) if weighted else np.ones(len(panel["y"]))
    x = np.column_stack(dummies) * root[:, None]
    by_hand = np.linalg.lstsq(x, panel["y"] * root, rcond=None)[0][0]
    columns, names = programme_indicator(panel["treated"], panel["year"], [2020, 2021])
    fit = two_way_effects(
        panel["y"], columns, names=names, school=panel["school"], year=panel["year"],
        n_pupils=panel["pupils"] if weighted else None, unit_trends=True,
    )  # fmt: skip
    assert fit.coefficients[0] == pytest.approx(by_hand, rel=1e-9)
    assert fit.estimates()[0].df < SCHOOLS


def test_trends_of_schools_leave_cr2_as_it_is_with_a_column_for_each() -> None:
    panel = _panel((2016, 2017, *YEARS))
    columns, names = programme_indicator(panel["treated"], panel["year"], [2020, 2021])
    fit = two_way_effects(
        panel["y"], columns, names=names, school=panel["school"], year=panel["year"],
        unit_trends=True,
    )  # fmt: skip
    trends = [(panel["school"] == s) * (panel["year"] - 2018.0) for s in np.unique(panel["school"])]
    whole = fit_least_squares_columns(
        panel["y"], [columns[:, 0], *trends], names=["treated", *map(str, range(SCHOOLS))],
        cluster=panel["school"], absorb=[panel["school"], panel["year"]],
    )  # fmt: skip
    ours, theirs = fit.estimates()[0], whole.estimates(["treated"])[0]
    assert ours.std_error == pytest.approx(theirs.std_error, rel=1e-9)
    assert ours.df == pytest.approx(theirs.df, rel=1e-8)


def test_events_count_from_the_own_cohort_and_binned_ends_are_so_named() -> None:
    year = np.tile(np.arange(2015, 2023), 3)
    cohort = np.repeat([2019.0, 2021.0, np.nan], 8)
    columns, names = cohort_event_indicators(cohort, year, (-3, 1))
    inside = ["treated[since=-2]", "treated[since=0]"]
    assert names == ["treated[since<=-3]", *inside, "treated[since>=1]"]
    np.testing.assert_array_equal(columns[:, 0], np.nan_to_num(year - cohort, nan=9) <= -3)
    np.testing.assert_array_equal(columns[:, 3], np.nan_to_num(year - cohort, nan=-9) >= 1)
    assert [event_of(name) for name in names] == [-3, -2, 0, 1]


def test_a_window_as_wide_as_the_years_bins_nothing() -> None:
    year, treated = np.tile(np.arange(2015, 2020), 2), np.repeat([1.0, 0.0], 5)
    plain = event_indicators(treated, year, 2017)
    wide = event_indicators(treated, year, 2017, (-3, 1))
    assert wide[1] == plain[1]
    narrow = event_indicators(treated, year, 2017, (-2, 0))[1]
    assert narrow == ["treated[year<=2016]", "treated[year>=2018]"]


def test_events_that_cannot_be_told_are_left_out_and_the_others_are_as_without_them() -> None:
    """A school seen in two years, neither of them the one before it began, informs no event."""
    rng = np.random.default_rng(3)
    school, year = np.repeat(np.arange(12), 6), np.tile(np.arange(2015, 2021), 12)
    cohort = np.where(school < 4, 2018.0, np.nan)
    cohort[school == 11] = 2010.0
    y = rng.normal(size=len(year))

    def fit(rows: npt.NDArray[np.bool_], **keys: Any) -> PanelFit:
        columns, names = cohort_event_indicators(cohort[rows], year[rows])
        return two_way_effects(
            y[rows], columns, names=names, school=school[rows], year=year[rows], **keys
        )

    seen = (school != 11) | (year >= 2019)
    found, without = fit(seen, undetermined="leave out"), fit(school != 11)
    assert found.names == without.names
    np.testing.assert_allclose(found.coefficients, without.coefficients, rtol=1e-9)
    with pytest.raises(ValueError, match="do not vary within schools and years"):
        fit(seen)


def test_where_no_school_is_never_treated_no_event_can_be_told() -> None:
    year = np.tile(np.arange(2015, 2021), 8)
    cohort = np.repeat([2017.0, 2019.0], 24)
    y = np.random.default_rng(2).normal(size=48)
    keys: dict[str, Any] = {"school": np.repeat(np.arange(8), 6), "year": year}
    columns, names = cohort_event_indicators(cohort, year)
    fit = two_way_effects(y, columns, names=names, **keys, undetermined="leave out")
    assert fit.names == ()
    columns, names = cohort_event_indicators(cohort, year, (-2, 1))
    assert two_way_effects(y, columns, names=names, **keys).names == tuple(names)


def test_a_state_with_schools_of_both_kinds_is_no_state_to_compare_with_alone() -> None:
    """Seven of eight states have the event, and schools that never do; only one lacks it."""
    rng = np.random.default_rng(5)
    school, year = np.repeat(np.arange(48), 6), np.tile(np.arange(2015, 2021), 48)
    state = school % 8
    treated = (school < 24) & (state < 7)
    columns, names = cohort_event_indicators(np.where(treated, 2018.0, np.nan), year)
    keys: dict[str, Any] = {"names": names, "school": school, "year": year}
    fit = two_way_effects(rng.normal(size=288), columns, **keys, cluster=state)
    assert all(np.isfinite(row.std_error) and not row.note for row in fit.estimates(names))
    one = np.where(school < 3, 2018.0, np.nan)
    columns, names = cohort_event_indicators(one, year)
    keys["names"] = names
    fit = two_way_effects(rng.normal(size=288), columns, **keys, cluster=school // 3)
    assert {row.note for row in fit.estimates(names)} == {
        "no standard error: one group of schools in a group, whose own error cannot be seen"
    }


def test_two_clusterings_are_the_sum_of_both_less_their_intersections() -> None:
    panel = _panel()
    columns, names = programme_indicator(panel["treated"], panel["year"], [2020, 2021])
    keys: dict[str, Any] = {"names": names, "school": panel["school"], "year": panel["year"]}
    region = np.repeat(np.arange(SCHOOLS) % 4, len(YEARS))
    both = np.array([f"{r}|{y}" for r, y in zip(region, panel["year"], strict=True)])
    pair = two_way_effects(panel["y"], columns, **keys, cluster=(region, panel["year"]))
    absorb = [panel["school"], panel["year"]]
    single = [
        fit_least_squares_columns(
            panel["y"], [columns[:, 0]], names=names, cluster=cluster, absorb=absorb
        ).covariance(vcov="CR0")[0, 0]
        for cluster in (region, panel["year"], both)
    ]
    assert pair.covariance(vcov="CR0")[0, 0] == pytest.approx(single[0] + single[1] - single[2])
    assert "clustered two ways" in pair.method
    with pytest.raises(ValueError, match="cluster one way"):
        pair.test(names)


def test_the_factor_of_two_clusterings_counts_the_same_parameters_in_each_part() -> None:
    panel = _panel()
    columns, names = programme_indicator(panel["treated"], panel["year"], [2020, 2021])
    keys: dict[str, Any] = {"names": names, "school": panel["school"], "year": panel["year"]}
    pair = two_way_effects(panel["y"], columns, **keys, cluster=(panel["school"], panel["year"]))
    n, K = len(panel["y"]), 1 + len(YEARS)
    parts = (pair.fit.first, pair.fit.second, pair.fit.both)  # type: ignore[union-attr]
    expected = [
        fit.covariance(vcov="CR0")[0, 0] * G / (G - 1) * (n - 1) / (n - K)
        for fit, G in zip(parts, (SCHOOLS, len(YEARS), n), strict=True)
    ]
    assert pair.covariance()[0, 0] == pytest.approx(expected[0] + expected[1] - expected[2])
    assert pair.covariance()[0, 0] > pair.covariance(vcov="CR0")[0, 0] > 0


def test_weights_below_zero_and_trends_over_two_years_are_refused_in_words_of_the_panel() -> None:
    panel = _panel()
    columns, names = programme_indicator(panel["treated"], panel["year"], [2020, 2021])
    keys: dict[str, Any] = {"names": names, "school": panel["school"], "year": panel["year"]}
    weights = np.where(np.arange(len(panel["y"])) == 1, -2.5, 10.0)
    with pytest.raises(ValueError, match=r"in \d{4} is -2\.5 \(1 such cells\)"):
        two_way_effects(panel["y"], columns, **keys, weights=weights)
    two = np.isin(panel["year"], (2019, 2020))
    short: dict[str, Any] = {
        "names": names,
        "school": panel["school"][two],
        "year": panel["year"][two],
    }
    with pytest.raises(ValueError, match="it also needs at least three years"):
        two_way_effects(panel["y"][two], columns[two], **short, unit_trends=True)


def test_weights_that_are_all_alike_change_nothing() -> None:
    panel = _panel()
    panel["pupils"] = np.full(len(panel["y"]), 30.0)
    plain, weighted = (_fit(panel, weight, active_years=[2020, 2021]) for weight in (False, True))
    np.testing.assert_allclose(weighted.coefficients, plain.coefficients, rtol=1e-12)
    np.testing.assert_allclose(weighted.covariance(), plain.covariance(), rtol=1e-12)
    assert (weighted.n_pupils, weighted.n_cells) == (1200, 40)


@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_a_number_that_is_the_same_in_all_years_of_a_school_is_left_out(shift: float) -> None:
    """Its mean over an odd number of years is rounded, so that what is left is not quite zero."""
    panel = _panel((2018, 2019, 2020, 2021, 2022, 2023, 2024))
    columns, names = programme_indicator(panel["treated"], panel["year"], [2022, 2023, 2024])
    size = np.random.default_rng(6).normal(size=SCHOOLS) + shift
    keys: dict[str, Any] = {"names": names, "school": panel["school"], "year": panel["year"]}
    plain = two_way_effects(panel["y"], columns, **keys)
    fit = two_way_effects(panel["y"], columns, covariates={"size": np.repeat(size, 7)}, **keys)
    assert (fit.names, fit.dropped) == (plain.names, ("size",))
    np.testing.assert_allclose(fit.coefficients, plain.coefficients, rtol=1e-9)


def test_the_effect_is_that_of_least_squares_with_all_indicators() -> None:
    panel = _panel()
    dummies = [panel["treated"] * (panel["year"] >= 2020)]
    dummies += [(panel["school"] == s).astype(float) for s in np.unique(panel["school"])]
    dummies += [(panel["year"] == y).astype(float) for y in YEARS[1:]]
    root = np.sqrt(panel["pupils"])
    x = np.column_stack(dummies) * root[:, None]
    by_hand = np.linalg.lstsq(x, panel["y"] * root, rcond=None)[0][0]
    fit = _fit(panel, weighted=True, active_years=[2020, 2021])
    np.testing.assert_allclose(fit.coefficients, [by_hand], rtol=1e-10)


@pytest.mark.parametrize("keys", [{"active_years": [2020, 2021]}, {"reference": 2019}])
def test_neither_the_order_of_rows_nor_the_names_of_schools_matter(keys: dict[str, Any]) -> None:
    panel = _panel()
    order = np.random.default_rng(9).permutation(len(panel["y"]))
    mixed = {name: values[order] for name, values in panel.items()}
    mixed["school"] = np.array([f"{9 - int(name[1:])}x" for name in mixed["school"]])
    there, back = _fit(panel, True, **keys), _fit(mixed, True, **keys)
    np.testing.assert_allclose(back.coefficients, there.coefficients, rtol=1e-11)
    np.testing.assert_allclose(back.covariance(), there.covariance(), rtol=1e-10)


def test_an_event_study_has_a_term_for_each_year_but_the_reference() -> None:
    fit = _fit(_panel(), reference=2019)
    assert fit.names == ("treated[year=2018]", "treated[year=2020]", "treated[year=2021]")


def test_an_event_study_is_zero_at_its_reference_whatever_that_is() -> None:
    """Moving the reference shifts all terms by the same: its own is zero by construction."""
    fits = {year: _fit(_panel(), reference=year) for year in YEARS}
    paths = {}
    for reference, fit in fits.items():
        terms = dict(zip(fit.names, fit.coefficients, strict=True))
        path = np.array([terms.get(f"treated[year={year}]", 0.0) for year in YEARS])
        assert path[YEARS.index(reference)] == 0
        paths[reference] = path
    for reference, path in paths.items():
        shifted = paths[2019] - paths[2019][YEARS.index(reference)]
        np.testing.assert_allclose(path, shifted, atol=1e-12)


def test_a_shift_of_schools_or_years_changes_no_effect() -> None:
    panel = _panel()
    moved = dict(panel)
    number = np.array([int(name[1:]) for name in panel["school"]])
    moved["y"] = panel["y"] + 3.0 * number + 0.5 * (panel["year"] - 2018) ** 2
    there, back = (_fit(p, active_years=[2020, 2021]) for p in (panel, moved))
    np.testing.assert_allclose(back.coefficients, there.coefficients, rtol=1e-9)


def test_a_plain_sandwich_is_judged_by_t_on_schools_less_one() -> None:
    fit = _fit(_panel(), True, reference=2019)
    rows = fit.estimates(level=0.9, vcov="CR1")
    assert [found.term for found in rows] == list(fit.names)
    assert {found.df for found in rows} == {9.0}
    assert {found.n_schools for found in rows} == {10}
    assert {found.n_individuals for found in rows} == {int(_panel()["pupils"].sum())}
    assert rows[0].std_error == pytest.approx(np.sqrt(fit.covariance(vcov="CR1")[0, 0]))


def test_a_joint_test_of_one_term_is_its_t_squared() -> None:
    fit = _fit(_panel(), reference=2019)
    test = fit.test(["treated[year=2018]"], name="before")
    alone = fit.estimates()[0]
    assert test.statistic == pytest.approx(alone.statistic**2, rel=1e-12)
    assert test.p_value == pytest.approx(alone.p_value, rel=1e-9)
    assert test.df == pytest.approx(alone.df, rel=1e-9)
    assert "approximate Hotelling F" in test.method


def test_two_schools_are_too_few() -> None:
    panel = {name: values[:8] for name, values in _panel().items()}
    with pytest.raises(ValueError, match="2 schools: clustered standard errors need three"):
        _fit(panel, active_years=[2020])


def test_a_school_that_stands_twice_in_a_year_is_named() -> None:
    panel = _panel()
    panel["year"] = panel["year"].copy()
    panel["year"][1] = 2018
    with pytest.raises(ValueError, match="school S0 has two rows in 2018"):
        _fit(panel, active_years=[2020])


def test_treatment_that_does_not_vary_within_schools_is_refused() -> None:
    with pytest.raises(ValueError, match="do not vary within schools and years: treated"):
        _fit(_panel(), active_years=list(YEARS))


def test_a_reference_year_that_is_not_in_the_panel_is_refused() -> None:
    told = "reference year 2010 is not in the panel, which has 2018, 2019, 2020, 2021"
    with pytest.raises(ValueError, match=told):
        _fit(_panel(), reference=2010)


def test_more_hypotheses_than_schools_can_tell_are_refused() -> None:
    panel = {name: values[:12] for name, values in _panel().items()}
    fit = _fit(panel, reference=2019)
    with pytest.raises(ValueError, match="3 schools cannot test 3 hypotheses together"):
        fit.test(fit.names, name="all")
