"""Compare the arms at baseline: schools, teachers and pupils, randomised and analysed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from schooltrial.checks.balance.adjusted_differences import Redrawing
from schooltrial.checks.balance.report import balance_report
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import (
    Checks,
    Compared,
    Design,
    Model,
    Outcome,
    Study,
    baseline_year,
    modelled_arms,
)
from schooltrial.randomisation.criterion import NOT_BY_LOT, draw_criterion
from schooltrial.randomisation.frame import read_frame
from schooltrial.randomisation.record import read_record


class Sections(Compared):
    """The sections that the check rests on."""

    study: Study
    design: Design
    outcomes: dict[str, Outcome]
    checks: Checks
    models: dict[str, Model]


def main(
    *,
    protocol: Sections,
    labels: Mapping[str, str],
    assignment: str,
    sample: str,
    schools: str,
    teachers: str,
    panel: str,
    check: str,
    omnibus: str,
    pretrends: str,
    frame: str | None = None,
    record: str | None = None,
    drawn_from: Sequence[str] = (),
) -> None:
    """Write one row per variable and level; joint tests; baseline outcomes by year."""
    design = protocol["design"]
    listed = pd.read_parquet(assignment)
    known = draw_criterion(
        listed, design, read_frame(frame, design) if frame else None,
        read_record(Path(record).read_text("utf-8"), record) if record else None,
    )  # fmt: skip
    redrawing = Redrawing(
        draws=protocol["checks"]["replications"],
        seed=protocol["study"]["seed"],
        criterion=known.criterion,
        impossible=known.unusable if design["randomised"] else NOT_BY_LOT,
    )
    n_arms = len(design["arms"])
    arms = [arm["name"] for arm in modelled_arms(design)]

    def in_models(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[rows["arm"].astype("str").isin(arms)] if len(arms) < n_arms else rows

    report = balance_report(
        in_models(pd.read_parquet(sample)), protocol["balance"], labels, baseline_year(protocol),
        arms=arms,
        models=protocol["models"], outcomes=list(protocol["outcomes"]),
        before=protocol["years"]["baseline"], redrawing=redrawing, unit=design["unit"],
        assignment=in_models(listed), schools=pd.read_parquet(schools),
        teachers=in_models(pd.read_parquet(teachers)), panel=in_models(pd.read_parquet(panel)),
        populations={name: part["population"] for name, part in protocol["outcomes"].items()},
    )  # fmt: skip
    for table, path in (
        (report.balance, check),
        (report.omnibus, omnibus),
        (report.pretrends, pretrends),
    ):
        table.to_csv(path, index=False, float_format="%.10g")


run_as_rule(main, globals())
