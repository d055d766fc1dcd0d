"""Jobs start the interpreter of the run, wherever it lies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schooltrial.pipeline.interpreter import start_by_name, use_library


def test_an_interpreter_in_a_folder_with_spaces_is_started_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "a folder" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho it was me\n", encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    start_by_name()
    told = subprocess.run(f"{sys.executable} x.py", shell=True, capture_output=True, text=True)
    assert told.stdout == "it was me\n"


def test_any_other_interpreter_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/opt/env/bin/python")
    monkeypatch.setenv("PATH", "/bin")
    start_by_name()
    assert (sys.executable, os.environ["PATH"]) == ("/opt/env/bin/python", "/bin")


def test_jobs_import_the_library_of_this_checkout_before_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("mine", "theirs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "of_whom.py").write_text(f"print({folder!r})\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "theirs"))
    use_library(tmp_path / "mine")
    told = subprocess.run([sys.executable, "-m", "of_whom"], capture_output=True, text=True)
    assert told.stdout == "mine\n"
