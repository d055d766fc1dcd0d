"""How far a run is: one line a stage, with a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from schooltrial.pipeline.runs.stage_counts import FIT, READ
from schooltrial.provenance.rule_files import read_rules

STAGES = {
    READ: ("obtain",),
    "Build the sample": ("clean",),
    "Check the data and the design": ("assignment", "quality", "check", "implementation"),
    FIT: ("fit", "fit_panel"),
    "Rate the evidence": ("evidence",),
    "Draw figures and tables": ("exhibit_checks", "exhibit"),
    "Write the report": ("report",),
}
"""Stage, in the order of a run → the files of its rules."""

BARS = ((90, 20), (72, 10))
"""Characters of a line, and of the bar in it; a shorter line has none."""

ELSEWHERE = {"record_plan": "Rate the evidence"}
"""Rules that run in another stage than the rules of their file."""

NAME = max(map(len, STAGES))


def stage_of_rules(project: Path) -> dict[str, str]:
    """Return rule → the stage of a run that it belongs to."""
    of_file = {file: stage for stage, files in STAGES.items() for file in files}
    rules = {rule.name: Path(rule.file).stem for rule in read_rules(project)}
    stages = {name: of_file[file] for name, file in rules.items() if file in of_file}
    return stages | ELSEWHERE


@dataclass
class Progress:
    """The stages of a run, reported as its jobs end.

    Attributes
    ----------
    stages : mapping
        Rule → stage.
    out : file
        Where it is told.
    terminal : bool
        Whether lines are drawn again in place; otherwise a line is written when a stage is done.
    clock : callable
        Seconds.
    counted : callable
        Takes a stage, gives what it has done so far in words; empty if there is nothing to count.
    unsaid : collection of str
        Sentences of the run that are not shown.
    columns : callable
        Characters of a line of the terminal; a longer one would be drawn again in the wrong place.
    """

    stages: Mapping[str, str]
    out: TextIO
    terminal: bool
    clock: Callable[[], float] = time.monotonic
    counted: Callable[[str], str] = lambda stage: ""
    unsaid: Collection[str] = ()
    columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns
    planned: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    logs: list[str] = field(default_factory=list)
    _running: dict[int, str] = field(default_factory=dict)
    _began: float = 0.0
    _lines: int = 0

    def told(self, event: Mapping[str, Any]) -> None:
        """Take in an event of the run, and tell what it changes."""
        match event["event"]:
            case "planned" if not self.planned:
                self._began = self.clock()
                for rule, count in event["jobs"].items():
                    if rule in self.stages:
                        self.planned[self.stages[rule]] += count
                self._draw()
            case "began" if event["rule"] in self.stages:
                self._running[event["job"]] = self.stages[event["rule"]]
                self._draw()
            case "ended" if event["job"] in self._running:
                stage = self._running.pop(event["job"])
                self.done[stage] += 1
                self._draw(stage)
            case "said" if event["text"] not in self.unsaid:
                self.out.write(f"{event['text']}\n")
                self._lines = 0  # stages are drawn again below it
            case "failed":
                self.failed[self.stages.get(event["rule"], "")] += 1
                self.logs += event["logs"]
                self._draw()
            case _:
                pass

    def finish(self) -> None:
        """Tell the stages of a run that ended well: its last events may be lost when it ends."""
        self._running.clear()
        for stage in STAGES:
            if self.done[stage] < self.planned[stage]:
                self.done[stage] = self.planned[stage]
                self._draw(stage)

    def _draw(self, ended: str = "") -> None:
        if self.terminal:
            lines = [self._line(stage) for stage in STAGES if self.planned[stage]]
            up = f"\x1b[{self._lines}F" if self._lines else ""
            most = max(self.columns() - 1, 1)
            drawn = [line[:most] for line in [*lines, self._left()]]
            self.out.write(up + "".join(f"\x1b[2K{line}\n" for line in drawn))
            self._lines = len(lines) + 1
        elif ended and self.done[ended] == self.planned[ended]:
            steps = f"{self.done[ended]} of {self.planned[ended]}"
            count = self.counted(ended)
            line = f"{ended:<{NAME}}  {steps:>8}  {self._seconds():.0f} s  {count}"
            self.out.write(f"{line.rstrip()}\n")
        self.out.flush()

    def _line(self, stage: str) -> str:
        planned, done = self.planned[stage], self.done[stage]
        width = next((bar for least, bar in BARS if self.columns() >= least), 0)
        full = width * done // planned
        bar = "█" * full + "·" * (width - full) + "  " * (width > 0)
        running = "running" if stage in self._running.values() else ""
        state = "failed" if self.failed[stage] else running
        count = self.counted(stage) if done else ""
        return f"{stage:<{NAME}}  {bar}{done:>3} of {planned:<3} {state:<8} {count}".rstrip()

    def _left(self) -> str:
        """Return how long it took, and about how long it will take by what is done."""
        done, planned, spent = self.done.total(), self.planned.total(), self._seconds()
        if done == planned:
            return f"{spent:.0f} s"
        if done < planned / 5 or self.failed.total():
            return f"{spent:.0f} s so far"
        return f"{spent:.0f} s so far, about {spent * (planned - done) / done:.0f} s left"

    def _seconds(self) -> float:
        return self.clock() - self._began
