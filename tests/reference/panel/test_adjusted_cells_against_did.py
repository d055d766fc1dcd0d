"""Effects adjusted for covariates, weighted or of cross-sections agree with R's did and DRDID.

R's standard errors are not those that the project prints (they have no small-sample factor, and a
term for random shares of cohorts); here they are made from our contributions by R's rule.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import stats

from reference.gold import dataset, entry, names
from reference.panel.did_rules import Averaged, DidCells
from schooltrial.models.adjusted_changes.doubly_robust import adjust_doubly_robust
from schooltrial.models.adjusted_changes.inverse_probability import adjust_by_inverse_probability
from schooltrial.models.adjusted_changes.outcome_regression import (
    adjust_by_regression,
    regress_on_covariates,
)
from schooltrial.models.adjusted_changes.propensity_score import fit_propensity_score
from schooltrial.models.adjusted_changes.repeated_cross_sections import (
    CrossSections,
    compare_cross_sections,
)
from schooltrial.models.adjusted_changes.two_groups import AdjustedEffects, Adjustment, TwoGroups
from schooltrial.models.group_time.adjusted_cells import (
    SchoolCovariates,
    adjust_cells,
)
from schooltrial.models.group_time.cells import Cell, plan_cells
from schooltrial.models.group_time.panel import SchoolPanel

Agreement = Callable[..., None]
ADJUSTMENTS: dict[str, Adjustment] = {
    "dr": "doubly_robust", "reg": "regression", "ipw": "inverse_probability",
}  # fmt: skip
OTHERS = ("did.cs.repeated_cross_section", "did.cs.cluster_district", "did.cs.eventstudy_vcov")
CELLS = [name for name in names("did.cs.") if name not in OTHERS]
TWO_BY_TWO: dict[str, Callable[[TwoGroups], AdjustedEffects]] = {
    "reg_did_panel": adjust_by_regression,
    "std_ipw_did_panel": adjust_by_inverse_probability,
    "ipw_did_panel": lambda groups: adjust_by_inverse_probability(groups, normalised=False),
    "drdid_panel": adjust_doubly_robust,
    "drdid_imp_panel": lambda groups: adjust_doubly_robust(groups, improved=True),
}


@cache
def _panel() -> tuple[SchoolPanel, SchoolCovariates, Any]:
    data = dataset("syn_panel")
    wide = data.pivot(index="school", columns="year", values="y")
    schools = data.drop_duplicates("school").set_index("school").loc[wide.index]
    panel = SchoolPanel(
        wide.to_numpy(), wide.columns.to_numpy("int64"), schools["first_treat"].to_numpy("int64"),
        wide.index.to_numpy(),
    )  # fmt: skip
    x = np.repeat(schools[["x"]].to_numpy()[:, None, :], len(panel.years), axis=1)
    return panel, SchoolCovariates(x, ("x",)), schools


@cache
def _fit(name: str) -> tuple[DidCells, tuple[Cell, ...]]:
    """Return the cells that an entry is of, fitted by us."""
    panel, covariates, schools = _panel()
    parts = name.split(".")
    with_x = name.endswith(".x") or name == "did.cs.weights"
    cells = plan_cells(
        panel,
        "not_yet_treated" if "notyettreated" in parts else "never_treated",
        "universal" if "universal" in parts or "vcov" in name else "varying",
        anticipation=int(name == "did.cs.anticipation1"),
    )
    weights = np.ones(len(panel.cohort))
    if name == "did.cs.weights":
        weights = schools["n_pupils"].to_numpy("float64")
    fitted = adjust_cells(
        panel, cells, covariates=covariates if with_x else None, weights=weights,
        adjustment=ADJUSTMENTS[parts[3] if len(parts) > 4 else "dr"],
    )  # fmt: skip
    return _as_did(panel.cohort, weights, cells, fitted.points, fitted.contributions), cells


def _as_did(cohort: Any, weights: Any, cells: Any, points: Any, contributions: Any) -> DidCells:
    group, year = (np.array([getattr(c, key) for c in cells]) for key in ("cohort", "year"))
    return DidCells(cohort, weights, group, year, points, contributions, 2016, 2023)


def test_all_twenty_nine_entries_are_compared() -> None:
    assert len(CELLS) == 20
    assert len(CELLS) + len(OTHERS) == len(names("did."))
    assert {f"drdid.2x2.{name}" for name in (*TWO_BY_TWO, "twfe_did_panel")} == set(names("drdid."))


def _two_groups() -> TwoGroups:
    panel, covariates, _ = _panel()
    inside = np.isin(panel.cohort, [0, 2018])
    change = panel.outcome[:, [2]] - panel.outcome[:, [1]]
    return TwoGroups(
        panel.cohort[inside] == 2018, change[inside], covariates.at(1)[inside],
        np.ones(int(inside.sum())), ("x",),
    )  # fmt: skip


@pytest.mark.parametrize("name", TWO_BY_TWO)
def test_two_groups_in_two_years_agree_with_drdid(agreement: Agreement, name: str) -> None:
    stored = entry(f"drdid.2x2.{name}")["values"]
    found = TWO_BY_TWO[name](_two_groups())
    error = np.sqrt((found.contributions**2).sum())
    agreement(f"drdid.2x2.{name}", "att", found.points[0], stored["att"], rel=1e-10)
    # DRDID tilts its score to a tolerance of its own.
    rel = 1e-8 if "imp" in name else 1e-10
    agreement(f"drdid.2x2.{name}", "se", error, stored["se"], rel=rel)


def test_without_covariates_a_regression_is_the_two_way_effect(agreement: Agreement) -> None:
    name = "drdid.2x2.twfe_did_panel"
    stored, given = entry(name)["values"], _two_groups()
    found = adjust_by_regression(
        TwoGroups(given.treated, given.changes, given.covariates[:, :1], given.weights)
    )
    agreement(name, "att", found.points[0], stored["att"], rel=1e-12)
    error = np.sqrt((found.contributions**2).sum())
    agreement(name, "se", error, stored["se"], rel=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_and_the_pretrend_test_agree(agreement: Agreement, name: str) -> None:
    values = entry(name)["values"]
    # R lists the base year of a universal base as an effect of 0; we have no such cell.
    stored = [row for row in values["att_gt"] if row["se"] is not None]
    assert all(row["att"] == 0 for row in values["att_gt"] if row["se"] is None)
    fit, cells = _fit(name)
    assert [(c.cohort, c.year) for c in cells] == [(r["group"], r["time"]) for r in stored]
    errors = np.sqrt((fit.contributions**2).sum(axis=0))
    agreement(name, "att", fit.points, [row["att"] for row in stored], rel=1e-9)
    agreement(name, "se", errors, [row["se"] for row in stored], rel=1e-9)
    wald, q = fit.pretrend(), int((fit.group > fit.year).sum())
    agreement(name, "pre-trend W", wald, values["pretrend_W"][0][0], rel=1e-8)
    # R rounds this p value to five places.
    p_value = stats.chi2.sf(wald, q)
    agreement(name, "pre-trend p", p_value, values["pretrend_p"][0][0], abs=5.1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_averages_agree_by_group_event_time_and_year(agreement: Agreement, name: str) -> None:
    values = entry(name)["values"]
    fit, _ = _fit(name)
    found: dict[str, tuple[Averaged, dict[int, Averaged]]] = {
        "agg_simple": (fit.simple(), {}),
        "agg_group": fit.by_group(),
        "agg_dynamic": fit.dynamic(),
        "agg_calendar": fit.calendar(),
        "agg_dynamic_m3_p3": fit.dynamic(-3, 3),
        "agg_dynamic_balance_e1": fit.dynamic(balance=1),
    }
    assert set(found) == {key for key in values if key.startswith("agg_")}
    for part, (overall, each) in found.items():
        stored = values[part]
        agreement(name, f"{part} overall", overall.point, stored["overall_att"], rel=1e-9)
        agreement(name, f"{part} overall se", overall.std_error, stored["overall_se"], rel=1e-9)
        rows = [row for row in stored.get("egt", []) if row["se"] is not None]
        if not rows:
            continue
        assert list(each) == [row["e"] for row in rows]
        agreement(name, part, [one.point for one in each.values()],
                  [row["att"] for row in rows], rel=1e-8)  # fmt: skip
        agreement(name, f"{part} se", [one.std_error for one in each.values()],
                  [row["se"] for row in rows], rel=1e-9)  # fmt: skip


def test_errors_clustered_on_districts_agree(agreement: Agreement) -> None:
    name = "did.cs.cluster_district"
    stored = entry(name)["values"]
    fit, _ = _fit("did.cs.nevertreated.dr.varying.nocov")
    district = _panel()[2]["district"].to_numpy()

    def clustered(contributions: Any) -> float:
        return float(np.sqrt((np.bincount(district, contributions) ** 2).sum()))

    errors = [clustered(column) for column in fit.contributions.T]
    agreement(name, "att", fit.points, [r["att"] for r in stored["att_gt"]], rel=1e-9)
    agreement(name, "se", errors, [r["se_cluster"] for r in stored["att_gt"]], rel=1e-9)
    agreement(name, "native se", errors, stored["did_native"]["se"], rel=1e-9)
    simple = fit.simple()
    agreement(name, "overall", simple.point, stored["simple"]["att"], rel=1e-9)
    agreement(name, "overall se", clustered(simple.contributions),
              stored["simple"]["se_cluster"], rel=1e-9)  # fmt: skip
    since = fit.dynamic()[1]
    agreement(name, "dynamic", [one.point for one in since.values()],
              [row["att"] for row in stored["dynamic"]], rel=1e-9)  # fmt: skip
    agreement(name, "dynamic se", [clustered(one.contributions) for one in since.values()],
              [row["se_cluster"] for row in stored["dynamic"]], rel=1e-9)  # fmt: skip


def test_the_covariance_of_the_event_study_agrees(agreement: Agreement) -> None:
    name = "did.cs.eventstudy_vcov"
    stored = entry(name)["values"]
    since = _fit("did.cs.nevertreated.dr.universal.nocov")[0].dynamic()[1]
    kept = [at for at, e in enumerate(stored["e"]) if e != -1]
    assert list(since) == [stored["e"][at] for at in kept]
    errors = np.array([one.contributions for one in since.values()])
    theirs = np.array(stored["vcov"]["m"], dtype=float)[np.ix_(kept, kept)]
    agreement(name, "att", [one.point for one in since.values()],
              [stored["att"][at] for at in kept], rel=1e-9)  # fmt: skip
    agreement(name, "vcov", errors @ errors.T, theirs, rel=1e-9, abs=1e-14)


def _cross_sections(cell: Cell) -> tuple[CrossSections, Any]:
    data = dataset("syn_panel")
    rows = data["year"].isin([cell.year, cell.base]) & data["first_treat"].isin([0, cell.cohort])
    kept = data[rows]
    x = np.column_stack([np.ones(len(kept)), kept["x"]])
    return CrossSections(
        (kept["first_treat"] == cell.cohort).to_numpy(), (kept["year"] == cell.year).to_numpy(),
        kept["y"].to_numpy(), x, np.ones(len(kept)), ("x",),
    ), rows.to_numpy()  # fmt: skip


def _error_of_r(rows: CrossSections) -> Any:
    """Return what R's drdid_rc adds to contributions.

    It gives the error of the earlier year's regression the sign of the later year's
    (``inf.treat.or.post + inf.treat.or.pre`` and ``inf.cont.or``, DRDID 1.2.3). Both regressions
    enter the effect with opposite signs.
    """
    early = ~rows.treated & ~rows.after
    fitted = regress_on_covariates(rows.outcome[:, None], rows.covariates, rows.weights, early)
    score = fit_propensity_score(
        TwoGroups(rows.treated, rows.outcome[:, None], rows.covariates, rows.weights)
    )
    own = (rows.treated & ~rows.after).astype(float)
    odds = np.where(early, score.odds, 0.0)
    gap = own @ rows.covariates / own.sum() - odds @ rows.covariates / odds.sum()
    return -2 * fitted.loadings(rows.covariates, gap) * fitted.residuals[:, 0]


def test_repeated_cross_sections_agree_but_for_a_sign_in_r(agreement: Agreement) -> None:
    name = "did.cs.repeated_cross_section"
    stored = entry(name)["values"]
    panel = _panel()[0]
    cells = plan_cells(panel)
    data = dataset("syn_panel")
    points = np.zeros(len(cells))
    errors, as_r = np.zeros((2, len(data), len(cells)))
    for at, cell in enumerate(cells):
        rows, inside = _cross_sections(cell)
        found = compare_cross_sections(rows, "doubly_robust")
        points[at], errors[inside, at] = found.point, found.contributions
        as_r[inside, at] = found.contributions + _error_of_r(rows)
    agreement(name, "att", points, [row["att"] for row in stored["att_gt"]], rel=1e-9)
    theirs = [row["se"] for row in stored["att_gt"]]
    agreement(name, "se with R's sign", np.sqrt((as_r**2).sum(axis=0)), theirs, rel=1e-9)
    agreement(name, "se", np.sqrt((errors**2).sum(axis=0)), theirs, rel=1e-3)
    cohort, weights = data["first_treat"].to_numpy(), np.ones(len(data))
    simple = _as_did(cohort, weights, cells, points, as_r).simple()
    agreement(name, "overall", simple.point, stored["agg_simple"]["overall_att"], rel=1e-9)
    agreement(name, "overall se", simple.std_error, stored["agg_simple"]["overall_se"], rel=1e-9)


@pytest.mark.parametrize("method", ADJUSTMENTS)
def test_cross_sections_added_up_by_school_are_the_panel(method: str) -> None:
    """The rows of a panel, taken as cross-sections, give its errors once schools are units."""
    fit, cells = _fit(f"did.cs.nevertreated.{method}.varying.x")
    school = dataset("syn_panel")["school"].to_numpy()
    for at in (0, 5, 11):
        rows, inside = _cross_sections(cells[at])
        found = compare_cross_sections(rows, ADJUSTMENTS[method])
        by_school = np.bincount(school[inside], found.contributions, 201)[1:]
        np.testing.assert_allclose(found.point, fit.points[at], rtol=1e-10)
        np.testing.assert_allclose(by_school, fit.contributions[:, at], atol=1e-12)
