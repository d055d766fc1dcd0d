"""Write the data that an exhibit shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd


def write_data(data: pd.DataFrame, study: Mapping[str, Any], csv: str) -> None:
    """Write a frame with at most ten significant digits; synthetic data say so in every row."""
    labelled = data.copy()
    if study["synthetic"]:
        labelled["data"] = "synthetic"
    labelled.to_csv(csv, index=False, float_format="%.10g")
