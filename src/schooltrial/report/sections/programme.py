"""Section 1: the programme, the question, and where the plan is registered."""

from __future__ import annotations

from schooltrial.document.blocks import Block, Bullets, Paragraph, Section
from schooltrial.document.text import Cite, Link, Text
from schooltrial.report.evidence import Evidence
from schooltrial.report.wording import registration_sentence, to_come_sentence
from schooltrial.wording import listed


def programme_section(evidence: Evidence) -> Section:
    """Return what was evaluated, by which outcomes, and by which plan."""
    protocol = evidence.protocol
    blocks: list[Block] = []
    if protocol["study"]["summary"]:
        blocks.append(Paragraph(protocol["study"]["summary"]))
    outcomes = protocol["outcomes"].values()
    primary = [one["label"] for one in outcomes if one["primary"]]
    others = [one["label"] for one in outcomes if not one["primary"]]
    told = []
    if primary:
        told.append(f"Primary outcomes: {'; '.join(primary)}.")
    if others:
        told.append(f"Secondary outcomes: {'; '.join(others)}.")
    arms = list(evidence.arms.values())
    compared = f"Groups compared: {listed(arms)}." if arms else ""
    blocks.append(Bullets((compared, *told)))
    registration = protocol["registration"]
    plan: Text = registration_sentence(registration)
    if registration["url"]:
        plan = (f"{plan} ", Link(registration["url"], registration["url"]))
    if any(registration[key] for key in ("registry", "identifier", "date", "url")):
        blocks.append(Paragraph(plan))
    blocks.append(Paragraph(("Deviations from the plan: ", Cite("deviations"), ".")))
    to_come = to_come_sentence(protocol, evidence.models_to_come)
    if to_come:
        blocks.append(Paragraph(to_come))
    return Section("programme", "Programme and question", tuple(blocks))
