"""Compare the arms at baseline: schools, teachers and pupils, randomised and analysed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.checks.balance.adjusted_differences import Redrawing
from schooltrial.checks.balance.report import balance_report
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Model
from schooltrial.randomisation.criterion import NOT_BY_LOT, draw_criterion
from schooltrial.randomisation.frame import read_frame
from schooltrial.randomisation.record import read_record


def main(
    *,
    sample: str,
    settings: Mapping[str, Any],
    labels: Mapping[str, str],
    year: int,
    check: str,
    arms: Sequence[Mapping[str, str]] | None = None,
    models: Mapping[str, Model] | None = None,
    outcomes: Sequence[str] = (),
    before: Sequence[int] = (),
    assignment: str | None = None,
    schools: str | None = None,
    teachers: str | None = None,
    panel: str | None = None,
    design: Mapping[str, Any] | None = None,
    frame: str | None = None,
    record: str | None = None,
    drawn_from: Sequence[str] = (),
    thresholds: Mapping[str, Any] | None = None,
    seed: int = 0,
    omnibus: str | None = None,
    pretrends: str | None = None,
) -> None:
    """Write one row per variable and level; joint tests; baseline outcomes by year."""
    redrawing = Redrawing(draws=(thresholds or {}).get("redraws", 10_000), seed=seed)
    if design and assignment:
        known = draw_criterion(
            pd.read_parquet(assignment), design, read_frame(frame, design) if frame else None,
            read_record(Path(record).read_text("utf-8"), record) if record else None,
        )  # fmt: skip
        impossible = known.unusable if design.get("randomised", True) else NOT_BY_LOT
        redrawing = replace(redrawing, criterion=known.criterion, impossible=impossible)
    tables = {"assignment": assignment, "schools": schools, "teachers": teachers, "panel": panel}
    report = balance_report(
        pd.read_parquet(sample), settings, labels, year,
        arms=[arm["name"] for arm in arms] if arms else None,
        models=models or {}, outcomes=outcomes, before=before, redrawing=redrawing,
        unit=str(design["unit"]) if design else "school",
        **{name: pd.read_parquet(path) if path else None for name, path in tables.items()},
    )  # fmt: skip
    report.balance.to_csv(check, index=False, float_format="%.10g")
    for table, path in ((report.omnibus, omnibus), (report.pretrends, pretrends)):
        if path:
            table.to_csv(path, index=False, float_format="%.10g")


run_as_rule(main, globals())
