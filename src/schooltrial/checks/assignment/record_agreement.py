"""Whether the record of a draw is that of the protocol: study, seed, date, design and units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isclose
from typing import cast

import numpy as np
import pandas as pd

from schooltrial.checks.assignment.findings import (
    DOUBT,
    FAILED,
    NOTED,
    PASSED,
    UNTESTED,
    Finding,
    Findings,
)
from schooltrial.checks.assignment.listed_units import drawn_late
from schooltrial.models.assignment.draws import draw_assignments
from schooltrial.protocol.content.sections import Design, Unit, frame_columns
from schooltrial.random_streams import stream
from schooltrial.randomisation.plan import (
    LotteryPlan,
    block_faults,
    lottery_plan,
    planned_design,
)
from schooltrial.randomisation.record import (
    AssignmentRecord,
    frame_sha256,
    ordered_frame,
    plan_of,
    redraw,
)
from schooltrial.refusal import Refusal
from schooltrial.wording import chance, exact, named, plural, plural_of

FITS = "record fits the protocol"


def check_fits(record: AssignmentRecord, design: Design, study: str = "") -> Finding:
    """Compare a record with the protocol; what the protocol leaves open is not compared.

    Parameters
    ----------
    record : AssignmentRecord
    design : Design
        The protocol's ``design`` section.
    study : str
        Name of the study.
    """
    other = [
        f"{name} {told} in the record, {planned} in the protocol"
        for name, told, planned in (*_facts(record, design, study), *_plan(record, design))
    ]
    return Finding(
        FITS, f"{len(other)} differ" if other else "study, seed, date, design and units are alike",
        FAILED if other else PASSED, len(other), 0, reason="; ".join(other),
    )  # fmt: skip


def _facts(record: AssignmentRecord, design: Design, study: str) -> Iterator[tuple[str, str, str]]:
    draw = design["randomisation"]
    facts = {
        "study": (record.study, study or None),
        "unit": (record.unit, design["unit"]),
        "seed": (record.seed, draw["seed"]),
        "date": (record.date, draw["date"] or None),
    }
    for name, (told, planned) in facts.items():
        if planned is not None and told != planned:
            yield name, str(told), str(planned)


def _plan(record: AssignmentRecord, design: Design) -> Iterator[tuple[str, str, str]]:
    told, planned = plan_of(record), lottery_plan(design)
    for name, one, other in (
        ("kind", told.kind, planned.kind),
        ("groups", ", ".join(told.arms), ", ".join(planned.arms)),
        ("planned numbers", _numbers(told, planned), _numbers(planned, told)),
        ("criterion", _criterion(told), _criterion(planned)),
    ):
        if one != other:
            yield name, one, other
    alike = len(told.shares) == len(planned.shares) and all(
        isclose(one, other, abs_tol=1e-9)
        for one, other in zip(told.shares, planned.shares, strict=True)
    )
    if not alike:
        yield "shares", _shares(told), _shares(planned)


def _numbers(plan: LotteryPlan, other: LotteryPlan) -> str:
    """Return the numbers of the blocks that another plan has otherwise."""
    blocks = sorted(plan.planned.items())
    unlike = [(name, n) for name, n in blocks if other.planned.get(name) != n]
    return named(f"{name}: {'/'.join(map(str, n))}" for name, n in unlike) or "none"


def _criterion(plan: LotteryPlan) -> str:
    if not plan.rerandomised:
        return "none"
    return f"best {exact(plan.acceptance)} on {', '.join(plan.balance_on)}"


def _shares(plan: LotteryPlan) -> str:
    return "/".join(f"{share:g}" for share in plan.shares)


SEAL, FRAME, REPEAT = "signature of the record", "frame of the record", "randomisation reproduced"


SAME = "list equals the record"


LATER = "later rounds of the draw"


def check_record(
    units: pd.DataFrame,
    record: AssignmentRecord,
    *,
    design: Design,
    frame: pd.DataFrame | None = None,
    key: bytes | None = None,
    software: Mapping[str, str] | None = None,
) -> tuple[Findings, pd.Series]:
    """Check the record itself, repeat its draw, and compare the list with it, unit by unit.

    Parameters
    ----------
    units : DataFrame
        ``unit, block, arm`` of the list that the study reads.
    record : AssignmentRecord
    design : Design
        The protocol's ``design`` section, for the columns of the frame.
    frame : DataFrame, optional
        The frame. Without it the draw is repeated from the units of the record, which cannot be
        done where draws were balanced on covariates.
    key : bytes, optional
        Key of the signature.
    software : mapping, optional
        Versions that repeat the draw, for the reason given where it does not come out.

    Returns
    -------
    findings : Findings
    drawn : Series
        Unit → arm of the record.
    """
    found = Findings([_seal(record, key)])
    plan = plan_of(record)
    ordered = _ordered(record, plan, design, frame)
    if ordered is None:
        told = "the frame is needed, and was not given"
        found.tests.extend(Finding(check, told, UNTESTED) for check in (FRAME, REPEAT))
    else:
        same = frame_sha256(ordered) == record.frame_sha256
        source = "the units of the record" if frame is None else "the frame"
        found.tests.append(
            Finding(
                FRAME, f"the SHA-256 of {source} is {'' if same else 'not '}that of the record",
                PASSED if same else FAILED,
                reason="" if same else "the frame was changed after the draw, or is another one",
            )
        )  # fmt: skip
        found.add(_repeat(record, plan, ordered, software))
    drawn = record.table().set_index(record.unit)
    new = [unit for unit in drawn_late(units, record.date) if unit not in drawn.index]
    found.add(_compare(units[~units["unit"].isin(new)], drawn, record.unit))
    found.about(new, NOTED, "drawn in a round after that of the record")
    if new:
        told = f"{plural(len(new), record.unit)} drawn after {record.date}, the day of the record"
        found.tests.append(Finding(LATER, told, NOTED, len(new), reason=named(new)))
    return found, drawn["arm"]


def check_seed(
    units: pd.DataFrame, plan: LotteryPlan, seed: int, ordered: pd.DataFrame, noun: str
) -> tuple[Findings, pd.Series]:
    """Draw from a seed without a record, and compare.

    Another result is no contradiction: another program makes another list of the same seed. But a
    list that is almost the one that the seed gives was made from it, and changed.
    """
    sizes = {str(name): int(n) for name, n in ordered["block"].value_counts(sort=False).items()}
    faults = list(block_faults(plan, sizes, "frame"))
    if faults:
        told = "the plan cannot draw these units"
        return Findings([Finding(REPEAT, told, UNTESTED, reason=faults[0].found)]), _none()
    try:
        arms, _, _ = redraw(ordered, plan, seed)
    except Refusal as refusal:
        return Findings([Finding(REPEAT, str(refusal.faults[0].found), UNTESTED)]), _none()
    drawn = pd.Series(arms, index=pd.Index(ordered["unit"]), dtype="str")
    there = units["unit"].map(drawn)
    other = units["unit"][units["arm"] != there]
    if not len(other):
        same = f"seed {seed} gives 0 {plural_of(noun)} another group"
        return Findings([Finding(REPEAT, same, PASSED, 0, 0)]), drawn
    told = f"seed {seed} gives {plural(len(other), noun)} of {len(units):,} another group"
    p = _chance_of_agreement(units, plan, seed, ordered, arms)
    if p > ALIKE_BELOW:
        reason = (
            f"two draws are as alike in {chance(p)} of cases: the list may come from another "
            "program or another frame, or have been changed; a randomisation record would show it"
        )
        return Findings([Finding(REPEAT, told, NOTED, len(other), 0, reason=reason)]), _none()
    reason = (
        f"two draws are so alike in {chance(p)} of cases: the list seems changed after the draw: "
        f"{named(other)}"
    )
    found = Findings([Finding(REPEAT, told, DOUBT, len(other), 0, reason=reason)])
    found.about(other, DOUBT, f"the seed {seed} gives it another group")
    return found, _none()


ALIKE_BELOW = 0.01
"""A list that is so seldom so like the draw of its seed was made from it."""


_AGREEMENT_DRAWS = 999


def _chance_of_agreement(
    units: pd.DataFrame, plan: LotteryPlan, seed: int, ordered: pd.DataFrame, arms: list[str]
) -> float:
    """Return how often another draw is at least as like the list as the draw of the seed is."""
    design = planned_design(plan, list(ordered["unit"]), list(ordered["block"]))
    number = {arm: at for at, arm in enumerate(plan.arms)}
    arm_listed = dict(zip(units["unit"], units["arm"], strict=True))
    listed = np.array([number.get(arm_listed.get(unit, ""), -1) for unit in ordered["unit"]])
    alike = int((listed == np.array([number[arm] for arm in arms])).sum())
    redrawn = draw_assignments(design, _AGREEMENT_DRAWS, stream(seed, "verify", "agreement"))
    as_alike = int(((redrawn == listed).sum(axis=1) >= alike).sum())
    return (1 + as_alike) / (1 + _AGREEMENT_DRAWS)


def _none() -> pd.Series:
    return pd.Series(dtype="str")


def _seal(record: AssignmentRecord, key: bytes | None) -> Finding:
    intact = record.intact(key)
    if intact is None:
        return Finding(SEAL, f"it has a key ({record.seal}), and no key was given", UNTESTED)
    told = f"the {record.seal} {'fits' if intact else 'does not fit'} the content"
    limit = "it does not protect against deliberate change: a changed record can be signed again"
    if not intact:
        return Finding(SEAL, told, FAILED, reason="the record was changed after it was signed")
    return Finding(SEAL, told, PASSED, reason="" if key and record.seal != "SHA-256" else limit)


def _ordered(
    record: AssignmentRecord,
    plan: LotteryPlan,
    design: Design,
    frame: pd.DataFrame | None,
) -> pd.DataFrame | None:
    """Return what the draw used; None if it cannot be known."""
    if frame is None:
        if plan.balance_on:
            return None
        return ordered_frame(record.table(), record.unit, "block", plan)
    columns = frame_columns({**design, "unit": cast(Unit, record.unit)})
    if any(name not in frame for name in (columns["unit_column"], *plan.balance_on)):
        return None
    return ordered_frame(frame, columns["unit_column"], columns["block_column"], plan)


def _repeat(
    record: AssignmentRecord,
    plan: LotteryPlan,
    ordered: pd.DataFrame,
    software: Mapping[str, str] | None,
) -> Findings:
    try:
        arms, _, made = redraw(ordered, plan, record.seed, record.threshold)
    except (Refusal, ValueError) as error:
        told = "the randomisation cannot be reproduced from this frame"
        return Findings([Finding(REPEAT, told, FAILED, reason=str(error).replace("\n", " "))])
    again = dict(zip(ordered["unit"], arms, strict=True))
    other = [unit for unit, _, arm in record.listing if again.get(unit) != arm]
    found = Findings()
    found.about(
        other, FAILED, "the reproduced randomisation gives it another group than the record"
    )
    reason = ""
    if other:
        reason = f"{named(other)}: the record's list is not what its seed draws"
        known = dict(software or {})
        if any(record.software.get(name) not in (None, text) for name, text in known.items()):
            reason += f"; it was drawn with {_versions(record.software)}, repeated with "
            reason += _versions(known)
    elif made != record.draws_made:
        reason = f"after {made} draws, not {record.draws_made}"
    found.tests.append(
        Finding(
            REPEAT, f"{plural(len(other), record.unit)} with another group than the record",
            FAILED if other else PASSED, len(other), 0, reason=reason,
        )
    )  # fmt: skip
    return found


def _versions(software: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(software.items()))


def _compare(units: pd.DataFrame, drawn: pd.DataFrame, noun: str) -> Findings:
    """Name what was changed after the draw: groups, blocks, units that came or left."""
    found = Findings()
    arm, block = units["unit"].map(drawn["arm"]), units["unit"].map(drawn["block"])
    added = arm.isna()
    changed = ~added & (arm != units["arm"])
    moved = ~added & (block != units["block"]) & (drawn["block"].nunique() > 1)
    listed = set(units["unit"])
    left = [unit for unit in drawn.index if unit not in listed]
    for at in np.flatnonzero(changed):
        told = f"drawn to {arm.iloc[at]}, listed in {units['arm'].iloc[at]}"
        found.about([units["unit"].iloc[at]], FAILED, told)
    for at in np.flatnonzero(moved):
        told = f"drawn in block {block.iloc[at]}, listed in {units['block'].iloc[at]}"
        found.about([units["unit"].iloc[at]], FAILED, told)
    found.about(units["unit"][added], FAILED, "added to the list after the draw")
    found.about(left, FAILED, "drawn, and no longer in the list")
    counted = {
        "changed group": list(units["unit"][changed]),
        "changed block": list(units["unit"][moved]),
        "added": list(units["unit"][added]),
        "left out": left,
    }
    count = len(set().union(*counted.values()))
    reason = "; ".join(f"{what}: {named(names)}" for what, names in counted.items() if names)
    found.tests.append(
        Finding(
            SAME, f"{plural(count, noun)} changed after the draw", FAILED if count else PASSED,
            count, 0, reason=reason,
        )
    )  # fmt: skip
    return found
