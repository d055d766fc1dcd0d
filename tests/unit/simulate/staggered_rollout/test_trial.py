import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.staggered_rollout.effects import true_effects
from schooltrial.simulate.staggered_rollout.parameters import OUTCOMES, REGIONS, RolloutParameters
from schooltrial.simulate.staggered_rollout.trial import complete_data, simulate
from support.monte_carlo import monte_carlo

SEEDS = range(300, 360)
YEARS = RolloutParameters().years
# Rates far from 0 and 100, so that none is cut and the means of the effects are as set.
CENTRAL = RolloutParameters(school_sd=(("ela", 4.0), ("maths", 4.0)), shock_sd=2.0)
UNCHANGED = RolloutParameters(school_changes=(), treated_changes=())
SELECTED = dataclasses.replace(UNCHANGED, selection_on_trend=1.5)
SMALL = RolloutParameters(
    treated_schools=tuple((r, (("2016", 2), ("2017", 2))) for r in REGIONS),
    comparison_schools=tuple((r, 24) for r in REGIONS),
)

EACH = pytest.mark.parametrize(
    "outcome",
    [OUTCOMES[0], *(pytest.param(outcome, marks=pytest.mark.slow) for outcome in OUTCOMES[1:])],
)


@pytest.fixture(scope="module")
def trial() -> SimulatedTrial:
    return simulate(RolloutParameters(), seed=2016)


