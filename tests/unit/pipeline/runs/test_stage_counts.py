"""Claims about what a run says that its stages have done."""

from __future__ import annotations

import json
from pathlib import Path

from schooltrial.pipeline.runs.progress import STAGES
from schooltrial.pipeline.runs.stage_counts import counted
from schooltrial.study.layout import Layout

DIAGNOSTICS = {
    "redrawn": {"maths": {"draws": 10_000}, "ela": {"draws": 0}},
    "bootstrap": {"maths": {"draws": 999}},
    "itt": {"maths": {"dropped": []}},
}


def test_rows_and_draws_are_counted_and_nothing_else(tmp_path: Path) -> None:
    paths = Layout(tmp_path)
    assert {counted(paths, stage) for stage in STAGES} == {""}
    paths.check("raw_files.csv").parent.mkdir(parents=True)
    paths.check("raw_files.csv").write_text("file,rows\na.csv,1200\nb.csv,34\n", "utf-8")
    paths.estimates_of("redrawn").parent.mkdir(parents=True)
    paths.estimates_of("redrawn").with_suffix(".draws.csv").write_text("low,high\n", "utf-8")
    for model, told in DIAGNOSTICS.items():
        paths.estimates_of(model, "json").write_text(json.dumps(told), "utf-8")
    said = {stage: counted(paths, stage) for stage in STAGES if counted(paths, stage)}
    assert said == {"Read the files": "1,234 rows read", "Fit the models": "10,999 draws made"}
