"""Write the report of a study: one HTML page that needs no other file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.exhibits.catalogue import lacking
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.pipeline.steps import sha256, with_checksums
from schooltrial.protocol.levels import DesignLevels
from schooltrial.protocol.sections import Content, Model, StudyLine, analysis_years, labels
from schooltrial.report.checks import read_checks
from schooltrial.report.exhibits import read_exhibits
from schooltrial.report.headlines import summarise_findings
from schooltrial.report.page import fill
from schooltrial.report.persistence import persistence_shown, persistence_told
from schooltrial.report.tables.assignment import units_told
from schooltrial.report.tables.comparison_schools import weighted_schools_shown
from schooltrial.report.tables.panel import base_sentences, cohorts_sentence, panels_shown
from schooltrial.report.tables.steps import steps_shown
from schooltrial.report.wording import (
    analysed_sentences,
    design_sentence,
    mobility_sentence,
    registration_sentence,
    to_come_sentence,
)


def main(
    *,
    lock: str,
    claims: str,
    template: str,
    style: str,
    captions: str,
    estimates: str,
    diagnostics: str,
    checks: Sequence[str],
    figures: Sequence[str],
    tables: Sequence[str],
    panel_figures: Sequence[str],
    protocol: Content,
    models_to_come: Mapping[str, Model],
    study: StudyLine,
    provenance: Sequence[Mapping[str, Any]],
    report: str,
    **traced: Any,
) -> None:
    """Gather exhibits with their provenance, and fill the template."""
    in_schools = DesignLevels.of(protocol["design"]).in_schools
    staggered = protocol["design"]["kind"] == "staggered"
    drawn = {Path(path).stem: pd.read_csv(path) for path in panel_figures}
    exhibits = read_exhibits(
        captions, figures, tables, in_schools=in_schools, staggered=staggered,
        more={"event_study": base_sentences(drawn.get("event_study", pd.DataFrame()))},
    )  # fmt: skip
    rows = pd.read_csv(estimates)
    arms = {arm["name"]: arm["label"] for arm in protocol["design"]["arms"]}
    registered = protocol["registration"]["plan_sha256"]
    years, year_label = analysis_years(protocol), protocol["years"]["label"]
    told = read_checks(checks, years, labels(protocol), registered, arms, year_label)
    told_by_fits = json.loads(Path(diagnostics).read_text("utf-8"))
    context = {
        "protocol": protocol,
        "style": Path(style).read_text("utf-8"),
        "study": study,
        "headlines": summarise_findings(rows, protocol),
        "panels": panels_shown(
            rows, protocol["outcomes"], protocol["models"], labels(protocol), told_by_fits
        ),
        "lasting": persistence_told(rows, protocol),
        "persistence": persistence_shown(rows, protocol["outcomes"], protocol["models"]),
        "lacking": lacking(protocol),
        "in_schools": in_schools,
        "staggered": staggered,
        "to_come": to_come_sentence(protocol, models_to_come),
        "design_sentence": design_sentence(protocol),
        "cohorts_told": cohorts_sentence(drawn.get("cohorts", pd.DataFrame())),
        "registration": registration_sentence(protocol["registration"]),
        "mobility_sentence": mobility_sentence(protocol),
        "analysed": analysed_sentences(protocol, labels(protocol)),
        **told,
        "units_told": units_told(told["assignment_verdict"], protocol["design"]["unit"]),
        "steps": steps_shown([with_checksums(step) for step in provenance]),
        "claims": Path(claims).read_text("utf-8").splitlines(),
        "analysis_years": years,
        "diagnostics": told_by_fits,
        "weighted_schools": weighted_schools_shown(told_by_fits, labels(protocol)),
        "lock_sha256": sha256([lock]),
    }
    page = fill(Path(template).read_text("utf-8"), context, exhibits)
    Path(report).write_text(page, encoding="utf-8")


run_as_rule(main, globals())
