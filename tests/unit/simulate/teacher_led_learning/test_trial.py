import dataclasses
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.models.multilevel.two_level import fit_two_level_frame
from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.school_randomised.trial import assign
from schooltrial.simulate.teacher_led_learning.classroom_observations import simulate_observations
from schooltrial.simulate.teacher_led_learning.parameters import Parameters
from schooltrial.simulate.teacher_led_learning.trial import complete_data, simulate
from support.monte_carlo import allowed_distance, allowed_error, monte_carlo

EFFECTS = {
    "practice": {"2023": 0.5},
    "knowledge": {"2023": 0.6},
    "maths": {"2023": 0.25},
    "ela": {"2023": 0.0},
    "attendance": {"2023": 0.0},
}
# Two years, small classes and a strong chain, so that few trials show what is planted.
TWO_YEARS: dict[str, Any] = {
    "years_during": (2023,),
    "years_after": (),
    "pupils_per_school": 120.0,
    "class_size": 14.0,
    "practice_slope": 0.3,
    "effects": EFFECTS,
    "lost_zero_years": (),
}
SMALL: dict[str, Any] = {
    "blocks": (("North", "elementary", 4), ("Centre", "elementary", 4), ("South", "middle", 4)),
    "pupils_per_school": 60.0,
    "class_size": 10.0,
}
SEEDS = range(500, 532)
FEW = 10
"""Trials of every run; with all seeds it is slow."""
Trial = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def trial() -> SimulatedTrial:
    return simulate(Parameters(), seed=2023)


@pytest.fixture(scope="module", params=[FEW, pytest.param(len(SEEDS), marks=pytest.mark.slow)])
def trials(request: pytest.FixtureRequest) -> list[Trial]:
    return [complete_data(Parameters(**TWO_YEARS), seed) for seed in SEEDS[: request.param]]


def effect(frame: pd.DataFrame, outcome: str, before: str) -> float:
    """Return the estimate of the two-level model, given the school's mean of the year before."""
    frame = frame[frame["year"] == 2023].assign(treatment=lambda f: f["treated"].astype(float))
    fitted = fit_two_level_frame(
        frame, outcome=outcome, fixed=["treatment", before], school="school"
    )
    return float(fitted.coefficients[1])


