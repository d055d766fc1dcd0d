"""The example of a study on the page of the library runs on a study."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import schooltrial
from schooltrial.study.opened.opened_study import OpenedStudy
from support.small_trial import ROOT

PAGE = ROOT / "docs" / "library.md"
OPENING = 'study = st.open_study("my_trial")\n'


def test_the_example_of_a_study_runs_as_it_is_printed(
    opened: OpenedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"^```python study\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    assert code.startswith(OPENING)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"st": schooltrial, "study": opened, "print": lambda *values: None}
    exec(compile(code.removeprefix(OPENING), PAGE.name, "exec"), names)
    assert names["planned"].planned is True
    assert names["changed"].changed == {"covariates": []}
    assert len(names["left"]) == names["planned"].result.n_rows
    assert {path.name for path in tmp_path.iterdir()} == {"itt.png", "itt.md"}
