"""The report of a study: first screen, sections in order, annexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schooltrial import __version__
from schooltrial.document.blocks import Document, Section
from schooltrial.document.tables import study_foot
from schooltrial.document.text import Text
from schooltrial.report.citations import cite_exhibits
from schooltrial.report.evidence import Evidence
from schooltrial.report.methods.check_methods import check_method_blocks
from schooltrial.report.methods.model_methods import methods_section
from schooltrial.report.sections.annexes import (
    allocation_section,
    data_section,
    exclusions_section,
    other_panels_section,
    provenance_section,
)
from schooltrial.report.sections.baseline import baseline_section
from schooltrial.report.sections.cost import cost_section
from schooltrial.report.sections.design import design_section
from schooltrial.report.sections.deviations import deviations_section
from schooltrial.report.sections.implementation import implementation_section
from schooltrial.report.sections.participants import participants_section
from schooltrial.report.sections.power import power_section
from schooltrial.report.sections.primary_results import primary_section
from schooltrial.report.sections.programme import programme_section
from schooltrial.report.sections.ratings import ratings_section
from schooltrial.report.sections.secondary_results import secondary_section
from schooltrial.report.sections.sensitivity import sensitivity_section
from schooltrial.report.sections.study_record import study_record_section
from schooltrial.report.sections.summary import first_screen, study_sentence
from schooltrial.report.sections.trends import trends_section
from schooltrial.report.wording import (
    design_sentence,
    measured_sentence,
    registration_sentence,
    stated,
)
from schooltrial.wording import listed

SECTIONS = (
    programme_section, design_section, participants_section, baseline_section, primary_section,
    sensitivity_section, secondary_section, trends_section, implementation_section, cost_section,
    power_section, ratings_section, deviations_section, allocation_section, data_section,
)  # fmt: skip
"""In reading order; provenance, which needs the steps, follows."""


def build_report(
    evidence: Evidence,
    steps: Sequence[Mapping[str, Any]],
    lock_sha256: str,
    software: Mapping[str, str],
) -> Document:
    """Return the report of a study.

    Parameters
    ----------
    evidence : Evidence
    steps : sequence of mapping
        Steps behind the report, with checksums.
    lock_sha256 : str
        Of ``requirements.lock``.
    software : mapping
        Package → the version that computed the results.
    """
    found: list[Section | None] = [section(evidence) for section in SECTIONS]
    found += [
        methods_section(evidence.protocol, software, tuple(check_method_blocks(evidence))),
        study_record_section(evidence.study_record, evidence.labels),
        exclusions_section(evidence),
        other_panels_section(evidence),
    ]
    found.append(provenance_section(evidence, steps, lock_sha256))
    sections = [cite_exhibits(section) for section in found if section is not None]
    synthetic = evidence.study["synthetic"]
    return Document(
        title=evidence.study["title"],
        kind="Evaluation report",
        front=first_screen(evidence),
        sections=tuple(sections),
        synthetic=synthetic,
        record=study_facts(evidence),
        foot=study_foot(evidence.study),
    )


def study_facts(evidence: Evidence) -> tuple[tuple[str, Text], ...]:
    """Return the facts of the title page; those that the protocol leaves open are left out."""
    protocol = evidence.protocol
    years = measured_sentence(protocol)
    primary = [one["label"] for one in protocol["outcomes"].values() if one["primary"]]
    told: list[tuple[str, Text]] = [
        ("Design", design_sentence(protocol)),
        ("Assigned", study_sentence(evidence)),
        ("Groups", listed(list(evidence.arms.values()))),
        ("Primary outcomes", "; ".join(primary)),
        ("Measured", years),
        ("Registration", registration_sentence(protocol["registration"])),
        ("Funding", stated(protocol["study"]["funding"])),
        ("Conflicts of interest", stated(protocol["study"]["conflicts_of_interest"])),
        ("Protocol", f"SHA-256 `{evidence.study['protocol'][:12]}`"),
        ("Software", f"schooltrial {__version__}"),
    ]
    return tuple((what, value) for what, value in told if value)
