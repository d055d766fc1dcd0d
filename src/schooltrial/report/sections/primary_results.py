"""Section 5: the effects on primary outcomes."""

from __future__ import annotations

from schooltrial.document.blocks import Block, Exhibit, Paragraph, Section
from schooltrial.document.text import Cite, Span
from schooltrial.report.evidence import Evidence
from schooltrial.report.findings.effects import effects_shown
from schooltrial.report.findings.persistence import persistence_told
from schooltrial.report.methods.model_methods import adjustment_sentences

READING = (
    "Statistic of a joint test: F. Effect size: Hedges’ g in the pooled SD of the individuals "
    "analysed, whose number is N of its small-sample correction, or the Cox index of a yes/no "
    "outcome. It can differ a little from an effect in SD, whose SD is the one by which the "
    "outcome was standardised. In a model of several years a person counts in each."
)


def primary_section(evidence: Evidence) -> Section:
    """Return the forest plot and the table of the primary models."""
    blocks: list[Block] = []
    if evidence.protocol["deviations"]:
        blocks.append(
            Paragraph(("The analysis deviates from the plan: see ", Cite("deviations"), "."))
        )
    told: list[Span] = [" ".join(adjustment_sentences(evidence.protocol))]
    if evidence.findings:
        told += [" ", Cite("primary_outcomes"), " has the effects with their ratings and cost."]
    blocks.append(Paragraph((*told, " Estimands and models: ", Cite("methods"), ".")))
    figure = evidence.exhibit("effects")
    if figure is not None:
        blocks.append(figure)
    shown = effects_shown(
        evidence.estimates, evidence.protocol, "Primary effects",
        lambda role, primary: role == "primary" and primary, evidence.labels,
    )  # fmt: skip
    if shown is None:
        blocks.append(Paragraph("No primary model has an estimate for a primary outcome."))
    else:
        blocks.append(Exhibit(
            "primary_effects", "Effects on the primary outcomes", shown.table,
            notes=(*shown.notes, READING),
            data="estimates/estimates.csv", source="gather_estimates",
            subject="the effects on the primary outcomes",
        ))  # fmt: skip
    for name in ("school_means", "re_randomisation"):
        more = evidence.exhibit(name) if name in evidence.captions else None
        if more is not None:
            blocks.append(more)
    blocks += [Paragraph(told) for told in persistence_told(evidence.estimates, evidence.protocol)]
    return Section("primary", "Primary results", tuple(blocks))
