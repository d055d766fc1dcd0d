"""Verdicts on assignments: honest lists pass at the nominal rate, forged ones are caught."""

from __future__ import annotations

from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.assignment.chance_tests import Redraws
from schooltrial.checks.assignment.order_of_list import natural_order
from schooltrial.checks.assignment.unit_attributes import KnownOfUnits, known_of_units
from schooltrial.checks.assignment.verdict import (
    CONSISTENT,
    CONTRADICTED,
    IN_DOUBT,
    NO_LOTTERY,
    REPRODUCED,
    AssignmentVerdict,
    verify_assignment,
)
from schooltrial.randomisation.record import AssignmentRecord, draw_assignment
from support.sections import ARMS, design

N = 40
RNG = np.random.default_rng(6)
FRAME = pd.DataFrame(
    {
        "school": [f"S{at}" for at in range(1, N + 1)],
        "block": [f"b{at // 8}" for at in range(N)],
        "score": RNG.normal(size=N),
    }
)
KNOWN = KnownOfUnits(
    described=list(FRAME["school"]), frame=FRAME,
    covariates=FRAME.set_index("school")[["score"]],
)  # fmt: skip
FEW = Redraws(draws=999, exact_up_to=1024)


def trials(some: int, many: int) -> pytest.MarkDecorator:
    """Simulate some lists in every test, and many where it may take long."""
    slow = pytest.param(many, marks=pytest.mark.slow)
    return pytest.mark.parametrize("n_trials", [some, slow])


def most(n_trials: int, rate: float) -> float:
    """Return how many of the trials may be doubted where they are at a rate."""
    return n_trials * rate + 3 * float(np.sqrt(n_trials * rate * (1 - rate)))


def _record(seed: int, **draw: Any) -> AssignmentRecord:
    return draw_assignment(
        FRAME, design(randomisation=draw), study="s", seed=seed, date="2024-05-01", software={}
    )


def _list(seed: int) -> pd.DataFrame:
    """Return an honest list in the order of the frame."""
    return FRAME[["school"]].merge(_record(seed).table(), on="school")


def _verify(assignment: pd.DataFrame, **keys: Any) -> AssignmentVerdict:
    stated = design(**keys.pop("design", {}))
    return verify_assignment(
        assignment, stated, known=keys.pop("known", KNOWN), redraws=FEW, **keys
    )  # fmt: skip


def _test(verdict: AssignmentVerdict, check: str) -> pd.Series:
    return verdict.tests.set_index("check").loc[check]