@pytest.fixture(scope="module")
def trials() -> list[SimulatedTrial]:
    return [simulate_without_files(RolloutParameters(), seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def selected() -> list[SimulatedTrial]:
    return [simulate_without_files(SELECTED, seed) for seed in SEEDS]


def simulate_without_files(parameters: RolloutParameters, seed: int) -> SimulatedTrial:
    """Return a trial with its true effects and no files, which take longest."""
    schools, school_years, _ = complete_data(parameters, seed)
    truth = true_effects(parameters, school_years)
    return SimulatedTrial({}, {}, truth, {"schools": schools, "school_years": school_years})


def differences(trial: SimulatedTrial, outcome: str) -> dict[tuple[int, int], float]:
    """Return, by cohort and year, the change since the year before entry against the others' of
    the same region, each treated school counting once."""
    schools = trial.schools
    wide = trial.complete["school_years"].pivot(index="school", columns="year", values=outcome)
    wide = wide.reindex(range(len(schools)))
    region, cohort = schools["region"].to_numpy(), schools["cohort"].to_numpy()
    found = {}
    for entered in (2016, 2017):
        change = wide.sub(wide[entered - 1], axis=0)
        expected = change[cohort == 0].groupby(region[cohort == 0]).mean()
        own = change[cohort == entered]
        gap = own.to_numpy() - expected.loc[region[cohort == entered]].to_numpy()
        for place, year in enumerate(YEARS):
            found[entered, year] = float(np.nanmean(gap[:, place]))
    return found


# ---- the truth -----------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_truth_is_the_average_of_the_differences_between_potential_rates(
    trial: SimulatedTrial, outcome: str
) -> None:
    rows = trial.complete["school_years"]
    rows = rows[rows["treated"] & (rows["year"] >= rows["cohort"])]
    gain = (rows[f"{outcome}_treated"] - rows[f"{outcome}_untreated"]).to_numpy()
    year, cohort = rows["year"].to_numpy(), rows["cohort"].to_numpy()
    att = trial.truth["att"]
    assert att["overall"][outcome] == pytest.approx(gain.mean(), abs=1e-12)
    for t in YEARS:
        expected = gain[year == t].mean() if t >= 2016 else 0.0
        assert trial.truth["effects"][outcome][str(t)] == pytest.approx(expected, abs=1e-12)
    for g in (2016, 2017):
        assert att["cohort"][outcome][str(g)] == pytest.approx(gain[cohort == g].mean())
        by_year = att["cohort_year"][outcome][str(g)]
        assert list(by_year) == [str(t) for t in range(g, 2020)]
        for t in range(g, 2020):
            expected = gain[(cohort == g) & (year == t)].mean()
            assert by_year[str(t)] == pytest.approx(expected, abs=1e-12)
    for e in range(4):
        expected = gain[year - cohort == e].mean()
        assert att["since_start"][outcome][str(e)] == pytest.approx(expected, abs=1e-12)
    for r in REGIONS:
        expected = gain[(rows["region"] == r).to_numpy()].mean()
        assert att["region"][outcome][r] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_mean_effect_by_years_since_the_start_is_as_set_where_no_rate_is_cut(
    seed: int,
) -> None:
    since = simulate_without_files(CENTRAL, seed).truth["att"]["since_start"]
    assert since["ela"] == pytest.approx({"0": 4.5, "1": 5.4, "2": 7.6, "3": 7.8})
    assert since["maths"] == pytest.approx({"0": 1.0, "1": 2.0, "2": 3.0, "3": 3.0})


def test_effects_stand_in_the_set_ratio_between_cohorts_and_regions() -> None:
    _, rows, _ = complete_data(CENTRAL, 1)
    rows = rows[rows["treated"] & (rows["year"] == rows["cohort"])]
    gain = (rows["ela_treated"] - rows["ela_untreated"]).groupby([rows["cohort"], rows["region"]])
    np.testing.assert_allclose(gain.std(), 0, atol=1e-9)
    means = gain.mean()
    assert means[2017, "East"] / means[2016, "East"] == pytest.approx(0.4)
    assert means[2016, "West"] / means[2016, "East"] == pytest.approx(0.4)
    assert means[2017, "Middle"] / means[2016, "East"] == pytest.approx(0.16)


def test_a_school_has_its_untreated_rate_until_it_enters(trial: SimulatedTrial) -> None:
    rows = trial.complete["school_years"]
    before = rows[rows["treated"] & (rows["year"] < rows["cohort"])]
    np.testing.assert_array_equal(before["ela_treated"], before["ela_untreated"])
    assert rows.loc[~rows["treated"], "ela_treated"].isna().all()
    assert rows.loc[rows["treated"], "ela_treated"].notna().all()


def test_published_rates_are_the_pupils_proficient_of_those_tested(trial: SimulatedTrial) -> None:
    rows = trial.complete["school_years"]
    for outcome in OUTCOMES:
        assert rows[f"{outcome}_proficient"].between(0, rows["n_tested"]).all()
        chance = rows[f"{outcome}_treated"].fillna(rows[f"{outcome}_untreated"]) / 100
        error = rows[f"{outcome}_proficient"] - rows["n_tested"] * chance
        z = error / np.sqrt(rows["n_tested"] * chance * (1 - chance))
        # Binomial: mean 0 and SD 1 over some 5,500 rows.
        assert abs(z.mean()) < 3.5 / np.sqrt(len(z))
        assert z.std() == pytest.approx(1, abs=0.05)


# ---- recovery ------------------------------------------------------------------------------------


@EACH
def test_differences_in_differences_of_each_cohort_and_year_recover_its_true_effect(
    trials: list[SimulatedTrial], outcome: str
) -> None:
    found = [differences(trial, outcome) for trial in trials]
    for entered in (2016, 2017):
        for year in range(entered, 2020):
            errors = [
                gaps[entered, year]
                - trial.truth["att"]["cohort_year"][outcome][str(entered)][str(year)]
                for gaps, trial in zip(found, trials, strict=True)
            ]
            mean, error = monte_carlo(errors)
            assert error < 0.45
            assert abs(mean) < 3.5 * error, (entered, year)


@EACH
def test_before_entry_there_is_no_trend_without_selection_on_it(
    trials: list[SimulatedTrial], outcome: str
) -> None:
    found = [differences(trial, outcome) for trial in trials]
    for entered in (2016, 2017):
        for year in range(2010, entered - 1):
            mean, error = monte_carlo([gaps[entered, year] for gaps in found])
            assert error < 0.45
            assert abs(mean) < 3.5 * error, (entered, year)


@pytest.mark.slow
def test_with_selection_on_trend_the_treated_rise_faster_before_they_enter(
    selected: list[SimulatedTrial],
) -> None:
    found = [differences(trial, "ela") for trial in selected]
    for entered in (2016, 2017):
        mean, error = monte_carlo([gaps[entered, 2010] for gaps in found])
        assert mean < -5 * error


def test_the_truth_tells_how_much_faster_the_treated_rise(trial: SimulatedTrial) -> None:
    trends = 0.5 * trial.schools["trend"].groupby(trial.schools["treated"]).mean()
    assert trial.truth["trend_difference"] == pytest.approx(trends[True] - trends[False])
    chosen = simulate(dataclasses.replace(SMALL, selection_on_trend=3.0), seed=1)
    assert chosen.truth["trend_difference"] > 0.4


@pytest.mark.slow
def test_selection_on_trend_biases_the_estimate_by_the_trend_of_those_who_enter(
    selected: list[SimulatedTrial],
) -> None:
    bias, expected = [], []
    for trial in selected:
        found = differences(trial, "maths")[2016, 2019]
        bias.append(found - trial.truth["att"]["cohort_year"]["maths"]["2016"]["2019"])
        slope = 0.5 * trial.schools["trend"]
        enters = trial.schools["cohort"] == 2016
        others = slope[~trial.schools["treated"]].groupby(trial.schools["region"]).mean()
        own = slope[enters] - trial.schools.loc[enters, "region"].map(others)
        expected.append(4 * float(own.mean()))
    mean, error = monte_carlo([found - by for found, by in zip(bias, expected, strict=True)])
    assert np.mean(expected) > 1.5
    assert abs(mean) < 3.5 * error


def test_those_who_enter_lie_below_the_others_by_the_log_odds_of_selection(
    trials: list[SimulatedTrial],
) -> None:
    # Odds of exp(λa) tilt a normal by λ where few are drawn of many.
    level = [float(t.schools.loc[t.schools["treated"], "ela_level"].mean()) for t in trials]
    mean, error = monte_carlo(level)
    assert error < 0.04
    assert mean == pytest.approx(-0.5, abs=0.1)


def test_schools_vary_between_and_within_years_as_set() -> None:
    steady = dataclasses.replace(
        UNCHANGED, trend_sd=0.0, selection_on_level=0.0, rate_range=(0.001, 99.999)
    )
    same, next_year, outcomes = [], [], []
    for seed in range(20):
        schools, rows, _ = complete_data(steady, seed)
        ela, maths = (
            rows.pivot(index="school", columns="year", values=f"{name}_untreated")
            for name in ("ela", "maths")
        )
        ela, maths = (x - x.groupby(schools["region"]).transform("mean") for x in (ela, maths))
        same.append((ela**2).mean().to_numpy())
        next_year.append(float((ela[2012] * ela[2013]).mean()))
        outcomes.append(float((ela[2012] * maths[2012]).mean()))
    np.testing.assert_allclose(np.mean(same, axis=0), 12**2 + 5**2, rtol=0.05)
    assert np.mean(next_year) == pytest.approx(12**2 + 0.6 * 5**2, rel=0.05)
    assert np.mean(outcomes) == pytest.approx(0.7 * (12 * 13 + 5**2), rel=0.05)


# ---- the design ----------------------------------------------------------------------------------


def test_29_schools_of_three_regions_enter_in_two_cohorts_beside_529(trial: SimulatedTrial) -> None:
    schools, truth = trial.schools, trial.truth
    assert (truth["n_treated_schools"], truth["n_comparison_schools"]) == (29, 529)
    assert truth["n_cohort"] == {"2016": 17, "2017": 12}
    assert schools["region"].nunique() == 3
    assert (schools["treated"] == (schools["cohort"] > 0)).all()
    assert schools["school_code"].is_unique
    assert schools["school_name"].is_unique
    assert schools["school_name"].str.endswith("(synthetic)").all()
    charters = schools.loc[schools["treated"], "charter"]
    assert int(charters.sum()) == truth["n_charters"]["fellowship"] == round(0.8 * 29)


def test_a_school_that_closed_merged_or_opened_has_rows_only_while_it_was_there() -> None:
    schools, rows, changes = complete_data(RolloutParameters(), 5)
    years = rows.groupby("school")["year"].agg(["min", "max", "size"])
    changed = {change.school: change for change in changes}
    assert len(changed) == len(changes)
    assert len(schools)
    for school in range(len(schools)):
        first, last = 2010, 2019
        if school in changed and changed[school].change in ("closed", "merged"):
            last = changed[school].year - 1
        elif school in changed and changed[school].change == "opened":
            first = changed[school].year
        assert tuple(years.loc[school]) == (first, last, last - first + 1)


def test_a_merger_carries_the_pupils_of_both_and_their_common_rate() -> None:
    merging = dataclasses.replace(UNCHANGED, school_changes=(("merged", 3),))
    apart, together = complete_data(UNCHANGED, 4)[1], complete_data(merging, 4)
    _, rows, changes = together
    assert [change.change for change in changes] == ["merged"] * 3
    apart, rows = (x.set_index(["school", "year"]) for x in (apart, rows))
    for change in changes:
        here, there = (change.into, change.year), (change.school, change.year)
        n = apart.loc[[here, there], "n_tested"].to_numpy()
        rate = apart.loc[[here, there], "ela_untreated"].to_numpy()
        assert rows.loc[here, "n_tested"] == n.sum()
        assert rows.loc[here, "ela_untreated"] == pytest.approx((n * rate).sum() / n.sum())
        assert there not in rows.index


def test_no_school_that_is_treated_merges_splits_or_opens() -> None:
    for seed in range(5):
        schools, _, changes = complete_data(RolloutParameters(), seed)
        assert changes
        for change in changes:
            cohort = schools.loc[change.school, "cohort"]
            if change.change in ("merged", "split", "opened"):
                assert cohort == 0
            if change.change == "closed" and cohort > 0:
                assert change.year > cohort


# ---- reproducibility -----------------------------------------------------------------------------


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    first, again, other = (simulate(SMALL, seed) for seed in (1, 1, 2))
    assert first.truth == again.truth
    assert first.encodings == again.encodings
    assert first.delimiters == again.delimiters
    assert first.files
    for name, frame in first.files.items():
        text = frame.to_csv(index=False)
        assert text == again.files[name].to_csv(index=False)
        assert text != other.files[name].to_csv(index=False)


@pytest.mark.slow
def test_more_of_one_fault_leaves_the_files_without_it_and_the_truth_as_they_were() -> None:
    before = simulate(SMALL, 3)
    after = simulate(dataclasses.replace(SMALL, restyled_codes=9), 3)
    assert before.files
    for name, frame in before.files.items():
        long = name.startswith(("east", "west"))
        assert frame.equals(after.files[name]) == (not long), name
    assert before.truth["att"] == after.truth["att"]


def test_the_truth_can_be_written_as_json(trial: SimulatedTrial) -> None:
    assert json.loads(json.dumps(trial.truth)) == trial.truth


# ---- parameters ----------------------------------------------------------------------------------


def test_a_section_of_values_and_sources_becomes_parameters() -> None:
    effects: Any = {
        "ela": {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0},
        "maths": {0: 0.0, 1: 0.0, 2: 0.0, 3: 0.0},
    }
    parameters = RolloutParameters.from_mapping({
        "effects": {"value": effects, "source": "assumption"},
        "shock_sd": {"value": 4, "source": "assumption"},
    })  # fmt: skip
    assert parameters.mean_effect("ela", 3) == 4.0
    assert parameters == dataclasses.replace(RolloutParameters(), effects=effects, shock_sd=4)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"shock_sds": {"value": 1}}, "Did you mean 'shock_sd'"),
        ({"shock_sd": 1}, "write it as"),
        ({"shock_sd": {"value": "4"}}, "it is a number"),
        ({"shock_sd": {"value": -4}}, "cannot be negative"),
        ({"small_schools": {"value": 2.5}}, "whole number"),
        ({"small_schools": {"value": 1000}}, "there are 558 schools"),
        ({"years": {"value": 2019}}, "a list or a map"),
        ({"years": {"value": [2015, 2016, 2018]}}, "without a gap"),
        ({"years": {"value": list(range(2014, 2020))}}, "three years before"),
        ({"treated_charter_share": {"value": 80}}, "share, from 0 to 1"),
        ({"outcome_correlation": {"value": 1.0}}, "between -1 and 1"),
        ({"rate_range": {"value": [99, 1]}}, "the lesser first"),
        ({"comparison_schools": {"value": {"East": 10}}}, "name each of East, Middle, West"),
        ({"comparison_schools": {"value": {"East": 0, "Middle": 1, "West": 1}}}, "be a comparison"),
        ({"effects": {"value": {"ela": {"0": 1}, "maths": {"0": 1}}}}, "the start 1, 2, 3"),
        ({"proficiency_mean": {"value": {"ela": 50}}}, "name ela and maths"),
        ({"cohort_weight": {"value": {"2016": 1}}}, "Cohort 2017 has no entry"),
        ({"school_changes": {"value": {"moved": 1}}}, "names 'moved'"),
        ({"treated_changes": {"value": {"merged": 1}}}, "names 'merged'"),
        ({"school_changes": {"value": {"merged": 300}}}, "lower them"),
        ({"school_sd": {"value": {"ela": -1, "maths": 1}}}, "cannot be negative"),
        ({"pupils_tested": {"value": 0}}, "it is above 0"),
        ({"top_code": {"value": 4}}, "the first lies below the second"),
        (
            {"treated_schools": {"value": {r: {"2016": 0} for r in ("East", "Middle", "West")}}},
            "no school that enters",
        ),
    ],
)  # fmt: skip
def test_a_parameter_that_no_roll_out_can_have_is_refused(
    section: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        RolloutParameters.from_mapping(section)


def test_weights_that_leave_no_effect_to_scale_are_refused() -> None:
    none = dataclasses.replace(SMALL, cohort_weight=(("2016", 0.0), ("2017", 1.0)))
    with pytest.raises(ValueError, match="3 years after their start a mean weight of 0"):
        complete_data(none, 1)
