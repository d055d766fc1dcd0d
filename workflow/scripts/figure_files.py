"""Write what a figure or table shows: in its formats, and as data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from exhibit_data import write_data
from schooltrial.exhibits.figure_style import rendered


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
