"""Write the page on data quality, which needs no other file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schooltrial.checks.written_tables import read_check
from schooltrial.document.formats.html import html_page
from schooltrial.exhibits.writing import write_data
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.pipeline.steps import with_checksums
from schooltrial.protocol.content.levels import DesignLevels
from schooltrial.protocol.content.sections import Design, StudyLine
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.report.pages.data_quality import DataQuality, data_quality_page
from schooltrial.report.pictures import read_pictures
from schooltrial.report.tables.steps import steps_data


def main(
    *,
    captions: str,
    codebook: str,
    means: str,
    missing: str,
    heaping: str,
    outliers: str,
    aggregates: str,
    linking: str,
    cleaning_log: str,
    figures: Sequence[str],
    labels: Mapping[str, str],
    design: Design,
    study: StudyLine,
    provenance: Sequence[Mapping[str, Any]],
    page: str,
    steps: str,
    **traced: Any,
) -> None:
    """Read the checks of the tables and the figures, and write the page."""
    tables = {
        name: read_check(path, keep_default_na=name not in ("codebook", "cleaning"))
        for name, path in (("codebook", codebook), ("means", means), ("missing", missing),
                           ("heaping", heaping), ("aggregates", aggregates), ("linking", linking),
                           ("cleaning", cleaning_log), ("outliers", outliers))
    }  # fmt: skip
    words = parse_yaml(Path(captions).read_text("utf-8"))
    in_schools = DesignLevels.of(design).in_schools
    traced_steps = [with_checksums(step) for step in provenance]
    write_data(steps_data(traced_steps), study, steps)
    found = DataQuality(tables, read_pictures(figures), words, labels, in_schools, traced_steps)
    html = html_page(data_quality_page(found, study))
    Path(page).write_text(html, "utf-8", newline="\n")


run_as_rule(main, globals())
