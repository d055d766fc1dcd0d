"""Blind mode: before a day that the protocol states, no outcome is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from schooltrial.refusal import Fault, refuse

OUTCOME_TABLES = ("scores", "observations", "school_scores", "published_means")


def blinded_until(content: Mapping[str, Any], today: date) -> str:
    """Return the day until which the outcomes of a study are not read; empty where they may be.

    Parameters
    ----------
    content : mapping
        The protocol.
    today : datetime.date
        The day of the run; on the stated day itself outcomes are read.
    """
    until = str(content["blinding"]["until"])
    return until if until and today < date.fromisoformat(until) else ""


def refuse_while_blind(until: str) -> None:
    """Refuse to go on to outcomes where `blinded_until` gives a day."""
    if until:
        found = f"the outcomes of the study are blinded until {until}, so none was read"
        refuse([
            Fault(
                "the protocol", found, "a run on that day or later",
                "until then ask for the monitoring page: results/<study>/report/monitoring.html",
                column="blinding.until",
            )
        ])  # fmt: skip


def without_outcomes(
    tables: Mapping[str, Any], outcomes: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """Return the tables section without what would read an outcome.

    Whole tables of outcomes are left out, and of the others the columns of outcomes and those that
    an outcome is a ratio of.
    """
    hidden = set(outcomes)
    for outcome in outcomes.values():
        if outcome["made_from"]:
            hidden |= {outcome["made_from"]["numerator"], outcome["made_from"]["denominator"]}
    return {
        table: [
            {
                **reading,
                "columns": {k: v for k, v in reading["columns"].items() if k not in hidden},
                "outcomes": {},
            }
            for reading in readings
        ]
        for table, readings in tables.items()
        if table not in OUTCOME_TABLES
    }
