"""Least detectable effects of a study: stages by hand, against its fit, and where numbers lack."""

from __future__ import annotations

from math import isnan, sqrt
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

import check_power
from schooltrial.checks.power.stages import StudyPlan
from schooltrial.checks.power.table import COLUMNS, power_table
from schooltrial.checks.power.variance_shares import ESTIMATED, observed_shares
from schooltrial.models.moments.school_moments import from_frame
from schooltrial.models.multilevel.r_squared import estimate_r_squared
from schooltrial.models.multilevel.result import MultilevelFit
from schooltrial.models.multilevel.two_level import fit_two_level_moments
from schooltrial.models.power.minimum_detectable_effect import Precision
from schooltrial.models.power.sign_and_magnitude import sign_magnitude_errors
from schooltrial.protocol.content.sections import Arm, Model, Outcome
from support import standard_study
from support.sections import completed, planned_model, section

PLANNED = {
    "schools": 16, "treated_share": 0.25, "pupils_per_school": 30, "icc": 0.2, "r2_school": 0.5,
    "r2_pupil": 0.4, "covariates_school": 1, "blocks": 4,
}  # fmt: skip
SCHOOLS = [f"s{k:02d}" for k in range(12)]


def model(**keys: Any) -> Model:
    stated = {"estimator": "multilevel", "role": "primary", "outcomes": ["maths"],
              "where": {"year": [2020]}, "blocks": "none", **keys}  # fmt: skip
    return planned_model(**stated)


def outcome(**keys: Any) -> Outcome:
    return standard_study.outcome(
        **{"label": "Maths", "primary": True, "units_label": "points", **keys}
    )


def plan(**keys: Any) -> StudyPlan:
    effect, planned = keys.pop("effect", 0.3), keys.pop("planned", PLANNED)
    settings = section("power", effect=effect, planned=planned, replications=0)
    arms = [{"name": name, "label": name, "share": None} for name in keys.pop("arms", ("c", "t"))]
    parts: dict[str, Any] = {
        "models": {"main": model()}, "outcomes": {"maths": outcome()}, "unit": "school",
        "kind": "blocked", "baseline": 2018, **keys,
    }  # fmt: skip
    return StudyPlan(settings=settings, arms=cast(list[Arm], arms), **parts)


def assignment() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "school": SCHOOLS,
            "block": np.repeat(["a", "b", "d"], 4),
            "arm": ["t", "c", "c", "c", "t", "t", "c", "c", "t", "t", "c", "c"],
        }
    )


def sample(per_school: int = 8, seed: int = 1) -> pd.DataFrame:
    """Return a roster of 5 to 16 a school in 2018, and ``per_school`` in 2020."""
    rng = np.random.default_rng(seed)
    listed = assignment()
    sizes = {2018: np.arange(5, 17), 2020: np.full(12, per_school)}
    years = [
        listed.loc[listed.index.repeat(count)].assign(year=year) for year, count in sizes.items()
    ]
    frame = pd.concat(years, ignore_index=True)
    school = frame["school"].map({name: k for k, name in enumerate(SCHOOLS)}).to_numpy()
    frame["cluster"] = frame["school"]
    frame["treated"] = (frame["arm"] == "t").astype(float)
    frame["size"] = rng.normal(size=12)[school]
    frame["girl"] = rng.integers(0, 2, len(frame)).astype(float)
    frame["level"] = np.where(school % 3 == 0, "upper", "lower")
    frame["maths"] = rng.normal(0, 3, 12)[school] + rng.normal(0, 5, len(frame))
    frame["arm"] = pd.Categorical(frame["arm"], categories=["c", "t"])
    return frame


def told(fitted: MultilevelFit) -> dict[str, Any]:
    return {
        "variances": {part.level: part.estimate for part in fitted.variance_components},
        "r_squared": {part.level: part.r_squared for part in estimate_r_squared(fitted)},
    }


def fitted(frame: pd.DataFrame, *fixed: str) -> MultilevelFit:
    rows = frame[frame["year"] == 2020]
    return fit_two_level_moments(
        from_frame(rows, outcome="maths", fixed=["treated", *fixed], school="school")
    )


