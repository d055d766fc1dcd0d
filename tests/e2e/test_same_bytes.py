"""Results are the same bytes, however the jobs of a run are run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.clone import Clone, contents


@pytest.mark.slow
def test_one_core_with_an_interpreter_a_job_two_with_forks_and_other_hash_seeds_give_the_same_bytes(
    built_results: Path, new_clone: Callable[[], Clone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One comparison for three claims: cores, forks and seeds of hashes make no difference."""
    monkeypatch.setenv("SCHOOLTRIAL_PLAIN", "1")
    monkeypatch.setenv("PYTHONHASHSEED", "20")
    other = new_clone()
    run = other.started(*other.named, cores=1)
    assert run.code == 0, run.text
    written = contents(other.results)
    assert written
    assert written == contents(built_results)
