"""What a design says of itself: orders, limits and shares at their edges."""

from __future__ import annotations

import numpy as np
import pytest

from schooltrial.models.assignment.design import (
    AssignmentError,
    arrangement_count,
    blocks_as_drawn,
    complete_design,
    design_as_assigned,
    fixed_design,
    probability_design,
    recorded_design,
)
from schooltrial.models.assignment.of_schools import school_assignment
from schooltrial.models.assignment.rerandomisation import (
    mahalanobis_at_most,
    mahalanobis_distance,
    means_differ_by_at_most,
)
from schooltrial.models.assignment.shares import numbers_by_arm, share_design


def test_arrangements_are_counted_by_the_multinomial_coefficient() -> None:
    # 9!/(2! 3! 4!) and 5!/(5! 0!).
    assert arrangement_count((2, 3, 4)) == 1260
    assert arrangement_count((5, 0)) == 1


def test_blocks_stand_in_the_order_of_their_labels_and_members_in_that_of_the_units() -> None:
    design = design_as_assigned(list("vwxyz"), ["t", "c", "c", "t", "c"], ["b", "a", "b", "a", "b"])
    assert [block.label for block in design.blocks] == ["a", "b"]
    assert [block.members.tolist() for block in design.blocks] == [[1, 3], [0, 2, 4]]
    assert [block.options for block in design.blocks] == [(((1, 1), 1.0),), (((2, 1), 1.0),)]
    assert design.to_unit_order.tolist() == [2, 0, 3, 1, 4]
    assert design.possible == 2 * 3


def test_arms_are_sorted_unless_they_are_given_and_of_planned_numbers_the_first_block_tells() -> (
    None
):
    assert design_as_assigned([1, 2], ["t", "c"]).arms == ("c", "t")
    assert design_as_assigned([1, 2], ["t", "c"], arms=("t", "c")).arms == ("t", "c")
    planned = {"b": {"t": 1, "c": 1}, "a": {"c": 2, "t": 1}}
    design = fixed_design(range(5), planned, list("aabab"))
    assert design.arms == ("t", "c")
    assert [(block.label, block.options[0][0]) for block in design.blocks] == [
        ("a", (1, 2)),
        ("b", (1, 1)),
    ]


def test_the_first_arm_of_a_complete_design_is_the_comparison() -> None:
    assert complete_design(5, 2).arms == (0, 1)
    assert complete_design(5, 2).blocks[0].options == (((3, 2), 1.0),)
    assert complete_design(5, 2).probabilities().tolist() == [[0.6, 0.4]] * 5


def test_chances_of_a_recorded_list_are_counted_from_it() -> None:
    design = recorded_design([1, 2, 3], [[0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 1]])
    assert design.probabilities().tolist() == [[0.5, 0.5], [0.5, 0.5], [0.25, 0.75]]
    assert design.possible == 4


def test_numbers_as_drawn_are_taken_though_a_block_has_one_arm() -> None:
    codes = np.array([1, 1, 0], dtype=np.int8)
    blocks = blocks_as_drawn(np.arange(3), codes, ["p", "p", "q"], 3)
    assert [block.options for block in blocks] == [(((0, 2, 0), 1.0),), (((1, 0, 0), 1.0),)]
    with pytest.raises(AssignmentError, match="block 'p' has one group only"):
        design_as_assigned(range(3), codes, ["p", "p", "q"])
    kept = design_as_assigned(range(3), codes, ["p", "p", "q"], one_arm_blocks=True)
    assert kept.possible == 1


@pytest.mark.parametrize(
    ("n", "share", "options"),
    [
        (10, 0.3, (((7, 3), 1.0),)),  # 10 × 0.3 is 3 though its float may not be
        (100, 0.07, (((93, 7), 1.0),)),  # 100 × 0.07 is 7.000000000000001 in floats
        (100, 0.29, (((71, 29), 1.0),)),  # and 100 × 0.29 is 28.999999999999996
        (5, 0.45, (((3, 2), 0.75), ((2, 3), 0.25))),
    ],
)
def test_rounding_of_a_share_leaves_no_unit_to_chance(
    n: int, share: float, options: tuple[tuple[tuple[int, int], float], ...]
) -> None:
    found = probability_design(n, share).blocks[0].options
    assert [counts for counts, _ in found] == [counts for counts, _ in options]
    assert [chance for _, chance in found] == pytest.approx([chance for _, chance in options])


def test_the_numbers_that_shares_may_give_stand_in_this_order() -> None:
    # The generator picks among them by position: another order is another draw.
    assert [counts for counts, _ in numbers_by_arm(10, [1 / 3] * 3)] == [
        (4, 3, 3), (3, 4, 3), (3, 3, 4),
    ]  # fmt: skip
    assert [counts for counts, _ in numbers_by_arm(5, [0.5, 0.3, 0.2])] == [(3, 1, 1), (2, 2, 1)]
    assert [counts for counts, _ in numbers_by_arm(4, [0.6, 0.4])] == [(3, 1), (2, 2)]


