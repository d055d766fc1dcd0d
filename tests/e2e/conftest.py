"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.clone import Clone, clone_in, make_clone, make_linked


@pytest.fixture(scope="session")
def new_clone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Clone]:
    """Return a function that links the project anew and writes the trial, without any results."""
    return lambda: make_linked(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the workers of one session have in common."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "built"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def _alone(shared: Path) -> Iterator[Clone]:
    """Hold the copy in which the whole workflow has run; whoever comes first lets it run.

    Others wait until it is let go. What was written is also kept aside, as tests change the copy.
    """
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = shared / "told.txt"
        if not told.is_file():
            clone = make_clone(shared)
            run = clone.started(*clone.named)
            if run.code == 0:
                shutil.copytree(clone.results, shared / "results")
            told.write_text(run.text, encoding="utf-8")
        assert (shared / "results").is_dir(), told.read_text("utf-8")
        yield clone_in(shared)


@pytest.fixture
def built(shared: Path) -> Iterator[Clone]:
    """Return a copy in which the whole workflow has run, on two cores; no other test has it now."""
    with _alone(shared) as clone:
        yield clone


@pytest.fixture(scope="session")
def built_results(shared: Path) -> Path:
    """Return the results of that run as they were at its end, to be read only."""
    with _alone(shared):
        return shared / "results"


@pytest.fixture(scope="session")
def built_text(shared: Path) -> str:
    """Return what that run printed."""
    with _alone(shared):
        return (shared / "told.txt").read_text("utf-8")
