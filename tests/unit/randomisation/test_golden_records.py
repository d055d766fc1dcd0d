"""Seed and frame give this list, this hash of the frame, this seal and this file.

The lists were drawn once and are kept: whoever repeats a recorded draw must come to them. Hashes
are those of texts that are written out here by hand.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.models.assignment.design import complete_design
from schooltrial.models.assignment.draws import draw_assignments
from schooltrial.models.assignment.rerandomisation import mahalanobis_distance
from schooltrial.protocol.content.sections import Arm, Design
from schooltrial.random_streams import stream
from schooltrial.randomisation.plan import LotteryPlan, lottery_plan
from schooltrial.randomisation.record import (
    AssignmentRecord,
    draw_assignment,
    frame_sha256,
    ordered_frame,
    plan_of,
    read_record,
    redraw,
)
from schooltrial.refusal import Refusal
from support.sections import design as completed_design

FRAME = pd.DataFrame(
    {
        "school": [f"S{at}" for at in range(1, 13)],
        "block": ["b", "a", "c"] * 4,
        "score": [3.1, 1.4, 4.15, 1.59, 5.26, 9.53, 2.58, 6.97, 5.93, 3.23, 5.84, 8.62],
        "kind": ["x", "y"] * 6,
    }
)
BY_NAME = ["S1", "S10", "S11", "S12", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9"]
TWO: list[Arm] = [
    {"name": name, "label": name, "share": None, "in_models": True}
    for name in ("control", "programme")
]
THREE: list[Arm] = [*TWO, {"name": "text", "label": "text", "share": None, "in_models": True}]
ARM = {"c": "control", "p": "programme", "t": "text"}


def _design(kind: str, arms: list[Arm] | None = None, **draw: Any) -> Design:
    return completed_design(kind=kind, arms=arms or TWO, randomisation=draw)


def _record(design: Design, frame: pd.DataFrame = FRAME, **keys: Any) -> AssignmentRecord:
    plain: dict[str, Any] = {
        "study": "s", "seed": 7, "date": "2024-05-01", "software": {"numpy": "2"},
    }  # fmt: skip
    return draw_assignment(frame, design, **plain | keys)


@pytest.mark.parametrize(
    ("design", "frame", "arms"),
    [
        pytest.param(_design("complete"), FRAME, "ccccppppcppc", id="plain"),
        pytest.param(_design("blocked"), FRAME, "pccccpppccpp", id="blocked"),
        pytest.param(
            _design("paired"), FRAME.assign(block=list("fedcba") * 2), "pcpcpcpcpccp", id="pairs"
        ),
        pytest.param(
            _design("blocked", [{**TWO[0], "share": 0.6}, TWO[1]]), FRAME, "cpppcccccpcc",
            id="by shares",
        ),
        pytest.param(
            _design("blocked", allocation={"a": [3, 1], "b": [1, 3]}), FRAME, "ppcccpcccppp",
            id="planned numbers",
        ),
        pytest.param(_design("complete", THREE), FRAME, "ppttctppcctc", id="three groups"),
        pytest.param(
            _design("blocked", [{**THREE[0], "share": 0.5}, *THREE[1:]]), FRAME, "ptcccccptctp",
            id="three groups by shares",
        ),
        pytest.param(
            _design("blocked", balance_on=["score", "kind"], acceptance_rate=0.05), FRAME,
            "pccpcpppccpc", id="re-randomised in blocks",
        ),
        pytest.param(
            _design(
                "blocked", allocation={"a": [3, 1]}, balance_on=["score"], acceptance_rate=0.01
            ), FRAME, "pcpccppcpccc", id="re-randomised in blocks that are not alike",
        ),
        pytest.param(
            _design("complete", balance_on=["score"], acceptance_rate=0.003), FRAME, "pppppcccccpc",
            id="re-randomised",
        ),
    ],
)  # fmt: skip
def test_seed_and_frame_give_this_list(design: Design, frame: pd.DataFrame, arms: str) -> None:
    record = _record(design, frame)
    assert [unit for unit, _, _ in record.listing] == BY_NAME
    assert [arm for _, _, arm in record.listing] == [ARM[letter] for letter in arms]
    block = frame.set_index("school")["block"]
    blocks = ["all units" if design["kind"] == "complete" else block[unit] for unit in BY_NAME]
    assert [told for _, told, _ in record.listing] == blocks


def test_a_balanced_draw_is_the_first_that_is_among_the_best_of_twenty_thousand() -> None:
    # In one block with two arms the criterion is the Mahalanobis distance of the arms' means.
    score = FRAME.set_index("school")["score"][BY_NAME].to_numpy()
    design = complete_design(12, 6)
    made = []
    for seed in range(1, 21):
        record = _record(
            _design("complete", balance_on=["score"], acceptance_rate=0.0025), seed=seed
        )  # fmt: skip
        tried = draw_assignments(design, 20_000, stream(seed, "assignment", "threshold"))
        # The 50th best of 20,000 is the last of the best 0.25 per cent.
        threshold = np.sort(mahalanobis_distance(tried, score))[49]
        assert record.threshold == pytest.approx(threshold, rel=1e-9)
        rng = stream(seed, "assignment")
        codes = np.concatenate([draw_assignments(design, 256, rng) for _ in range(20)])
        good = mahalanobis_distance(codes, score) <= threshold * (1 + 1e-9)
        first = int(np.flatnonzero(good)[0])
        assert record.draws_made == first + 1
        assert [arm == "programme" for _, _, arm in record.listing] == (codes[first] == 1).tolist()
        made.append(record.draws_made)
    assert max(made) > 256  # some came in a later batch


def test_the_acceptable_distance_is_a_quantile_of_twenty_thousand_draws_of_their_own_stream() -> (
    None
):
    # With twenty schools hardly two of the draws have the same distance.
    names = [f"S{at}" for at in range(10, 30)]
    score = np.random.default_rng(1).normal(size=20)
    frame = pd.DataFrame({"school": names, "score": score})
    tried = draw_assignments(complete_design(20, 10), 20_000, stream(7, "assignment", "threshold"))
    by_distance = np.sort(mahalanobis_distance(tried, score))
    for acceptance, place in ((0.3, 6000), (0.00012, 3), (0.900025, 18_001)):
        record = _record(
            _design("complete", balance_on=["score"], acceptance_rate=acceptance), frame
        )
        assert record.threshold == pytest.approx(by_distance[place - 1], rel=1e-9)
        assert by_distance[place - 2] < by_distance[place - 1] < by_distance[place]


def test_of_draws_that_were_not_balanced_one_is_made_and_none_refused() -> None:
    plain = _record(_design("blocked"))
    assert (plain.threshold, plain.draws_made) == (None, 1)
    # Without a column to balance on, or where all draws are acceptable, nothing is repeated.
    assert _record(_design("blocked", balance_on=["score"], acceptance_rate=1)).threshold is None
    assert _record(_design("blocked", acceptance_rate=0.1)).threshold is None


FEW = pd.DataFrame(
    {
        "school": ["S10", "S2", "École", "A"],
        "block": ["n", "n", "s", "s"],
        "score": [2, 7, 10, -1],
        "share": [0.1, 1e-7, 1 / 3, 2.5],
        "kind": ["x", "y", "é", "x"],
    }
)
FEW_TEXT = (
    '[["unit","block","score","share","kind"],["A","s","-1.0","2.5","x"],'
    '["S10","n","2.0","0.1","x"],["S2","n","7.0","1e-07","y"],'
    '["École","s","10.0","0.3333333333333333","é"]]'
)


def _plan(*names: str, kind: str = "blocked") -> LotteryPlan:
    return lottery_plan(_design(kind, balance_on=list(names), acceptance_rate=0.5))


def test_the_hash_of_a_frame_is_that_of_its_rows_by_name_with_numbers_in_full() -> None:
    ordered = ordered_frame(FEW, "school", "block", _plan("score", "share", "kind"))
    assert frame_sha256(ordered) == hashlib.sha256(FEW_TEXT.encode("utf-8")).hexdigest()
    assert frame_sha256(ordered) == (
        "e9b423ea5f1105f2b257a1912c03f4742c8a11a4d5f7e0e18fa3ea4632c725c8"
    )


def test_a_complete_draw_has_one_block_whatever_the_frame_says() -> None:
    ordered = ordered_frame(FEW, "school", "block", _plan(kind="complete"))
    assert ordered.to_numpy().tolist() == [
        ["A", "all units"], ["S10", "all units"], ["S2", "all units"], ["École", "all units"],
    ]  # fmt: skip
    unnamed = ordered_frame(FEW, "school", "area", _plan(kind="staggered"))
    assert set(unnamed["block"]) == {"all units"}


FRAME_SHA = hashlib.sha256(
    b'[["unit","block"],["A","s"],["S10","n"],["S2","n"],["\xc3\x89cole","s"]]'
).hexdigest()
SEALED = (
    '{"date":"2024-05-01","design":{"acceptance":1.0,"arms":["control","programme"],'
    '"balance_on":[],"kind":"blocked","planned":{"n":[1,1],"s":[1,1]},"shares":[0.5,0.5]},'
    '"draws_made":1,"frame_sha256":"' + FRAME_SHA + '",'
    '"listing":[["A","s","%s"],["S10","n","%s"],["S2","n","%s"],["École","s","%s"]],'
    '"n_units":4,"seal":"%s","seed":11,"software":{"numpy":"2","python":"3"},"study":"s",'
    '"threshold":null,"unit":"school"}'
)
FEW_ARMS = ("programme", "programme", "control", "control")


def _of_few(key: bytes | None = None) -> AssignmentRecord:
    # Blocks are planned in another order than they are told, and software is.
    return _record(
        _design("blocked", allocation={"s": [1, 1], "n": [1, 1]}), FEW, seed=11,
        software={"python": "3", "numpy": "2"}, key=key,
    )  # fmt: skip


def test_the_seal_is_the_sha_256_of_the_record_s_own_text() -> None:
    text = SEALED % (*FEW_ARMS, "SHA-256")
    record = _of_few()
    assert record.text() == text
    assert record.signature == hashlib.sha256(text.encode("utf-8")).hexdigest()
    assert record.signature == "38e051205f4ab4529830f3b0390a5680c1ca3d26ba3a4eee66c249251e041246"


def test_a_keyed_seal_is_the_hmac_of_a_text_that_says_so() -> None:
    text = SEALED % (*FEW_ARMS, "HMAC-SHA-256")
    record = _of_few(b"key")
    assert record.text() == text
    assert record.signature == hmac.new(b"key", text.encode("utf-8"), hashlib.sha256).hexdigest()
    assert _of_few(b"").seal == "HMAC-SHA-256"  # an empty key is a key


def test_a_record_is_written_one_unit_a_line_and_read_back() -> None:
    record = _of_few()
    lines = record.json().splitlines()
    arms = dict(zip(["A", "S10", "S2", "École"], FEW_ARMS, strict=True))
    block = {"A": "s", "S10": "n", "S2": "n", "École": "s"}
    assert lines[-7:] == [
        '  "listing": [',
        *(
            f'    ["{unit}", "{block[unit]}", "{arm}"]' + ("," if unit != "École" else "")
            for unit, arm in arms.items()
        ),
        "  ]",
        "}",
    ]
    assert list(json.loads(record.json())) == [
        "study", "unit", "design", "seed", "date", "software", "frame_sha256", "n_units",
        "threshold", "draws_made", "seal", "signature", "listing",
    ]  # fmt: skip
    assert record.json().endswith("}\n")
    assert list(json.loads(record.json())["design"]["planned"]) == ["n", "s"]
    assert read_record(record.json(), "r.json") == record
    assert record.table().to_numpy().tolist() == [
        [unit, block[unit], arm] for unit, arm in arms.items()
    ]


@pytest.mark.parametrize("text", ["{", "[]", '{"listing": [["A", "s"]]}', '{"listing": []}'])
def test_a_file_that_is_no_record_is_refused_by_name(text: str) -> None:
    with pytest.raises(Refusal, match=r"r\.json: this is not a randomisation record"):
        read_record(text, "r.json")


def test_a_record_is_drawn_again_by_the_plan_that_it_tells() -> None:
    told = _design(
        "blocked", [{**THREE[0], "share": 0.5}, *THREE[1:]], allocation={"a": [2, 1, 1]},
        balance_on=["score"], acceptance_rate=0.2,
    )  # fmt: skip
    record = read_record(_record(told).json(), "r.json")
    plan = plan_of(record)
    assert plan.planned == {"a": (2, 1, 1)}
    assert plan.shares == (0.5, 0.25, 0.25)
    assert plan.rerandomised
    ordered = ordered_frame(FRAME, "school", "block", plan)
    arms, threshold, made = redraw(ordered, plan, record.seed, record.threshold)
    assert arms == [arm for _, _, arm in record.listing]
    assert (threshold, made) == (record.threshold, record.draws_made)
