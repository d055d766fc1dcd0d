"""Results are the same bytes, however the jobs of a run are run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.clone import Clone, contents


@pytest.mark.slow
def test_one_core_with_an_interpreter_a_job_and_two_cores_with_forks_write_the_same_bytes(
    built_results: Path, new_clone: Callable[[], Clone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One comparison for both claims: the cores make no difference, and neither do the forks."""
    monkeypatch.setenv("SCHOOLTRIAL_PLAIN", "1")
    other = new_clone()
    run = other.started(*other.named, cores=1)
    assert run.code == 0, run.text
    written = contents(other.results)
    assert written
    assert written == contents(built_results)
