"""Was it randomised? The recorded assignment, its draw and its units brought to one verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from schooltrial.checks.assignment.chance_tests import Redraws, run_chance_tests, with_verdicts
from schooltrial.checks.assignment.cohorts_in_blocks import check_cohorts, labelled_by_cohort
from schooltrial.checks.assignment.criterion import judge_criterion, tabulate_distances
from schooltrial.checks.assignment.crossovers import check_crossovers, check_take_up
from schooltrial.checks.assignment.findings import (
    DOUBT,
    FAILED,
    NOTED,
    ORDER,
    PASSED,
    UNTESTED,
    Finding,
    Findings,
)
from schooltrial.checks.assignment.listed_units import (
    check_blocks,
    check_dates,
    check_frame,
    check_list,
    drawn_late,
)
from schooltrial.checks.assignment.order_of_list import order_later_than_draw
from schooltrial.checks.assignment.places import plan_with_places
from schooltrial.checks.assignment.record_agreement import (
    LATER,
    REPEAT,
    check_fits,
    check_record,
    check_seed,
)
from schooltrial.checks.assignment.unit_attributes import KnownOfUnits
from schooltrial.protocol.content.sections import Design, frame_columns
from schooltrial.randomisation.criterion import CriterionKnown, draw_criterion
from schooltrial.randomisation.plan import LotteryPlan, lottery_plan, plan_faults
from schooltrial.randomisation.record import AssignmentRecord, ordered_frame
from schooltrial.randomisation.units import by_round, sound_units, units_of
from schooltrial.wording import plural_of

REPRODUCED = "reproduced from its seed"


CONSISTENT = "consistent with the planned randomisation"


IN_DOUBT = "in doubt"


CONTRADICTED = "contradicted"


NO_LOTTERY = "not randomised"


RATIO = "sample ratio"


NUMBERS = "numbers by group as planned"


@dataclass(frozen=True)
class AssignmentVerdict:
    """What a sceptical reader may believe of an assignment.

    Attributes
    ----------
    verdict : str
        contradicted (the list is not what the design or record says), in doubt (a test below the
        level), reproduced from its seed, consistent with the planned randomisation, not randomised.
    reasons : tuple of str
    units : DataFrame
        ``unit, block, arm, drawn_arm, n_pupils_changed_arm, taken_up, verdict, reason``.
    tests : DataFrame
        ``check, finding, value, threshold, p, verdict, reason``.
    distances : DataFrame
        ``what, share, distance``: of draws, the largest accepted, and the list; no rows where
        draws had no balance criterion.
    """

    verdict: str
    reasons: tuple[str, ...]
    units: pd.DataFrame
    tests: pd.DataFrame
    distances: pd.DataFrame = field(default_factory=lambda: tabulate_distances(CriterionKnown()))

    def told(self) -> dict[str, Any]:
        """Return the study record's entry: verdict, reasons, and the units concerned."""
        failed = self.units.loc[self.units["verdict"] == FAILED, "unit"]
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "believed": self.verdict in (REPRODUCED, CONSISTENT),
            "units": {name: int((self.units["verdict"] == name).sum()) for name in ORDER},
            "units_contradicted": list(dict.fromkeys(failed)),
        }


