"""Events of a run: what Snakemake's plugin writes, and the command reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MARK = "\x1e"
"""Begins the line of an event: ASCII's record separator, which no message holds."""


def event_of(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the command needs of a record of Snakemake's log; None if it needs nothing."""
    match record.get("event"):
        case "run_info":
            jobs = {name: count for name, count in record["stats"].items() if name != "total"}
            return {"event": "planned", "jobs": jobs}
        case "job_info":
            return {"event": "began", "job": record["jobid"], "rule": record["rule_name"]}
        case "job_finished":
            return {"event": "ended", "job": record["job_id"]}
        case "job_error":
            logs = [str(log) for log in record.get("log") or []]
            return {"event": "failed", "rule": record["rule_name"], "logs": logs}
        case _:
            return None
