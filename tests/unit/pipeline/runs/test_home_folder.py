"""A run needs no home folder in which it could write."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from schooltrial.pipeline.runs.snakemake_run import CACHE, WorkflowRun


@pytest.mark.skipif(sys.platform == "win32", reason="a home folder is named in another way")
def test_the_cache_lies_in_the_working_folder_where_the_home_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = WorkflowRun(
        tmp_path, tmp_path / "t.yaml", tmp_path / "work", 1, tmp_path / "log.txt", [], {}
    )
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert run.environment()["XDG_CACHE_HOME"] == str(tmp_path / "work" / CACHE)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "XDG_CACHE_HOME" not in run.environment()
