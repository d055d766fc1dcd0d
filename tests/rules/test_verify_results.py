"""The rule that tests the results: every claim is told, and one that fails stops the study."""

from __future__ import annotations

from pathlib import Path

import pytest

import verify_results
from schooltrial.refusal import Refusal

HOLDS = """
import os
def test_the_results_are_where_the_rule_says():
    assert os.path.basename(os.environ["SCHOOLTRIAL_RESULTS"]) == "built"
"""
FAILS = """
def test_two_and_two_are_five():
    assert 2 + 2 == 5, "they are four"
"""


def _verify(folder: Path, monkeypatch: pytest.MonkeyPatch, tests: str) -> list[str]:
    for name in ("SCHOOLTRIAL_RESULTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_ADDOPTS"):
        monkeypatch.setenv(name, "")  # as they were, after
    claims = folder / "claimed"
    claims.mkdir()
    name = f"test_claims_of_{folder.name}.py"  # a module is imported once
    (claims / name).write_text(tests, encoding="utf-8")
    monkeypatch.setattr(verify_results, "TESTS", str(claims))
    told = folder / "told.txt"
    verify_results.main(results=str(folder / "built"), claims=str(told))
    return told.read_text("utf-8").splitlines()


def test_each_claim_that_holds_is_a_line_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = _verify(tmp_path, monkeypatch, HOLDS)
    assert lines == ["passed   the results are where the rule says"]


def test_a_claim_that_does_not_hold_is_refused_by_name_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refusal, match="two and two are five") as caught:
        _verify(tmp_path, monkeypatch, HOLDS + FAILS)
    assert len(caught.value.faults) == 1
    assert not (tmp_path / "told.txt").exists()


def test_no_claim_at_all_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="pytest ended with code"):
        _verify(tmp_path, monkeypatch, "")
    assert not (tmp_path / "told.txt").exists()
