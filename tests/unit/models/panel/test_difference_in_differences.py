"""Two-way effects: the two-by-two by hand, what does not matter, and what is refused."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from schooltrial.models.panel.difference_in_differences import (
    PanelFit,
    event_indicators,
    programme_indicator,
    two_way_effects,
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


def test_on_two_years_the_error_is_that_of_changes_by_arm_under_the_small_sample_rule() -> None:
    panel = _panel((2019, 2020))
    change = panel["y"][1::2] - panel["y"][::2]
    treated = panel["treated"][::2] == 1
    plain = sum(
        np.sum((c - c.mean()) ** 2) / len(c) ** 2 for c in (change[treated], change[~treated])
    )
    n, years = len(panel["y"]), 2
    rule = SCHOOLS / (SCHOOLS - 1) * (n - 1) / (n - 1 - years)
    fit = _fit(panel, active_years=[2020])
    np.testing.assert_allclose(fit.covariance(), [[plain * rule]], rtol=1e-12)


def test_weights_that_are_all_alike_change_nothing() -> None:
    panel = _panel()
    panel["pupils"] = np.full(len(panel["y"]), 30.0)
    plain, weighted = (_fit(panel, weight, active_years=[2020, 2021]) for weight in (False, True))
    np.testing.assert_allclose(weighted.coefficients, plain.coefficients, rtol=1e-12)
    np.testing.assert_allclose(weighted.covariance(), plain.covariance(), rtol=1e-12)
    assert (weighted.n_pupils, weighted.n_cells) == (1200, 40)


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


def test_estimates_are_judged_by_t_on_schools_less_one() -> None:
    fit = _fit(_panel(), True, reference=2019)
    rows = fit.estimates(level=0.9)
    assert [found.term for found in rows] == list(fit.names)
    assert {found.df for found in rows} == {9.0}
    assert {found.n_schools for found in rows} == {10}
    assert {found.n_pupils for found in rows} == {int(_panel()["pupils"].sum())}
    assert rows[0].std_error == pytest.approx(np.sqrt(fit.covariance()[0, 0]))


def test_a_joint_test_of_one_term_is_its_t_squared() -> None:
    fit = _fit(_panel(), reference=2019)
    test = fit.test(["treated[year=2018]"], name="before")
    alone = fit.estimates()[0]
    assert test.statistic == pytest.approx(alone.statistic**2, rel=1e-12)
    assert test.p_value == pytest.approx(alone.p_value, rel=1e-9)
    assert test.note == "F(1, 9)"


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