def test_a_share_is_the_fraction_that_it_was_rounded_from() -> None:
    assert numbers_by_arm(3, [0.33333333, 0.33333333, 0.33333334]) == (((1, 1, 1), 1.0),)
    # Up to a denominator of a million: of a million units 1/999,983 is one unit and a little.
    (one, _), (two, chance) = numbers_by_arm(1_000_000, [1 / 999_983, 1 - 1 / 999_983])
    assert (one, two) == ((2, 999_998), (1, 999_999))
    assert chance == pytest.approx(1 - 17 / 999_983)


def test_shares_may_miss_one_by_a_billionth_and_no_more() -> None:
    assert share_design(range(4), {"c": 0.5, "t": 0.5 + 9e-10}).arms == ("c", "t")
    with pytest.raises(AssignmentError, match="add up to"):
        share_design(range(4), {"c": 0.5, "t": 0.5 + 3e-9})


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.1])
def test_a_share_of_nothing_or_all_is_refused(share: float) -> None:
    with pytest.raises(AssignmentError, match="not in"):
        probability_design(4, share)
    with pytest.raises(AssignmentError, match="group 'c' is planned a share of"):
        share_design(range(4), {"c": share, "t": 1 - share})


def test_shares_by_block_are_those_of_the_block() -> None:
    design = probability_design(6, {"a": 0.5, "b": 0.25}, list("aabbbb"))
    assert [block.options for block in design.blocks] == [(((1, 1), 1.0),), (((3, 1), 1.0),)]


def test_a_distance_at_the_threshold_is_accepted_and_one_beyond_rounding_is_not() -> None:
    x = np.random.default_rng(3).normal(size=(8, 2))
    codes = np.array([[1, 1, 0, 0, 0, 1, 0, 1]], dtype=np.int8)
    distance = float(mahalanobis_distance(codes, x)[0])
    for threshold, accepted in (
        (distance, True),
        (distance * (1 - 5e-10), True),
        (distance * (1 - 2e-9), False),
    ):
        assert mahalanobis_at_most(x, threshold)(codes).tolist() == [accepted]


def test_a_difference_at_its_tolerance_is_accepted_whichever_arm_is_higher() -> None:
    # The treated have 2 and 4, the others 1 and 2: means of 3 and 1.5.
    x = np.array([2.0, 4.0, 1.0, 2.0])
    codes = np.array([[1, 1, 0, 0], [0, 0, 1, 1]], dtype=np.int8)
    assert means_differ_by_at_most(x, 1.5)(codes).tolist() == [True, True]
    assert means_differ_by_at_most(x, 1.5 - 2e-9)(codes).tolist() == [False, False]
    two = np.column_stack([x, np.zeros(4)])
    assert means_differ_by_at_most(two, [1.5, 0.0])(codes).tolist() == [True, True]
    assert means_differ_by_at_most(two, [1.4, 9.0])(codes).tolist() == [False, False]


def test_one_covariate_may_be_given_as_a_list() -> None:
    x = np.array([2.0, 4.0, 1.0, 2.0])
    codes = np.array([[1, 1, 0, 0]], dtype=np.int8)
    # n_T n_C/n = 1, a difference of 1.5, the variance of 2, 4, 1, 2 is 19/12.
    assert mahalanobis_distance(codes, x)[0] == pytest.approx(1.5**2 / (19 / 12))


def test_of_several_arms_the_second_is_compared_with_all_others() -> None:
    x = np.array([2.0, 4.0, 1.0, 2.0])
    three, two = (np.array([row], dtype=np.int8) for row in ([1, 1, 2, 0], [1, 1, 0, 0]))
    assert mahalanobis_distance(three, x) == pytest.approx(mahalanobis_distance(two, x))
    assert means_differ_by_at_most(x, 1.5)(three).tolist() == [True]
    assert means_differ_by_at_most(x, 1.4)(three).tolist() == [False]


def test_blocks_of_which_one_arm_is_left_are_named_in_order() -> None:
    school = ["s1", "s2", "s3", "s4", "s5", "s6"]
    found = school_assignment(school, list("ctcctt"), list("qqbbaa"))
    assert found.with_one_arm() == ["a", "b"]
    assert school_assignment(school, list("ctcctt")).with_one_arm() == []
    with pytest.raises(AssignmentError, match="block 'a' has one group only"):
        found.design()
    kept = found.design(one_arm_blocks=True)
    assert [block.possible for block in kept.blocks] == [1, 1, 2]
    assert found.design(arms=("t", "c"), one_arm_blocks=True).arms == ("t", "c")


def test_labels_that_do_not_fit_the_pupils_are_counted() -> None:
    with pytest.raises(AssignmentError, match="2 groups for 3 pupils"):
        school_assignment(["s1", "s1", "s2"], ["c", "t"])
    with pytest.raises(AssignmentError, match="3 columns for 2 units"):
        recorded_design([1, 2], [[0, 1, 1]])
    with pytest.raises(AssignmentError, match="2 units were given, the design has 4"):
        complete_design(4, 2).encode([0, 1])
    with pytest.raises(AssignmentError, match="3 block labels for 4 units"):
        design_as_assigned(range(4), [0, 1, 0, 1], [1, 1, 2])
    with pytest.raises(AssignmentError, match="block 'b' has units but no numbers by group"):
        fixed_design(range(4), {"a": {0: 1, 1: 1}}, list("aabb"))
