"""Section 12: indicative ratings, why, and what would change them."""

from __future__ import annotations

from schooltrial.document.blocks import Block, Exhibit, Paragraph, Section
from schooltrial.document.text import Strong
from schooltrial.report.evidence import Evidence
from schooltrial.report.sections.summary import INDICATIVE, with_security_word
from schooltrial.report.tables.rating import criteria_shown, measures_shown
from schooltrial.wording import sentence


def ratings_section(evidence: Evidence) -> Section:
    """Return the WWC-style and EEF-style ratings of each primary outcome with their criteria."""
    record = evidence.records["verdict"]
    blocks: list[Block] = [Paragraph(INDICATIVE)]
    for rated in record["ratings"]:
        for one in rated["ratings"]:
            head = f"{rated['label']}, {rated['year']}: {with_security_word(one['rating'])}."
            why = f" {one['standard']}. Why: {one['rule']}. {one['would_change']}"
            blocks.append(Paragraph((Strong(head), why.rstrip())))
        blocks += [Paragraph(sentence(reason)) for reason in rated["disagreement"]]
    if not record["ratings"]:
        blocks.append(Paragraph("No outcome is primary, so none is rated."))
    if record["ratings_differ"]:
        blocks.append(Paragraph(sentence(record["ratings_differ"])))
    criteria = criteria_shown(record["ratings"])
    if criteria is not None:
        blocks.append(Exhibit(
            "criteria", "Criteria of the ratings", criteria, data="checks/verdict.json",
            source="check_rating",
        ))  # fmt: skip
    measured = evidence.checks.get("equivalence")
    measures = (
        None if measured is None else measures_shown(evidence.compared(measured), evidence.labels)
    )
    if measures is not None:
        blocks.append(Exhibit(
            "measures", "Baseline measures of those analysed", measures,
            "Measures by which the ratings judge baseline equivalence.",
            data="checks/equivalence.csv", source="check_balance",
        ))  # fmt: skip
    elif record["ratings"]:
        blocks.append(Paragraph(
            "No baseline measure of a primary outcome is known for those analysed, so baseline "
            "equivalence cannot be established."
        ))  # fmt: skip
    return Section("ratings", "Indicative WWC and EEF ratings", tuple(blocks))
