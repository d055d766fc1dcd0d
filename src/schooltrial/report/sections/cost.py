"""Section 10: what the programme cost."""

from __future__ import annotations

from schooltrial.document.blocks import Block, Exhibit, Paragraph, Section
from schooltrial.report.evidence import Evidence
from schooltrial.report.sections.summary import NO_COSTS
from schooltrial.report.tables.implementation import costs_shown, costs_told


def cost_section(evidence: Evidence) -> Section:
    """Return the cost per pupil per year and its ingredients."""
    costs = evidence.check("costs")
    if costs is None:
        return Section("cost", "Cost", (Paragraph(NO_COSTS),))
    _, *programme = evidence.arms
    units = {arm: evidence.units_by_arm[arm] for arm in programme}
    told = costs_told(costs, evidence.arms, units, evidence.levels.unit, evidence.control)
    blocks: list[Block] = [Paragraph(" ".join(told))]
    blocks.append(Exhibit(
        "costs", "Cost by ingredient", costs_shown(costs, evidence.arms),
        data="checks/costs.csv", source="check_costs", subject="the cost of each ingredient",
    ))  # fmt: skip
    return Section("cost", "Cost", tuple(blocks))
