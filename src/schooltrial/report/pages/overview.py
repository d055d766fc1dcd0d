"""All studies on one page: their effects, ratings and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schooltrial.document.blocks import Block, Bullets, Document, Heading, Paragraph
from schooltrial.document.text import Link, Span, Strong
from schooltrial.report.evidence import Evidence
from schooltrial.report.headlines import p_phrase, summarise_findings
from schooltrial.report.sections.summary import INDICATIVE, rating_of, study_sentence

PAGES = {
    "report/report.html": "Report", "report/report.pdf": "report (PDF)",
    "report/summary.html": "summary", "report/summary.pdf": "summary (PDF)",
    "report/data_quality.html": "data quality", "report/monitoring.html": "monitoring",
}  # fmt: skip
"""Page of a study, from its folder of results → what it is called."""


def summarise_study(evidence: Evidence) -> dict[str, Any]:
    """Return what the page of all studies says of one: title, design, effects and ratings."""
    return {
        "name": evidence.protocol["study"]["name"],
        "title": evidence.study["title"],
        "synthetic": evidence.study["synthetic"],
        "design": study_sentence(evidence),
        "effects": [
            {
                "label": one.label,
                "group": evidence.arms.get(one.arm, "") if len(evidence.arms) > 2 else "",
                "effect": f"{one.size} {one.unit}; {p_phrase(one.p_value)}".rstrip("; "),
                "ratings": [rating for rating in rating_of(one, evidence) if rating],
            }
            for one in summarise_findings(evidence.estimates, evidence.protocol)
        ],
    }


def overview_page(studies: Sequence[Mapping[str, Any]]) -> Document:
    """Return the page of all studies, in the order given.

    Parameters
    ----------
    studies : sequence of mapping
        What `summarise_study` returned of each.
    """
    blocks: list[Block] = [Paragraph(INDICATIVE, "note")]
    for study in studies:
        name = study["name"]
        label = "SYNTHETIC DATA. " if study["synthetic"] else ""
        blocks += [
            Heading(study["title"], name),
            Paragraph((Strong(label), study["design"]) if label else study["design"]),
            Bullets(tuple(_effect(one) for one in study["effects"])),
            Paragraph(_links(name)),
        ]
    return Document(
        "Evaluations", "All studies", tuple(blocks),
    )  # fmt: skip


def _effect(one: Mapping[str, Any]) -> tuple[Span, ...]:
    label = f"{one['label']}, {one['group']}" if one["group"] else str(one["label"])
    rated = f" ({'; '.join(one['ratings'])})" if one["ratings"] else ""
    return (f"{label}: ", Strong(str(one["effect"])), f"{rated}.")


def _links(name: str) -> tuple[Span, ...]:
    parts: list[Span] = []
    for path, words in PAGES.items():
        parts += [Link(words, f"{name}/{path}"), " · "]
    return tuple(parts[:-1])