def with_school_before(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    first = frame[frame["year"] == 2022]
    return frame.assign(before=frame["school"].map(first.groupby("school")[column].mean()))


def year_means(parameters: Parameters, data: Trial, seed: int) -> pd.DataFrame:
    """Return teachers with the mean of the scores of their sheets, occasions weighted alike."""
    schools, teachers, _ = data
    sheets = simulate_observations(parameters, schools, teachers, seed)
    held = sheets[sheets["status"] == "held"]
    mean = held.groupby(["staff", "occasion"])["score"].mean().groupby("staff").mean()
    return teachers.assign(observed=mean).dropna(subset=["observed"])


# ---- the truth -----------------------------------------------------------------------------------


def test_the_true_effects_are_the_means_of_the_potential_outcomes(trial: SimulatedTrial) -> None:
    teachers, pupils = trial.complete["teachers"], trial.pupils
    for outcome, frame, unit in (
        ("practice", teachers, 1.0),
        ("knowledge", teachers, 0.5),
        ("maths", pupils, 15.0),
        ("ela", pupils, 15.0),
    ):
        gain = (frame[f"{outcome}_treated"] - frame[f"{outcome}_untreated"]) / unit
        assert len(gain)
        for year, mean in gain.groupby(frame["year"]).mean().items():
            assert trial.truth["effects"][outcome][str(year)] == pytest.approx(mean, abs=1e-9)
        assert trial.truth["effects"][outcome]["2022"] == 0
        assert trial.truth["effects"][outcome]["2024"] > 0


def test_before_newcomers_arrive_the_effect_is_the_one_that_was_set(trial: SimulatedTrial) -> None:
    truth = trial.truth
    assert truth["practice_effect_in_sd_of_year_mean"]["2023"] == pytest.approx(0.25)
    assert truth["effects"]["knowledge"]["2023"] == pytest.approx(0.5)
    assert truth["effects"]["maths"]["2023"] == pytest.approx(0.04)
    assert truth["n_newcomers"]["2023"] == 0


def test_newcomers_gain_their_share_and_pull_the_mean_effect_down(trial: SimulatedTrial) -> None:
    share = trial.truth["n_newcomers"]["2024"] / trial.truth["n_teachers"]["2024"]
    assert 0.05 < share < 0.25
    found = trial.truth["effects"]["knowledge"]["2024"]
    assert found == pytest.approx(0.6 * (1 - 0.5 * share))


def test_what_goes_through_practice_and_what_does_not_make_the_total(trial: SimulatedTrial) -> None:
    for subject in ("maths", "ela"):
        assert trial.truth["mediation"][subject]
        for year, parts in trial.truth["mediation"][subject].items():
            assert parts["total"] == trial.truth["effects"][subject][year]
            assert parts["through_practice"] + parts["direct"] == pytest.approx(parts["total"])
    parts = trial.truth["mediation"]["maths"]["2023"]
    # One SD of true practice is worth a tenth of an SD of pupils.
    in_true_sd = trial.truth["practice_effect_in_true_sd"]["2023"]
    assert parts["through_practice"] == pytest.approx(0.1 * in_true_sd)
    assert parts["share"] == pytest.approx(0.1 * in_true_sd / 0.04)
    assert trial.truth["mediation"]["maths"]["2022"]["share"] is None


def test_a_pupil_gains_through_the_practice_of_the_own_teacher(trial: SimulatedTrial) -> None:
    pupils, teachers = trial.pupils, trial.complete["teachers"]
    gain = (teachers["practice_treated"] - teachers["practice_untreated"]) / (0.45 * 0.45**0.5)
    expected = 0.1 * gain.to_numpy()[pupils["staff"]]
    np.testing.assert_allclose(pupils["maths_through_practice"], expected, atol=1e-12)
    same = teachers.loc[pupils["staff"]]
    for column in ("year", "grade", "school"):
        assert (same[column].to_numpy() == pupils[column].to_numpy()).all()


@pytest.mark.slow
def test_the_multilevel_model_recovers_the_effect_on_pupils(trials: list[Trial]) -> None:
    for subject, planted in (("maths", 0.25), ("ela", 0.0)):
        found = []
        for _, _, pupils in trials:
            means = {int(k): v for k, v in dict(Parameters().score_mean)[subject]}
            z = (pupils[subject] - pupils["grade"].map(means)) / 15
            found.append(effect(with_school_before(pupils.assign(z=z), "z"), "z", "before"))
        mean, error = monte_carlo(found)
        assert error < allowed_error(0.02, len(trials), len(SEEDS))
        assert abs(mean - planted) < allowed_distance(len(trials), len(SEEDS)) * error


@pytest.mark.slow
def test_the_multilevel_model_recovers_the_effect_on_observed_practice(
    trials: list[Trial],
) -> None:
    parameters = Parameters(**TWO_YEARS)
    found = []
    for seed, data in zip(SEEDS[: len(trials)], trials, strict=True):
        teachers = with_school_before(year_means(parameters, data, seed), "observed")
        found.append(effect(teachers, "observed", "before"))
    mean, error = monte_carlo(found)
    planted = 0.5 * parameters.true_sd / parameters.reliability**0.5
    assert error < allowed_error(planted / 10, len(trials), len(SEEDS))
    assert abs(mean - planted) < allowed_distance(len(trials), len(SEEDS)) * error


@pytest.mark.slow
def test_the_multilevel_model_recovers_the_effect_on_knowledge(trials: list[Trial]) -> None:
    found = []
    for _, teachers, _ in trials:
        answered = teachers[teachers["returned"]]
        answered = answered.assign(z=answered["knowledge_score"] / 0.5)
        found.append(effect(with_school_before(answered, "z"), "z", "before"))
    mean, error = monte_carlo(found)
    assert error < allowed_error(0.05, len(trials), len(SEEDS))
    assert abs(mean - 0.6) < allowed_distance(len(trials), len(SEEDS)) * error


@pytest.mark.slow
def test_pupils_of_one_school_differ_by_the_true_practice_of_their_teachers(
    trials: list[Trial],
) -> None:
    found = []
    for _, teachers, pupils in trials:
        practice = teachers["practice_z"].to_numpy()[pupils["staff"]]
        z = pupils["maths_untreated"] / 15
        cell = [pupils["year"], pupils["school"], pupils["grade"]]
        frame = pd.DataFrame({"z": z, "practice": practice})
        frame = frame - frame.groupby(cell).transform("mean")
        found.append(float((frame["z"] * frame["practice"]).sum() / (frame["practice"] ** 2).sum()))
    mean, error = monte_carlo(found)
    assert error < allowed_error(0.01, len(trials), len(SEEDS))
    assert abs(mean - 0.3) < allowed_distance(len(trials), len(SEEDS)) * error


# ---- practice as observed ------------------------------------------------------------------------


def components(sheets: pd.DataFrame, occasions: int, raters: int) -> dict[str, float]:
    """Return the variance components of complete sheets, from expected mean squares."""
    sheets = sheets.sort_values(["staff", "occasion"], kind="stable")
    y = sheets["value"].to_numpy().reshape(-1, occasions, raters)
    mean = y.mean(axis=(1, 2), keepdims=True)
    lesson, rater = y.mean(axis=2, keepdims=True) - mean, y.mean(axis=1, keepdims=True) - mean
    residual = y - mean - lesson - rater
    ms_residual = (residual**2).sum(axis=(1, 2)).mean() / ((occasions - 1) * (raters - 1))
    ms_lesson = raters * (lesson**2).sum(axis=(1, 2)).mean() / (occasions - 1)
    ms_rater = occasions * (rater**2).sum(axis=(1, 2)).mean() / (raters - 1)
    return {
        "mean": float(mean.var(ddof=1)),
        "occasion": float(ms_lesson - ms_residual) / raters,
        "rater": float(ms_rater - ms_residual) / occasions,
        "residual": float(ms_residual),
    }


@pytest.mark.slow
@pytest.mark.parametrize("n_trials", [6, 24])
def test_an_analysis_of_variance_of_the_sheets_finds_the_stated_reliability(n_trials: int) -> None:
    # Many raters, so that their severities have the variance that was set, near enough.
    parameters = Parameters(
        raters_per_district=400,
        pupils_per_school=60.0,
        missed_occasion_rate=0.0,
        absent_rater_rate=0.0,
        practice_range=(-10.0, 10.0),
    )
    shares = dict(parameters.observation_variance)
    found: list[float] = []
    parts: dict[str, list[float]] = {name: [] for name in ("occasion", "rater", "residual")}
    for seed in range(n_trials):
        schools, teachers, _ = complete_data(parameters, seed)
        teachers = teachers.assign(practice=teachers["practice_untreated"])
        sheets = simulate_observations(parameters, schools, teachers, seed)
        sheets = sheets.assign(value=sheets["score"])
        variance = components(sheets, occasions=3, raters=2)
        for name in parts:
            parts[name].append(variance[name] / 0.45**2)
        noise = variance["occasion"] / 3 + variance["rater"] / 2 + variance["residual"] / 6
        found.append(1 - noise / variance["mean"])
    for name, values in parts.items():
        mean, error = monte_carlo(values)
        assert error < allowed_error(0.01, n_trials, 24)
        assert abs(mean - shares[name]) < allowed_distance(n_trials, 24) * error, name
    stated = 0.45 / (0.45 + 0.2 / 3 + 0.1 / 2 + 0.25 / 6)
    assert parameters.reliability == pytest.approx(stated)
    mean, error = monte_carlo(found)
    assert error < allowed_error(0.005, n_trials, 24)
    assert abs(mean - stated) < allowed_distance(n_trials, 24) * error


def test_the_squared_correlation_of_year_means_with_true_practice_is_the_reliability(
    trial: SimulatedTrial,
) -> None:
    sheets = trial.complete["observations"]
    whole = sheets.groupby("staff")["status"].transform(lambda s: (s != "held").sum()) == 0
    mean = sheets[whole].groupby("staff")["score"].mean()
    teachers = trial.complete["teachers"].loc[mean.index]
    for treated in (False, True):
        arm = (teachers["treated"] == treated).to_numpy()
        r = np.corrcoef(mean[arm], teachers["practice"][arm])[0, 1]
        stated = trial.truth["reliability"]["year_mean"]
        # Fisher's z; teachers of a school and raters of a district are not independent, hence 4.
        assert abs(np.arctanh(r) - np.arctanh(np.sqrt(stated))) < 4 / np.sqrt(arm.sum() - 3)


def test_more_lessons_and_raters_make_the_mean_more_reliable() -> None:
    one = dataclasses.replace(Parameters(), occasions=(("spring", "04-15"),), raters_per_lesson=1)
    assert one.reliability == pytest.approx(0.45)
    two = dataclasses.replace(one, raters_per_lesson=2)
    assert two.reliability == pytest.approx(0.45 / (0.45 + 0.2 + 0.05 + 0.125))
    assert Parameters().reliability > two.reliability


def test_a_teacher_is_seen_by_the_same_two_raters_of_the_district_all_year(
    trial: SimulatedTrial,
) -> None:
    sheets = trial.complete["observations"]
    by_year = sheets.groupby("staff")["rater"].nunique()
    assert (by_year == 2).all()
    assert (sheets.groupby(["staff", "occasion"])["rater"].nunique() == 2).all()
    assert (sheets["rater"].str[:3] == sheets["district"].str[:3].str.upper()).all()


@pytest.mark.slow
@pytest.mark.parametrize(("outcome", "icc"), [("practice", 0.15), ("knowledge", 0.1)])
def test_teachers_outcomes_have_variance_one_and_the_set_icc(
    trials: list[Trial], outcome: str, icc: float
) -> None:
    between, total = [], []
    for _, teachers, _ in trials:
        rows = teachers[teachers["year"] == 2023]
        groups = rows[f"{outcome}_z"].groupby(rows["school"])
        size, within = groups.size(), groups.var()
        pooled = float(((size - 1) * within).sum() / (size - 1).sum())
        between.append(float(groups.mean().var() - pooled * (1 / size).mean()))
        total.append(between[-1] + pooled)
    for values, expected in ((between, icc), (total, 1.0)):
        mean, error = monte_carlo(values)
        assert error < allowed_error(0.02, len(trials), len(SEEDS))
        assert abs(mean - expected) < allowed_distance(len(trials), len(SEEDS)) * error


@pytest.mark.slow
def test_pupils_scores_keep_variance_one_and_their_icc_with_classes_added(
    trials: list[Trial],
) -> None:
    between, total = [], []
    for _, _, pupils in trials:
        rows = pupils[pupils["year"] == 2023]
        means = {int(k): v for k, v in dict(Parameters().score_mean)["maths"]}
        z = (rows["maths_untreated"] - rows["grade"].map(means)) / 15
        rows = rows.assign(z=z)
        # A contrast of pupils in other grades, who share a school and no class.
        cells = rows.groupby(["school", "grade"])["z"].mean().unstack()
        grand = cells.to_numpy().mean()
        pairs = [(3, 4), (3, 5), (4, 5)]
        products = [((cells[a] - grand) * (cells[b] - grand)).sum() / 47 for a, b in pairs]
        between.append(float(np.mean(products)))
        total.append(float(z.var()))
    for values, expected in ((between, 0.12), (total, 1.0)):
        mean, error = monte_carlo(values)
        assert error < allowed_error(0.01, len(trials), len(SEEDS))
        assert abs(mean - expected) < allowed_distance(len(trials), len(SEEDS)) * error


# ---- the design ----------------------------------------------------------------------------------


def test_one_school_of_each_pair_is_treated_and_pairs_are_alike_in_maths(
    trial: SimulatedTrial,
) -> None:
    schools = trial.schools
    pairs = schools.groupby("block")
    assert (pairs.size() == 2).all()
    assert (pairs["treated"].sum() == 1).all()
    assert (pairs["district"].nunique() == 1).all()
    gap = pairs["maths_baseline"].agg(np.ptp).mean()
    assert gap < schools["maths_baseline"].std() / 3
    drawn = trial.files["assignment_list.csv"]
    again = assign(drawn, int(drawn["draw_seed"].iloc[0]))
    assert (drawn["arm"] == np.where(again, "T", "C")).all()


def test_teachers_leave_at_the_set_rate_and_newcomers_are_those_who_came_in_time(
    trial: SimulatedTrial,
) -> None:
    teachers = trial.complete["teachers"]
    per_class = teachers["teacher"].to_numpy().reshape(4, -1)
    left = (per_class[1:] != per_class[:-1]).mean()
    assert left == pytest.approx(0.14, abs=0.03)
    came = teachers.groupby("teacher")["year"].transform("min")
    assert (teachers["newcomer"] == (came > 2023)).all()
    assert (teachers["since"] <= teachers["year"]).all()
    assert (teachers["since"] == came)[came > 2022].all()
    assert teachers.groupby("teacher")["teacher_id"].nunique().eq(1).all()
    assert teachers.groupby("teacher_id")["teacher"].nunique().eq(1).all()


def test_classes_of_a_grade_are_alike_in_size(trial: SimulatedTrial) -> None:
    sizes = trial.pupils.groupby(["year", "school", "grade", "staff"]).size()
    spread = sizes.groupby(["year", "school", "grade"]).agg(np.ptp)
    assert spread.max() <= 1
    assert sizes.mean() == pytest.approx(20, abs=1.5)


def test_a_few_control_schools_stand_in_the_log_with_peer_sessions_only(
    trial: SimulatedTrial,
) -> None:
    log = trial.files["programme_log.csv"]
    schools = trial.schools.set_index("school_code")["treated"]
    treated = log["school_code"].map(schools).astype(bool)
    exposed = log[~treated]
    assert sorted(exposed["school_code"].unique()) == trial.truth["exposed_control_schools"]
    assert len(trial.truth["exposed_control_schools"]) == 2
    assert set(exposed["component"]) == {"peer_sessions"}
    assert set(log.loc[treated, "school_code"]) == set(schools.index[schools])
    key = ["school_code", "leader_id", "component", "month"]
    assert not log.duplicated(key).any()


# ---- reproducibility -----------------------------------------------------------------------------


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    first, again, other = (simulate(Parameters(**SMALL), seed) for seed in (1, 1, 2))
    assert first.truth == again.truth
    assert first.delimiters == again.delimiters == {"observations_south.csv": ";"}
    assert first.files
    for name, frame in first.files.items():
        code = first.encodings[name]
        assert frame.to_csv(index=False).encode(code) == again.files[name].to_csv(
            index=False
        ).encode(code)
        assert not frame.equals(other.files[name]), name
    assert first.complete
    for name, frame in first.complete.items():
        pd.testing.assert_frame_equal(frame, again.complete[name])


@pytest.mark.slow
def test_a_further_year_leaves_teachers_and_pupils_of_the_others_as_they_were() -> None:
    effects = {o: dict(years) | {"2026": 0.0} for o, years in Parameters().effects}
    longer = Parameters(**SMALL, years_after=(2025, 2026), effects=effects)  # type: ignore[arg-type]
    short, long = simulate(Parameters(**SMALL), 3), simulate(longer, 3)
    added = {f"{name}_2026.csv" for name in ("roster", "scores", "staff", "survey")}
    assert set(long.files) - set(short.files) == added
    assert short.files
    for name, frame in short.files.items():
        if not name.startswith("observations"):  # these hold all years, and their faults
            pd.testing.assert_frame_equal(frame, long.files[name])
    for name in ("teachers", "observations"):
        part = long.complete[name]
        part = part[part["year"] < 2026].reset_index(drop=True)
        columns = [c for c in part if c != "status"]
        whole = short.complete[name]
        pd.testing.assert_frame_equal(
            part[columns].sort_values(["year", *columns[:1]], ignore_index=True, kind="stable"),
            whole[columns].sort_values(["year", *columns[:1]], ignore_index=True, kind="stable"),
        )


def test_the_truth_can_be_written_as_json(trial: SimulatedTrial) -> None:
    assert json.loads(json.dumps(trial.truth)) == trial.truth


# ---- parameters ----------------------------------------------------------------------------------


def test_a_section_of_values_and_sources_becomes_parameters_of_this_trial() -> None:
    section = {
        "practice_slope": {"value": 0.2, "source": "assumption"},
        "occasions": {"value": {"spring": "04-15"}, "source": "assumption"},
    }
    parameters = Parameters.from_mapping(section)
    assert isinstance(parameters, Parameters)
    assert parameters.practice_slope == 0.2
    assert parameters.occasions == (("spring", "04-15"),)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"practise_slope": 0.1}, "Did you mean 'practice_slope'"),
        ({"observation_variance": {"teacher": 1.0}}, "occasion, rater, residual shares that sum"),
        ({"observation_variance": {"teacher": 0.0, "occasion": 0.5, "rater": 0.25,
                                   "residual": 0.25}}, "that of the teacher"),
        ({"occasions": {}}, "name one at least"),
        ({"raters_per_lesson": 9}, "no more than raters_per_district, 8"),
        ({"practice_slope": 0.99}, "leave no variance to pupils"),
        ({"practice_slope": 0.9, "class_share": 0.0, "icc": {
            "maths": 0.1, "ela": 0.1, "attendance": 0.1, "practice": 0.5, "knowledge": 0.1}},
         "less than practice alone brings about"),
        ({"icc": {"maths": 0.1, "ela": 0.1, "attendance": 0.1, "practice": 0.5}}, "icc of 'know"),
        ({"years_after": [2025, 2026]}, r"lack the years \[2026\]"),
        ({"lost_zero_years": [1999]}, "lost_zero_years names 1999"),
        ({"decimal_comma_districts": ["West"]}, "'West'; the trial has Centre, North, South"),
        ({"teacher_leaver_rate": 14}, "share, from 0 to 1"),
        ({"class_size": 0}, "it is above 0"),
        ({"practice_range": [4.0, 1.0]}, "two numbers, the lesser first"),
        ({"practice_stability": 1.5}, "it is from 0 to 1"),
        ({"occasions": {"winter": "13-01"}}, "write month and day as MM-DD"),
        ({"exposed_control_schools": -1}, "it is 0 or more"),
    ],
)  # fmt: skip
def test_a_parameter_that_no_such_trial_can_have_is_refused(
    section: dict[str, Any], message: str
) -> None:
    told = {name: {"value": value, "source": "assumption"} for name, value in section.items()}
    with pytest.raises(ValueError, match=message):
        Parameters.from_mapping(told)
