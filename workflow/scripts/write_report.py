"""Write the report of a study: one HTML page that needs no other file."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from provenance import sha256, with_checksums
from rule_adapter import run_as_rule
from schooltrial.protocol import parse_yaml
from schooltrial.report.html_report import (
    Exhibit,
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
    words = parse_yaml(Path(captions).read_text("utf-8"))
    contents = {Path(path).stem: _figure(path) for path in figures}
    contents |= {Path(path).stem: Path(path).read_text("utf-8") for path in tables}
    verbs = {"figure": "draw", "table": "tabulate"}
    exhibits = [
        Exhibit(name=name, content=contents[name], rule=f"{verbs[said['kind']]}_{name}", **said)
        for name, said in words.items()
    ]
    rows = pd.read_csv(estimates)
    context = {
        "protocol": protocol,
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


def _figure(path: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(Path(path).read_bytes()).decode()


run_as_rule(main, globals())
