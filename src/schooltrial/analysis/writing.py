"""How what came of a model is written."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from schooltrial.analysis.fitting import FittedModel
from schooltrial.protocol.plan import PlanToRecord

TEN_DIGITS = "%.10g"
"""How numbers stand in the table of estimates."""


def write_fit(
    fitted: FittedModel[Any], to_record: PlanToRecord, estimates: str, diagnostics: str
) -> None:
    """Record the plan, then write rows of the estimates table (CSV) and diagnostics (JSON).

    Numbers have ten digits. The plan comes first: no estimate may be seen without it.
    """
    to_record.keep()
    fitted.table.to_csv(estimates, index=False, float_format=TEN_DIGITS)
    told = json.dumps(_known(fitted.diagnostics), allow_nan=False)
    rounded = json.loads(told, parse_float=lambda text: float(TEN_DIGITS % float(text)))
    Path(diagnostics).write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def _known(value: Any) -> Any:
    """Return diagnostics with null for numbers that there are none of; JSON has no other word."""
    if isinstance(value, dict):
        return {key: _known(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_known(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
