"""Stack the rows of all models into the long table of estimates."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.plan import PlanToRecord


def main(
    *,
    tables: str | Sequence[str],
    diagnoses: str | Sequence[str],
    names: Sequence[str],
    estimates: str,
    diagnostics: str,
    plan_first: str,
    to_record: PlanToRecord,
) -> None:
    """Write estimates.csv and the diagnostics of every model."""
    to_record.keep()  # models of an earlier run may be there whose record was deleted
    paths = [tables] if isinstance(tables, str) else list(tables)
    parts = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths]
    pd.concat(parts, ignore_index=True).to_csv(estimates, index=False)
    files = [diagnoses] if isinstance(diagnoses, str) else list(diagnoses)
    gathered = {
        name: json.loads(Path(path).read_text("utf-8"))
        for name, path in zip(names, files, strict=True)
    }
    Path(diagnostics).write_text(json.dumps(gathered, indent=1) + "\n", encoding="utf-8")


run_as_rule(main, globals())
