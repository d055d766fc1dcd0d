"""Section 12: indicative ratings, why, and what would change them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schooltrial.document.blocks import Block, Bullets, Exhibit, Heading, Paragraph, Section
from schooltrial.document.text import Strong
from schooltrial.report.evidence import Evidence
from schooltrial.report.sections.summary import INDICATIVE, with_security_word
from schooltrial.report.tables.checks import mdes_basis
from schooltrial.report.tables.rating import criteria_shown, measures_shown
from schooltrial.wording import listed, sentence

CLAUSES = re.compile(r"; (?![^(]*\))")
"""What divides the clauses of a rule: a semicolon that is not inside brackets."""


MEASURES = "Measures of the outcome at baseline; the ratings judge by those that decide."

SCHOOLS = (
    " A school’s row compares means of schools in SDs of these means, which vary less than "
    "individuals, so that the same gap is a larger number; it has no WWC band. Where it decides, "
    "the ratings hold it to the limits for individuals all the same, which is strict. It decides "
    "together with the row of individuals where too few of them have a measure of their own, alone "
    "where no such row is known, and always where the protocol names it."
)


@dataclass(frozen=True)
class OutcomeRating:
    """The rating of one outcome by one standard."""

    label: str
    year: int
    standard: str
    rating: str
    sentences: tuple[str, ...]


def rated_alike(ratings: Sequence[Mapping[str, Any]]) -> list[tuple[OutcomeRating, ...]]:
    """Return the ratings, standard by standard, those of outcomes that are rated alike together.

    Parameters
    ----------
    ratings : sequence of mapping
        ``ratings`` of ``verdict.json``.
    """
    groups: dict[tuple[Any, ...], list[OutcomeRating]] = {}
    for at in (0, 1):
        for rated in ratings:
            one = rated["ratings"][at]
            parts = tuple(f"{part.rstrip('.')}." for part in CLAUSES.split(one["rule"]))
            change = tuple(raising(one["would_change"]))
            found = OutcomeRating(
                rated["label"], rated["year"], one["standard"], one["rating"], (*parts, *change)
            )
            key = (at, found.rating, found.year, len(found.sentences))
            groups.setdefault(key, []).append(found)
    return [tuple(alike) for alike in groups.values()]


def _reasons(alike: Sequence[OutcomeRating]) -> list[Block]:
    """Say why outcomes have a rating: what holds for all of them once, then each its own."""
    first = alike[0]
    labels = listed([one.label for one in alike])
    head = f"{labels}, {first.year}: {with_security_word(first.rating)}."
    clauses = list(zip(*(one.sentences for one in alike), strict=True))
    same = [sentence(versions[0]) for versions in clauses if len(set(versions)) == 1]
    told: list[Block] = [Paragraph((Strong(head), f" {' '.join(same)}" if same else ""))]
    own = [
        f"{one.label}: " + " ".join(sentence(versions[at]) for versions in clauses
                                    if len(set(versions)) > 1)
        for at, one in enumerate(alike)
    ]  # fmt: skip
    return [*told, Bullets(tuple(own))] if len(same) < len(clauses) else told


def raising(would_change: str) -> list[str]:
    """Return what would raise a rating, without what would lower it: the criteria show how near.

    Parameters
    ----------
    would_change : str
        Of a rating in ``verdict.json``.
    """
    if not would_change:
        return []
    sentences = re.split(r"(?<=\.) (?=[A-Z`])", would_change)
    kept = [one for one in sentences if not one.startswith("It would be lower")]
    return [" ".join(kept)] if kept else []


def _disagreements(ratings: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return why the two standards differ → the outcomes of which that is true."""
    found: dict[str, list[str]] = {}
    for rated in ratings:
        for reason in rated["disagreement"]:
            found.setdefault(reason, []).append(rated["label"])
    return found


def _of_schools(measured: pd.DataFrame) -> bool:
    return bool((measured["level"] == "school").any())


def ratings_section(evidence: Evidence) -> Section:
    """Return the WWC-style and EEF-style ratings of each primary outcome with their criteria."""
    record = evidence.records["verdict"]
    blocks: list[Block] = [Paragraph(INDICATIVE)]
    standard = ""
    for alike in rated_alike(record["ratings"]):
        if alike[0].standard != standard:
            standard = alike[0].standard
            name, _, caution = standard.partition(" (")
            blocks.append(Heading(name))
            if caution:
                blocks.append(Paragraph(sentence(f"{caution.rstrip(')')}."), "note"))
        blocks += _reasons(alike)
    if any(_disagreements(record["ratings"])):
        blocks.append(Heading("Why the ratings differ"))
    for told, labels in _disagreements(record["ratings"]).items():
        named = "" if len(labels) == len(record["ratings"]) else f"{listed(labels)}: "
        blocks.append(Paragraph(f"{named}{sentence(told)}"))
    if not record["ratings"]:
        blocks.append(Paragraph("No outcome is primary, so none is rated."))
    criteria = criteria_shown(record["ratings"])
    if criteria is not None:
        blocks.append(Exhibit(
            "criteria", "Criteria of the ratings", criteria,
            notes=tuple(filter(None, [mdes_basis(evidence.check("power"))])),
            data="checks/verdict.json", source="check_rating",
            subject="the criteria of the ratings",
        ))  # fmt: skip
    measured = evidence.checks.get("equivalence")
    measures = (
        None
        if measured is None
        else measures_shown(evidence.compared(measured), evidence.labels, record["ratings"])
    )
    if measures is not None:
        blocks.append(Exhibit(
            "measures", "Baseline measures of those analysed", measures,
            MEASURES + (SCHOOLS if measured is not None and _of_schools(measured) else ""),
            data="checks/equivalence.csv", source="check_balance",
            subject="the baseline measures of those analysed",
        ))  # fmt: skip
    elif record["ratings"]:
        blocks.append(Paragraph(
            "No baseline measure of a primary outcome is known for those analysed, so baseline "
            "equivalence cannot be established."
        ))  # fmt: skip
    return Section("ratings", "Indicative WWC and EEF ratings", tuple(blocks))
