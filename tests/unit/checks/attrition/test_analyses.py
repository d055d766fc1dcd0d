"""Who is lost is who the primary model does not analyse: counted by hand, and as an identity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.design_matrix import build_design_matrix
from schooltrial.checks.attrition.analyses import PrimaryModels, known_since_assignment
from schooltrial.checks.attrition.missing_outcomes import bound_effects
from schooltrial.checks.attrition.rates import attrition
from schooltrial.checks.attrition.schools import school_attrition
from schooltrial.checks.attrition.selective_attrition import who_left
from schooltrial.checks.attrition.teachers import of_teachers
from schooltrial.protocol.content.sections import Arm, Model, Years, model_of_outcome
from support.standard_study import model, outcome

NAN = float("nan")
YEARS: Years = {
    "label": "year", "baseline": [2018], "programme": [2019], "follow_up": [],
    "to_come": [], "reference": None, "lasts": None,
}  # fmt: skip


def _arms(*names: str) -> list[Arm]:
    return [{"name": n, "label": n, "share": None, "in_models": True} for n in names]


TWO = _arms("control", "programme")
ASSIGNMENT = pd.DataFrame(
    {"school": list("ABCD"), "block": "1", "arm": ["control", "control", "programme", "programme"]}
)


def _sample(**columns: Any) -> pd.DataFrame:
    """Return four schools of four pupils in 2018 and 2019; girls are the first two of each."""
    rows = pd.DataFrame(
        [
            {"pupil": f"{school}{at}", "school": school, "girl": float(at < 2), "grade": 3 + at % 2}
            for school in "ABCD"
            for at in range(4)
        ]
    )
    both = pd.concat([rows.assign(year=2018), rows.assign(year=2019)], ignore_index=True)
    arm = both["school"].map(ASSIGNMENT.set_index("school")["arm"])
    both = both.assign(
        arm=arm, treated=(arm == "programme").astype(float), block="1", cluster=both["school"],
        grade=both["grade"] + both["year"] - 2018, maths=np.arange(32.0) % 7,
    )  # fmt: skip
    return both.assign(**columns)


def _table(
    sample: pd.DataFrame, models: dict[str, Model], since: tuple[str, ...] = (), **keys: Any
) -> pd.DataFrame:
    settings: dict[str, Any] = {
        "assignment": ASSIGNMENT, "outcomes": {"maths": outcome()}, "arms": TWO, "years": YEARS,
        "baseline": 2018, "primary": PrimaryModels(models, None, since), **keys,
    }  # fmt: skip
    return attrition(pupils=sample, **settings)


def _lost(*arguments: Any, **keys: Any) -> pd.DataFrame:
    table = _table(*arguments, **keys)
    return table[table["kind"] == "lost"]


def _counts(table: pd.DataFrame, level: str, **chosen: Any) -> list[int]:
    rows = table[table["level"] == level]
    for name, value in chosen.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return [
        int(rows[n].iloc[0]) for n in ("n_control", "count_control", "n_treated", "count_treated")
    ]


def _itt(**keys: Any) -> Model:
    return model(outcomes=["maths"], **{"where": {"year": [2019]}, **keys})


def test_who_lacks_a_covariate_is_lost_where_the_model_drops_them_and_else_is_not() -> None:
    sample = _sample(income=1.0)
    sample.loc[sample["school"] == "C", "income"] = NAN
    sample.loc[sample["pupil"] == "A0", "income"] = NAN
    drops = _lost(sample, {"itt": _itt(covariates=["income"], missing_covariates="drop")})
    assert _counts(drops, "schools") == [2, 0, 2, 1]
    assert _counts(drops, "pupils in schools that stay") == [8, 1, 4, 0]
    assert _counts(drops, "pupils") == [8, 1, 8, 4]
    assert set(drops["model"]) == {"itt"}
    assert drops.set_index("level").loc["pupils", "note"] == (
        "with the outcome, and not analysed: 5"
    )
    keeps = _lost(sample, {"itt": _itt(covariates=["income"], missing_covariates="indicator")})
    assert _counts(keeps, "pupils") == [8, 0, 8, 0]
    assert _counts(_lost(sample, {}), "pupils") == [8, 0, 8, 0]


def test_a_baseline_that_is_not_known_is_a_missing_covariate() -> None:
    unknown = _sample()["pupil"].isin(["B0", "B1", "B2", "B3"])
    sample = _sample(
        maths_before=np.where(unknown, 0.0, 1.0), maths_before_missing=unknown.astype(float),
        maths_before_school=1.0,
    )  # fmt: skip
    table = _lost(sample, {"itt": _itt(covariates=["baseline"], missing_covariates="drop")})
    assert _counts(table, "schools") == [2, 1, 2, 0]
    assert _counts(table, "pupils") == [8, 4, 8, 0]


def test_a_filter_on_what_was_known_before_puts_pupils_and_schools_outside() -> None:
    boys = _sample()
    boys.loc[boys["school"] == "D", "girl"] = 0.0
    boys.loc[(boys["pupil"] == "C1") & (boys["year"] == 2019), "maths"] = NAN
    table = _lost(boys, {"girls": _itt(where={"year": [2019], "girl": [1]})})
    assert _counts(table, "pupils") == [4, 0, 2, 1]
    assert _counts(table, "schools") == [2, 0, 1, 0]


def test_a_filter_on_what_happened_since_loses_pupils() -> None:
    sample = _sample(days=180.0)
    later = sample["year"] == 2019
    sample.loc[later & sample["pupil"].isin(["A0", "C0", "C1", "C2", "C3"]), "days"] = 20.0
    attended = {"itt": _itt(where={"year": [2019], "days": {"at_least": 90}})}
    for since in ((), ("days",)):  # the roster measured it again, or the protocol says what it is
        table = _lost(sample, attended, since)
        assert _counts(table, "pupils") == [8, 1, 8, 4]
        assert _counts(table, "schools") == [2, 0, 2, 1]
    # The whole of a school was often absent before: it belongs to the trial nevertheless.
    sample.loc[~later & (sample["school"] == "B"), "days"] = 20.0
    assert _counts(_lost(sample, attended), "pupils") == [8, 1, 8, 4]


def test_one_whose_category_changed_since_is_lost_and_one_who_came_into_it_is_not_counted() -> None:
    sample = _sample()
    later = sample["year"] == 2019
    sample.loc[later & (sample["pupil"] == "A0"), "girl"] = 0.0
    sample.loc[later & (sample["pupil"] == "C3"), "girl"] = 1.0
    table = _lost(sample, {"girls": _itt(where={"year": [2019], "girl": [1]})})
    assert _counts(table, "pupils") == [4, 1, 4, 0]


def test_who_was_outside_and_is_analysed_came_into_the_population() -> None:
    sample = _sample()
    later = sample["year"] == 2019
    sample.loc[later & sample["pupil"].isin(["A0", "B0"]), "girl"] = 0.0
    sample.loc[later & (sample["pupil"] == "C3"), "girl"] = 1.0
    table = _table(sample, {"girls": _itt(where={"year": [2019], "girl": [1]})})
    came = table[table["kind"] == "came into the population"]
    assert came["model"].tolist() == ["girls"]
    assert _counts(came, "pupils") == [2, 0, 5, 1]  # of those analysed: two girls, and five


def test_a_population_that_nobody_comes_into_has_no_row_of_it() -> None:
    table = _table(_sample(), {"girls": _itt(where={"year": [2019], "girl": [1]})})
    assert "came into the population" not in set(table["kind"])


def test_a_grade_moves_on_with_the_years() -> None:
    sample = _sample()
    repeats = (sample["year"] == 2019) & (sample["pupil"] == "A0")
    sample.loc[repeats, "grade"] = 3
    table = _lost(sample, {"fourth": _itt(where={"year": [2019], "grade": [4]})})
    assert _counts(table, "pupils") == [4, 1, 4, 0]


def test_a_filter_that_asks_for_a_value_to_be_known_loses_who_lacks_it() -> None:
    sample = _sample(income=1.0)
    sample.loc[sample["pupil"].isin(["A0", "C0", "C1"]), "income"] = NAN
    known = _itt(where={"year": [2019], "income": {"is_missing": False}})
    assert _counts(_lost(sample, {"itt": known}), "pupils") == [8, 1, 8, 2]


def test_a_school_without_pupils_is_outside_by_the_table_of_schools() -> None:
    sample = _sample(region="north")
    sample = sample[sample["school"] != "D"]
    north = {"itt": _itt(where={"year": [2019], "region": ["north"]})}
    unknown = _lost(sample, north)
    assert _counts(unknown, "schools") == [2, 0, 2, 1]
    schools = pd.DataFrame({"school": list("ABCD"), "region": ["north"] * 3 + ["south"]})
    table = _lost(sample, north, schools=schools)
    assert _counts(table, "schools") == [2, 0, 1, 0]
    assert "with no roster" not in table.set_index("level").loc["pupils", "note"]


def test_arms_that_a_model_does_not_compare_are_counted_as_measured() -> None:
    three = _arms("control", "programme", "other")
    listed = ASSIGNMENT.assign(arm=["control", "control", "programme", "other"])
    arm = _sample()["school"].map(listed.set_index("school")["arm"])
    sample = _sample(arm=arm, treated=(arm != "control").astype(float), income=1.0)
    sample.loc[sample["pupil"].isin(["C0", "D0"]), "income"] = NAN
    first = _itt(arms=["control", "programme"], covariates=["income"], missing_covariates="drop")
    table = _lost(sample, {"itt": first}, assignment=listed, arms=three)
    assert _counts(table, "pupils", model="itt", arm="programme") == [8, 0, 4, 1]
    assert _counts(table, "pupils", model="", arm="other") == [8, 0, 4, 0]
    both = _lost(sample, {"itt": first, "all": _itt()}, assignment=listed, arms=three)
    assert _counts(both, "pupils", model="all", arm="other") == [8, 0, 4, 0]
    assert _counts(both, "pupils", model="all", arm="programme") == [8, 0, 4, 0]
    assert len(both[both["level"] == "pupils"]) == 3


def test_years_that_a_model_does_not_analyse_are_counted_as_measured() -> None:
    years: Years = {**YEARS, "programme": [2019, 2020]}
    sample = _sample(income=1.0).drop(columns="grade")
    sample = pd.concat([sample, sample[sample["year"] == 2019].assign(year=2020)])
    sample = sample.reset_index(drop=True)
    sample.loc[sample["pupil"] == "A0", "income"] = NAN
    late = _itt(covariates=["income"], missing_covariates="drop", where={"year": [2020]})
    table = _lost(sample, {"late": late}, years=years)
    assert _counts(table, "pupils", year=2019, model="") == [8, 0, 8, 0]
    assert _counts(table, "pupils", year=2020, model="late") == [8, 1, 8, 0]
    every = _lost(sample, {"every": {**late, "where": {}}}, years=years)
    assert set(every["model"]) == {"every"}
    assert [_counts(every, "pupils", year=year)[1] for year in (2019, 2020)] == [1, 1]


def test_take_up_that_is_not_recorded_loses_who_would_show_the_effect_on_compliers() -> None:
    sample = _sample(took=1.0)
    sample.loc[sample["school"] == "D", "took"] = NAN
    cace = model(outcomes=["maths"], estimator="complier_effect", where={"year": [2019]})
    settings: dict[str, Any] = {
        "outcomes": {"maths": outcome()}, "arms": TWO, "years": YEARS, "baseline": 2018,
        "primary": PrimaryModels({"cace": cace}, "took", ("took",)),
    }  # fmt: skip
    table = attrition(ASSIGNMENT, sample, **settings)
    assert _counts(table[table["kind"] == "lost"], "schools") == [2, 0, 2, 1]


def test_pupils_on_a_list_are_outside_by_what_the_list_says_of_them() -> None:
    sample = _sample()
    sample = sample[~sample["pupil"].isin(["A0", "A2", "C2"])]
    listed = _sample().drop_duplicates("pupil")[["pupil", "arm", "girl"]]
    girls = {"itt": _itt(where={"year": [2019], "girl": [1]})}
    table = _lost(sample, girls, assignment=listed, unit="pupil")
    assert _counts(table, "pupils") == [4, 1, 4, 0]
    untold = _lost(sample, girls, assignment=listed.drop(columns="girl"), unit="pupil")
    # A0, A2 and C2 are on no roster: they may be girls.
    assert _counts(untold, "pupils") == [5, 2, 5, 1]
    assert "not known to be outside the population, and counted: 3" in untold["note"].iloc[0]


def test_a_model_of_changes_loses_a_school_without_a_year_before() -> None:
    sample = _sample()
    sample.loc[(sample["year"] == 2018) & (sample["school"] == "C"), "maths"] = NAN
    changes = model(outcomes=["maths"], estimator="difference_in_differences")
    table = _lost(sample, {"did": changes})
    assert _counts(table, "schools") == [2, 0, 2, 1]
    assert _counts(table, "pupils") == [8, 0, 8, 4]


def test_outcomes_of_schools_are_lost_where_the_model_has_no_cell() -> None:
    cells = pd.DataFrame(
        [
            {"school": s, "arm": a, "block": "1", "treated": float(a == "programme"), "year": year,
             "outcome": "maths", "mean": 50.0, "n_pupils": 9, "size": NAN if s == "B" else 100.0}
            for s, a in zip("ABCD", ASSIGNMENT["arm"], strict=True)
            for year in (2018, 2019)
            if (s, year) != ("D", 2018)
        ]
    )  # fmt: skip
    bounded = cells.iloc[:0].assign(mean_low=NAN, mean_high=NAN)
    settings: dict[str, Any] = {
        "outcomes": {"maths": outcome(measured_on="school")}, "arms": TWO, "years": YEARS,
        "unit": "school",
    }  # fmt: skip

    def counted(**models: Model) -> list[int]:
        primary = PrimaryModels(models)
        table = school_attrition(ASSIGNMENT, cells, bounded, primary=primary, **settings)
        unused = "with a value, and not analysed: 1" if models else ""
        assert table["note"].tolist() == [unused]
        return _counts(table, "schools")

    changes = model(outcomes=["maths"], estimator="difference_in_differences")
    assert counted() == [2, 0, 2, 0]
    assert counted(did=changes) == [2, 0, 2, 1]
    levels = _itt(covariates=["size"], missing_covariates="drop", estimator="cluster_robust")
    assert counted(levels=levels) == [2, 1, 2, 0]


def test_teachers_whom_the_model_leaves_out_are_lost() -> None:
    sample = _sample(post=1.0).rename(columns={"pupil": "teacher", "maths": "practice"})
    sample.loc[sample["teacher"].isin(["A0", "C0", "C1"]), "post"] = NAN
    drops = model(outcomes=["practice"], covariates=["post"], missing_covariates="drop",
                  where={"year": [2019]}, cluster="teacher")  # fmt: skip
    table = of_teachers(
        attrition, ASSIGNMENT, sample, outcomes={"practice": outcome(measured_on="teacher")},
        unit="school", arms=TWO, years=YEARS, baseline=2018,
        primary=PrimaryModels({"itt": drops}),
    )  # fmt: skip
    assert _counts(table[table["kind"] == "lost"], "teachers") == [8, 1, 8, 2]


def test_bounds_and_selective_attrition_take_whom_the_model_leaves_out_as_missing() -> None:
    rng = np.random.default_rng(3)
    schools = [f"S{at}" for at in range(20)]
    listed = pd.DataFrame({"school": schools, "arm": ["control", "programme"] * 10})
    base = pd.DataFrame({"school": np.repeat(schools, 10), "year": 2018})
    base["pupil"] = [f"p{at}" for at in range(len(base))]
    base["arm"] = base["school"].map(listed.set_index("school")["arm"])
    base["maths"], base["income"] = rng.normal(size=(2, len(base)))
    sample = pd.concat([base, base.assign(year=2019)], ignore_index=True)
    sample.loc[sample["income"] > 0.5, "income"] = NAN
    n_lost = int(sample.loc[sample["year"] == 2019, "income"].isna().sum())
    drops = _itt(covariates=["income"], missing_covariates="drop")
    settings: dict[str, Any] = {
        "outcomes": {"maths": outcome(range=[-9, 9])}, "arms": TWO, "analysis_years": [2019],
        "baseline": 2018, "covariates": ["maths"], "years": YEARS,
    }  # fmt: skip
    bounds = bound_effects(listed, sample, primary=PrimaryModels({"itt": drops}), **settings)
    complete = bounds[bounds["approach"] == "complete cases"].iloc[0]
    assert (complete["model"], complete["n_individuals"]) == ("itt", 200 - n_lost)
    assert "Horowitz-Manski bounds" in set(bounds["approach"])
    adjusted = bounds[bounds["approach"] == "complete cases, adjusted"].iloc[0]
    then = sample[(sample["year"] == 2019) & sample["income"].notna()]
    columns = np.column_stack([np.ones(len(then)), then["arm"] == "programme", then["income"]])
    effect = np.linalg.lstsq(columns.astype("float64"), then["maths"], rcond=None)[0][1]
    assert adjusted["estimate"] == pytest.approx(effect, rel=1e-10)
    assert adjusted["n_individuals"] == complete["n_individuals"]
    assert set(bound_effects(listed, sample, **settings)["approach"]) == {"complete cases"}
    left = who_left(listed, sample, primary=PrimaryModels({"itt": drops}), **settings)
    assert left[["n_lost_control", "n_lost_treated"]].sum(axis=1).eq(n_lost).all()


def test_what_was_measured_since_and_all_that_is_made_of_it_is_no_characteristic() -> None:
    variable: Any = {"from": "days_present", "at_least": 90, "where": {}}
    since = known_since_assignment(
        {
            "attendance": outcome(ratio={"numerator": "days_present", "denominator": "days",
                                         "times": 100}),
        },
        {"attended": variable, "girl": {"from": "sex", "equals": "girl", "where": {}}},  # type: ignore[typeddict-item]
        "took",
    )  # fmt: skip
    assert {"attendance", "days_present", "days", "attended", "took"} <= since
    assert "attendance_before_missing" in since
    assert not {"girl", "sex", "attendance_before"} & since


def _random_trial(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Model]]:
    """Return a trial of three groups with losses of every kind, and primary models that filter."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(30, 36))
    listed = pd.DataFrame({
        "school": [f"S{at:02d}" for at in range(n)], "block": rng.choice(["1", "2"], n),
        "arm": rng.permutation(np.resize(["control", "programme", "other"], n)),
        "region": rng.choice(["north", "south"], n),
    })  # fmt: skip
    people = listed.loc[np.repeat(np.arange(n), rng.integers(1, 6, n))].reset_index(drop=True)
    people["pupil"] = [f"p{at}" for at in range(len(people))]
    people["girl"] = rng.choice([0.0, 1.0], len(people))
    people["cluster"], people["treated"] = people["school"], (people["arm"] != "control") * 1.0
    income = pd.Series(rng.normal(size=len(people))).mask(rng.random(len(people)) < 0.2)
    people["income"] = income
    both = [people.assign(year=2018), people[rng.random(len(people)) < 0.85].assign(year=2019)]
    sample = pd.concat(both, ignore_index=True)
    for name in ("maths", "reading"):
        values = pd.Series(rng.normal(size=len(sample)))
        sample[name] = values.mask(rng.random(len(sample)) < 0.15)
    sample["attended"] = rng.choice([0.0, 1.0], len(sample), p=[0.2, 0.8])
    where: list[Any] = [
        {"year": [2019]}, {"year": [2019], "girl": [1]}, {"year": [2019], "region": ["north"]},
        {"year": [2019], "any_of": [{"girl": [0]}, {"attended": [1]}]},
        {"year": [2019], "attended": [1]},
    ]  # fmt: skip
    models = {
        f"m{at}": model(
            outcomes=[["maths"], ["reading"], ["maths", "reading"]][at % 3], where=part,
            covariates=["income"], missing_covariates=["drop", "indicator"][at % 2],
            arms=[[], ["control", "programme"]][int(rng.integers(2))],
        )
        for at, part in enumerate(where)
    }  # fmt: skip
    return listed, sample, models


