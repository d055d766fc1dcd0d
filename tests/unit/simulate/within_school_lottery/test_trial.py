import dataclasses
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.complier_effect.two_stage_least_squares import fit_instrument
from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.within_school_lottery.parameters import OUTCOMES, LotteryParameters
from schooltrial.simulate.within_school_lottery.teachers import STRATA, draw_lottery
from schooltrial.simulate.within_school_lottery.trial import complete_data, simulate
from schooltrial.simulate.within_school_lottery.truth import lottery_truth
from support.monte_carlo import allowed_distance, allowed_error, monte_carlo

SMALL = LotteryParameters(
    blocks=(("North", "elementary", 4), ("South", "elementary", 2)), pupils_per_school=160.0
)
EFFECTS: Any = {
    "knowledge": {"2023": 0.6},
    "practice": {"2023": 0.2},
    "stays": {"2023": 0.1},
    "maths": {"2023": 0.2},
    "ela": {"2023": 0.1},
}
# Attrition that is differential, and alike for able and less able teachers: no bias from it.
AT_RANDOM = dataclasses.replace(
    SMALL,
    blocks=(("North", "elementary", 14), ("South", "elementary", 10)),
    pupils_per_school=110.0,
    class_size=10.0,
    nonresponse_correlation=0.0,
    retention_correlation=0.0,
    never_taker_share=0.3,
    always_taker_share=0.1,
    years_after=(),
    effects=EFFECTS,
)
SEEDS = range(300, 360)
FEW = 12
"""Trials of every run; with all seeds it is slow."""


@pytest.fixture(scope="module")
def trial() -> SimulatedTrial:
    return simulate(LotteryParameters(), seed=2022)


@pytest.fixture(scope="module", params=[FEW, pytest.param(len(SEEDS), marks=pytest.mark.slow)])
def trials(request: pytest.FixtureRequest) -> list[dict[str, pd.DataFrame]]:
    return [complete_data(AT_RANDOM, seed) for seed in SEEDS[: request.param]]


@pytest.fixture(scope="module")
def truths(trials: list[dict[str, pd.DataFrame]]) -> list[dict[str, Any]]:
    return [truth_of(data, AT_RANDOM) for data in trials]


def in_lottery(data: dict[str, pd.DataFrame], year: int, unit: str) -> pd.DataFrame:
    """Return the teachers of the lottery in a year, or the pupils of their classes."""
    of_teacher = ["applied", "took_up", "school_code", "teacher_id"]
    if unit == "pupil":
        rows = data["pupils"].drop(columns="school_code")
    else:
        of_teacher += ["offered", "stratum"]
        rows = data["teacher_years"]
    rows = rows[rows["year"] == year].join(data["teachers"][of_teacher], on="teacher")
    return rows[rows["applied"]]


def observed(data: dict[str, pd.DataFrame], year: int, outcome: str) -> pd.DataFrame:
    """Return the rows with an outcome, in the unit of the truth, as an evaluator would see them."""
    if outcome in ("maths", "ela"):
        rows = in_lottery(data, year, "pupil")
        rows = rows[rows[f"{outcome}_status"] == "valid"]
        cells = rows.groupby("grade")[f"{outcome}_not_offered"]
        spread = cells.transform("std")
        return rows.assign(y=(rows[outcome] - cells.transform("mean")) / spread)
    rows = in_lottery(data, year, "teacher")
    if outcome == "stays":
        return rows.assign(y=rows["stays"])
    spread = rows[f"{outcome}_not_offered"].std()
    return rows[rows["responds"]].assign(y=rows[outcome] / spread)


def truth_of(data: dict[str, pd.DataFrame], parameters: LotteryParameters) -> dict[str, Any]:
    years = data["teacher_years"].assign(knowledge_status="valid", practice_status="valid")
    return lottery_truth(parameters, 1, data["teachers"], years, data["pupils"])


# ---- the truth -----------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["knowledge", "practice", "stays", "maths"])
def test_models_recover_the_effects_of_the_offer_and_of_taking_it_up(
    trials: list[dict[str, pd.DataFrame]], truths: list[dict[str, Any]], outcome: str
) -> None:
    offer_errors, take_up_errors = [], []
    for data, truth in zip(trials, truths, strict=True):
        rows = observed(data, 2023, outcome)
        fit = fit_least_squares_columns(
            rows["y"], [rows["offered"]], names=["offered"], cluster=rows["teacher_id"],
            absorb=rows["school_code"],
        )  # fmt: skip
        offer_errors.append(fit.coefficients[0] - truth["effects_within_schools"][outcome]["2023"])
        stages = fit_instrument(
            rows["y"], endogenous={"took_up": rows["took_up"].astype(float)},
            instruments={"offered": rows["offered"].astype(float)},
            cluster=rows["teacher_id"], absorb=rows["school_code"],
        )  # fmt: skip
        take_up_errors.append(stages.second_stage.coefficients[0] - truth["cace"][outcome]["2023"])
    for errors in (offer_errors, take_up_errors):
        mean, error = monte_carlo(errors)
        assert error < allowed_error(0.04, len(trials), len(SEEDS))
        assert abs(mean) < allowed_distance(len(trials), len(SEEDS)) * error


