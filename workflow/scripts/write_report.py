"""Write the report of a study as one HTML page and as PDF, and its tables and record."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schooltrial.document.formats.html import html_page
from schooltrial.document.formats.latex import latex_tables
from schooltrial.document.formats.markdown import markdown_tables
from schooltrial.document.formats.typst import pdf_bytes
from schooltrial.document.formats.word import word_tables
from schooltrial.document.numbered_tables import tables_in
from schooltrial.exhibits.writing import write_data
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.pipeline.steps import sha256, with_checksums
from schooltrial.protocol.content.sections import Content, Model, StudyLine
from schooltrial.report.evidence import read_evidence
from schooltrial.report.pages.evaluation_report import build_report
from schooltrial.report.pages.leader_summary import build_summary
from schooltrial.report.pages.overview import summarise_study
from schooltrial.report.study_record import record_text
from schooltrial.report.tables.steps import steps_data
from schooltrial.version import pinned_versions


def main(
    *,
    lock: str,
    claims: str,
    captions: str,
    estimates: str,
    diagnostics: str,
    checks: Sequence[str],
    figures: Sequence[str],
    protocol: Content,
    models_to_come: Mapping[str, Model],
    study: StudyLine,
    provenance: Sequence[Mapping[str, Any]],
    report: str,
    pdf: str,
    summary: str,
    summary_pdf: str,
    overview: str,
    record: str,
    steps: str,
    tables_tex: str,
    tables_docx: str,
    tables_md: str,
    **traced: Any,
) -> None:
    """Read what was found once, build each document once, and write it as HTML and as PDF."""
    evidence = read_evidence(
        protocol=protocol, study=study, estimates=estimates, diagnostics=diagnostics,
        checks=checks, figures=figures, captions=captions, models_to_come=models_to_come,
        claims=claims,
    )  # fmt: skip
    Path(record).write_text(record_text(evidence.study_record), "utf-8", newline="\n")
    traced_steps = [with_checksums(step) for step in provenance]
    write_data(steps_data(traced_steps), study, steps)
    software = pinned_versions(Path(lock).read_text("utf-8"))
    whole = build_report(evidence, traced_steps, sha256([lock]), software)
    short = build_summary(evidence)
    told = json.dumps(summarise_study(evidence), ensure_ascii=False, indent=1)
    Path(overview).write_text(told + "\n", "utf-8", newline="\n")
    for document, page, printed in ((whole, report, pdf), (short, summary, summary_pdf)):
        Path(page).write_text(html_page(document), "utf-8", newline="\n")
        Path(printed).write_bytes(pdf_bytes(document))
    tables = tables_in(whole)
    Path(tables_tex).write_text(latex_tables(tables, study), "utf-8", newline="\n")
    Path(tables_md).write_text(markdown_tables(tables, study), "utf-8", newline="\n")
    Path(tables_docx).write_bytes(word_tables(tables, study))


run_as_rule(main, globals())
