from __future__ import annotations

from itertools import permutations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from schooltrial.models.assignment.of_schools import school_assignment
from schooltrial.models.assignment.rerandomisation import (
    mahalanobis_at_most,
    mahalanobis_distance,
    means_differ_by_at_most,
)

SETTINGS = settings(deadline=None, max_examples=25, derandomize=True)


def _all(design: AssignmentDesign, rows: int = 1000) -> tuple[Codes, np.ndarray]:
    parts = list(enumerate_assignments(design, rows=rows))
    return np.concatenate([c for c, _ in parts]), np.concatenate([p for _, p in parts])


@SETTINGS
@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=1, max_size=3))
def test_enumeration_lists_each_assignment_of_three_arms_once(
    numbers: list[list[int]],
) -> None:
    # Every block has a unit more of the first two arms, so that each holds a comparison.
    counts = {f"b{i}": {"c": c + 1, "t": t + 1, "u": u} for i, (c, t, u) in enumerate(numbers)}
    counts["b0"]["u"] += 1
    block = [name for name, arms in counts.items() for _ in range(sum(arms.values()))]
    design = fixed_design(np.arange(len(block)), counts, block)
    if design.possible > 3000:
        return
    codes, chance = _all(design, rows=7)
    assert len(codes) == design.possible == len(np.unique(codes, axis=0))
    assert chance.sum() == pytest.approx(1)
    for name, arms in counts.items():
        inside = codes[:, np.array(block) == name]
        for number, arm in enumerate(design.arms):
            assert ((inside == number).sum(axis=1) == arms[arm]).all()


def test_complete_design_equals_the_distinct_permutations() -> None:
    codes, _ = _all(complete_design(6, 2))
    expected = set(permutations([0, 0, 0, 0, 1, 1]))
    assert {tuple(row) for row in codes.tolist()} == expected
    assert len(codes) == comb(6, 2)


