"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from e2e.clone import Clone, make_clone


@pytest.fixture(scope="session")
def new_clone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Clone]:
    """Return a function that makes a fresh copy of the project and the trial."""
    return lambda: make_clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="session")
def built(new_clone: Callable[[], Clone]) -> Clone:
    """Return a copy in which the whole workflow has run, on two cores."""
    clone = new_clone()
    run = clone.snakemake()
    assert run.code == 0, run.text
    return clone
