"""One list and its verdict, check by check: the order of the checks, their words, levels and p.

Where draws are listed the p-values are shares of 6⁴ assignments. Where they are made at random, the
numbers of draws beyond were counted once and are kept: they follow from the seed of the checks.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.assignment.chance_tests import Redraws, with_verdicts
from schooltrial.checks.assignment.findings import (
    DOUBT,
    NOTED,
    PASSED,
    UNTESTED,
    Finding,
    Findings,
)
from schooltrial.checks.assignment.unit_attributes import KnownOfUnits
from schooltrial.checks.assignment.verdict import AssignmentVerdict, verify_assignment
from schooltrial.randomisation.record import AssignmentRecord, draw_assignment
from schooltrial.wording import named
from support.sections import design

NAMES = [f"S{at}" for at in range(1, 17)]
FRAME = pd.DataFrame(
    {
        "school": NAMES,
        "block": list("aabbccdd") * 2,
        "score": [
            3.1, 1.4, 4.15, 1.59, 5.26, 9.53, 2.58, 6.97, 5.93, 3.23, 5.84, 8.62, 2.71, 8.28, 1.82,
            8.45,
        ],
    }
)  # fmt: skip
DESIGN = design(draw={"seed": 4, "date": "2024-05-01"})
SCORES = FRAME.set_index("school")[["score"]]
KNOWN = KnownOfUnits(
    described=NAMES, frame=FRAME, covariates=SCORES,
    baselines=SCORES.set_axis(["Maths"], axis=1),
)  # fmt: skip
FACTS_BEFORE = [
    "assigned once", "groups of the design", "schools of the eligible list",
    "schools of the table of schools", "drawn before the first outcome",
    "record fits the protocol", "signature of the record", "frame of the record",
    "randomisation reproduced",
    "list equals the record", "blocks with two groups", "groups in blocks",
    "numbers by group as planned",
]  # fmt: skip
CHANCE = [
    "sample ratio", "order of the list: ranks", "order of the list: runs", "identifier: ranks",
    "identifier: runs", "baseline", "baseline of Maths",
]  # fmt: skip
FACTS_AFTER = [
    "pupils who changed group", "take-up in the control group",
    "no take-up in an intervention group",
]  # fmt: skip


def _record() -> AssignmentRecord:
    return draw_assignment(FRAME, DESIGN, study="s", seed=4, date="2024-05-01", software={})


def _listed() -> pd.DataFrame:
    """Return the list in the order of the frame, turned round."""
    return FRAME[["school"]].merge(_record().table(), on="school").iloc[::-1]


def _verify(redraws: Redraws) -> AssignmentVerdict:
    return verify_assignment(
        _listed(), DESIGN, record=_record(), known=KNOWN, redraws=redraws, study="s"
    )


def test_checks_stand_in_this_order_with_these_verdicts() -> None:
    found = _verify(Redraws(draws=99, exact_up_to=2000))
    tests = found.tests
    assert tests["check"].tolist() == [*FACTS_BEFORE, *CHANCE, *FACTS_AFTER]
    untested = {"drawn before the first outcome", *FACTS_AFTER}
    assert tests["verdict"].tolist() == [
        "not tested" if check in untested else "passed" for check in tests["check"]
    ]
    assert list(tests) == ["check", "finding", "value", "threshold", "p_value", "verdict", "reason"]
    assert list(found.units) == [
        "unit", "block", "arm", "drawn_arm", "n_pupils_changed_arm", "taken_up", "verdict",
        "reason",
    ]  # fmt: skip
    assert found.units["unit"].tolist() == NAMES[::-1]
    assert found.told() == {
        "verdict": "reproduced from its seed",
        "reasons": ["we re-ran the draw from its seed and obtained the same allocation"],
        "believed": True,
        "units": {"failed": 0, "in doubt": 0, "noted": 0, "passed": 16, "not tested": 0},
        "units_contradicted": [],
    }


def test_a_list_is_believed_unless_it_is_doubted_or_contradicted() -> None:
    def believed(verdict: str) -> bool:
        units = pd.DataFrame({"unit": [], "verdict": []})
        return bool(AssignmentVerdict(verdict, (), units, pd.DataFrame()).told()["believed"])

    assert believed("reproduced from its seed")
    assert believed("consistent with the planned randomisation")
    assert not any(map(believed, ("in doubt", "contradicted", "not randomised")))


def test_levels_divide_one_per_cent_half_of_it_to_the_baseline_of_the_outcome() -> None:
    levels = _verify(Redraws(draws=99, exact_up_to=2000)).tests.set_index("check")["threshold"]
    assert levels[CHANCE].tolist() == pytest.approx([0.005 / 6] * 6 + [0.005])


def test_listed_assignments_give_the_share_that_is_as_unbalanced() -> None:
    tests = _verify(Redraws(draws=99, exact_up_to=1296)).tests.set_index("check")
    # Of every block of four any two are treated; the score counts from the mean of its block.
    score = FRAME["score"] - FRAME.groupby("block")["score"].transform("mean")
    sums = [
        [sum(pair) for pair in combinations(score[FRAME["block"] == block], 2)] for block in "abcd"
    ]
    every = np.abs([sum(parts) for parts in product(*sums)])
    arm = _listed().set_index("school")["arm"][NAMES].to_numpy()
    observed = abs(score[arm == "programme"].sum())
    share = float((every >= observed - 1e-9).mean())
    assert len(every) == 1296
    assert tests.loc[["baseline", "baseline of Maths"], "p_value"].tolist() == pytest.approx(
        [share] * 2
    )
    gap = score[arm == "programme"].mean() - score[arm == "control"].mean()
    spread = np.sqrt((score**2).sum() / (16 - 4))
    assert tests.loc["baseline of Maths", "finding"] == (
        f"Programme {gap / spread:+.2f} SD from Control, within blocks".replace("-", "−")
    )


def test_random_draws_give_these_numbers_beyond() -> None:
    # One more assignment than is listed: 199 of them are drawn, each test from its own stream.
    tests = _verify(Redraws(draws=199, exact_up_to=1295, seed=9)).tests.set_index("check")
    beyond = (tests.loc[CHANCE[1:], "p_value"] * 200).round(9)
    assert beyond.tolist() == [93, 144, 98, 158, 55, 61]
    assert tests.loc["order of the list: runs", "finding"] == "runs of one group: 9, expected 9.829"


def test_a_p_value_at_its_level_is_no_doubt_and_one_below_is() -> None:
    def judged(*p: float) -> list[Finding]:
        return with_verdicts(
            [Finding(f"t{k}", "", UNTESTED, p_value=x) for k, x in enumerate(p)], 0.1
        )

    assert [test.verdict for test in judged(0.05, 0.5)] == [PASSED, PASSED]
    assert [test.verdict for test in judged(0.0499, 0.5)] == [DOUBT, PASSED]
    assert judged(0.0499, 0.5)[0].reason == "randomisation gives this in 5.0% of cases"
    # A test of what may be later than the draw is noted, and casts no doubt.
    later = {"t0": "later than the draw"}
    noted = with_verdicts([Finding("t0: ranks", "", UNTESTED, p_value=0.001)], 0.1, later)[0]
    assert (noted.verdict, noted.reason) == (NOTED, "later than the draw")
    # A test that was not made takes nothing from the level, and keeps its word.
    one, other = judged(float("nan"), 0.09)
    assert (one.verdict, other.verdict, other.threshold) == (UNTESTED, DOUBT, 0.1)
    # Where baselines of outcomes are all that there is, they have the whole level.
    own = with_verdicts([Finding("baseline of Maths", "", UNTESTED, p_value=0.08)], 0.1)
    assert (own[0].verdict, own[0].threshold) == (DOUBT, 0.1)


def test_the_worst_word_on_a_unit_counts_and_all_are_told_in_order() -> None:
    found = Findings()
    found.about(["S1"], "noted", "first")
    found.about(["S1", "S2"], "failed", "second")
    other = Findings()
    other.about(["S1"], "in doubt", "third")
    found.add(other)
    assert found.of_unit("S1") == ("failed", "first; second; third")
    assert found.of_unit("S2") == ("failed", "second")
    assert found.of_unit("S3") == ("passed", "")


def test_six_units_are_named_and_the_others_counted() -> None:
    assert named("abcdef") == "a, b, c, d, e, f"
    assert named("abcdefg") == "a, b, c, d, e, f and 1 more"
    assert named([]) == ""
