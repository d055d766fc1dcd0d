"""Link the standard tables into the analysed samples, and keep the ledger of who left."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.data.sample.build import SampleBuild
from schooltrial.data.tables.parquet import ParquetByYear, whole, write_csv, write_years
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.blinding import refuse_to_unblind
from schooltrial.protocol.sample_rules import CleaningSteps, SampleRules
from schooltrial.protocol.sections import Model, Outcome
from schooltrial.refusal import naming_files


def main(
    *,
    schools: str,
    assignment: str,
    pupils: str,
    scores: str,
    arms: Sequence[Mapping[str, Any]],
    outcomes: Mapping[str, Outcome],
    variables: Mapping[str, Any],
    keep: Mapping[str, Any],
    models: Mapping[str, Model],
    baseline: int,
    years: Sequence[int],
    sample: str,
    panel: str,
    ledger: str,
    flow: str,
    mobility: str,
    unit: str = "school",
    kind: str = "complete",
    before: Sequence[int] = (),
    take_up: str | None = None,
    cleaning: Mapping[str, Any] | None = None,
    teacher_sample: str | None = None,
    bounded: str | None = None,
    aggregates: str | None = None,
    links: str | None = None,
    blinded: Mapping[str, str] | None = None,
    sources: Mapping[str, str] | None = None,
    **others: str,
) -> None:
    """Write samples and panel (Parquet) and who left (CSV); ``others`` are further tables."""
    if blinded:
        refuse_to_unblind(**blinded)
    tables = {"pupils": ParquetByYear(pupils), "scores": ParquetByYear(scores)}
    small = {"schools": schools, "assignment": assignment, **others}
    rules = SampleRules(
        outcomes, arms, variables, keep, models, baseline, years, _secret([pupils, scores]), unit,
        kind, max(before, default=baseline), take_up, CleaningSteps.of(cleaning or {}),
    )  # fmt: skip
    with naming_files(sources or {}), whole(sample) as unfinished:
        build = SampleBuild(tables | {name: pd.read_parquet(p) for name, p in small.items()}, rules)
        write_years(build.years(), unfinished)
        accounts = build.accounts()
    accounts.panel.to_parquet(panel, index=False)
    write_csv(accounts.ledger, ledger)
    accounts.flow.to_csv(flow, index=False)
    accounts.mobility.to_csv(mobility, index=False)
    if teacher_sample and aggregates:
        accounts.teachers.to_parquet(teacher_sample, index=False)
        accounts.aggregates.to_csv(aggregates, index=False)
    if bounded:
        accounts.bounded.to_parquet(bounded, index=False)
    if links:
        write_years(build.links(), Path(links))


def _secret(files: Sequence[str]) -> str:
    """Return what those who hold the data can work out, and nobody else."""
    digest = hashlib.blake2b(b"key of the ledger")
    for file in files:
        with Path(file).open("rb") as handle:
            for part in iter(partial(handle.read, 1 << 20), b""):
                digest.update(part)
    return digest.hexdigest()


run_as_rule(main, globals())
