"""Link the standard tables into the analysed samples, and keep the ledger of who left."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from schooltrial.data.files.file_names import KeySource
from schooltrial.data.linking.key_sources import Sources
from schooltrial.data.linking.raw_places import RawPlaces
from schooltrial.data.sample.build import SampleBuild
from schooltrial.data.tables.parquet import ParquetByYear, whole, write_csv, write_years
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.blinding import refuse_to_unblind
from schooltrial.protocol.content.sample_rules import SampleRules, SampleSections
from schooltrial.refusal import naming_files


def main(
    *,
    protocol: SampleSections,
    baseline: int,
    blinded: Mapping[str, str] | None,
    sources: Mapping[str, str],
    sample: str,
    teacher_sample: str,
    panel: str,
    bounded: str,
    school_sample: str,
    ledger: str,
    flow: str,
    mobility: str,
    aggregates: str,
    linking: str,
    left_out: str | None = None,
    key_sources: Mapping[str, Sequence[KeySource]] = MappingProxyType({}),
    raw: RawPlaces | None = None,
    links: str | None = None,
    **tables: str,
) -> None:
    """Write samples and panel (Parquet) and who left (CSV), from the standard ``tables``."""
    if blinded:
        refuse_to_unblind(**blinded)
    large = {name: ParquetByYear(tables[name]) for name in ("pupils", "scores")}
    small = {name: path for name, path in tables.items() if name not in large}
    secret = _secret([tables[name] for name in large])
    rules = SampleRules.of(protocol, baseline=baseline, secret=secret)
    with naming_files(sources), whole(sample) as unfinished:
        read = large | {name: pd.read_parquet(path) for name, path in small.items()}
        gone = None if left_out is None else pd.read_parquet(left_out)
        build = SampleBuild(read, rules, gone, Sources(key_sources, raw or RawPlaces()))
        write_years(build.years(), unfinished)
        accounts = build.accounts()
    accounts.panel.to_parquet(panel, index=False)
    accounts.teachers.to_parquet(teacher_sample, index=False)
    accounts.bounded.to_parquet(bounded, index=False)
    accounts.schools.to_parquet(school_sample, index=False)
    write_csv(accounts.ledger, ledger)
    for table, path in (
        (accounts.flow, flow),
        (accounts.mobility, mobility),
        (accounts.aggregates, aggregates),
        (accounts.linking, linking),
    ):
        table.to_csv(path, index=False)
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
