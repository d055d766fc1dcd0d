"""Params are compared as the same text, with pandas or without."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from support.small_trial import ROOT

CODE = """
import sys
from types import SimpleNamespace
sys.path.insert(0, {scripts!r})
from schooltrial.pipeline.internals.plain_params import compare_params_as_text
from snakemake.persistence import PersistenceBase
class Kept(PersistenceBase):
    __init__ = object.__init__
    __hash__ = object.__hash__
Kept.__abstractmethods__ = frozenset()
compare_params_as_text()
values = [1, 2.5, None, True, "a", [1, "b"], dict(a=dict(b=[None])), ("c",)]
class Job(SimpleNamespace):
    __hash__ = object.__hash__
print(Kept()._params(Job(non_derived_params=values)))
print("pandas" in sys.modules)
"""


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(plain: str) -> list[str]:
        monkeypatch.setenv("SCHOOLTRIAL_PLAIN", plain)
        code = CODE.format(scripts=str(ROOT / "src"))
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def test_params_are_told_alike_and_only_a_plain_run_imports_pandas(compared: Any) -> None:
    ours, plain = compared(""), compared("1")
    assert ours[0] == plain[0]
    assert "'a'" in ours[0]
    assert (ours[1], plain[1]) == ("False", "True")
