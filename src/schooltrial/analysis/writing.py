"""How what came of a model is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schooltrial.analysis.fitting import FittedModel

TEN_DIGITS = "%.10g"
"""How numbers stand in the table of estimates."""


def write_fit(fitted: FittedModel[Any], estimates: str, diagnostics: str) -> None:
    """Write rows of the estimates table (CSV) and diagnostics (JSON), to ten digits."""
    fitted.table.to_csv(estimates, index=False, float_format=TEN_DIGITS)
    told = json.dumps(fitted.diagnostics)
    rounded = json.loads(told, parse_float=lambda text: float(TEN_DIGITS % float(text)))
    Path(diagnostics).write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
