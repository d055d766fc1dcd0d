"""The steps behind a page: what each ran, read and wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schooltrial.document.blocks import Exhibit, Paragraph, Section
from schooltrial.report.tables.steps import steps_shown


def steps_exhibit(steps: Sequence[Mapping[str, Any]], page: str) -> Exhibit:
    """Return the steps as a table, to whose rows the exhibits of a page link.

    Parameters
    ----------
    steps : sequence of mapping
        As `pipeline.steps.with_checksums` returns each; that of the page last.
    page : str
        Name of the page, by which the file of the steps and the rule that writes both are called.
    """
    return Exhibit(
        "steps", "Steps from raw files to exhibits", steps_shown(steps),
        data=f"report/{page}_steps.csv", source=f"write_{page}",
        subject="the steps from raw files to exhibits",
    )  # fmt: skip


def steps_section(steps: Sequence[Mapping[str, Any]], page: str) -> Section:
    """Return the last section of a page other than the report: its steps."""
    words = (
        "Each step read what the steps before it wrote, back to the raw files; the code of a step "
        "is its script and all modules of the project that it imports."
    )
    return Section("provenance", "Provenance", (Paragraph(words), steps_exhibit(steps, page)))
