import dataclasses
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.random_streams import stream
from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.school_randomised.parameters import OUTCOMES, Parameters
from schooltrial.simulate.school_randomised.trial import assign, complete_data, simulate
from support.monte_carlo import allowed_distance, allowed_error, monte_carlo

SEEDS = range(100, 148)
FEW = 12
"""Trials of every run; with all seeds it is slow."""
# The default trial, without the years that the recovery tests do not read.
THREE_YEARS = Parameters(years_before=(2018,), years_after=())
SMALL = Parameters(
    blocks=(("North", "elementary", 4), ("North", "middle", 4)),
    pupils_per_school=60.0,
)


@pytest.fixture(scope="module")
def trial() -> SimulatedTrial:
    return simulate(Parameters(), seed=2018)


@pytest.fixture(scope="module", params=[FEW, pytest.param(len(SEEDS), marks=pytest.mark.slow)])
def trials(request: pytest.FixtureRequest) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    return [complete_data(THREE_YEARS, seed) for seed in SEEDS[: request.param]]


def standardised(pupils: pd.DataFrame, column: str = "maths") -> pd.Series:
    outcome = column.split("_")[0]
    means = {int(k): v for k, v in dict(Parameters().score_mean)[outcome]}
    return (pupils[column] - pupils["grade"].map(means)) / 15.0


def school_means(pupils: pd.DataFrame, subject: str, year: int) -> pd.DataFrame:
    rows = pupils[(pupils["year"] == year) & (pupils[f"{subject}_status"] == "valid")]
    return standardised(rows, subject).groupby(rows["school"]).agg(["mean", "size"])


def adjusted_difference(schools: pd.DataFrame, pupils: pd.DataFrame, subject: str) -> float:
    """Return the difference in 2020 school means, given those of 2018 and the block."""
    before, after = (school_means(pupils, subject, year) for year in (2018, 2020))
    blocks = pd.get_dummies(schools["block"]).to_numpy(dtype=float)
    design = np.column_stack([schools["treated"], before["mean"], blocks]).astype(float)
    weight = np.sqrt(after["size"].to_numpy(dtype=float))
    fit = np.linalg.lstsq(design * weight[:, None], after["mean"].to_numpy() * weight, rcond=None)
    return float(fit[0][0])


# ---- the truth -----------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["maths", "ela"])
def test_the_adjusted_difference_recovers_the_true_effect(
    trials: list[tuple[pd.DataFrame, pd.DataFrame]], subject: str
) -> None:
    mean, error = monte_carlo([adjusted_difference(*data, subject) for data in trials])
    assert error < allowed_error(0.015, len(trials), len(SEEDS))
    assert abs(mean - 0.075) < allowed_distance(len(trials), len(SEEDS)) * error
    assert mean > 3 * error


def test_potential_scores_differ_by_the_effect_of_the_year_and_not_before(
    trial: SimulatedTrial,
) -> None:
    pupils = trial.pupils
    gain = (pupils["maths_treated"] - pupils["maths_untreated"]).groupby(pupils["year"])
    expected = {2017: 0.0, 2018: 0.0, 2019: 0.75, 2020: 1.125, 2021: 0.9, 2022: 0.75}
    for year, points in expected.items():
        np.testing.assert_allclose(gain.get_group(year), points, atol=1e-9)
        assert trial.truth["effects_in_scale_points"]["maths"][str(year)] == pytest.approx(points)


def test_the_programme_leaves_attendance_as_it_was(trial: SimulatedTrial) -> None:
    np.testing.assert_array_equal(
        trial.pupils["attendance_treated"], trial.pupils["attendance_untreated"]
    )


def test_a_pupil_realises_the_potential_score_of_the_school_of_that_year(
    trial: SimulatedTrial,
) -> None:
    pupils = trial.pupils
    treated = trial.schools["treated"].to_numpy()[pupils["school"]]
    realised = np.where(treated, pupils["maths_treated"], pupils["maths_untreated"])
    assert (np.abs(pupils["maths"] - realised) <= 0.5).all()