@pytest.mark.parametrize("n", [4, 40])
def test_random_draws_keep_the_numbers_and_give_each_unit_its_chance(n: int) -> None:
    # 4 units are drawn from a table of arrangements, 40 by shuffling.
    block = np.repeat(["a", "b", "c"], [n, n, 2 * n])
    treated = np.concatenate([np.arange(n) < n // 4, np.arange(n) < n // 2, np.arange(2 * n) < 1])
    design = design_as_assigned(np.arange(4 * n), treated.astype(int), block)
    draws = draw_assignments(design, 4000, np.random.default_rng(5))
    for name in "abc":
        inside = block == name
        assert (draws[:, inside].sum(axis=1) == treated[inside].sum()).all()
    share = design.probabilities()[:, 1]
    bound = 5 * np.sqrt(share * (1 - share) / 4000)
    assert (np.abs(draws.mean(axis=0) - share) < bound).all()


def test_draws_follow_the_order_of_the_units_wherever_blocks_lie() -> None:
    block = np.array(["b", "a", "b", "a", "a", "b"])
    treated = np.array([1, 0, 0, 0, 1, 0])
    design = design_as_assigned(list("uvwxyz"), treated, block)
    codes, _ = _all(design)
    assert (codes[:, block == "a"].sum(axis=1) == 1).all()
    assert (codes[:, block == "b"].sum(axis=1) == 1).all()
    by_block = np.concatenate([c for c, _ in enumerate_assignments(design, block_order=True)])
    assert np.array_equal(by_block[:, design.to_unit_order], codes)


def test_pairs_draw_one_of_each_and_count_two_to_the_pairs() -> None:
    design = paired_design(np.arange(8), [1, 1, 2, 2, 3, 3, 4, 4])
    codes, _ = _all(design)
    assert design.possible == len(codes) == 16
    assert (codes.reshape(16, 4, 2).sum(axis=2) == 1).all()


def test_many_blocks_are_listed_with_the_last_block_varying_fastest() -> None:
    # 13 pairs of two orders and one block of three: more than one table of joined blocks.
    block = np.repeat(np.arange(14), [2] * 13 + [3])
    treated = np.concatenate([np.tile([0, 1], 13), [0, 0, 1]])
    design = design_as_assigned(np.arange(29), treated, block)
    codes, chance = _all(design, rows=10_000)
    pairs, three = [(1, 0), (0, 1)], [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    listed = product(*[pairs] * 13, three)
    assert codes.tolist() == [[code for part in row for code in part] for row in listed]
    np.testing.assert_allclose(chance, 1 / (2**13 * 3), rtol=1e-15)


def test_share_that_does_not_come_out_even_gives_each_unit_the_same_chance() -> None:
    design = probability_design(5, 0.45)
    codes, chance = _all(design)
    assert set(codes.sum(axis=1)) == {2, 3}
    assert chance @ codes == pytest.approx(np.full(5, 0.45))
    draws = draw_assignments(design, 4000, np.random.default_rng(2))
    assert draws.mean() == pytest.approx(0.45, abs=5 * np.sqrt(0.25 / 20000))
    assert (draws.sum(axis=1) == 3).mean() == pytest.approx(0.25, abs=0.035)


def test_recorded_list_is_enumerated_and_drawn_as_it_is() -> None:
    listed = np.array([["c", "t", "t"], ["t", "c", "t"]])
    design = recorded_design(["s1", "s2", "s3"], listed, arms=("c", "t"))
    codes, chance = _all(design)
    assert codes.tolist() == [[0, 1, 1], [1, 0, 1]]
    assert chance.tolist() == [0.5, 0.5]
    draws = draw_assignments(design, 100, np.random.default_rng(0))
    assert {tuple(row) for row in draws.tolist()} == {(0, 1, 1), (1, 0, 1)}
    with pytest.raises(AssignmentError, match="not among the 2 recorded ones"):
        design.encode(["t", "t", "c"])


def test_rerandomised_draws_and_enumeration_pass_the_rule() -> None:
    x = np.random.default_rng(3).normal(size=(10, 2))
    design = complete_design(10, 5)
    limit = float(np.median(mahalanobis_distance(_all(design)[0], x)))
    accepted = rerandomised(design, mahalanobis_at_most(x, limit))
    codes, _ = _all(accepted)
    assert len(codes) == 126  # half of 252; a draw and its mirror image are judged alike
    draws = draw_assignments(accepted, 300, np.random.default_rng(4))
    assert len(draws) == 300
    listed = {tuple(row) for row in codes.tolist()}
    assert all(tuple(row) in listed for row in draws.tolist())


def test_mahalanobis_distance_equals_its_definition() -> None:
    x = np.random.default_rng(3).normal(size=(7, 2))
    codes = np.array([[1, 1, 0, 0, 0, 1, 0]], dtype=np.int8)
    gap = x[codes[0] == 1].mean(axis=0) - x[codes[0] == 0].mean(axis=0)
    expected = 3 * 4 / 7 * gap @ np.linalg.inv(np.cov(x.T)) @ gap
    assert mahalanobis_distance(codes, x)[0] == pytest.approx(expected)
    assert means_differ_by_at_most(x, np.abs(gap))(codes).tolist() == [True]
    assert means_differ_by_at_most(x, 0.9 * np.abs(gap))(codes).tolist() == [False]


def test_rule_that_accepts_nothing_is_an_error_and_not_an_endless_search() -> None:
    design = rerandomised(complete_design(30, 15), lambda codes: np.zeros(len(codes), dtype=bool))
    with pytest.raises(AssignmentError, match="acceptance rule kept 0 of"):
        draw_assignments(design, 10, np.random.default_rng(0))


def test_same_seed_gives_the_same_draws() -> None:
    design = complete_design(50, 20)
    one, two = (draw_assignments(design, 20, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(one, two)


def test_pupil_rows_reduce_to_schools_in_any_order() -> None:
    school = np.array(["s2", "s1", "s2", "s3", "s1"])
    arm = np.array(["t", "c", "t", "c", "c"])
    found = school_assignment(school, arm, np.array([1, 1, 1, 2, 1]))
    assert found.schools.tolist() == ["s1", "s2", "s3"]
    assert found.arm.tolist() == ["c", "t", "c"]
    assert found.block is not None
    assert found.block.tolist() == [1, 1, 2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: design_as_assigned([1, 2, 3, 4], [0, 1, 1, 1], ["a", "a", "b", "b"]),
            "block 'b' has one group only \\(0 in 0, 2 in 1\\)",
        ),
        (lambda: design_as_assigned([1, 2], ["c", "x"], arms=("c", "t")), "row 1 has group 'x'"),
        (lambda: design_as_assigned([1, 2], [0, 0]), "0 is the only group"),
        (lambda: complete_design(5, 0), "group 1 has no units"),
        (lambda: paired_design([1, 2, 3], [1, 1, 1]), "pair 1 has 3 units, not 2"),
        (
            lambda: design_as_assigned([7, 7, 8], [0, 0, 1]),
            "unit 7 is listed 2 times",
        ),
        (
            lambda: fixed_design([1, 2, 3], {"a": {"c": 1, "t": 1}}, None),
            "block 'a' has 3 units, but its numbers by group .* add up to 2",
        ),
        (lambda: probability_design(4, 1.0), "treats a share of 1.0"),
        (
            lambda: complete_design(4, 2).encode([0, 1, 1, 1]),
            "has 1 in 0, 3 in 1, where the design",
        ),
        (
            lambda: school_assignment(["s1", "s1", "s2"], ["c", "t", "t"]),
            "school 's1' has pupils in 2 groups \\('c', 't'\\)",
        ),
        (
            lambda: school_assignment(["s1", "s1"], ["c", "c"], ["b1", "b2"]),
            "school 's1' has pupils in 2 blocks",
        ),
    ],
)
def test_errors_name_the_block_or_school_and_the_remedy(call: object, message: str) -> None:
    with pytest.raises(AssignmentError, match=message):
        call()  # type: ignore[operator]
