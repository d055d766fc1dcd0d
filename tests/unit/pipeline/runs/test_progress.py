"""Claims about what a run tells of how far it is."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from schooltrial.checkout import own_checkout
from schooltrial.pipeline.runs.progress import STAGES, Progress, stage_of_rules
from schooltrial.provenance.rule_files import read_rules

READ, FIT, REPORT = "Read the files", "Fit the models", "Write the report"
RULES = {"obtain_tables": READ, "fit_multilevel": FIT, "write_report": REPORT}


def _told(terminal: bool, *events: dict[str, Any]) -> str:
    seconds = iter(range(1000))
    out = StringIO()
    progress = Progress(RULES, out, terminal, clock=lambda: float(next(seconds)))
    jobs = {"obtain_tables": 1, "fit_multilevel": 2, "write_report": 1}
    for event in ({"event": "planned", "jobs": jobs}, *events):
        progress.told(event)
    return out.getvalue()


def _job(job: int, rule: str) -> list[dict[str, Any]]:
    return [{"event": "began", "job": job, "rule": rule}, {"event": "ended", "job": job}]


def test_every_rule_of_a_run_belongs_to_a_stage() -> None:
    stages = stage_of_rules(own_checkout())
    named = {rule.name for rule in read_rules(own_checkout()) if rule.script}
    assert named - set(stages) == set()
    assert set(stages.values()) == set(STAGES)


def test_in_a_file_a_stage_is_one_line_when_all_its_steps_are_done() -> None:
    told = _told(False, *_job(1, "obtain_tables"), *_job(2, "fit_multilevel"))
    assert [line.split("  ")[0] for line in told.splitlines()] == [READ]
    assert "1 of 1" in told
    told = _told(False, *_job(1, "fit_multilevel"), *_job(2, "fit_multilevel"))
    assert "2 of 2" in told
    assert "\x1b" not in told


def test_what_a_stage_has_done_is_counted_on_its_line_once_a_step_of_it_is_done() -> None:
    for terminal in (False, True):
        out = StringIO()
        progress = Progress(
            RULES, out, terminal, counted=lambda stage: f"42 of {stage}", columns=lambda: 100
        )  # fmt: skip
        progress.told({"event": "planned", "jobs": {"obtain_tables": 1, "write_report": 1}})
        assert "42 of" not in out.getvalue()
        for event in _job(1, "obtain_tables"):
            progress.told(event)
        assert f"42 of {READ}\n" in out.getvalue()
        assert f"42 of {REPORT}" not in out.getvalue()


def test_on_a_terminal_each_stage_has_a_bar_that_is_drawn_in_place() -> None:
    told = _told(
        True, *_job(1, "obtain_tables"), {"event": "began", "job": 2, "rule": "write_report"}
    )
    last = told.split("\x1b[4F")[-1]
    lines = last.replace("\x1b[2K", "").splitlines()
    assert [line.split("  ")[0] for line in lines[:3]] == [READ, FIT, REPORT]
    assert "████" in lines[0]
    assert "█" not in lines[1]
    assert lines[2].endswith("running")
    assert "left" in lines[3]


def test_a_stage_that_failed_says_so_and_the_log_of_its_step_is_kept() -> None:
    out = StringIO()
    progress = Progress(RULES, out, True)
    progress.told({"event": "planned", "jobs": {"fit_multilevel": 1}})
    progress.told({"event": "failed", "rule": "fit_multilevel", "logs": ["a.log"]})
    assert "failed" in out.getvalue()
    assert progress.logs == ["a.log"]


def test_a_stage_whose_last_event_was_lost_is_told_at_the_end() -> None:
    out = StringIO()
    progress = Progress(RULES, out, False)
    progress.told({"event": "planned", "jobs": {"obtain_tables": 1, "fit_multilevel": 1}})
    for event in _job(1, "obtain_tables"):
        progress.told(event)
    progress.told({"event": "began", "job": 2, "rule": "fit_multilevel"})
    progress.finish()
    assert [line.split("  ")[0] for line in out.getvalue().splitlines()] == [READ, FIT]


def test_a_file_that_changed_behind_the_workflow_is_named() -> None:
    out = StringIO()
    Progress(RULES, out, False).told({"event": "said", "text": "a.csv has changed"})
    assert out.getvalue() == "a.csv has changed\n"


def test_no_line_is_longer_than_a_narrow_terminal() -> None:
    out = StringIO()
    progress = Progress({"fit": "Fit the models"}, out, terminal=True, columns=lambda: 30)
    progress.told({"event": "planned", "jobs": {"fit": 12}})
    progress.told({"event": "began", "job": 1, "rule": "fit"})
    assert "█" not in out.getvalue()
    shown = re.sub(r"\x1b\[\d*[A-Z]", "", out.getvalue()).splitlines()
    assert max(map(len, shown)) == 29