def _swapped(assignment: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    arm = assignment.set_index("school")["arm"]
    return assignment.assign(
        arm=assignment["school"].replace({one: other, other: one}).map(arm)
    )  # fmt: skip


def _unlike(assignment: pd.DataFrame) -> tuple[str, str]:
    """Return two schools of the first block in different groups."""
    inside = assignment[assignment["block"] == "b0"].drop_duplicates("arm")["school"]
    return str(inside.iloc[0]), str(inside.iloc[1])


def test_a_list_with_its_record_is_reproduced() -> None:
    found = _verify(_list(1), record=_record(1))
    assert found.verdict == REPRODUCED
    assert set(found.units["verdict"]) == {"passed"}
    assert found.units["drawn_arm"].equals(found.units["arm"])


def test_with_the_seed_alone_the_same_program_gives_the_same_list() -> None:
    assert _verify(_list(1), design={"randomisation": {"seed": 1}}).verdict == REPRODUCED
    other = _verify(_list(1), design={"randomisation": {"seed": 2}})
    assert other.verdict == CONSISTENT
    assert "may come from another program" in _test(other, "randomisation reproduced")["reason"]
    assert any("seed 2 gives" in reason for reason in other.reasons)


def test_a_pair_swapped_after_the_draw_of_a_seed_is_doubted_by_name() -> None:
    # 38 of 40 schools are as the seed says: of 999 other draws none is so like it.
    listed = _list(1)
    one, other = _unlike(listed)
    found = _verify(_swapped(listed, one, other), design={"randomisation": {"seed": 1}})
    assert found.verdict == IN_DOUBT
    assert f"{one}, {other}" in _test(found, "randomisation reproduced")["reason"]


def test_with_neither_the_list_is_at_best_consistent_and_the_limit_is_told() -> None:
    found = _verify(_list(1))
    assert found.verdict == CONSISTENT
    assert "cannot be seen" in _test(found, "randomisation reproduced")["reason"]


@trials(8, 25)
def test_with_the_record_every_swapped_pair_is_caught_and_named(n_trials: int) -> None:
    for seed in range(n_trials):
        honest = _list(seed)
        one, other = _unlike(honest)
        found = _verify(_swapped(honest, one, other), record=_record(seed))
        assert found.verdict == CONTRADICTED
        changed = found.units[found.units["verdict"] == "failed"]
        assert set(changed["unit"]) == {one, other}
        assert changed["reason"].str.contains("drawn to").all()


@pytest.mark.slow
@trials(20, 60)
def test_a_swapped_pair_without_record_is_not_seen_more_often_than_chance(n_trials: int) -> None:
    # The checks say so themselves: two schools that change places look like any lottery.
    doubted = 0
    for seed in range(n_trials):
        honest = _list(seed)
        doubted += _verify(_swapped(honest, *_unlike(honest)), alpha=0.1).verdict == IN_DOUBT
    assert doubted <= most(n_trials, 0.1)


@trials(40, 150)
def test_honest_lists_meet_doubt_at_no_more_than_the_nominal_rate(n_trials: int) -> None:
    verdicts = [_verify(_list(seed), alpha=0.1).verdict for seed in range(n_trials)]
    doubted = verdicts.count(IN_DOUBT)
    assert verdicts.count(CONTRADICTED) == 0
    assert doubted <= most(n_trials, 0.1)
    assert doubted > 0  # the tests have a size: they are not deaf


def test_lists_ordered_by_score_are_all_caught() -> None:
    # The better half of each block is treated: 1 of 70^5 assignments, and its mirror.
    rng = np.random.default_rng(2)
    for _ in range(25):
        score = pd.Series(rng.normal(size=N))
        rank = score.groupby(FRAME["block"]).rank()
        forged = FRAME[["school", "block"]].assign(
            arm=np.where(rank > 4, "programme", "control")
        )  # fmt: skip
        known = replace(
            KNOWN, covariates=pd.DataFrame({"score": score.to_numpy()}, FRAME["school"])
        )
        found = _verify(forged, known=known)
        assert found.verdict == IN_DOUBT
        assert _test(found, "baseline")["verdict"] == "in doubt"


@pytest.mark.parametrize(
    ("pattern", "check"), [("01010101", "identifier: runs"), ("00001111", "identifier: ranks")]
)
def test_arms_that_follow_the_register_are_caught(pattern: str, check: str) -> None:
    arms = [ARMS[int(digit)]["name"] for digit in pattern] * 5
    found = _verify(FRAME[["school", "block"]].assign(arm=arms))
    assert found.verdict == IN_DOUBT
    assert _test(found, check)["verdict"] == "in doubt"


@pytest.mark.parametrize(
    "order", ["arm", "block and group", "group and name", "draw", "alternating"]
)
def test_the_order_of_rows_casts_no_doubt_as_it_may_be_later_than_the_draw(order: str) -> None:
    listed, rng = _list(1), np.random.default_rng(1)
    by_arm = listed.iloc[rng.permutation(N)].sort_values("arm", kind="stable")
    rows = {
        "arm": by_arm,
        "block and group": by_arm.sort_values("block", kind="stable"),
        "group and name": listed.sort_values(["arm", "school"]),
        "draw": listed.iloc[rng.permutation(N)],
        "alternating": by_arm.iloc[np.arange(N).reshape(2, -1).T.ravel()],
    }[order]
    found = _verify(rows)
    assert found.verdict == CONSISTENT
    runs = _test(found, "order of the list: runs")
    if order != "draw":
        assert (runs["verdict"], runs["p_value"] <= 0.001) == ("noted", True)
        assert "sorted by group" in runs["reason"]


@pytest.mark.parametrize(
    "forms",
    [("C{:02d}", "T{:02d}"), ("control_{}", "programme_{}"), ("{}-c", "{}-p"), ("0-{}", "1-{}"),
     ("pilot-{}-con", "pilot-{}-trt")],
)  # fmt: skip
def test_identifiers_that_name_the_arm_were_given_after_the_draw(forms: tuple[str, str]) -> None:
    arms = [name for name in ("control", "programme") for _ in range(20)]
    names = [forms[at // 20].format(at % 20 + 1) for at in range(N)]
    listed = pd.DataFrame({"school": names, "arm": arms})
    found = _verify(listed, design={"kind": "complete"}, known=KnownOfUnits())
    assert found.verdict == CONSISTENT
    assert _test(found, "identifier")["verdict"] == "noted"


@pytest.mark.parametrize("forms", [("A{:02d}", "B{:02d}"), ("T{:02d}", "C{:02d}"), ("{}", "{}")])
def test_identifiers_of_two_districts_or_the_first_half_of_a_register_are_still_doubted(
    forms: tuple[str, str],
) -> None:
    arms = [name for name in ("control", "programme") for _ in range(20)]
    names = [forms[at // 20].format(at + 1) for at in range(N)]
    listed = pd.DataFrame({"school": names, "arm": arms})
    found = _verify(listed, design={"kind": "complete"}, known=KnownOfUnits())
    assert found.verdict == IN_DOUBT


def _numbers(
    counts: list[tuple[int, ...]], shares: list[float | None], kind: str = "blocked"
) -> str:
    """Return the verdict on a list of blocks of these numbers by group, at random inside blocks."""
    names = ["control", "programme", "text"][: len(shares)]
    arms = [
        {"name": name, "label": name, "share": share}
        for name, share in zip(names, shares, strict=True)
    ]
    rows = [
        (f"b{at}", name)
        for at, numbers in enumerate(counts)
        for name, n in zip(names, numbers, strict=True)
        for _ in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["block", "arm"])
    frame = frame.iloc[np.random.default_rng(5).permutation(len(frame))]
    frame["school"] = [f"S{at}" for at in range(len(frame))]
    design = {"kind": kind, "arms": arms}
    found = _verify(frame, design=design, known=KnownOfUnits())
    return f"{found.verdict}, {_test(found, 'numbers by group as planned')['verdict']}"


@pytest.mark.parametrize(
    ("counts", "shares"),
    [
        ([(11, 9)], [0.5, 0.5]),
        ([(26, 14)], [None, None]),
        ([(200, 400)], [None, None]),
        ([(33, 34, 33)], [0.33, 0.33, 0.34]),
        ([(100, 100, 100)], [0.33, 0.33, 0.34]),
        ([(100, 100, 100)], [0.33, 0.33, 0.33]),
        ([(400, 200)], [0.67, 0.33]),
        ([(600, 300)], [0.666, 0.333]),
        ([(1700, 3300)], [0.34, 0.66]),
        ([(2, 0), (0, 2), (1, 1), (5, 5)], [0.5, 0.5]),
        ([(1, 0), (0, 1), (3, 2), (2, 3)], [0.5, 0.5]),
    ],
)
def test_numbers_that_a_lottery_may_round_to_contradict_no_plan(
    counts: list[tuple[int, ...]], shares: list[float | None]
) -> None:
    assert _numbers(counts, shares).startswith("consistent")


@pytest.mark.parametrize(
    ("counts", "shares", "kind"),
    [
        ([(26, 14)], [0.5, 0.5], "complete"),
        ([(120, 90, 90)], [0.33, 0.33, 0.34], "blocked"),
        ([(12, 8), (8, 12)], [0.5, 0.5], "blocked"),
        ([(2, 0), (0, 2), (1, 1)], [0.5, 0.5], "paired"),
    ],
)
def test_numbers_that_no_rounding_gives_contradict_the_plan(
    counts: list[tuple[int, ...]], shares: list[float | None], kind: str
) -> None:
    assert _numbers(counts, shares, kind) == "contradicted, failed"


def test_units_of_a_later_round_are_drawn_among_themselves_and_are_in_no_record() -> None:
    record = _record(1)
    listed = _list(1).assign(drawn=pd.Timestamp("2024-05-01"))
    late = pd.DataFrame({
        "school": ["Z1", "Z2"], "block": "b0", "arm": ["programme", "control"],
        "drawn": pd.Timestamp("2024-08-20"),
    })  # fmt: skip
    known = replace(KNOWN, described=None)
    found = _verify(pd.concat([listed, late], ignore_index=True), record=record, known=known)
    assert found.verdict == REPRODUCED
    assert _test(found, "later rounds of the draw")["reason"] == "Z1, Z2"
    undated = pd.concat([listed, late.assign(drawn=pd.Timestamp("2024-05-01"))], ignore_index=True)
    assert _verify(undated, record=record, known=known).verdict == CONTRADICTED


def test_names_are_ordered_as_people_do() -> None:
    assert natural_order(["S10", "S9", "A", "10", "9"]).tolist() == [4, 3, 2, 1, 0]


def test_a_changed_frame_and_a_broken_seal_are_told() -> None:
    moved = FRAME.assign(block=["b1", *FRAME["block"][1:]])
    found = _verify(_list(1), record=_record(1), known=replace(KNOWN, frame=moved))
    assert _test(found, "frame of the record")["verdict"] == "failed"
    broken = replace(_record(1), date="2024-06-01")
    found = _verify(_list(1), record=broken)
    assert _test(found, "signature of the record")["verdict"] == "failed"
    assert found.verdict == CONTRADICTED


def test_a_record_sealed_anew_after_a_swap_is_caught_by_repeating_the_draw() -> None:
    honest = _record(1)
    rows = {unit: (unit, block, arm) for unit, block, arm in honest.listing}
    one, other = _unlike(_list(1))
    rows[one], rows[other] = (one, "b0", rows[other][2]), (other, "b0", rows[one][2])
    forged = replace(honest, listing=tuple(rows.values())).sealed(None)
    found = _verify(forged.table(), record=forged)
    assert _test(found, "signature of the record")["verdict"] == "passed"
    assert _test(found, "list equals the record")["verdict"] == "passed"
    assert _test(found, "randomisation reproduced")["verdict"] == "failed"
    assert set(found.units["unit"][found.units["verdict"] == "failed"]) == {one, other}


def test_a_balanced_draw_is_repeated_with_its_criterion() -> None:
    draw = {"balance_on": ["score"], "acceptance_rate": 0.05}
    record = _record(4, **draw)
    found = _verify(record.table(), design={"randomisation": draw}, record=record)
    assert found.verdict == REPRODUCED
    # Among draws that meet the criterion this one is ordinary; among all it would look chosen.
    assert _test(found, "baseline")["p_value"] > 0.02
    lacking = _verify(
        record.table(),
        design={"randomisation": draw},
        record=record,
        known=replace(KNOWN, frame=None),
    )
    assert _test(lacking, "randomisation reproduced")["verdict"] == "not tested"


def test_bad_lists_are_named_school_by_school_and_the_rest_is_still_tested() -> None:
    bad = _list(1)
    bad.loc[3, "arm"] = "placebo"
    twice = bad.iloc[[7]].assign(arm="control" if bad["arm"][7] == "programme" else "programme")
    outside = pd.DataFrame({"school": ["S99"], "block": ["b4"], "arm": ["control"]})
    bad = pd.concat([bad.drop(index=11), twice, outside], ignore_index=True)
    found = _verify(bad, record=_record(1))
    said = found.units.groupby("unit")["reason"].first()
    assert "group 'placebo' is not of the design" in said["S4"]
    assert "assigned 2 times, to control and programme" in said["S8"]
    assert "no longer in the list" in said["S12"]
    assert "not in the eligible list" in said["S99"]
    assert "added to the list after the draw" in said["S99"]
    assert found.verdict == CONTRADICTED
    assert np.isfinite(_test(found, "baseline")["p_value"])


def test_blocks_of_one_arm_and_a_pair_of_three_are_noted_and_do_not_stop_the_tests() -> None:
    block = ["p0"] * 3 + [f"p{k}" for k in range(1, 19) for _ in range(2)] + ["q"]
    arm = ["control", "programme", "control", *["control", "programme"] * 18, "control"]
    paired = {"kind": "paired"}
    found = _verify(pd.DataFrame({"school": FRAME["school"], "block": block, "arm": arm}),
                    design=paired)  # fmt: skip
    assert "p0 (3), q (1)" in _test(found, "sets of one unit per group")["reason"]
    assert _test(found, "blocks with two groups")["value"] == 1
    assert _test(found, "numbers by group as planned")["verdict"] == "passed"
    assert _test(found, "identifier: ranks")["verdict"] == "in doubt"  # control comes first


def test_an_arm_that_a_block_lacks_is_named() -> None:
    three = [*ARMS, {"name": "text", "label": "Text"}]
    arms = np.tile(["control", "programme", "text", "control"], 10)
    arms[:8] = ["control", "programme"] * 4
    found = _verify(FRAME[["school", "block"]].assign(arm=arms), design={"arms": three})
    assert "b0 lacks text" in _test(found, "groups in blocks")["reason"]
    assert _test(found, "numbers by group as planned")["verdict"] == "noted"


def test_numbers_other_than_declared_shares_contradict_the_plan() -> None:
    arms = [{**ARMS[0], "share": 0.75}, {**ARMS[1], "share": 0.25}]
    found = _verify(_list(1), design={"arms": arms})
    assert found.verdict == CONTRADICTED
    assert _test(found, "numbers by group as planned")["value"] == 5
    chance = [comb(40, k) * 0.25**k * 0.75 ** (40 - k) for k in range(41)]
    expected = sum(p for p in chance if p <= chance[20] * (1 + 1e-9))
    assert _test(found, "sample ratio")["p_value"] == pytest.approx(expected, rel=1e-9)


def test_an_impossible_share_is_named_and_the_rest_is_still_tested() -> None:
    found = _verify(_list(1), design={"arms": [{**ARMS[0], "share": 1.5}, ARMS[1]]})
    assert "the planned share" in _test(found, "planned shares").iloc[0]["finding"]
    assert np.isfinite(_test(found, "identifier: ranks")["p_value"])


def test_a_draw_after_the_first_outcome_is_named() -> None:
    days = {school: pd.Timestamp("2024-09-01") for school in FRAME["school"]}
    days["S5"] = pd.Timestamp("2024-03-01")
    known = replace(KNOWN, first_outcome=days)
    found = _verify(_list(1), known=known, design={"randomisation": {"date": "2024-05-01"}})
    assert (
        "drawn 2024-05-01, after the outcome of 2024-03-01"
        in (found.units.set_index("unit").loc["S5", "reason"])
    )
    assert _test(found, "drawn before the first outcome")["value"] == 1
    drawn = _list(1).assign(drawn=pd.Timestamp("2024-01-01"))
    assert _verify(drawn, known=known).verdict == CONSISTENT


def test_crossovers_are_counted_at_the_school_where_a_pupil_was_first() -> None:
    listed = _list(1)
    arm = listed.set_index("school")["arm"]
    one, other = _unlike(listed)
    sample = pd.DataFrame(
        {
            "pupil": ["a", "a", "b", "b", "c"],
            "year": [2019, 2020, 2019, 2020, 2020],
            "school": [one, other, one, one, other],
        }
    ).assign(arm=lambda frame: frame["school"].map(arm), taken=[0.0, 1, 0, 0, 1])
    known = known_of_units(sample, listed, "school", take_up="taken")
    found = _verify(listed, known=known)
    counts = found.units.set_index("unit")["n_pupils_changed_arm"]
    assert (counts[one], counts[other]) == (1, 0)
    assert _test(found, "pupils who changed group")["finding"] == "1 of 3 pupils"
    taken = found.units.set_index("unit")["taken_up"]
    assert (taken[one], taken[other]) == (0, 1)


def test_take_up_in_the_control_arm_names_its_schools() -> None:
    listed = _list(1)
    control = listed["school"][listed["arm"] == "control"]
    taken = pd.Series(1.0, index=listed["school"])
    taken[control] = 0.0
    taken[control.iloc[2]] = 0.4
    found = _verify(listed, known=replace(KNOWN, taken_up=taken))
    assert _test(found, "take-up in the control group")["reason"] == control.iloc[2]
    assert _test(found, "no take-up in an intervention group")["verdict"] == "passed"


def test_groups_that_were_not_randomised_have_a_comparison_group_that_takes_up() -> None:
    listed = _list(1)
    taken = pd.Series(1.0, index=listed["school"])
    known = replace(KNOWN, taken_up=taken)
    found = _verify(listed, design={"randomised": False}, known=known)
    assert _test(found, "take-up in the comparison group")["verdict"] == "noted"
    told = found.units.set_index("unit")["reason"]
    one = listed.loc[listed["arm"] == "control", "school"].iloc[0]
    assert "comparison, and took the programme up" in told[one]


def test_first_outcomes_are_those_after_the_years_before() -> None:
    sample = pd.DataFrame({"pupil": ["a", "a"], "year": [2019, 2020], "school": "S1", "arm": "c"})
    scores = sample[["pupil", "year"]].assign(tested=pd.to_datetime(["2019-05-02", "2020-05-03"]))
    listed = pd.DataFrame({"school": ["S1"], "arm": ["c"]})
    known = known_of_units(sample, listed, "school", scores=scores, before=[2019])
    assert known.first_outcome == {"S1": pd.Timestamp("2020-05-03")}


def test_the_baseline_of_an_outcome_is_its_own_before_the_programme_else_what_came_before() -> None:
    listed = _list(1)
    sample = pd.DataFrame({
        "pupil": listed["school"] + "p_value", "year": 2019, "school": listed["school"],
        "arm": listed["arm"], "maths": range(N), "maths_before": 0.0, "maths_before_missing": 1.0,
        "maths_before_school": 0.5,
    })  # fmt: skip
    teachers = sample.rename(columns={"pupil": "teacher"})[["teacher", "year", "school"]]
    teachers["practice_before"] = 2.0
    primary = {"maths": "Maths", "practice": "Practice", "unknown": "Unknown"}
    told: dict[str, Any] = {"teachers": teachers, "primary": primary, "baseline": 2019}
    before = known_of_units(sample, listed, "school", before=[2019], **told).baselines
    assert before is not None
    assert list(before) == ["Maths", "Practice"]
    assert before["Maths"][listed["school"]].tolist() == list(range(N))
    # In a year of the programme the outcome is no baseline, nor is a pupil's score that was filled.
    during = known_of_units(sample, listed, "school", before=[2018], **told).baselines
    assert during is not None
    assert (during["Maths"] == 0.5).all()


def test_units_that_came_otherwise_than_by_lot_are_not_tested_as_if() -> None:
    # Three of forty schools entered: no plan says how many should have.
    chose = FRAME[["school", "block"]].assign(arm=["programme"] * 3 + ["control"] * (N - 3))
    found = _verify(chose, design={"randomised": False})
    assert found.verdict == NO_LOTTERY
    assert found.tests["p_value"].isna().all()
    supposed = {
        "numbers by group as planned",
        "sample ratio",
        "sets of one unit per group",
        "baseline",
    }
    assert not supposed & set(found.tests["check"])
    assert found.tests["verdict"].isin(["passed", "noted", "not tested"]).all()


def _pairs(n: int, covariates: int, rng: np.random.Generator) -> tuple[pd.DataFrame, KnownOfUnits]:
    """Return the schools of pairs without arms, and covariates of which the first is the score."""
    names = [f"P{at}" for at in range(2 * n)]
    frame = pd.DataFrame({"school": names, "block": [f"b{at // 2}" for at in range(2 * n)]})
    values = pd.DataFrame(rng.normal(size=(2 * n, covariates)), names).add_prefix("x")
    known = KnownOfUnits(covariates=values, baselines=values[["x0"]].set_axis(["Maths"], axis=1))
    return frame, known


@pytest.mark.parametrize("covariates", [1, pytest.param(6, marks=pytest.mark.slow), 12])
def test_the_better_school_of_each_pair_is_caught_however_much_else_is_compared(
    covariates: int,
) -> None:
    rng = np.random.default_rng(covariates)
    for _ in range(10):
        frame, known = _pairs(10, covariates, rng)
        score = pd.Series(known.covariates["x0"].to_numpy())  # type: ignore[index]
        better = score == score.groupby(frame["block"]).transform("max")
        forged = frame.assign(arm=np.where(better, "programme", "control"))
        found = _verify(forged, design={"kind": "paired"}, known=known)
        assert found.verdict == IN_DOUBT
        assert _test(found, "baseline of Maths")["p_value"] == 2 / 1024
        assert _test(found, "baseline of Maths")["verdict"] == "in doubt"
        assert "Programme +" in _test(found, "baseline of Maths")["finding"]
        assert not found.told()["believed"]


@pytest.mark.slow
@trials(30, 120)
def test_honest_pairs_with_twelve_covariates_are_doubted_at_no_more_than_the_nominal_rate(
    n_trials: int,
) -> None:
    rng = np.random.default_rng(9)
    doubted = 0
    for _ in range(n_trials):
        frame, known = _pairs(10, 12, rng)
        lot = rng.permuted(np.tile(["control", "programme"], (10, 1)), axis=1).ravel()
        found = _verify(frame.assign(arm=lot), design={"kind": "paired"}, known=known, alpha=0.2)
        doubted += found.verdict == IN_DOUBT
        assert found.verdict != CONTRADICTED
    assert 0 < doubted <= most(n_trials, 0.2)


def test_a_list_sorted_as_text_whose_arms_alternate_is_doubted() -> None:
    listed = FRAME[["school"]].sort_values("school").assign(arm=["control", "programme"] * 20)
    found = _verify(listed, design={"kind": "complete"})
    assert listed["school"].tolist()[:2] == ["S1", "S10"]
    assert _test(found, "order of the list: runs")["verdict"] == "in doubt"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"randomisation": {"seed": 8}}, "seed 1 in the record, 8 in the protocol"),
        ({"randomisation": {"date": "2024-05-02"}}, "date 2024-05-01 in the record, 2024-05-02"),
        ({"kind": "complete"}, "kind blocked in the record, complete in the protocol"),
        ({"unit": "teacher"}, "unit school in the record, teacher in the protocol"),
        ({"arms": [ARMS[1], ARMS[0]]}, "groups control, programme in the record"),
        (
            {"arms": [{**ARMS[0], "share": 0.75}, ARMS[1]]},
            "shares 0.5/0.5 in the record, 0.75",
        ),
        (
            {"randomisation": {"allocation": {"b0": [4, 4]}}},
            "planned numbers none in the record, b0: 4/4",
        ),
        (
            {"randomisation": {"balance_on": ["score"], "acceptance_rate": 0.1}},
            "criterion none in the record",
        ),
    ],
)
def test_a_record_of_another_draw_than_the_protocols_contradicts_it(
    changes: dict[str, Any], said: str
) -> None:
    listed = _list(1).rename(columns={"school": changes.get("unit", "school")})
    found = _verify(listed, record=_record(1), design=changes, known=KnownOfUnits(frame=FRAME))
    fits = _test(found, "record fits the protocol")
    assert fits["verdict"] == "failed"
    assert said in fits["reason"]
    assert found.verdict == CONTRADICTED


def test_planned_numbers_of_many_blocks_are_named_where_they_differ_and_the_rest_counted() -> None:
    frame = pd.DataFrame({
        "school": [f"S{at}" for at in range(40)], "block": [f"b{at // 2}" for at in range(40)],
    })  # fmt: skip
    planned = {f"b{at}": [1, 1] for at in range(20)}
    drawn = design(randomisation={"allocation": planned})
    record = draw_assignment(frame, drawn, study="s", seed=1, date="2024-05-01", software={})
    other = {name: [1, 1] if name == "b19" else [2, 0] for name in planned}
    found = _verify(record.table(), record=record, design={"randomisation": {"allocation": other}},
                    known=KnownOfUnits(frame=frame))  # fmt: skip
    reason = _test(found, "record fits the protocol")["reason"]
    assert "b0: 1/1, b1: 1/1" in reason
    assert reason.count("and 13 more") == 2


def test_a_record_of_another_study_is_told_and_the_own_one_passes() -> None:
    for study, verdict in (("s", "passed"), ("t", "failed")):
        found = _verify(
            _list(1), record=_record(1), study=study, design={"randomisation": {"seed": 1}}
        )
        assert _test(found, "record fits the protocol")["verdict"] == verdict


def test_a_swap_in_a_balanced_draw_is_contradicted_by_name() -> None:
    draw = {"balance_on": ["score"], "acceptance_rate": 0.001}
    record = _record(4, **draw)
    listed = record.table()
    one, other = _unlike(listed)
    found = _verify(_swapped(listed, one, other), design={"randomisation": draw}, record=record)
    assert found.verdict == CONTRADICTED
    assert found.told()["units_contradicted"] == [one, other]
    assert found.units["unit"].tolist()[:2] == [one, other]  # the worst stand first
    assert "re-randomised without the criterion" in _test(found, "baseline")["reason"]
