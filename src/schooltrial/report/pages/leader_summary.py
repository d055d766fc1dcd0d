"""A one-page summary for a school leader, in plain language."""

from __future__ import annotations

from schooltrial.document.blocks import Block, Bullets, Document, Heading, Paragraph
from schooltrial.document.numbers import number
from schooltrial.document.tables import study_foot
from schooltrial.document.text import Link, Strong, Text
from schooltrial.models.effect_size.pupil_level import improvement_index
from schooltrial.report.evidence import Evidence
from schooltrial.report.headlines import Finding, signed, summarise_findings
from schooltrial.report.sections.summary import cost_of, study_sentence, warnings

MOST = 4
"""Outcomes that one page has room for."""

LONGEST = 420
"""Letters of the programme's description that one page has room for."""


def build_summary(evidence: Evidence) -> Document:
    """Return one page: what was tried, what was found, how sure, at what cost, what is unknown."""
    found = summarise_findings(evidence.estimates, evidence.protocol)
    blocks: list[Block] = [
        *warnings_without_links(evidence),
        Heading("What was tried"),
        Paragraph(shortened(evidence.protocol["study"]["summary"])),
        Paragraph(study_sentence(evidence)),
        Heading("What was found"),
    ]
    if found:
        told = [plain_finding(one, evidence) for one in found[:MOST]]
        more = len(found) - MOST
        told += [f"{more} more results are in the full report."] if more > 0 else []
        blocks.append(Bullets(tuple(told)))
    else:
        blocks.append(Paragraph("The study has no result for a main outcome."))
    blocks += [Heading("How sure can we be?"), Paragraph(certainty(found, evidence))]
    costs = cost_of(evidence)
    blocks.append(Heading("What did it cost?"))
    if costs:
        told_costs = "; ".join(
            f"{evidence.arms.get(arm, 'the programme')}: {cost.split(',')[0]}"
            for arm, cost in costs.items()
        )
        blocks.append(Paragraph(f"Per pupil per year, {told_costs}."))
    else:
        blocks.append(Paragraph("Costs were not collected."))
    blocks += [
        Heading("What the study cannot tell you"),
        Bullets(tuple(unknown(found, evidence))),
        Paragraph((
            "Every number and how it was made: ", Link("the full report", "report.html"), ".",
        )),
    ]  # fmt: skip
    return Document(
        title=evidence.study["title"],
        kind="Summary for school leaders",
        front=tuple(blocks),
        synthetic=evidence.study["synthetic"],
        foot=study_foot(evidence.study),
    )


def warnings_without_links(evidence: Evidence) -> list[Block]:
    """Return that a warning applies, for a page that has no sections."""
    if not warnings(evidence):
        return []
    words = "The full report begins with a warning about this study: read it first."
    return [Paragraph(words, "warning")]


def shortened(words: str) -> str:
    """Return the first sentences of a text, as many as one page has room for."""
    if len(words) <= LONGEST:
        return words
    kept = words[:LONGEST].rsplit(". ", maxsplit=1)[0]
    return f"{kept.rstrip('.')}."


def plain_finding(one: Finding, evidence: Evidence) -> Text:
    """Return a finding without the terms of statistics."""
    if not one.found:
        return (Strong(f"{one.label}:"), " no result could be computed.")
    way = "higher" if one.estimate > 0 else "lower"
    if one.binary or not one.in_sd:
        size = f"{number(abs(one.estimate), one.digits)} {one.unit} {way}"
        told = f" on average {size} for {one.group} than for {one.comparison}"
    else:
        points = signed(improvement_index(one.effect_size), 0).lstrip("+−")
        told = (
            f" {one.group} scored {way} on average: an average member of the comparison group "
            f"would move by about {points} places in a ranking of 100"
        )
    sure = (
        "The difference is larger than chance alone would usually make."
        if one.low > 0 or one.high < 0
        else "A difference of this size, or of the opposite sign, can arise by chance."
    )
    return (Strong(f"{one.label}:"), f"{told}. {sure}")


def certainty(found: list[Finding], evidence: Evidence) -> str:
    """Return how the groups came about, and how many results stand out from chance."""
    randomised = evidence.protocol["design"]["randomised"]
    how = (
        "Who got the programme was decided at random, so the groups were alike at the start but "
        "for chance."
        if randomised
        else "Who got the programme was not decided at random, so other differences between the "
        "groups may explain the result."
    )
    clear = sum(one.found and (one.low > 0 or one.high < 0) for one in found)
    return f"{how} {clear} of {len(found)} main results stand out from chance."


def unknown(found: list[Finding], evidence: Evidence) -> list[str]:
    """Return what a school leader might think the study shows, and it does not."""
    told = []
    if any(one.found and one.low <= 0 <= one.high for one in found):
        told.append(
            "A result that does not stand out from chance is not proof that the programme does "
            "nothing: a small effect may have been missed."
        )
    told.append("Whether it would work the same way in schools unlike those in the study.")
    if evidence.study["synthetic"]:
        told.append("Anything about a real programme: the data are simulated.")
    return told
