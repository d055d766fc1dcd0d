"""Section 2: how units came to their groups, and whether the recorded allocation fits."""

from __future__ import annotations

from schooltrial.document.blocks import Block, Bullets, Details, Exhibit, Paragraph, Section
from schooltrial.document.text import Cite
from schooltrial.protocol.content.sections import arm_labels
from schooltrial.report.evidence import Evidence
from schooltrial.report.tables.assignment import blocks_left_out, blocks_shown
from schooltrial.report.tables.panel import cohort_starts, cohorts_sentence, programme_by_cohort
from schooltrial.report.wording import block_word, design_sentence
from schooltrial.wording import plural_of, year_spans


def design_section(evidence: Evidence) -> Section:
    """Return the design, the years, the groups, and the allocation check in a line."""
    protocol = evidence.protocol
    years = protocol["years"]
    means = evidence.drawn.get("cohorts")
    by_cohort = programme_by_cohort(years, cohort_starts(means)) if means is not None else ""
    spans = [
        f"{name}: {year_spans(given)}."
        for name, given in (
            ("Baseline", years["baseline"]),
            ("Programme", years["programme"]),
            ("Follow-up", years["follow_up"]),
        )
        if given and not (by_cohort and name == "Programme")
    ]
    if by_cohort:
        spans.append(by_cohort)
    blocks: list[Block] = [Paragraph(design_sentence(protocol))]
    cohorts = cohorts_sentence(evidence.drawn["cohorts"]) if "cohorts" in evidence.drawn else ""
    if cohorts:
        blocks.append(Paragraph(cohorts))
    blocks.append(Paragraph(f"Years ({years['label']}). {' '.join(spans)}"))
    timeline = evidence.exhibit("timeline") if "timeline" in evidence.captions else None
    if timeline is not None:
        blocks.append(timeline)
    verdict = evidence.records["assignment_verdict"]
    words = str(verdict["verdict"])
    blocks.append(
        Paragraph((f"Allocation check: {words}. All checks: ", Cite("allocation_checks"), "."))
    )
    if verdict["reasons"]:
        reasons = tuple(_sentence(str(reason)) for reason in verdict["reasons"])
        blocks.append(Bullets(reasons))
    allocated = evidence.checks["assignment"]
    label = block_word(protocol["design"])
    note = blocks_left_out(allocated)
    shown = blocks_shown(allocated, arm_labels(protocol["design"]), label)
    table = Exhibit(
        "units_by_block", f"Units in each group, by {label}", shown, notes=(note,) if note else (),
        data="checks/assignment.csv", source="check_assignment",
        subject=f"the {plural_of(protocol['design']['unit'])} in each group, by {label}",
    )  # fmt: skip
    blocks.append(Details.of(table))
    title = f"Design and {'randomisation' if protocol['design']['randomised'] else 'allocation'}"
    return Section("design", title, tuple(blocks))


def _sentence(words: str) -> str:
    """Return words as a sentence."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."