@pytest.mark.parametrize("subject", ["maths", "ela"])
def test_the_intraclass_correlation_is_as_set(
    trials: list[tuple[pd.DataFrame, pd.DataFrame]], subject: str
) -> None:
    found, spread = [], []
    for _, pupils in trials:
        rows = pupils[pupils["year"] == 2020]
        groups = standardised(rows, f"{subject}_untreated").groupby(rows["school"])
        size, within = groups.size(), groups.var()
        pooled = float(((size - 1) * within).sum() / (size - 1).sum())
        between = float(groups.mean().var() - pooled * (1 / size).mean())
        found.append(between / (between + pooled))
        spread.append(between + pooled)
    mean, error = monte_carlo(found)
    assert error < allowed_error(0.01, len(trials), len(SEEDS))
    assert abs(mean - 0.12) < allowed_distance(len(trials), len(SEEDS)) * error
    mean, error = monte_carlo(spread)
    assert abs(mean - 1) < allowed_distance(len(trials), len(SEEDS)) * error


def test_a_pretest_explains_the_set_share_among_pupils_of_a_school(
    trials: list[tuple[pd.DataFrame, pd.DataFrame]],
) -> None:
    found = []
    for _, pupils in trials[:8]:
        pupils = pupils.assign(z=standardised(pupils, "maths_untreated"))
        before, after = (pupils[pupils["year"] == year] for year in (2019, 2020))
        both = before.merge(after, on=["pupil", "school"], suffixes=("_before", "_after"))
        centred = both[["z_before", "z_after"]] - both.groupby("school")[
            ["z_before", "z_after"]
        ].transform("mean")
        found.append(float(centred.corr().iloc[0, 1]) ** 2)
    assert np.mean(found) == pytest.approx(0.6, abs=0.02)


@pytest.mark.slow
def test_a_pretest_explains_the_set_share_among_schools_of_a_level() -> None:
    # Schools so large that their means are their effects, near enough.
    big = Parameters(
        pupils_per_school=800.0,
        years_before=(2018,),
        years_during=(2019,),
        years_after=(),
        renamed_columns=(),
    )
    pairs: dict[str, list[pd.DataFrame]] = {"elementary": [], "middle": []}
    for seed in range(8):
        schools, pupils = complete_data(big, seed)
        z = standardised(pupils, "maths_untreated")
        means = z.groupby([pupils["school"], pupils["year"]]).mean().unstack()
        means = means - means.groupby(schools["district"]).transform("mean")
        for level, found in pairs.items():
            found.append(means[(schools["level"] == level).to_numpy()])
    for level, share in (("elementary", 0.5), ("middle", 0.8)):
        r = float(pd.concat(pairs[level]).corr().iloc[0, 1])
        # Fisher's z of the set correlation, with 8 × 20 schools.
        assert abs(np.arctanh(r) - np.arctanh(np.sqrt(share))) < 3 / np.sqrt(157), level


def test_covariates_predict_the_scores_of_those_who_have_them(trial: SimulatedTrial) -> None:
    z = standardised(trial.pupils, "ela_untreated")
    for covariate in ("male", "disadvantaged", "english_learner", "special_education"):
        has = trial.pupils[covariate].astype(bool)
        assert z[has].mean() < z[~has].mean() - 0.05


def test_low_ability_pupils_miss_more_tests_and_the_rate_is_as_set(trial: SimulatedTrial) -> None:
    absent = trial.pupils["maths_status"] == "absent"
    assert absent.mean() == pytest.approx(0.06, abs=0.01)
    ability = trial.pupils["maths_ability"]
    assert ability[absent].mean() < ability[~absent].mean() - 0.2


# ---- the design ----------------------------------------------------------------------------------


def test_about_5900_pupils_of_40_schools_are_analysed_in_2020(
    trial: SimulatedTrial, trials: list[tuple[pd.DataFrame, pd.DataFrame]]
) -> None:
    counts = []
    assert trials
    for _, pupils in trials:
        rows = pupils[pupils["year"] == 2020]
        assert rows["school"].nunique() == 40
        counts += [int((rows[f"{s}_status"] == "valid").sum()) for s in ("maths", "ela")]
    assert np.mean(counts) == pytest.approx(5935, rel=0.01)
    for subject in ("maths", "ela"):
        assert trial.truth["n_analysed"][subject]["2020"] == pytest.approx(5935, rel=0.03)


def test_twenty_of_forty_schools_in_three_districts_are_treated(trial: SimulatedTrial) -> None:
    schools = trial.schools
    assert (len(schools), int(schools["treated"].sum()), schools["district"].nunique()) == (
        40,
        20,
        3,
    )
    assert schools["school_code"].is_unique
    assert schools["school_name"].is_unique
    assert schools["school_name"].str.endswith("(synthetic)").all()


