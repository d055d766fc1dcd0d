"""A model other than those of the small trial, fitted to its sample by a rule's own script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.protocol.plan import PlanToRecord
from support.small_trial import SmallTrial


def fit_rule(
    main: Callable[..., None], trial: SmallTrial, folder: Path, model: dict[str, Any], **inputs: Any
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Run the script on the trial's planned model, changed; return estimates and diagnostics."""
    content = trial.read().content
    estimates, diagnostics = folder / "estimates.csv", folder / "diagnostics.json"
    wanted: dict[str, Any] = {
        "sample": trial.path("sample.parquet"), "study": "small", "name": "tried",
        "model": {**content["models"]["itt"], **model}, "outcomes": content["outcomes"],
        "to_record": PlanToRecord(str(folder / "plan_first.json"), {}),
        "estimates": str(estimates), "diagnostics": str(diagnostics),
    }  # fmt: skip
    main(**{**wanted, **inputs})
    return pd.read_csv(estimates), json.loads(diagnostics.read_text("utf-8"))