def estimates(fit: MultilevelFit, **keys: Any) -> pd.DataFrame:
    row = fit.estimates(["treated"])[0]
    section = {
        "model": "main", "outcome": "maths", "estimand": "ITT", "subgroup": "all",
        "term": "treated", "std_error": row.std_error, "df": row.df, "es_conf_low": np.nan,
        "es_conf_high": np.nan, "n_units": row.n_schools, "n_treated_units": 5,
        "n_individuals": row.n_individuals, **keys,
    }  # fmt: skip
    return pd.DataFrame([section])


def by_stage(table: pd.DataFrame) -> dict[str, Any]:
    assert table.columns.tolist() == COLUMNS
    return {str(row["stage"]): row for row in table.to_dict("records")}


def test_at_protocol_the_plan_is_worked_out_as_by_hand() -> None:
    row = by_stage(power_table(plan(), assignment(), {"pupil": sample()}))["protocol"]
    variance = 0.2 * 0.5 + 0.8 * 0.6 / 30
    hand = Precision(sqrt(variance / (16 * 0.25 * 0.75)), 16 - 4 - 1 - 1)
    assert row["std_error"] == pytest.approx(hand.std_error)
    assert row["df"] == hand.df
    assert row["mdes"] == pytest.approx(hand.mdes())
    assert row["mdes_multiplier"] == pytest.approx(row["multiplier"] * row["std_error"])
    assert row["power"] == pytest.approx(hand.power(0.3))
    errors = sign_magnitude_errors(0.3, hand.std_error, hand.df)
    assert row["type_s"] == pytest.approx(errors.type_s)
    assert row["type_m"] == pytest.approx(errors.type_m)
    assert (row["n_units"], row["n_treated_units"], row["n_blocks"]) == (16, 4, 4)


def test_at_randomisation_schools_and_roster_are_those_of_the_draw() -> None:
    blocked = plan(models={"main": model(blocks="fixed")})
    row = by_stage(power_table(blocked, assignment(), {"pupil": sample()}))["randomisation"]
    harmonic = 12 / sum(1 / n for n in range(5, 17))
    information = 1 * 3 / 4 + 1 + 1
    assert (row["n_units"], row["n_treated_units"], row["n_blocks"]) == (12, 5, 3)
    assert row["n_individuals"] == sum(range(5, 17))
    assert row["individuals_per_unit"] == pytest.approx(harmonic)
    variance = (0.2 * 0.5 + 0.8 * 0.6 / harmonic) / information
    assert row["std_error"] == pytest.approx(sqrt(variance))
    assert row["df"] == 12 - 3 - 1 - 1


def test_blocks_that_are_not_in_the_model_cost_nothing_and_give_nothing() -> None:
    row = by_stage(power_table(plan(), assignment(), {"pupil": sample()}))["randomisation"]
    assert (row["n_blocks"], row["df"]) == (0, 12 - 2 - 1)


def test_before_the_analysis_there_is_no_row_of_it() -> None:
    table = power_table(plan(), assignment(), {"pupil": sample()})
    assert table["stage"].tolist() == ["protocol", "randomisation"]


def test_at_analysis_a_balanced_trial_has_the_standard_error_that_its_fit_reports() -> None:
    frame = sample()
    fit = fitted(frame)
    table = power_table(
        plan(), assignment(), {"pupil": frame},
        diagnostics={"main": {"maths": told(fit)}}, estimates=estimates(fit),
    )  # fmt: skip
    row = by_stage(table)["analysis"]
    empty = fit_two_level_moments(
        from_frame(frame[frame["year"] == 2020], outcome="maths", fixed=[], school="school")
    )
    total = sum(part.estimate for part in empty.variance_components)
    reported = fit.estimates(["treated"])[0]
    assert row["std_error"] * sqrt(total) == pytest.approx(reported.std_error, rel=1e-6)
    assert row["df"] == pytest.approx(reported.df, rel=1e-5)
    assert row["df"] == 10
    assert row["icc"] == pytest.approx(empty.variance_components[0].estimate / total, rel=1e-6)
    within = frame[frame["year"] == 2020].groupby("arm", observed=True)["maths"]
    pooled = sqrt((within.var() * (within.size() - 1)).sum() / (96 - 2))
    assert row["std_error_estimate"] == pytest.approx(reported.std_error / pooled)
    assert row["mdes_estimate"] == pytest.approx(
        Precision(reported.std_error / pooled, reported.df).mdes()
    )


