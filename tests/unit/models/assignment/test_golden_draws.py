"""Seed and design give these draws, row by row and unit by unit.

The lists below were drawn once and are kept: a record of a draw can be repeated only as long as the
same seed goes on to give the same groups. Where numpy alone says what a draw must be, the test
makes it with numpy.
"""

from __future__ import annotations

import numpy as np
import pytest

from schooltrial.models.assignment.design import (
    AssignmentDesign,
    AssignmentError,
    Codes,
    complete_design,
    design_as_assigned,
    fixed_design,
    paired_design,
    probability_design,
    recorded_design,
    rerandomised,
)
from schooltrial.models.assignment.draws import draw_assignments, enumerate_assignments
from schooltrial.models.assignment.rerandomisation import means_differ_by_at_most
from schooltrial.models.assignment.shares import share_design
from schooltrial.random_streams import stream

BLOCK = ["b", "a", "b", "c", "a", "c", "b", "a", "b", "a", "c"]
BLOCKED = design_as_assigned(list("abcdefghijk"), [1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0], BLOCK)
THREE_ARMS = fixed_design(
    range(9),
    {"x": {"c": 2, "t": 1, "u": 1}, "y": {"c": 1, "t": 2, "u": 2}},
    list("xyxyyxyxy"),
)
FEW_AND_MANY = np.repeat([1, 2], [4, 7])
LISTED = recorded_design(["s1", "s2", "s3"], [[0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 1]])
BALANCED = rerandomised(BLOCKED, means_differ_by_at_most(np.arange(11) ** 2, 1.0))


def _rows(codes: Codes) -> list[str]:
    """Return each draw as one word, a digit a unit."""
    return ["".join(map(str, row)) for row in codes.tolist()]


def _drawn(design: AssignmentDesign, draws: int, *, block_order: bool = False) -> list[str]:
    rng = stream(2024, "assignment")
    return _rows(draw_assignments(design, draws, rng, block_order=block_order))


@pytest.mark.parametrize(
    ("design", "rows"),
    [
        pytest.param(
            complete_design(8, 3),
            ["10100001", "10011000", "00110100", "10100010", "01100100"],
            id="plain, from a table of arrangements",
        ),
        pytest.param(
            complete_design(20, 9),
            ["00110001111001100100", "00011111100100001010", "00001110101110100010",
             "10100100111000100110", "01001010110000100111"],
            id="plain, shuffled",
        ),
        pytest.param(
            BLOCKED,
            ["11010011000", "10001011001", "11000000111", "11010010010", "00001110110"],
            id="blocked, units of blocks between each other",
        ),
        pytest.param(
            paired_design(range(8), [4, 4, 2, 2, 1, 3, 3, 1]),
            ["10101010", "10101100", "01010101", "01100101", "10010011"],
            id="pairs",
        ),
        pytest.param(
            share_design(range(11), {0: 0.6, 1: 0.4}, FEW_AND_MANY),
            ["10001000011", "00010100101", "10010001001", "00011010100", "01010101010",
             "10101100001"],
            id="by shares",
        ),
        pytest.param(
            probability_design(11, 0.4, FEW_AND_MANY),
            ["10001000011", "00010100101", "10010001001", "00011010100", "01010101010",
             "10101100001"],
            id="by a probability",
        ),
        pytest.param(
            THREE_ARMS,
            ["210220011", "220010112", "021022101", "200210112", "002111202"],
            id="three groups",
        ),
        pytest.param(
            share_design(range(12), {"c": 0.5, "a": 0.3, "b": 0.2}, np.repeat([1, 2], [5, 7])),
            ["200011002012", "000212000101", "000210100102", "000210001102", "010211010200"],
            id="three groups by shares",
        ),
        pytest.param(
            LISTED, ["011", "011", "110", "011", "101", "101", "101", "011"], id="a recorded list"
        ),
        pytest.param(
            BALANCED,
            ["10010011010", "01100100110", "00011011100", "00011011100", "10010011010"],
            id="re-randomised",
        ),
    ],
)  # fmt: skip
def test_seed_and_design_give_this_list_of_draws(design: AssignmentDesign, rows: list[str]) -> None:
    assert _drawn(design, len(rows)) == rows


@pytest.mark.parametrize("design", [BLOCKED, BALANCED], ids=["blocked", "re-randomised"])
def test_columns_block_by_block_are_the_same_draws_in_another_order(
    design: AssignmentDesign,
) -> None:
    by_block = np.argsort(BLOCK, kind="stable")
    again = ["".join(row[at] for at in by_block) for row in _drawn(design, 9)]
    assert _drawn(design, 9, block_order=True) == again


