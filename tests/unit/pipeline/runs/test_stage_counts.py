"""Claims about what a run says that its stages have done."""

from __future__ import annotations

from pathlib import Path

from schooltrial.pipeline.runs.progress import STAGES
from schooltrial.pipeline.runs.stage_counts import counted
from schooltrial.study.layout import Layout

ESTIMATES = """\
outcome,subgroup,term,method
maths,all,treated,"randomisation inference, studentised, 10,000 draws"
maths,all,other,"randomisation inference, studentised, 10,000 draws"
ela,all,treated,"wild cluster bootstrap, rademacher, 999 draws"
ela,girls,treated,"two-level REML"
"""


def test_rows_and_draws_are_counted_and_nothing_else(tmp_path: Path) -> None:
    paths = Layout(tmp_path)
    assert {counted(paths, stage) for stage in STAGES} == {""}
    paths.check("raw_files.csv").parent.mkdir(parents=True)
    paths.check("raw_files.csv").write_text("file,rows\na.csv,1200\nb.csv,34\n", "utf-8")
    paths.estimates_of("redrawn").parent.mkdir(parents=True)
    paths.estimates_of("redrawn").write_text(ESTIMATES, "utf-8")
    said = {stage: counted(paths, stage) for stage in STAGES if counted(paths, stage)}
    assert said == {"Read the files": "1,234 rows read", "Fit the models": "10,999 draws made"}