@settings(deadline=None, max_examples=25, derandomize=True)
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5), seed=st.integers(0, 2**31 - 1))
def test_half_of_each_block_is_treated_whatever_the_blocks(sizes: list[int], seed: int) -> None:
    block = np.repeat([f"b{k}" for k in range(len(sizes))], [2 * size for size in sizes])
    schools = pd.DataFrame({"school_code": [f"{k:04d}" for k in range(len(block))], "block": block})
    treated = pd.Series(assign(schools, seed)).groupby(block).mean()
    assert (treated == 0.5).all()


def test_the_recorded_seed_redraws_the_assignment_list(trial: SimulatedTrial) -> None:
    drawn = trial.files["assignment_list.csv"]
    again = assign(drawn, int(drawn["draw_seed"].iloc[0]))
    assert (drawn["arm"] == np.where(again, "T", "C")).all()
    assert trial.truth["randomisation_seed"] == int(drawn["draw_seed"].iloc[0])


def test_pupils_go_up_a_grade_a_year_and_pass_to_a_middle_school_of_their_district(
    trial: SimulatedTrial,
) -> None:
    pupils = trial.pupils.sort_values(["pupil", "year"])
    step = pupils.groupby("pupil")[["year", "grade"]].diff().dropna()
    assert (step == 1).all().all()
    level = trial.schools["level"].to_numpy()[pupils["school"]]
    assert ((level == "middle") == (pupils["grade"] >= 6)).all()
    district = pd.Series(trial.schools["district"].to_numpy()[pupils["school"]], pupils.index)
    assert (district.groupby(pupils["pupil"]).nunique() == 1).all()


def test_schools_keep_their_size_over_the_years(trial: SimulatedTrial) -> None:
    sizes = trial.pupils.groupby(["year", "school"]).size().unstack("year")
    relative = sizes.div(trial.schools["size"], axis=0).mean()
    assert relative.to_numpy() == pytest.approx(np.ones(6), abs=0.04)


def test_the_programme_log_is_of_treated_schools_with_one_to_three_leaders(
    trial: SimulatedTrial,
) -> None:
    log = trial.files["programme_log.csv"]
    treated = trial.schools.loc[trial.schools["treated"], "school_code"]
    assert set(log["school_code"]) == set(treated)
    posts = log.groupby(["school_code", "month"])["leader_id"].nunique()
    assert posts.between(1, 3).all()
    hours = log[log["component"] != "peer_sessions"].astype({"value": float})
    per_post = hours.groupby(hours["leader_id"].str[:4])["value"].sum()
    assert 90 < per_post.median() < 120


# ---- reproducibility -----------------------------------------------------------------------------


@pytest.mark.slow
def test_the_same_seed_gives_the_same_frames_and_another_seed_does_not() -> None:
    first, again, other = (simulate(SMALL, seed) for seed in (1, 1, 2))
    assert first.truth == again.truth
    assert first.files
    for name, frame in first.files.items():
        pd.testing.assert_frame_equal(frame, again.files[name])
        assert not frame.equals(other.files[name]), name
    pd.testing.assert_frame_equal(first.pupils, again.pupils)


@pytest.mark.slow
def test_a_further_year_leaves_the_files_of_the_others_as_they_were() -> None:
    effects: Any = {o: dict(years) | {"2023": 0.0} for o, years in SMALL.effects}
    longer = dataclasses.replace(SMALL, years_after=(2021, 2022, 2023), effects=effects)
    short, long = simulate(SMALL, 3), simulate(longer, 3)
    assert set(long.files) - set(short.files) == {"roster_2023.csv", "scores_2023.csv"}
    assert short.files
    for name, frame in short.files.items():
        pd.testing.assert_frame_equal(frame, long.files[name])


def test_more_of_one_fault_leaves_every_other_file_as_it_was() -> None:
    more = dataclasses.replace(SMALL, impossible_scores=9)
    before, after = simulate(SMALL, 3), simulate(more, 3)
    assert before.files
    for name, frame in before.files.items():
        assert frame.equals(after.files[name]) == (not name.startswith("scores")), name


