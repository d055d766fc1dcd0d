"""Whether the record of a draw is that of the protocol: study, seed, date, design and units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isclose
from typing import Any

from schooltrial.checks.assignment_findings import FAILED, PASSED, Finding
from schooltrial.checks.assignment_record import AssignmentRecord, plan_of
from schooltrial.checks.lottery_plan import LotteryPlan, lottery_plan

FITS = "record fits the protocol"


def check_fits(record: AssignmentRecord, design: Mapping[str, Any], study: str = "") -> Finding:
    """Compare a record with the protocol; what the protocol leaves open is not compared.

    Parameters
    ----------
    record : AssignmentRecord
    design : mapping
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


def _facts(
    record: AssignmentRecord, design: Mapping[str, Any], study: str
) -> Iterator[tuple[str, str, str]]:
    draw = design.get("draw") or {}
    facts = {
        "study": (record.study, study or None),
        "unit": (record.unit, design.get("unit") or "school"),
        "seed": (record.seed, draw.get("seed")),
        "date": (record.date, draw.get("date") or None),
    }
    for name, (told, planned) in facts.items():
        if planned is not None and told != planned:
            yield name, str(told), str(planned)


def _plan(record: AssignmentRecord, design: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    told, planned = plan_of(record), lottery_plan(design)
    for name, one, other in (
        ("kind", told.kind, planned.kind),
        ("arms", ", ".join(told.arms), ", ".join(planned.arms)),
        ("planned numbers", _numbers(told), _numbers(planned)),
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


def _numbers(plan: LotteryPlan) -> str:
    blocks = sorted(plan.planned.items())
    return ", ".join(f"{name}: {'/'.join(map(str, n))}" for name, n in blocks) or "none"


def _criterion(plan: LotteryPlan) -> str:
    if not plan.rerandomised:
        return "none"
    return f"best {plan.acceptance:g} on {', '.join(plan.balance_on)}"


def _shares(plan: LotteryPlan) -> str:
    return "/".join(f"{share:g}" for share in plan.shares)