def test_schools_and_pupils_without_the_outcome_are_not_counted_at_analysis() -> None:
    frame = sample()
    frame.loc[(frame["school"] == "s11") | (frame.index % 7 == 0), "maths"] = np.nan
    complete = frame[(frame["year"] == 2020) & frame["maths"].notna()]
    shares = told(fitted(frame[frame["maths"].notna()]))
    rows = power_table(
        plan(), assignment(), {"pupil": frame}, diagnostics={"main": {"maths": shares}}
    )
    row = by_stage(rows)["analysis"]
    sizes = complete.groupby("school").size()
    assert (row["n_units"], row["n_individuals"]) == (11, len(complete))
    assert row["individuals_per_unit"] == pytest.approx(11 / (1 / sizes).sum())


@pytest.mark.parametrize(
    ("covariates", "blocks", "cost"),
    [
        (["size"], "none", 1),
        (["size", "girl"], "none", 1),  # one varies between pupils
        (["level"], "none", 1),
        (["size", "level"], "none", 2),
        (["size", "size"], "none", 1),  # the same again
        (["block"], "none", 2),
        (["block", "size"], "fixed", 1),  # determined by the block effects
    ],
)
def test_only_covariates_that_schools_alone_can_tell_cost_degrees_of_freedom(
    covariates: list[str], blocks: str, cost: int
) -> None:
    frame = sample()
    adjusted = plan(models={"main": model(covariates=covariates, blocks=blocks)})
    table = power_table(
        adjusted, assignment(), {"pupil": frame},
        diagnostics={"main": {"maths": told(fitted(frame))}},
    )  # fmt: skip
    row = by_stage(table)["analysis"]
    assert row["covariates_school"] == cost
    assert row["df"] == 12 - (3 if blocks == "fixed" else 1) - 1 - cost


def test_shares_of_variance_are_those_of_the_empty_model() -> None:
    frame = sample(seed=3)
    fit = fitted(frame, "size", "girl")
    found = observed_shares(told(fit))
    empty = fit_two_level_moments(
        from_frame(frame[frame["year"] == 2020], outcome="maths", fixed=[], school="school")
    )
    between, within = (part.estimate for part in empty.variance_components)
    assert found is not None
    assert found.icc == pytest.approx(between / (between + within), rel=1e-6)
    school, residual, _ = (part.r_squared for part in estimate_r_squared(fit))
    assert found.r2_school == pytest.approx(school, rel=1e-6)
    assert found.r2_pupil == pytest.approx(residual, rel=1e-6)


def test_shares_are_found_where_nothing_is_left_between_schools() -> None:
    # empty: 2 between, 8 within; fitted: 0 and 6
    shares = observed_shares(
        {
            "variances": {"school": 0.0, "residual": 6.0},
            "r_squared": {"school": 1.0, "residual": 0.25, "total": 0.4},
        }
    )
    assert shares is not None
    assert (shares.icc, shares.r2_school, shares.r2_pupil) == pytest.approx((0.2, 1.0, 0.25))
    none = {"variances": {"school": 0.0, "residual": 6.0}, "r_squared": {
        "school": float("nan"), "residual": 0.25, "total": 0.25}}  # fmt: skip
    flat = observed_shares(none)
    assert flat is not None
    assert (flat.icc, flat.r2_school) == (0.0, 0.0)
    assert observed_shares({"dropped": []}) is None


def test_what_blocks_hold_as_a_random_level_is_not_left_to_pupils() -> None:
    shares = observed_shares(
        {
            "variances": {"school": 1.0, "block": 1.0, "residual": 4.0},
            "r_squared": {"school": 0.5, "block": 0.5, "residual": 0.2, "total": 1 - 6 / 9},
        }
    )
    assert shares is not None
    assert (shares.icc, shares.icc_block) == pytest.approx((2 / 9, 2 / 9))


