"""Write the report of a study: one HTML page that needs no other file."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rule_adapter import run_as_rule
from schooltrial.exhibits.table_style import number
from schooltrial.protocol import parse_yaml
from schooltrial.report.html_report import Exhibit, event_study, fill, headlines, sample_by_year


def main(
    *,
    template: str,
    captions: str,
    estimates: str,
    diagnostics: str,
    flow: str,
    assignment: str,
    cleaning_log: str,
    raw_files: str,
    figures: Sequence[str],
    tables: Sequence[str],
    protocol: Mapping[str, Any],
    study: Mapping[str, Any],
    provenance: Mapping[str, Mapping[str, Any]],
    report: str,
    study_file: str,
    **traced: str,
) -> None:
    """Gather exhibits with their provenance, and fill the template."""
    words = parse_yaml(Path(captions).read_text("utf-8"))
    contents = {Path(path).stem: _figure(path) for path in figures}
    contents |= {Path(path).stem: Path(path).read_text("utf-8") for path in tables}
    exhibits = [
        Exhibit(
            name=name,
            content=contents[name],
            rule=trace["rule"],
            script=trace["script"],
            inputs=tuple((path, _sha256([path])) for path in trace["inputs"]),
            code=_sha256(trace["code"]),
            **words[name],
        )
        for name, trace in provenance.items()
    ]
    rows = pd.read_csv(estimates)
    context = {
        "protocol": protocol,
        "study": study,
        "headlines": headlines(rows, protocol),
        "events": event_study(rows, protocol["outcomes"]).to_dict("records"),
        "flow": sample_by_year(pd.read_csv(flow)).to_dict("records"),
        "assignment": _texts(pd.read_csv(assignment, dtype={"block": str})),
        "cleaning": pd.read_csv(cleaning_log, keep_default_na=False).to_dict("records"),
        "raw_files": pd.read_csv(raw_files).to_dict("records"),
        "diagnostics": json.loads(Path(diagnostics).read_text("utf-8")),
        "estimates_sha256": _sha256([estimates]),
    }
    page = fill(Path(template).read_text("utf-8"), context, exhibits)
    Path(report).write_text(page, encoding="utf-8")
    Path(study_file).write_text(json.dumps(dict(study), indent=1) + "\n", encoding="utf-8")


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return every cell as a reader sees it."""
    shown = frame.copy()
    for column in shown.select_dtypes("float"):
        shown[column] = shown[column].map(lambda value: number(value, 2))
    return shown.astype("str")


def _figure(path: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(Path(path).read_bytes()).decode()


def _sha256(paths: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()


run_as_rule(main, globals())
