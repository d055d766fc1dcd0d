"""Claims about what is said at the end of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schooltrial.pipeline.runs.run_end import allocation_doubts
from schooltrial.study.layout import Layout

REASONS = [
    "baseline: Mahalanobis 14.5 of 1 variables, expected 1 (all variables together)",
    "baseline of Reading: programme +1.56 SD from control",
]


def _said(folder: Path, verdict: str) -> list[str]:
    paths = Layout(folder)
    file = paths.check("assignment_verdict.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"verdict": verdict, "reasons": REASONS}), "utf-8")
    return list(allocation_doubts(paths))


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("in doubt", "may not have been formed at random"),
        ("contradicted", "is not what the plan or the randomisation record says"),
    ],
)
def test_a_doubtful_allocation_is_said_in_words_with_the_plainest_reason(
    tmp_path: Path, verdict: str, words: str
) -> None:
    (said,) = _said(tmp_path, verdict)
    assert words in said
    assert "programme +1.56 SD from control" in said
    assert "Mahalanobis" not in said


@pytest.mark.parametrize("verdict", ["consistent with the planned randomisation", "not randomised"])
def test_nothing_is_said_of_an_allocation_that_nothing_casts_doubt_on(
    tmp_path: Path, verdict: str
) -> None:
    assert _said(tmp_path, verdict) == []


def test_nothing_is_said_of_a_rehearsal_or_before_the_check(tmp_path: Path) -> None:
    assert _said(tmp_path / "trial_rehearsal", "in doubt") == []
    assert list(allocation_doubts(Layout(tmp_path / "other"))) == []
