"""Estimates by year, as the report shows them beside the figure of trends."""

from __future__ import annotations

import pandas as pd

from schooltrial.exhibits.style.html_table import Column, Table, tabulate
from schooltrial.exhibits.style.table_text import interval

EVENTS = [
    Column("model", key="model_label"),
    Column("outcome", key="label"),
    Column("term"),
    Column("estimate", "number"),
    Column("interval", "told"),
    Column("statistic", "number", 2),
    Column("p", "p", key="p_value"),
    Column("note"),
]


def events_shown(events: pd.DataFrame) -> Table:
    """Return the event study, and the test of the trend before."""
    bounds = zip(events["conf_low"], events["conf_high"], strict=True)
    told = events.assign(interval=[interval(low, high) for low, high in bounds])
    return tabulate("Event study", told, EVENTS)
