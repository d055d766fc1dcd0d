"""Clusters, random levels and weights of a protocol's model give R's digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from reference import gold
from schooltrial.analysis.estimators import cluster_robust, complier_effect, multilevel
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.models.panel.difference_in_differences import two_way_effects
from support.sections import planned_model, planned_outcome


def plan(**keys: Any) -> PlannedModel:
    stated = {"estimator": "cluster_robust", "outcomes": ["y"], "blocks": "none", **keys}
    return PlannedModel("s", "m", planned_model(**stated), {"y": planned_outcome(label="Y")})


def sample(name: str, unit: str, **columns: str) -> pd.DataFrame:
    """Return a data set as a sample in which the unit was assigned."""
    data = gold.dataset(name)
    data["pupil"] = np.arange(len(data))
    rows = data.rename(columns={"z": "treated"}).assign(year=2020)
    rows["arm"] = np.where(rows["treated"] == 1, "programme", "control")
    rows["cluster"] = rows[unit].astype(str)
    names = [column for column in ("school", "district", "block") if column in rows]
    return rows.astype(dict.fromkeys(names, "str")).assign(**columns)


def test_errors_are_clustered_on_districts_where_pupils_were_assigned() -> None:
    stored = gold.entry("crve.syn3.district_cluster")["values"]
    rows = sample("syn3_district", "pupil")
    asked = plan(cluster="district", covariates=["pre"])
    row = cluster_robust.fit_planned(asked, rows).table.iloc[0]
    assert row["estimate"] == pytest.approx(stored["coef"]["z"], rel=1e-8)
    assert row["std_error"] == pytest.approx(stored["CR2"]["z"]["se"], rel=1e-8)
    assert row["df"] == pytest.approx(stored["CR2"]["z"]["satt_df"], rel=1e-8)
    assert "errors clustered on district (15); few clusters: 15 (fewer than 20)" in row["note"]


def test_take_up_is_clustered_on_schools_where_pupils_were_assigned() -> None:
    stored = gold.entry("crve.syn2.ivreg_block")["values"]
    asked = plan(estimator="complier_effect", blocks="fixed", cluster="school", covariates=["pre"])
    rows = sample("syn2_blocked", "pupil")
    row = complier_effect.fit_planned(asked, rows, taken_up="take").table.iloc[0]
    assert row["estimate"] == pytest.approx(stored["coef"]["take"], rel=1e-8)
    assert row["std_error"] == pytest.approx(stored["CR2"]["take"]["se"], rel=1e-8)


def test_weights_are_those_of_a_named_variable() -> None:
    stored = gold.entry("crve.syn2.wls_z_pre")["values"]
    asked = plan(weights="w", covariates=["pre", "fsm"])
    row = cluster_robust.fit_planned(asked, sample("syn2_blocked", "school")).table.iloc[0]
    assert row["estimate"] == pytest.approx(stored["coef"]["z"], rel=1e-8)
    assert row["std_error"] == pytest.approx(stored["CR2"]["z"]["se"], rel=1e-8)
    assert "weighted by w" in row["note"]


@pytest.mark.parametrize("labels", ["own", "used again"])
def test_schools_in_districts_are_two_random_levels_whatever_the_labels_of_schools(
    labels: str,
) -> None:
    stored = gold.entry("lmm.syn3.z_pre")["values"]
    rows = sample("syn3_district", "pupil")
    if labels == "used again":  # 1, 2, 3 … in every district
        rows["school"] = rows.groupby("district")["school"].transform(
            lambda school: pd.factorize(school)[0]
        )
    asked = plan(
        estimator="multilevel", random_levels=["school", "district"], covariates=["pre"],
        df="satterthwaite",
    )  # fmt: skip
    fitted = multilevel.fit_planned(asked, rows)
    row = fitted.table.iloc[0]
    assert row["estimate"] == pytest.approx(stored["fixef"]["z"], rel=1e-6)
    assert row["std_error"] == pytest.approx(stored["se"]["z"], rel=1e-6)
    variances = fitted.diagnostics["y"]["variances"]
    for part in stored["varcomp"]:
        name = part["group"].replace("Residual", "residual")
        assert variances[name] == pytest.approx(part["variance_or_cov"], rel=1e-5)


def test_a_weight_divides_the_variance_of_a_row_in_a_multilevel_model() -> None:
    stored = gold.entry("lmm.syn2.weights")["values"]
    asked = plan(
        estimator="multilevel", random_levels=["school"], weights="w", covariates=["pre"],
        df="satterthwaite",
    )  # fmt: skip
    row = multilevel.fit_planned(asked, sample("syn2_blocked", "pupil")).table.iloc[0]
    assert row["estimate"] == pytest.approx(stored["fixef"]["z"], rel=1e-6)
    assert row["std_error"] == pytest.approx(stored["se"]["z"], rel=1e-6)


def test_a_panel_of_schools_is_clustered_on_districts() -> None:
    stored = gold.entry("crve.panel.twfe_district")["values"]
    data = gold.dataset("syn_panel")
    fitted = two_way_effects(
        data["y"].to_numpy(), data[["treated"]].to_numpy("float64"), names=["treated"],
        school=data["school"].to_numpy(), year=data["year"].to_numpy(),
        cluster=data["district"].to_numpy(),
    )  # fmt: skip
    for kind in ("CR0", "CR2"):
        (row,) = fitted.estimates(vcov=kind)
        assert row.estimate == pytest.approx(stored["coef"]["treated"], rel=1e-8)
        assert row.std_error == pytest.approx(stored[kind]["treated"]["se"], rel=1e-8)
    assert row.df == pytest.approx(stored["CR2"]["treated"]["satt_df"], rel=1e-8)
    assert row.method.startswith("two-way effects, clustered by group of schools")