@pytest.mark.parametrize(("units", "tabled"), [(5000, True), (5001, False)])
def test_blocks_of_up_to_five_thousand_arrangements_are_drawn_from_a_table(
    units: int, tabled: bool
) -> None:
    # One unit of n: the k-th arrangement treats the k-th unit. A longer list is shuffled.
    found = draw_assignments(complete_design(units, 1), 3, np.random.default_rng(8))
    rng = np.random.default_rng(8)
    if tabled:
        treated = rng.integers(0, units, size=(3, 1), dtype=np.int32)[:, 0]
    else:
        arms = np.zeros((3, units), dtype=np.int8)
        arms[:, -1] = 1
        treated = rng.permuted(arms, axis=1).argmax(axis=1)
    assert found.argmax(axis=1).tolist() == treated.tolist()


def test_a_recorded_list_is_drawn_by_its_row() -> None:
    rows = np.random.default_rng(3).integers(0, 4, size=50)
    assert LISTED.recorded is not None
    found = draw_assignments(LISTED, 50, np.random.default_rng(3))
    np.testing.assert_array_equal(found, LISTED.recorded[rows])


@pytest.mark.parametrize(("draws", "batch"), [(12, 256), (300, 300), (5000, 4096)])
def test_a_rule_keeps_the_first_that_it_accepts_of_batches_of_one_size(
    draws: int, batch: int
) -> None:
    rng, kept = np.random.default_rng(5), np.empty((0, 11), dtype=np.int8)
    assert BALANCED.rule is not None
    while len(kept) < draws:
        candidates = draw_assignments(BLOCKED, batch, rng)
        kept = np.concatenate([kept, candidates[BALANCED.rule(candidates)]])
    found = draw_assignments(BALANCED, draws, np.random.default_rng(5))
    np.testing.assert_array_equal(found, kept[:draws])


def test_a_rule_that_accepts_one_in_ten_thousand_is_searched_and_a_rarer_one_is_given_up() -> None:
    # Draws come in batches of 256: 782 of them are the first to make 200,000.
    seen = 0

    def every(interval: int) -> AssignmentDesign:
        def rule(codes: Codes) -> np.ndarray:
            nonlocal seen
            numbers = np.arange(seen, seen + len(codes))
            seen += len(codes)
            return np.asarray(numbers % interval == 0)

        return rerandomised(complete_design(4, 2), rule)

    assert len(draw_assignments(every(9_000), 24, np.random.default_rng(0))) == 24
    seen = 0
    with pytest.raises(AssignmentError, match=r"kept 19 of 200,192 draws"):
        draw_assignments(every(11_000), 24, np.random.default_rng(0))


def _listed(
    design: AssignmentDesign, *, block_order: bool = False
) -> tuple[list[str], list[float]]:
    parts = list(enumerate_assignments(design, rows=4, block_order=block_order))
    assert max(len(codes) for codes, _ in parts) <= 4
    return (
        _rows(np.concatenate([codes for codes, _ in parts])),
        np.concatenate([chance for _, chance in parts]).tolist(),
    )


@pytest.mark.parametrize(
    ("design", "rows"),
    [
        # The treated are chosen as itertools.combinations lists them: 01, 02, 03, 12, 13, 23.
        (complete_design(4, 2), ["1100", "1010", "1001", "0110", "0101", "0011"]),
        # The last arm is chosen first, and slowest; the others among the units that are left.
        (
            fixed_design(range(3), {"all": {"c": 1, "t": 1, "u": 1}}, None),
            ["210", "201", "120", "021", "102", "012"],
        ),
        # Of two blocks the later changes with every row.
        (
            fixed_design(range(5), {"p": {0: 1, 1: 1}, "q": {0: 2, 1: 1}}, list("pqpqq")),
            ["11000", "10010", "10001", "01100", "00110", "00101"],
        ),
    ],
)
def test_all_assignments_are_listed_in_this_order(
    design: AssignmentDesign, rows: list[str]
) -> None:
    found, chance = _listed(design)
    assert found == rows
    assert chance == pytest.approx([1 / len(rows)] * len(rows))


def test_assignments_of_a_number_that_is_drawn_are_listed_smaller_number_first() -> None:
    # 1.2 of 3 units: one with probability 0.8, in three ways, or two with 0.2, in three.
    found, chance = _listed(probability_design(3, 0.4))
    assert found == ["100", "010", "001", "110", "101", "011"]
    assert chance == pytest.approx([0.8 / 3] * 3 + [0.2 / 3] * 3)


def test_a_rule_leaves_assignments_in_their_order_and_columns_by_block_go_with_it() -> None:
    every, _ = _listed(BLOCKED)
    rows = np.array([list(map(int, row)) for row in every], dtype=np.int8)
    assert BALANCED.rule is not None
    kept = _rows(rows[BALANCED.rule(rows)])
    assert len(every) == 6 * 6 * 3
    assert 0 < len(kept) < len(every)
    found, chance = _listed(BALANCED)
    assert found == kept
    assert chance == pytest.approx([1 / 108] * len(kept))
    by_block = np.argsort(BLOCK, kind="stable")
    moved = ["".join(row[at] for at in by_block) for row in kept]
    assert _listed(BALANCED, block_order=True)[0] == moved
    plain = ["".join(row[at] for at in by_block) for row in every]
    assert _listed(BLOCKED, block_order=True)[0] == plain