def test_without_a_plan_the_schools_that_were_drawn_take_what_was_found() -> None:
    frame = sample()
    table = power_table(
        plan(planned=None, effect=None), assignment(), {"pupil": frame},
        diagnostics={"main": {"maths": told(fitted(frame))}},
    )  # fmt: skip
    rows = by_stage(table)
    assert isnan(rows["protocol"]["mdes"])
    assert rows["protocol"]["note"] == "the protocol plans no size"
    assert rows["randomisation"]["icc"] == rows["analysis"]["icc"]
    assert "since none are planned" in rows["randomisation"]["note"]
    assert rows["randomisation"]["mdes"] > 0
    assert isnan(rows["analysis"]["power"])


def test_a_model_without_shares_takes_those_of_a_multilevel_model_of_the_same_rows() -> None:
    frame = sample()
    models = {
        "main": model(estimator="cluster_robust", covariates=["girl"]),
        "other": model(role="sensitivity"),
        "alike": model(role="sensitivity", covariates=["girl"]),
    }
    found = {
        "main": {"maths": {"dropped": []}},
        "other": {"maths": told(fitted(frame))},
        "alike": {"maths": told(fitted(frame, "girl"))},
    }
    table = power_table(plan(models=models), assignment(), {"pupil": frame}, diagnostics=found)
    row = by_stage(table)["analysis"]
    wanted = observed_shares(found["alike"]["maths"])
    assert wanted is not None
    assert row["r2_pupil"] == wanted.r2_pupil
    assert row["note"] == "ICC and R² as in the model alike"


@pytest.mark.parametrize(
    ("covariates", "regressors"),
    [([], []), (["size", "girl"], ["size", "girl"]), (["girl", "girl", "size"], ["size", "girl"])],
)
def test_without_a_plan_or_a_multilevel_model_icc_and_r2_are_those_of_the_rows_analysed(
    covariates: list[str], regressors: list[str]
) -> None:
    frame = sample()
    models = {"main": model(estimator="cluster_robust", covariates=covariates)}
    table = power_table(
        plan(planned=None, models=models), assignment(), {"pupil": frame},
        diagnostics={"main": {"maths": {"dropped": []}}},
    )  # fmt: skip
    wanted = observed_shares(told(fitted(frame, *regressors)))
    assert wanted is not None
    for stage in ("randomisation", "analysis"):
        row = by_stage(table)[stage]
        found = (row["icc"], row["r2_school"], row["r2_pupil"])
        assert found == pytest.approx((wanted.icc, wanted.r2_school, wanted.r2_pupil), rel=1e-5)
        assert ESTIMATED in row["note"]
        assert row["mdes"] > 0


def test_an_outcome_that_does_not_vary_has_no_icc_and_the_row_says_so() -> None:
    frame = sample().assign(maths=1.0)
    models = {"main": model(estimator="cluster_robust")}
    table = power_table(
        plan(planned=None, models=models), assignment(), {"pupil": frame}, diagnostics={}
    )
    row = by_stage(table)["randomisation"]
    assert isnan(row["mdes"])
    assert "ICC and R² are neither planned nor found" in row["note"]


def test_fixed_blocks_explain_variance_between_schools_where_no_model_tells_it() -> None:
    frame = sample()
    blocked = model(estimator="cluster_robust", blocks="fixed")
    table = power_table(
        plan(planned=None, models={"main": blocked}), assignment(), {"pupil": frame}, diagnostics={}
    )
    frame = frame.assign(**{name: frame["block"] == name for name in ("b", "d")})
    wanted = observed_shares(told(fitted(frame.astype({"b": float, "d": float}), "b", "d")))
    assert wanted is not None
    assert by_stage(table)["randomisation"]["r2_school"] == pytest.approx(wanted.r2_school)


