"""Claims about any study's built results: what must add up, and what must agree."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from results.compared_arms import lines_compared, rests_on_a_part
from schooltrial.analysis.estimates_table import COLUMNS
from schooltrial.data.tables.keys import KEYS
from schooltrial.protocol.content.shown_units import effect_unit, times_shown

PEOPLE = [("pupil", "pupils", "sample"), ("teacher", "teachers", "teacher_sample")]
"""Level of the ledger, standard table, and the sample that is left of it."""
MONTE_CARLO = 0.01
"""How near to its level a p-value from draws may be and fall on either side of it."""


def test_everyone_who_entered_a_step_left_or_remained(results: Path) -> None:
    flow = pd.read_csv(results / "checks" / "flow.csv")
    assert (flow["entered"] == flow["left"] + flow["remained"]).all()


def test_the_exclusions_log_names_all_exclusions(results: Path) -> None:
    flow = pd.read_csv(results / "checks" / "flow.csv")
    ledger = pd.read_csv(results / "checks" / "ledger.csv")
    keys = ["step", "reason", "level", "year", "arm"]
    counted = flow[flow["left"] > 0].set_index(keys)["left"].sort_index()
    named = ledger.groupby(keys).size().sort_index()
    assert counted.to_dict() == named.to_dict()


def _left(results: Path, level: str) -> int:
    """Return the rows that left a standard table before the sample was whole.

    Teachers who were assigned and are on no roster are told to the ledger, but are no such rows.
    """
    ledger = pd.read_csv(results / "checks" / "ledger.csv")
    after = ledger["step"].str.startswith(
        ("analysed", "followed up", "teachers with an enrolment record", "shared identifiers")
    )
    return int(((ledger["level"] == level) & ~after).sum())


@pytest.mark.parametrize(("level", "table", "sample_name"), PEOPLE)
def test_the_sample_is_what_was_read_less_exclusions(
    results: Path, level: str, table: str, sample_name: str
) -> None:
    read = pd.read_parquet(results / "data" / f"{table}.parquet")
    kept = pd.read_parquet(results / "data" / f"{sample_name}.parquet")
    assert len(read) - _left(results, level) == len(kept)


def test_raw_rows_less_those_that_the_log_removes_are_the_rows_of_the_tables(
    results: Path,
) -> None:
    raw = pd.read_csv(results / "checks" / "raw_files.csv", keep_default_na=False)
    log = pd.read_csv(results / "checks" / "cleaning_log.csv")
    out = log.groupby(["table", "file"])["rows"].sum()
    made = dict.fromkeys(KEYS, 0)
    counted: set[tuple[str, str]] = set()
    for file, rows, tables in zip(raw["file"], raw["rows"], raw["tables"], strict=True):
        filled = [name for name in tables.split("; ") if name]
        for name in filled:
            table, _, outcomes = name.partition(" × ")
            made[table] += rows * int(outcomes or 1)
        for name in dict.fromkeys(filled):
            table, _, outcomes = name.partition(" × ")
            if (table, file) not in counted:  # the log has the removals of all sheets of a file
                made[table] -= out.get((table, file), 0) * int(outcomes or 1)
        counted |= {(name.partition(" × ")[0], file) for name in filled}
    left = {name: len(pd.read_parquet(results / "data" / f"{name}.parquet")) for name in KEYS}
    assert made == left


def test_the_cost_of_all_ingredients_is_the_sum_of_those_that_were_read(results: Path) -> None:
    file = results / "checks" / "costs.csv"
    if not file.is_file():  # the study has no costs
        return
    told = pd.read_csv(file)
    read = pd.read_parquet(results / "data" / "costs.parquet").dropna(
        subset=["quantity", "unit_cost"]
    )
    each_year = read["each_year"].fillna(0) if "each_year" in read else pd.Series(0, read.index)
    times = each_year.astype(bool).map({True: told["n_years"].iloc[0], False: 1})
    total = told.loc[told["ingredient"] == "all ingredients", "total"].sum()
    assert np.isclose(total, (read["quantity"] * read["unit_cost"] * times).sum())


def test_no_pupil_is_in_the_sample_twice_in_a_year(sample: pd.DataFrame) -> None:
    assert not sample.duplicated(["pupil", "year"]).any()


def test_every_assigned_unit_is_in_one_group(results: Path, sample: pd.DataFrame) -> None:
    for people in (sample, pd.read_parquet(results / "data" / "teacher_sample.parquet")):
        assert (people.groupby("cluster")["arm"].nunique() == 1).all()


def test_the_estimates_have_the_columns_of_the_contract(estimates: pd.DataFrame) -> None:
    assert list(estimates.columns) == COLUMNS


def test_every_estimate_that_converged_has_a_positive_standard_error(
    estimates: pd.DataFrame,
) -> None:
    points = estimates[estimates["estimate"].notna() & estimates["converged"]]
    # an inverted test has no error, nor has a permutation
    points = points[~points["estimand"].isin(["Anderson-Rubin set", "permutation check"])]
    without = points["note"].fillna("").str.contains("no standard error")
    assert ((points["std_error"] > 0) | without).all()
    assert not without.all()


def test_intervals_hold_their_estimates_and_agree_with_the_p_values(results: Path) -> None:
    effects = pd.read_csv(results / "figures" / "effects.csv").dropna(subset=["conf_low"])
    assert effects["estimate"].between(effects["conf_low"], effects["conf_high"]).all()
    outside = (effects["conf_low"] > 0) | (effects["conf_high"] < 0)
    clear = (effects["p_value"] - (1 - effects["conf_level"])).abs() > MONTE_CARLO
    significant = effects["p_value"] < 1 - effects["conf_level"]
    assert (outside == significant)[clear].all()


def test_the_primary_analyses_have_the_numbers_that_the_flow_leaves(
    results: Path, estimates: pd.DataFrame
) -> None:
    flow = pd.read_csv(results / "checks" / "flow.csv")
    flow = flow[flow["step"].str.startswith("analysed: ")]
    assert len(flow)
    for step, lines in flow.groupby("step"):
        model, outcome = str(step).removeprefix("analysed: ").split(", ")
        rows = estimates[(estimates["model"] == model) & (estimates["outcome"] == outcome)]
        if lines["level"].eq("school").any():
            continue
        assert len(rows), step
        for row in rows.itertuples():
            mine = lines_compared(lines, str(row.term), rows["term"])
            remained = mine.groupby("reason", sort=False)["remained"].sum()
            of_cohorts = rests_on_a_part(row) and 0 < row.n_individuals <= remained.iloc[-1]
            assert row.n_individuals == remained.iloc[-1] or of_cohorts, (model, outcome, row.term)


def test_no_analysis_is_in_more_places_than_the_list_names(
    results: Path, estimates: pd.DataFrame
) -> None:
    assignment = pd.read_parquet(results / "data" / "assignment.parquet")
    if "school" in assignment:  # else the list does not say in which schools its units are
        assert (estimates["n_schools"] <= assignment["school"].nunique()).all()


def test_the_effects_figure_draws_the_estimates_table(
    results: Path, estimates: pd.DataFrame
) -> None:
    """Effects on yes/no outcomes, and those alone, are drawn in per cent of the table's."""
    verdict = json.loads((results / "checks" / "verdict.json").read_text("utf-8"))
    outcomes = verdict["design_and_measures"]["outcomes"]
    drawn = pd.read_csv(results / "figures" / "effects.csv")
    effects = estimates[estimates["estimand"].isin(["ITT", "ATT", "CACE"])]
    assert len(drawn) == len(effects)
    for outcome, rows in drawn.groupby("outcome"):
        known = effects[effects["outcome"] == outcome]
        assert set(rows["units_label"]) == {effect_unit(outcomes[outcome])}, outcome
        for name in ("estimate", "conf_low", "conf_high"):
            wanted = np.sort(times_shown(outcomes[outcome]) * known[name])
            np.testing.assert_allclose(np.sort(rows[name]), wanted, err_msg=f"{outcome}, {name}")


def test_means_times_numbers_give_the_sum_of_scores(results: Path, sample: pd.DataFrame) -> None:
    panel = pd.read_parquet(results / "data" / "school_panel.parquet")
    panel = panel[panel["outcome"].isin(sample.columns)]
    assert len(panel) or sample.empty
    for outcome, cells in panel.groupby("outcome"):
        total = sample[str(outcome)].sum()
        scale = sample[str(outcome)].abs().sum()
        assert np.isclose((cells["mean"] * cells["n_pupils"]).sum(), total, atol=1e-9 * scale)
