"""Whether a list meets the criterion of balance by which it was drawn."""

from __future__ import annotations

from schooltrial.checks.assignment.findings import DOUBT, FAILED, PASSED, UNTESTED, Finding
from schooltrial.randomisation.criterion import CriterionKnown

CHECK = "criterion of balance"


def judge_criterion(known: CriterionKnown) -> Finding | None:
    """Return whether the list meets the criterion of its draw; None if there was none."""
    if known.not_known:
        return Finding(CHECK, known.not_known, UNTESTED)
    held = known.balance
    if held is None:
        return None
    told = f"Mahalanobis distance {held.distance:.4g}, at most {held.threshold:.4g} was acceptable"
    if held.meets:
        return Finding(CHECK, told, PASSED, held.distance, held.threshold)
    if not held.far:
        verdict, reason = UNTESTED, "the threshold is an estimate, and the list is near it"
    else:
        verdict = FAILED if held.recorded else DOUBT
        reason = "a draw like this list was to be drawn again: it is not the list that was drawn"
    return Finding(CHECK, told, verdict, held.distance, held.threshold, reason=reason)