def test_a_model_of_another_form_has_the_precision_of_its_estimate() -> None:
    frame = sample()
    models = {"main": model(estimator="staggered_adoption")}
    reported = estimates(fitted(frame), estimand="ATT", std_error=1.5, df=np.inf)
    table = power_table(
        plan(models=models, kind="staggered"), assignment(), {"pupil": frame}, diagnostics={},
        estimates=reported,
    )  # fmt: skip
    row = by_stage(table)["analysis"]
    assert row["units_label"] == "points"
    assert row["mdes"] == pytest.approx(Precision(1.5, float("inf")).mdes())
    assert row["mdes"] == row["mdes_estimate"]
    assert row["n_units"] == 12
    assert isnan(row["power"])  # the effect assumed is in SD
    assert "as if all began at once" in by_stage(table)["protocol"]["note"]


def test_an_effect_size_in_the_table_puts_the_estimate_in_standard_deviations() -> None:
    models = {"main": model(estimator="difference_in_differences")}
    reported = estimates(fitted(sample()), df=np.inf, es_conf_low=-0.1, es_conf_high=0.3)
    table = power_table(plan(models=models), assignment(), {}, diagnostics={}, estimates=reported)
    row = by_stage(table)["analysis"]
    assert row["units_label"] == "SD"
    assert row["std_error"] == pytest.approx(0.2 / 1.959963985)


def test_a_subgroup_has_a_row_at_analysis_and_a_mere_year_has_none() -> None:
    frame = sample()
    models = {
        "main": model(),
        "girls": model(role="secondary", where_label="girls", where={"year": [2020], "girl": [1]}),
        "earlier": model(role="secondary", where_label="2018", where={"year": [2018]}),
    }
    girls = frame[frame["girl"] == 1]
    found = {"main": {"maths": told(fitted(frame))}, "girls": {"maths": told(fitted(girls))}}
    table = power_table(plan(models=models), assignment(), {"pupil": frame}, diagnostics=found)
    assert table["subgroup"].tolist() == ["all"] * 3 + ["girls"]
    row = table.iloc[-1]
    assert row["stage"] == "analysis"
    assert row["n_individuals"] == (girls["year"] == 2020).sum()
    assert row["std_error"] > 0


def test_each_arm_is_compared_with_the_control_arm() -> None:
    three = assignment().assign(arm=["t", "c", "v"] * 4)
    frame = sample().drop(columns="arm").merge(three[["school", "arm"]], on="school")
    table = power_table(
        plan(arms=("c", "t", "v"), planned=PLANNED | {"treated_share": 0.6}), three,
        {"pupil": frame},
    )  # fmt: skip
    assert table["arm"].tolist() == ["t", "t", "v", "v"]
    drawn = table[table["stage"] == "randomisation"]
    assert drawn["n_units"].tolist() == [8, 8]
    planned = table[table["stage"] == "protocol"]
    assert planned["n_units"].tolist() == pytest.approx([32 / 3, 32 / 3])
    assert planned["treated_share"].tolist() == pytest.approx([0.5, 0.5])


def test_teachers_drawn_within_schools_are_the_units_and_schools_the_blocks() -> None:
    teachers = pd.DataFrame(
        {"teacher": list("abcdefgh"), "school": list("xxxyyyyy"), "arm": list("tcctccct")}
    )
    frame = teachers.loc[teachers.index.repeat(6)].assign(
        cluster=lambda f: f["teacher"], block=lambda f: f["school"], year=2018
    )
    lottery = plan(
        unit="teacher", models={"main": model(blocks="fixed")},
        planned=PLANNED | {"schools": 8, "blocks": 2},
    )  # fmt: skip
    for listed in (teachers, teachers.drop(columns="school")):
        row = by_stage(power_table(lottery, listed, {"pupil": frame}))["randomisation"]
        assert (row["unit_kind"], row["n_units"], row["n_blocks"]) == ("teacher", 8, 2)
        assert row["individuals_per_unit"] == pytest.approx(6)
        information = 1 * 2 / 3 + 2 * 3 / 5
        variance = (0.2 * 0.5 + 0.8 * 0.6 / 6) / information
        assert row["std_error"] == pytest.approx(sqrt(variance))


