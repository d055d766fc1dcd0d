"""Section 7: secondary outcomes, other analyses of primary ones, and replications."""

from __future__ import annotations

from schooltrial.document.blocks import Exhibit, Section
from schooltrial.report.evidence import Evidence
from schooltrial.report.findings.effects import effects_shown


def secondary_section(evidence: Evidence) -> Section | None:
    """Return all effects on secondary outcomes, and those of secondary models; None without any."""
    shown = effects_shown(
        evidence.estimates, evidence.protocol, "Secondary effects",
        lambda role, primary: not primary or role in ("secondary", "replication"), evidence.labels,
        attrition=evidence.check("attrition"),
    )  # fmt: skip
    if shown is None:
        return None
    table = Exhibit(
        "secondary_effects", "Secondary outcomes, secondary analyses and replications", shown.table,
        "The study was not designed to answer these questions: do not draw conclusions from one of "
        "these analyses alone.",
        notes=shown.notes, data="estimates/estimates.csv", source="gather_estimates",
        subject="effects on secondary outcomes, of secondary analyses and of replications",
    )  # fmt: skip
    return Section("secondary", "Secondary results", (table,))
