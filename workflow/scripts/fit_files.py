"""Fit a model to the sample in a file, and write what it found and says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.analysis.fit_outcomes import Fit, fit_outcomes
from schooltrial.protocol import Model, Outcome


def write_fit(
    found: pd.DataFrame, told: Mapping[str, Any], estimates: str, diagnostics: str
) -> None:
    """Write rows of the estimates table (CSV) and diagnostics (JSON), to ten digits."""
    found.to_csv(estimates, index=False, float_format="%.10g")
    rounded = json.loads(json.dumps(told), parse_float=lambda text: float(f"{float(text):.10g}"))
    Path(diagnostics).write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def fit_sample(
    fit: Fit,
    *,
    sample: str,
    study: str,
    name: str,
    model: Model,
    outcomes: Mapping[str, Outcome],
    estimates: str,
    diagnostics: str,
    estimands: Mapping[str, str] | None = None,
) -> None:
    """Fit one model to each of its outcomes in the analysed sample, and write both files."""
    pupils = pd.read_parquet(sample)
    found, told = fit_outcomes(
        pupils, study=study, name=name, model=model, outcomes=outcomes, fit=fit,
        estimands=estimands,
    )  # fmt: skip
    write_fit(found, told, estimates, diagnostics)
