"""Write the report of a study: one HTML page that needs no other file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from provenance import sha256, with_checksums
from report_exhibits import read_exhibits
from rule_adapter import run_as_rule
from schooltrial.report.html_report import (
    as_shown,
    event_study,
    fill,
    flow_shown,
    headlines,
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
    flow: str,
    mobility: str,
    assignment: str,
    cleaning_log: str,
    raw_files: str,
    figures: Sequence[str],
    tables: Sequence[str],
    protocol: Mapping[str, Any],
    study: Mapping[str, Any],
    analysis_years: Sequence[int],
    provenance: Sequence[Mapping[str, Any]],
    report: str,
    study_file: str,
    **traced: Any,
) -> None:
    """Gather exhibits with their provenance, and fill the template."""
    exhibits = read_exhibits(captions, figures, tables)
    rows = pd.read_csv(estimates)
    context = {
        "protocol": protocol,
        "style": Path(style).read_text("utf-8"),
        "study": study,
        "headlines": headlines(rows, protocol),
        "events": event_study(rows, protocol["outcomes"]).to_dict("records"),
        "flow": flow_shown(pd.read_csv(flow), analysis_years).to_dict("records"),
        "mobility": pd.read_csv(mobility).to_dict("records"),
        "steps": [with_checksums(step) for step in provenance],
        "claims": Path(claims).read_text("utf-8").splitlines(),
        "analysis_years": analysis_years,
        "assignment": as_shown(pd.read_csv(assignment, dtype={"block": str})),
        "cleaning": pd.read_csv(cleaning_log, keep_default_na=False).to_dict("records"),
        "raw_files": pd.read_csv(raw_files).to_dict("records"),
        "diagnostics": json.loads(Path(diagnostics).read_text("utf-8")),
        "lock_sha256": sha256([lock]),
    }
    page = fill(Path(template).read_text("utf-8"), context, exhibits)
    Path(report).write_text(page, encoding="utf-8")
    primary = [name for name, outcome in protocol["outcomes"].items() if outcome["primary"]]
    told = {**study, "primary_outcomes": primary, "analysis_years": list(analysis_years)}
    Path(study_file).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


run_as_rule(main, globals())
