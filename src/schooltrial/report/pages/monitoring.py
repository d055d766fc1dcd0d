"""The monitoring page: enrolment and implementation, without any outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schooltrial.document.blocks import Block, Document, Exhibit, Paragraph, Picture, Section
from schooltrial.document.tables import study_foot
from schooltrial.protocol.content.sections import StudyLine
from schooltrial.report.sections.provenance import steps_section
from schooltrial.report.tables.data import held_back_shown, raw_files_shown
from schooltrial.report.tables.implementation import contrast_shown, fidelity_shown
from schooltrial.report.tables.participants import enrolment_shown, units_counted

WRITER = "write_monitoring"
"""The rule that counts units and enrolment, and writes the page."""


@dataclass(frozen=True)
class Monitored:
    """What is known of a study before its outcomes are read.

    Attributes
    ----------
    unit : str
        What was assigned.
    blocks : str
        What readers call several blocks.
    units : DataFrame
        Units and blocks of each group.
    enrolment : DataFrame
        Who is on the enrolment records; empty without any.
    raw_files : DataFrame
        Files received.
    blinded : str
        Date until which outcomes are embargoed; empty where they are not.
    held_back : DataFrame
        Files, or parts of them, that are not read until then.
    labels : mapping
        Group → its label.
    pictures : mapping
        Figures of the implementation.
    captions : mapping
        Exhibit → its words.
    fidelity, contrast : DataFrame or None
        Checks of the implementation.
    steps : sequence of mapping
        Steps behind the page, with checksums.
    """

    unit: str
    blocks: str
    units: pd.DataFrame
    enrolment: pd.DataFrame
    raw_files: pd.DataFrame
    blinded: str
    held_back: pd.DataFrame
    labels: Mapping[str, str]
    pictures: Mapping[str, Picture]
    captions: Mapping[str, Mapping[str, str]]
    fidelity: pd.DataFrame | None = None
    contrast: pd.DataFrame | None = None
    steps: Sequence[Mapping[str, Any]] = ()


def monitoring_page(found: Monitored, study: StudyLine) -> Document:
    """Return units assigned, enrolment, implementation and files received."""
    embargo = (
        f"Outcomes are embargoed until {found.blinded}: no outcome was read in this run."
        if found.blinded
        else "No outcome is shown on this page."
    )
    assigned = units_counted(found.units, found.unit, found.blocks)
    units = Exhibit(
        "assigned", assigned.title, assigned, data="checks/assigned_units.csv", source=WRITER
    )
    sections = [
        Section("units", "Units assigned", (units,)),
        Section("enrolment", "Enrolment", _enrolment(found.enrolment)),
        Section("implementation", "Implementation", _implementation(found)),
        Section("files", "Files received", _files(found)),
        steps_section(found.steps, "monitoring"),
    ]
    about = f"{embargo} Protocol SHA-256 `{study['protocol']}`."
    return Document(
        study["title"], "Monitoring", (Paragraph(about),), tuple(sections),
        synthetic=study["synthetic"], foot=study_foot(study),
    )  # fmt: skip


def _enrolment(counts: pd.DataFrame) -> tuple[Block, ...]:
    if counts.empty:
        return (Paragraph("The study has no enrolment records of pupils or teachers."),)
    shown = enrolment_shown(counts)
    words = "Who is enrolled, and who joined or left since the year before."
    return (
        Exhibit("enrolled", shown.title, shown, words, data="checks/enrolment.csv", source=WRITER),
    )


def _implementation(found: Monitored) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for name in ("fidelity", "dosage"):
        if name in found.pictures:
            words = found.captions[name]
            blocks.append(Exhibit(
                name, words["title"], found.pictures[name], words["caption"],
                data=f"figures/{name}.csv", source=f"draw_{name}",
            ))  # fmt: skip
    if found.fidelity is not None:
        shown = fidelity_shown(found.fidelity, found.labels)
        blocks.append(Exhibit(
            "fidelity_table", shown.title, shown,
            data="checks/fidelity.csv", source="check_fidelity",
        ))  # fmt: skip
    if found.contrast is not None:
        shown = contrast_shown(found.contrast, found.labels)
        blocks.append(Exhibit(
            "contrast", "Treatment contrast", shown,
            data="checks/contrast.csv", source="check_fidelity",
        ))  # fmt: skip
    if not blocks:
        blocks.append(Paragraph("Implementation was not recorded in the study’s files."))
    return tuple(blocks)


def _files(found: Monitored) -> tuple[Block, ...]:
    shown = raw_files_shown(found.raw_files)
    blocks: list[Block] = [
        Exhibit(
            "raw_files", shown.title, shown, data="checks/raw_files.csv", source="obtain_tables"
        )
    ]
    if len(found.held_back):
        held = held_back_shown(found.held_back)
        blocks.append(Exhibit(
            "held_back", f"Embargoed until {found.blinded}", held,
            data="checks/embargoed_files.csv", source=WRITER,
        ))  # fmt: skip
    return tuple(blocks)