def test_compliers_gain_the_effect_that_is_set(
    trials: list[dict[str, pd.DataFrame]], truths: list[dict[str, Any]]
) -> None:
    for outcome, unit, sd in (("knowledge", "teacher", 12.0), ("practice", "teacher", 0.4),
                              ("maths", "pupil", 15.0)):  # fmt: skip
        rows = in_lottery(trials[0], 2023, unit)
        rows = rows[rows["stratum"] == "complier"]
        gain = rows[f"{outcome}_offered"] - rows[f"{outcome}_not_offered"]
        inside = (
            rows[f"{outcome}_offered"]
            < {"knowledge": 100.0, "practice": 4.0, "maths": 350.0}[outcome]
        )
        np.testing.assert_allclose(gain[inside], sd * AT_RANDOM.effect(outcome, 2023))
        assert inside.mean() > 0.98
    mean, error = monte_carlo([truth["cace"]["stays"]["2023"] for truth in truths])
    assert abs(mean - 0.1) < allowed_distance(len(trials), len(SEEDS)) * error
    assert error < allowed_error(0.01, len(trials), len(SEEDS))


def test_comparing_those_who_took_it_up_with_the_rest_of_the_staff_is_biased_upwards(
    trials: list[dict[str, pd.DataFrame]],
) -> None:
    naive = []
    for data in trials:
        rows = data["teacher_years"].join(data["teachers"][["took_up"]], on="teacher")
        rows = rows[rows["year"] == 2023]
        points = rows.groupby("took_up")["practice"].mean()
        naive.append((points[True] - points[False]) / dict(AT_RANDOM.teacher_sd)["practice"])
    mean, error = monte_carlo(naive)
    assert mean - 5 * error > AT_RANDOM.effect("practice", 2023)


def test_the_truth_is_the_mean_of_potential_outcomes_over_teachers_and_over_compliers(
    trial: SimulatedTrial,
) -> None:
    for year in (2022, 2023, 2024):
        rows = in_lottery(trial.complete, year, "teacher")
        compliers = (rows["stratum"] == "complier").to_numpy()
        for outcome in ("knowledge", "practice"):
            spread = rows[f"{outcome}_not_offered"].std()
            gain = (rows[f"{outcome}_offered"] - rows[f"{outcome}_not_offered"]) / spread
            assert trial.truth["effects"][outcome][str(year)] == pytest.approx(gain.mean())
            expected = trial.truth["cace"][outcome][str(year)]
            assert expected == pytest.approx(gain[compliers].mean())
        if year > 2022:
            stay = rows["stays_offered"] - rows["stays_not_offered"]
            assert trial.truth["effects"]["stays"][str(year)] == pytest.approx(stay.mean())


def test_the_truth_of_pupils_is_in_sd_within_their_grade(trial: SimulatedTrial) -> None:
    rows = in_lottery(trial.complete, 2023, "pupil")
    gains = []
    for _, grade in rows.groupby("grade"):
        gains.append(
            (grade["maths_offered"] - grade["maths_not_offered"]) / grade["maths_not_offered"].std()
        )
    assert trial.truth["effects"]["maths"]["2023"] == pytest.approx(pd.concat(gains).mean())


def test_the_effect_of_the_offer_is_the_complier_share_times_that_of_taking_it_up(
    trial: SimulatedTrial,
) -> None:
    truth = trial.truth
    for outcome in OUTCOMES:
        assert truth["effects"][outcome]
        for year, effect in truth["effects"][outcome].items():
            share = truth["complier_share"]["pupil"][year]
            if outcome in ("knowledge", "practice", "stays"):
                share = truth["complier_share"]["teacher"]
            assert effect == pytest.approx(share * truth["cace"][outcome][year], abs=1e-12)
    assert truth["effects"]["knowledge"]["2023"] > 0.3
    assert truth["effects"]["knowledge"]["2022"] == 0.0


