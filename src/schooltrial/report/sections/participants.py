"""Section 3: who took part, who was lost, and who moved."""

from __future__ import annotations

from schooltrial.document.blocks import Block, Details, Exhibit, Paragraph, Preformatted, Section
from schooltrial.document.text import Cite, joined
from schooltrial.protocol.content.people import joined_words
from schooltrial.report.evidence import Evidence
from schooltrial.report.limitations.limits import moves_sentence
from schooltrial.report.tables.checks import (
    IMPLIED_BIAS,
    attrition_shown,
    movers_shown,
    who_left_sentence,
)
from schooltrial.report.tables.participants import mobility_shown
from schooltrial.report.wording import analysed_sentences, mobility_sentence, models_by_label
from schooltrial.wording import sentence, stated_words

LOST = (
    "Lost: everyone assigned who is not in the primary analysis, for any reason; for an outcome "
    "without a primary model, everyone without a measurement of it."
)

MOVED = (
    "Joiners as a share of the individuals present in the year, or where an outcome is named of "
    "those analysed for it, in the group where they are; movers as a share of those present at "
    "baseline and still in the study, in their first group."
)

SAME_FILE = (
    " Pupils and scores are read from the same file: who has no row of the baseline year in it "
    "counts as in no school of the study, and may have been there without a test."
)


def participants_section(evidence: Evidence) -> Section:
    """Return the participant flow, attrition, and where pupils were at baseline."""
    protocol, years = evidence.protocol, evidence.years
    label = protocol["years"]["label"]
    labels = {**models_by_label(evidence.protocol), **evidence.labels}
    recruited = stated_words(protocol["study"]["recruitment"])
    blocks: list[Block] = [Paragraph(sentence(recruited))] if recruited else []
    analysed = analysed_sentences(protocol, evidence.labels)
    flow = evidence.exhibit("flow")
    if flow is not None:
        blocks += [flow, Details("Participant flow as text", (
            Preformatted(evidence.texts["flow_text"].strip("\n")),
        ), printed=False)]  # fmt: skip
    blocks.append(Paragraph(("Who left at each step, and why: ", Cite("exclusions"), ".")))
    boundary = evidence.exhibit("attrition_boundary")
    if boundary is not None:
        blocks.append(boundary)
    elif reason := evidence.lacking.get("attrition_boundary"):
        blocks.append(Paragraph(f"Attrition is not compared with the WWC boundary: {reason}."))
    attrition = evidence.check("attrition")
    if attrition is not None:
        blocks.append(Exhibit(
            "attrition", "Attrition by group", attrition_shown(
                attrition, years, evidence.labels, models_by_label(protocol), evidence.arms,
                evidence.control,
            ),
            LOST, notes=(IMPLIED_BIAS,) if attrition["bias_cautious"].notna().any() else (),
            data="checks/attrition.csv", source="check_attrition",
        ))  # fmt: skip
        moved = movers_shown(attrition, years, labels, evidence.arms, evidence.control)
        if moved is not None:
            blocks.append(Exhibit(
                "movers", "Joiners and movers", moved, MOVED,
                data="checks/attrition.csv", source="check_attrition",
            ))  # fmt: skip
    left = evidence.check("who_left")
    if left is not None:
        said = who_left_sentence(left, labels, evidence.arms)
        blocks.append(Paragraph(joined(said, ("Every term: ", Cite("who_left"), "."))))
    mobility = evidence.check("mobility")
    if mobility is not None and len(
        shown := mobility_shown(evidence.labelled(mobility), years, label)
    ):
        table = Exhibit(
            "mobility", "Origin of pupils", shown,
            f"{mobility_sentence(protocol)}{SAME_FILE if joined_words(protocol, 'pupils') else ''}",
            data="checks/mobility.csv", source="clean_sample",
        )  # fmt: skip
        blocks += [
            Paragraph(
                joined(
                    (Cite("mobility"), " shows who moved and who joined late."),
                    "" if attrition is None else moves_sentence(attrition, years),
                )
            ),
            Details.of(table),
        ]
    if analysed:
        blocks += [Paragraph(words) for words in analysed]
    return Section("participants", "Participants", tuple(blocks))
