"""A small study, built once without any disturbance, for comparison."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass

import pytest

from e2e.clone import Clone, contents, make_clone


@dataclass(frozen=True)
class Reference:
    """What an undisturbed run writes, and how many seconds it takes."""

    clone: Clone
    files: dict[str, str]
    seconds: float

    def start_afresh(self) -> None:
        """Remove all results, and all that Snakemake knows of them."""
        for folder in (self.clone.results, self.clone.project / ".snakemake"):
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    clone = make_clone(tmp_path_factory.mktemp("resilience"))
    began = time.monotonic()
    run = clone.started(*clone.named)
    assert run.code == 0, run.text
    return Reference(clone, contents(clone.results), time.monotonic() - began)
