"""The recorded assignment, held against the design, block by block."""

import pandas as pd

from schooltrial.checks.assignment.blocks import assignment_check

ARMS = ["control", "awards"]


def _assignment(*blocks: tuple[str, str]) -> pd.DataFrame:
    rows = [(block, ARMS[int(arm)]) for block, arms in blocks for arm in arms]
    frame = pd.DataFrame(rows, columns=["block", "arm"])
    return frame.assign(school=[f"S{at}" for at in range(len(frame))])


def test_pairs_are_as_designed_and_a_triple_is_named() -> None:
    check = assignment_check(_assignment(("1", "01"), ("7", "011")), ARMS, "paired")
    assert check["verdict"].tolist() == ["both groups present", "a set of 3 schools, not a pair"]
    assert check["n_control"].tolist() == [1, 1]
    assert check["n_awards"].tolist() == [1, 2]
    assert check["treated_share"].tolist() == [1 / 2, 2 / 3]


def test_a_triple_is_as_designed_where_blocks_may_have_any_size() -> None:
    check = assignment_check(_assignment(("7", "011")), ARMS, "blocked")
    assert check["verdict"].tolist() == ["both groups present"]


def test_a_block_of_one_arm_does_not_inform_the_effect() -> None:
    check = assignment_check(_assignment(("1", "00"), ("2", "11")), ARMS, "blocked")
    assert set(check["verdict"]) == {"one group only: does not contribute to the estimate"}
    assert check["treated_share"].tolist() == [0, 1]


def test_where_all_schools_of_a_staggered_design_enter_no_block_is_at_fault_for_one_arm() -> None:
    check = assignment_check(_assignment(("1", "11"), ("2", "11")), ARMS, "staggered")
    assert set(check["verdict"]) == {
        "no unit stays outside: cohorts are compared with those that enter later"
    }
    beside = assignment_check(_assignment(("1", "01"), ("2", "11")), ARMS, "staggered")
    assert "one group only: does not contribute to the estimate" in set(beside["verdict"])


def test_a_block_with_units_that_are_not_as_drawn_says_so_and_names_them() -> None:
    listed = _assignment(("1", "01"), ("2", "01"))
    units = listed.rename(columns={"school": "unit"}).assign(
        verdict=["passed", "noted", "failed", "passed"]
    )
    check = assignment_check(listed, ARMS, "blocked", units).set_index("block")["verdict"]
    assert check["1"] == "both groups present"
    assert check["2"] == "not as drawn: S2; both groups present"


def test_blocks_are_in_the_order_of_their_numbers() -> None:
    blocks = [(str(number), "01") for number in (10, 9, 1)]
    assert assignment_check(_assignment(*blocks), ARMS, "paired")["block"].tolist() == [
        "1", "9", "10",
    ]  # fmt: skip


def test_without_blocks_all_schools_are_one() -> None:
    frame = _assignment(("1", "01"), ("2", "01")).drop(columns="block")
    check = assignment_check(frame, ARMS, "complete")
    assert check[["block", "n_units"]].to_numpy().tolist() == [["all units", 4]]


def test_every_school_is_counted_once() -> None:
    frame = _assignment(("1", "01"), ("2", "0111"), ("3", "0"))
    assert assignment_check(frame, ARMS, "blocked")["n_units"].sum() == len(frame)


def test_of_three_arms_a_block_is_named_by_the_one_it_lacks() -> None:
    rows = [("1", "control"), ("1", "a"), ("1", "b"), ("2", "control"), ("2", "b"), ("3", "b")]
    frame = pd.DataFrame(rows, columns=["block", "arm"])
    check = assignment_check(frame, ["control", "a", "b"], "blocked")
    assert check["verdict"].tolist() == [
        "all groups present",
        "no unit in a: contributes to the other comparisons only",
        "one group only: does not contribute to the estimate",
    ]
    assert check["treated_share"].tolist() == [2 / 3, 1 / 2, 1]
    assert list(check.columns) == [
        "block", "n_units", "n_control", "n_a", "n_b", "treated_share", "verdict",
    ]  # fmt: skip


def test_a_set_of_three_is_as_designed_where_there_are_three_arms() -> None:
    frame = pd.DataFrame({"block": "1", "arm": ["control", "a", "b"]})
    check = assignment_check(frame, ["control", "a", "b"], "paired")
    assert check["verdict"].tolist() == ["all groups present"]
