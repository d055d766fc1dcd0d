"""Sun-Abraham, imputation and the decomposition of two-way effects agree with R."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reference.gold import dataset, entry
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.cohort_regressions.cohort_year_effects import CohortYearEffects
from schooltrial.models.cohort_regressions.goodman_bacon import decompose_two_way_effect
from schooltrial.models.cohort_regressions.imputation import impute_untreated
from schooltrial.models.cohort_regressions.school_patterns import SchoolPatterns, gather_patterns
from schooltrial.models.cohort_regressions.sun_abraham import estimate_interaction_weighted

Agreement = Callable[..., None]
STOPPED = 5e-8
"""fixest centres on two factors until a step is small; its digits end where it stopped."""


def _panel() -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return outcomes by school and year, the years, and each school's cohort."""
    data = dataset("syn_panel")
    wide = data.pivot(index="school", columns="year", values="y")
    cohort = data.groupby("school")["first_treat"].first().loc[wide.index]
    return wide.to_numpy(), wide.columns.to_numpy(), cohort.to_numpy("int64")


def _interaction_weighted() -> tuple[SchoolPatterns, CohortYearEffects]:
    outcome, years, cohort = _panel()
    patterns = gather_patterns(outcome, cohort)
    return patterns, estimate_interaction_weighted(patterns, years)


def _shares(found: CohortYearEffects, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    weights = np.where(chosen, found.size, 0.0)
    return np.asarray(weights / weights.sum())


def _clustered(found: CohortYearEffects) -> NDArray[np.float64]:
    """Return the covariance of the coefficients by fixest's rule, of the project's regression."""
    outcome, years, cohort = _panel()
    n_schools, n_years = outcome.shape
    columns = [
        ((cohort == g)[:, None] & (years == t)).astype(float).ravel()
        for g, t in zip(found.cohort, found.year, strict=True)
    ]
    school = np.repeat(np.arange(n_schools), n_years)
    fit = fit_least_squares_columns(
        outcome.ravel(), columns, names=[f"x{k}" for k in range(len(columns))], cluster=school,
        absorb=[school, np.tile(years, n_schools)],
    )  # fmt: skip
    spent = len(columns) + n_years  # school effects are nested in the clusters
    rows = outcome.size
    rule = n_schools / (n_schools - 1) * (rows - 1) / (rows - spent)
    return np.asarray(rule * fit.covariance(vcov="CR0"))


def test_the_coefficients_of_cohorts_by_year_and_their_errors_agree(agreement: Agreement) -> None:
    name = "fixest.sunab.cohort_by_period"
    stored = entry(name)["values"]
    patterns, found = _interaction_weighted()
    keys = [f"year::{t - g}:cohort::{g}" for g, t in zip(found.cohort, found.year, strict=True)]
    assert set(keys) == set(stored["coef"])
    agreement(name, "coefficient", found.points(patterns), [stored["coef"][k] for k in keys],
              abs=1e-9)  # fmt: skip
    errors = np.sqrt(np.diag(_clustered(found)))
    agreement(name, "se", errors, [stored["se"][k] for k in keys], rel=1e-8)


def test_the_averages_of_sun_and_abraham_and_their_errors_agree(agreement: Agreement) -> None:
    name = "fixest.sunab.aggregated"
    stored = entry(name)["values"]
    patterns, found = _interaction_weighted()
    points, covariance = found.points(patterns), _clustered(found)
    since, after = found.year - found.cohort, found.year >= found.cohort
    averages = {
        "att": (stored["att"], after),
        **{key: (row, since == int(key.split("::")[1])) for key, row in stored["event"].items()},
        **{key: (row, after & (found.cohort == int(key.split("::")[1])))
           for key, row in stored["cohort"].items()},
    }  # fmt: skip
    assert len(averages) == 1 + 11 + 3
    weights = np.array([_shares(found, chosen) for _, chosen in averages.values()])
    theirs = [row for row, _ in averages.values()]
    agreement(name, "average", weights @ points, [row["coef"] for row in theirs], abs=1e-9)
    errors = np.sqrt(np.diag(weights @ covariance @ weights.T))
    agreement(name, "se", errors, [row["se"] for row in theirs], rel=1e-8)


def test_the_averages_of_imputed_effects_agree(agreement: Agreement) -> None:
    name = "bjs.imputation_points"
    stored = entry(name)["values"]
    outcome, years, cohort = _panel()
    patterns = gather_patterns(outcome, cohort)
    found = impute_untreated(patterns, years)
    assert found.size.sum() == stored["n_treated_obs"]
    points, since = found.points(patterns), found.year - found.cohort
    overall = found.size @ points / found.size.sum()
    agreement(name, "overall", overall, stored["att"], abs=STOPPED)
    for quantity, label, theirs in (
        ("by horizon", since, stored["by_horizon"]),
        ("by cohort", found.cohort, stored["by_cohort"]),
    ):
        ours = [_shares(found, label == int(key)) @ points for key in theirs]
        assert len(theirs) == len(np.unique(label))
        agreement(name, quantity, ours, list(theirs.values()), abs=STOPPED)


def test_every_comparison_of_the_decomposition_and_its_weight_agree(agreement: Agreement) -> None:
    name = "bacon.decomposition"
    stored = entry(name)["values"]
    found = decompose_two_way_effect(*_panel())
    ours = {(one.treated_cohort, one.compared_cohort): one for one in found.comparisons}
    theirs = stored["comparisons"]
    in_order = [ours[row["treated"], row["control"]] for row in theirs]
    assert len(ours) == len(theirs) == 9
    for quantity in ("estimate", "weight"):
        agreement(name, quantity, [getattr(one, quantity) for one in in_order],
                  [row[quantity] for row in theirs], rel=1e-10)  # fmt: skip
    agreement(name, "two-way effect", found.estimate, stored["weighted_sum"], abs=1e-10)