def verify_assignment(
    assignment: pd.DataFrame,
    design: Design,
    *,
    known: KnownOfUnits | None = None,
    record: AssignmentRecord | None = None,
    key: bytes | None = None,
    software: Mapping[str, str] | None = None,
    alpha: float = 0.01,
    redraws: Redraws | None = None,
    study: str = "",
    groups: Mapping[str, str] | None = None,
) -> AssignmentVerdict:
    """Check the assignment that a study reads, with its record, its seed, or neither.

    Parameters
    ----------
    assignment : DataFrame
        One row per unit: the unit, arm, and block and ``drawn`` (date) where there are any.
    design : Design
        The protocol's ``design`` section.
    known : KnownOfUnits, optional
    record : AssignmentRecord, optional
        From `randomisation.record.read_record`.
    key : bytes, optional
        Key of the record's seal.
    software : mapping, optional
        Versions in use.
    alpha : float
        Probability that an honest list meets any doubt.
    redraws : Redraws, optional
    study : str
        Name of the study, which the record must bear.
    groups : mapping, optional
        Group → its label; by default those of the design, or else the names.

    Returns
    -------
    AssignmentVerdict
    """
    known, redraws = known or KnownOfUnits(), redraws or Redraws()
    plan, unit = lottery_plan(design), design["unit"]
    by_lot = design["randomised"]
    listed = units_of(assignment, unit, plan.kind)
    told: list[Finding] = []
    if places := design["randomisation"]["places"]:
        plan, finding = plan_with_places(plan, listed, assignment[places])
        told.append(finding)
    sound = sound_units(listed, plan)
    date = design["randomisation"]["date"] or (record.date if record else "")
    found = check_list(listed, plan, unit)
    found.tests.extend(told)
    late = drawn_late(listed, date)
    frame_units = _frame_units(known.frame, design)
    found.add(check_frame(listed, frame_units, "eligible list", unit, late))
    if unit == "school":  # others are looked up on their rosters, when tables are linked
        found.add(check_frame(listed, known.described, f"table of {plural_of(unit)}", unit))
    in_rounds = plan.kind == "staggered"
    found.add(check_dates(listed, date, known.first_outcome, unit, in_rounds=in_rounds))
    drawn, criterion = pd.Series(dtype="str"), CriterionKnown()
    if by_lot:
        repeated, drawn = _repeated(
            listed, sound, plan, design, known, record, key, software, study
        )
        found.add(repeated)
    blocks = check_blocks(sound, plan, unit, by_lot=by_lot)
    chance = [test for test in blocks.tests if test.check == RATIO]
    found.add(Findings([t for t in blocks.tests if t.check != RATIO], blocks.units))
    if by_lot:
        criterion = draw_criterion(assignment, design, known.frame, record)
        judged = judge_criterion(criterion)
        found.tests.extend([judged] if judged else [])
        found.add(check_cohorts(sound, plan, unit))
        drawn_together = sound if plan.rerandomised else by_round(sound)
        drawn_as, labels = labelled_by_cohort(drawn_together, plan)
        chance += run_chance_tests(
            drawn_as, labels, known.covariates, redraws, criterion, known.baselines,
            groups or {arm["name"]: arm.get("label", arm["name"]) for arm in design["arms"]},
        )  # fmt: skip
        found.tests.extend(with_verdicts(chance, alpha, _no_evidence(sound, plan)))
    else:
        found.tests.append(
            Finding("tests of chance", "units were not assigned at random", UNTESTED)
        )
    crossed, changed = check_crossovers(known.pupils, unit)
    found.add(crossed)
    found.add(check_take_up(sound, known.taken_up, plan.arms[0], randomised=by_lot))
    verdict, reasons = _verdict(found.tests, by_lot)
    table = _unit_table(listed, found, drawn, changed, known.taken_up)
    return AssignmentVerdict(
        verdict, tuple(reasons), table, found.table(), tabulate_distances(criterion)
    )


def _no_evidence(units: pd.DataFrame, plan: LotteryPlan) -> dict[str, str]:
    """Return the tests of chance that cast no doubt on this list, and why."""
    found = order_later_than_draw(units)
    if not plan.declared:
        found[RATIO] = (
            "no shares are declared (`share` under `design.arms`), so that no other numbers were "
            "planned"
        )
    return found


def _frame_units(frame: pd.DataFrame | None, design: Design) -> list[str] | None:
    column = frame_columns(design)["unit_column"]
    if frame is None or column not in frame:
        return None
    return list(frame[column].astype("str"))


