"""Claims about the events of a run that Snakemake's plugin tells."""

from __future__ import annotations

import json
from logging import LogRecord
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from schooltrial.pipeline.runs.event_handler import LogHandler
from schooltrial.pipeline.runs.events import MARK, event_of


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"event": LogEvent.RUN_INFO, "stats": {"a": 2, "total": 2}},
         {"event": "planned", "jobs": {"a": 2}}),
        ({"event": LogEvent.JOB_INFO, "jobid": 3, "rule_name": "a"},
         {"event": "began", "job": 3, "rule": "a"}),
        ({"event": LogEvent.JOB_FINISHED, "job_id": 3}, {"event": "ended", "job": 3}),
        ({"event": LogEvent.JOB_ERROR, "rule_name": "a", "log": ["a.log"]},
         {"event": "failed", "rule": "a", "logs": ["a.log"]}),
        ({"event": LogEvent.PROGRESS, "done": 1, "total": 2}, None),
        ({"msg": "Select jobs to execute..."}, None),
    ],
)  # fmt: skip
def test_an_event_has_what_the_command_needs(
    record: dict[str, Any], told: dict[str, Any] | None
) -> None:
    assert event_of(record) == told


def test_an_event_is_one_marked_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "elsewhere")  # this process outlives its parent
    handler = LogHandler(SimpleNamespace(), None)  # type: ignore[arg-type]
    record = LogRecord("snakemake", 20, "", 0, "Finished", None, None)
    vars(record).update(event=LogEvent.JOB_FINISHED, job_id=1)
    handler.emit(record)
    told = capsys.readouterr().out
    assert told.startswith(MARK)
    assert json.loads(told[1:]) == {"event": "ended", "job": 1}