def test_an_offer_changes_nothing_for_those_whose_take_up_it_does_not_change(
    trial: SimulatedTrial,
) -> None:
    people = trial.complete["teachers"]
    for frame, outcomes in (
        (trial.complete["teacher_years"].join(people["stratum"], on="teacher"),
         ("knowledge", "practice", "stays")),
        (trial.pupils, ("maths", "ela")),
    ):  # fmt: skip
        others = frame[frame["stratum"] != "complier"]
        assert len(others)
        for outcome in outcomes:
            np.testing.assert_array_equal(
                others[f"{outcome}_offered"], others[f"{outcome}_not_offered"]
            )


def test_always_takers_gain_their_multiple_of_the_effect_without_an_offer() -> None:
    few = dataclasses.replace(SMALL, always_taker_share=0.3, always_taker_gain=0.5)
    none = dataclasses.replace(few, always_taker_gain=0.0)
    gains = []
    for parameters in (few, none):
        data = complete_data(parameters, 5)
        rows = in_lottery(data, 2023, "teacher")
        gains.append(rows.loc[rows["stratum"] == "always-taker", "knowledge_not_offered"])
    np.testing.assert_allclose(gains[0] - gains[1], 0.5 * 0.6 * 12.0)


def test_realised_outcomes_are_those_of_the_arm_that_was_drawn(trial: SimulatedTrial) -> None:
    rows = in_lottery(trial.complete, 2023, "teacher")
    for outcome in ("knowledge", "practice", "stays"):
        drawn = np.where(rows["offered"], rows[f"{outcome}_offered"],
                         rows[f"{outcome}_not_offered"])  # fmt: skip
        np.testing.assert_array_equal(rows[outcome], drawn)
    pupils = trial.pupils
    drawn = np.where(pupils["offered"], pupils["maths_offered"], pupils["maths_not_offered"])
    assert (np.abs(pupils["maths"] - drawn) <= 0.5).all()


def test_scores_have_the_sd_and_the_intraclass_correlations_that_are_set() -> None:
    big = dataclasses.replace(
        SMALL, blocks=(("North", "elementary", 60),), district_shift=(("North", 0.0),),
        pupils_per_school=160.0, years_after=(), class_share=0.1,
    )  # fmt: skip
    totals, schools, classes = [], [], []
    for seed in range(6):
        pupils = complete_data(big, seed)["pupils"]
        rows = pupils[pupils["year"] == 2022]
        means = {int(k): v for k, v in dict(dict(big.score_mean)["maths"]).items()}
        z = (rows["maths_not_offered"] - rows["grade"].map(means)) / 15.0
        totals.append(float(z.var()))
        by_class = z.groupby(rows["teacher"])
        size, within = by_class.size(), by_class.var()
        pooled = float(((size - 1) * within).sum() / (size - 1).sum())
        middle = by_class.mean()
        home = rows.groupby("teacher")["school"].first()
        left = middle - middle.groupby(home).transform("mean")
        n_homes = home.nunique()
        noise = float((pooled / size * (1 - 1 / home.map(home.value_counts()))).sum())
        between = (float((left**2).sum()) - noise) / (len(middle) - n_homes)
        classes.append(between)
        schools.append(float(z.var()) - between - pooled)
    for found, expected in ((totals, 1.0), (classes, 0.1), (schools, 0.12)):
        mean, error = monte_carlo(found)
        assert abs(mean - expected) < max(3 * error, 0.02)


# ---- the lottery ---------------------------------------------------------------------------------


def test_the_recorded_seed_redraws_the_lottery_list(trial: SimulatedTrial) -> None:
    drawn = trial.files["lottery_list.csv"].drop_duplicates(ignore_index=True)
    shuffled = drawn.sample(frac=1, random_state=1).reset_index(drop=True)
    for frame in (drawn, shuffled):
        again = draw_lottery(frame, int(frame["draw_seed"].iloc[0]))
        assert (frame["result"] == np.where(again, "OFFER", "WAIT")).all()
    assert trial.truth["randomisation_seed"] == int(drawn["draw_seed"].iloc[0])


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    sizes=st.lists(st.tuples(st.integers(2, 9), st.integers(1, 8)), min_size=1, max_size=5),
    seed=st.integers(0, 2**31 - 1),
)
def test_each_school_offers_as_many_places_as_it_has(
    sizes: list[tuple[int, int]], seed: int
) -> None:
    schools = [(f"{k:04d}", n, min(places, n - 1)) for k, (n, places) in enumerate(sizes)]
    frame = pd.DataFrame(
        [(code, places) for code, n, places in schools for _ in range(n)],
        columns=["school_code", "places"],
    )
    frame["teacher_id"] = [f"{k:05d}" for k in range(len(frame))]
    offered = pd.Series(draw_lottery(frame, seed)).groupby(frame["school_code"]).sum()
    assert offered.tolist() == [places for _, _, places in schools]


