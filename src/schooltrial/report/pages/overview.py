"""All studies on one page: their effects, ratings and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.document.blocks import Block, Document, Exhibit, Heading, Paragraph
from schooltrial.document.formats.html import TRACE
from schooltrial.document.numbers import number, p_text, signed
from schooltrial.document.tables import Column, tabulate
from schooltrial.document.text import Link, Span, Strong
from schooltrial.report.evidence import Evidence
from schooltrial.report.findings.headlines import CONDITION, Finding
from schooltrial.report.sections.summary import INDICATIVE, rating_of, study_sentence

PAGES = {
    "report/report.html": "Report", "report/report.pdf": "Report (PDF)",
    "report/summary.html": "Summary", "report/summary.pdf": "Summary (PDF)",
    "report/data_quality.html": "Data quality", "report/monitoring.html": "Monitoring",
}  # fmt: skip
"""Page of a study, from its folder of results → what it is called."""

DATA = {
    "estimates/estimates.csv": "Estimates (CSV)", "report/study_record.json": "Study record (JSON)",
    "report/tables.docx": "Tables (Word)", "report/tables.tex": "Tables (LaTeX)",
    "report/tables.md": "Tables (Markdown)",
}  # fmt: skip
"""File of a study that programs read → what it is called."""

RATERS = ("WWC-style", "EEF-style")
"""In whose manner each rating is."""

COLUMNS = (
    Column("Primary outcome", key="label"),
    Column("Effect (CI)", key="effect"),
    Column("p", "told"),
    Column("Ratings (indicative)", key="ratings", optional=True),
)


def summarise_study(evidence: Evidence) -> dict[str, Any]:
    """Return what the page of all studies says of one: title, design, effects and ratings."""
    return {
        "name": evidence.protocol["study"]["name"],
        "title": evidence.study["title"],
        "synthetic": evidence.study["synthetic"],
        "randomised": bool(evidence.protocol["design"]["randomised"]),
        "design": study_sentence(evidence),
        "effects": [
            {
                "label": one.label,
                "group": evidence.arms.get(one.arm, "") if len(evidence.arms) > 2 else "",
                "effect": _effect(one),
                "p": p_text(one.p_value) if one.found else "",
                "ratings": [
                    f"{whose}: {rating}"
                    for whose, rating in zip(RATERS, rating_of(one, evidence), strict=True)
                    if rating
                ],
            }
            for one in evidence.findings
        ],
    }


def _effect(one: Finding) -> str:
    """Return an effect with its unit and interval: ``+0.08 SD (95% CI −0.06 to 0.21)``."""
    if not one.found:
        return "no estimate"
    low, high = number(one.low, one.digits), number(one.high, one.digits)
    return f"{signed(one.estimate, one.digits)} {one.unit} ({one.ci} {low} to {high})"


def overview_page(
    studies: Sequence[Mapping[str, Any]], notebooks: Mapping[str, Sequence[str]] | None = None
) -> Document:
    """Return the page of all studies, in the order given.

    Parameters
    ----------
    studies : sequence of mapping
        What `summarise_study` returned of each.
    notebooks : mapping, optional
        Study → names of the notebooks that were run on it.
    """
    blocks: list[Block] = [Paragraph(INDICATIVE, "note")]
    for study in studies:
        name = study["name"]
        label = "SYNTHETIC DATA. " if study["synthetic"] else ""
        blocks += [
            Heading(study["title"], name),
            Paragraph((Strong(label), study["design"]) if label else study["design"]),
            *_effects(study),
            *_links(name, (notebooks or {}).get(name, ())),
        ]
    return Document("Evaluations", "All studies", tuple(blocks), results="")


def _effects(study: Mapping[str, Any]) -> list[Block]:
    """Return the table of a study's effects, and that they are none where it is not randomised."""
    if not study["effects"]:
        return [Paragraph("The protocol declares no primary outcome that a primary model fits.")]
    rows = [
        {
            "label": ": ".join(filter(None, [one["label"], one["group"]])),
            "effect": one["effect"],
            "p": one["p"],
            "ratings": "; ".join(one["ratings"]),
        }
        for one in study["effects"]
    ]
    shown = tabulate(f"Effects: {study['title']}", pd.DataFrame(rows), COLUMNS)
    caption = "" if study["randomised"] else f"Not randomised. {CONDITION}"
    name = study["name"]
    return [
        Exhibit(
            f"effects-{name}", "Effects on primary outcomes", shown, caption,
            data=f"{name}/estimates/estimates.csv",
            source=f"{name}/report/report.html#{TRACE}gather_estimates",
        )
    ]  # fmt: skip


def _links(name: str, notebooks: Sequence[str]) -> list[Block]:
    """Return a study's pages, its notebooks, and its files for programs."""
    lists = {
        "": PAGES,
        "Notebooks: ": {
            f"notebooks/{one}.html": one.replace("_", " ").capitalize() for one in notebooks
        },
        "Data: ": DATA,
    }
    told: list[Block] = []
    for words, of in lists.items():
        spans: list[Span] = []
        for path, called in of.items():
            spans += [" · " if spans else words, Link(called, f"{name}/{path}")]
        if spans:
            told.append(Paragraph(tuple(span for span in spans if span)))
    return told
