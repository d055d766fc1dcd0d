"""The draw and its record: repeatable, sealed, and refused where the plan is impossible."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.assignment.criterion import (
    ACCEPTED,
    DRAWN,
    OWN_DISTANCE,
    judge_criterion,
    tabulate_distances,
)
from schooltrial.protocol.content.sections import Arm, Design
from schooltrial.randomisation.criterion import draw_criterion
from schooltrial.randomisation.plan import lottery_plan
from schooltrial.randomisation.record import (
    AssignmentRecord,
    draw_assignment,
    frame_sha256,
    ordered_frame,
    read_record,
    redraw,
)
from schooltrial.refusal import Refusal
from support.sections import ARMS, design

RNG = np.random.default_rng(1)
FRAME = pd.DataFrame(
    {
        "school": [f"S{at}" for at in range(1, 13)],
        "block": np.repeat(["a", "b", "c"], 4),
        "score": RNG.normal(size=12),
        "kind": ["x", "y", "x"] * 4,
    }
)
TWO = ARMS
THREE: list[Arm] = [*TWO, {"name": "text", "label": "Text", "share": None, "in_models": True}]


def drawn(kind: str = "blocked", arms: list[Arm] | None = None, **draw: Any) -> Design:
    return design(kind=kind, arms=arms or TWO, randomisation=draw)


def _draw(frame: pd.DataFrame = FRAME, seed: int = 3, **keys: Any) -> AssignmentRecord:
    key = keys.pop("key", None)
    return draw_assignment(
        frame, drawn(**keys), study="s", seed=seed, date="2024-05-01",
        software={"numpy": "2"}, key=key,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "numbers"),
    [
        ({"kind": "complete"}, {"control": 6, "programme": 6}),
        ({"kind": "blocked"}, {"control": 6, "programme": 6}),
        ({"kind": "blocked", "arms": [{**TWO[0], "share": 0.75}, TWO[1]]},
         {"control": 9, "programme": 3}),
        ({"kind": "blocked", "allocation": {"a": [3, 1], "b": [1, 3], "c": [2, 2]}},
         {"control": 6, "programme": 6}),
        ({"kind": "complete", "arms": THREE}, {"control": 4, "programme": 4, "text": 4}),
    ],
)  # fmt: skip
def test_designs_give_the_numbers_that_are_planned(
    keys: dict[str, Any], numbers: dict[str, int]
) -> None:
    assert _draw(**keys).table()["arm"].value_counts().to_dict() == numbers


def test_one_school_of_each_pair_is_drawn_whatever_the_seed() -> None:
    frame = FRAME.assign(block=np.repeat(list("abcdef"), 2))
    for seed in range(20):
        by_pair = _draw(frame, seed, kind="paired").table().groupby("block")["arm"]
        assert (by_pair.nunique() == 2).all()


def test_a_lottery_inside_schools_takes_the_school_as_block() -> None:
    frame = FRAME.rename(columns={"school": "pupil", "block": "school"})
    told = design(unit="pupil")
    record = draw_assignment(frame, told, study="s", seed=1, date="", software={})
    counts = record.table().groupby(["block", "arm"]).size()
    assert (counts == 2).all()
    assert list(record.table().columns) == ["pupil", "block", "arm"]


def test_the_same_seed_and_schools_in_any_order_give_the_same_list() -> None:
    shuffled = FRAME.sample(frac=1, random_state=4)
    assert _draw(shuffled) == _draw()
    assert _draw(seed=4).listing != _draw().listing


@pytest.mark.parametrize("seeds", [100, pytest.param(600, marks=pytest.mark.slow)])
def test_every_school_has_its_chance_over_seeds(seeds: int) -> None:
    arms = [{**TWO[0], "share": 0.7}, TWO[1]]
    drawn = np.array([
        [arm == "programme" for _, _, arm in _draw(seed=seed, arms=arms).listing]
        for seed in range(seeds)
    ])  # fmt: skip
    assert (np.abs(drawn.mean(axis=0) - 0.3) < 4 * np.sqrt(0.3 * 0.7 / seeds)).all()


def test_a_record_is_read_back_as_it_was_written() -> None:
    record = _draw(balance_on=["score", "kind"], acceptance_rate=0.2)
    assert read_record(record.json(), "r.json") == record
    assert record.intact()


@pytest.mark.parametrize("key", [None, b"secret"])
def test_the_seal_breaks_when_one_school_changes_arm(key: bytes | None) -> None:
    record = _draw(key=key)
    rows = list(record.listing)
    rows[0] = (*rows[0][:2], "control" if rows[0][2] == "programme" else "programme")
    assert record.intact(key) is True
    assert replace(record, listing=tuple(rows)).intact(key) is False
    assert replace(record, seed=4).intact(key) is False


def test_a_keyed_seal_needs_its_key() -> None:
    record = _draw(key=b"secret")
    assert record.intact() is None
    assert record.intact(b"other") is False


def test_whoever_has_no_key_cannot_pass_a_changed_record_off_as_keyed() -> None:
    forged = replace(_draw(key=b"secret"), seed=4)
    assert replace(forged, signature=_draw(seed=4).signature).intact(b"secret") is False


def test_the_hash_is_of_the_last_digit_of_a_covariate() -> None:
    plan = lottery_plan(drawn(balance_on=["score"]))
    other = FRAME.assign(
        score=FRAME["score"].where(FRAME.index > 0, np.nextafter(FRAME["score"], 9))
    )
    one, two = (frame_sha256(ordered_frame(f, "school", "block", plan)) for f in (FRAME, other))
    assert one != two


@pytest.mark.parametrize("seeds", [20, pytest.param(60, marks=pytest.mark.slow)])
def test_a_balanced_draw_is_made_until_one_is_among_the_best_and_says_how_often(seeds: int) -> None:
    keys: dict[str, Any] = {"balance_on": ["score", "kind"], "acceptance_rate": 0.1}
    records = [_draw(seed=seed, **keys) for seed in range(seeds)]
    told = drawn(**keys)
    for record in records:
        known = draw_criterion(record.table(), told, FRAME, record)
        assert known.criterion is not None
        finding = judge_criterion(known)
        assert finding is not None
        assert finding.verdict == "passed"
    made = np.array([record.draws_made for record in records])
    assert made.min() >= 1
    # Geometric with mean 10 (216 assignments: the share accepted is 22/216 or so).
    assert abs(made.mean() - 10) < 3 * np.sqrt(90 / seeds)


def test_distances_of_draws_are_told_with_the_worst_accepted_and_that_of_the_list() -> None:
    told = drawn(seed=3, balance_on=["score"], acceptance_rate=0.3)
    record = _draw(seed=3, balance_on=["score"], acceptance_rate=0.3)
    known = draw_criterion(record.table(), told, FRAME, record)
    table = tabulate_distances(known)
    by_chance = table[table["what"] == DRAWN]
    assert by_chance["distance"].is_monotonic_increasing
    assert by_chance["share"].iloc[[0, -1]].tolist() == [0, 1]
    accepted, own = (table[table["what"] == what].iloc[0] for what in (ACCEPTED, OWN_DISTANCE))
    (at_share,) = by_chance.loc[by_chance["share"] == 0.3, "distance"]
    assert at_share == pytest.approx(accepted["distance"])
    assert own["distance"] <= accepted["distance"]
    assert own["share"] <= 0.35  # draws of one distance are many, as few schools have few draws
    assert tabulate_distances(draw_criterion(record.table(), drawn(), FRAME)).empty


def test_a_criterion_judges_schools_in_whatever_order_they_come() -> None:
    told = drawn(seed=3, balance_on=["score"], acceptance_rate=0.3)
    record = _draw(balance_on=["score"], acceptance_rate=0.3)
    known = draw_criterion(record.table(), told, FRAME).criterion
    assert known is not None
    units = list(FRAME["school"])
    turned = np.random.default_rng(2).permutation(12)
    codes = np.array([RNG.permutation(np.arange(12) % 2) for _ in range(40)], dtype=np.int8)
    one, other = (
        known.among(names, ["control", "programme"])(codes[:, at])
        for names, at in ((units, np.arange(12)), ([units[k] for k in turned], turned))
    )
    np.testing.assert_array_equal(one, other)
    assert 0 < one.sum() < 40


def test_of_three_arms_two_are_redrawn_with_the_third_as_it_was_drawn() -> None:
    told = drawn(kind="complete", arms=THREE, seed=3, balance_on=["score"], acceptance_rate=0.2)
    record = _draw(kind="complete", arms=THREE, balance_on=["score"], acceptance_rate=0.2)
    known = draw_criterion(record.table(), told, FRAME, record).criterion
    assert known is not None
    arm = record.table().set_index("school")["arm"]
    pair = [unit for unit in arm.index if arm[unit] != "programme"]
    chosen = list(combinations(range(8), 4))
    every = np.array([[k in one for k in range(8)] for one in chosen], dtype=np.int8)
    kept = every[known.among(pair, ["control", "text"])(every)]
    assert 0 < len(kept) < len(every)
    # Those that are kept are the whole lists that the design accepts.
    for codes in every:
        whole = arm.copy()
        whole[pair] = np.where(codes == 1, "text", "control")
        met = draw_criterion(whole.rename("arm").reset_index(), told, FRAME, record)
        assert (met.criterion is not None) == any((codes == one).all() for one in kept)


@pytest.mark.parametrize("what", ["swapped", "moved", "left out", "no frame"])
def test_a_list_that_its_criterion_cannot_have_drawn_gives_no_redraws_and_says_why(
    what: str,
) -> None:
    told = drawn(seed=3, balance_on=["score"], acceptance_rate=0.05)
    record = _draw(balance_on=["score"], acceptance_rate=0.05)
    listed, frame = record.table(), FRAME
    if what == "swapped":
        best = FRAME.set_index("school")["score"][listed["school"]].to_numpy()
        in_block = pd.Series(best).groupby(listed["block"].to_numpy()).rank()
        listed["arm"] = np.where(in_block > 2, "programme", "control")
    elif what == "moved":
        far = listed["school"].map(FRAME.set_index("school")["score"]).nlargest(4).index
        listed.loc[far, "arm"] = "programme"
    elif what == "left out":
        listed = listed.iloc[1:]
    known = draw_criterion(listed, told, None if what == "no frame" else frame, record)
    assert known.criterion is None
    assert known.unusable.startswith("no re-randomisations: ")
    finding = judge_criterion(known)
    assert finding is not None
    assert finding.verdict == ("failed" if what in ("swapped", "moved") else "not tested")


def test_a_repeated_draw_uses_the_recorded_threshold() -> None:
    record = _draw(balance_on=["score"], acceptance_rate=0.1)
    plan = lottery_plan(drawn(balance_on=["score"], acceptance_rate=0.1))
    ordered = ordered_frame(FRAME, "school", "block", plan)
    arms, threshold, made = redraw(ordered, plan, 3, record.threshold)
    assert arms == [arm for _, _, arm in record.listing]
    assert (threshold, made) == (record.threshold, record.draws_made)


@pytest.mark.parametrize(
    ("frame", "keys", "told"),
    [
        (pd.concat([FRAME, FRAME[:1]]), {}, "S1 is in 2 rows"),
        (FRAME[:11].assign(block=np.repeat(list("abcdef"), 2)[:11]), {"kind": "paired"},
         "set f has 1 units, for 2 groups"),
        (FRAME.assign(block=np.repeat(list("abcd"), 3)), {"kind": "paired"},
         "set a has 3 units, for 2 groups"),
        (FRAME.assign(block=["z", *FRAME["block"][1:]]), {}, "block z has 1 unit, for 2 groups"),
        (FRAME, {"allocation": {"a": [3, 2]}}, "block a has 4 units, but `allocation` plans 5"),
        (FRAME, {"allocation": {"a": [4, 0]}}, "block a has 4 units, all in one group"),
        (FRAME, {"arms": [{**TWO[0], "share": 0.9}, TWO[1]]},
         "block a has 4 units, and can have all of them in one group"),
        (FRAME, {"arms": [{**TWO[0], "share": 0.999999999}, TWO[1]]},
         "'programme' gets no units of 12"),
        (FRAME, {"arms": [{**THREE[0], "share": 0.49}, {**THREE[1], "share": 0.02}, THREE[2]]},
         "can easily get no units of 12"),
        (FRAME.assign(block=np.repeat(list("abcdef"), 2)), {"arms": THREE},
         "block f has 2 units, for 3 groups"),
        (FRAME.assign(score=4.0), {"balance_on": ["score"], "acceptance_rate": 0.1},
         "score does not vary within any block"),
        (FRAME, {"allocation": {"z": [1, 1]}}, "numbers for block z, but frame has no unit in it"),
        (FRAME, {"allocation": {"a": [1, 1, 2]}}, "block a has 3 planned numbers"),
        (FRAME, {"arms": [{**TWO[0], "share": 1.2}, TWO[1]]}, "the planned share 1.2"),
        (FRAME, {"arms": [{**TWO[0], "share": 0.6}, {**TWO[1], "share": 0.6}]}, "sum to 1.2"),
        (FRAME, {"balance_on": ["size"], "acceptance_rate": 0.1}, "the column 'size' is missing"),
        (FRAME.assign(score=np.nan), {"balance_on": ["score"], "acceptance_rate": 0.1},
         "the cell is empty"),
        (FRAME[:0], {}, "the eligible list has no units"),
    ],
)  # fmt: skip
def test_an_impossible_draw_is_refused_by_name(
    frame: pd.DataFrame, keys: dict[str, Any], told: str
) -> None:
    with pytest.raises(Refusal, match=told):
        _draw(frame, **keys)


def test_all_faults_of_a_frame_are_told_at_once() -> None:
    frame = pd.concat([FRAME, FRAME[:1]]).assign(block="a", score=np.nan)
    with pytest.raises(Refusal, match="S1 is in 2 rows") as refusal:
        _draw(frame, balance_on=["score", "size"])
    assert "the column 'size' is missing" in str(refusal.value)
    assert "the cell is empty" in str(refusal.value)


@pytest.mark.parametrize("text", ["school,arm\nS1,control\n", "{}", json.dumps({"listing": []})])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="not a randomisation record"):
        read_record(text, "list.csv")