def test_a_stream_depends_on_its_name_and_on_no_other_stream() -> None:
    first = stream(5, "entrants", 2019).random(3)
    stream(5, "something new").random(1000)
    np.testing.assert_array_equal(first, stream(5, "entrants", 2019).random(3))
    assert not np.array_equal(first, stream(5, "entrants", 2020).random(3))
    assert not np.array_equal(first, stream(6, "entrants", 2019).random(3))


def test_the_truth_can_be_written_as_json(trial: SimulatedTrial) -> None:
    assert json.loads(json.dumps(trial.truth)) == trial.truth


# ---- parameters ----------------------------------------------------------------------------------


def test_a_section_of_values_and_sources_becomes_parameters() -> None:
    effects: Any = {o: {2019: 0.0, 2020: 0.5, 2021: 0.0, 2022: 0.0} for o in OUTCOMES}
    section = {
        "effects": {"value": effects, "source": "assumption"},
        "leaver_rate": {"value": 0.2, "source": "assumption"},
    }
    parameters = Parameters.from_mapping(section)
    assert parameters.effect("maths", 2020) == 0.5
    assert parameters == dataclasses.replace(Parameters(), effects=effects, leaver_rate=0.2)
    assert hash(parameters) != hash(Parameters())


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"leaver_rat": {"value": 0.1}}, "Did you mean 'leaver_rate'"),
        ({"leaver_rate": 0.1}, "write it as"),
        ({"leaver_rate": {"value": 8}}, "share, from 0 to 1"),
        ({"blocks": {"value": [["North", "middle", 3]]}}, "give it an even number"),
        ({"blocks": {"value": [["North", "upper", 4]]}}, "must be one of elementary, middle"),
        ({"blocks": {"value": [["West", "middle", 4]]}}, "no entry in district_shift"),
        ({"years_after": {"value": [2022]}}, "without a gap"),
        ({"years_after": {"value": [2021, 2022, 2023]}}, r"lack the years \[2023\]"),
        ({"absent_codes": {"value": {"ABS": 0.4}}}, "make them sum to 1"),
        ({"outcome_correlation": {"value": {"maths ela": 1.0}}}, "nearer to 0"),
        (
            {"covariate_effects": {"value": {"male": dict.fromkeys(OUTCOMES, 3)}}},
            "make them smaller",
        ),
        ({"pupils_per_school": {"value": "many"}}, "pupils_per_school is 'many'; it is a number"),
        ({"pupils_per_school": {"value": 0}}, "it is above 0"),
        ({"score_sd": {"value": {"maths": -1, "ela": 15}}}, "score_sd of 'maths' is -1"),
        ({"score_sd": {"value": [15, 15]}}, "write it in the form {maths: 15.0, ela: 15.0}"),
        ({"score_sd": {"value": {"maths": 15}}}, "score_sd has no entry for ela"),
        ({"score_range": {"value": [350, 100]}}, "two numbers, the lesser first"),
        ({"score_range": {"value": [100]}}, "two numbers, the lesser first"),
        ({"icc": {"value": {"maths": 1.2, "ela": 0.1, "attendance": 0.1}}}, "it is from 0 to 1"),
        ({"duplicate_roster_rows": {"value": -1}}, "it is 0 or more"),
        ({"duplicate_roster_rows": {"value": 1.5}}, "it is a whole number"),
        ({"school_days": {"value": 400}}, "from 20 to 366"),
        ({"assignment_date": {"value": "June 2018"}}, "write a day as YYYY-MM-DD"),
        ({"renamed_columns": {"value": [["roster_2017.csv", "sex"]]}}, "write it in the form"),
        ({"absent_codes": {"value": {"away": 1.0}}}, "the codes are ABS, -99, blank, no_row"),
        ({"outcome_correlation": {"value": {"maths reading": 0.5}}}, "name pairs of maths, ela"),
        ({"blocks": {"value": []}}, "name one at least"),
        ({"blocks": {"value": [["North", "middle", 1000]]}}, "more than 899 schools"),
        ({"leaders_per_school": {"value": [0, 2]}}, "the lesser first, 1 or more"),
        ({"score_mean": {"value": {"maths": {"3": 200}, "ela": {"3": 200}}}}, "lacks grade 4"),
    ],
)
def test_a_parameter_that_no_trial_can_have_is_refused(
    section: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Parameters.from_mapping(section)
