"""Fill the report's template from checks, estimates and exhibits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import pandas as pd

from schooltrial.exhibits.style.table_text import interval, number, p_text
from schooltrial.report.exhibits import Exhibit


def flow_shown(flow: pd.DataFrame, years: Sequence[int]) -> pd.DataFrame:
    """Return the flow of the years that are analysed, and of those who were followed to them."""
    kept = flow["year"].isin(list(years)) | flow["step"].str.startswith("followed up")
    return flow[kept & (flow["entered"] > 0)]


def as_shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Return every cell as a reader sees it."""
    shown = frame.copy()
    for column in shown.select_dtypes("float"):
        shown[column] = shown[column].map(lambda value: number(value, 2))
    return shown.astype("str")


def fill(template: str, context: Mapping[str, Any], exhibits: Sequence[Exhibit]) -> str:
    """Return the page; a name that the template uses and nobody gives is an error."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, p=p_text)
    environment.globals.update(interval=interval)
    by_name = {exhibit.name: exhibit for exhibit in exhibits}
    return environment.from_string(template).render(**context, exhibits=by_name)