def test_shares_differ_by_school_and_every_school_has_winners_and_losers(
    trial: SimulatedTrial,
) -> None:
    people = trial.complete["teachers"]
    applicants = people[people["applied"]]
    share = applicants.groupby("school_code")["offered"].mean()
    assert len(share) == 24
    assert ((share > 0) & (share < 1)).all()
    assert share.nunique() > 5
    assert applicants.groupby("school_code").size().between(4, 9).all()
    assert (applicants.groupby("school_code")["offered"].sum()
            == applicants.groupby("school_code")["places"].first()).all()  # fmt: skip


def test_strata_have_the_shares_that_are_set_to_the_person(trial: SimulatedTrial) -> None:
    counts, n = trial.truth["strata"], trial.truth["n_applicants"]
    assert counts["never-taker"] == round(0.2 * n)
    assert counts["always-taker"] == round(0.05 * n)
    assert sum(counts.values()) == n


def test_take_up_follows_from_the_stratum_and_the_offer(trial: SimulatedTrial) -> None:
    people = trial.complete["teachers"]
    applicants = people[people["applied"]]
    expected = {
        ("never-taker", True): 0.0, ("never-taker", False): 0.0,
        ("complier", True): 1.0, ("complier", False): 0.0,
        ("always-taker", True): 1.0, ("always-taker", False): 1.0,
    }  # fmt: skip
    found = applicants.groupby(["stratum", "offered"])["took_up"].agg(["min", "max"])
    assert len(found)
    for cell, row in found.iterrows():
        assert row["min"] == row["max"] == expected[cell]
    assert not people.loc[~people["applied"], "took_up"].any()


def test_without_always_takers_nobody_takes_it_up_who_lost() -> None:
    trial = simulate(dataclasses.replace(SMALL, always_taker_share=0.0, restyled_take_up=0), 1)
    listed = trial.files["lottery_list.csv"]
    assert set(listed.loc[listed["result"] == "WAIT", "attended"]) == {"N"}
    assert trial.truth["take_up"]["no_offer"] == 0.0
    assert trial.truth["strata"]["always-taker"] == 0


def test_applicants_are_abler_than_those_who_did_not_apply(
    trials: list[dict[str, pd.DataFrame]],
) -> None:
    gaps = []
    for data in trials:
        first = data["teachers"][data["teachers"]["first_year"] == 2022]
        ability = first.groupby("applied")["ability"].mean()
        gaps.append(ability[True] - ability[False])
    mean, error = monte_carlo(gaps)
    assert mean > 10 * error


def test_never_takers_are_less_able_than_always_takers(
    trials: list[dict[str, pd.DataFrame]],
) -> None:
    ability = pd.concat([data["teachers"] for data in trials]).groupby("stratum")["ability"].mean()
    assert ability[STRATA[0]] < ability[STRATA[1]] < ability[STRATA[2]]


def test_even_a_tiny_school_has_a_lot_to_draw() -> None:
    tiny = dataclasses.replace(SMALL, blocks=(("North", "middle", 8),), pupils_per_school=3.0)
    people = complete_data(tiny, 1)["teachers"]
    share = people[people["applied"]].groupby("school_code")["offered"].mean()
    assert len(share) == 8
    assert ((share > 0) & (share < 1)).all()


# ---- who stays and who answers -------------------------------------------------------------------


def test_nobody_who_left_comes_back_and_their_class_has_another_teacher(
    trial: SimulatedTrial,
) -> None:
    years = trial.complete["teacher_years"]
    left = years[(years["year"] == 2023) & (years["stays"] == 0)]["teacher"]
    after = years[(years["year"] == 2024) & years["teacher"].isin(left)]
    assert len(after) == len(left) > 20
    assert (after["stays"] == 0).all()
    assert not after["in_post"].any()
    assert not trial.pupils.loc[trial.pupils["year"] == 2024, "teacher"].isin(left).any()
    for potential in ("stays_offered", "stays_not_offered"):
        wide = years.pivot(index="teacher", columns="year", values=potential).dropna()
        assert (wide[2024] <= wide[2023]).all()
    posts = years[years["in_post"]].join(trial.complete["teachers"]["post"], on="teacher")
    assert (posts.groupby(["year", "post"]).size() == 1).all()
    assert posts.groupby("year")["post"].nunique().nunique() == 1


