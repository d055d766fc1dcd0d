"""Section 9: what was delivered, and what each group received."""

from __future__ import annotations

from schooltrial.document.blocks import Block, Details, Exhibit, Paragraph, Section
from schooltrial.report.evidence import Evidence
from schooltrial.report.tables.implementation import contrast_shown, fidelity_shown


def implementation_section(evidence: Evidence) -> Section:
    """Return fidelity, dosage and the treatment contrast; one sentence where none is on record."""
    blocks: list[Block] = []
    figure = evidence.exhibit("fidelity")
    if figure is not None:
        blocks.append(figure)
    fidelity = evidence.check("fidelity")
    if fidelity is not None:
        table = Exhibit(
            "fidelity_table", "Fidelity by component and school year",
            fidelity_shown(fidelity, evidence.arms), data="checks/fidelity.csv",
            source="check_fidelity",
        )  # fmt: skip
        blocks.append(Details.of(table))
    dosage = evidence.exhibit("dosage")
    if dosage is not None:
        blocks.append(dosage)
    contrast = evidence.check("contrast")
    if contrast is not None:
        blocks.append(Exhibit(
            "contrast", "Treatment contrast and contamination",
            contrast_shown(contrast, evidence.arms),
            "Means include schools with no entry as zero, unless the log has no entry for the "
            "whole group (then: not recorded).",
            data="checks/contrast.csv", source="check_fidelity",
        ))  # fmt: skip
    if not blocks:
        blocks.append(Paragraph("Implementation was not recorded in the study’s files."))
    return Section("implementation", "Implementation and treatment contrast", tuple(blocks))
