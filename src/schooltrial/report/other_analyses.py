"""How other analyses of an outcome compare with its primary one, in words."""

from __future__ import annotations

from schooltrial.report.evidence import Evidence
from schooltrial.report.findings.headlines import (
    Finding,
    other_samples_sentence,
    sensitivity_findings,
    sensitivity_sentence,
)
from schooltrial.report.findings.present_at_assignment import first_assigned


def describe_other_analyses(one: Finding, evidence: Evidence, *, only_apart: bool = False) -> str:
    """Return what other analyses of a finding give; empty if there are none.

    Parameters
    ----------
    one : Finding
        From a primary model of a primary outcome.
    evidence : Evidence
        Of its study.
    only_apart : bool
        Name those who were present at the assignment only where their estimate is apart from all
        others.
    """
    others = sensitivity_findings(evidence.estimates, evidence.protocol, one)
    present = first_assigned(one, others, evidence.check("missing_outcomes"))
    told = present is not None and (present.outside or not only_apart)
    sentences = (
        sensitivity_sentence(one, others),
        other_samples_sentence(evidence.estimates, evidence.protocol, one),
        present.words if present is not None and told else "",
    )
    return " ".join(filter(None, sentences))


def name_finding(one: Finding, evidence: Evidence) -> str:
    """Return the outcome of a finding, and its group where there are several to tell apart."""
    group = evidence.arms.get(one.arm, "") if len(evidence.arms) > 2 else ""
    return f"{one.label}, {group}" if group else one.label
