"""Two-way effects and event study agree with R's fixest, under every small-sample rule, and plm.

fixest's rules multiply one sandwich, our CR0: by G/(G − 1) with `cluster.adj`, and by
(n − 1)/(n − K) with `adj`, where K counts the regressors and, by `fixef.K`, no effects ("none"),
those that are not nested in the clusters ("nested"), or all ("full"). Its default is our CR1S.
With two clusterings G is the smaller number of clusters for all three parts.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reference.gold import dataset, entry, names
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.panel.difference_in_differences import PanelFit, two_way_effects
from schooltrial.models.panel.treatment_terms import cohort_event_indicators

Agreement = Callable[..., None]

CELLS, SCHOOLS, YEARS = 1600, 200, 8
RULES = list(product(("none", "nested", "full"), ("TRUE", "FALSE"), ("TRUE", "FALSE")))
PARAMETERS = {"none": 1, "nested": 1 + YEARS, "full": SCHOOLS + YEARS}
"""The rule of `fixef.K` → K: one regressor, with nested schools as one constant."""


def _fit(**keys: Any) -> PanelFit:
    data = dataset("syn_panel")
    columns = keys.pop("columns", data[["treated"]].to_numpy("float64"))
    return two_way_effects(
        data["y"].to_numpy(), columns, names=keys.pop("names", ["treated"]),
        school=data["school"].to_numpy(), year=data["year"].to_numpy(), **keys,
    )  # fmt: skip


def _compare(
    agreement: Agreement, name: str, fit: PanelFit, terms: dict[str, str], vcov: str = "CR1S"
) -> None:
    """Compare estimates, errors, t and p of our terms with those of theirs."""
    stored = entry(name)["values"]
    rows = fit.estimates(list(terms), vcov=vcov)
    for quantity, attribute in (
        ("coef", "estimate"), ("se", "std_error"), ("t", "statistic"), ("p", "p_value"),
    ):  # fmt: skip
        theirs = [stored[quantity][term] for term in terms.values()]
        agreement(name, quantity, [getattr(row, attribute) for row in rows], theirs, rel=1e-8)
    assert {row.df for row in rows} == {stored["df_t"]}
    assert fit.n_cells == stored["n"]


@pytest.mark.parametrize(("counted", "adjusted", "clusters"), RULES)
def test_every_small_sample_rule_is_its_factor_times_cr0(
    agreement: Agreement, counted: str, adjusted: str, clusters: str
) -> None:
    name = f"fixest.twfe.ssc_{counted}_adj{adjusted}_cl{clusters}"
    factor = SCHOOLS / (SCHOOLS - 1) if clusters == "TRUE" else 1.0
    if adjusted == "TRUE":
        factor *= (CELLS - 1) / (CELLS - PARAMETERS[counted])
    stored = entry(name)["values"]
    fit = _fit()
    agreement(name, "coef", fit.coefficients[0], stored["coef"]["treated"], rel=1e-8)
    error = np.sqrt(factor * fit.covariance(vcov="CR0")[0, 0])
    agreement(name, "se", error, stored["se"]["treated"], rel=1e-8)
    agreement(name, "vcov", factor * fit.covariance(vcov="CR0"), stored["vcov"]["m"], rel=1e-8)


def test_its_default_is_our_cr1s(agreement: Agreement) -> None:
    _compare(agreement, "fixest.twfe.cl_school", _fit(), {"treated": "treated"})


def test_districts_are_clusters_in_which_schools_are_nested(agreement: Agreement) -> None:
    fit = _fit(cluster=dataset("syn_panel")["district"].to_numpy())
    _compare(agreement, "fixest.twfe.cl_district", fit, {"treated": "treated"})


def test_pupils_are_weights(agreement: Agreement) -> None:
    fit = _fit(n_pupils=dataset("syn_panel")["n_pupils"].to_numpy("float64"))
    _compare(agreement, "fixest.twfe.weights", fit, {"treated": "treated"})


def test_schools_and_years_are_clusters_at_once(agreement: Agreement) -> None:
    data, name = dataset("syn_panel"), "fixest.twfe.cl_twoway"
    fit = _fit(cluster=(data["school"].to_numpy(), data["year"].to_numpy()))
    stored = entry(name)["values"]
    # Both effects are nested in a clustering, and count as one each.
    factor = YEARS / (YEARS - 1) * (CELLS - 1) / (CELLS - 2)
    error = np.sqrt(factor * fit.covariance(vcov="CR0")[0, 0])
    agreement(name, "coef", fit.coefficients[0], stored["coef"]["treated"], rel=1e-8)
    agreement(name, "se", error, stored["se"]["treated"], rel=1e-8)
    assert fit.estimates()[0].df == stored["df_t"]


@pytest.mark.parametrize(("name", "vcov"), [("hetero", "HC1"), ("iid", "classical")])
def test_without_clusters_the_errors_are_those_of_rows(
    agreement: Agreement, name: str, vcov: str
) -> None:
    data, name = dataset("syn_panel"), f"fixest.twfe.{name}"
    fit = fit_least_squares_columns(
        data["y"].to_numpy(), [data["treated"].to_numpy("float64")], names=["treated"],
        absorb=[data["school"].to_numpy(), data["year"].to_numpy()],
    )  # fmt: skip
    stored = entry(name)["values"]
    (row,) = fit.estimates(vcov=vcov)
    agreement(name, "se", row.std_error, stored["se"]["treated"], rel=1e-8)
    agreement(name, "p", row.p_value, stored["p"]["treated"], rel=1e-8)
    assert row.df == stored["df_t"]


def test_a_school_characteristic_has_an_effect_of_its_own_in_each_year(
    agreement: Agreement,
) -> None:
    data, name = dataset("syn_panel"), "fixest.twfe.x_trend"
    by_year = {
        f"x:year={year}": data["x"].to_numpy() * (data["year"] == year).to_numpy("float64")
        for year in range(2017, 2024)
    }
    terms = {"treated": "treated"}
    terms |= {f"x:year={year}": f"year::{year}:x" for year in range(2017, 2024)}
    _compare(agreement, name, _fit(covariates=by_year), terms)


def test_the_event_study_by_own_cohort_and_its_whole_covariance_agree(
    agreement: Agreement,
) -> None:
    data, name = dataset("syn_panel"), "fixest.eventstudy.twfe"
    stored = entry(name)["values"]
    cohort = data["first_treat"].replace(0, np.nan).to_numpy("float64")
    columns, terms = cohort_event_indicators(cohort, data["year"].to_numpy())
    fit = _fit(columns=columns, names=terms)
    theirs = {term: term.replace("treated[since=", "rel::").rstrip("]") for term in terms}
    assert list(theirs.values()) == list(stored["coef"])
    _compare(agreement, name, fit, theirs)
    agreement(name, "vcov", fit.covariance(vcov="CR1S"), stored["vcov"]["m"], rel=1e-8)


def test_every_stored_result_of_two_way_effects_is_compared() -> None:
    compared = {f"fixest.twfe.ssc_{k}_adj{a}_cl{c}" for k, a, c in RULES}
    compared |= {
        f"fixest.twfe.{part}"
        for part in ("cl_school", "cl_district", "cl_twoway", "weights", "hetero", "iid", "x_trend")
    }
    there = {name for name in names("fixest.") if "sunab" not in name}
    assert there == {*compared, "fixest.eventstudy.twfe"}


def test_plm_has_the_same_point_and_the_same_sandwiches(agreement: Agreement) -> None:
    """Its "sss" is CR1; its HC1 multiplies CR0 by n/(n − 1), as it counts one slope."""
    stored, fit = entry("plm.twfe")["values"], _fit()
    agreement("plm.twfe", "coef", fit.coefficients[0], stored["coef"]["treated"], rel=1e-8)
    plain = fit.covariance(vcov="CR0")[0, 0]
    theirs = stored["se_arellano"]
    agreement("plm.twfe", "HC0", np.sqrt(plain), theirs["HC0"], rel=1e-8)
    agreement("plm.twfe", "HC1", np.sqrt(plain * CELLS / (CELLS - 1)), theirs["HC1"], rel=1e-8)
    cr1 = np.sqrt(fit.covariance(vcov="CR1")[0, 0])
    agreement("plm.twfe", "sss", cr1, theirs["sss"], rel=1e-8)


def test_linearmodels_has_the_same_points_and_sandwich() -> None:
    from linearmodels.panel import PanelOLS

    data = dataset("syn_panel")
    index = data.set_index(["school", "year"])
    for weights in (None, index["n_pupils"].astype("float64")):
        theirs = PanelOLS(
            index["y"], index[["treated"]], entity_effects=True, time_effects=True, weights=weights
        ).fit(cov_type="clustered", cluster_entity=True, debiased=False, auto_df=False,
              count_effects=False)  # fmt: skip
        ours = _fit(n_pupils=None if weights is None else weights.to_numpy())
        assert ours.coefficients[0] == pytest.approx(theirs.params["treated"], rel=1e-10)
        plain = ours.covariance(vcov="CR0")[0, 0]
        assert plain == pytest.approx(float(pd.DataFrame(theirs.cov).iloc[0, 0]), rel=1e-9)