def test_retention_and_nonresponse_are_as_set_in_each_group(
    trials: list[dict[str, pd.DataFrame]],
) -> None:
    years = pd.concat([
        data["teacher_years"].join(data["teachers"][["applied", "took_up", "offered"]],
                                   on="teacher")
        for data in trials
    ])  # fmt: skip
    year = years[years["year"] == 2023]
    for rows, column, share in (
        (year[~year["took_up"]], "stays", 0.86),
        (year[year["offered"]], "responds", 1 - 0.06),
        (year[year["applied"] & ~year["offered"]], "responds", 1 - 0.1),
        (year[~year["applied"]], "responds", 1 - 0.25),
        (years[(years["year"] == 2022) & years["applied"]], "responds", 1 - 0.03),
    ):
        error = np.sqrt(share * (1 - share) / len(rows))
        assert abs(rows[column].mean() - share) < 3.5 * error


# ---- reproducibility -----------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_files_and_another_seed_does_not() -> None:
    first, again, other = (simulate(SMALL, seed) for seed in (1, 1, 2))
    assert first.truth == again.truth
    assert first.files
    for name, frame in first.files.items():
        assert frame.to_csv(index=False) == again.files[name].to_csv(index=False)
        assert not frame.equals(other.files[name]), name
    assert first.complete
    for name, frame in first.complete.items():
        pd.testing.assert_frame_equal(frame, again.complete[name])


def test_a_further_year_leaves_the_files_of_the_others_as_they_were() -> None:
    effects: Any = {o: dict(years) | {"2025": 0.0} for o, years in SMALL.effects}
    longer = dataclasses.replace(
        SMALL, years_after=(2024, 2025), retention=(*SMALL.retention, ("2025", 0.6)),
        effects=effects,
    )  # fmt: skip
    short, long = simulate(SMALL, 3), simulate(longer, 3)
    assert {name for name in long.files if "2025" in name} == set(long.files) - set(short.files)
    assert short.files
    for name, frame in short.files.items():
        pd.testing.assert_frame_equal(frame, long.files[name])


def test_the_truth_can_be_written_as_json(trial: SimulatedTrial) -> None:
    assert json.loads(json.dumps(trial.truth)) == trial.truth


# ---- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"never_taker_shar": {"value": 0.1}}, "Did you mean 'never_taker_share'"),
        ({"never_taker_share": {"value": 2}}, "share, from 0 to 1"),
        ({"never_taker_share": {"value": 0.96}}, "no compliers"),
        ({"retention_correlation": {"value": -2}}, "correlation, from"),
        ({"applicants_per_school": {"value": [1, 4]}}, "the lesser first, 2 or more"),
        ({"places_per_school": {"value": [3, 2]}}, "the lesser first, 1 or more"),
        ({"take_up_record": {"value": "days"}}, "one of yes_no, hours"),
        ({"respelling": {"value": "upper"}}, "one of blanks, lost_zeros, both"),
        ({"nonresponse": {"value": {"offer": 0.1}}}, "give a share to each of before"),
        ({"nonresponse": {"value": {"offer": 1.1}}}, "nonresponse of 'offer' is 1.1"),
        ({"missing_codes": {"value": {"blank": 0.5}}}, "shares that sum to 1"),
        ({"retention": {"value": {"2023": 0.8}}}, r"retention lack the years \[2024\]"),
        ({"retention": {"value": {"2023": 0.7, "2024": 0.8}}}, "share that never rises"),
        ({"effects": {"value": {"attendance": {}}}}, "effects names 'attendance'"),
        ({"effects": {"value": {"maths": {"2023": 0.1}}}}, "effects of 'knowledge' lack"),
        ({"class_share": {"value": 0.9}}, "leave no variance to pupils"),
        ({"blocks": {"value": [["North", "upper", 4]]}}, "must be one of elementary, middle"),
        ({"years_after": {"value": [2026]}}, "lack the years"),
        ({"teacher_sd": {"value": {"knowledge": 0, "practice": 1}}}, "it is above 0"),
        ({"teacher_sd": {"value": {"knowledge": 1}}}, "no entry for practice"),
        ({"teacher_range": {"value": {"knowledge": [1, 0], "practice": [1, 4]}}}, "lesser first"),
        ({"decimal_comma": {"value": "yes"}}, "it is true or false"),
        ({"double_applicants": {"value": -1}}, "it is 0 or more"),
    ],
)
def test_a_parameter_that_no_lottery_can_have_is_refused(
    section: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        LotteryParameters.from_mapping(section)
