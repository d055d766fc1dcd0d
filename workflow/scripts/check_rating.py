"""Rate the evidence by two standards, and write the study's record."""

import json
from collections.abc import Mapping
from math import isinf, isnan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.checks.rating.study_record import build_study_record
from schooltrial.checks.written_tables import read_check
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Content, baseline_year


def main(
    *,
    attrition: str,
    balance: str,
    equivalence: str,
    power: str,
    assignment: str,
    boxes: str,
    estimates: str,
    diagnostics: str,
    protocol: Content,
    units: str,
    mobility: str,
    codebook: str,
    verdict: str,
    contrast: str | None = None,
) -> None:
    """Write the record as JSON, to ten digits; what is not known is null, infinite a word."""
    checks = {
        "attrition": read_check(attrition),
        "balance": read_check(balance),
        "equivalence": read_check(equivalence),
        "power": read_check(power),
        "assignment": json.loads(Path(assignment).read_text("utf-8")),
        "take_up": read_check(units),
        "mobility": read_check(mobility),
        "contrast": read_check(contrast) if contrast else None,
    }
    record = build_study_record(
        protocol, checks, read_check(boxes, keep_default_na=False), pd.read_csv(estimates),
        json.loads(Path(diagnostics).read_text("utf-8")), pd.read_csv(codebook, dtype="str"),
        baseline_year(protocol),
    )  # fmt: skip
    Path(verdict).write_text(as_json(record) + "\n", encoding="utf-8")


def as_json(record: Mapping[str, Any]) -> str:
    """Return the record as JSON: what is not known is null, what is infinite a word."""
    return json.dumps(_known(record), indent=1, ensure_ascii=False, allow_nan=False)


def _known(value: Any) -> Any:
    """Return a value that JSON can hold: NaN as null, infinity as a word, ten digits."""
    if isinstance(value, Mapping):
        return {str(key): _known(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and isinf(value):
        return "infinite" if value > 0 else "-infinite"
    if isinstance(value, float):
        return None if isnan(value) else float(f"{value:.10g}")
    return value


run_as_rule(main, globals())
