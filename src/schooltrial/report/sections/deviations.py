"""Section 13: the plan, deviations from it, and limitations."""

from __future__ import annotations

from schooltrial.document.blocks import Block, Bullets, Heading, Paragraph, Section
from schooltrial.protocol.plan import plan_told
from schooltrial.report.evidence import Evidence
from schooltrial.report.limitations.limitations import limitations_told
from schooltrial.wording import deviation_words

NONE = "The protocol declares no deviation from the plan."
CHANGED = "The protocol does not declare this change as a deviation from the plan."


def deviations_section(evidence: Evidence) -> Section:
    """Return whether the plan was kept, deviations, notes and sources."""
    protocol = evidence.protocol
    blocks: list[Block] = [
        Paragraph(" ".join(plan_told(evidence.plan, protocol["registration"]["plan_sha256"])))
    ]
    if protocol["deviations"]:
        blocks.append(Heading("Deviations from the plan"))
        blocks.append(Bullets(tuple(map(deviation_words, protocol["deviations"]))))
    else:
        words = CHANGED if evidence.plan.changed else NONE
        blocks.append(Paragraph(words))
    blocks += [Heading("Limitations"), Bullets(tuple(limitations_told(evidence)))]
    if protocol["notes"]:
        blocks += [Heading("Notes"), Bullets(tuple(protocol["notes"]))]
    if protocol["study"]["sources"]:
        blocks += [Heading("Sources"), Bullets(tuple(protocol["study"]["sources"]))]
    return Section("deviations", "Deviations and limitations", tuple(blocks))
