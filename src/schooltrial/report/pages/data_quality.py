"""The page on data quality: what was read, whoever is analysed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schooltrial.document.blocks import (
    Block,
    Bullets,
    Details,
    Document,
    Exhibit,
    Paragraph,
    Picture,
    Section,
)
from schooltrial.document.tables import study_foot
from schooltrial.protocol.content.sections import StudyLine
from schooltrial.report.quality import findings
from schooltrial.report.sections.provenance import steps_section
from schooltrial.report.tables.data import (
    aggregates_shown,
    cleaning_shown,
    codebook_shown,
    linking_shown,
    means_shown,
)


@dataclass(frozen=True)
class DataQuality:
    """What the checks of the tables found.

    Attributes
    ----------
    tables : mapping
        ``codebook``, ``means``, ``missing``, ``heaping``, ``aggregates``, ``linking``,
        ``cleaning`` and ``outliers``.
    pictures : mapping
        Figure → its picture.
    captions : mapping
        Exhibit → its words.
    labels : mapping
        Variable → its name in exhibits.
    in_schools : bool
        Whether the trial has schools.
    steps : sequence of mapping
        Steps behind the page, with checksums.
    """

    tables: Mapping[str, pd.DataFrame]
    pictures: Mapping[str, Picture]
    captions: Mapping[str, Mapping[str, str]]
    labels: Mapping[str, str]
    in_schools: bool
    steps: Sequence[Mapping[str, Any]] = ()

    def figure(self, name: str) -> Exhibit:
        """Return a figure with its words."""
        words = self.captions[name]
        return Exhibit(
            name, words["title"], self.pictures[name], words["caption"],
            data=f"figures/{name}.csv", source=f"draw_{name}",
        )  # fmt: skip


def data_quality_page(found: DataQuality, study: StudyLine) -> Document:
    """Return alerts, missing cells, distributions, schools, links, changes and codebook."""
    tables = found.tables
    alerts = findings(
        tables["missing"], tables["heaping"], tables["outliers"], tables["aggregates"],
        found.labels,
    )  # fmt: skip
    sections = [
        Section("findings", "Data quality alerts", (
            Bullets(tuple(alerts)) if alerts else Paragraph("Nothing is beyond the thresholds."),
        )),
        Section("missing", "Missing cells", (found.figure("missingness"),)),
        Section("distribution", "Distributions", (found.figure("distributions"),)),
        *(_of_schools(found) if found.in_schools else []),
        Section("linked", "Linked tables", _linked(found)),
        Section("changes", "Changes to raw files", _changes(tables["cleaning"])),
        Section("codebook", "Codebook", _codebook(found)),
        steps_section(found.steps, "data_quality"),
    ]  # fmt: skip
    about = (
        "This page describes the standard tables as the raw files fill them: all rows, analysed or "
        "not. The codebook has means by group, to check files by; their differences are not "
        "effects. "
        f"Thresholds are those of the protocol, SHA-256 `{study['protocol']}`."
    )
    return Document(
        study["title"], "Data quality", (Paragraph(about),), tuple(sections),
        synthetic=study["synthetic"], foot=study_foot(study),
    )  # fmt: skip


def _of_schools(found: DataQuality) -> list[Section]:
    outliers, aggregates = found.tables["outliers"], found.tables["aggregates"]
    means: Block = (
        found.figure("school_outliers")
        if len(outliers)
        else Paragraph("No outcome was read by school, so no school means are compared.")
    )
    published: Block = Paragraph("The protocol names no published means.")
    if len(aggregates):
        published = Exhibit(
            "aggregates", "Largest differences from published means", aggregates_shown(aggregates),
            "School means computed from pupils, compared with those that were published.",
            data="checks/aggregates.csv", source="clean_sample",
        )  # fmt: skip
    return [
        Section("outliers", "Schools", (means,)),
        Section("published", "Published means", (published,)),
    ]


def _linked(found: DataQuality) -> tuple[Block, ...]:
    shown = linking_shown(found.tables["linking"])
    if shown is None:
        return (Paragraph("No two tables share an identifier."),)
    schools = (
        " Rows of schools that were not assigned are not analysed." if found.in_schools else ""
    )
    return (
        Paragraph(
            "Identifiers that are not found are not attrition: the study is rejected where too few "
            f"are found, or where another spelling would find them.{schools}"
        ),
        Exhibit("linking", shown.title, shown, data="checks/linking.csv", source="clean_sample"),
    )


def _changes(log: pd.DataFrame) -> tuple[Block, ...]:
    if log.empty:
        return (Paragraph("No cell was changed and no row left out."),)
    shown = cleaning_shown(log)
    return (
        Exhibit(
            "cleaning", shown.title, shown, data="checks/cleaning_log.csv", source="obtain_tables"
        ),
    )


def _codebook(found: DataQuality) -> tuple[Block, ...]:
    means = found.tables["means"]
    arms = [arm for arm in means["arm"].unique() if isinstance(arm, str)]
    by_table = means_shown(means, arms)
    blocks: list[Block] = []
    for name, shown in codebook_shown(found.tables["codebook"]).items():
        blocks.append(Exhibit(
            f"codebook_{name}", shown.title, shown,
            data="checks/codebook.csv", source="describe_tables",
        ))  # fmt: skip
        if name in by_table:
            table = by_table[name]
            exhibit = Exhibit(
                f"means_{name}", table.title, table,
                data="checks/codebook_means.csv", source="describe_tables",
            )  # fmt: skip
            blocks.append(Details.of(exhibit))
    return tuple(blocks)