def test_a_plan_for_pupils_says_nothing_of_outcomes_of_teachers() -> None:
    own = plan(outcomes={"maths": outcome(measured_on="teacher")})
    row = by_stage(power_table(own, assignment(), {"pupil": sample()}))["protocol"]
    assert isnan(row["mdes"])
    assert row["note"] == "the protocol plans no size for outcomes of teachers"


def test_schools_without_a_roster_and_blocks_without_a_contrast_are_told() -> None:
    frame = sample()
    gone = frame[~((frame["school"] == "s03") & (frame["year"] == 2018))]
    row = by_stage(power_table(plan(), assignment(), {"pupil": gone}))["randomisation"]
    assert row["note"] == "without a roster: 1, their size taken as the others'"
    assert row["n_units"] == 12
    later = frame[frame["year"] == 2020]
    row = by_stage(power_table(plan(), assignment(), {"pupil": later}))["randomisation"]
    assert "sizes of 2020: no roster of the baseline" in row["note"]
    assert row["individuals_per_unit"] == pytest.approx(8)
    apart = assignment().assign(block=lambda f: f["arm"])
    blocked = plan(models={"main": model(blocks="fixed")})
    row = by_stage(power_table(blocked, apart, {"pupil": frame}))["randomisation"]
    assert isnan(row["mdes"])
    assert "no block holds units of both groups" in row["note"]


def test_an_outcome_that_nobody_has_is_told() -> None:
    frame = sample().assign(maths=np.nan)
    found: dict[str, Any] = {"main": {"maths": {"dropped": []}}}
    for covariates in ([], ["size", "level"]):
        study = plan(models={"main": model(covariates=covariates)})
        table = power_table(study, assignment(), {"pupil": frame}, diagnostics=found)
        row = by_stage(table)["analysis"]
        assert isnan(row["n_units"])
        assert "no block holds units of both groups" in row["note"]


def test_more_covariates_than_schools_can_bear_are_told_and_nothing_is_computed() -> None:
    heavy = plan(planned=PLANNED | {"covariates_school": 12})
    row = by_stage(power_table(heavy, assignment(), {"pupil": sample()}))["protocol"]
    assert isnan(row["mdes"])
    assert "degrees of freedom" in row["note"]
    assert row["n_units"] == 16


def test_the_script_writes_the_table_of_the_files(tmp_path: Any) -> None:
    frame, listed, study = sample(), assignment(), plan()
    frame.to_parquet(tmp_path / "sample.parquet")
    listed.to_parquet(tmp_path / "assignment.parquet")
    for name in ("teachers", "panel"):
        pd.DataFrame(columns=["year", "outcome"]).to_parquet(tmp_path / f"{name}.parquet")
    no_estimates = pd.DataFrame(columns=["model", "outcome", "term", "estimand", "std_error"])
    no_estimates.to_csv(tmp_path / "estimates.csv")
    (tmp_path / "diagnostics.json").write_text("{}", "utf-8")
    protocol = completed({
        "study": {"name": "s", "title": "A trial", "seed": 0},
        "design": {"kind": "blocked", "arms": list(study.arms)},
        "years": {"baseline": [2018], "programme": [2020]},
        "tables": {}, "power": dict(study.settings), "outcomes": dict(study.outcomes),
        "models": dict(study.models),
    })  # fmt: skip
    check_power.main(
        protocol=protocol, assignment=str(tmp_path / "assignment.parquet"),
        sample=str(tmp_path / "sample.parquet"), teacher_sample=str(tmp_path / "teachers.parquet"),
        school_sample=str(tmp_path / "teachers.parquet"),
        panel=str(tmp_path / "panel.parquet"), estimates=str(tmp_path / "estimates.csv"),
        diagnostics=str(tmp_path / "diagnostics.json"), check=str(tmp_path / "power.csv"),
    )  # fmt: skip
    written = pd.read_csv(tmp_path / "power.csv")
    made = power_table(study, listed, {"pupil": frame}, diagnostics={}, estimates=no_estimates)
    assert written["stage"].tolist() == ["protocol", "randomisation", "analysis"]
    assert written["mdes"].tolist() == pytest.approx(made["mdes"].tolist(), rel=1e-9)
