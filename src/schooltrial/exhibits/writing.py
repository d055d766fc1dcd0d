"""Write the data that an exhibit shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from schooltrial.exhibits.style.figures import rendered


def write_data(data: pd.DataFrame, study: Mapping[str, Any], csv: str) -> None:
    """Write a frame with at most ten significant digits.

    Every row carries the SHA-256 of the protocol, and says so where the data are synthetic.
    """
    labelled = data.assign(protocol=study["protocol"])
    if study["synthetic"]:
        labelled["data"] = "synthetic"
    labelled.to_csv(csv, index=False, float_format="%.10g")


def write_figure(
    figure: Figure,
    data: pd.DataFrame,
    study: Mapping[str, Any],
    svg: str,
    pdf: str,
    png: str,
    csv: str,
) -> None:
    """Write SVG, PDF and PNG, and the drawn data."""
    files = rendered(figure)
    for path, kind in ((svg, "svg"), (pdf, "pdf"), (png, "png")):
        Path(path).write_bytes(files[kind])
    write_data(data, study, csv)