@pytest.mark.parametrize("seed", range(6))
def test_lost_and_analysed_are_all_who_were_allocated_at_every_level_and_in_every_arm(
    seed: int,
) -> None:
    listed, sample, models = _random_trial(seed)
    outcomes = {"maths": outcome(), "reading": outcome(population={"region": ["north"]})}
    south = sample["region"] == "south"
    sample["reading"] = sample["reading"].mask(south)  # an outcome is set aside outside
    table = _lost(
        sample, models, ("attended",), assignment=listed, outcomes=outcomes,
        arms=_arms("control", "programme", "other"), schools=listed[["school", "region"]],
    )  # fmt: skip
    then = sample[sample["year"] == 2018]
    checked = 0
    for name, fitted in models.items():
        for measure in fitted["outcomes"]:
            whole = model_of_outcome(fitted, measure, outcomes)
            rows = build_design_matrix(sample, whole, measure).rows
            # By hand: whom only `attended` leaves out belongs to the trial.
            kept = then
            if measure == "reading" or "region" in fitted["where"]:
                kept = kept[kept["region"] == "north"]
            if "girl" in fitted["where"]:
                kept = kept[kept["girl"] == 1]
            mine = table[(table["model"] == name) & (table["outcome"] == measure)]
            for row in mine.to_dict("records"):
                for arm, which in ((row["arm"], "treated"), ("control", "control")):
                    there, here = (f[f["arm"] == arm] for f in (kept, rows))
                    analysed = row[f"n_{which}"] - row[f"count_{which}"]
                    if row["level"] == "pupils":
                        assert row[f"n_{which}"] == len(there)
                        assert analysed == here["pupil"].nunique()
                    elif row["level"] == "schools":
                        assert row[f"n_{which}"] == there["school"].nunique()
                        assert analysed == here["school"].nunique()
                    else:
                        assert analysed == here["pupil"].nunique()
                        assert row[f"n_{which}"] == there["school"].isin(here["school"]).sum()
                    checked += 1
    assert checked > 30


def test_joiners_are_counted_among_those_whom_the_model_analyses() -> None:
    """Of school A one pupil is new, and of C two, of whom one lacks the outcome."""
    sample = _sample()
    now = sample["year"] == 2019
    new = {"A0": "a", "C0": "c", "C1": "d"}
    sample.loc[now, "pupil"] = sample.loc[now, "pupil"].replace(new)
    sample.loc[now & (sample["pupil"] == "d"), "maths"] = NAN
    itt = model(label="ITT", outcomes=["maths"], where={"year": [2019]}, role="primary")
    came = _table(sample, {"itt": itt})
    came = came[came["kind"] == "joined, of those analysed"]
    assert came["model"].tolist() == ["itt"]
    assert _counts(came, "pupils") == [8, 1, 7, 1]
    unfitted = _table(sample, {})
    assert not (unfitted["kind"] == "joined, of those analysed").any()