def _repeated(
    listed: pd.DataFrame,
    sound: pd.DataFrame,
    plan: LotteryPlan,
    design: Design,
    known: KnownOfUnits,
    record: AssignmentRecord | None,
    key: bytes | None,
    software: Mapping[str, str] | None,
    study: str,
) -> tuple[Findings, pd.Series]:
    seed = design["randomisation"]["seed"]
    nothing = pd.Series(dtype="str")
    if record is not None:
        found, drawn = check_record(
            listed, record, design=design, frame=known.frame, key=key, software=software
        )
        found.tests.insert(0, check_fits(record, design, study))
        return found, drawn
    if seed is None:
        told = "there is neither a randomisation record nor its seed"
        reason = "two units that changed places after the draw cannot be seen without one"
        return Findings([Finding(REPEAT, told, UNTESTED, reason=reason)]), nothing
    ordered = _ordered(sound, plan, design, known)
    if ordered is None or list(plan_faults(plan)):
        told = "the frame, or a plan that can be drawn, is lacking"
        return Findings([Finding(REPEAT, told, UNTESTED)]), nothing
    return check_seed(sound, plan, seed, ordered, design["unit"])


def _ordered(
    units: pd.DataFrame, plan: LotteryPlan, design: Design, known: KnownOfUnits
) -> pd.DataFrame | None:
    """Return the frame in the order of the draw: the one given, else the units of the list."""
    if known.frame is None:
        if plan.balance_on:
            return None
        return ordered_frame(units, "unit", "block", plan)
    columns = frame_columns(design)
    if any(name not in known.frame for name in (columns["unit_column"], *plan.balance_on)):
        return None
    return ordered_frame(known.frame, columns["unit_column"], columns["block_column"], plan)


def _verdict(tests: list[Finding], by_lot: bool) -> tuple[str, list[str]]:
    """Return the verdict, and the findings behind it."""
    for level, verdict in ((FAILED, CONTRADICTED), (DOUBT, IN_DOUBT)):
        reasons = [_said(test) for test in tests if test.verdict == level]
        if reasons:
            return verdict, reasons
    if not by_lot:
        return NO_LOTTERY, ["the protocol says that units were not assigned at random"]
    passed = {test.check for test in tests if test.verdict == PASSED}
    if REPEAT in passed:
        later = [_said(test) for test in tests if test.check == LATER]
        return REPRODUCED, [
            "we re-ran the draw from its seed and obtained the same allocation",
            *later,
        ]
    made = [test for test in tests if test.p_value == test.p_value]
    told = f"{len(made)} randomisation checks, none of which casts doubt on the list"
    told += "; the numbers by group are as planned" if NUMBERS in passed else ""
    noted = [_said(test) for test in tests if test.check == NUMBERS and test.verdict == NOTED]
    lacking = [f"{test.check}: {test.finding}" for test in tests if test.check == REPEAT]
    return CONSISTENT, [told, *noted, *lacking]


def _said(test: Finding) -> str:
    return f"{test.check}: {test.finding}" + (f" ({test.reason})" if test.reason else "")


def _unit_table(
    listed: pd.DataFrame,
    found: Findings,
    drawn: pd.Series,
    changed: pd.Series,
    taken_up: pd.Series | None,
) -> pd.DataFrame:
    """Return one row per unit of the list, frame or record, those with the worst verdict first."""
    there = set(listed["unit"])
    only = [unit for unit in found.units if unit not in there]
    absent = pd.DataFrame({"unit": only}, dtype="str")
    table = pd.concat([listed[["unit", "block", "arm"]], absent], ignore_index=True)
    table["drawn_arm"] = table["unit"].map(drawn.to_dict())
    table["n_pupils_changed_arm"] = table["unit"].map(changed.to_dict())
    table["taken_up"] = table["unit"].map({} if taken_up is None else taken_up.to_dict())
    said = [found.of_unit(unit) for unit in table["unit"]]
    table["verdict"] = [verdict for verdict, _ in said]
    table["reason"] = [reason for _, reason in said]
    return table.sort_values(
        "verdict", key=lambda verdict: verdict.map(ORDER.index), kind="stable", ignore_index=True
    )
