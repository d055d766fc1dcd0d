"""What the plan of a study is, whether it is recorded, and how many guesses are left in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from schooltrial.protocol.content.sections import Protocol
from schooltrial.study.layout import Layout
from schooltrial.wording import listed, plural, year_spans

GUESSED = re.compile(r"#\s*GUESS\b")
"""A remark of a proposed protocol that a reader has not confirmed."""


def plan_in_words(plan: Protocol) -> Iterator[str]:
    """Yield the primary outcome, its pre-test, the blocks and the years of a plan."""
    content = plan.content
    outcomes = content["outcomes"]
    yield "The plan:"
    for name, outcome in outcomes.items():
        if outcome["primary"]:
            before = list(outcome["baseline_measures"] or [])
            if not before and outcome["baseline_year"]:
                before = [f"the score of {outcome['baseline_year']}"]
            test = f"; pre-test: {listed(before)}" if before else "; no pre-test"
            yield f"  primary outcome: {outcome['label']} ({name}){test}"
    kind, label = content["design"]["kind"], content["design"]["block_label"]
    within = f", within {label}" if kind in ("blocked", "paired") else ""
    yield f"  design: {kind}{within}"
    yield f"  programme: {year_spans(content['years']['programme'])}"
    left = guesses_left(plan)
    if left:
        yield f"Warning: {left}"


def guesses_left(plan: Protocol) -> str:
    """Return a sentence on the guesses that nobody has confirmed; empty if there are none."""
    count = len(GUESSED.findall(plan.path.read_text("utf-8")))
    if not count:
        return ""
    return (
        f"{plural(count, 'line')} of {plan.path.name} {'says' if count == 1 else 'say'} GUESS: "
        "read each, correct it, and delete the remark"
    )


def is_recorded(plan: Protocol, folder: Path) -> bool:
    """Return whether outcomes were read by a run in a folder, with which the plan is recorded."""
    file = folder / Layout(Path("results") / plan.name).check("plan_first.json")
    return file.is_file() and bool(json.loads(file.read_text("utf-8")))
