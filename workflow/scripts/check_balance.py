"""Compare the groups at baseline: schools, teachers and pupils, randomised and analysed."""

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.checks.balance.adjusted_differences import Redrawing
from schooltrial.checks.balance.equivalence import (
    EquivalenceSections,
    equivalence_table,
    with_baseline_measures,
)
from schooltrial.checks.balance.report import balance_report
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import (
    Checks,
    Study,
    TakeUp,
    baseline_year,
    modelled_arms,
)
from schooltrial.randomisation.criterion import NOT_BY_LOT, draw_criterion
from schooltrial.randomisation.frame import read_frame
from schooltrial.randomisation.record import open_record


class Sections(EquivalenceSections):
    """The sections that the check uses."""

    study: Study
    take_up: TakeUp
    checks: Checks


def main(
    *,
    protocol: Sections,
    labels: Mapping[str, str],
    assignment: str,
    sample: str,
    schools: str,
    teachers: str,
    panel: str,
    school_sample: str,
    check: str,
    omnibus: str,
    pretrends: str,
    equivalence: str,
    frame: str | None = None,
    record: str | None = None,
    drawn_from: Sequence[str] = (),
) -> None:
    """Write one row per variable and level; joint tests; outcomes by year; equivalence."""
    design = protocol["design"]
    listed = pd.read_parquet(assignment)
    known = draw_criterion(
        listed, design, read_frame(frame, design) if frame else None,
        open_record(record) if record else None,
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

    samples = {
        level: in_models(pd.read_parquet(path))
        for level, path in (("pupil", sample), ("teacher", teachers), ("school", school_sample))
    }
    described = pd.read_parquet(schools)
    settings = with_baseline_measures(protocol, described.columns)
    year = baseline_year(protocol)
    report = balance_report(
        samples["pupil"], settings, labels, year,
        arms=arms,
        models=protocol["models"], outcomes=list(protocol["outcomes"]),
        before=protocol["years"]["baseline"], redrawing=redrawing, unit=design["unit"],
        assignment=in_models(listed), schools=described,
        teachers=samples["teacher"], panel=in_models(pd.read_parquet(panel)),
        populations={name: part["population"] for name, part in protocol["outcomes"].items()},
        take_up=protocol["take_up"]["variable"],
        scored=[n for n, part in protocol["outcomes"].items() if part["baseline_year"] == year],
    )  # fmt: skip
    compared = equivalence_table(
        protocol, samples, labels, described.columns, take_up=protocol["take_up"]["variable"]
    )
    for table, path in (
        (report.balance, check),
        (report.omnibus, omnibus),
        (report.pretrends, pretrends),
        (compared, equivalence),
    ):
        table.to_csv(path, index=False, float_format="%.10g")


run_as_rule(main, globals())
