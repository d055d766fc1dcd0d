"""Section 11: the smallest effects that the study could detect."""

from __future__ import annotations

from schooltrial.document.blocks import Block, Details, Exhibit, Paragraph, Section
from schooltrial.report.evidence import Evidence
from schooltrial.report.tables.checks import power_shown, power_terms


def power_section(evidence: Evidence) -> Section:
    """Return the power curves and the minimum detectable effect sizes with their inputs."""
    blocks: list[Block] = []
    figure = evidence.exhibit("power_curve")
    if figure is not None:
        blocks.append(figure)
    power = evidence.check("power")
    if power is not None:
        table = Exhibit(
            "power_inputs", "Minimum detectable effect sizes: inputs",
            power_shown(
                power, evidence.labels, evidence.arms,
                randomised=evidence.protocol["design"]["randomised"],
            ),
            notes=tuple(power_terms(power)),
            data="checks/power.csv", source="check_power",
            subject="the inputs of the minimum detectable effect sizes",
        )  # fmt: skip
        blocks.append(Details.of(table))
    if not blocks:
        blocks.append(Paragraph("No model has an outcome whose power could be computed."))
    return Section("power", "Statistical power", tuple(blocks))
