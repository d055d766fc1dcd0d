"""Claims about staggered adoption as protocols reach it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.estimators.staggered_adoption import fit_planned
from schooltrial.refusal import Refusal


def test_rows_are_the_overall_effect_those_by_cohort_by_years_since_and_all_cells(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    fitted = fit_planned(plan(estimator="staggered_adoption"), cells, seed=1)
    found, result = fitted.table, fitted.results["score"]
    assert (found["estimand"] == "ATT").sum() == 1
    assert found["estimate"].iloc[0] == result.overall.estimate
    assert (found["estimand"] == "effect by group").sum() == len(result.cohorts) == 2
    assert (found["estimand"] == "group-time effect").sum() == len(result.cells)


def test_schools_not_yet_treated_are_compared_with_where_the_plan_says_so(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    tables = [
        fit_planned(
            plan(estimator="staggered_adoption", comparison_group=group), cells, seed=1
        ).table
        for group in ("never_treated", "not_yet_treated")
    ]
    assert tables[0]["method"].iloc[0] != tables[1]["method"].iloc[0]
    assert tables[0]["estimate"].iloc[0] != tables[1]["estimate"].iloc[0]


def test_schools_of_a_cohort_that_informs_nothing_are_not_among_those_of_any_row(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    seen = cells[(cells["cohort"] != 2022) | (cells["year"] != 2021)]
    found = fit_planned(plan(estimator="staggered_adoption"), seen, seed=1).table
    assert set(found["n_schools"]) == {12}
    assert set(found["n_treated_schools"]) == {4}
    assert found["n_individuals"].max() == 12 * 4 * 20
    assert found["note"].str.contains("cohort 2022 has no school seen in 2021").tolist()[0]


def test_cells_without_a_number_of_pupils_are_counted_in_the_note(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    some = cells.assign(n_pupils=cells["n_pupils"].where(cells.index > 2))
    found = fit_planned(plan(estimator="staggered_adoption"), some, seed=1).table
    assert found["n_individuals"].isna().all()
    assert found["note"].str.contains("3 of 64 cells have no number").tolist()[0]


def test_how_long_the_programme_lasts_gives_effects_after_it_ended(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    years: Any = {"lasts": {"2021": 1, "2022": 1}}
    planned = plan(estimator="staggered_adoption", confidence_level=0.9)
    found = fit_planned(planned, cells, seed=1, years=years)
    rows = found.table[found.table["estimand"] == "persistence"].set_index("term")
    assert list(rows.index) == [
        "treated[during]", "treated[after=1]", "treated[after=1] - treated[during]",
        "treated[after=1] / treated[during]",
    ]  # fmt: skip
    cell = found.table.set_index("term").loc["treated[cohort=2021, year=2022]"]
    for column in ("estimate", "std_error", "df", "conf_low", "n_schools", "n_treated_schools"):
        assert rows.loc["treated[after=1]", column] == cell[column]
    assert rows.loc["treated[after=1]", "note"] == "based on cohort 2021, 4 schools"
    without = fit_planned(planned, cells, seed=1).table
    assert "persistence" not in set(without["estimand"])
    assert without["estimate"].iloc[0] == found.table["estimate"].iloc[0]


def test_a_cohort_whose_programme_has_no_length_is_refused_with_the_line_to_add(
    plan: Callable[..., Any], cells: pd.DataFrame
) -> None:
    years: Any = {"lasts": {"2021": 1}}
    with pytest.raises(Refusal, match=r"cohort 2022 lasted; add it.*lasts: \{2022: …\}"):
        fit_planned(plan(estimator="staggered_adoption"), cells, seed=1, years=years)


def _many(seed: int = 3) -> pd.DataFrame:
    """Return cells of 48 schools in five years: cohorts of 12 and 12, need that steers trends."""
    rng = np.random.default_rng(seed)
    school, year = np.repeat(np.arange(48), 5), np.tile(np.arange(2018, 2023), 48)
    begins = np.array([np.nan, np.nan, 2021, 2022])[school % 4]
    need = (rng.normal(size=48) + 0.5 * (np.arange(48) % 4 > 1))[school]
    return pd.DataFrame({
        "school": [f"S{at:02d}" for at in school], "year": year, "outcome": "score",
        "arm": np.where(np.isnan(begins), "control", "programme"), "cohort": begins,
        "treated": np.isfinite(begins).astype(float), "need": need,
        "sector": np.array(["charter", "public"])[(school // 4) % 2],
        "district": [f"D{at // 5}" for at in school], "size": 1.0 + school % 7,
        "mean": rng.normal(0, 1, 240) + need * (year - 2018) + (year >= begins),
        "n_pupils": 20.0 + school,
    })  # fmt: skip


def test_covariates_weights_and_clusters_are_said_in_the_method_of_every_row(
    plan: Callable[..., Any],
) -> None:
    keys = {"covariates": ["need", "sector"], "weights": "pupils", "cluster": "district"}
    found = fit_planned(plan(estimator="staggered_adoption", **keys), _many(), seed=1).table
    words = (
        "adjusted for need and sector=public by a regression among schools compared with, "
        "weighted by pupils, clustered on district"
    )
    assert found["method"].str.contains(words, regex=False).all()
    assert "10 districts are the independent units" in found["note"].iloc[0]
    assert found.loc[found["estimand"] == "ATT", "std_error"].iloc[0] > 0
    assert "permutation check" not in set(found["estimand"])


def test_each_key_of_adjustment_changes_the_estimate_or_its_error(
    plan: Callable[..., Any],
) -> None:
    rows = {}
    models: dict[str, dict[str, Any]] = {
        "plain": {},
        "schools": {"weights": "schools"},
        "pupils": {"weights": "pupils"},
        "size": {"weights": "size"},
        "need": {"covariates": ["need"]},
        "doubly_robust": {"covariates": ["need"], "adjustment": "doubly_robust"},
        "inverse_probability": {"covariates": ["need"], "adjustment": "inverse_probability"},
        "district": {"cluster": "district"},
        "school": {"cluster": "school"},
    }
    for name, keys in models.items():
        planned = plan(estimator="staggered_adoption", **keys)
        rows[name] = fit_planned(planned, _many(), seed=1).table.iloc[0]
    same = ["schools", "school"]
    for name in same:
        assert rows[name]["estimate"] == rows["plain"]["estimate"]
        assert rows[name]["std_error"] == rows["plain"]["std_error"]
    values = {(row["estimate"], row["std_error"]) for row in rows.values()}
    assert len(values) == len(rows) - len(same)
    # Need steers trends, and treated schools have more of it: the true effect is 1.
    assert abs(rows["need"]["estimate"] - 1) < 0.4 < abs(rows["plain"]["estimate"] - 1)


def test_missing_covariates_are_kept_left_out_or_refused(plan: Callable[..., Any]) -> None:
    cells = _many()
    cells["need"] = cells["need"].mask(cells["school"].isin(["S00", "S02", "S04"]))

    def fitted(rule: str) -> pd.DataFrame:
        keys = {"covariates": ["need"], "missing_covariates": rule}
        return fit_planned(plan(estimator="staggered_adoption", **keys), cells, seed=1).table

    assert "need=missing" in fitted("indicator")["method"].iloc[0]
    assert fitted("indicator")["n_schools"].iloc[0] == 48
    dropped = fitted("drop")
    assert dropped["n_schools"].iloc[0] == 45
    assert "3 schools of 48 left out where a covariate is missing" in dropped["note"].iloc[0]
    with pytest.raises(Refusal, match="need 15; the model has `missing_covariates: refuse`"):
        fitted("refuse")


def test_a_school_without_a_number_of_pupils_cannot_be_weighted_by_them(
    plan: Callable[..., Any],
) -> None:
    cells = _many()
    cells["n_pupils"] = cells["n_pupils"].mask(cells["school"] == "S05")
    with pytest.raises(Refusal, match=r"`weights: pupils` must be .* missing for school S05"):
        fit_planned(plan(estimator="staggered_adoption", weights="pupils"), cells, seed=1)


def test_no_row_lacks_its_error_without_saying_why(plan: Callable[..., Any]) -> None:
    cells = _many()
    cells = cells[(cells["cohort"] != 2022) | (cells["school"] == "S03")]
    keys = {"covariates": ["need", "sector"]}
    found = fit_planned(plan(estimator="staggered_adoption", **keys), cells, seed=1).table
    silent = found[found["std_error"].isna() & (found["note"] == "") & found["statistic"].isna()]
    assert silent.empty
    assert found["estimate"].notna().sum() >= len(found) - 1  # the joint test has none
