"""Write what a fit found, and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd


def write_fit(
    found: pd.DataFrame, told: Mapping[str, Any], estimates: str, diagnostics: str
) -> None:
    """Write rows of the estimates table (CSV) and diagnostics (JSON), to ten digits."""
    found.to_csv(estimates, index=False, float_format="%.10g")
    rounded = json.loads(json.dumps(told), parse_float=lambda text: float(f"{float(text):.10g}"))
    Path(diagnostics).write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
