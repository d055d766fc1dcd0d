"""What is timed of obtain and clean, each in an interpreter of its own.

As a script: ``obtain_runs.py TASK RAW OUT`` or ``obtain_runs.py version PACKAGE``; the result is
one line of JSON. The peers need nothing of this project's environment.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schooltrial.protocol.content.sections import Content

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
ROOT = Path(__file__).resolve().parents[1]
SCHEMA = ROOT / "src" / "schooltrial" / "protocol" / "schema.yaml"
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "workflow" / "scripts")]

from benchmarks.fresh_process import _peak_gigabytes  # noqa: E402

PANDAS, OBTAIN, CLEAN = "read", "obtain", "obtain_clean"
Run = Callable[[Path, Path], Callable[[], int]]
"""From raw folder and output folder: what is to be timed; it returns the rows read or written."""


def _pandas(raw: Path, out: Path) -> Callable[[], int]:
    import pandas as pd

    return lambda: sum(len(pd.read_csv(file)) for file in sorted(raw.glob("pupils_*.csv")))


def _polars(raw: Path, out: Path) -> Callable[[], int]:
    import polars as pl

    def run() -> int:
        target = out / "pupils.parquet"
        pl.scan_csv(raw / "pupils_*.csv").sink_parquet(target)
        return int(pl.scan_parquet(target).select(pl.len()).collect().item())

    return run


def _duckdb(raw: Path, out: Path) -> Callable[[], int]:
    import duckdb

    def run() -> int:
        source, target = raw / "pupils_*.csv", out / "pupils.parquet"
        copy = f"COPY (SELECT * FROM read_csv('{source}')) TO '{target}' (FORMAT parquet)"
        found = duckdb.execute(copy).fetchone()
        return int(found[0]) if found else 0

    return run


def _obtain(raw: Path, out: Path) -> Callable[[], int]:
    import pyarrow.parquet as pq

    from obtain_tables import main
    from schooltrial.data.tables.keys import KEYS

    content = _protocol(raw)

    def run() -> int:
        main(
            raw_folder=str(raw),
            protocol=str(raw / "protocol.yaml"),
            tables=content["tables"],
            outcomes=content["outcomes"],
            years=content["years"],
            unit=content["design"]["unit"],
            cleaning=content["cleaning"],
            limits=content["limits"],
            elsewhere={},
            redraw=None,
            changes=str(out / "changes.parquet"),
            cleaning_log=str(out / "cleaning_log.csv"),
            left_out=str(out / "left_out.parquet"),
            raw_files=str(out / "raw_files.csv"),
            **{table: str(out / f"{table}.parquet") for table in KEYS},
        )
        return int(pq.read_metadata(out / "pupils.parquet").num_rows)

    return run


def _obtain_and_clean(raw: Path, out: Path) -> Callable[[], int]:
    from clean_sample import main
    from schooltrial.data.tables.keys import KEYS
    from schooltrial.protocol.content.sections import baseline_year

    obtain, content = _obtain(raw, out), _protocol(raw)
    tables = [table for table in KEYS if table not in ("implementation", "costs")]
    written = {
        "sample": "sample.parquet", "panel": "school_panel.parquet", "ledger": "ledger.csv",
        "flow": "flow.csv", "mobility": "mobility.csv", "aggregates": "aggregates.csv",
        "teacher_sample": "teacher_sample.parquet", "bounded": "bounded_cells.parquet",
        "school_sample": "school_sample.parquet", "linking": "linking.csv",
    }  # fmt: skip

    def run() -> int:
        rows = obtain()
        paths: dict[str, Any] = {table: str(out / f"{table}.parquet") for table in tables}
        main(
            **paths | {name: str(out / file) for name, file in written.items()},
            protocol=content,
            baseline=baseline_year(content),
            blinded=None,
            sources={},
        )
        return rows

    return run


def _protocol(raw: Path) -> Content:
    from schooltrial.protocol.form.strict_yaml import parse_yaml
    from schooltrial.protocol.reading import read_protocol

    schema = parse_yaml(SCHEMA.read_text("utf-8"))
    return read_protocol(raw / "protocol.yaml", schema).content


@dataclass(frozen=True)
class Timed:
    """Something to be timed: what it does, with which package, how, and whether it is a peer."""

    task: str
    package: str
    run: Run
    peer: bool = False


TIMED = {
    PANDAS: Timed("only reading", "pandas", _pandas),
    "polars": Timed("CSV to Parquet", "polars", _polars, peer=True),
    "duckdb": Timed("CSV to Parquet", "duckdb", _duckdb, peer=True),
    OBTAIN: Timed("obtain: standard tables, log, changes", "pyarrow", _obtain),
    CLEAN: Timed("obtain and clean", "pyarrow", _obtain_and_clean),
}


def measured(name: str, raw: Path, out: Path) -> dict[str, float]:
    """Run one task in this interpreter; modules are imported before the clock starts."""
    out.mkdir()
    run = TIMED[name].run(raw, out)
    began = time.perf_counter()
    rows = run()
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "megabytes": _peak_gigabytes() * 1000, "rows": rows}


def installed(package: str) -> str:
    """Return the version of a package in this interpreter; nothing where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "version":
        print(json.dumps(installed(rest[0])))
    else:
        print(json.dumps(measured(what, Path(rest[0]), Path(rest[1]))))
