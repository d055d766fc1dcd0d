"""Write the data that an exhibit shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd


def write_data(data: pd.DataFrame, study: Mapping[str, Any], csv: str) -> None:
    """Write a frame with at most ten significant digits.

    Every row carries the SHA-256 of the protocol, and says so where the data are synthetic.
    """
    labelled = data.assign(protocol=study["protocol"])
    if study["synthetic"]:
        labelled["data"] = "synthetic"
    labelled.to_csv(csv, index=False, float_format="%.10g")
