"""The example for analysts works as it is printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "library.md"


def test_the_example_for_analysts_runs_and_its_fits_agree(
    capsys: pytest.CaptureFixture[str],
) -> None:
    section = PAGE.read_text("utf-8")
    code, of_a_study = re.findall(r"```python\n(.*?)```", section, flags=re.S)
    assert "open_study" in of_a_study  # needs results; tests/unit/study runs what it names
    names: dict[str, Any] = {}
    exec(compile(code, "library.md", "exec"), names)
    assert "MultilevelFit: maths ~ treated + maths_before" in capsys.readouterr().out
    assert list(names["both"]["n_schools"]) == [40, 40, 40]
    assert names["both"]["estimate"].max() - names["both"]["estimate"].min() < 0.01
    assert names["low"] < names["reml"].coef()["treated"] < names["high"]
    table = "".join(line for line in section.splitlines() if line.startswith("|"))
    methods = set(re.findall(r"`(\w+)\(", table))
    assert len(methods) >= 12
    assert [name for name in methods if not hasattr(names["reml"], name)] == []
